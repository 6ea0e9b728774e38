"""Both scalings of pixels: [-1, 1] behind a tanh, and [0, 1] behind a sigmoid."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import tfanime
from tfanime import recipes
from tfanime.drawn.faces import draw_faces
from tfanime.models import DISCRIMINATORS, GENERATORS
from tfanime.recipes.config import Config
from tfanime.training.build import build_gan

NAMES = ("dcgan", "srresnet", "modern", "r3gan")


def inside(model, layer, x):
    """What a layer of a model gives."""
    return np.asarray(tf.keras.Model(model.inputs, model.get_layer(layer).output)(x))


@pytest.mark.parametrize("name", NAMES)
def test_a_sigmoid_makes_pixels_from_0_to_1_and_pictures_leave_as_ever(name):
    signed, unit = (
        GENERATORS[name](32, 32, 5, channels=4, **options) for options in ({}, {"scaling": "unit"})
    )
    larger = 1.0 if name in ("modern", "r3gan") else 5.0  # whose initial weights are not as small
    for weight, other in zip(unit.weights, signed.weights, strict=True):
        weight.assign(larger * np.asarray(other) if weight.name == "kernel" else other)
        other.assign(weight)
    latents = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    pixels, pictures = inside(unit, "unit_pictures", latents), np.asarray(unit(latents))
    np.testing.assert_allclose(pictures, 2 * pixels - 1, atol=1e-6)
    assert 0 <= pixels.min() < 0.5 < pixels.max() <= 1
    # tanh(x) = 2 sigmoid(2 x) - 1, so of the same sums the sigmoid's pictures are nearer to grey.
    wide = np.asarray(signed(latents))
    inner = np.abs(wide) < 0.9
    assert inner.mean() > 0.1
    sums = np.arctanh(wide[inner])
    np.testing.assert_allclose(2 * np.arctanh(pictures[inner]), sums, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_discriminator_sees_pixels_from_0_to_1(name):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    model = DISCRIMINATORS[name](32, 32, channels=4, scaling="unit")
    np.testing.assert_allclose(inside(model, "unit_pictures", images), images / 2 + 0.5, atol=1e-6)
    with pytest.raises(ValueError, match="scaling is one of: signed, unit. Received: '255'"):
        DISCRIMINATORS[name](32, 32, channels=4, scaling="255")


def test_a_run_in_the_other_scaling_trains_draws_and_is_judged(eager, tmp_path):
    images, _ = draw_faces(16, size=16)
    data = tfanime.from_arrays(images)
    options = {"generator": {"channels": 4}, "discriminator": {"channels": 4}, "batch_size": 8}
    run = tfanime.train(
        "dcgan",
        data,
        steps=2,
        out=tmp_path / "run",
        scaling="unit",
        tensorboard=False,
        progress=False,
        **options,
    )
    model = tfanime.load_generator(run).model
    assert model.get_layer("unit_pictures").activation is tf.keras.activations.sigmoid
    drawn = tfanime.generate(run, n=8, seed=1).images
    assert drawn.dtype == np.uint8 and 100 < drawn.mean() < 156  # grey, as it begins
    report = tfanime.evaluate(run, data, ["1nn"], n=8)
    assert np.isfinite(report["1-nn"].value)


def test_networks_without_the_option_refuse_it():
    with pytest.raises(ValueError, match="'srgan' does not take these options: .*scaling"):
        build_gan(recipes.get("srgan").override(image_size=32, scaling="unit"))
    with pytest.raises(ValueError, match="scaling is one of: signed, unit. Received: 'bytes'"):
        Config("dcgan", scaling="bytes")
