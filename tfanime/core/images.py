"""The only place for value ranges, colour, resizing and grids.

Stored pictures are uint8 `(n, H, W, 3)` RGB; networks see float32 in [-1, 1]. Sizes are
`(height, width)`.
"""

from __future__ import annotations

import io
import math
import os
import re
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps, features

from tfanime.core import disk
from tfanime.core.files import atomic_path

HALF_RANGE = 127.5  # uint8 / HALF_RANGE - 1 lies in [-1, 1]
PIXEL_LIMIT = 100_000_000  # a larger picture is taken for a decompression bomb
# What all threads together decode at a time: a small file can hold a picture of PIXEL_LIMIT.
PIXELS_AT_ONCE = PIXEL_LIMIT
STRIP_PIXELS = 4_000_000  # converted at a time
PROFILE_LIMIT = 4 * 2**20  # bytes of an ICC profile; those of printing presses have 3 MB
MODES = ("crop", "pad")
# Few and named, so that no rarely tested decoder (or Ghostscript) meets an untrusted file.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
BACKGROUND = (255, 255, 255)
SHEETS = (".png", ".jpg", ".jpeg", ".webp")


# ---- sizes and ranges --------------------------------------------------------------------------


def parse_size(size: int | str | tuple[int, int]) -> tuple[int, int]:
    """Any way of naming a picture size to `(height, width)`.

    Args:
        size: `64` or `"64"` (square), `"64x96"` (WIDTHxHEIGHT, as people write it) or
            `(96, 64)` (height, width).
    """
    found: tuple = ()
    if isinstance(size, str):
        match = re.fullmatch(r"\s*(\d+)(?:\s*[xX×]\s*(\d+))?\s*", size)
        if match:
            width = int(match[1])
            found = (int(match[2]) if match[2] else width, width)
    elif isinstance(size, (tuple, list)):
        found = tuple(size)
    else:
        found = (size, size)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in found)
    if len(found) != 2 or not whole or min(found) < 1:
        raise ValueError(
            "A size is a positive number, 'WIDTHxHEIGHT' or (height, width). "
            f"Received: {size!r}. For example 64, '64x96' or (96, 64)."
        )
    return int(found[0]), int(found[1])


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
            f"Pictures must be finite. Received: {bad} NaN or infinite values among "
            f"{images.size}. The network that drew them has diverged."
        )
    scaled = (images + np.float32(1)) * np.float32(HALF_RANGE)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


# ---- reading -----------------------------------------------------------------------------------


def read_image(
    file: str | os.PathLike | bytes | BinaryIO, pixel_limit: int = PIXEL_LIMIT, alpha: bool = False
) -> Image.Image:
    """Decodes one picture to sRGB, upright, without a warning.

    Transparency is laid over white, colours of an ICC profile (Display P3, Adobe RGB, CMYK) become
    those of sRGB, 16-bit grey is scaled to 8, CMYK and palettes are converted, the EXIF rotation is
    applied, and of an animation the first frame is taken.

    Args:
        file: a path, the bytes of a file, or a file object open for reading.
        pixel_limit: larger pictures are refused before anything is decoded.
        alpha: keep transparency, where there is any.

    Returns:
        A loaded `PIL.Image` of mode RGB; with `alpha`, of mode RGBA if any pixel is transparent.

    Raises:
        ValueError: `"REASON: detail"`, the reason one of: empty file, not a picture, damaged, too
            many pixels, unknown range, cannot be read.
    """
    with opened_image(file, pixel_limit, alpha) as picture:
        return picture


@contextmanager
def opened_image(
    file: str | os.PathLike | bytes | BinaryIO, pixel_limit: int = PIXEL_LIMIT, alpha: bool = False
) -> Iterator[Image.Image]:
    """`read_image` for threads: until the block ends, the picture has a part of the room that all
    threads share (`PIXELS_AT_ONCE`), and others wait where there is none left."""
    data = _read_bytes(file)
    if not data:
        raise ValueError("empty file: 0 bytes")
    with _quiet():
        picture = _open(data, pixel_limit)
    with _room.held(picture.width * picture.height):
        with _quiet():
            picture = _decode(picture, alpha)
        yield picture


class _Refused(ValueError):
    """Reads "REASON: detail"; the errors of decoders do not."""


def picture_size(file: str | os.PathLike | bytes | BinaryIO) -> tuple[int, int]:
    """(width, height) of a picture as it is stored, of which only the beginning is decoded.

    Raises:
        ValueError: as `read_image`.
    """
    data = _read_bytes(file)
    if not data:
        raise ValueError("empty file: 0 bytes")
    with _quiet():
        return _open(data, PIXEL_LIMIT).size


