"""Value ranges, sizes, resizing and grids of images, and writing them: the only place for these.

Stored images are uint8 `(n, H, W, 3)` RGB; networks see float32 in [-1, 1]. Sizes are
`(height, width)`. `decode` reads image files.
"""

from __future__ import annotations

import math
import os
import re
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tfanime.core.choices import FITS
from tfanime.core.files import atomic_path

HALF_RANGE = 127.5  # uint8 / HALF_RANGE - 1 lies in [-1, 1]
BACKGROUND = (255, 255, 255)
SHEETS = (".png", ".jpg", ".jpeg", ".webp")
# Drawn images have a grain in which zlib finds no repeats: run lengths pack them as small as its
# level 4, in half the time. Diagrams, of some kilobytes, grow by a half.
PNG = {"compress_type": zlib.Z_RLE}


def parse_size(size: int | str | tuple[int, int]) -> tuple[int, int]:
    """Any way of naming an image size to `(height, width)`.

    Args:
        size: `64` or `"64"` (square), `"64x96"` (WIDTHxHEIGHT, as people write it) or
            `(96, 64)` (height, width).
    """
    sides: tuple = ()
    if isinstance(size, str):
        match = re.fullmatch(r"\s*(\d+)(?:\s*[xX×]\s*(\d+))?\s*", size)
        if match:
            width = int(match[1])
            sides = (int(match[2]) if match[2] else width, width)
    elif isinstance(size, (tuple, list)):
        sides = tuple(size)
    else:
        sides = (size, size)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in sides)
    if len(sides) != 2 or not whole or min(sides) < 1:
        raise ValueError(
            "A size is a positive number, 'WIDTHxHEIGHT' or (height, width). "
            f"Received: {size!r}. For example 64, '64x96' or (96, 64)."
        )
    return int(sides[0]), int(sides[1])


def to_float(images: np.ndarray) -> np.ndarray:
    """uint8 in 0..255 to float32 in [-1, 1]; any shape."""
    return np.asarray(images, np.float32) / np.float32(HALF_RANGE) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Floats in [-1, 1] to uint8, rounded; values outside are clipped; any shape.

    Raises:
        ValueError: if anything is not finite, since it would come out as an arbitrary colour.
    """
    images = np.asarray(images, np.float32)
    bad = int(images.size - np.count_nonzero(np.isfinite(images)))
    if bad:
        raise ValueError(
            f"Images must be finite. Received: {bad} NaN or infinite values among "
            f"{images.size}. The network that drew them has diverged."
        )
    scaled = (images + np.float32(1)) * np.float32(HALF_RANGE)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def fit(
    image: Image.Image,
    height: int,
    width: int,
    mode: str = "crop",
    focus: tuple[float, float] = (0.5, 0.5),
) -> Image.Image:
    """Brings an image to `height` x `width` with an antialiased Lanczos resize.

    Args:
        image: mode RGB.
        mode: `"crop"` keeps the largest part of the wanted shape; `"pad"` keeps everything and
            adds white margins.
        focus: `(x, y)` in 0..1, which part stays: (0.5, 0) keeps the top of a portrait. With
            `"pad"`, where the image lies between its margins.
    """
    check_fit(mode, focus)
    if image.size == (width, height):
        return image
    if mode == "crop":
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS, centering=focus)
    scale = min(width / image.width, height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    paper = Image.new("RGB", (width, height), BACKGROUND)
    margins = (width - inner[0], height - inner[1])
    place = (round(margins[0] * focus[0]), round(margins[1] * focus[1]))
    paper.paste(image.resize(inner, Image.Resampling.LANCZOS), place)
    return paper


def check_fit(mode: str, focus: tuple[float, float]) -> None:
    """Raises ValueError if `mode` or `focus` is nothing that `fit` takes."""
    if mode not in FITS:
        raise ValueError(f"mode is one of {', '.join(FITS)}. Received: {mode!r}.")
    if len(focus) != 2 or not all(0 <= part <= 1 for part in focus):
        raise ValueError(f"focus is two numbers (x, y) from 0 to 1. Received: {focus!r}.")


def grid(images: np.ndarray, columns: int | None = None, padding: int = 2) -> np.ndarray:
    """Images side by side on white.

    Args:
        images: `(n, H, W, 3)` uint8, n >= 1.
        columns: images a row; by default as square a sheet as possible.
        padding: white pixels between and around them.

    Returns:
        `(h, w, 3)` uint8.
    """
    images = check_pictures(images)
    count, height, width = images.shape[:3]
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    if columns < 1:
        raise ValueError(f"columns is at least 1. Received: {columns}.")
    rows = math.ceil(count / columns)
    step = (height + padding, width + padding)
    sheet = np.full((rows * step[0] + padding, columns * step[1] + padding, 3), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = padding + i // columns * step[0], padding + i % columns * step[1]
        sheet[top : top + height, left : left + width] = image
    return sheet


def enlarge(images: np.ndarray, times: int) -> np.ndarray:
    """Images `times` as large, by Lanczos: smooth, without new detail.

    Args:
        images: `(n, H, W, 3)` uint8.
        times: a whole number, at least 1.

    Returns:
        `(n, times H, times W, 3)` uint8.
    """
    images = check_pictures(images)
    size = (images.shape[2] * times, images.shape[1] * times)
    if times == 1:
        return images
    larger = [Image.fromarray(one).resize(size, Image.Resampling.LANCZOS) for one in images]
    return np.stack([np.asarray(one) for one in larger])


def save_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes one `(H, W, 3)` uint8 image, or `(H, W, 4)` with alpha as PNG or WebP; the ending
    of `path` chooses the format."""
    image = np.asarray(image)
    ending = Path(path).suffix.lower()
    if image.ndim == 3 and image.shape[-1] == 4 and ending in (".png", ".webp"):
        check_pictures(image[None, ..., :3])
    else:
        check_pictures(image[None])
    options = {
        ".png": PNG,
        ".jpg": {"quality": 95},
        ".jpeg": {"quality": 95},
        ".webp": {"lossless": True},
    }
    if ending not in options:
        raise ValueError(f"An image's name ends in {', '.join(options)}. Received: {str(path)!r}.")
    with atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary, **options[ending])


def save_grid(path: str | os.PathLike, images: np.ndarray, columns: int | None = None) -> None:
    """Writes `grid(images, columns)`."""
    save_image(path, grid(images, columns))


def check_pictures(images: np.ndarray) -> np.ndarray:
    """Returns `images`, or raises ValueError if they are not `(n, H, W, 3)` uint8, n >= 1."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not len(images):
        raise ValueError(
            "Images are (n, height, width, 3) uint8 with n >= 1. "
            f"Received: {images.shape} {images.dtype}. images.to_uint8 converts from floats."
        )
    return images
