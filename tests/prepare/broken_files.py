"""Writes a folder with every kind of file that packing has to cope with."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def face(seed: int, height: int = 48, width: int = 48) -> Image.Image:
    """Smooth random colours: compressible, and unlike those of another seed."""
    values = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    return data


def good_files() -> dict[str, bytes]:
    """Name to bytes; all different pictures."""
    exif = Image.Exif()
    exif[0x0112] = 6
    grey16 = (np.asarray(face(6).convert("L")).astype(np.uint16)) * 257
    palette = face(7).quantize(16)
    frames = [face(8), face(108)]
    return {
        "1.png": encoded(face(1)),
        "2.jpg": encoded(face(2), "JPEG"),
        "10.webp": encoded(face(3), "WEBP"),
        "sub/rgba.png": encoded(face(4).convert("RGBA")),
        "sub/cmyk.jpg": encoded(face(5).convert("CMYK"), "JPEG"),
        "sub/deep.png": encoded(Image.fromarray(grey16)),
        "sub/palette.png": encoded(palette, transparency=0),
        "sub/moving.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "sub/turned.jpg": encoded(face(9, 40, 60), "JPEG", exif=exif),
        "é 顔.png": encoded(face(10)),
        "wrong_ending.jpg": encoded(face(11)),
    }


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Name to bytes and the reason for which they are left out."""
    return {
        "cut.png": (encoded(face(20))[:-900], "damaged"),
        "cut.jpg": (encoded(face(21), "JPEG", quality=95)[:-500], "damaged"),
        "cut.webp": (encoded(face(22), "WEBP", quality=95)[:-400], "damaged"),
        "cut_header.png": (encoded(face(23))[:12], "damaged"),
        "empty.png": (b"", "empty file"),
        "bomb.png": (bomb(), "too many pixels"),
        "words.png": (b"I am not a picture\n", "not a picture"),
        "page.jpg": (b"<!DOCTYPE html><html>404</html>", "not a picture"),
        "notes.txt": (b"notes", "not a picture"),
        "zeros.png": (bytes(1000), "not a picture"),
        "copy_of_1.png": (encoded(face(1)), "duplicate"),
        "recoded_1.bmp": (encoded(face(1), "BMP"), "duplicate"),
    }


def write_folder(root: Path, bad: bool = True) -> Path:
    files = dict(good_files())
    if bad:
        files |= {name: data for name, (data, _) in bad_files().items()}
        (root / "folder.png").mkdir(parents=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root
