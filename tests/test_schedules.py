"""Schedules: their values, how they are written down, and where training reads them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfanime.core.schedules import Schedule, at, read
from tfanime.recipes.checks import SCHEDULED
from tfanime.recipes.config import Config
from tfanime.training.schedules import ScheduledAdam, ScheduledRate

FALL = Schedule(2.0, 0.5, images=100, after=50)


@pytest.mark.parametrize(
    "images, value",
    [(0, 2.0), (50, 2.0), (75, 2 - 0.75 * (1 - 0.5**0.5)), (100, 1.25), (150, 0.5), (9e9, 0.5)],
)
def test_half_a_cosine_between_two_values(images, value):
    assert FALL(images) == pytest.approx(value)
    np.testing.assert_allclose(FALL(tf.constant(images, tf.float32)), value, rtol=1e-6)


def test_a_number_is_the_same_at_any_time():
    assert at(3.0, 7) == 3.0 and at(FALL, 100) == pytest.approx(1.25)


def test_a_mapping_is_read_and_written():
    stored = {"start": 1.0, "end": 0.0, "images": 10}
    assert read(stored) == Schedule(1.0, 0.0, 10) and read(0.5) == 0.5
    assert read(read(stored).to_json()) == read(stored)


@pytest.mark.parametrize(
    "stored, received",
    [
        ({"start": 1.0, "images": 10}, "Received: start, images"),
        ({"start": 1.0, "end": 0.0, "images": 10, "until": 3}, "until"),
        ({"start": 1.0, "end": float("nan"), "images": 10}, "nan"),
        ({"start": 1.0, "end": 0.0, "images": 0}, "'images': 0"),
        ({"start": 1.0, "end": 0.0, "images": "1000"}, "'images': '1000'"),
        ({"start": 1.0, "end": 0.0, "images": None}, "'images': None"),
        ({"start": 1.0, "end": 0.0, "images": float("inf")}, "'images': inf"),
        ({"start": 1.0, "end": 0.0, "images": 10, "after": [5]}, "'after': [5]"),
        ({"start": 1.0, "end": 0.0, "images": 10, "after": -1}, "'after': -1"),
    ],
)
def test_what_is_no_schedule_is_refused(stored, received):
    with pytest.raises(ValueError, match="A schedule has") as raised:
        read(stored)
    assert received in str(raised.value)


def test_a_configuration_keeps_its_schedules():
    config = Config("dcgan").override(
        g_lr={"start": 1e-3, "end": 1e-4, "images": 1000}, penalty_weight=2
    )
    assert config.g_lr == Schedule(1e-3, 1e-4, 1000) and config.penalty_weight == 2.0
    assert Config.from_json(config.to_json()) == config
    every = {name: {"start": 0.2, "end": 0.5, "images": 9} for name in SCHEDULED}
    config = Config("dcgan").override(**every)
    assert {getattr(config, name) for name in SCHEDULED} == {Schedule(0.2, 0.5, 9)}
    assert Config.from_json(config.to_json()) == config
    weights = {name for name in vars(config) if name.endswith("_weight")}
    assert weights <= set(SCHEDULED)  # docs/training.md says so
    with pytest.raises(ValueError, match="g_lr is greater than 0"):
        Config("dcgan").override(g_lr={"start": 1e-3, "end": 0.0, "images": 1000})
    with pytest.raises(ValueError, match="batch_size is of type int"):
        Config("dcgan").override(batch_size={"start": 1, "end": 2, "images": 3})


def test_a_rate_by_steps_is_one_by_images():
    rate = ScheduledRate(FALL, images=25)
    assert float(rate(4)) == pytest.approx(1.25)
    again = ScheduledRate.from_config(rate.get_config())
    assert float(again(4)) == pytest.approx(1.25)


def test_adams_beta_2_follows_its_schedule():
    """Two steps of Adam, by hand in float64, with another beta_2 in each."""
    schedule = Schedule(0.5, 0.9, images=10)
    optimizer = ScheduledAdam(0.1, 0.0, schedule, images=10)
    weight = keras.Variable([1.0])
    optimizer.build([weight])
    expected, v = 1.0, 0.0
    for step, (gradient, beta) in enumerate([(1.0, 0.5), (3.0, 0.9)], 1):
        optimizer.apply([tf.constant([gradient])], [weight])
        v += (gradient**2 - v) * (1 - beta)
        expected -= 0.1 * gradient * np.sqrt(1 - beta**step) / (np.sqrt(v) + 1e-7)
        assert float(weight[0]) == pytest.approx(expected, rel=1e-5)
    copy = ScheduledAdam.from_config(optimizer.get_config())
    assert copy.schedule == schedule and copy.images == 10
