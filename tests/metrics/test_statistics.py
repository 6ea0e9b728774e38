from __future__ import annotations

import hashlib

import numpy as np
import pytest
from samples import gaussian, pictures

from tfanime.metrics import Extractor, RunningStatistics, dataset_statistics, statistics_of


@pytest.mark.parametrize("sizes", [(2000,), (1,) * 5, (700, 3, 1, 900), (512, 512)])
def test_streaming_gives_numpys_mean_and_covariance(sizes):
    # Far from the origin, where sums of squares would lose everything.
    x = (gaussian(sum(sizes), 0, 1, 6) + 1e6).astype(np.float64)
    parts = np.split(x, np.cumsum(sizes)[:-1])
    found = statistics_of(iter(parts))
    np.testing.assert_allclose(found.mean, x.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(x, rowvar=False), rtol=1e-7, atol=1e-9)
    assert found.count == len(x)


def test_a_result_in_between_changes_nothing():
    x = gaussian(100, 0, 1, 4)
    running = RunningStatistics()
    running.update(x[:30])
    middle = running.result()
    kept = middle.mean.copy(), middle.covariance.copy()
    running.update(x[30:])
    np.testing.assert_array_equal(middle.mean, kept[0])
    np.testing.assert_array_equal(middle.covariance, kept[1])
    np.testing.assert_allclose(running.result().covariance, np.cov(x, rowvar=False), rtol=1e-10)


def test_float32_is_summed_in_float64():
    x = np.full((3000, 2), 0.1, np.float32)
    assert statistics_of(x).mean == pytest.approx(np.float64(np.float32(0.1)), rel=1e-15)


def test_wrong_parts_are_named():
    with pytest.raises(ValueError, match="at least 2 images. Received: 1"):
        statistics_of(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="Received: 0"):
        statistics_of(iter([]))
    with pytest.raises(ValueError, match="features must be finite"):
        statistics_of(np.full((4, 3), np.nan))
    with pytest.raises(ValueError, match="Received: 2 after 3"):
        statistics_of(iter([np.zeros((4, 3)), np.zeros((4, 2))]))


class Set:
    """As little of a dataset as the cache needs."""

    def __init__(self, values):
        self.values, self.reads = values, 0
        self.sha256 = hashlib.sha256(values.tobytes()).hexdigest()

    def __len__(self):
        return len(self.values)

    def images(self, indices):
        self.reads += 1
        return self.values[indices]


def means(identity="means"):
    return Extractor("means", "mean", identity, 4, 4, lambda x: x.mean(axis=(1, 2)))


def test_statistics_of_a_set_are_remembered_by_content_and_protocol(tmp_path):
    one = Set(pictures(150, 4))
    first = dataset_statistics(one, means(), cache=tmp_path)
    expected = one.values.astype(np.float64).mean(axis=(1, 2))
    np.testing.assert_allclose(first.mean, expected.mean(axis=0), rtol=1e-6)
    assert first.count == 150
    twin = Set(one.values.copy())
    again = dataset_statistics(twin, means(), cache=tmp_path)
    assert twin.reads == 0
    np.testing.assert_array_equal(again.covariance, first.covariance)
    for dataset, extractor, resize in [
        (Set(pictures(150, 4, seed=1)), means(), "clean"),
        (Set(one.values), means("others"), "clean"),
        (Set(one.values), means(), "legacy"),
    ]:
        dataset_statistics(dataset, extractor, resize, cache=tmp_path)
        assert dataset.reads > 0
    assert len(list(tmp_path.rglob("*.npz"))) == 4


def test_the_cache_lies_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path))
    dataset_statistics(Set(pictures(3, 4)), means())
    assert len(list((tmp_path / "statistics").iterdir())) == 1
