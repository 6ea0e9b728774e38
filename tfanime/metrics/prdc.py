"""Precision, recall (Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991), density and
coverage (Naeem et al. 2020, https://arxiv.org/abs/2002.09797).

A set's manifold is the union of balls about its features, each up to its k-th nearest neighbour
in the set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfanime.metrics.arrays import check_pair, distance_tiles

NEIGHBOURS = 5


@dataclass(frozen=True)
class Prdc:
    """1 is ideal; density alone may exceed 1.

    Args:
        precision: share of the generated features inside the real manifold.
        recall: share of the real features inside the generated manifold.
        density: in how many real balls a generated feature lies, over k, on average.
        coverage: share of the real balls with a generated feature inside.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    neighbours: int


def prdc_from_features(real: np.ndarray, fake: np.ndarray, neighbours: int = NEIGHBOURS) -> Prdc:
    """All four, in memory that grows with n + m and not with their product.

    Args:
        real: `(n, d)`, n > neighbours.
        fake: `(m, d)`, m > neighbours.
        neighbours: k.

    Raises:
        ValueError: for too few images, NaN, or different numbers of features.
    """
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1. Received: {neighbours}.")
    real, fake = check_pair(real, fake, smallest=neighbours + 1)
    real_radii, fake_radii = (_squared_radii(x, neighbours) for x in (real, fake))
    in_balls = np.zeros(len(fake), np.int64)
    recalled = np.zeros(len(real), bool)
    nearest = np.full(len(real), np.inf)
    for rows, columns, tile in distance_tiles(real, fake):
        in_balls[columns] += np.count_nonzero(tile < real_radii[rows, None], axis=0)
        recalled[rows] |= (tile < fake_radii[columns]).any(axis=1)
        np.minimum(nearest[rows], tile.min(axis=1), out=nearest[rows])
    return Prdc(
        precision=float((in_balls > 0).mean()),
        recall=float(recalled.mean()),
        density=float(in_balls.mean() / neighbours),
        coverage=float((nearest < real_radii).mean()),
        neighbours=neighbours,
    )


def _squared_radii(features: np.ndarray, k: int) -> np.ndarray:
    """`(n,)` float64: squared distance of each row to its k-th nearest other row."""
    nearest = np.full((len(features), k), np.inf)

    def consider(rows: slice, tile: np.ndarray) -> None:
        if tile.shape[1] > k:
            # In place: the tile is not needed any more, or a copy.
            tile.partition(k - 1, axis=1)
        both = np.concatenate([nearest[rows], tile[:, :k]], axis=1)
        both.partition(k - 1, axis=1)
        nearest[rows] = both[:, :k]

    for rows, columns, tile in distance_tiles(features):
        if rows == columns:
            np.fill_diagonal(tile, np.inf)
        else:
            consider(columns, np.ascontiguousarray(tile.T))
        consider(rows, tile)
    return nearest.max(axis=1)
