from __future__ import annotations

import numpy as np
import pytest
from samples import few, gaussian, many

from tfanime.metrics import kid, kid_from_features


@pytest.mark.parametrize(
    ("pair", "size", "mean", "std"),
    # kid_features_to_metric of torch-fidelity: 10 subsets, rng_seed 2020, degree 3, coef0 1.
    [
        (many(), 125, 0.2632251097247448, 0.06851899722538578),
        (few(), 10, 0.3696752379071422, 0.45037025088856586),
    ],
)
@pytest.mark.parametrize("tile", [1024, 37])
def test_agrees_with_torch_fidelity(pair, size, mean, std, tile, monkeypatch):
    monkeypatch.setattr(kid, "TILE", tile)
    found = kid_from_features(*pair, subsets=10, subset_size=size, seed=2020)
    assert found.mean == pytest.approx(mean, rel=1e-9)
    assert found.std == pytest.approx(std, rel=1e-9)


def by_definition(x, y):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def off_diagonal(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    within = off_diagonal(kernel(x, x)) + off_diagonal(kernel(y, y))
    return within - 2 * kernel(x, y).mean()


def test_is_the_unbiased_estimate():
    x, y = gaussian(40, 0, 1, 5), gaussian(40, 1, 2, 5)
    found = kid_from_features(x, y, subsets=3)
    assert found.mean == pytest.approx(by_definition(x, y), rel=1e-10)
    assert (found.subsets, found.subset_size) == (3, 40)
    assert found.std is None  # each subset was the whole set
    assert kid_from_features(x, y, subsets=1, subset_size=10).std is None
    assert kid_from_features(x, y, subsets=3, subset_size=10).std > 0


def test_few_subsets_of_a_large_set_are_taken_one_by_one():
    x, y = gaussian(200, 0, 1, 5), gaussian(150, 1, 2, 5)
    found = kid_from_features(x, y, subsets=2, subset_size=10, seed=4)
    random = np.random.RandomState(4)
    expected = []
    for _ in range(2):
        i = random.choice(200, 10, replace=False)
        expected.append(by_definition(x[i], y[random.choice(150, 10, replace=False)]))
    assert found.mean == pytest.approx(np.mean(expected), rel=1e-10)
    assert found.std == pytest.approx(np.std(expected), rel=1e-10)


def test_samples_of_one_distribution_are_at_zero_within_the_error():
    found = kid_from_features(
        gaussian(400, 0, 1, 8), gaussian(400, 0, 2, 8), subsets=50, subset_size=100
    )
    assert abs(found.mean) < found.std
    far = kid_from_features(gaussian(400, 0, 1, 8), gaussian(400, 3, 2, 8), subsets=5)
    assert far.mean > 100 * found.std


def test_the_seed_decides():
    x, y = many()
    one, same, other = (kid_from_features(x, y, 5, 50, seed=s) for s in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.zeros((1, 3)), np.zeros((5, 3))), "at least 2 images"),
        ((np.zeros((5, 3)), np.full((5, 3), np.nan)), "generated features must be finite"),
        ((np.zeros((5, 3)), np.zeros((5, 3)), 0), "at least 1 subset"),
        ((np.zeros((5, 3)), np.zeros((5, 3)), 1, 1), "at least 2 images. Received: 1 of 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        kid_from_features(*arguments)
