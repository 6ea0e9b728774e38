"""Pictures: every format and mode, damaged; read like those of a set."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from fuzz_common import damaged, peak, verdict
from PIL import Image, ImageCms

from tfanime.core import images
from tfanime.core.decode import read_image

REASONS = (
    "empty file",
    "not a picture",
    "damaged",
    "too many pixels",
    "unknown range",
    "cannot be read",
)
MEMORY = 2000  # MiB more than before: an image of 100 million pixels takes up to 1,600


def run(random: Random, folder: Path) -> Iterator[str]:
    samples, before = _samples(), peak()
    while True:
        name, data = random.choice(samples)
        bytes_ = damaged(data, random)
        problem = verdict(lambda data=bytes_: _read(data, random.random() < 0.5))
        if not problem and peak() - before > MEMORY:
            problem = f"{peak() - before:,} MiB of memory"
        yield problem and f"{name}: {problem}"


def _read(data: bytes, alpha: bool) -> None:
    try:
        found = read_image(data, alpha=alpha)
    except ValueError as error:
        if str(error).partition(":")[0] not in REASONS:
            raise AssertionError(f"an unknown reason: {error}") from error
        return
    if found.mode not in ("RGB", "RGBA"[: 3 + alpha]):
        raise AssertionError(f"a picture of mode {found.mode}")
    images.fit(found.convert("RGB"), 16, 16)


def _samples() -> list[tuple[str, bytes]]:
    values = np.random.default_rng(0).integers(0, 256, (48, 40, 4), np.uint8)
    rgba = Image.fromarray(values)
    rgb = rgba.convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Other primaries: the profile is used and not only recognised.
    start = profile.index(b"XYZ ", 128)
    profile = profile[: start + 8] + bytes(4) + profile[start + 12 :]
    deep = Image.fromarray(values[..., 0].astype(np.uint16) * 257)
    kinds = [
        ("PNG", rgb, {}),
        ("PNG", rgba, {"icc_profile": profile}),
        ("PNG", rgb.quantize(16), {"transparency": 3}),
        ("PNG", deep, {"icc_profile": profile}),
        ("PNG", rgb, {"save_all": True, "append_images": [rgb.rotate(9)]}),
        ("JPEG", rgb, {"exif": exif, "icc_profile": profile}),
        ("JPEG", rgb, {"progressive": True}),
        ("JPEG", rgb.convert("CMYK"), {}),
        ("WEBP", rgba, {"lossless": True}),
        ("WEBP", rgb, {"save_all": True, "append_images": [rgb.rotate(9)], "exif": exif}),
        ("GIF", rgb.quantize(16), {"save_all": True, "append_images": [rgb.quantize(9)]}),
        ("BMP", rgb, {}),
        ("TIFF", rgb, {"compression": "tiff_lzw", "icc_profile": profile}),
        ("TIFF", rgb.convert("LAB"), {}),
        ("TIFF", deep, {"compression": "tiff_deflate"}),
        ("TIFF", rgb, {"compression": "jpeg"}),
        ("AVIF", rgba, {"exif": exif}),
        ("AVIF", rgb, {"icc_profile": profile}),
    ]
    found = []
    for form, picture, options in kinds:
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        found.append((f"{form} {picture.mode} {', '.join(options)}", buffer.getvalue()))
    return found
