"""Nearest images, exactly, most of the others being ruled out by a sketch a tenth as long.

An image minus mid-grey is a vector, and a sketch holds some of its coordinates in an orthonormal
basis: brightness of 2x2 pixels, and two colour differences of 8x8 pixels. What they leave of each
8x8 pixels has a length, and lengths of two vectors differ by no more than the vectors do. With
these lengths as further coordinates, sketches lie no further apart than the images: whatever has
a sketch further from an image's than some image is from it cannot be nearest to it.
"""

from __future__ import annotations

import numpy as np

from tfanime.metrics.arrays import CENTRE

BLOCK = 8
ROWS = 512  # rows of a block of bounds: of 512 x 10,000 float32, 20 MiB
CHUNK = 256  # images in memory as floats at once
WORTH = 64  # an exact distance costs as much as so many of a large matrix product
# Products of pixels are at most 255**2: float32 adds 256 of them exactly.
EXACT_PRODUCTS = 256
# Lengths of the vectors that a sketch's coordinates are products with: 2x2 pixels of (1, 1, 1),
# 8x8 of (1, -1, 0) and of (1, 1, -2).
BRIGHTNESS, RED_GREEN, YELLOW_BLUE = np.sqrt([4 * 3, 64 * 2, 64 * 6])


def sketches(pictures: np.ndarray) -> np.ndarray:
    """`(n, H, W, 3)` uint8 to `(n, k)` float32; images are as if padded with mid-grey to
    multiples of 8."""
    parts = (pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK))
    return np.concatenate([_sketches(part) for part in parts])


def _sketches(pictures: np.ndarray) -> np.ndarray:
    n, height, width, _ = pictures.shape
    padding = (0, 0), (0, -height % BLOCK), (0, -width % BLOCK), (0, 0)
    x = np.pad(np.subtract(pictures, CENTRE, dtype=np.float32), padding)
    # Sums of whole numbers, small enough to be exact in float32.
    squares = _summed(_summed(np.einsum("nhwc,nhwc->nhw", x, x), 2), BLOCK // 2)
    small = _summed(x, 2)
    large = _summed(small, BLOCK // 2).astype(np.float64)
    coordinates = (
        small.sum(axis=3, dtype=np.float64) / BRIGHTNESS,
        (large[..., 0] - large[..., 1]) / RED_GREEN,
        (large[..., 0] + large[..., 1] - 2 * large[..., 2]) / YELLOW_BLUE,
    )
    caught = _summed(np.square(coordinates[0]), BLOCK // 2)
    caught += np.square(coordinates[1]) + np.square(coordinates[2])
    rest = np.sqrt(np.maximum(squares - caught, 0))
    return np.hstack([part.reshape(n, -1).astype(np.float32) for part in (*coordinates, rest)])


def _summed(x: np.ndarray, side: int) -> np.ndarray:
    """Sums over squares of `side` x `side`: `(n, H, W, ...)` to `(n, H / side, W / side, ...)`."""
    rows = sum(x[:, i::side] for i in range(side))
    return sum(rows[:, :, i::side] for i in range(side))


def nearest(real: np.ndarray, fake: np.ndarray) -> np.ndarray | None:
    """For each image how far the nearest ones are, itself left out.

    Args:
        real, fake: `(n, H, W, 3)` and `(m, H, W, 3)` uint8, two in all at least.

    Returns:
        `(n + m, 2)` float64: squared distances to the nearest real and to the nearest generated
        image. The smaller one of each row is exact, as is the other one if it is equally small;
        else that one may be larger than it is. None if comparing all images with each other is
        faster, as judged by a sample.
    """
    sketch = np.concatenate([sketches(real), sketches(fake)])
    count, k = sketch.shape
    squares = np.einsum("ij,ij->i", sketch, sketch, dtype=np.float64)
    # More than rounding of float32 can do to the coordinates and to sums of k + 1 products.
    margin = 4 * (k + 16) * 2.0**-24 * squares.max()
    right = np.column_stack([sketch, squares.astype(np.float32)])
    del sketch
    measure = _Measure(real, fake)
    distances = np.full((count, 2), np.inf)
    blocks = -(-count // ROWS)
    for block in range(blocks):
        rows = np.arange(block, count, blocks)  # all over the sets: the first are a sample of all
        left = -2 * right[rows]
        left[:, -1] = 1
        bounds = left @ right.T  # squared distances of sketches, less the row's own square
        bounds[np.arange(len(rows)), rows] = np.inf
        near, compared = [], 0
        for row, bound in zip(rows, bounds, strict=True):
            least = measure(row, bound.argmin(keepdims=True)).min()
            near.append(np.flatnonzero(bound <= np.float32(least - squares[row] + margin)))
            compared += len(near[-1])
            if block == 0 and compared * WORTH > count * len(rows):
                return None
        for row, others in zip(rows, near, strict=True):
            distances[row] = measure(row, others)
    return distances


class _Measure:
    """Exact squared distances of one image to the nearest of some."""

    def __init__(self, real: np.ndarray, fake: np.ndarray):
        self._sets = real.reshape(len(real), -1), fake.reshape(len(fake), -1)
        self._first = len(real)
        d = self._sets[0].shape[1]
        self._room = np.zeros((CHUNK, -(-d // EXACT_PRODUCTS), EXACT_PRODUCTS), np.float32)
        self._squares = [self._squared(x) for x in self._sets]

    def __call__(self, row: int, others: np.ndarray) -> np.ndarray:
        """`(2,)`: of image `row` to the nearest real and generated ones among `others`, sorted
        indices into both sets; infinite where there is none."""
        kind, row = (0, row) if row < self._first else (1, row - self._first)
        one = self._floats(self._sets[kind][row : row + 1])[0, :, :, None].copy()
        border = np.searchsorted(others, self._first)
        least = np.full(2, np.inf)
        for i, indices in enumerate((others[:border], others[border:] - self._first)):
            for start in range(0, len(indices), CHUNK):
                rows = indices[start : start + CHUNK]
                # A product for each part of the columns: faster than whole rows, and exact.
                parts = self._floats(self._sets[i][rows]).swapaxes(0, 1) @ one
                products = parts.sum(axis=(0, 2), dtype=np.float64)
                squares = self._squares[i][rows] - 2 * products
                least[i] = min(least[i], squares.min() + self._squares[kind][row])
        return least

    def _floats(self, x: np.ndarray) -> np.ndarray:
        """`(n, d)` uint8 as `(n, parts, EXACT_PRODUCTS)` float32, valid until the next call."""
        room = self._room[: len(x)]
        room.reshape(len(x), -1)[:, : x.shape[1]] = x
        return room

    def _squared(self, x: np.ndarray) -> np.ndarray:
        parts = (self._floats(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK))
        return np.concatenate(
            [np.einsum("ijk,ijk->ij", z, z).sum(axis=1, dtype=np.float64) for z in parts]
        )
