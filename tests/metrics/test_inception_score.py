from __future__ import annotations

import numpy as np
import pytest
from samples import few, many

from tfanime.metrics import (
    inception_score_by_label,
    inception_score_from_posteriors,
    posteriors_from_logits,
    posteriors_from_output,
)


@pytest.mark.parametrize(
    ("logits", "mean", "std"),
    # isc_features_to_metric of torch-fidelity: 10 splits, shuffled, rng_seed 2020.
    [
        (many()[0], 1.8140179488104053, 0.08790398148977392),
        (few()[0], 1.2892291838606738, 0.11411662280811229),
    ],
)
def test_agrees_with_torch_fidelity(logits, mean, std):
    found = inception_score_from_posteriors(posteriors_from_logits(logits), seed=2020)
    assert found.mean == pytest.approx(mean, rel=1e-10)
    assert found.std == pytest.approx(std, rel=1e-10)
    assert (found.splits, found.count) == (10, len(logits))


def test_certain_and_even_reaches_the_number_of_classes():
    found = inception_score_from_posteriors(np.tile(np.eye(7), (3, 1)), splits=1)
    assert found.mean == pytest.approx(7)


@pytest.mark.parametrize("row", [[1.0, 0, 0, 0], [0.25] * 4, [0.7, 0.1, 0.1, 0.1]])
def test_equal_posteriors_score_one(row):
    found = inception_score_from_posteriors(np.array([row] * 20))
    assert found.mean == pytest.approx(1)
    assert found.std == pytest.approx(0, abs=1e-12)


def test_one_picture_scores_one():
    assert inception_score_from_posteriors(np.array([[0.9, 0.1]]), splits=1).mean == 1


def test_huge_logits_do_not_overflow():
    posteriors = posteriors_from_logits(np.array([[1e4, 0.0], [0.0, -1e4]], np.float32))
    assert posteriors.dtype == np.float64
    np.testing.assert_array_equal(posteriors, [[1, 0], [1, 0]])


def test_per_label():
    posteriors = np.concatenate([np.eye(4), np.full((4, 4), 0.25)])
    found = inception_score_by_label(posteriors, ["light"] * 4 + ["heavy"] * 4, splits=1)
    assert list(found) == ["heavy", "light"]
    assert found["light"].mean == pytest.approx(4)
    assert found["heavy"].mean == pytest.approx(1)


def test_probabilities_of_eight_bits_are_no_logits():
    """200 classes of probability 1/400 vanish in steps of 1/256; the rest sums to 0.5."""
    exact = np.full((2, 201), 1 / 400)
    exact[:, 0] = 0.5
    stored = np.floor(exact * 256) / 256
    found = posteriors_from_output(stored.astype(np.float32))
    np.testing.assert_array_equal(found, np.eye(201)[[0, 0]])
    np.testing.assert_allclose(posteriors_from_output(exact), exact, rtol=1e-12)


@pytest.mark.parametrize("logits", [[[0.9, 0.8, 0.7]], [[-0.1, 1.0]], [[2.0, 0.0]]])
def test_logits_become_probabilities(logits):
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(posteriors_from_output(np.float32(logits)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("posteriors", "words"),
    [
        (np.full((20, 3), 0.5), "sums up to 1.5"),
        (np.tile([1.5, -0.5], (20, 1)), "probabilities"),
        (np.full((20, 2), np.nan), "posteriors must be finite"),
        (np.full((5, 2), 0.5), "from 1 to the 5 pictures. Received: 10"),
    ],
)
def test_wrong_posteriors_are_named(posteriors, words):
    with pytest.raises(ValueError, match=words):
        inception_score_from_posteriors(posteriors)


def test_wrong_labels_are_named():
    with pytest.raises(ValueError, match=r"\(3,\) for 4 rows"):
        inception_score_by_label(np.eye(4), [1, 2, 3])
    with pytest.raises(ValueError, match="Label 'b': splits must"):
        inception_score_by_label(np.eye(4), list("aaab"), splits=2)
