"""Degradations and colour jitter: closed forms, and what each keeps."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfanime.gans import degrade as d
from tfanime.gans.noise import StepNoise

COUNT, HEIGHT, WIDTH = 6, 24, 32
STEP = 2 / 255


def pictures(count=COUNT, height=HEIGHT, width=WIDTH, reach=0.8):
    rng = np.random.default_rng(0)
    return tf.constant(rng.uniform(-reach, reach, (count, height, width, 3)), tf.float32)


def noise(count=COUNT, step=0):
    return StepNoise(3, step, count)


def constant(colour, count=COUNT):
    return tf.fill((count, HEIGHT, WIDTH, 3), 1.0) * tf.constant(colour, tf.float32)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("bicubic", [0.0, 0.3, 1.0])
def test_reductions_keep_size_mean_and_constants(factor, bicubic):
    x = pictures()
    small = d.downsample(x, factor, bicubic)
    assert small.shape == (COUNT, HEIGHT // factor, WIDTH // factor, 3)
    means = [np.mean(values, axis=(1, 2)) for values in (x, small)]
    np.testing.assert_allclose(*means, atol=1e-6)
    flat = d.downsample(constant([0.1, -0.5, 0.9]), factor, bicubic)
    np.testing.assert_allclose(flat, np.broadcast_to([0.1, -0.5, 0.9], flat.shape), atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4])
def test_reductions_are_block_means_and_pillows_bicubic(factor):
    x = pictures().numpy()
    blocks = x.reshape(COUNT, HEIGHT // factor, factor, WIDTH // factor, factor, 3)
    np.testing.assert_allclose(d.downsample(x, factor, 0.0), blocks.mean((2, 4)), atol=1e-6)
    size, inner = (WIDTH // factor, HEIGHT // factor), slice(2, -2)
    plane = Image.fromarray(x[0, ..., 0])
    expected = np.asarray(plane.resize(size, Image.Resampling.BICUBIC))
    found = d.downsample(x, factor, 1.0).numpy()[0, ..., 0]
    # Pillow treats the edges otherwise.
    np.testing.assert_allclose(found[inner, inner], expected[inner, inner], atol=1e-5)


def test_blur_spreads_a_point_binomially_and_keeps_the_mean():
    point = np.zeros((1, 9, 9, 3), np.float32)
    point[0, 4, 4] = 1
    bell = np.array([0, 0, 1, 4, 6, 4, 1, 0, 0]) / 16
    found = d.blurred(tf.constant(point)).numpy()[0, ..., 0]
    np.testing.assert_allclose(found, np.outer(bell, bell), atol=1e-7)
    x = pictures()
    np.testing.assert_allclose(
        np.mean(d.blurred(x), axis=(1, 2)), np.mean(x, axis=(1, 2)), atol=1e-6
    )


def test_blotches_are_smooth_and_have_unit_variance_at_their_knots():
    found = d.blotches((HEIGHT, WIDTH), noise(400)).numpy()
    assert found.shape == (400, HEIGHT, WIDTH, 3)
    knots = found[:, :: d.BLOTCH, :: d.BLOTCH]
    assert np.std(knots) == pytest.approx(1, abs=0.02)
    assert np.mean(knots) == pytest.approx(0, abs=0.02)
    middle = found[:, d.BLOTCH // 2 :: d.BLOTCH, :: d.BLOTCH][:, :-1]
    between = (knots[:, :-1] + knots[:, 1:]) / 2
    np.testing.assert_allclose(middle, between, atol=1e-5)


def test_compression_with_tiny_steps_changes_nothing_and_with_large_ones_leaves_means():
    x = pictures(height=20)  # a last block of 4 rows
    np.testing.assert_allclose(d.compressed(x, tf.fill((COUNT, 1, 1, 1), 1e-6)), x, atol=1e-4)
    # All but the mean of a block is below half a step: only that is left, itself rounded.
    step = 8 * STEP
    weak = 0.02 * pictures(height=16) + constant([0.3, 0.3, 0.3])[:, :16]
    found = d.compressed(weak, tf.fill((COUNT, 1, 1, 1), 4.0)).numpy()
    assert np.ptp(found, axis=(1, 2)).max() < 1e-5
    fine = d.compressed(constant([0.3, -0.2, 0.5]), tf.fill((COUNT, 1, 1, 1), step)).numpy()
    assert np.ptp(fine, axis=(1, 2)).max() < 1e-5
    # A grey level of luma and two of chroma at most are lost, times the sum of a row.
    assert np.abs(fine - [0.3, -0.2, 0.5]).max() < 4 * STEP


def test_levels_are_those_of_files():
    found = d.on_levels(tf.constant([-1.2, -1.0, 0.0011, 1.0, 3.0])).numpy()
    np.testing.assert_allclose(found, [-1, -1, 128 / 127.5 - 1, 1, 1], atol=1e-7)


def test_without_a_share_only_the_reduction_is_left():
    x = pictures()
    small = d.degrade(x, noise(), 2, 0.0)
    bicubic = noise().uniform(d.ONE)
    expected = d.on_levels(d.downsample(x, 2, bicubic))
    np.testing.assert_array_equal(small, expected)


def test_the_share_of_worse_pictures_and_their_own_mixtures():
    x = tf.repeat(pictures(1), 400, axis=0)
    clean, some, all_ = (d.degrade(x, noise(400), 2, share).numpy() for share in (0, 0.3, 1))
    assert some.shape == (400, HEIGHT // 2, WIDTH // 2, 3) and np.abs(some).max() <= 1
    changed = (some != clean).any(axis=(1, 2, 3))
    assert changed.mean() == pytest.approx(0.3, abs=0.07)
    np.testing.assert_array_equal(some[changed], all_[changed])
    distances = np.abs(all_ - clean).mean(axis=(1, 2, 3))
    assert distances.min() > 0 and distances.max() > 3 * distances.min()


def test_a_pure_function_of_pictures_seed_and_step():
    x = pictures()
    first, again = (d.degrade(x, noise(), 2, 0.5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (d.degrade(x, noise(step=1), 2, 0.5).numpy() != first.numpy()).any()


# ---- colour jitter -----------------------------------------------------------------------------

LUMA = np.array([0.299, 0.587, 0.114])


def test_jitter_of_nothing_changes_nothing():
    x = pictures()
    np.testing.assert_allclose(d.color_jitter(x, noise(), 0.0), x, atol=1e-6)


def test_jitter_leaves_flat_greys_and_the_mean_luma():
    grey = constant([0.4, 0.4, 0.4])
    np.testing.assert_allclose(d.color_jitter(grey, noise(), 0.3), grey, atol=1e-6)
    x = pictures(reach=0.4)  # so that nothing is clipped
    both = x.numpy(), d.color_jitter(x, noise(), 0.1).numpy()
    before, after = (np.mean(values @ LUMA, axis=(1, 2)) for values in both)
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_jitter_scales_contrast_and_chroma_and_turns_hue_within_its_ranges():
    count, amount = 500, 0.1
    x = tf.repeat(pictures(1, 8, 8, reach=0.3), count, axis=0)
    before = x.numpy()[0] @ d.TO_YCC.T
    after = d.color_jitter(x, noise(count), amount).numpy() @ d.TO_YCC.T
    contrast = after[..., 0].std(axis=(1, 2)) / before[..., 0].std()
    chroma = [values[..., 1] + 1j * values[..., 2] for values in (before, after)]
    ratio = chroma[1] / chroma[0]  # one complex number a picture
    assert np.abs(ratio - ratio[:, :1, :1]).max() < 1e-3
    turn = np.angle(ratio[:, 0, 0]) / (2 * np.pi)
    saturation = np.abs(ratio[:, 0, 0]) / contrast
    for found, centre in ((contrast, 1), (saturation, 1), (turn, 0)):
        low, high = found.min() - centre, found.max() - centre
        assert -amount - 1e-4 <= low < -0.9 * amount and 0.9 * amount < high <= amount + 1e-4
    assert np.abs(np.corrcoef([contrast, saturation, turn]) - np.eye(3)).max() < 0.2
