"""Fréchet inception distance (Heusel et al. 2017, https://arxiv.org/abs/1706.08500).

    FID = |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1^1/2 C2 C1^1/2)^1/2

between the Gaussians that have the means and covariances of two sets of features.
"""

from __future__ import annotations

import numpy as np

from tfanime.metrics.arrays import check_pair
from tfanime.metrics.statistics import Statistics, statistics_of


def fid_from_features(real: np.ndarray, fake: np.ndarray) -> float:
    """FID of two sets of features.

    Args:
        real: `(n, d)`, n >= 2.
        fake: `(m, d)`, m >= 2.

    Returns:
        At least 0, which identical sets reach. With fewer images than features it is
        defined, too, but far above its value for many images: compare equal counts only.

    Raises:
        ValueError: for a set of one image, NaN, or different numbers of features.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(100, 4))
        >>> round(fid_from_features(x, x + 3), 6)  # equal covariances: |m1 - m2|^2
        36.0
    """
    real, fake = check_pair(real, fake, smallest=2)
    if max(len(real), len(fake)) > real.shape[1]:
        return fid_between(statistics_of(real), statistics_of(fake))
    # Covariances of rank n - 1 < d. With X the centred rows over sqrt(n - 1), C = X'X and the
    # trace is the sum of the singular values of X1 X2': a small n x m problem, and one that
    # does not take square roots of eigenvalues that are 0 up to rounding.
    means, halves = [], []
    for features in (real, fake):
        features = np.array(features, np.float64)
        means.append(features.mean(axis=0))
        halves.append((features - means[-1]) / np.sqrt(len(features) - 1))
    overlap = np.linalg.svd(halves[0] @ halves[1].T, compute_uv=False).sum()
    return _distance(*means, sum(np.square(half).sum() for half in halves), overlap)


def fid_from_statistics(
    mean1: np.ndarray, covariance1: np.ndarray, mean2: np.ndarray, covariance2: np.ndarray
) -> float:
    """FID of two Gaussians: `(d,)` means and symmetric `(d, d)` covariances."""
    mean1, mean2 = np.asarray(mean1, np.float64), np.asarray(mean2, np.float64)
    covariance1, covariance2 = (np.asarray(c, np.float64) for c in (covariance1, covariance2))
    shapes = [mean1.shape, mean2.shape, covariance1.shape, covariance2.shape]
    d = mean1.size
    if shapes != [(d,), (d,), (d, d), (d, d)]:
        raise ValueError(
            "Means must be (d,) and covariances (d, d), of the same extractor. Received: "
            f"means {shapes[0]} and {shapes[1]}, covariances {shapes[2]} and {shapes[3]}."
        )
    for name, value in {
        "mean1": mean1,
        "covariance1": covariance1,
        "mean2": mean2,
        "covariance2": covariance2,
    }.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{name} must be finite. Received: NaN or infinity in it.")
    # Eigenvectors of C1 that belong to rounding errors are left out: C1 = B B', and the nonzero
    # eigenvalues of C1^1/2 C2 C1^1/2 are those of B' C2 B.
    values, vectors = np.linalg.eigh(covariance1)
    real = values > d * np.finfo(np.float64).eps * values[-1]
    half = vectors[:, real] * np.sqrt(values[real])
    middle = half.T @ covariance2 @ half
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh((middle + middle.T) / 2), 0)).sum()
    return _distance(mean1, mean2, np.trace(covariance1) + np.trace(covariance2), overlap)


def fid_between(real: Statistics, fake: Statistics) -> float:
    """FID of two sets whose statistics are known."""
    return fid_from_statistics(real.mean, real.covariance, fake.mean, fake.covariance)


def _distance(mean1, mean2, traces: float, overlap: float) -> float:
    # It cannot be negative but for rounding.
    return max(0.0, float(np.square(mean1 - mean2).sum() + traces - 2 * overlap))
