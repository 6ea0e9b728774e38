"""Degradations and colour jitter: closed forms, and what each keeps."""

from __future__ import annotations

import colorsys

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


def test_jitter_leaves_flat_greys():
    grey = constant([0.4, 0.4, 0.4])
    np.testing.assert_allclose(d.color_jitter(grey, noise(), 0.3), grey, atol=1e-6)


def alone(name, change, x):
    """`color_jitter` of one kind, every picture by `change`."""

    class Always:
        def uniform(self, shape):
            return tf.ones((len(x), *shape))

    return d.color_jitter(x, Always(), {name: change}).numpy()


@pytest.mark.parametrize("change", [0.05, 0.1, 0.4])
def test_hue_and_saturation_are_those_of_tf_image(change):
    x = pictures(reach=1.0)
    rgb = (x + 1) / 2
    for name, expected in (
        ("hue", tf.image.adjust_hue(rgb, change)),
        ("saturation", tf.image.adjust_saturation(rgb, 1 + change)),
        ("brightness", tf.clip_by_value(rgb * (1 + change), 0, 1)),
    ):
        np.testing.assert_allclose(alone(name, change, x), 2 * expected.numpy() - 1, atol=2e-5)


def test_hue_turns_red_to_yellow_and_grey_stays():
    red, yellow, grey = (constant(colour) for colour in ([1, -1, -1], [1, 1, -1], [0.2] * 3))
    np.testing.assert_allclose(alone("hue", 1 / 6, red), yellow, atol=1e-5)
    np.testing.assert_allclose(alone("hue", 1 / 6, grey), grey, atol=1e-6)
    np.testing.assert_allclose(alone("saturation", 0.3, grey), grey, atol=1e-6)


def test_contrast_keeps_the_mean_luma_and_scales_the_rest():
    x = pictures(reach=0.4)
    after = alone("contrast", 0.1, x)
    middle = np.mean(x.numpy() @ LUMA, axis=(1, 2))[:, None, None, None]
    np.testing.assert_allclose(after, middle + 1.1 * (x.numpy() - middle), atol=1e-5)


def test_every_jitter_is_uniform_in_its_range_and_on_its_own():
    count, amount = 500, 0.1
    # Two colours of one hue: red and a darker, paler one.
    x = tf.repeat(tf.constant([[[[0.2, -0.4, -0.4], [0.0, -0.2, -0.2]]]], tf.float32), count, 0)
    after = d.color_jitter(x, noise(count), amount).numpy().astype(np.float64)
    luma = after @ LUMA
    contrast = (luma[:, 0, 0] - luma[:, 0, 1]) / (x.numpy()[0] @ LUMA @ [1, -1]) - 1
    colour = (after[:, 0, 0] + 1) / 2
    value, least = colour.max(axis=-1), colour.min(axis=-1)
    hue = [colorsys.rgb_to_hsv(*row)[0] for row in colour]
    hue = (np.array(hue) + 0.5) % 1 - 0.5
    assert -amount - 1e-4 <= hue.min() < -0.9 * amount < 0.9 * amount < hue.max() <= amount + 1e-4
    assert (value - least).std() > 0.01 and contrast.std() > 0.01
    named = {"contrast": amount, "saturation": amount, "hue": amount}
    np.testing.assert_array_equal(after, d.color_jitter(x, noise(count), named).numpy())


# ---- a generator's faults ------------------------------------------------------------------------


def test_lines_that_tremble_move_by_less_than_a_pixel_and_keep_what_is_flat():
    flat = constant([0.1, -0.5, 0.9])
    np.testing.assert_allclose(d.wobbled(flat, noise(), np.float32(0.7)), flat, atol=1e-6)
    line = np.full((COUNT, HEIGHT, WIDTH, 3), -1.0, np.float32)
    line[:, :, 15:17] = 1.0
    moved = np.asarray(d.wobbled(tf.constant(line), noise(), np.full((COUNT, 1, 1, 1), 0.5, "f")))
    assert np.abs(moved).max() <= 1 + 1e-6
    assert (moved[:, :, :14] == -1).all() and (moved[:, :, 18:] == -1).all()
    # Where its middle is, row by row: it strays, smoothly.
    weight = (moved[..., 0] + 1) / 2
    middle = (weight * np.arange(WIDTH)).sum(2) / weight.sum(2)
    assert 0.1 < middle.std(axis=1).mean() < 0.6
    assert np.abs(np.diff(middle, axis=1)).mean() < 0.25


def test_neighbours_end_at_the_edges():
    row = tf.reshape(tf.range(4.0), (1, 1, 4, 1))
    assert np.ravel(d._neighbours(row, 2, -1)).tolist() == [0, 0, 1, 2]
    assert np.ravel(d._neighbours(row, 2, 1)).tolist() == [1, 2, 3, 3]


def test_faults_are_left_out_unless_asked_for():
    x = pictures()
    plain = d.degrade(x, noise(), 2, 1.0)
    np.testing.assert_array_equal(plain, d.degrade(x, noise(), 2, 1.0, 0.0, 0.0))
    for faults in ((0.5, 0.0), (0.0, 2.0)):
        assert np.abs(d.degrade(x, noise(), 2, 1.0, *faults) - plain).max() > 0.05
        np.testing.assert_array_equal(
            d.degrade(x, noise(), 2, 0.0, *faults), d.degrade(x, noise(), 2, 0.0)
        )


def test_what_is_sharpened_has_halos():
    """An edge between two greys, of which no blur leaves either."""
    edge = np.full((64, 16, 16, 3), -0.5, np.float32)
    edge[:, :, 8:] = 0.5
    reach = [
        np.abs(d.degrade(tf.constant(edge), noise(64), 2, 1.0, 0.0, sharpened)).max((1, 2, 3))
        for sharpened in (0.0, 3.0)
    ]
    assert np.median(np.sort(reach[1])[-16:]) > np.median(np.sort(reach[0])[-16:]) + 0.2
