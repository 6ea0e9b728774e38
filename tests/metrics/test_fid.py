from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from samples import few, gaussian, many

from tfanime.metrics import fid_between, fid_from_features, fid_from_statistics, statistics_of


@pytest.mark.parametrize(
    ("pair", "expected"),
    # fid_statistics_to_metric (torch-fidelity), frechet_distance (clean-fid) and
    # calculate_frechet_distance (pytorch-fid) agree on the first; on the second torch-fidelity
    # says 44.813918994 and the other two 44.813918947.
    [(many(), 1.8967961291345858), (few(), 44.81391894688403)],
)
def test_agrees_with_the_known_packages(pair, expected):
    assert fid_from_features(*pair) == pytest.approx(expected, rel=1e-6)
    assert fid_between(*map(statistics_of, pair)) == pytest.approx(expected, rel=1e-6)


def test_agrees_with_scipys_square_root():
    a, b = many()
    c, e = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.trace(scipy.linalg.sqrtm(c @ e).real)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(c) + np.trace(e) - 2 * root
    assert fid_from_statistics(a.mean(0), c, b.mean(0), e) == pytest.approx(expected, rel=1e-10)


def test_equal_covariances_leave_the_distance_of_the_means():
    x, shift = gaussian(100, 0, 3, 8), np.arange(8.0)
    assert fid_from_features(x, x + shift) == pytest.approx(np.square(shift).sum(), rel=1e-10)
    assert fid_from_statistics(np.zeros(3), np.eye(3), np.ones(3), np.eye(3)) == pytest.approx(3)


def test_diagonal_covariances():
    # sum (sqrt a - sqrt b)^2
    a, b = np.array([1.0, 4.0, 9.0, 0.0]), np.array([4.0, 4.0, 1.0, 2.25])
    found = fid_from_statistics(np.zeros(4), np.diag(a), np.zeros(4), np.diag(b))
    assert found == pytest.approx(1 + 0 + 4 + 2.25)


def test_is_symmetric():
    a, b = many()
    assert fid_from_features(a, b) == pytest.approx(fid_from_features(b, a), rel=1e-10)


@pytest.mark.parametrize("pair", [many(), few()])
def test_identical_sets_are_at_distance_zero(pair):
    a = pair[0]
    assert fid_from_features(a, a.copy()) == pytest.approx(0, abs=1e-10)
    assert fid_between(statistics_of(a), statistics_of(a[::-1])) == pytest.approx(0, abs=1e-6)


def test_two_single_points_repeated():
    a, b = np.zeros((5, 3)), np.full((5, 3), 2.0)
    assert fid_from_features(a, b) == 12
    assert fid_between(statistics_of(a), statistics_of(b)) == 12


def test_counts_may_lie_on_both_sides_of_the_dimension():
    a, b = gaussian(30, 0, 1, 20), gaussian(10, 1, 2, 20)
    c = [np.cov(x, rowvar=False) for x in (a, b)]
    root = np.sqrt(np.maximum(np.linalg.eigvals(c[0] @ c[1]).real, 0)).sum()
    means = np.square(a.mean(0) - b.mean(0)).sum()
    expected = means + np.trace(c[0]) + np.trace(c[1]) - 2 * root
    assert fid_from_features(a, b) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (np.zeros((1, 4)), np.zeros((9, 4)), "real features .* at least 2 images. Received: 1"),
        (np.zeros((9, 4)), np.zeros((0, 4)), "generated features .* Received: 0"),
        (np.zeros((9, 4)), np.zeros((9, 5)), "4 columns of the real and 5"),
        (np.zeros((9, 4)), np.full((9, 4), np.nan), "NaN or infinity in 9 of 9 rows"),
        (np.zeros(9), np.zeros((9, 5)), r"shape \(9,\)"),
        (np.array([["a"]]), np.zeros((9, 5)), "of numbers"),
    ],
)
def test_wrong_features_are_named(real, fake, words):
    with pytest.raises(ValueError, match=words):
        fid_from_features(real, fake)


def test_the_first_broken_row_is_named():
    x = np.ones((9, 4))
    x[3, 1] = np.inf
    with pytest.raises(ValueError, match="1 of 9 rows, first in row 3"):
        fid_from_features(x, np.ones((9, 4)))


def test_wrong_statistics_are_named():
    with pytest.raises(ValueError, match=r"covariances \(3, 3\) and \(2, 2\)"):
        fid_from_statistics(np.zeros(3), np.eye(3), np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="covariance2 must be finite"):
        fid_from_statistics(np.zeros(2), np.eye(2), np.zeros(2), np.full((2, 2), np.nan))
