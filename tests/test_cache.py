"""A cache that cannot be written is told with its folder and the variable that moves it."""

from __future__ import annotations

import numpy as np
import pytest

import tfanime
from tfanime.core.cache import VARIABLE, cache_folder, check_cache
from tfanime.core.images import save_image
from tfanime.metrics.statistics import dataset_features, dataset_statistics
from tfanime.prepare.detect import cascade_file
from tfanime.prepare.load import load_data
from tfanime.text.cache import VectorCache


def test_which_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert cache_folder() == tmp_path / ".cache" / "tfanime"
    monkeypatch.setenv(VARIABLE, "~/other")
    assert cache_folder() == tmp_path / "other"
    assert cache_folder("~/given") == tmp_path / "given"


@pytest.fixture
def spoilt(tmp_path, monkeypatch):
    """A file where the folder should be: neither an owner nor root can write below it."""
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return tmp_path


class Extractor:
    identity, height, width, dimension = "x", 8, 8, 4

    def compute(self, images):
        return np.asarray(images, np.float32).reshape(len(images), -1)[:, :4]


@pytest.mark.parametrize(
    "use",
    ["check", "drawn", "pack", "vectors", "cascade", "statistics", "features"],
)
def test_it_is_named(spoilt, use):
    def pictures():
        for i in range(3):
            save_image(spoilt / "in" / f"{i}.png", np.full((16, 16, 3), i * 9, np.uint8))
        return spoilt / "in"

    def packed():
        return tfanime.pack(pictures(), spoilt / "packed", size=16, progress=False)

    uses = {
        "check": lambda: check_cache(cache_folder()),
        "drawn": lambda: load_data("drawn", size=16, count=2),
        "pack": lambda: load_data(pictures(), size=16),
        "vectors": lambda: VectorCache("x"),
        "cascade": cascade_file,
        "statistics": lambda: dataset_statistics(packed(), Extractor()),
        "features": lambda: dataset_features(packed(), Extractor()),
    }
    with pytest.raises(OSError, match=f"can be written.*{VARIABLE}") as caught:
        uses[use]()
    assert str(spoilt / "cache") in str(caught.value)


def test_a_table_that_is_read_only(tmp_path):
    cache = VectorCache("x", tmp_path)
    cache.path.unlink()
    cache.path.mkdir()
    with pytest.raises(OSError, match=f"unable to open database file.*{VARIABLE}"):
        cache.put({"a": np.zeros(3, np.float32)})
