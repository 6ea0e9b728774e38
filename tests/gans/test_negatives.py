"""Negative augmentation: the windows pixel by pixel, and the discriminator's loss by hand."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from tests.gans.test_objective import IMAGES, batch, make, softplus
from tfanime.core.schedules import Schedule
from tfanime.gans.negatives import EDGE, Negatives, with_windows
from tfanime.gans.noise import StepNoise
from tfanime.recipes import get
from tfanime.training.build import build_gan


def flat(*values, size=(64, 32)):
    """Images of one value each."""
    return np.broadcast_to(np.array(values, np.float32).reshape(-1, 1, 1, 1), (2, *size, 3))


def test_a_window_shows_the_image_before_and_the_rest_its_own():
    # Middles at a half and a quarter, sides of a half and 0.16.
    uniform = np.array([[0.5, 0.0, 1.0, 0.0]] * 2, np.float32)
    found = np.asarray(with_windows(flat(-1.0, 1.0), uniform))
    share = (found[0, ..., 0] + 1) / 2  # of the other image
    assert share[32, 8] == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(found[1], -found[0], atol=1e-6)  # each has a window of the other
    np.testing.assert_allclose(found[..., 0], found[..., 2])
    assert (share[20:44, 5:11] > 0.5).all()  # columns 5.44 to 10.56, rows 16 to 48
    assert share[:8].max() < 0.001 and share[:, 16:].max() < 0.001
    # The edge is a sigmoid of the distance from it.
    expected = 1 / (1 + np.exp(-(0.25 - abs((12 + 0.5) / 64 - 0.5)) / EDGE))
    assert share[12, 8] / share[32, 8] == pytest.approx(expected, rel=1e-4)


def test_windows_lie_within_the_image_and_reach_its_middle():
    noise = StepNoise(3, 0, 500).uniform((4,))
    images = np.zeros((500, 32, 32, 3), np.float32)
    images[::2] = 1.0
    found = abs(np.asarray(with_windows(images, noise)) - images)[..., 0]
    assert found[:, [0, -1]].mean() < 0.15 and found[:, :, [0, -1]].mean() < 0.15
    assert 0.3 < found[:, 12:20, 12:20].mean() < 0.6
    assert found.max(axis=(1, 2)).min() > 0.8


@pytest.mark.parametrize("loss", ["non_saturating", "wasserstein"])
@pytest.mark.parametrize("labels", [0, 1])
def test_the_discriminator_learns_from_spoilt_images_and_the_generator_does_not(loss, labels):
    weight = Schedule(0.0, 2.0, images=8)
    gan = make(labels=labels, loss=loss, terms=[Negatives(weight)])
    gan.steps_done.assign(1)  # 4 images: the weight is half way
    given = batch(labels=[[2.0]] * 4 if labels else None)
    images, marks, condition = gan._unpack(given)
    [one] = gan._parts(images, marks, condition, StepNoise(0, gan.steps_done, 4), 4)
    on_real, on_fake = gan._sides(one, gan._draw(one))
    plain = make(labels=labels, loss=loss).objective
    without = [float(plain.discriminator(on_real, on_fake, one)[0])]
    without.append(float(plain.generator(on_fake, on_real, one)[0]))

    total, logs = gan.objective.discriminator(on_real, on_fake, one)
    again = StepNoise(0, gan.steps_done, 4)
    again.follow(one.noise)
    # The uniform numbers were the last that were drawn.
    again._draws -= 1
    spoilt = np.asarray(with_windows(IMAGES, again.uniform((4,))))
    kernel = np.asarray(gan.discriminator.get_layer("linear").kernel)
    factor = 2.0 if labels else 1.0
    real, fake = (factor * x.reshape(4, -1) @ kernel for x in (IMAGES, spoilt))
    value = fake.mean() - real.mean()
    if loss == "non_saturating":
        value = softplus(-real).mean() + softplus(fake).mean()
    assert float(logs["d_negatives"]) == pytest.approx(value, rel=1e-4)
    assert float(total) == pytest.approx(without[0] + 1.0 * value, rel=1e-4)
    assert float(gan.objective.generator(on_fake, on_real, one)[0]) == without[1]
    assert abs(fake - real).max() > 1e-3


def test_a_recipe_takes_it_by_its_name():
    config = get("modern").override(
        size=16, terms="negatives", terms_weight=0.3, augment="color,translation", batch_size=4,
        generator={"channels": 4}, discriminator={"channels": 4},
    )  # fmt: skip
    gan = build_gan(config)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    logs = gan.train_step({"images": ops.convert_to_tensor(images)})
    assert 0.3 < float(logs["d_negatives"]) < 5.0
    assert "negatives" in str(gan.get_config()["terms"])
