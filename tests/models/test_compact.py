"""The upscaler that works at the small picture's size."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tfanime.export.graph.graph import from_keras
from tfanime.export.graph.rewrite import multiply_adds
from tfanime.models import compact
from tfanime.recipes import get


def pictures(count=2, height=12, width=8):
    shape = (count, height, width, 3)
    return np.random.default_rng(0).uniform(-0.9, 0.9, shape).astype(np.float32)


@pytest.mark.parametrize("factor", [2, 4])
def test_any_size_is_enlarged_nearly_bilinearly_before_training(factor):
    keras.utils.set_random_seed(0)
    model = compact.generator(32, 32, factor=factor, channels=8, blocks=2)
    assert model.input_shape == model.output_shape == (None, None, None, 3)
    for height, width in ((12, 8), (5, 7)):
        small = pictures(height=height, width=width)
        large = np.asarray(model(small))
        assert large.shape == (2, factor * height, factor * width, 3)
        difference = np.abs(large - model.get_layer("enlarged")(small))
        assert 0 < difference.max() < 0.5 and difference.mean() < 0.15


def test_all_convolutions_see_the_small_picture():
    model = compact.generator(32, 32, factor=4, channels=4, blocks=3)
    large = [layer for layer in model.layers if layer.output.shape[-1] == 3][1:]
    assert {layer.name for layer in large} == {"shuffle", "enlarged", "large_pictures"}
    kinds = {type(layer).__name__ for layer in model.layers}
    assert kinds == {
        "InputLayer", "Conv2D", "LeakyReLU", "Add", "PixelShuffle", "UpSampling2D"
    }  # fmt: skip


def test_the_sum_is_in_float32_whatever_the_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = compact.generator(32, 32, channels=4, blocks=1)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.get_layer("first").compute_dtype == "bfloat16"
    assert model(pictures()).dtype == "float32"


@pytest.mark.parametrize("factor, channels, blocks, side", [(4, 48, 6, 64), (2, 32, 4, 128)])
def test_small_and_fast_enough_for_a_browser(factor, channels, blocks, side):
    """To 256 pixels, by multiply-adds: the MakeGirlsMoe generator's 1.4 billion take 119 ms in one
    thread of WebAssembly (docs/web.md)."""
    model = compact.generator(128, 128, factor=factor, channels=channels, blocks=blocks)
    assert 2 * model.count_params() < 1e6  # bytes of float16
    work = multiply_adds(from_keras(model)) * (side / 64) ** 2  # a free side counts as 64
    assert work < 1.4e9


def test_the_recipes_network_is_this_one():
    options = dict(get("lineart").generator)
    assert options.pop("name") == "compact"
    assert compact.generator(128, 128, **options).count_params() == 271_536


@pytest.mark.parametrize(
    "options, message",
    [
        ({"factor": 3}, "factor is 2 or 4. Received: 3"),
        ({"label_dim": 3}, "takes images only.*conditioning='none'"),
        ({"factor": 4, "height": 34}, "multiples of 4. Received: 32x34"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        compact.generator(**{"height": 32, "width": 32, **options})
