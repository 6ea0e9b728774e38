"""Noise is made to decide: mode-seeking regularisation."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfanime import gans
from tfanime.gans.losses import mode_seeking_loss


def test_the_ratio_of_distances_by_hand():
    pictures = np.zeros((4, 2, 2, 3), np.float32)
    pictures[2], pictures[3] = 0.5, -0.25  # 0 and 2 differ by 0.5, 1 and 3 by 0.25
    latents = np.float32([[0, 0], [1, 1], [3, 0], [1, 1.5]])  # mean differences 1.5 and 0.25
    found = float(mode_seeking_loss(pictures, latents))
    np.testing.assert_allclose(found, 1 / (0.375 / 0.875 + 1e-5), rtol=1e-6)


def test_it_is_finite_where_noise_decides_nothing():
    latents = np.random.default_rng(0).normal(size=(4, 3))
    assert float(mode_seeking_loss(np.ones((4, 2, 2, 3)), latents)) == pytest.approx(1e5)


def gan_of(weight, **options):
    """Pictures are `labels * 0.5 + latents * gain`, and the gain is all that is trained."""

    class Drawn(layers.Layer):
        def build(self, *shapes):
            self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

        def call(self, latents, labels):
            return ops.reshape(labels * 0.5 + latents * self.gain * 0.01, (-1, 1, 1, 3))

    latents, labels = keras.Input((3,)), keras.Input((3,))
    generator = keras.Model([latents, labels], Drawn()(latents, labels))
    seen = keras.Input((1, 1, 3))
    discriminator = keras.Model(seen, layers.Dense(1)(layers.Flatten()(seen)))
    gan = gans.GAN(generator, discriminator, mode_seeking_weight=weight, ema_half_life=0, **options)
    gan.compile(keras.optimizers.SGD(1e-3), keras.optimizers.SGD(0.0))
    return gan


def batch(rows):
    random = np.random.default_rng(1)
    found = {
        "images": random.uniform(-1, 1, (rows, 1, 1, 3)),
        "labels": np.sign(random.normal(size=(rows, 3))),
    }
    return {name: ops.convert_to_tensor(values, "float32") for name, values in found.items()}


@pytest.mark.parametrize("options", [{}, {"updates": "simultaneous"}, {"accumulation": 2}])
def test_pictures_of_equal_labels_are_compared(options):
    """Both distances are of noise only if the labels of a pair are equal: 1 / (0.01 gain)."""
    logs = gan_of(1.0, **options).train_step(batch(8))
    np.testing.assert_allclose(float(logs["g_mode_seeking"]), 100, rtol=1e-2)


def test_the_generator_comes_to_listen_to_noise():
    gains = []
    for weight in (0.0, 1.0):
        gan = gan_of(weight)
        for _ in range(3):
            gan.train_step(batch(8))
        gains.append(float(gan.generator.layers[-1].gain))
    assert gains[0] == pytest.approx(1, abs=0.01)
    assert gains[1] > 1.1


def test_pictures_come_in_pairs():
    with pytest.raises(ValueError, match="even number of images.*Received: 3"):
        gan_of(1.0).train_step(batch(3))
