"""The plain Keras way that scripts/bench/bench_train.py compares with does what the recipes do."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests import scripts
from tests.recipes.representatives import NAMES
from tests.recipes.test_recipes import SCHEMA, batch, tiny
from tfanime.gans import SRGAN
from tfanime.gans.noise import StepNoise
from tfanime.training.build import build_gan

LINEAR = {"optimizer": "sgd", "beta_1": 0.0, "g_lr": 0.1, "d_lr": 0.1, "lr_decay_start": None}


@pytest.fixture(scope="module")
def bench():
    return scripts.load("bench/bench_train")


def assert_close(mine, theirs):
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=0, atol=2e-5, err_msg=one.path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wgan", "modern", *(n for n in NAMES if n != "projected")])
def test_plain_updates_are_the_recipes(bench, name):
    """From the same weights, pictures and noise; by gradient descent, so that weights tell. Of the
    recipes that together have what all have; the plain way has no second discriminator."""
    weights = {"srgan": 1.0, "makegirlsmoe": 34.0, "dcgan-dragan": 34.0}
    heavier = {"adversarial_weight": weights[name]} if name in weights else {}
    config = tiny(name, critic_steps=1, **LINEAR, **heavier)
    ours, plain = build_gan(config, SCHEMA), bench.PlainGAN(build_gan(config, SCHEMA))
    data = batch(config)
    rows = data["images"].shape[0]
    before = [v.numpy() for v in ours.discriminator_variables]
    ours.train_step(data)
    noise = StepNoise(config.seed, plain.gan.steps_done, rows)
    if isinstance(plain.gan, SRGAN):
        data = plain.with_small_pictures(data, noise)
    plain.update_discriminator(data, noise)
    moved = [
        np.abs(v.numpy() - old).max()
        for v, old in zip(ours.discriminator_variables, before, strict=True)
    ]
    # Or equality would say nothing. Blocks of r3gan begin with zeros, behind which nothing moves.
    assert (np.max if name == "r3gan" else np.median)(moved) > 1e-4
    assert_close(plain.gan.discriminator_variables, ours.discriminator_variables)
    if ours.updates == "alternating":  # plain Keras has no simultaneous updates
        plain.update_generator(data, StepNoise(config.seed, plain.gan.steps_done, rows))
        assert_close(plain.gan.generator_variables, ours.generator_variables)


@pytest.fixture(scope="module")
def counting():
    return scripts.load("bench/multiply_adds")


def test_multiply_adds(counting):
    """A kernel's numbers times the places it is applied at."""
    pictures = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", trainable=False)(pictures)  # at 4 x 4
    x = layers.Conv2DTranspose(5, 4, strides=2, padding="same")(x)  # applied at 4 x 4 too
    model = keras.Model(pictures, layers.Dense(7)(layers.Flatten()(x)))
    frozen, trained = 16 * 9 * 3 * 4, 16 * 16 * 4 * 5 + 8 * 8 * 5 * 7
    assert counting.multiply_adds(model) == frozen + trained
    assert counting.multiply_adds(model, trained=False) == frozen
    assert counting.multiply_adds(model, trained=True) == trained


def test_an_upscaler_is_counted_at_the_size_of_its_training(counting):
    """The body works on the small pictures, the last convolution on the large ones."""
    gan = build_gan(tiny("srgan").override(size=32), SCHEMA)
    assert counting.at_size(gan).output.shape[1:] == (32, 32, 3)
    kernels = {
        layer.name: layer.kernel.shape for layer in gan.generator.layers if hasattr(layer, "kernel")
    }
    expected = sum(
        (32 * 32 if name == "out" else 16 * 16) * int(np.prod(shape))
        for name, shape in kernels.items()
    )
    assert counting.multiply_adds(counting.at_size(gan)) == expected
