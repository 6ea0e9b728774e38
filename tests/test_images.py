import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tfanime import images


def encoded(picture, form="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def noise(height=40, width=40, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def huge_png(width=30000, height=30000):
    """A PNG of a few bytes whose header promises 900 million pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(kind + body))
        chunks += struct.pack(">I", len(body)) + kind + body + check
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (64, (64, 64)),
        (np.int64(64), (64, 64)),
        ("64", (64, 64)),
        ("64x96", (96, 64)),
        (" 64 X 96 ", (96, 64)),
        ((96, 64), (96, 64)),
        ([96, 64], (96, 64)),
    ],
)
def test_parse_size(given, expected):
    assert images.parse_size(given) == expected


@pytest.mark.parametrize("given", [0, -1, "0", "64x", "a", "", 64.0, True, (1, 2, 3), None, "64x0"])
def test_parse_size_refuses(given):
    with pytest.raises(ValueError, match="Received"):
        images.parse_size(given)


def test_ranges_are_inverse_and_exact():
    levels = np.arange(256, dtype=np.uint8)
    floats = images.to_float(levels)
    assert floats.dtype == np.float32 and floats[0] == -1 and floats[255] == 1
    np.testing.assert_array_equal(images.to_uint8(floats), levels)
    np.testing.assert_array_equal(images.to_uint8([-7, 7, 0, -0.999]), [0, 255, 128, 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_to_uint8_refuses_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="1 NaN or infinite values among 2"):
        images.to_uint8([0.0, bad])


# ---- reading -----------------------------------------------------------------------------------


def corner(picture):
    assert picture.mode == "RGB"
    return picture.getpixel((0, 0))


def test_reads_path_bytes_and_file(tmp_path):
    picture = noise()
    data = encoded(picture)
    (tmp_path / "ü.png").write_bytes(data)
    for file in (tmp_path / "ü.png", str(tmp_path / "ü.png"), data, io.BytesIO(data)):
        np.testing.assert_array_equal(np.asarray(images.read_image(file)), np.asarray(picture))


def test_transparency_is_laid_over_white():
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert corner(images.read_image(encoded(half))) == (255, 127, 127)
    clear = Image.new("LA", (4, 4), (0, 0))
    assert corner(images.read_image(encoded(clear))) == (255, 255, 255)


def test_palette_with_and_without_transparency():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert corner(images.read_image(encoded(palette))) == (10, 20, 30)
    assert corner(images.read_image(encoded(palette, transparency=1))) == (255, 255, 255)
    # Bytes in the tRNS chunk, one alpha a colour, make Pillow warn.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = encoded(palette, transparency=bytes([255, 0]))
        assert corner(images.read_image(data)) == (255, 255, 255)


def test_transparent_colour_of_rgb():
    picture = Image.new("RGB", (4, 4), (1, 2, 3))
    data = encoded(picture, transparency=(1, 2, 3))
    assert corner(images.read_image(data)) == (255, 255, 255)


def test_grey_cmyk_and_sixteen_bits():
    assert corner(images.read_image(encoded(Image.new("L", (4, 4), 77)))) == (77,) * 3
    assert corner(images.read_image(encoded(Image.new("1", (4, 4), 1)))) == (255,) * 3
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = corner(images.read_image(encoded(cmyk, "JPEG", quality=100)))
    assert red[0] > 245 and red[1] < 10 and red[2] < 10
    deep = Image.fromarray(np.array([[0, 32896, 65535]], np.uint16))
    values = np.asarray(images.read_image(encoded(deep)))[0, :, 0]
    np.testing.assert_array_equal(values, [0, 128, 255])


def test_exif_rotation():
    picture = Image.new("RGB", (16, 8), "white")
    picture.paste((0, 0, 0), (0, 0, 8, 8))  # left half black
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right to see it upright
    upright = images.read_image(encoded(picture, "JPEG", exif=exif, quality=100))
    assert upright.size == (8, 16)
    assert upright.getpixel((4, 1))[0] < 20 and upright.getpixel((4, 14))[0] > 235


def test_broken_exif_does_not_spoil_a_picture():
    data = encoded(noise(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.read_image(data).size == (40, 40)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(form):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    red = corner(images.read_image(data))
    assert red[0] > 230 and red[2] < 20


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file: 0 bytes"),
        (b"just words", "not a picture: text"),
        ("日本語".encode() * 100, "not a picture: text"),
        (b"<!DOCTYPE html><html>", "not a picture: an HTML page"),
        (b"\0\1\2\3" * 50, "not a picture"),
        (encoded(noise())[:20], "damaged: "),
        (encoded(noise())[:10], "damaged: its header is cut"),
        (encoded(noise())[:-2000], "damaged: "),
        (encoded(noise(), "JPEG")[:-600], "damaged: "),
        (encoded(noise(), "WEBP")[:-600], "damaged: "),
        (encoded(noise(), "GIF")[:-600], "damaged: "),
        (huge_png(), "too many pixels"),
        (huge_png(11000, 10000), "too many pixels: 11,000 x 10,000"),
        (encoded(Image.new("F", (4, 4)), "TIFF"), "unknown range"),
        (encoded(Image.new("I", (4, 4), 70000), "TIFF"), "unknown range"),
    ],
)
def test_refusals_say_why_without_a_warning(data, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError) as caught:
            images.read_image(data)
    assert str(caught.value).startswith(reason)


def test_pixel_limit_and_unreadable_paths(tmp_path):
    with pytest.raises(ValueError, match="40 x 40, more than 1,599"):
        images.read_image(encoded(noise()), pixel_limit=1599)
    (tmp_path / "x.png").mkdir()
    for path in (tmp_path / "x.png", tmp_path / "none.png"):
        with pytest.raises(ValueError, match="cannot be read: "):
            images.read_image(path)


# ---- shaping and writing -----------------------------------------------------------------------


def thirds():
    """60 x 20: red, green, blue squares."""
    return Image.fromarray(
        np.repeat(np.eye(3, dtype=np.uint8) * 255, 20, axis=0)[None].repeat(20, 0)
    )


def test_fit_crop_keeps_the_part_in_focus():
    for x, colour in ((0.0, 0), (0.5, 1), (1.0, 2)):
        cut = np.asarray(images.fit(thirds(), 10, 10, "crop", (x, 0.5)))
        assert cut.shape == (10, 10, 3)
        assert (cut[2:-2, 2:-2].argmax(-1) == colour).all()


def test_fit_pad_keeps_everything_on_white():
    padded = np.asarray(images.fit(thirds(), 30, 30, "pad"))
    assert (padded[:9] == 255).all() and (padded[21:] == 255).all()
    assert padded[15, [4, 15, 26]].argmax(-1).tolist() == [0, 1, 2]
    top = np.asarray(images.fit(thirds(), 30, 30, "pad", (0.5, 0)))
    assert (top[10:] == 255).all() and not (top[:9] == 255).all()


def test_fit_is_antialiased():
    lines = np.zeros((64, 64, 3), np.uint8)
    lines[:, ::2] = 255  # finer than the small picture can show: it must turn grey
    small = np.asarray(images.fit(Image.fromarray(lines), 16, 16))
    assert small.min() > 100 and small.max() < 155


def test_fit_edge_cases():
    picture = noise(64, 64)
    assert images.fit(picture, 64, 64) is picture
    for mode in images.MODES:
        for size in ((1, 500), (500, 1), (1, 1)):
            assert images.fit(Image.new("RGB", size), 8, 16, mode).size == (16, 8)
    with pytest.raises(ValueError, match="crop, pad. Received: 'stretch'"):
        images.fit(picture, 8, 8, "stretch")
    with pytest.raises(ValueError, match="focus"):
        images.fit(picture, 8, 8, "crop", (0.5, 1.5))


def test_grid():
    tiles = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
    sheet = images.grid(tiles, columns=2, padding=1)
    assert sheet.shape == (3 * 5 + 1, 2 * 7 + 1, 3) and sheet.dtype == np.uint8
    for i in range(5):
        assert (sheet[1 + i // 2 * 5 :, 1 + i % 2 * 7 :][:4, :6] == i).all()
    assert (sheet[0] == 255).all() and (sheet[11:, 8:] == 255).all()
    assert images.grid(tiles).shape[1] == 3 * 8 + 2  # as square as possible
    with pytest.raises(ValueError, match="uint8"):
        images.grid(tiles.astype(np.float32))


def test_save_image_and_grid(tmp_path):
    picture = np.asarray(noise())
    for ending in ("png", "webp"):
        images.save_image(tmp_path / f"a.{ending}", picture)
        stored = images.read_image(tmp_path / f"a.{ending}")
        np.testing.assert_array_equal(np.asarray(stored), picture)
    images.save_image(tmp_path / "a.jpg", picture)
    images.save_grid(tmp_path / "grid.png", np.stack([picture] * 3), columns=3)
    assert images.read_image(tmp_path / "grid.png").size == (3 * 42 + 2, 44)
    with pytest.raises(ValueError, match=r"\.png, \.jpg, \.jpeg, \.webp"):
        images.save_image(tmp_path / "a.mp4", picture)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jpg", "a.png", "a.webp", "grid.png"]


@pytest.mark.parametrize("ending", images.ANIMATIONS)
def test_save_animation(tmp_path, ending):
    frames = np.stack([np.asarray(noise(seed=i)) for i in range(4)])
    path = tmp_path / f"a{ending}"
    images.save_animation(path, frames, milliseconds=40)
    with Image.open(path) as stored:
        assert stored.n_frames == 4 and stored.info["loop"] == 0
        stored.seek(3)
        stored.load()
        assert stored.info["duration"] == 40
        if ending == ".png":
            np.testing.assert_array_equal(stored.convert("RGB"), frames[3])
    with pytest.raises(ValueError, match="ends in"):
        images.save_animation(tmp_path / "a.mp4", frames)
