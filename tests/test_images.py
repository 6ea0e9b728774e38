import io
import struct
import threading
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import profiles
import pytest
from PIL import Image

from tfanime.core import animation, choices, decode, images


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
        np.testing.assert_array_equal(np.asarray(decode.read_image(file)), np.asarray(picture))


def test_transparency_is_laid_over_white():
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert corner(decode.read_image(encoded(half))) == (255, 127, 127)
    clear = Image.new("LA", (4, 4), (0, 0))
    assert corner(decode.read_image(encoded(clear))) == (255, 255, 255)


def test_palette_with_and_without_transparency():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert corner(decode.read_image(encoded(palette))) == (10, 20, 30)
    assert corner(decode.read_image(encoded(palette, transparency=1))) == (255, 255, 255)
    # Bytes in the tRNS chunk, one alpha a colour, make Pillow warn.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = encoded(palette, transparency=bytes([255, 0]))
        assert corner(decode.read_image(data)) == (255, 255, 255)


def test_transparent_colour_of_rgb():
    picture = Image.new("RGB", (4, 4), (1, 2, 3))
    data = encoded(picture, transparency=(1, 2, 3))
    assert corner(decode.read_image(data)) == (255, 255, 255)


def test_grey_cmyk_and_sixteen_bits():
    assert corner(decode.read_image(encoded(Image.new("L", (4, 4), 77)))) == (77,) * 3
    assert corner(decode.read_image(encoded(Image.new("1", (4, 4), 1)))) == (255,) * 3
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = corner(decode.read_image(encoded(cmyk, "JPEG", quality=100)))
    assert red[0] > 245 and red[1] < 10 and red[2] < 10
    deep = Image.fromarray(np.array([[0, 32896, 65535]], np.uint16))
    values = np.asarray(decode.read_image(encoded(deep)))[0, :, 0]
    np.testing.assert_array_equal(values, [0, 128, 255])


def test_exif_rotation():
    picture = Image.new("RGB", (16, 8), "white")
    picture.paste((0, 0, 0), (0, 0, 8, 8))  # left half black
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right to see it upright
    upright = decode.read_image(encoded(picture, "JPEG", exif=exif, quality=100))
    assert upright.size == (8, 16)
    assert upright.getpixel((4, 1))[0] < 20 and upright.getpixel((4, 14))[0] > 235


def test_broken_exif_does_not_spoil_a_picture():
    data = encoded(noise(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode.read_image(data).size == (40, 40)


@pytest.mark.parametrize(
    ("profile", "stored", "expected"),
    [
        (profiles.adobe_rgb(), (200, 60, 61), (230, 60, 61)),
        (profiles.display_p3(), (200, 60, 63), (217, 42, 56)),
        (profiles.srgb((1, 0, 2)), (200, 60, 61), (60, 200, 61)),  # red and green swapped
        (profiles.srgb((2, 0, 1)), (10, 20, 250), (20, 250, 10)),
    ],
)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_colours_of_a_profile_become_those_of_srgb(profile, stored, expected, form):
    options = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    }
    picture = Image.new("RGB", (8, 8), stored)
    data = encoded(picture, form, icc_profile=profile, **options.get(form, {}))
    np.testing.assert_allclose(corner(decode.read_image(data)), expected, atol=5)


def test_profiles_of_transparent_palette_and_grey_pictures():
    profile, stored, expected = profiles.display_p3(), (200, 60, 63), (217, 42, 56)
    half = encoded(Image.new("RGBA", (4, 4), (*stored, 128)), icc_profile=profile)
    over_white = [round(255 - (255 - value) * 128 / 255) for value in expected]
    np.testing.assert_allclose(corner(decode.read_image(half)), over_white, atol=3)
    kept = decode.read_image(half, alpha=True)
    assert kept.mode == "RGBA"
    np.testing.assert_allclose(kept.getpixel((0, 0)), (*expected, 128), atol=3)
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, *stored])
    found = corner(decode.read_image(encoded(palette, icc_profile=profile)))
    np.testing.assert_allclose(found, expected, atol=3)
    # Linear light: 128 / 255 is 0.502, in sRGB 0.737 of the full level.
    linear = profiles.grey_profile(1.0)
    deep = Image.fromarray(np.full((4, 4), 128 * 257, np.uint16))
    for grey in (Image.new("L", (4, 4), 128), deep, Image.new("LA", (4, 4), (128, 255))):
        found = corner(decode.read_image(encoded(grey, icc_profile=linear)))
        np.testing.assert_allclose(found, (188, 188, 188), atol=1)


def test_profiles_that_change_nothing():
    picture = noise()
    broken = b"\0" * 40 + b"acsp" + b"rubbish" * 30
    for profile in (profiles.srgb(), broken, profiles.grey_profile(1.0), bytes(5 * 2**20)):
        found = decode.read_image(encoded(picture, "TIFF", icc_profile=profile))
        np.testing.assert_array_equal(np.asarray(found), np.asarray(picture))
    grey = encoded(Image.new("L", (4, 4), 77), "JPEG", icc_profile=profiles.display_p3())
    assert corner(decode.read_image(grey)) == (77,) * 3


