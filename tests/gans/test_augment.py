"""Differentiable augmentation: what each policy may and may not change."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfanime.gans.augment import diff_augment
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


@pytest.mark.parametrize("policy", ["color", "translation", "cutout", "color,translation,cutout"])
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