def _open(data: bytes, pixel_limit: int) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _Refused(f"too many pixels: more than {pixel_limit:,} allowed") from error
    except Image.UnidentifiedImageError as error:
        raise _Refused(_not_a_picture(data)) from error
    except Exception as error:  # decoders fail in many ways on hostile input
        raise _Refused(f"damaged: {_first_line(error)}") from error
    if picture.width * picture.height > pixel_limit:
        raise _Refused(
            f"too many pixels: {picture.width:,} x {picture.height:,}, "
            f"more than {pixel_limit:,} allowed"
        )
    return picture


def _decode(picture: Image.Image, alpha: bool) -> Image.Image:
    try:
        picture.load()
        _turn_upright(picture)
        return _to_srgb(picture, alpha)
    except _Refused:
        raise
    except MemoryError as error:
        raise _Refused("damaged: its decoder ran out of memory") from error
    except Exception as error:
        raise _Refused(f"damaged: {_first_line(error)}") from error


class _Room:
    """So many pixels at once, for all threads together."""

    def __init__(self, pixels: int):
        self.pixels, self._taken = pixels, 0
        self._changed = threading.Condition()

    @contextmanager
    def held(self, pixels: int) -> Iterator[None]:
        pixels = min(pixels, self.pixels)  # a larger one is decoded alone
        with self._changed:
            self._changed.wait_for(lambda: self._taken + pixels <= self.pixels)
            self._taken += pixels
        try:
            yield
        finally:
            with self._changed:
                self._taken -= pixels
                self._changed.notify_all()


_room = _Room(PIXELS_AT_ONCE)


def _read_bytes(file: str | os.PathLike | bytes | BinaryIO) -> bytes:
    if isinstance(file, (bytes, bytearray, memoryview)):
        return bytes(file)
    if hasattr(file, "read"):
        return file.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        disk.check(error, file)
        raise ValueError(f"cannot be read: {error.strerror or error}") from error


def _to_srgb(picture: Image.Image, alpha: bool) -> Image.Image:
    """8-bit RGB in sRGB, or RGBA with what can be seen through; `picture` is loaded."""
    mode = picture.mode
    deep = mode == "I" or mode.startswith("I;16")
    if mode == "F":
        raise _Refused("unknown range: floating-point grey levels")
    keyed = mode in ("P", "L", "1", "RGB") and "transparency" in picture.info
    clear = keyed or mode in ("RGBA", "LA", "PA", "RGBa", "La")
    grey = deep or mode in ("1", "L", "LA")
    inks = "CMYK" if mode == "CMYK" else "L" if grey else "RGB"  # what a profile speaks of
    profile = picture.info.get("icc_profile") or b""
    transform = _transform(profile, inks) if 0 < len(profile) <= PROFILE_LIMIT else None
    if not (deep or clear or transform):
        return picture.convert("RGB")

    def convert(part: Image.Image) -> Image.Image:
        part = _eight_bits(part) if deep else part
        part = part.convert("LA" if inks == "L" else "RGBA") if clear else part
        if transform is None:
            colours = part.convert("RGB")
        else:
            colours = ImageCms.applyTransform(part.convert(inks), transform)
        if not clear:
            return colours
        colours.putalpha(part.getchannel("A"))
        if alpha:
            return colours
        paper = Image.new("RGBA", colours.size, (*BACKGROUND, 255))
        paper.alpha_composite(colours)
        return paper.convert("RGB")

    found = _by_strips(picture, "RGBA" if clear and alpha else "RGB", convert)
    if found.mode == "RGBA" and found.getchannel("A").getextrema()[0] == 255:
        return found.convert("RGB")
    return found


