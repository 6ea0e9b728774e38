"""Real and generated pictures in one batch of the discriminator."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfanime import gans
from tfanime.models.common import alternating


def networks(normalised):
    latents = keras.Input((3,))
    pictures = layers.Reshape((4, 4, 3))(layers.Dense(48, activation="tanh")(latents))
    generator = keras.Model(latents, pictures)
    seen = keras.Input((4, 4, 3))
    x = layers.Flatten()(seen)
    if normalised:
        x = layers.BatchNormalization(center=False, scale=False, epsilon=1e-9)(x)
    return generator, keras.Model(seen, layers.Dense(1, name="logits")(x))


def test_rows_of_both_in_turn():
    one, other = np.arange(6).reshape(3, 2), -np.arange(6).reshape(3, 2)
    together = ops.convert_to_numpy(alternating(one, other))
    np.testing.assert_array_equal(together[0::2], one)
    np.testing.assert_array_equal(together[1::2], other)


def logs_of(joint, normalised, images):
    keras.utils.set_random_seed(0)
    gan = gans.GAN(
        *networks(normalised), loss="wasserstein", updates="simultaneous", joint_batch=joint
    )
    gan.compile()
    gan.discriminator.layers[-1].kernel.assign(np.full((48, 1), 1 / 48))
    return {name: float(value) for name, value in gan.train_step({"images": images}).items()}


def test_without_batch_norm_nothing_changes():
    images = np.random.default_rng(0).uniform(-1, 1, (8, 4, 4, 3)).astype(np.float32)
    apart, joint = (logs_of(joint, False, images) for joint in (False, True))
    assert apart.keys() == joint.keys()
    for name, value in apart.items():
        np.testing.assert_allclose(joint[name], value, atol=1e-6, err_msg=name)


def test_batch_norm_sees_how_the_kinds_differ():
    """Apart, the mean of normalised features is 0 for both kinds, whatever the pictures."""
    images = np.random.default_rng(0).uniform(0.7, 0.9, (8, 4, 4, 3)).astype(np.float32)
    apart, joint = (logs_of(joint, True, images) for joint in (False, True))
    np.testing.assert_allclose([apart["d_real"], apart["d_fake"]], 0, atol=1e-5)
    assert joint["d_real"] > 0.5
    # Together the mean over both is 0.
    np.testing.assert_allclose(joint["d_fake"], -joint["d_real"], atol=1e-5)


def test_it_needs_simultaneous_updates():
    with pytest.raises(ValueError, match="joint_batch needs updates='simultaneous'"):
        gans.GAN(*networks(False), joint_batch=True)
