"""Kernel inception distance (Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfanime.metrics.arrays import TILE, check_pair

SUBSETS, SUBSET_SIZE = 100, 1000


@dataclass(frozen=True)
class Kid:
    """Mean and standard deviation over the subsets.

    `std` is None of one subset, and where a subset is the whole of the smaller set: then subsets
    are all the same there, and how much they differ says nothing of how far the figure is off.
    """

    mean: float
    std: float | None
    subsets: int
    subset_size: int


def kid_from_features(
    real: np.ndarray,
    fake: np.ndarray,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
    seed: int = 0,
) -> Kid:
    """Unbiased squared maximum mean discrepancy with the kernel `(x.y / d + 1)^3`.

    Draws the same subsets as torch-fidelity does from the same `seed` (its default is 2020).

    Args:
        real: `(n, d)`, n >= 2.
        fake: `(m, d)`, m >= 2.
        subsets: how often to draw `subset_size` images of each set, without replacement.
        subset_size: at least 2; lowered to the size of the smaller set if that has fewer.
        seed: of the subsets.

    Returns:
        `Kid`. Being unbiased, it lies around 0 for samples of one distribution, also below.

    Raises:
        ValueError: for a set of one image, NaN, or different numbers of features.
    """
    real, fake = check_pair(real, fake, smallest=2)
    if subsets < 1 or subset_size < 2:
        raise ValueError(
            "KID needs at least 1 subset of at least 2 images. "
            f"Received: {subsets} of {subset_size}."
        )
    size = min(subset_size, len(real), len(fake))
    random = np.random.RandomState(seed)
    # All draws come first, real and generated in turns, as torch-fidelity does.
    draws = [
        [random.choice(len(features), size, replace=False) for features in (real, fake)]
        for _ in range(subsets)
    ]
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    if max(len(real), len(fake)) ** 2 <= subsets * size**2:
        # Every kernel value serves many subsets: one pass over the sets, a column a subset.
        chosen_real, chosen_fake = (
            _indicator([draw[i] for draw in draws], len(features))
            for i, features in enumerate((real, fake))
        )
        values = _mmd(real, fake, chosen_real, chosen_fake, size)
    else:
        everything = np.ones((size, 1))
        values = np.concatenate(
            [_mmd(real[i], fake[j], everything, everything, size) for i, j in draws]
        )
    whole = subsets == 1 or size == min(len(real), len(fake))
    return Kid(float(values.mean()), None if whole else float(values.std()), subsets, size)


def _indicator(draws: list[np.ndarray], count: int) -> np.ndarray:
    """`(count, subsets)`: 1 where the row belongs to the subset, else 0."""
    indicator = np.zeros((count, len(draws)))
    for column, rows in enumerate(draws):
        indicator[rows, column] = 1
    return indicator


def _mmd(x, y, in_x: np.ndarray, in_y: np.ndarray, size: int) -> np.ndarray:
    """`(subsets,)`: the unbiased estimate of each subset of `size` rows of x and of y."""
    within = _kernel_sums(x, x, in_x, in_x) - _diagonal(x) @ in_x
    within += _kernel_sums(y, y, in_y, in_y) - _diagonal(y) @ in_y
    across = _kernel_sums(x, y, in_x, in_y)
    return within / (size * (size - 1)) - 2 * across / size**2


def _kernel_sums(x, y, in_x: np.ndarray, in_y: np.ndarray) -> np.ndarray:
    """`(subsets,)`: sum of the kernel over all pairs of each subset, a few rows at a time."""
    total = np.zeros(in_x.shape[1])
    for i in range(0, len(x), TILE):
        for j in range(0, len(y), TILE):
            rows, columns = slice(i, i + TILE), slice(j, j + TILE)
            kernel = _kernel(x[rows] @ y[columns].T, x.shape[1])
            total += np.einsum("is,is->s", in_x[rows], kernel @ in_y[columns])
    return total


def _diagonal(x: np.ndarray) -> np.ndarray:
    return _kernel(np.einsum("ij,ij->i", x, x), x.shape[1])


def _kernel(products: np.ndarray, d: int) -> np.ndarray:
    """`(x.y / d + 1)^3` from `x.y`, which it may overwrite. Powers are slow: two products."""
    products /= d
    products += 1
    square = products * products
    square *= products
    return square
