"""Bringing images to an extractor's size. The filter changes FID by whole points, so it is part
of the protocol (Parmar et al. 2022, https://arxiv.org/abs/2104.11222)."""

from __future__ import annotations

import functools

import numpy as np
from PIL import Image


def clean(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic, antialiased, each channel in float: clean-fid's `clean`.

    Args:
        picture: `(H, W, 3)` uint8.

    Returns:
        `(height, width, 3)` float32 in 0..255, not rounded.
    """
    result = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        plane = Image.fromarray(picture[:, :, channel].astype(np.float32))
        result[:, :, channel] = plane.resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(result, 0, 255, out=result)


def legacy(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear between the four nearest pixels, not antialiased: pytorch-fid's resize."""
    top, bottom, down = _bilinear(picture.shape[0], height)
    left, right, across = _bilinear(picture.shape[1], width)
    picture = picture.astype(np.float32)
    rows = picture[top] * (1 - down)[:, None, None] + picture[bottom] * down[:, None, None]
    return rows[:, left] * (1 - across)[:, None] + rows[:, right] * across[:, None]


RESIZES = {"clean": clean, "legacy": legacy}


@functools.lru_cache(maxsize=8)
def _bilinear(size: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each wanted place the pixel before it, the one behind it, and the latter's share."""
    centres = np.arange(target, dtype=np.float32) + np.float32(0.5)
    place = np.maximum(centres * np.float32(size / target) - np.float32(0.5), 0)
    before = np.minimum(place.astype(np.int64), size - 1)
    return before, np.minimum(before + 1, size - 1), (place - before).astype(np.float32)
