"""The arrays of a packed set on disk, checked as they are opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfanime.core import bounds, disk


def text_file(folder: Path, name: str) -> Path:
    """Where the vectors of a text are: `codes (count, k)` float32, NaN where an image has none."""
    return folder / f"text-{name}.npz"


def text_vectors(file: Path, count: int) -> np.ndarray:
    """The vectors in a `text_file` of a set of `count` images; ValueError if they do not fit."""
    try:
        vectors = np.asarray(bounds.read_arrays(file)["codes"], np.float32)
        if vectors.ndim != 2 or len(vectors) != count:
            raise ValueError(f"{vectors.shape} for {count} images")
    except (OSError, ValueError, KeyError) as error:
        disk.check(error, file)
        raise ValueError(
            f"The packed set is damaged: {str(file)!r} cannot be read ({error}). "
            "Run `tfanime text attach` again."
        ) from error
    return vectors


def open_array(path: Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """A memory-mapped `.npy` file; ValueError if it is not of this shape and type."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        disk.check(error, path)
        raise ValueError(
            f"The packed set is damaged: {str(path)!r} cannot be read ({error}). Pack it again."
        ) from error
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"The packed set is damaged: {str(path)!r} must be {shape} {np.dtype(dtype)}. "
            f"Received: {array.shape} {array.dtype}. Pack it again."
        )
    return array
