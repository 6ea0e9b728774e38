"""Where an image is calm: little changes there, so that type can be read on it."""

from __future__ import annotations

import numpy as np
from PIL import Image

Box = tuple[int, int, int, int]  # left, top, right, bottom


def energy(image: np.ndarray) -> np.ndarray:
    """How much brightness changes at each pixel: `(h, w)` float64, the length of its gradient.

    Args:
        image: `(h, w, 3)` uint8.
    """
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float64)
    down, across = np.gradient(grey)
    return np.hypot(down, across)


def calmest(energy: np.ndarray, height: int, width: int, within: Box | None = None) -> Box:
    """The box with the least energy; of several that are as calm, the first from the top left.

    Args:
        energy: `(h, w)`, what `energy` gives, or any other cost.
        height, width: of the box, in pixels.
        within: where the box must lie; None: anywhere.

    Raises:
        ValueError: for a box that does not fit.
    """
    left, top, right, bottom = within or (0, 0, energy.shape[1], energy.shape[0])
    if not (0 < height <= bottom - top and 0 < width <= right - left):
        raise ValueError(
            f"A box must fit into {right - left}x{bottom - top} pixels. Received: {width}x{height}."
        )
    sums = np.zeros((bottom - top + 1, right - left + 1))
    sums[1:, 1:] = energy[top:bottom, left:right].cumsum(0).cumsum(1)
    inside = (sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]) + sums[
        :-height, :-width
    ]
    # Sums of sums differ in their last digits where the energy is the same.
    y, x = np.unravel_index(np.argmin(np.round(inside, 6)), inside.shape)
    return left + int(x), top + int(y), left + int(x) + width, top + int(y) + height
