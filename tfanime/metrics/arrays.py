"""What every metric asks of its arrays, and exact squared distances in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TILE = 1024  # rows of a block of distances: 1024 x 1024 float64 are 8 MiB
PIXEL_TILE = 2048  # of images: larger blocks convert fewer bytes to floats
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
            f"{name} must be an array (images, features) of numbers. "
            f"Received: shape {features.shape} of {features.dtype}."
        )
    if len(features) < smallest:
        raise ValueError(
            f"{name} must hold at least {smallest} image{'s' * (smallest > 1)}. "
            f"Received: {len(features)}. Generate or load more."
        )
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} must be finite. Received: NaN or infinity in {int(bad.sum())} of "
            f"{len(bad)} rows, first in row {int(bad.argmax())}. The images or the network "
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
            f"{real.shape[1]} columns of the real and {fake.shape[1]} of the generated images."
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
            f"{name} must hold at least {smallest} image{'s' * (smallest > 1)}. "
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
    if x.dtype == np.uint8 and y.dtype == np.uint8:
        blocks, tile = _PixelProducts(x, y), PIXEL_TILE
    else:
        blocks, tile = _FeatureProducts(x, y), TILE
    for i in range(0, len(x), tile):
        rows = slice(i, min(i + tile, len(x)))
        blocks.start(rows)
        for j in range(i if within else 0, len(y), tile):
            columns = slice(j, min(j + tile, len(y)))
            block = blocks.times(columns)
            block *= -2
            block += blocks.x_norms[rows, None]
            block += blocks.y_norms[columns]
            yield rows, columns, np.maximum(block, 0, out=block)


class _FeatureProducts:
    """Scalar products in float64. A shift changes no distance, and near the origin less is lost to
    rounding."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self._x, self._y, self._origin = x, y, x.mean(axis=0, dtype=np.float64)
        self.x_norms = self._norms(x)
        self.y_norms = self.x_norms if y is x else self._norms(y)

    def start(self, rows: slice) -> None:
        self._left = self._x[rows] - self._origin

    def times(self, columns: slice) -> np.ndarray:
        return self._left @ (self._y[columns] - self._origin).T

    def _norms(self, z: np.ndarray) -> np.ndarray:
        parts = (z[i : i + TILE] - self._origin for i in range(0, len(z), TILE))
        return np.concatenate([np.einsum("ij,ij->i", part, part) for part in parts])


class _PixelProducts:
    """Exact scalar products of centred pixels in float32, `EXACT_COLUMNS` at a time.

    The rows of a block are converted once; those it is multiplied with again each time, a part of
    their columns that fits a cache.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self._x, self._y = x, y
        d = x.shape[1]
        self._parts = [slice(k, min(k + EXACT_COLUMNS, d)) for k in range(0, d, EXACT_COLUMNS)]
        self.x_norms = self._norms(x)
        self.y_norms = self.x_norms if y is x else self._norms(y)
        # Reused, since fresh memory costs more than the conversion.
        self._products = np.empty((PIXEL_TILE, PIXEL_TILE), np.float32)

    def start(self, rows: slice) -> None:
        self._left = [_centred(self._x[rows, part]) for part in self._parts]

    def times(self, columns: slice) -> np.ndarray:
        height, width = len(self._left[0]), columns.stop - columns.start
        room = self._products.reshape(-1)[: height * width].reshape(height, width)
        total = np.zeros((height, width), np.float64)
        for left, part in zip(self._left, self._parts, strict=True):
            total += np.matmul(left, _centred(self._y[columns, part]).T, out=room)
        return total

    def _norms(self, z: np.ndarray) -> np.ndarray:
        total = np.zeros(len(z))
        for i in range(0, len(z), TILE):
            for part in self._parts:
                values = _centred(z[i : i + TILE, part])
                total[i : i + TILE] += np.einsum("ij,ij->i", values, values)
        return total


def _centred(pixels: np.ndarray) -> np.ndarray:
    return np.subtract(pixels, CENTRE, dtype=np.float32)
