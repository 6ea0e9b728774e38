"""Leave-one-out 1-nearest-neighbour accuracy (Lopez-Paz and Oquab 2017,
https://arxiv.org/abs/1610.06545) and nearest training images.

Is the image nearest to a real one real, and the one nearest to a generated one generated?
PSNR = 10 log10(255^2 / MSE) falls as the squared distance grows, so the neighbour of largest
PSNR is the one of least squared distance.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tfanime.metrics import sketches
from tfanime.metrics.arrays import check_pair, check_pictures, distance_tiles

COPYING, IDEAL_FROM, IDEAL_TO, SEPARABLE = 0.25, 0.45, 0.55, 0.75


@dataclass(frozen=True)
class NearestNeighbour:
    """Leave-one-out 1-NN accuracies.

    Args:
        accuracy: of all images; 0.5 is ideal. A neighbour of each kind at exactly the same
            distance counts as half right.
        real_accuracy: of the real images. Low: each has a generated one close by.
        fake_accuracy: of the generated images. High: they resemble each other most (collapse).
        count: images of each kind.
    """

    accuracy: float
    real_accuracy: float
    fake_accuracy: float
    count: int

    @property
    def reading(self) -> str:
        """The result in words."""
        text = _overall(self.accuracy)
        if IDEAL_FROM <= self.accuracy <= SEPARABLE:
            if self.fake_accuracy - self.real_accuracy > 0.3:
                text += "; generated images are nearest to each other, a sign of collapse"
            elif self.real_accuracy - self.fake_accuracy > 0.3:
                text += "; generated images sit among real ones, but reach only part of them"
        return text


def nearest_neighbour_accuracy(real: np.ndarray, fake: np.ndarray) -> NearestNeighbour:
    """1-NN accuracy of as many real as generated images.

    Args:
        real, fake: `(n, H, W, 3)` uint8 images, compared by PSNR, exactly; or `(n, d)`
            features, compared by Euclidean distance in float64. n >= 2, equal for both.

    Raises:
        ValueError: for unequal numbers or sizes, one image, or NaN.

    Example:
        >>> black, white = np.zeros((4, 8, 8, 3), np.uint8), np.full((4, 8, 8, 3), 255, np.uint8)
        >>> nearest_neighbour_accuracy(black, white).reading
        'clearly separable: the generated images look like no real ones'
    """
    pictures = np.asarray(real), np.asarray(fake)
    real, fake = _rows(*pictures, smallest=2)
    if len(real) != len(fake):
        raise ValueError(
            "1-NN accuracy means something only for equal numbers of images. "
            f"Received: {len(real)} real and {len(fake)} generated. Use as many of each."
        )
    distances = sketches.nearest(*pictures) if pictures[0].ndim == 4 else None
    to_real, to_fake = (_nearest(real, fake) if distances is None else distances).T
    right = [
        np.mean((same < other) + 0.5 * (same == other))
        for same, other in (
            (to_real[: len(real)], to_fake[: len(real)]),
            (to_fake[len(real) :], to_real[len(real) :]),
        )
    ]
    return NearestNeighbour(float(np.mean(right)), *map(float, right), len(real))


def nearest_neighbour_accuracy_by_label(
    real: np.ndarray,
    fake: np.ndarray,
    real_labels: Sequence[Hashable],
    fake_labels: Sequence[Hashable],
) -> dict[Hashable, NearestNeighbour]:
    """1-NN accuracy within each label, on as many real as generated images: the first ones.

    Labels with fewer than two images of either kind are left out.
    """
    real_labels, fake_labels = np.asarray(real_labels), np.asarray(fake_labels)
    if real_labels.shape != (len(real),) or fake_labels.shape != (len(fake),):
        raise ValueError(
            "Labels must hold one label for each image. Received: "
            f"{real_labels.shape} for {len(real)} real and {fake_labels.shape} for {len(fake)} "
            "generated images."
        )
    results = {}
    for label in np.unique(real_labels).tolist():
        of_real, of_fake = (np.flatnonzero(x == label) for x in (real_labels, fake_labels))
        n = min(len(of_real), len(of_fake))
        if n >= 2:
            results[label] = nearest_neighbour_accuracy(real[of_real[:n]], fake[of_fake[:n]])
    return results


def nearest_training(
    fake: np.ndarray, real: np.ndarray, neighbours: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The training images most like each generated one.

    Args:
        fake: `(n, H, W, 3)` uint8 images or `(n, d)` features.
        real: the training set, in the same form: at least `neighbours` rows.
        neighbours: how many for each.

    Returns:
        indices: `(n, neighbours)` int64 into `real`, nearest first.
        distances: `(n, neighbours)` float64: PSNR in dB (infinite for a copy) of images,
            Euclidean distance of features.
    """
    pixels = np.asarray(fake).ndim == 4
    real, fake = _rows(real, fake)
    if not 1 <= neighbours <= len(real):
        raise ValueError(
            f"neighbours must be from 1 to the {len(real)} training images. Received: {neighbours}."
        )
    squares = np.full((len(fake), neighbours), np.inf)
    indices = np.zeros((len(fake), neighbours), np.int64)
    for rows, columns, tile in distance_tiles(fake, real):
        here = np.broadcast_to(np.arange(columns.start, columns.stop), tile.shape)
        near = np.concatenate([squares[rows], tile], axis=1)
        where = np.concatenate([indices[rows], here], axis=1)
        # Stable: among equal ones the first image of the training set.
        order = np.argsort(near, axis=1, kind="stable")[:, :neighbours]
        squares[rows] = np.take_along_axis(near, order, axis=1)
        indices[rows] = np.take_along_axis(where, order, axis=1)
    return indices, psnr(squares / real.shape[1]) if pixels else np.sqrt(squares)


