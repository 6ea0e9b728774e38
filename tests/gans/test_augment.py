"""Differentiable augmentation: what each policy may and may not change."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfanime.gans import augment as a
from tfanime.gans.augment import NAMES, diff_augment
from tfanime.gans.noise import StepNoise

COUNT, HEIGHT, WIDTH = 400, 16, 24


def pictures(count=COUNT):
    rng = np.random.default_rng(0)
    return tf.constant(rng.uniform(-1, 1, (count, HEIGHT, WIDTH, 3)), tf.float32)


def augmented(policy, images=None, step=0):
    images = pictures() if images is None else images
    return diff_augment(policy)(images, StepNoise(3, step, len(images))).numpy()


def test_translation_moves_by_whole_pixels_up_to_an_eighth():
    before, after = pictures().numpy(), augmented("translation")
    reach = (HEIGHT // 8, WIDTH // 8)
    padded = np.pad(before, ((0, 0), (reach[0],) * 2, (reach[1],) * 2, (0, 0)))
    shifts = []
    for i in range(COUNT):
        match = [
            (y, x)
            for y in range(2 * reach[0] + 1)
            for x in range(2 * reach[1] + 1)
            if np.allclose(padded[i, y : y + HEIGHT, x : x + WIDTH], after[i], atol=1e-6)
        ]
        assert len(match) == 1
        shifts += match
    # Every shift occurs, each about equally often.
    rows, columns = np.transpose(shifts)
    for found, far in ((rows, reach[0]), (columns, reach[1])):
        share = np.bincount(found, minlength=2 * far + 1) / COUNT
        assert share.min() > 0.5 / (2 * far + 1)


def test_color_is_brightness_saturation_contrast_in_their_ranges():
    grey = tf.fill((COUNT, HEIGHT, WIDTH, 3), 0.25)
    after = augmented("color", grey)
    # Without colour and contrast only brightness shows: one number a picture, within 0.5.
    assert np.ptp(after, axis=(1, 2, 3)).max() < 1e-5
    brightness = after[:, 0, 0, 0] - 0.25
    assert -0.5 <= brightness.min() < -0.45 and 0.45 < brightness.max() <= 0.5
    before, after = pictures().numpy(), augmented("color")

    def saturation(x):
        return np.abs(x - x.mean(axis=-1, keepdims=True)).mean(axis=(1, 2, 3))

    def contrast(x):
        return x.mean(axis=-1).std(axis=(1, 2))

    by_contrast = contrast(after) / contrast(before)
    assert 0.5 <= by_contrast.min() < 0.55 and 1.45 < by_contrast.max() <= 1.5
    by_saturation = saturation(after) / saturation(before) / by_contrast
    assert by_saturation.min() < 0.1 and 1.9 < by_saturation.max() <= 2.0 + 1e-5


def test_cutout_greys_a_square_and_leaves_the_rest():
    before, after = pictures().numpy(), augmented("cutout")
    gone = (after == 0).all(axis=-1)
    assert np.array_equal(after[~gone], before[~gone])
    for mask in gone:
        rows, columns = np.where(mask.any(axis=1))[0], np.where(mask.any(axis=0))[0]
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert 1 <= len(rows) <= HEIGHT // 2 + 1 and 1 <= len(columns) <= WIDTH // 2 + 1


@pytest.mark.parametrize("policy", [*NAMES, "color,translation,cutout", "ada", "ada,cutout"])
def test_same_step_same_change_and_gradients_flow(policy):
    np.testing.assert_array_equal(augmented(policy), augmented(policy))
    assert np.abs(augmented(policy) - augmented(policy, step=1)).max() > 0.1
    images = pictures(4)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(diff_augment(policy)(images, StepNoise(3, 0, 4)) ** 2)
    gradient = tape.gradient(total, images).numpy()
    assert np.isfinite(gradient).all() and (np.abs(gradient).max(axis=(1, 2, 3)) > 0).all()


@pytest.mark.parametrize("policy", ["blur", "color,blur", "", ","])
def test_unknown_policies_are_refused(policy):
    with pytest.raises(ValueError, match=f"color, translation, cutout.*Received: '{policy}'"):
        diff_augment(policy)


def test_each_picture_goes_through_each_change_with_the_probability():
    images = pictures()
    noise = StepNoise(3, 0, COUNT)
    after = diff_augment("cutout")(images, noise, 0.3).numpy()
    same = (after == images.numpy()).all(axis=(1, 2, 3))
    # 400 draws: the standard error of the share is 0.023.
    assert 0.2 < 1 - same.mean() < 0.4
    assert (diff_augment("cutout")(images, noise, 0.0).numpy() == images.numpy()).all()
    always = diff_augment("color,cutout")(images, StepNoise(3, 0, COUNT), 1.0).numpy()
    assert (always != images.numpy()).any(axis=(1, 2, 3)).all()


# ---- ADA -----------------------------------------------------------------------------------------


def matrix(*rows, count=2):
    return tf.constant([[*rows[:3], *rows[3:], 0, 0, 1]] * count, tf.float32, (count, 3, 3))


def test_warped_by_matrices_whose_result_is_known():
    x = pictures(2)
    known = x.numpy()
    same = dict.fromkeys(("atol", "rtol"), 1e-5)
    np.testing.assert_allclose(a.warped(x, matrix(1, 0, 0, 0, 1, 0)), known, **same)
    np.testing.assert_allclose(a.warped(x, matrix(-1, 0, 0, 0, 1, 0)), known[:, :, ::-1], **same)
    np.testing.assert_allclose(
        a.warped(x, matrix(-1, 0, 0, 0, -1, 0)), known[:, ::-1, ::-1], **same
    )
    moved = a.warped(x, matrix(1, 0, 3, 0, 1, -2)).numpy()
    padded = np.pad(known, ((0, 0), (2, 2), (3, 3), (0, 0)), mode="reflect")
    np.testing.assert_allclose(moved, padded[:, :HEIGHT, 6:], **same)
    half = a.warped(x, matrix(1, 0, 0.5, 0, 1, 0)).numpy()
    np.testing.assert_allclose(half[:, :, :-1], (known[:, :, :-1] + known[:, :, 1:]) / 2, **same)
    square = x[:, :, :HEIGHT]
    turned = a.warped(square, matrix(0, -1, 0, 1, 0, 0)).numpy()
    quarter = [np.rot90(square.numpy(), k, axes=(1, 2)) for k in (1, 3)]
    assert min(np.abs(turned - one).max() for one in quarter) < 1e-5
    # A plane stays a plane: twice as large about the middle has half the slope.
    plane = np.broadcast_to(np.arange(WIDTH, dtype=np.float32)[None, None, :, None], x.shape)
    larger = a.warped(tf.constant(plane), matrix(0.5, 0, 0, 0, 0.5, 0)).numpy()
    middle = (WIDTH - 1) / 2
    np.testing.assert_allclose(larger, middle + (plane - middle) / 2, atol=2e-3)


def test_ada_blit_mirrors_turns_and_moves_whole_pixels():
    size = (16, 16)
    found = a.ada_blit(size, StepNoise(3, 0, COUNT), 1.0).numpy()
    linear, moves = found[:, :2, :2], found[:, :2, 2]
    assert np.array_equal(linear, np.rint(linear)) and np.array_equal(moves, np.rint(moves))
    np.testing.assert_array_equal(np.abs(np.linalg.det(linear)), 1)
    kinds, counts = np.unique(linear.reshape(-1, 4), axis=0, return_counts=True)
    assert len(kinds) == 8 and counts.min() > COUNT / 8 / 2  # two by four, equally often
    assert np.abs(moves).max() == 2  # an eighth
    oblong = a.ada_blit((16, 24), StepNoise(3, 0, COUNT), 1.0).numpy()
    assert (oblong[:, 0, 1] == 0).all() and set(oblong[:, 0, 0]) == {-1.0, 1.0}


def test_ada_geom_has_the_papers_spreads():
    count = 4000
    found = a.ada_geom((16, 32), StepNoise(3, 0, count), 1.0).numpy().astype(np.float64)
    singular = np.linalg.svd(found[:, :2, :2], compute_uv=False)
    scale = np.log2(singular[:, 0] * singular[:, 1]) / -2
    stretch = np.log2(singular[:, 0] / singular[:, 1]) / 2
    assert abs(scale.std() - 0.2) < 0.01 and abs(scale.mean()) < 0.01
    assert abs(np.sqrt((stretch**2).mean()) - 0.2) < 0.01
    assert (np.linalg.det(found[:, :2, :2]) > 0).all()  # nothing is mirrored
    moves = np.linalg.solve(found[:, :2, :2], found[:, :2, 2:])[..., 0] / [32, 16]
    assert np.abs(moves.std(axis=0) - 0.125).max() < 0.006


def test_ada_geom_turns_as_often_as_the_rest():
    count, share = 4000, 0.36
    found = a.ada_geom((16, 16), StepNoise(3, 0, count), share).numpy()
    singular = np.linalg.svd(found[:, :2, :2], compute_uv=False)
    stretched = np.abs(singular[:, 0] / singular[:, 1] - 1) > 1e-4
    assert abs(stretched.mean() - share) < 0.03
    turned = np.abs(found[:, 0, 1]) > 1e-6
    assert abs(turned.mean() - share) < 0.03


def recoloured(x, **changes):
    same = {"brightness": 0.0, "contrast": 1.0, "negated": 0.0, "turn": 0.0, "saturation": 1.0}
    return a._recoloured(x, *(tf.fill((len(x),), float(v)) for v in (same | changes).values()))


def test_ada_colours_by_hand():
    x = pictures(3)
    known = x.numpy()
    grey = known.mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(recoloured(x), known, atol=1e-6)
    np.testing.assert_allclose(recoloured(x, brightness=0.3), known + 0.3, atol=1e-6)
    np.testing.assert_allclose(recoloured(x, contrast=2), 2 * known, atol=1e-6)
    np.testing.assert_allclose(recoloured(x, saturation=0), grey + 0 * known, atol=1e-6)
    np.testing.assert_allclose(recoloured(x, negated=1), known - 2 * grey, atol=1e-6)
    # A third of a turn about the greys exchanges red, green and blue in turn; greys stay.
    third = recoloured(x, turn=2 * np.pi / 3).numpy()
    assert min(np.abs(third - np.roll(known, k, axis=-1)).max() for k in (1, 2)) < 1e-5
    greys = tf.fill((1, 2, 2, 3), 0.4)
    np.testing.assert_allclose(recoloured(greys, turn=1.0, saturation=3), greys, atol=1e-6)


def test_ada_colours_are_drawn_as_in_the_paper():
    count = 4000
    grey = tf.fill((count, 1, 1, 3), 0.5)
    noise = StepNoise(3, 0, count)
    after = a.ada_color(grey, noise, 1.0).numpy()[:, 0, 0, 0]
    negative = (after < 0).mean()  # luma is negated in half of the pictures
    assert abs(negative - 0.5) < 0.03
    # Of 2^N(0, 0.5^2) (0.5 + N(0, 0.2^2)), by the moments of a log-normal.
    spread = (0.5 * np.log(2)) ** 2
    assert abs(np.abs(after).mean() - 0.5 * np.exp(spread / 2)) < 0.02
    assert abs((after**2).mean() - 0.29 * np.exp(2 * spread)) < 0.03
    np.testing.assert_array_equal(a.ada_color(grey, noise, 0.0), grey)


def test_ada_at_0_changes_nothing_and_resamples_exactly():
    x = pictures(4)
    after = diff_augment("ada")(x, StepNoise(3, 0, 4), 0.0).numpy()
    np.testing.assert_allclose(after, x, atol=1e-6)
