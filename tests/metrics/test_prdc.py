from __future__ import annotations

import numpy as np
import pytest
from samples import few, gaussian, many

from tfanime.metrics import arrays, prdc_from_features


@pytest.mark.parametrize("tile", [1024, 64, 7])
@pytest.mark.parametrize(
    ("pair", "expected"),
    # compute_prdc(real, fake, 5) of prdc: precision, recall, density, coverage.
    [
        (many(), (0.904, 0.9233333333333333, 0.9576, 0.94)),
        (few(), (0.8, 1.0, 0.7066666666666667, 1.0)),
    ],
)
def test_agrees_with_prdc(pair, expected, tile, monkeypatch):
    monkeypatch.setattr(arrays, "TILE", tile)
    found = prdc_from_features(*pair)
    values = (found.precision, found.recall, found.density, found.coverage)
    assert values == pytest.approx(expected, rel=1e-9)


def test_agrees_over_several_tiles():
    # The steps of compute_prdc, with scikit-learn's distances, give these values for this draw.
    random = np.random.default_rng(0)
    found = prdc_from_features(*random.standard_normal((2, 2500, 100)))
    values = (found.precision, found.recall, found.density, found.coverage)
    assert values == pytest.approx((0.6776, 0.6716, 1.046, 0.9692), rel=1e-9)


def test_identical_sets_are_perfect():
    x = gaussian(100, 0, 1, 6)
    found = prdc_from_features(x, x.copy())
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.density == pytest.approx(1)


def test_disjoint_sets_share_nothing():
    found = prdc_from_features(gaussian(50, 0, 1, 6), gaussian(60, 1000, 2, 6))
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_a_collapsed_generator_is_precise_and_covers_nothing():
    real = gaussian(200, 0, 1, 6)
    fake = np.repeat(real[:1], 200, axis=0)
    found = prdc_from_features(real, fake)
    assert found.precision == 1
    assert found.recall == 0  # balls of radius 0 hold nothing
    assert found.coverage < 0.1


def test_too_few_pictures_are_named():
    with pytest.raises(ValueError, match="at least 6 images. Received: 1"):
        prdc_from_features(np.zeros((1, 3)), np.zeros((9, 3)))
    with pytest.raises(ValueError, match="generated features must be finite"):
        prdc_from_features(np.zeros((9, 3)), np.full((9, 3), np.nan))
    with pytest.raises(ValueError, match="neighbours must be at least 1"):
        prdc_from_features(np.zeros((9, 3)), np.zeros((9, 3)), neighbours=0)
