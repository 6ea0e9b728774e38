"""Image files to sRGB, whatever they are: formats, colour profiles, rotation, damage, bombs."""

from __future__ import annotations

import io
import os
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
from tfanime.core.images import BACKGROUND

PIXEL_LIMIT = 100_000_000  # a larger image is taken for a decompression bomb
# What all threads together decode at a time: a small file can hold an image of PIXEL_LIMIT.
PIXELS_AT_ONCE = PIXEL_LIMIT
STRIP_PIXELS = 4_000_000  # converted at a time
PROFILE_LIMIT = 4 * 2**20  # bytes of an ICC profile; those of printing presses have 3 MB
# Few and named, so that no rarely tested decoder (or Ghostscript) meets an untrusted file.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")


def read_image(
    file: str | os.PathLike | bytes | BinaryIO, pixel_limit: int = PIXEL_LIMIT, alpha: bool = False
) -> Image.Image:
    """Decodes one image to sRGB, upright, without a warning.

    Transparency is laid over white, colours of an ICC profile (Display P3, Adobe RGB, CMYK) become
    those of sRGB, 16-bit grey is scaled to 8, CMYK and palettes are converted, the EXIF rotation is
    applied, and of an animation the first frame is taken.

    Args:
        file: a path, the bytes of a file, or a file object open for reading.
        pixel_limit: larger images are refused before anything is decoded.
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
    """`read_image` for threads: until the block ends, the image has a part of the room that all
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
    """(width, height) of an image as it is stored, of which only the beginning is decoded.

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

    converted = _by_strips(picture, "RGBA" if clear and alpha else "RGB", convert)
    if converted.mode == "RGBA" and converted.getchannel("A").getextrema()[0] == 255:
        return converted.convert("RGB")
    return converted


def _by_strips(
    picture: Image.Image, mode: str, convert: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """`convert` of some rows at a time: what it needs in between stays small."""
    whole = Image.new(mode, picture.size)
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        box = (0, top, picture.width, min(top + rows, picture.height))
        whole.paste(convert(picture.crop(box)), box)
    return whole


def _eight_bits(part: Image.Image) -> Image.Image:
    # convert() would clip these at 255 instead of scaling.
    values = np.asarray(part).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise _Refused("unknown range: 32-bit grey levels")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


@lru_cache(maxsize=8)
def _transform(profile: bytes, inks: str) -> ImageCms.ImageCmsTransform | None:
    """From the colours of an ICC profile to sRGB. None where they are sRGB already, and for a
    profile that is broken or speaks of other inks than the image has: as browsers do."""
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
    # A sound image may have a broken EXIF.
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
