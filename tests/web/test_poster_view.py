"""A poster on the canvas of the site: after the rules of Python, readable, and saved as PNG."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs, urlencode

import numpy as np
import pytest
from pages import same, shown, until
from PIL import Image
from poster_model import POSTERS, SHOWN, write_posters
from scipy.ndimage import binary_dilation, uniform_filter
from test_phrases_read import PHRASE, say
from tiny import Tiny

from tfanime.core.images import to_uint8
from tfanime.posters.compose import Parts, compose
from tfanime.posters.palette import contrast

pytestmark = pytest.mark.slow

TEXTS = {
    "title": "The Last Swordsman",
    "tagline": "One blade. One night.",
    "credits": "a film by Mio Arai  directed by Ren Kuroda  music Hana Sato",
}
DRAWN = ".poster .frame:not(.busy) canvas"


@pytest.fixture
def folder(folder):
    write_posters(folder, Tiny())
    return folder


def address(seed: int = 11, pick: int = 2, held: dict | None = None, **words: str) -> str:
    said = urlencode({**TEXTS, "pick": pick, **words})
    return "#" + urlencode({"view": "poster", "poster": said, "seed": seed, **(held or {})})


def opened(visit, fragment: str, **options):
    page = visit(fragment, wait=False, **options)
    page.wait_for_selector(DRAWN)
    return page


def told(page) -> dict:
    """Where the type is, and in which colours."""
    canvas = page.locator(DRAWN)
    data = {name: canvas.get_attribute(f"data-{name}") for name in ("layout", "boxes", "colours")}
    return {name: json.loads(value) if "{" in value else value for name, value in data.items()}


def saved(page, button: str) -> Image.Image:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Image.open(io.BytesIO(download.value.path().read_bytes())).convert("RGB")


def draft(seed: int, pick: int, **held: bool) -> np.ndarray:
    return to_uint8(np.clip(POSTERS.draw(seed, pick, held), -1, 1))


# ---- after Python's rules ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "words", "parts"),
    [
        ({"action": "true"}, {}, {"style": "print", "face": "bold"}),
        (
            {"romance": "true"},
            {"layout": "bottom"},
            {"style": "mist", "face": "classic", "layout": "bottom"},
        ),
        (
            {"romance": "true"},
            {"title": "アオイ リュウ", "style": "print", "type": "bold"},
            {"style": "print", "face": "bold", "title": "アオイ リュウ"},
        ),
    ],
)
def test_it_is_the_poster_that_python_makes(visit, held, words, parts):
    page = opened(visit, address(held=held, **words))
    found = told(page)
    ground = draft(11, 2, **dict.fromkeys(held, True))
    made = compose(Parts(**{**TEXTS, "draft": ground, "seed": 11, **parts}), 1500, 1000)
    assert found["layout"] == made.layout
    assert found["boxes"].keys() == made.boxes.keys()
    for name, box in made.boxes.items():
        assert found["boxes"][name] == pytest.approx(box, abs=20), name
        assert found["colours"][name] == pytest.approx(made.colours[name], abs=13), name
    image = saved(page, "Save PNG")
    assert image.size == (1000, 1500)
    # Without dots and grain, which are not the same to the pixel.
    small, expected = (np.asarray(i.reduce(20), float) for i in (image, made.image))
    assert np.abs(small - expected).mean() < 4


def test_a_poster_without_a_figure_shows_its_draft_enlarged(visit, folder):
    write_posters(folder, Tiny(), posters=SHOWN)
    page = opened(visit, address(about="a red moon", type="bold"))
    ground = draft(11, 2)
    shown = ground.repeat(2, 0).repeat(2, 1)
    parts = {"draft": ground, "shown": shown, "style": "paint", "phrase": "a red moon", "seed": 11}
    made = compose(Parts(**{**TEXTS, **parts}), 1500, 1000)
    assert told(page)["layout"] == made.layout
    small, expected = (
        np.asarray(i.reduce(20), float) for i in (saved(page, "Save PNG"), made.image)
    )
    assert np.abs(small - expected).mean() < 4
    page.get_by_label("Figure").fill("blue hair")  # by genre again: another picture
    page.wait_for_timeout(100)
    page.wait_for_selector(DRAWN)
    assert np.abs(np.asarray(saved(page, "Save PNG").reduce(20), float) - small).mean() > 8


def test_type_can_be_read(visit):
    for seed, style in ((4, "mist"), (5, "print")):
        page = opened(visit, address(seed, style=style))
        found = told(page)
        image = np.asarray(saved(page, "Save PNG"), float)
        assert found["boxes"].keys() == TEXTS.keys()
        for name, (left, top, right, bottom) in found["boxes"].items():
            assert 0 <= left < right <= 1000 and 0 <= top < bottom <= 1500
            colour = np.float64(found["colours"][name])
            part = image[top:bottom, left:right]
            inked = np.abs(part - colour).max(-1) < 60
            assert 0.02 < inked.mean() < 0.9, name  # there is type, and it is no bar
            ground = ~binary_dilation(inked, iterations=4)
            # As an eye sees it: without the grain.
            share = uniform_filter(ground.astype(float), 9)
            seen = [uniform_filter(part[..., c] * ground, 9) for c in range(3)]
            behind = (np.dstack(seen) / np.maximum(share, 1e-9)[..., None])[ground & (share > 0.5)]
            assert contrast(colour, behind).min() >= 4.5, name


def test_a_print_is_as_large_as_its_paper(visit):
    page = opened(visit, address())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save A3 print").click()
    assert download.value.suggested_filename == "tfanime-poster-11-2-a3.png"
    image = Image.open(download.value.path())
    assert image.size == (2339, 3307)
    assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    screen = np.asarray(saved(page, "Save PNG").resize((200, 300)), float)
    print_ = np.asarray(image.convert("RGB").resize((200, 300)), float)
    assert np.abs(screen - print_).mean() < 6


# ---- the view ------------------------------------------------------------------------------------


def test_from_a_phrase_to_a_poster_by_keyboard(visit):
    page = visit("#seed=1")
    say(page, PHRASE)
    page.wait_for_selector(DRAWN)
    assert page.locator(".drafts button").count() == 8
    chosen = page.locator(".drafts button[aria-pressed=true]")
    assert chosen.count() == 1
    # Without a title the phrase is it.
    assert page.get_by_role("img", name="Poster: A Lonely Swordsman Under A Red Moon").count() == 1
    page.get_by_label("Title", exact=True).focus()
    page.keyboard.type("Red")
    page.keyboard.press("Tab")
    page.keyboard.type("One night.")
    until(page, f"document.querySelector('{DRAWN}')?.dataset.boxes.includes('tagline')")
    assert page.get_by_role("img", name="Poster: Red").count() == 1
    tops = []
    for place in ("top", "bottom"):
        page.get_by_label("Title stands").select_option(place)
        until(page, f"document.querySelector('{DRAWN}')?.dataset.layout === '{place}'")
        tops.append(told(page)["boxes"]["title"][1])
    assert tops[1] > max(700, tops[0])
    page.get_by_text("Its title stands at the bottom.").wait_for(state="attached")
    other = page.locator(".drafts button[aria-pressed=false]").first
    name = other.get_attribute("aria-label")
    other.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=name, pressed=True).wait_for()
    # The address brings all of it to another visitor.
    said = parse_qs(parse_qs(page.url.split("#")[1])["poster"][0])
    assert {k: v[0] for k, v in said.items()} == {
        "about": PHRASE,
        "title": "Red",
        "tagline": "One night.",
        "layout": "bottom",
        "pick": str(int(name.split()[1]) - 1),
    }
    page.wait_for_selector(DRAWN)
    mine = saved(page, "Save PNG").tobytes()
    other = opened(visit, "#" + page.url.split("#")[1])
    assert saved(other, "Save PNG").tobytes() == mine


def test_letters_that_the_fonts_lack_are_the_devices_own(visit):
    page = opened(visit, address(title="Красная луна"))
    page.get_by_text("set in this device's own type: Title.").wait_for()
    page.get_by_label("Title", exact=True).fill("Red moon")
    until(page, "!document.querySelector('.poster-words').innerText.includes('own type')")


def test_a_figure_is_a_face_of_the_other_model(visit):
    page = opened(visit, address(layout="top"))
    before = saved(page, "Save PNG")
    page.get_by_label("Figure").fill("blue hair and a plugh")
    page.get_by_text("Not understood: plugh").wait_for()
    page.wait_for_selector(DRAWN)
    middle = (300, 600, 700, 1200)
    difference = np.abs(
        np.asarray(before.crop(middle), float)
        - np.asarray(saved(page, "Save PNG").crop(middle), float)
    )
    assert difference.mean() > 10
    page.get_by_label("Figure").fill("")
    until(page, f"document.querySelector('{DRAWN}') !== null")


def test_a_site_of_posters_alone_has_no_figures(visit, folder):
    write_posters(folder)
    page = opened(visit, address())
    assert page.get_by_label("Figure").count() == 0


def test_a_model_without_posters_is_shown_alone(visit, server):
    server.changes["/models/posters/shard"] = lambda data: None
    visit.allowed = ["404"]
    page = visit("#model=tiny&seed=5")
    page.get_by_label("Model").select_option("posters")
    page.get_by_role("alert").wait_for()
    page.get_by_role("button", name="Poster", exact=True).click()
    page.get_by_role("button", name="Back to tiny").click()
    until(page, "location.hash === '#model=tiny&seed=5'")
    assert same(shown(page), Tiny().draw(5))


def test_a_wrong_poster_in_an_address_is_refused(visit):
    page = visit("#seed=1&view=poster&poster=layout%3Ddiagonal")
    page.get_by_text("poster.layout is one of auto, top, bottom, centre, vertical").wait_for()
    page.evaluate("() => { location.hash = '#model=tiny&seed=1&view=poster'; }")
    page.get_by_text("view is one of one, many, blend, explore").wait_for()
    page.evaluate("() => { location.hash = '#model=tiny&seed=1'; }")
    until(page, "document.querySelector('select.model').value === 'tiny'")
    names = page.locator(".tabs button").all_inner_texts()
    assert names == ["One", "Many", "Blend", "Explore"]


def test_axe_finds_nothing(visit, site):
    source = site.parents[1] / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip("axe-core is in web_export/node_modules, which this installation lacks")
    looks = {"reduced_motion": "reduce", "service_workers": "allow"}
    page = opened(visit, address(about=PHRASE), **looks)
    page.wait_for_selector(".odds")
    page.evaluate(source.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("axe.run().then(r => r.violations)")
        assert [f"{v['id']}: {v['nodes'][0]['html']}" for v in found] == [], scheme


@pytest.mark.parametrize(
    ("locale", "tab", "title"), [("ja", "ポスター", "タイトル"), ("zh", "海报", "标题")]
)
def test_it_speaks_the_visitors_language_on_a_phone(visit, locale, tab, title):
    page = opened(visit, address(), locale=locale, viewport={"width": 390, "height": 780})
    assert page.get_by_role("button", name=tab, exact=True).count() == 1
    assert page.get_by_label(title, exact=True).count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for card in page.locator(".card").all():
        assert card.evaluate("card => card.scrollWidth <= card.clientWidth")
