"""Attribute precision with a generator that writes its labels into pixels."""

import numpy as np
import pytest

from tfanime.core.labels import Field, LabelSchema
from tfanime.metrics import attribute_precision, corrected
from tfanime.tagging import Tagger, decide

SCHEMA = LabelSchema(
    (Field("hair", "group", ("blonde", "blue")), Field("smile", "flag"), Field("year", "value"))
)
SEEN = LabelSchema(SCHEMA.fields[:2])


def draw(tags, seed):
    """4 pictures whose first pixels hold the labels; every other picture ignores `smile`."""
    row = np.nan_to_num(SCHEMA.encode(tags))
    pictures = np.zeros((4, 1, 3, 3), np.uint8)
    pictures[:, 0, :, 0] = (row[:3] * 255).astype(np.uint8)
    pictures[::2, 0, 2, 0] = 0
    return pictures


def compute(pictures, progress):
    return pictures[:, 0, :, 0] / 255.0


def test_precision_of_each_attribute():
    found = attribute_precision(draw, SCHEMA, Tagger(SEEN, compute, "reader", "1"))
    assert {one.attribute: one.precision for one in found} == {
        "blonde_hair": 1.0,
        "blue_hair": 1.0,
        "smile": 0.5,
    }
    assert {one.count for one in found} == {4}


def test_nothing_in_common():
    other = Tagger(LabelSchema((Field("hat", "flag"),)), compute, "reader", "1")
    with pytest.raises(ValueError, match="the tagger: hat"):
        attribute_precision(draw, SCHEMA, other)


def test_rules_of_decision():
    probabilities = np.array([[0.4, 0.6, 0.25], [0.9, 0.1, 0.2499]])
    np.testing.assert_array_equal(decide(probabilities, SEEN, 0.25), [[0, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize("truth", [0.0, 0.25, 1.0])
def test_what_a_judge_with_known_faults_sees_is_undone(truth):
    recall, false_alarms = 0.85, 0.1
    seen = truth * recall + (1 - truth) * false_alarms
    assert corrected(seen, recall, false_alarms) == pytest.approx(truth)


def test_a_share_stays_one():
    """Chance may make a judge see more than its recall allows, or less than its false alarms."""
    assert corrected(0.95, 0.9, 0.1) == 1 and corrected(0.02, 0.9, 0.1) == 0
