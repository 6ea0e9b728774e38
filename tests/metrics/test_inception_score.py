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
    found = inception_score_by_label(posteriors, ["light"] * 4 + ["heavy"] * 4)
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


@pytest.mark.parametrize("logits", [[[0.9, -0.8, 0.7]], [[-0.1, 1.0]], [[2.0, 0.0], [0.0, -1.0]]])
def test_logits_become_probabilities(logits):
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(posteriors_from_output(np.float32(logits)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("posteriors", "words"),
    [
        (np.full((20, 3), 0.5), "sums up to 1.5"),
        (np.tile([1.5, -0.5], (20, 1)), "probabilities"),
        (np.full((20, 2), np.nan), "posteriors must be finite"),
        (np.full((5, 2), 0.5), "from 1 to the 5 images. Received: 10"),
    ],
)
def test_wrong_posteriors_are_named(posteriors, words):
    with pytest.raises(ValueError, match=words):
        inception_score_from_posteriors(posteriors)


def test_wrong_labels_are_named():
    with pytest.raises(ValueError, match=r"\(3,\) for 4 rows"):
        inception_score_by_label(np.eye(4), [1, 2, 3])
    with pytest.raises(ValueError, match="size is from 1 to the 1 images"):
        inception_score_by_label(np.eye(4), list("aaab"), size=2)
    with pytest.raises(ValueError, match="Label 'b': Posteriors must"):
        inception_score_by_label(np.diag([1, 1, 1, 2]), list("aaab"))


@pytest.mark.parametrize(
    "features",
    [
        np.random.default_rng(0).gamma(1, 1, (50, 1280)),  # pooled behind a rectifier
        np.minimum(np.random.default_rng(0).gamma(1, 1, (50, 8)), 6),
        np.random.default_rng(0).random((50, 100)),  # independent tags
        np.zeros((5, 10)),
    ],
)
def test_features_are_no_classes(features):
    with pytest.raises(ValueError, match="these are features"):
        posteriors_from_output(features.astype(np.float32))


def sure(classes, count, seed):
    """Posteriors certain of one class each, all classes equally likely: the score of very many is
    the number of classes."""
    return np.eye(classes)[np.random.default_rng(seed).integers(0, classes, count)]


def test_rare_and_common_labels_compare():
    """Of one distribution, 20 pictures and 2,000 score the same on average, and a label whose
    pictures are all of one class scores 1. In ten parts each, they would score 1.7 and 10."""
    counts = {"rare": 20, "common": 2000, "plain": 200}
    rare = []
    for seed in range(40):
        plain = np.repeat(np.eye(10)[:1], 200, axis=0)
        posteriors = np.concatenate([sure(10, 20, seed), sure(10, 2000, 1000 + seed), plain])
        labels = np.repeat(list(counts), list(counts.values()))
        found = inception_score_by_label(posteriors, labels)
        assert found["plain"].mean == pytest.approx(1)
        assert (found["rare"].splits, found["common"].splits) == (1, 100)
        rare.append(found["rare"].mean)
    assert np.mean(rare) == pytest.approx(found["common"].mean, rel=0.03)
    with pytest.raises(ValueError, match="from 1 to the 20 images of the rarest"):
        inception_score_by_label(posteriors, labels, size=21)


@pytest.mark.parametrize("count", [20, 50, 200])
def test_samples_of_one_distribution_score_about_one(count):
    """A classifier that says nearly the same of every picture of a label, however many."""
    random = np.random.default_rng(count)
    posteriors = random.dirichlet(np.full(10, 50.0), 200 + count)
    labels = ["a"] * count + ["b"] * 200
    found = inception_score_by_label(posteriors, labels)
    assert all(1 <= score.mean < 1.02 for score in found.values())
