"""Probabilities that are true on average, thresholds, and figures, against hand-made cases."""

import numpy as np
import pytest

from tfanime.core.labels import FACES, Field, LabelSchema
from tfanime.tagging.calibration import best_threshold, calibration_error, fitted
from tfanime.tagging.figures import Rates, figures_of, rates, recalls, scores, table
from tfanime.tagging.tagger import Tagger, decide

SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue", "pink")), Field("smile", "flag")))


def test_what_was_too_sure_becomes_true():
    """Labels drawn from known probabilities; the logits are those of them, stretched and moved."""
    random = np.random.default_rng(0)
    true = random.normal(0, 1.5, (40_000, 4))
    labels = np.zeros((40_000, 4), np.float32)
    p = np.exp(true[:, :3]) / np.exp(true[:, :3]).sum(axis=1, keepdims=True)
    labels[np.arange(40_000), (p.cumsum(axis=1) < random.random((40_000, 1))).sum(axis=1)] = 1
    labels[:, 3] = random.random(40_000) < 1 / (1 + np.exp(-true[:, 3]))
    logits = true * [3, 3, 3, 2] + [0, 0, 0, 1]
    scale, offset = fitted(logits, labels, SCHEMA)
    # Two to three standard errors of 40,000 draws.
    np.testing.assert_allclose(scale * [3, 3, 3, 2], 1, atol=0.03)
    np.testing.assert_allclose(offset, [0, 0, 0, -0.5], atol=0.04)


def test_what_is_not_known_changes_nothing():
    logits = np.random.default_rng(0).normal(0, 1, (50, 4))
    labels = np.full((50, 4), np.nan, np.float32)
    scale, offset = fitted(logits, labels, SCHEMA)
    assert scale.tolist() == [1] * 4 and offset.tolist() == [0] * 4


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    truth = random.random(60) < 0.2
    p = np.round(np.clip(truth * 0.3 + random.random(60) * 0.7, 0, 1), 1)  # with ties
    found = best_threshold(p, truth)

    def f1(threshold):
        said = p >= threshold
        return 2 * (said & truth).sum() / max(said.sum() + truth.sum(), 1)

    assert f1(found) == pytest.approx(max(f1(t) for t in np.linspace(0, 1, 101)))


def test_no_positives_no_choice():
    assert best_threshold(np.array([0.1, 0.9]), np.array([False, False])) == 0.5


def test_calibration_error_by_hand():
    # Two bins: 0.9 said and 0.5 true of four; 0.1 said and 0 true of four.
    confidence = np.array([0.9] * 4 + [0.1] * 4)
    correct = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    assert calibration_error(confidence, correct) == pytest.approx((0.4 * 4 + 0.1 * 4) / 8)


def test_scores_by_hand():
    truth = np.array([1, 1, 1, 0, 0], bool)
    said = np.array([1, 0, 0, 1, 0], bool)
    found = scores(truth, said)
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.3333, 0.4)
    assert (found["with it"], found["faces"]) == (3, 5)
    assert scores(truth & False, said & False)["f1"] is None


def test_a_threshold_for_each_flag():
    p = np.array([[0.2, 0.5, 0.3, 0.4], [0.6, 0.2, 0.2, 0.3]])
    found = decide(p, SCHEMA, np.array([9, 9, 9, 0.35]))
    np.testing.assert_array_equal(found, [[0, 1, 0, 1], [1, 0, 0, 0]])
    np.testing.assert_array_equal(decide(p, SCHEMA, 0.3)[:, 3], [1, 1])


def test_figures_of_a_tagger_that_knows_a_part():
    p = np.array([[0.8, 0.1, 0.1, 0.9], [0.2, 0.7, 0.1, 0.2], [0.6, 0.3, 0.1, 0.8]])
    judge = Tagger(SCHEMA, lambda images, progress: p, "judge", "")
    labels = np.full((3, FACES.size), np.nan, np.float32)
    hair = FACES.slices()["hair"]
    labels[:2, hair] = 0
    labels[0, FACES.columns.index("red_hair")] = labels[1, FACES.columns.index("pink_hair")] = 1
    labels[:, FACES.columns.index("smile")] = [1, 1, 0]
    # `FACES` has thirteen hair colours, and the judge three: it is right about red alone.
    with pytest.raises(ValueError, match="hair"):
        figures_of(judge, np.zeros((3, 8, 8, 3), np.uint8), labels)
    smiles = LabelSchema((Field("smile", "flag"),))
    judge = Tagger(smiles, lambda images, progress: p[:, 3:], "judge", "")
    found = figures_of(judge, np.zeros((3, 8, 8, 3), np.uint8), labels)
    assert found["groups"] == {}
    assert found["flags"]["smile"]["f1"] == 0.5
    assert "| smile | 0.50 (2) |" in table({"here": found})
    assert recalls(found) == {"smile": 0.5}


def test_recall_of_a_colour_is_read_from_the_confusion():
    found = {"groups": {"hair": {"confusion": {"red": {"red": 3, "pink": 1}, "pink": {"red": 2}}}}}
    assert recalls({**found, "flags": {}}) == {"red_hair": 0.75, "pink_hair": 0.0}


def test_precision_and_false_alarms_of_colours_and_flags():
    hair = {"red": {"red": 3, "pink": 1}, "pink": {"red": 2, "pink": 2}, "blue": {"blue": 2}}
    truth = np.array([1] * 4 + [0] * 12, bool)
    said = np.array([1, 1, 1, 0] + [1] * 3 + [0] * 9, bool)
    none = scores(truth, said & False)
    flags = {"smile": scores(truth, said), "hat": none, "blush": none | {"recall": None}}
    found = rates({"groups": {"hair": {"confusion": hair}}, "flags": flags})
    assert found["red_hair"] == Rates(3 / 5, 3 / 4, 2 / 6, 4)
    assert found["blue_hair"] == Rates(1.0, 1.0, 0.0, 2)
    # 3 of 4 seen, and 3 of the 12 others.
    assert found["smile"].false_alarms == pytest.approx(3 / 12) and found["smile"].faces == 4
    assert found["hat"] == Rates(None, 0.0, 0.0, 4) and "blush" not in found
    # Of a precision of 0 it cannot be told how often the flag was seen where it is not.
    wrong = scores(truth, ~truth)
    assert rates({"groups": {}, "flags": {"hat": wrong}})["hat"].false_alarms is None
