"""The one function that training calls: how good are these images, cheaply?"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from tfanime.metrics.features import extract, load_extractor
from tfanime.metrics.fid import fid_from_features
from tfanime.metrics.kid import kid_from_features
from tfanime.metrics.statistics import dataset_features

COUNT = 1000


def quality_meter(
    data,
    count: int = COUNT,
    extractor: str | os.PathLike = "tagger",
    seed: int = 0,
    cache: str | os.PathLike | None = None,
) -> Callable[[np.ndarray], dict[str, float]]:
    """A function from images to their FID and KID against a random part of `data`.

    Costs one pass of a small network over `count` images; the figures follow a training well,
    but only figures of the same extractor and counts can be compared.

    Args:
        data: real images, a `tfanime.data.PackedDataset`.
        count: real images, and how many the function should be given; at most half of `data`.
        extractor: as in `tfanime.metrics.features`.
        seed: of the part.
        cache: where the features of that part are kept.

    Returns:
        The function: `(count, H, W, 3)` uint8 to `{"fid", "kid"}`. Its attribute `floor` holds the
        same figures of other real images, `count` says how many images it compares, and
        `labels (count, L)` are those of the real ones (None without), which a generator with labels
        should be asked for. `features` is the function from images to the features that it
        compares, `real (count, D)` those of the real ones.
    """
    count = min(count, len(data) // 2)
    if count < 2:
        raise ValueError(f"Measuring quality needs at least 4 real images. Received: {len(data)}.")
    network = load_extractor(extractor)
    rest, subset = data.split(count / len(data), seed)
    other = rest if len(rest) == count else rest.split(count / len(rest), seed)[1]
    real, others = (dataset_features(part, network, cache=cache) for part in (subset, other))

    def measure(pictures: np.ndarray) -> dict[str, float]:
        return _figures(real, extract(pictures, network), seed)

    measure.floor = _figures(real, others, seed)
    measure.count = count
    measure.features = lambda pictures: extract(pictures, network)
    measure.real = real
    measure.labels = None if data.schema is None else subset.labels()
    return measure


def _figures(real: np.ndarray, fake: np.ndarray, seed: int) -> dict[str, float]:
    return {
        "fid": fid_from_features(real, fake),
        "kid": kid_from_features(real, fake, seed=seed).mean,
    }
