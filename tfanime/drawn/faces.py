"""The built-in images: anime faces drawn from the 34 attributes of MakeGirlsMoe and a seed.

They are drawn with Pillow in vector form, three or four flat tones a material, larger than asked
for and averaged down. Whatever the labels do not say (bangs, skin, clothes, tilt, ...) comes from
the seed alone, so a label can be changed with everything else in the image kept.
"""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn.artist import paint
from tfanime.drawn.portrait import Portrait, Style

SEED_LIMIT = 2**53  # seeds are whole numbers below it, which JSON and JavaScript keep exactly
# Second word of the Philox key (the first is the seed): what the numbers are for.
_LABELS, _SEEDS, _STYLE = 1, 2, 3
_ROW = 16  # numbers drawn for the labels of one image; a multiple of Philox's block of four


def draw_face(labels: np.ndarray, seed: int, size: int = 64) -> np.ndarray:
    """Draw one face.

    Args:
        labels: `(34,)` in the 0/1 coding of `labels.MAKEGIRLSMOE`: one hair and one eye colour,
            every flag 0 or 1, nothing unknown.
        seed: 0 to 2**53 - 1; decides everything that `labels` does not.
        size: side of the image in pixels, at least 8.

    Returns:
        `(size, size, 3)` uint8 RGB, the same for the same arguments.

    Raises:
        ValueError: for labels, a seed or a size outside these bounds.

    Example:
        >>> labels = MAKEGIRLSMOE.sample(np.full((1, 13), 0.5))[0]
        >>> draw_face(labels, seed=7).shape
        (64, 64, 3)
    """
    labels = np.asarray(labels, np.float32)
    if labels.shape != (MAKEGIRLSMOE.size,):
        raise ValueError(
            f"labels is one row of {MAKEGIRLSMOE.size} numbers, as MAKEGIRLSMOE.encode or "
            f"sample_labels return. Received shape: {labels.shape}."
        )
    _check_labels(labels[None], first=0)
    _check_size(size)
    return _draw(labels, _check_seed(seed), size)


def sample_labels(count: int, seed: int = 0, prior: str = "training", first: int = 0) -> np.ndarray:
    """Labels of `count` images, all of them known.

    Args:
        count: how many rows.
        seed: 0 to 2**53 - 1.
        prior: `"training"` (colours uniform, flags 0.25: every attribute is frequent) or
            `"empirical"` (frequencies of MakeGirlsMoe's site).
        first: index of the first row; row `i` of a seed is the same whatever `count` and `first`.

    Returns:
        `(count, 34)` float32, 0/1 coding of `labels.MAKEGIRLSMOE`.

    Raises:
        ValueError: for a negative count or index, a seed out of range or an unknown prior.
    """
    _check_range(count, first)
    bits = np.random.Philox(key=[_check_seed(seed), _LABELS]).advance(first * (_ROW // 4))
    uniforms = np.random.Generator(bits).random((count, _ROW))
    return MAKEGIRLSMOE.sample(uniforms[:, : len(MAKEGIRLSMOE.fields)], prior)


def draw_faces(
    count: int,
    size: int = 64,
    seed: int = 0,
    labels: np.ndarray | None = None,
    first: int = 0,
    progress: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw images `first` to `first + count - 1` of a seed.

    Image `i` does not depend on `count` or `first`, so parts can be drawn by several processes.

    Args:
        count: how many images.
        size: side of an image in pixels, at least 8.
        seed: 0 to 2**53 - 1.
        labels: `(count, 34)` labels of these images; drawn by `sample_labels` when not given.
        first: index of the first image.
        progress: show a progress bar.

    Returns:
        `(images, labels)`: `(count, size, size, 3)` uint8 RGB and `(count, 34)` float32 in the 0/1
        coding.

    Raises:
        ValueError: for arguments outside these bounds; for labels, the message names the row.
    """
    _check_range(count, first)
    seed = _check_seed(seed)
    _check_size(size)
    if labels is None:
        labels = sample_labels(count, seed, first=first)
    labels = np.asarray(labels, np.float32)
    if labels.shape != (count, MAKEGIRLSMOE.size):
        raise ValueError(
            f"labels has one row of {MAKEGIRLSMOE.size} numbers for each of the {count} images. "
            f"Received shape: {labels.shape}."
        )
    _check_labels(labels, first)
    images = np.empty((count, size, size, 3), np.uint8)
    rows = range(count)
    if progress:
        from tfanime.core.bars import progress_bar

        rows = progress_bar(rows, desc="drawing faces", unit=" images")
    seeds = _picture_seeds(count, seed, first)
    for row in rows:
        images[row] = _draw(labels[row], seeds[row], size)
    return images, labels


def _draw(labels: np.ndarray, seed: int, size: int) -> np.ndarray:
    uniforms = np.random.Generator(np.random.Philox(key=[seed, _STYLE])).random(Style.SIZE)
    return paint(Portrait(MAKEGIRLSMOE.decode(labels), Style.from_uniforms(uniforms), size))


def _picture_seeds(count: int, seed: int, first: int) -> list[int]:
    """A `draw_face` seed for each image: the first number of the image's Philox block."""
    bits = np.random.Philox(key=[seed, _SEEDS]).advance(first)
    return (bits.random_raw(4 * count)[::4] >> np.uint64(11)).tolist()


def _check_labels(labels: np.ndarray, first: int) -> None:
    for field in MAKEGIRLSMOE.fields:
        part = labels[:, MAKEGIRLSMOE.slices()[field.name]]
        right = np.isin(part, (0.0, 1.0)).all(axis=1)
        rule = "0 or 1"
        if field.kind == "group":
            right &= part.sum(axis=1) == 1
            rule = f"1 for one of its {field.size} values and 0 for the others"
        if not right.all():
            row = int(np.argmin(right))
            raise ValueError(
                f"To draw a face, {field.name!r} must be {rule}; fill in unknown labels with "
                f"MAKEGIRLSMOE.sample. Received: {part[row].tolist()} (image {first + row})."
            )


def _check_seed(seed: int) -> int:
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"seed is a whole number from 0 to 2**53 - 1. Received: {seed!r}.")
    return int(seed)


def _check_size(size: int) -> None:
    if not isinstance(size, (int, np.integer)) or size < 8:
        raise ValueError(f"size is a whole number of pixels, at least 8. Received: {size!r}.")


def _check_range(count: int, first: int) -> None:
    if count < 0 or first < 0:
        raise ValueError(f"count and first are at least 0. Received: {count} and {first}.")
