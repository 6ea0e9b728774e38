"""The parts of a poster: colours, calm, cut-outs, type, paper. None needs a model."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tfanime.core.choices import LAYOUTS, STYLES
from tfanime.posters import calm, type
from tfanime.posters.backdrop import as_shown, backdrop, grained, light, toned
from tfanime.posters.compose import Parts, compose, sampled, set_off, set_texts
from tfanime.posters.cutout import cut_out, faults, likeness
from tfanime.posters.faces import FOLDER, SHIPPED, face, face_for, is_japanese
from tfanime.posters.palette import (
    LEAST,
    contrast,
    luminance,
    named,
    of_lab,
    palette_of,
    readable,
    to_lab,
)
from tfanime.posters.paper import pixels_of


def draft(seed=0, low=20, high=200):
    """Soft blots of colour, as the model of posters draws them."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(low, high, (6, 4, 3), np.uint8))
    return np.asarray(small.resize((64, 96), Image.Resampling.BICUBIC))


# ---- colours -------------------------------------------------------------------------------------


def test_contrast_has_the_values_of_wcag():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((12, 200, 7), (12, 200, 7)) == pytest.approx(1)
    # #767676 is the lightest grey that may stand on white, #777777 is not.
    assert contrast((0x76,) * 3, (255,) * 3) == pytest.approx(4.54, abs=0.005)
    assert contrast((0x77,) * 3, (255,) * 3) == pytest.approx(4.48, abs=0.005)
    assert contrast((255, 0, 0), (255, 255, 255)) == pytest.approx(4.0, abs=0.005)
    assert luminance((255, 0, 0)) == pytest.approx(0.2126)


def test_a_colour_is_moved_until_it_can_be_read():
    behind = np.float64([[40, 40, 60], [70, 60, 80]])
    assert readable((250, 250, 240), behind) == (250, 250, 240)  # it can be already
    found = readable((120, 60, 60), behind)
    assert contrast(np.float64(found), behind).min() >= LEAST
    assert readable((128, 128, 128), np.float64([[0, 0, 0], [255, 255, 255]])) is None


def test_oklab_there_and_back():
    assert to_lab((255, 255, 255)) == pytest.approx([1, 0, 0], abs=1e-3)
    assert to_lab((0, 0, 0)) == pytest.approx([0, 0, 0], abs=1e-6)
    for colour in [(200, 40, 90), (12, 130, 200), (90, 90, 90)]:
        lightness, a, b = to_lab(colour)
        back = of_lab(lightness, float(np.hypot(a, b)), float(np.arctan2(b, a)))
        assert np.abs(np.subtract(back, colour)).max() <= 1


