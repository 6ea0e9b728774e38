"""Sizes of paper."""

from __future__ import annotations

import numpy as np

PAPERS = {"a3": (420, 297), "a2": (594, 420), "b2": (707, 500)}  # millimetres, height and width
INCH = 25.4
LOWEST, HIGHEST = 72, 600


def check_dpi(dpi: int) -> int:
    if not isinstance(dpi, (int, np.integer)) or not LOWEST <= dpi <= HIGHEST:
        raise ValueError(f"dpi is a whole number from {LOWEST} to {HIGHEST}. Received: {dpi!r}.")
    return int(dpi)


def pixels_of(paper: str, dpi: int) -> tuple[int, int]:
    """Height and width of a paper in pixels.

    Raises:
        ValueError: for a paper that is none of `PAPERS`.
    """
    if paper not in PAPERS:
        raise ValueError(f"A print is one of {', '.join(PAPERS)}. Received: {paper!r}.")
    height, width = PAPERS[paper]
    return round(height / INCH * dpi), round(width / INCH * dpi)