def _by_strips(
    picture: Image.Image, mode: str, convert: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """`convert` of some rows at a time: what it needs in between stays small."""
    found = Image.new(mode, picture.size)
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        box = (0, top, picture.width, min(top + rows, picture.height))
        found.paste(convert(picture.crop(box)), box)
    return found


def _eight_bits(part: Image.Image) -> Image.Image:
    # convert() would clip these at 255 instead of scaling.
    values = np.asarray(part).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise _Refused("unknown range: 32-bit grey levels")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


@lru_cache(maxsize=8)
def _transform(profile: bytes, inks: str) -> ImageCms.ImageCmsTransform | None:
    """From the colours of an ICC profile to sRGB. None where they are sRGB already, and for a
    profile that is broken or speaks of other inks than the picture has: as browsers do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != {"L": "GRAY"}.get(inks, inks):
            return None
        target = ImageCms.createProfile("sRGB")
        # The cache of one pixel is not for several threads.
        flags = ImageCms.Flags.NOCACHE
        transform = ImageCms.buildTransform(source, target, inks, "RGB", flags=flags)
        probe = Image.fromarray(_probe(1 if inks == "L" else 3)) if inks != "CMYK" else None
        if probe is not None:
            change = np.asarray(ImageCms.applyTransform(probe, transform), np.int16)
            # Profiles of sRGB differ in their last digits; pixels stay as they are.
            if np.abs(change - np.asarray(probe.convert("RGB"), np.int16)).max() <= 2:
                return None
        return transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _probe(channels: int) -> np.ndarray:
    """Colours from all over the cube: `(1, 729, 3)` uint8, or `(1, 256)` greys."""
    if channels == 1:
        return np.arange(256, dtype=np.uint8)[None]
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)


def _turn_upright(picture: Image.Image) -> None:
    # A sound picture may have a broken EXIF.
    with suppress(ValueError, OSError, SyntaxError, TypeError, KeyError, struct.error):
        ImageOps.exif_transpose(picture, in_place=True)


def _not_a_picture(data: bytes) -> str:
    start = data[:512]
    brand = start[8:12] if start[4:8] == b"ftyp" else b""
    if brand in (b"avif", b"avis") and not features.check("avif"):
        return "cannot be read: AVIF, and this Pillow has no AVIF; pip install --upgrade pillow"
    if start.startswith(SIGNATURES) or brand in (b"avif", b"avis"):
        return "damaged: its header is cut or broken"
    if brand in (b"heic", b"heix", b"mif1"):
        return "not a picture: HEIC, which is not read; convert it to PNG or JPEG"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "not a picture: an HTML page"
    # The sample may end inside a character of up to four bytes.
    if b"\0" not in start and len(start.decode("utf-8", "ignore").encode()) > len(start) - 4:
        return "not a picture: text"
    return "not a picture"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_quiet_lock = threading.Lock()
_quiet_users = 0
_quiet_filter: warnings.catch_warnings | None = None


@contextmanager
def _quiet() -> Iterator[None]:
    """Mutes Pillow's warnings. `catch_warnings` alone is not safe in threads: the first thread
    in changes the filters, and the last one out puts them back."""
    global _quiet_users, _quiet_filter
    with _quiet_lock:
        if not _quiet_users:
            _quiet_filter = warnings.catch_warnings()
            _quiet_filter.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\b")
        _quiet_users += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_users -= 1
            if not _quiet_users and _quiet_filter is not None:
                _quiet_filter.__exit__(None, None, None)


# ---- shaping -----------------------------------------------------------------------------------


def fit(
    image: Image.Image,
    height: int,
    width: int,
    mode: str = "crop",
    focus: tuple[float, float] = (0.5, 0.5),
) -> Image.Image:
    """Brings a picture to `height` x `width` with an antialiased Lanczos resize.

    Args:
        image: mode RGB.
        mode: `"crop"` keeps the largest part of the wanted shape; `"pad"` keeps everything and
            adds white margins.
        focus: `(x, y)` in 0..1, which part stays: (0.5, 0) keeps the top of a portrait. With
            `"pad"`, where the picture lies between its margins.
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
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(MODES)}. Received: {mode!r}.")
    if len(focus) != 2 or not all(0 <= part <= 1 for part in focus):
        raise ValueError(f"focus is two numbers (x, y) from 0 to 1. Received: {focus!r}.")


def grid(images: np.ndarray, columns: int | None = None, padding: int = 2) -> np.ndarray:
    """Pictures side by side on white.

    Args:
        images: `(n, H, W, 3)` uint8, n >= 1.
        columns: pictures a row; by default as square a sheet as possible.
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
    """Pictures `times` as large, by Lanczos: smooth, without new detail.

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


# ---- writing -----------------------------------------------------------------------------------


def save_image(path: str | os.PathLike, image: np.ndarray) -> None:
    """Writes one `(H, W, 3)` uint8 picture, or `(H, W, 4)` with alpha as PNG or WebP; the ending
    of `path` chooses the format."""
    image = np.asarray(image)
    ending = Path(path).suffix.lower()
    if image.ndim == 3 and image.shape[-1] == 4 and ending in (".png", ".webp"):
        check_pictures(image[None, ..., :3])
    else:
        check_pictures(image[None])
    options = {".png": {}, ".jpg": {"quality": 95}, ".jpeg": {"quality": 95}}
    options[".webp"] = {"lossless": True}
    if ending not in options:
        raise ValueError(f"A picture's name ends in {', '.join(options)}. Received: {str(path)!r}.")
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
            "Pictures are (n, height, width, 3) uint8 with n >= 1. "
            f"Received: {images.shape} {images.dtype}. images.to_uint8 converts from floats."
        )
    return images
