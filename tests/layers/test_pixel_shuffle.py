"""PixelShuffle against a NumPy rearrangement."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tfanime.layers import PixelShuffle


@pytest.mark.parametrize("block", [2, 3])
def test_against_numpy(block):
    channels = 5
    x = np.random.default_rng(0).standard_normal((2, 3, 4, channels * block**2))
    x = x.astype(np.float32)
    expected = np.empty((2, 3 * block, 4 * block, channels), np.float32)
    for i in range(block):
        for j in range(block):
            first = (i * block + j) * channels
            expected[:, i::block, j::block] = x[..., first : first + channels]
    np.testing.assert_array_equal(PixelShuffle(block)(x), expected)


def test_shapes_and_dtypes():
    assert PixelShuffle(2).compute_output_shape((None, None, 8, 12)) == (None, None, 16, 3)
    symbolic = PixelShuffle(2)(keras.Input((4, 6, 8)))
    assert symbolic.shape == (None, 8, 12, 2)
    assert PixelShuffle(2, dtype="bfloat16")(np.zeros((1, 1, 1, 4))).dtype == "bfloat16"


def test_config_round_trip():
    layer = PixelShuffle(3, name="shuffle")
    twin = PixelShuffle.from_config(layer.get_config())
    assert (twin.block_size, twin.name) == (3, "shuffle")


def test_refuses_a_block_that_shuffles_nothing():
    with pytest.raises(ValueError, match="greater than one. Received: block_size=1"):
        PixelShuffle(1)
