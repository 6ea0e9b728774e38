"""A cut-out figure in the light of a poster."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from tfanime.posters.backdrop import BICUBIC, inked, toned
from tfanime.posters.palette import Palette

OWN = {"print": 0.5, "mist": 0.66, "paint": 0.8}  # how much of its own colours a figure keeps
FADE = 0.18  # of its height, from its foot: there it goes over into the ground
CUT = 0.15  # of its upper border that a figure may touch before that is faded too


def graded(rgba: np.ndarray, palette: Palette, style: str, side: int, top: int) -> Image.Image:
    """A figure made large, its colours drawn towards the poster's.

    Args:
        rgba: `(h, h, 4)` uint8, of `cutout.cut_out`.
        side: how large, in pixels; as wide as the poster.
        top: the row of the poster that it begins at, so that dots of a screen print go on.

    Returns:
        An image of `side` x `side`, mode RGBA.
    """
    alpha = _outline(rgba[..., 3], side)
    colour = Image.fromarray(rgba[..., :3]).resize((side, side), BICUBIC)
    # The blur of enlarging is taken back a little.
    colour = colour.filter(ImageFilter.UnsharpMask(radius=side / 220, percent=90, threshold=2))
    values = np.asarray(colour, np.float32)
    grey = np.asarray(colour.convert("L"), np.float32)
    solid = np.asarray(alpha, np.float32) > 200
    low, high = np.percentile(grey[solid], [2, 98]) if solid.any() else (0.0, 255.0)
    tone = np.clip((grey - low) / max(high - low, 1.0), 0, 1)
    if style == "print":
        cast = np.float32(inked(0.1 + 0.84 * tone, palette.full, top, side))
    else:
        cast = toned(0.12 + 0.83 * tone, palette.full)
    mixed = OWN[style] * values + (1 - OWN[style]) * cast
    fade = faded(rgba, side, top > 0)[:, None] * np.asarray(alpha, np.float32)
    image = Image.fromarray(np.uint8(np.clip(np.rint(mixed), 0, 255)))
    image.putalpha(Image.fromarray(np.uint8(np.rint(fade))))
    return image


def _outline(alpha: np.ndarray, side: int) -> Image.Image:
    """An alpha made large, its steps rounded off."""
    large = Image.fromarray(alpha).resize((side, side), BICUBIC)
    large = large.filter(ImageFilter.GaussianBlur(1.6 * side / len(alpha)))
    return large.point(lambda x: max(0, min(255, round(2.4 * (x - 150) + 128))))


def faded(rgba: np.ndarray, side: int, below: bool = True) -> np.ndarray:
    """What each row keeps of its alpha, 0 to 1: `(side,)` float32. The foot fades, and so does the
    top of a figure that its own image cuts off `below` the poster's upper edge."""
    rows = (np.arange(side, dtype=np.float32) + 0.5) / side
    keep = _smooth((1 - rows) / FADE)
    if below and (rgba[0, :, 3] > 127).mean() > CUT:
        keep = keep * _smooth(rows / 0.16)
    return keep


def _smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def glow(figure: Image.Image, radius: float) -> Image.Image:
    """Where a figure sets itself off from the ground: its outline, blurred; mode L."""
    small = figure.getchannel("A").reduce(4) if figure.width >= 400 else figure.getchannel("A")
    blurred = small.filter(ImageFilter.GaussianBlur(radius * small.width / figure.width))
    return blurred.resize(figure.size, BICUBIC)
