"""The networks of super-resolution."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tfanime.core.choices import NORMALISATIONS
from tfanime.models import srgan


def pictures(count=2, height=12, width=8):
    shape = (count, height, width, 3)
    return np.random.default_rng(0).uniform(-0.9, 0.9, shape).astype(np.float32)


@pytest.mark.parametrize("factor", [2, 4])
def test_any_size_is_enlarged(factor):
    model = srgan.generator(32, 32, factor=factor, channels=2, blocks=1)
    assert model.input_shape == model.output_shape == (None, None, None, 3)
    for height, width in ((12, 8), (5, 7)):
        large = model(pictures(height=height, width=width))
        assert large.shape == (2, factor * height, factor * width, 3)


def test_training_starts_near_the_bilinear_enlargement():
    keras.utils.set_random_seed(0)
    model = srgan.generator(32, 32, channels=8, blocks=4)
    bilinear = model.get_layer("enlarged")(pictures())
    difference = np.abs(model(pictures()) - bilinear)
    assert 0 < difference.max() < 0.5 and difference.mean() < 0.15


def test_the_sum_is_in_float32_whatever_the_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = srgan.generator(32, 32, channels=2, blocks=1)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.get_layer("first").compute_dtype == "bfloat16"
    for layer in model.layers[1:]:
        for variable in [v for v in layer.weights if layer.name == "out"]:
            variable.assign(0 * variable)
    large = model(pictures())
    np.testing.assert_array_equal(large, model.get_layer("enlarged")(pictures()))


def test_batch_norm_is_an_option():
    plain, papers = (srgan.generator(32, 32, 0, 0, 2, 2, 1, batch_norm) for batch_norm in (0, 1))
    kind = keras.layers.BatchNormalization
    found = [layer.name for layer in papers.layers if isinstance(layer, kind)]
    assert found == ["res0_1_bn", "res0_2_bn", "mid_bn"]
    assert not any(isinstance(layer, kind) for layer in plain.layers)


@pytest.mark.parametrize("normalisation", NORMALISATIONS["discriminator", "srgan"])
def test_discriminator(normalisation):
    model = srgan.discriminator(32, 48, channels=2, normalisation=normalisation)
    outputs = model(np.zeros((2, 32, 48, 3), np.float32))
    assert outputs["logits"].shape == (2, 1) and outputs["features"].shape == (2, 32)
    kinds = {type(layer).__name__ for layer in model.layers}
    assert ("SpectralConv2D" in kinds) == (normalisation == "spectral")
    assert ("BatchNormalization" in kinds) == (normalisation == "batch")


def test_the_recipes_network_is_small_enough_for_a_browser():
    from tfanime import recipes

    options = dict(recipes.get("srgan").generator)
    assert options.pop("name") == "srgan"
    assert 2 * srgan.generator(64, 64, **options).count_params() < 1e6  # bytes of float16


@pytest.mark.parametrize(
    "network, options, message",
    [
        (srgan.generator, {"factor": 3}, "factor is 2 or 4. Received: 3"),
        (srgan.generator, {"label_dim": 3}, "takes images only.*conditioning='none'"),
        (srgan.generator, {"factor": 4, "height": 34}, "multiples of 4. Received: 32x34"),
        (srgan.discriminator, {"label_dim": 3}, "takes images only.*conditioning='none'"),
        (srgan.discriminator, {"normalisation": "group"}, "spectral, batch, none.*'group'"),
    ],
)
def test_refuses(network, options, message):
    with pytest.raises(ValueError, match=message):
        network(**{"height": 32, "width": 32, **options})


@pytest.mark.slow
def test_vgg_features_are_those_of_keras_for_its_own_preprocessing():
    from tfanime.models.vgg import vgg19_features

    keras.utils.set_random_seed(0)
    model = vgg19_features(None, "block1_conv2")
    given = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    ready = keras.applications.vgg19.preprocess_input(given.copy())
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    expected = np.asarray(inner(ready)) / 12.75
    np.testing.assert_allclose(model(given / 127.5 - 1), expected, rtol=1e-3, atol=1e-3)
    assert np.ptp(expected) > 0.1 and not model.trainable_variables
