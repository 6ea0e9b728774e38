"""Mean and covariance of features: streamed, in float64, and remembered for real sets."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.core.cache import cache_folder, writing
from tfanime.core.files import atomic_path, save_array, save_arrays
from tfanime.metrics.arrays import check_features
from tfanime.metrics.extractor import Extractor
from tfanime.metrics.features import features_in_chunks

FEW = 1000  # images of a set, below which every figure says that they are few
ROWS = 512  # gathered before they enter the covariance, which costs d x d memory traffic each time
VERSION = 1  # of the stored file; part of its key
CHUNK = 64  # images read from a dataset at once


@dataclass(frozen=True, eq=False)
class Statistics:
    """What FID needs to know about a set.

    Args:
        mean: `(d,)` float64.
        covariance: `(d, d)` float64, the unbiased one (divided by count - 1).
        count: images, at least 2.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int


class RunningStatistics:
    """Mean and covariance of rows that come in parts; memory does not grow with their number.

    Example:
        >>> running = RunningStatistics()
        >>> for part in np.eye(4).reshape(2, 2, 4):
        ...     running.update(part)
        >>> running.result().mean
        array([0.25, 0.25, 0.25, 0.25])
    """

    def __init__(self):
        self.count = 0
        self._mean = self._scatter = None
        self._waiting: list[np.ndarray] = []

    def update(self, features: np.ndarray) -> None:
        """Adds `(b, d)` features."""
        features = check_features(features, "features")
        sums = self._waiting[0] if self._waiting else self._scatter
        if sums is not None and features.shape[1] != sums.shape[1]:
            raise ValueError(
                f"All parts need the same number of features. Received: {features.shape[1]} "
                f"after {sums.shape[1]}."
            )
        self._waiting.append(np.array(features, np.float64))
        if sum(map(len, self._waiting)) >= ROWS:
            self._fold()

    def result(self) -> Statistics:
        """Raises ValueError with fewer than two rows, which have no covariance."""
        if self._waiting:
            self._fold()
        if self.count < 2:
            raise ValueError(
                f"A covariance needs at least 2 images. Received: {self.count}. "
                "Use some thousands for a figure that means something."
            )
        return Statistics(self._mean.copy(), self._scatter / (self.count - 1), self.count)

    def _fold(self) -> None:
        """Chan, Golub, LeVeque 1983: joins the sums of squares of two parts about their means."""
        part = np.concatenate(self._waiting)
        self._waiting.clear()
        mean = part.mean(axis=0)
        part -= mean
        scatter = part.T @ part
        if self.count:
            shift = mean - self._mean
            total = self.count + len(part)
            self._scatter += scatter
            self._scatter += np.outer(shift, shift * (self.count * len(part) / total))
            self._mean += shift * (len(part) / total)
        else:
            self._mean, self._scatter = mean, scatter
        self.count += len(part)


def statistics_of(parts: np.ndarray | Iterable[np.ndarray]) -> Statistics:
    """Statistics of an `(n, d)` array, or of an iterable of such arrays."""
    running = RunningStatistics()
    for part in [parts] if isinstance(parts, np.ndarray) else parts:
        running.update(part)
    return running.result()


def dataset_statistics(
    dataset,
    extractor: Extractor,
    resize: str = "clean",
    cache: str | os.PathLike | None = None,
    progress: bool = False,
) -> Statistics:
    """Statistics of all images of a dataset, computed once and found again by their content.

    Args:
        dataset: has `len`, `sha256` of its images and `images(indices)`, like
            `tfanime.data.PackedDataset`.
        extractor, resize, progress: as in `features.extract`.
        cache: folder to remember them in; default `$TFANIME_CACHE` or `~/.cache/tfanime`.
    """
    file = _cached(cache, dataset, extractor, resize, "statistics", ".npz")
    if file.exists():
        with np.load(file) as arrays_file:
            return Statistics(
                arrays_file["mean"], arrays_file["covariance"], int(arrays_file["count"])
            )
    result = statistics_of(
        features_in_chunks(_pictures(dataset), extractor, resize, len(dataset), progress=progress)
    )
    with writing(file.parent), atomic_path(file) as temporary:
        count = np.array(result.count)
        arrays = {"mean": result.mean, "covariance": result.covariance, "count": count}
        save_arrays(temporary, arrays)
    return result


def dataset_features(
    dataset,
    extractor: Extractor,
    resize: str = "clean",
    cache: str | os.PathLike | None = None,
    progress: bool = False,
) -> np.ndarray:
    """Features `(n, d)` float32 of all images of a dataset, computed once and found again.

    Takes what `dataset_statistics` takes.
    """
    file = _cached(cache, dataset, extractor, resize, "features", ".npy")
    if file.exists():
        return np.load(file, allow_pickle=False)
    parts = features_in_chunks(_pictures(dataset), extractor, resize, len(dataset), progress)
    result = np.concatenate(list(parts))
    with writing(file.parent), atomic_path(file) as temporary:
        save_array(temporary, result)
    return result


def _pictures(dataset) -> Iterator[np.ndarray]:
    for start in range(0, len(dataset), CHUNK):
        yield dataset.images(np.arange(start, min(start + CHUNK, len(dataset))))


def _cached(cache, dataset, extractor: Extractor, resize: str, kind: str, ending: str) -> Path:
    """The file that holds or will hold what these images and this extractor give."""
    protocol = [VERSION, dataset.sha256, len(dataset), extractor.identity, resize]
    key = hashlib.sha256(json.dumps(protocol).encode()).hexdigest()
    return cache_folder(cache) / kind / f"{key}{ending}"
