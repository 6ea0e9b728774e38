"""What the figures share: canvases, sheets, a generator with labels, opened data."""

from __future__ import annotations

import os

import numpy as np

from tfanime.core.images import grid, save_image
from tfanime.data import PackedDataset
from tfanime.prepare.load import load_data
from tfanime.sampling.generate import loaded

SIDE = 8  # images a row
DPI = 110
BLUE, GREY = "#3b6fb6", "#9aa3b2"


def conditional(run):
    """The generator of a run; ValueError if it was trained without labels."""
    generator = loaded(run)
    if generator.schema is None:
        raise ValueError(
            "This figure needs a model that was trained with labels, and this one was not."
        )
    return generator


def save_sheet(out: str | os.PathLike, pictures: np.ndarray, columns: int | None = None) -> None:
    """Images `(n, H, W, 3)` uint8 side by side in one file."""
    save_image(out, grid(pictures, columns))


def new_canvas(size: tuple[float, float]):
    """An empty figure of matplotlib, `size` in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def opened_data(data) -> PackedDataset:
    """`data` itself, or what `load_data` makes of it."""
    return data if isinstance(data, PackedDataset) else load_data(data)
