"""PixelShuffle against a NumPy rearrangement."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tfanime.layers import ICNR, Binomial, PixelShuffle


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


def test_icnr_starts_with_blocks_of_one_colour():
    keras.utils.set_random_seed(0)
    convolution = keras.layers.Conv2D(12, 3, kernel_initializer=ICNR("glorot_normal"))
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 7)).astype(np.float32)
    blocks = np.asarray(PixelShuffle(2)(convolution(x)))
    assert blocks.shape == (2, 6, 8, 3)
    for i, j in ((0, 1), (1, 0), (1, 1)):
        np.testing.assert_allclose(blocks[:, i::2, j::2], blocks[:, ::2, ::2], atol=1e-6)
    # The three colours differ, and each has the deviation of the initializer it was made with.
    kernel = np.asarray(convolution.kernel)
    assert not np.array_equal(kernel[..., 0], kernel[..., 1])
    big = np.asarray(ICNR(keras.initializers.RandomNormal(stddev=0.02))((9, 9, 64, 12)))
    assert big.std() == pytest.approx(0.02, rel=0.05)


def test_icnr_config_round_trip_and_message():
    twin = keras.initializers.deserialize(keras.initializers.serialize(ICNR("he_normal", 3)))
    assert twin.block_size == 3 and isinstance(twin.initializer, keras.initializers.HeNormal)
    with pytest.raises(ValueError, match="multiple of 4. Received: 6"):
        ICNR()((3, 3, 8, 6))


def test_binomial_takes_the_checkerboard_away_and_leaves_the_rest():
    smooth = keras.layers.Conv2D(3, 3, use_bias=False, kernel_initializer=Binomial())
    rows, columns = np.mgrid[:8, :8]
    checks = ((-1.0) ** (rows + columns))[None, :, :, None] * np.ones(3, np.float32)
    np.testing.assert_allclose(smooth(checks.astype(np.float32)), 0, atol=1e-6)
    colour = np.float32([0.5, -1.0, 0.25]) * np.ones((1, 8, 8, 1), np.float32)
    np.testing.assert_allclose(smooth(colour), colour[:, 1:-1, 1:-1], atol=1e-6)
    dot = np.zeros((1, 5, 5, 3), np.float32)
    dot[0, 2, 2, 1] = 16
    expected = np.zeros((3, 3, 3), np.float32)
    expected[..., 1] = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    np.testing.assert_allclose(smooth(dot)[0], expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"shape \(3, 3, C, C\). Received: \(3, 3, 2, 3\)"):
        Binomial()((3, 3, 2, 3))
