"""The ground of a poster: a draft made large, on purpose.

A draft of 48x72 pixels has a composition of light and little detail. `print` shows it as a screen
print of four inks with dots between them, `mist` as soft light with grain. `paint` shows what its
upscaler makes of it, so that a figure in it stays one.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from tfanime.posters.palette import Palette

BAND = 256  # rows that are computed at a time: print sizes have 20 million pixels
DOT = 1 / 110  # of the poster's width: from one dot of a screen print to the next
BLUR = 2.2
GRAIN = {"print": 4.0, "mist": 6.5, "paint": 4.0}  # standard deviation, of 255


def light(draft: np.ndarray, blur: float = BLUR) -> np.ndarray:
    """How light a draft is at each place, 0 to 1, all of the range used: `(h, w)` float32, smooth.

    Args:
        draft: `(h, w, 3)` uint8.
        blur: standard deviation, in pixels of the draft.
    """
    grey = Image.fromarray(draft).convert("L").filter(ImageFilter.MedianFilter(3))
    values = np.asarray(grey.filter(ImageFilter.GaussianBlur(blur)), np.float64)
    # Half its own, half its rank: dark drafts stay dark, and none is flat.
    ranks = np.searchsorted(np.sort(values, None), values.ravel()) / values.size
    low, high = np.percentile(values, [1, 99])
    own = np.clip((values - low) / max(high - low, 1.0), 0, 1)
    return np.float32(0.55 * own + 0.45 * ranks.reshape(values.shape))


def backdrop(
    draft: np.ndarray, palette: Palette, height: int, width: int, style: str, blur: float = BLUR
) -> Image.Image:
    """The ground, `height` x `width`, mode RGB.

    Args:
        draft: `(h, w, 3)` uint8.
        style: one of `core.choices.STYLES`.
        blur: as for `light`.
    """
    tone = _large(light(draft, blur), height, width)
    if palette.day:
        tone = 0.3 + tone
    out = np.empty((height, width, 3), np.uint8)
    if style == "print":
        for top in range(0, height, BAND):
            rows = slice(top, top + BAND)
            out[rows] = inked(0.06 + 0.62 * tone[rows], palette.ramp, top, width)
        return Image.fromarray(out)
    soft = Image.fromarray(draft).filter(ImageFilter.MedianFilter(5))
    soft = soft.filter(ImageFilter.GaussianBlur(1.2 * blur)).resize((width, height), BICUBIC)
    for top in range(0, height, BAND):
        rows = slice(top, top + BAND)
        own = np.asarray(soft.crop((0, top, width, min(height, top + BAND))), np.float32)
        out[rows] = np.rint(0.4 * own + 0.6 * toned(0.08 + 0.72 * tone[rows], palette.ramp))
    return Image.fromarray(out)


BICUBIC = Image.Resampling.BICUBIC


def as_shown(shown: np.ndarray, height: int, width: int) -> Image.Image:
    """A draft as its upscaler shows it, as the ground, `height` x `width`, mode RGB.

    Args:
        shown: `(h, w, 3)` uint8; what it is higher or wider than the ground is cut off evenly.
    """
    scale = max(height / shown.shape[0], width / shown.shape[1])
    rows, columns = round(height / scale), round(width / scale)
    top, left = (shown.shape[0] - rows) // 2, (shown.shape[1] - columns) // 2
    part = (left, top, left + columns, top + rows)
    return Image.fromarray(shown).crop(part).resize((width, height), BICUBIC)


def _large(field: np.ndarray, height: int, width: int) -> np.ndarray:
    """A field of 0 to 1, made larger without steps."""
    large = Image.fromarray(np.float32(field), mode="F").resize((width, height), BICUBIC)
    return np.clip(np.asarray(large), 0, 1)


def toned(tone: np.ndarray, ramp: np.ndarray) -> np.ndarray:
    """Colours between those of a ramp: `(h, w, 3)` float32.

    Args:
        tone: `(h, w)`, 0 (the first colour) to 1 (the last).
        ramp: `(k, 3)`.
    """
    x = np.clip(tone, 0, 1) * (len(ramp) - 1)
    step = np.minimum(x.astype(int), len(ramp) - 2)
    share = (x - step)[..., None].astype(np.float32)
    return (1 - share) * ramp[step] + share * ramp[step + 1]


def inked(tone: np.ndarray, ramp: np.ndarray, top: int, width: int) -> np.ndarray:
    """The colours of a ramp as inks: flat, with dots of the next one where it begins.

    Args:
        tone: `(h, w)`, 0 to 1; `top` is the row of the poster that it begins at.
        width: of the poster, which decides how large dots are.
    """
    x = np.clip(tone, 0, 1) * (len(ramp) - 1)
    step = np.minimum(x.astype(int), len(ramp) - 2)
    rows = np.arange(top, top + tone.shape[0], dtype=np.float32)[:, None]
    columns = np.arange(tone.shape[1], dtype=np.float32)[None]
    turn = np.float32(2 * np.pi / (DOT * width))
    # Lines of dots at 45 degrees; the mean of two waves is evenly spread to one part in ten.
    u, v = (columns + rows) * np.float32(0.7071), (columns - rows) * np.float32(0.7071)
    screen = 0.5 + 0.25 * (np.cos(turn * u) + np.cos(turn * v))
    sharp = np.float32(DOT * width / 3.2)  # a dot's edge is a pixel wide
    share = np.clip((x - step - (0.16 + 0.68 * screen)) * sharp + 0.5, 0, 1)[..., None]
    return np.rint((1 - share) * ramp[step] + share * ramp[step + 1]).astype(np.uint8)


def grained(image: Image.Image, style: str, seed: int) -> Image.Image:
    """An image with the grain of film or paper, the same for a seed."""
    random = np.random.Generator(np.random.PCG64(seed))
    out = np.array(image)
    for top in range(0, out.shape[0], BAND):
        rows = out[top : top + BAND]
        noise = random.standard_normal(rows.shape[:2], np.float32)[..., None] * GRAIN[style]
        out[top : top + BAND] = np.clip(np.rint(rows + noise), 0, 255)
    return Image.fromarray(out)
