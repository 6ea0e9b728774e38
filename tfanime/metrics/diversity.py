"""How different the images of one set are from each other: a collapsed generator repeats itself.

Both figures mean something only beside the same figure of the real set.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tfanime.metrics.arrays import check_features, check_pictures, distance_tiles

WINDOW, SIGMA = 11, 1.5
K1, K2, RANGE = 0.01, 0.03, 255.0
# Wang, Simoncelli, Bovik 2003.
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
PAIRS, CHUNK = 1000, 32


def ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Structural similarity of images in pairs, at full size only (Wang et al. 2004).

    Args:
        a, b: `(n, H, W, 3)` uint8, H and W at least 11.

    Returns:
        `(n,)` float64; 1 for equal images.
    """
    return _in_chunks(_ssim, a, b)


def ms_ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multi-scale structural similarity of images in pairs.

    Wang et al. 2003, with the 11 x 11 Gaussian window of sigma 1.5. Sides below 176 pixels have
    no room for the window at all five scales: the coarsest are left out, and the weights of the
    others scaled to the same sum (64 x 64: three scales).

    Args:
        a, b: `(n, H, W, 3)` uint8, H and W at least 11.

    Returns:
        `(n,)` float64; 1 for equal images.
    """
    return _in_chunks(_ms_ssim, a, b)


def mean_ms_ssim(pictures: np.ndarray, pairs: int = PAIRS, seed: int = 0) -> float:
    """Mean MS-SSIM of random pairs of different images of a set: high means monotonous.

    Args:
        pictures: `(n, H, W, 3)` uint8, n >= 2.
        pairs: how many to draw; all pairs, each once, if there are no more.
        seed: of the pairs.
    """
    pictures = check_pictures(pictures, smallest=2)
    first, second = _random_pairs(len(pictures), pairs, seed)
    parts = [slice(i, i + CHUNK) for i in range(0, len(first), CHUNK)]
    values = [ms_ssim(pictures[first[part]], pictures[second[part]]) for part in parts]
    return float(np.concatenate(values).mean())


def mean_feature_distance(features: np.ndarray) -> float:
    """Mean Euclidean distance of all pairs of `(n, d)` features, n >= 2: low means monotonous."""
    features = check_features(features, "features", smallest=2)
    total = 0.0
    for rows, columns, tile in distance_tiles(features):
        if rows == columns:
            np.fill_diagonal(tile, 0)  # a row's distance to itself is 0 only up to rounding
            total += np.sqrt(tile).sum() / 2
        else:
            total += np.sqrt(tile).sum()
    return float(total / (len(features) * (len(features) - 1) / 2))


def _random_pairs(count: int, pairs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if pairs < 1:
        raise ValueError(f"pairs must be at least 1. Received: {pairs}.")
    if count * (count - 1) // 2 <= pairs:
        return np.triu_indices(count, 1)
    random = np.random.default_rng(seed)
    first = random.integers(0, count, pairs)
    return first, (first + random.integers(1, count, pairs)) % count


def _in_chunks(function: Callable, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = check_pictures(a, "a"), check_pictures(b, "b")
    if a.shape != b.shape:
        raise ValueError(f"Pairs need equal shapes. Received: {a.shape} and {b.shape}.")
    if min(a.shape[1:3]) < WINDOW:
        raise ValueError(
            f"SSIM needs images of at least {WINDOW} x {WINDOW} pixels. "
            f"Received: {a.shape[1]} x {a.shape[2]}."
        )
    parts = range(0, len(a), CHUNK)
    return np.concatenate([function(a[i : i + CHUNK], b[i : i + CHUNK]) for i in parts])


def _ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (np.moveaxis(x, 3, 1).astype(np.float64) for x in (a, b))
    luminance, contrast = _ssim_parts(a, b)
    return (luminance * contrast).mean(axis=(1, 2, 3))


def _ms_ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Channels are compared separately, and their results averaged."""
    a, b = (np.moveaxis(x, 3, 1).astype(np.float64) for x in (a, b))
    scales = min(len(WEIGHTS), int(np.log2(min(a.shape[2:]) / WINDOW)) + 1)
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    result = np.ones(a.shape[:2])
    for scale, weight in enumerate(weights):
        luminance, contrast = _ssim_parts(a, b)
        # The luminance counts at the coarsest scale only.
        last = scale == scales - 1
        value = (luminance * contrast if last else contrast).mean(axis=(2, 3))
        result *= np.maximum(value, 0) ** weight
        if not last:
            a, b = _half(a), _half(b)
    return result.mean(axis=1)


def _ssim_parts(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    mean_a, mean_b = _blur(a), _blur(b)
    products, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * products + c1) / (squares + c1)
    covariance, variances = _blur(a * b) - products, _blur(a * a + b * b) - squares
    return luminance, (2 * covariance + c2) / (variances + c2)


def _blur(x: np.ndarray) -> np.ndarray:
    """Gaussian window, where it lies within the image: `(n, c, h, w)` loses 10 rows, columns."""
    return _window(x.shape[2]) @ x @ _window(x.shape[3]).T


def _window(size: int) -> np.ndarray:
    """`(size - 10, size)`: the window at each place."""
    bell = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    matrix = np.zeros((size - WINDOW + 1, size))
    for row in range(len(matrix)):
        matrix[row, row : row + WINDOW] = bell / bell.sum()
    return matrix


def _half(x: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels; an odd side gets its last line twice."""
    x = np.pad(x, ((0, 0), (0, 0), (0, x.shape[2] % 2), (0, x.shape[3] % 2)), "edge")
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5))