def psnr(mean_squared_error: np.ndarray) -> np.ndarray:
    """In dB, of images in 0..255; infinite where the error is 0."""
    with np.errstate(divide="ignore"):
        return 10 * np.log10(255.0**2 / np.asarray(mean_squared_error, np.float64))


def _rows(real, fake, smallest: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Both as `(n, d)`: images stay uint8."""
    real, fake = np.asarray(real), np.asarray(fake)
    if real.ndim != 4 and fake.ndim != 4:
        return check_pair(real, fake, smallest)
    real = check_pictures(real, "real images", smallest)
    fake = check_pictures(fake, "generated images", smallest)
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            "Images must have the same size. "
            f"Received: {real.shape[1:]} real and {fake.shape[1:]} generated."
        )
    return real.reshape(len(real), -1), fake.reshape(len(fake), -1)


def _nearest(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """`(n + m, 2)`: squared distances of each row to the nearest other real and generated ones."""
    real_to_fake, fake_to_real = np.full(len(real), np.inf), np.full(len(fake), np.inf)
    for rows, columns, tile in distance_tiles(real, fake):
        _lower(real_to_fake, rows, tile.min(axis=1))
        _lower(fake_to_real, columns, tile.min(axis=0))
    to_real = np.concatenate([_within(real), fake_to_real])
    to_fake = np.concatenate([real_to_fake, _within(fake)])
    return np.column_stack([to_real, to_fake])


def _within(x: np.ndarray) -> np.ndarray:
    """`(n,)`: squared distance of each row to the nearest other one."""
    nearest = np.full(len(x), np.inf)
    for rows, columns, tile in distance_tiles(x):
        if rows == columns:
            np.fill_diagonal(tile, np.inf)
        else:
            _lower(nearest, columns, tile.min(axis=0))
        _lower(nearest, rows, tile.min(axis=1))
    return nearest


def _lower(values: np.ndarray, where: slice, others: np.ndarray) -> None:
    np.minimum(values[where], others, out=values[where])


def _overall(accuracy: float) -> str:
    if accuracy < COPYING:
        return "copying: generated images lie closer to real ones than real ones to each other"
    if accuracy < IDEAL_FROM:
        return "leaning towards copying: look at the nearest training images"
    if accuracy <= IDEAL_TO:
        return "ideal: the neighbour does not tell real from generated"
    if accuracy <= SEPARABLE:
        return "close: real and generated can be told apart somewhat better than by chance"
    return "clearly separable: the generated images look like no real ones"
