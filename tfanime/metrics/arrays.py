"""What every metric asks of its arrays, and exact squared distances in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TILE = 1024  # rows of a block of distances: 1024 x 1024 float64 are 8 MiB
# A product of two centred pixels is at most 2**14, so sums of 1024 of them stay within 2**24:
# float32 holds every whole number up to there, and the matrix product is exact.
EXACT_COLUMNS = 1024
CENTRE = 128


def check_features(features: np.ndarray, name: str, smallest: int = 1) -> np.ndarray:
    """Returns `features` as they are, if they are `(n, d)` finite numbers with n >= `smallest`.

    Raises:
        ValueError: naming `name`, the rule and what was received.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] < 1 or features.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} must be an array (pictures, features) of numbers. "
            f"Received: shape {features.shape} of {features.dtype}."
        )
    if len(features) < smallest:
        raise ValueError(
            f"{name} must hold at least {smallest} picture{'s' * (smallest > 1)}. "
            f"Received: {len(features)}. Generate or load more."
        )
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} must be finite. Received: NaN or infinity in {int(bad.sum())} of "
            f"{len(bad)} rows, first in row {int(bad.argmax())}. The pictures or the network "
            "that they come from are broken."
        )
    return features


def check_pair(
    real: np.ndarray, fake: np.ndarray, smallest: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """`check_features` of both, which must also have the same number of columns."""
    real = check_features(real, "real features", smallest)
    fake = check_features(fake, "generated features", smallest)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Both sets need features of the same extractor. Received: "
            f"{real.shape[1]} columns of the real and {fake.shape[1]} of the generated pictures."
        )
    return real, fake


def check_pictures(pictures: np.ndarray, name: str = "pictures", smallest: int = 1) -> np.ndarray:
    """Returns `pictures`, if they are `(n, H, W, 3)` uint8 with n >= `smallest`."""
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8:
        raise ValueError(
            f"{name} must be (n, height, width, 3) uint8. "
            f"Received: {pictures.shape} {pictures.dtype}. images.to_uint8 converts from floats."
        )
    if len(pictures) < smallest:
        raise ValueError(
            f"{name} must hold at least {smallest} picture{'s' * (smallest > 1)}. "
            f"Received: {len(pictures)}."
        )
    return pictures


def distance_tiles(
    x: np.ndarray, y: np.ndarray | None = None
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Squared Euclidean distances, block by block.

    Of uint8 rows they are exact whole numbers, computed at the speed of float32; of anything else
    they are computed in float64.

    Args:
        x: `(n, d)`.
        y: `(m, d)`. Without it the distances are those within `x`, and only blocks on and above
            the diagonal come: the rest is their transpose.

    Yields:
        `(rows, columns, block)`: `block[i, j]` is the float64 squared distance between
        `x[rows][i]` and `y[columns][j]`.
    """
    within, y = y is None, x if y is None else y
    pixels = x.dtype == np.uint8 and y.dtype == np.uint8
    # A shift changes no distance, and near the origin less is lost to rounding.
    origin = CENTRE if pixels else x.mean(axis=0, dtype=np.float64)
    kind = np.float32 if pixels else np.float64
    # Reused, since fresh memory costs more than the conversion.
    left, right = (np.empty((min(TILE, len(z)), z.shape[1]), kind) for z in (x, y))
    for i in range(0, len(x), TILE):
        rows = slice(i, min(i + TILE, len(x)))
        a = np.subtract(x[rows], origin, dtype=kind, out=left[: rows.stop - i])
        a_norms = _norms(a)
        for j in range(i if within else 0, len(y), TILE):
            columns = slice(j, min(j + TILE, len(y)))
            b = np.subtract(y[columns], origin, dtype=kind, out=right[: columns.stop - j])
            block = _products(a, b) if pixels else a @ b.T
            block *= -2
            block += a_norms[:, None]
            block += _norms(b)[None, :]
            yield rows, columns, np.maximum(block, 0, out=block)


def _norms(x: np.ndarray) -> np.ndarray:
    """`(n,)` float64: of centred pixels, too, the sums must not be rounded."""
    parts = (x[:, k : k + EXACT_COLUMNS] for k in range(0, x.shape[1], EXACT_COLUMNS))
    return sum(np.einsum("ij,ij->i", part, part).astype(np.float64) for part in parts)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`a @ b.T` of centred pixels in float32, exact: see `EXACT_COLUMNS`."""
    total = np.zeros((len(a), len(b)), np.float64)
    for k in range(0, a.shape[1], EXACT_COLUMNS):
        total += a[:, k : k + EXACT_COLUMNS] @ b[:, k : k + EXACT_COLUMNS].T
    return total