def test_strips_are_seamless(monkeypatch):
    layer = noise().convert("RGBA")
    layer.putalpha(noise(seed=1).convert("L"))
    data = encoded(layer, icc_profile=profiles.display_p3())
    deep = encoded(Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40))
    whole = [np.asarray(decode.read_image(file)) for file in (data, deep)]
    monkeypatch.setattr(decode, "STRIP_PIXELS", 7 * 40)
    parts = [np.asarray(decode.read_image(file)) for file in (data, deep)]
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_alpha_is_kept_on_request_where_there_is_any():
    opaque = encoded(noise().convert("RGBA"))
    assert decode.read_image(opaque, alpha=True).mode == "RGB"
    assert decode.read_image(encoded(noise()), alpha=True).mode == "RGB"
    keyed = encoded(Image.new("RGB", (4, 4), (1, 2, 3)), transparency=(1, 2, 3))
    assert decode.read_image(keyed, alpha=True).getpixel((0, 0)) == (1, 2, 3, 0)
    grey = encoded(Image.new("LA", (4, 4), (9, 70)))
    assert decode.read_image(grey, alpha=True).getpixel((0, 0)) == (9, 9, 9, 70)


def test_avif_is_read_or_named(monkeypatch):
    picture = Image.new("RGB", (16, 8), (200, 60, 61))
    data = encoded(picture, "AVIF", quality=100)
    found = decode.read_image(data)
    assert found.size == (16, 8)
    np.testing.assert_allclose(corner(found), (200, 60, 61), atol=4)
    with pytest.raises(ValueError, match="^damaged: "):
        decode.read_image(data[:40])
    monkeypatch.setattr(decode.features, "check", lambda feature: False)
    with pytest.raises(ValueError, match="^cannot be read: AVIF, .* pip install --upgrade pillow"):
        decode.read_image(data[:40])
    with pytest.raises(ValueError, match="^not a picture: HEIC"):
        decode.read_image(b"\0\0\0\x18ftypheic" + bytes(200))


def test_threads_share_the_room_for_pixels(monkeypatch):
    monkeypatch.setattr(decode, "_room", decode._Room(2 * 1600))
    lock, now, most = threading.Lock(), 0, 0

    def work(data):
        nonlocal now, most
        with decode.opened_image(data) as picture:
            pixels = picture.width * picture.height
            with lock:
                now += pixels
                most = max(most, now)
            time.sleep(0.002)
            with lock:
                now -= pixels

    files = [encoded(noise()), encoded(noise(20, 20)), encoded(noise(80, 80))] * 10
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, files))
    # The largest does not fit in, and is decoded alone.
    assert most == 80 * 80
    with pytest.raises(KeyError), decode.opened_image(files[0]):
        raise KeyError
    assert decode._room._taken == 0


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_first_frame_of_an_animation(form):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    red = corner(decode.read_image(data))
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
        (encoded(noise(), "AVIF")[:-600], "damaged: "),
    ],
)
def test_refusals_say_why_without_a_warning(data, reason):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError) as caught:
            decode.read_image(data)
    assert str(caught.value).startswith(reason)


def test_pixel_limit_and_unreadable_paths(tmp_path):
    with pytest.raises(ValueError, match="40 x 40, more than 1,599"):
        decode.read_image(encoded(noise()), pixel_limit=1599)
    (tmp_path / "x.png").mkdir()
    for path in (tmp_path / "x.png", tmp_path / "none.png"):
        with pytest.raises(ValueError, match="cannot be read: "):
            decode.read_image(path)


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
    for mode in choices.FITS:
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
        stored = decode.read_image(tmp_path / f"a.{ending}")
        np.testing.assert_array_equal(np.asarray(stored), picture)
    images.save_image(tmp_path / "a.jpg", picture)
    images.save_grid(tmp_path / "grid.png", np.stack([picture] * 3), columns=3)
    assert decode.read_image(tmp_path / "grid.png").size == (3 * 42 + 2, 44)
    with pytest.raises(ValueError, match=r"\.png, \.jpg, \.jpeg, \.webp"):
        images.save_image(tmp_path / "a.mp4", picture)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jpg", "a.png", "a.webp", "grid.png"]


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp"])
def test_save_animation(tmp_path, ending):
    frames = np.stack([np.asarray(noise(seed=i)) for i in range(4)])
    path = tmp_path / f"a{ending}"
    animation.save_animation(path, frames, milliseconds=40)
    with Image.open(path) as stored:
        assert stored.n_frames == 4 and stored.info["loop"] == 0
        stored.seek(3)
        stored.load()
        assert stored.info["duration"] == 40
        if ending == ".png":
            np.testing.assert_array_equal(stored.convert("RGB"), frames[3])
    with pytest.raises(ValueError, match="ends in"):
        animation.save_animation(tmp_path / "a.avi", frames)