def test_a_palette_is_that_of_its_image():
    image = np.zeros((60, 40, 3), np.uint8)
    image[:, :] = (20, 20, 60)
    image[20:40, 10:30] = (230, 120, 20)
    palette = palette_of(image)
    hue = np.arctan2(*to_lab(palette.accent)[:0:-1])
    orange = np.arctan2(*to_lab((230, 120, 20))[:0:-1])
    assert hue == pytest.approx(orange, abs=0.1)
    assert not palette.day and palette.ink == palette.light
    assert palette_of(255 - image // 4).day
    for one in (palette, palette_of(255 - image // 4)):
        assert contrast(one.ink, one.paper) > 10


def test_a_colour_that_is_named_becomes_the_accent():
    red, blue = (palette_of(draft(), f"a {word} moon").accent for word in ("red", "blue"))
    assert red[0] > 2 * red[2] and blue[2] > 2 * blue[0]
    assert named("a bored swordsman") is None  # no red in it


# ---- calm ----------------------------------------------------------------------------------------


def test_the_calm_region_of_an_image_is_found():
    image = np.random.default_rng(0).integers(0, 255, (90, 60, 3), np.uint8)
    image[50:70, 10:50] = 128
    left, top, right, bottom = calm.calmest(calm.energy(image), 18, 38)
    assert (left, right, top, bottom) == (11, 49, 51, 69)
    within = (0, 0, 60, 50)
    assert calm.calmest(calm.energy(image), 18, 38, within)[3] <= 50
    with pytest.raises(ValueError, match="must fit into 60x50 pixels. Received: 70x18"):
        calm.calmest(calm.energy(image), 18, 70, within)


def test_the_energy_of_a_slope_is_its_steepness():
    ramp = np.repeat(np.arange(0, 120, 3, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert calm.energy(np.repeat(ramp, 20, axis=0)) == pytest.approx(3)


# ---- cut-outs ------------------------------------------------------------------------------------


def disc(side=128, radius=40, colour=(60, 90, 160)):
    """A disc with soft edges on white, and its alpha, 0 to 1."""
    big = Image.new("L", (8 * side, 8 * side))
    box = [8 * (side / 2 - radius), 8 * (side / 2 - radius)]
    ImageDraw.Draw(big).ellipse((*box, 8 * (side / 2 + radius), 8 * (side / 2 + radius)), fill=255)
    alpha = np.asarray(big.reduce(8), np.float64) / 255
    image = alpha[..., None] * colour + (1 - alpha[..., None]) * 255
    return np.uint8(np.rint(image)), alpha


def test_a_disc_on_white_gives_its_alpha_and_its_colour():
    image, alpha = disc()
    rgba = cut_out(image)
    assert np.abs(rgba[..., 3] / 255 - alpha).max() < 0.02
    assert np.abs(rgba[alpha > 0.3, :3].astype(int) - (60, 90, 160)).max() <= 4


def test_white_within_a_figure_stays():
    image, _ = disc()
    image[60:70, 60:70] = 255
    assert (cut_out(image)[60:70, 60:70, 3] == 255).all()
    # A fine crack from there to the ground lets none of it in.
    image[64:66, 60:] = 255
    assert (cut_out(image)[60:70, 60:70, 3] == 255).all()


def test_scraps_beside_a_figure_are_left_out():
    image, alpha = disc()
    image[4:8, 4:8] = (200, 30, 30)
    assert (cut_out(image)[:10, :10, 3] == 0).all()


def test_a_figure_that_is_cut_off_or_torn_is_marked_down():
    whole = cut_out(disc()[0])
    assert likeness(whole) > 0.99 and faults(whole) < 0.05
    assert faults(np.roll(whole, -40, axis=0)) > faults(whole) + 0.2  # its head is cut off
    torn = whole.copy()
    torn[30:60, 56:72, 3] = 0
    assert faults(torn) > faults(whole) + 0.2


# ---- grounds -------------------------------------------------------------------------------------


def test_light_uses_all_of_its_range_and_a_ramp_its_ends():
    values = light(draft())
    assert values.min() < 0.05 and values.max() > 0.95 and values.shape == (96, 64)
    ramp = np.float32([[0, 0, 0], [100, 0, 0], [100, 200, 50]])
    shades = toned(np.float32([[0, 0.25, 0.5, 1]]), ramp)
    np.testing.assert_allclose(shades[0], [[0, 0, 0], [50, 0, 0], ramp[1], ramp[2]])


@pytest.mark.parametrize("style", ["print", "mist"])
def test_grounds_are_the_same_for_the_same_seed(style):
    palette = palette_of(draft())
    one, two = (backdrop(draft(), palette, 300, 200, style) for _ in range(2))
    assert one.tobytes() == two.tobytes() and one.size == (200, 300)
    assert grained(one, style, 3).tobytes() == grained(two, style, 3).tobytes()
    assert grained(one, style, 3).tobytes() != grained(one, style, 4).tobytes()


def test_a_draft_as_it_is_shown_fills_the_ground():
    halves = np.zeros((40, 20, 3), np.uint8)
    halves[:20, :, 0], halves[20:, :, 2] = 200, 100
    ground = np.asarray(as_shown(halves, 400, 200))
    assert ground.shape == (400, 200, 3)
    assert (ground[:180] == [200, 0, 0]).all() and (ground[220:] == [0, 0, 100]).all()
    # Of an image that is wider than the poster the middle stays.
    wide = np.zeros((30, 60, 3), np.uint8)
    wide[:, 20:40, 1] = 255
    assert (np.asarray(as_shown(wide, 300, 200))[:, 4:-4] == [0, 255, 0]).all()


# ---- type ----------------------------------------------------------------------------------------

WORDS = """a I W the of moon last swordsman Incomprehensibility Ångström Éclair señor j'accuse
Zzz Qy gypsy 2049 -- (no) Straße ... naïve Donaudampfschifffahrtsgesellschaft"""


def titles(count=50):
    """Of one letter to 120, accents, descenders and words that do not end."""
    random = np.random.default_rng(5)
    found = ["W", "j", "x" * 120, "Å", "gy " * 40, "I am", "ー", "カ" * 60, "アカイ、ツキ。"]
    while len(found) < count:
        words = random.choice(WORDS.split(), random.integers(1, 14))
        found.append(" ".join(words)[:120].strip())
    return found


@pytest.mark.parametrize("usual", ["bold", "classic"])
def test_a_title_never_leaves_the_canvas(usual):
    """Drawn on a mask with a border around the canvas, where nothing may fall."""
    height, width, border = 375, 250, 60
    flat = np.zeros((150, 100))
    for i, title in enumerate(titles()):
        layout = "vertical" if is_japanese(title) else ("top", "centre", "bottom")[i % 3]
        parts = Parts(draft(), title, tagline="W" * 30, credits="by Wim Åge " * 6, face=usual)
        for name, lines in set_texts(parts, layout, flat, height, width).items():
            mask = Image.new("L", (width + 2 * border, height + 2 * border))
            for line in type.moved(lines, border, border):
                line.draw(mask)
            ink = np.asarray(mask) > 0
            assert ink.any(), (title, name)
            ink[border:-border, border:-border] = False
            assert not ink.any(), (title, name, layout)


def test_justified_lines_are_as_wide_as_their_box():
    lines = type.block("THE LAST SWORDSMAN", face("bold"), 800, 400, justified=True)
    assert [line.text for line in lines] == ["THE LAST", "SWORDSMAN"]
    left, top, right, bottom = type.extent(lines)
    assert left >= 0 and right <= 800 and top == 0 and bottom <= 400
    assert min(line.width for line in lines) > 0.93 * max(line.width for line in lines)


def test_a_title_is_as_large_as_its_box_allows():
    (line,) = type.block("MOON", face("bold"), 600, 10_000)
    assert 0.95 * 600 <= line.width <= 600


def test_letters_are_spaced():
    one, other = face("classic").width("MOON"), face("classic").width("MOON", 0.1)
    assert other == pytest.approx(one + 0.3)


def test_credits_set_names_large_and_stay_together():
    text = "directed by Mio Arai music Ren Sato"
    assert type.units(text) == [["directed", "by", "Mio", "Arai"], ["music", "Ren", "Sato"]]
    lines = type.credits(text, face("credits"), 200, 200, 20)
    sizes = {line.text: line.size for line in lines}
    assert sizes["MIO"] == sizes["SATO"] > sizes["DIRECTED"] == sizes["MUSIC"]
    rows = {line.text: line.baseline for line in lines}
    assert rows["MIO"] == rows["ARAI"] and rows["REN"] == rows["SATO"]


def test_japanese_is_set_from_the_top_and_bars_are_turned():
    lines = type.column("アカイー", face("kana"), 100, 400, 80)
    assert [line.text for line in lines] == list("アカイー")
    assert all(a.baseline < b.baseline for a, b in zip(lines, lines[1:], strict=False))
    assert [line.turned for line in lines] == [False, False, False, True]
    mask = Image.new("L", (100, 400))
    lines[-1].draw(mask)
    left, top, right, bottom = mask.getbbox()
    assert bottom - top > 2 * (right - left)


def test_fonts_are_free_small_and_complete():
    assert sum((FOLDER / name).stat().st_size for name in SHIPPED.values()) <= 120_000
    licence = (FOLDER / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    for name in SHIPPED.values():
        assert name in licence
    assert not face("bold").missing("The Åland Çedilla ñ, 'quoted' – 100%!")
    assert not face("kana").missing("あいうえおアイウエオー、。「」Moon 7")


def test_what_a_font_lacks_is_said(tmp_path):
    with pytest.raises(ValueError, match="lacks '赤月'. Give a font file"):
        face_for("赤い月", None, "bold")
    with pytest.raises(ValueError, match="'nofont', which is no file"):
        face("nofont")
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(ValueError, match="A font is a .ttf or .otf file"):
        face(broken)


def test_kanji_are_set_where_a_font_for_them_is_installed(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"pip install '\.\[kanji\]' in a checkout"):
        face_for("赤い月", None, "bold")
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for i, point in enumerate([(0, 0), (0, 800), (800, 800), (800, 0)]):
        (pen.lineTo if i else pen.moveTo)(point)
    pen.closePath()
    square, names = pen.glyph(), [".notdef", "one", "two", "three"]
    font = FontBuilder(1000)
    font.setupGlyphOrder(names)
    font.setupCharacterMap(dict(zip(map(ord, "赤い月"), names[1:], strict=True)))
    font.setupGlyf(dict.fromkeys(names, square))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupOS2()
    font.setupPost()
    folder = tmp_path / "matplotlib_fontja" / "fonts"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError", encoding="utf-8")
    font.save(folder / "ipaexg.ttf")
    monkeypatch.syspath_prepend(tmp_path)
    assert face_for("赤い月", None, "bold").path == str(folder / "ipaexg.ttf")
    assert face_for("アカイ", None, "bold") is face("kana")
    with pytest.raises(ValueError, match="lacks '赤月'"):
        face_for("赤い月", "kana", "bold")


# ---- the whole -----------------------------------------------------------------------------------


def composed(size=(375, 250), **changes):
    parts = {"title": "Red Moon", "tagline": "One night.", "credits": "directed by Mio Arai"}
    return compose(Parts(**{"draft": draft(), **parts, **changes}), *size)


@pytest.mark.parametrize("layout", LAYOUTS[1:4])
@pytest.mark.parametrize("low, high", [(0, 60), (20, 200), (0, 255), (190, 255)])
def test_type_can_be_read_wherever_it_is(layout, low, high):
    made = composed((750, 500), draft=draft(3, low, high), layout=layout)
    for name, box in made.boxes.items():
        behind = sampled(made.before, box, (0, 0, 0), 0.0)
        assert contrast(made.colours[name], behind).min() >= LEAST, name


def test_a_scrim_comes_only_where_it_must():
    dark = Image.new("RGB", (200, 300), (20, 20, 30))
    canvas, colour = set_off(dark, (20, 20, 180, 80), (240, 240, 230), (10, 10, 20))
    assert canvas is dark and colour == (240, 240, 230)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8))
    canvas, colour = set_off(noise, (20, 20, 180, 80), (240, 240, 230), (10, 10, 20))
    assert canvas.getpixel((199, 299)) == noise.getpixel((199, 299))
    part = sampled(canvas, (20, 20, 180, 80), (0, 0, 0), 0.0)
    assert contrast(colour, part).min() >= LEAST


def test_the_title_goes_where_the_image_is_calm():
    image = np.random.default_rng(0).integers(0, 255, (96, 64, 3), np.uint8)
    image = np.asarray(Image.fromarray(image).resize((16, 24)).resize((64, 96)))
    top, bottom = image.copy(), image.copy()
    top[:34], bottom[54:] = 60, 60
    assert composed(draft=top).layout == "top"
    assert composed(draft=bottom).layout == "bottom"
    assert composed(title="アカイ ツキ").layout == "vertical"
    assert composed(title="アカイ ツキ", layout="top").layout == "top"


@pytest.mark.parametrize("style", STYLES)
def test_same_parts_same_bytes(style):
    figure = cut_out(disc()[0])
    one, two = (composed(style=style, figure=figure, phrase="a red moon") for _ in range(2))
    assert one.image.tobytes() == two.image.tobytes()
    assert one.image.tobytes() != composed(style=style, phrase="a red moon").image.tobytes()


def test_paint_leaves_the_middle_of_the_draft_in_view():
    shown = np.full((384, 256, 3), (0, 90, 0), np.uint8)
    made = composed(style="paint", shown=shown, phrase="a red moon", seed=1)
    face = np.asarray(made.before, float)[120:180, 100:150]
    assert np.abs(face - (0, 90, 0)).mean() < 6  # grain only: no moon, and no ground of its own
    calm_in_the_middle = draft().copy()
    calm_in_the_middle[36:60] = 60
    assert composed(draft=calm_in_the_middle).layout == "centre"
    assert composed(draft=calm_in_the_middle, style="paint", shown=shown).layout == "bottom"
    with_figure = composed(style="paint", shown=shown, figure=cut_out(disc()[0]))
    assert with_figure.layout in ("top", "bottom")


def test_a_print_is_the_same_poster_at_the_size_of_its_paper():
    assert pixels_of("a3", 200) == (3307, 2339) and pixels_of("b2", 100) == (2783, 1969)
    small, large = composed((420, 297)), composed((840, 594))
    assert small.layout == large.layout
    for name, box in small.boxes.items():
        assert np.abs(np.divide(large.boxes[name], 2) - box).max() < 8, name
