"""Names as seeds, films, cards, and what else an address of the site says."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from pages import draw, same, saved, seed_of, shown, until
from PIL import Image
from test_visits import look
from test_wander import by_python, near, settled
from tiny import LATENT, Tiny, write_folder

from tfanime.core import seeds
from tfanime.core.labels import Field, LabelSchema, to_signed

pytestmark = pytest.mark.slow


# ---- names, days, films, cards -----------------------------------------------------------------


def test_a_name_has_a_face(visit, tiny):
    page = visit("#model=tiny&name=Ada")
    seed = seeds.seed_of("Ada")
    assert seed_of(page) == seed and same(shown(page), tiny.draw(seed))
    box = page.get_by_role("textbox", name="The face of a name")
    box.fill("さくら")
    box.press("Enter")
    seed = seeds.seed_of("さくら")
    until(page, f"location.hash === '#model=tiny&seed={seed}'")
    assert same(shown(page), tiny.draw(seed))
    today = page.evaluate("new Date().toISOString().slice(0, 10)")
    page.get_by_role("button", name="Face of the day").click()
    until(page, f"location.hash === '#model=tiny&seed={seeds.seed_of(today)}'")


def test_a_picture_comes_to_life(visit, tiny):
    page = visit("#model=tiny&seed=7")
    page.get_by_role("button", name="Bring to life").click()
    page.wait_for_selector(".row .soft:not(:disabled)")
    with Image.open(io.BytesIO(saved(page, "Save APNG"))) as film:
        assert film.n_frames == 24
        stills = []
        for i in range(24):
            film.seek(i)
            stills.append(np.asarray(film.convert("RGB"), int))
    assert same(stills[0], tiny.draw(7))  # it begins where it is, and comes back in even steps
    steps = [np.abs(stills[i] - stills[i - 1]).mean() for i in range(24)]
    assert 0 < max(steps) < 4 * np.mean(steps)
    turn = seeds.slerp(*(seeds.latents(s, 1, LATENT)[0] for s in (7, 8)), np.asarray([0.18]))
    row = to_signed(seeds.sample_labels(7, 1, tiny.schema))
    assert same(stills[12], tiny(turn, row)[0])
    video = saved(page, "Save WebM")
    assert video[:4] == b"\x1aE\xdf\xa3" and len(video) > 1000
    page.get_by_label("Frame").fill("12")
    assert near(shown(page), stills[12])
    draw(page)
    assert page.locator(".player").count() == 0
    assert same(shown(page), tiny.draw(seed_of(page)))


SHARED = """
  navigator.canShare = ({ files }) => files.every((file) => file.type === "image/png");
  navigator.share = async ({ files, url }) => {
    const image = await createImageBitmap(files[0]);
    window.shared = { url, name: files[0].name, size: [image.width, image.height] };
  };
"""


def test_cards_are_shared_or_saved(visit, tiny):
    page = visit("#model=tiny&seed=7&hair=blue")
    with Image.open(io.BytesIO(saved(page, "Save card"))) as card:
        assert card.size == (1080, 1080)
        face = np.asarray(card.convert("RGB").resize((36, 36)), float)
        assert face[6:22, 10:26].std() > 20  # the picture, and words below it
        assert np.asarray(card.convert("L"))[850:1040].min() < 80
    page = visit("#model=tiny&seed=7&hair=blue", scripts=[SHARED])
    page.get_by_role("button", name="Share", exact=True).click()
    until(page, "Boolean(window.shared)")
    found = page.evaluate("window.shared")
    assert found == {"url": page.url, "name": "tiny-7-card.png", "size": [1080, 1080]}


# ---- sliders -----------------------------------------------------------------------------------


ASKED = """
  const post = Worker.prototype.postMessage;
  window.drawings = 0;
  Worker.prototype.postMessage = function (data, ...given) {
    if (data.method === "generate") window.drawings++;
    post.call(this, data, ...given);
  };
"""
PULL = """slider => {
  for (let i = 0; i < 20; i++) {
    slider.stepDown();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""
REFUSE = """() => {
  history.pushState = history.replaceState = () => {
    throw new DOMException("Too many in so short a time.", "SecurityError");
  };
}"""


def test_a_slider_that_is_pulled_is_one_step_back(visit, tiny):
    """In every view, and what it passes is not drawn."""

    def drawn(sheet: int = 8) -> None:
        until(page, f"window.drawings >= {sheet}")
        page.get_by_role("button", name="Draw again").wait_for()
        assert page.evaluate("window.drawings") == sheet
        page.evaluate("() => { window.drawings = 0; }")

    page = visit("#model=tiny&seed=3", scripts=[ASKED])
    before = page.evaluate("history.length")
    page.get_by_label("year: any").evaluate(PULL)
    until(page, "location.hash.includes('year=')")
    settled(page)
    assert page.evaluate("history.length") == before + 1
    assert page.locator(".history li").count() == 2
    page.evaluate("() => { window.drawings = 0; }")
    look(page, "Many")
    drawn()
    page.get_by_text("Fine tuning").click()
    page.get_by_label("Typical or unusual").evaluate(PULL)
    drawn()
    until(page, "location.hash.includes('truncation=0')")
    assert page.evaluate("history.length") == before + 3
    page.evaluate("history.back()")
    drawn()
    assert "truncation" not in page.url and "view=many" in page.url
    # A browser that counts how often an address changes.
    page.evaluate(REFUSE)
    page.get_by_role("radio", name="blue hair").check()
    drawn()
    year = float(re.search(r"year=([\d.]+)", page.url).group(1))
    tile = shown(page, ".grid li:nth-child(8) canvas")
    assert same(tile, tiny.draw(3, 7, {"hair": "blue", "year": year}))


# ---- many --------------------------------------------------------------------------------------


# A busy browser tells late and together what came into sight and what left it.
LATE = """
  window.IntersectionObserver = class extends IntersectionObserver {
    constructor(tell, options) {
      super((seen) => tell([{ isIntersecting: false, target: seen[0].target }, ...seen]), options);
    }
  };
"""


def test_endless_pictures_give_back_their_memory(visit):
    page = visit("#model=tiny&seed=3", viewport={"width": 1000, "height": 600}, scripts=[LATE])
    look(page, "Many")
    page.get_by_label("Endless").check()
    page.wait_for_selector(".listed.endless")
    further = "document.querySelector('.listed').scrollTo(0, 1e6)"
    until(page, f"({further}, document.querySelectorAll('.grid li').length >= 68)")
    page.wait_for_timeout(300)
    assert page.locator(".grid canvas").count() < 50
    assert page.locator(".grid li").first.locator("canvas").count() == 0
    looks = page.locator(".looks").bounding_box()
    assert looks["y"] < 600  # they stay
    page.evaluate("document.querySelector('.listed').scrollTo(0, 0)")
    page.wait_for_selector(".grid li:first-child canvas")
    # Stop ends it, although the end of the list is in sight.
    page.evaluate(
        """() => new Promise((stopped) => {
          const press = () => {
            document.querySelector(".listed").scrollTo(0, 1e6);
            const button = document.querySelector(".sticky .main");
            if (button.textContent.trim() !== "Stop") return setTimeout(press, 1);
            button.click();
            stopped();
          };
          press();
        })"""
    )
    page.get_by_role("button", name="Draw again").wait_for()
    page.wait_for_timeout(300)
    count = page.locator(".grid li").count()
    page.wait_for_timeout(300)
    assert page.locator(".grid li").count() == count
    assert not page.get_by_label("Endless").is_checked()


def test_tfanime_json_is_fetched_once(visit):
    asked = []
    page = visit("#model=tiny&seed=3", wait=False)
    page.context.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")
    assert sum(url.endswith("tfanime.json") for url in asked) == 1


BAD = [
    ("#seed=1&name=Ada", "name is given instead of a seed"),
    ("#vary=0.1,0.2&vary-seed=5,6,7", "vary-seed is as many as vary has numbers"),
    ("#vary=0.1,2&vary-seed=5,6", "vary.strength is a number from 0 to 1"),
    ("#vary=0.1&vary-seed=5:-1", "vary.index is a whole number"),
    (f"#vary={','.join(['0.1'] * 17)}", "vary is a list of at most 16 entries"),
    ("#view=explore&spread=3", "spread is a number from 0.05 to 1"),
    ("#view=blend&locks=tail", "locks is one of hair, eyes, smile"),
]


REFUSALS = [
    ("ru", "#seed=-1", "seed — целое число от 0 до 9007199254740991. Получено: -1."),
    ("ru", "#hair=mauve", 'hair — одно из этих слов: blonde, blue, red. Получено: "mauve".'),
    ("ja", "#nonsense=1", "特徴は次のどれか（hair, eyes, smile, glasses, year）です。"),
    ("ja", "#seed=1&seed=2", "seedはアドレスに一度だけ書くものです。"),
    ("zh", "#slider.blue_hair=9", "blue_hair 应为-1 到 1 的数。收到：9。"),
    ("zh", "#vary=0.1,0.2&vary-seed=5,6,7", "vary-seed 应为与 vary 数量相同、以逗号分隔的数。"),
]


def test_bad_addresses_of_near_pictures_and_their_translations(visit):
    page = visit()
    for fragment, sentence in BAD:
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        page.locator(".note.bad").get_by_text(sentence).wait_for()
    for language, fragment, sentence in REFUSALS:
        page.locator("header select").last.select_option(language)
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        page.locator(".note.bad").get_by_text(sentence).wait_for()


def test_settings_of_earlier_versions(visit, tiny, tmp_path):
    page = visit("#model=tiny&seed=21")
    file = tmp_path / "settings.json"
    stored = {"format": "tfanime-settings-1", "seed": 5, "vary": {"seed": 9, "strength": 0.25}}
    file.write_text(json.dumps(stored))
    page.set_input_files("input[type=file]", file)
    until(page, "location.hash === '#model=tiny&seed=5&vary=0.25&vary-seed=9'")
    assert near(shown(page), by_python(page, tiny))


def test_russian_adjectives_agree(visit, folder):
    """Hair is not brown as eyes are, and what chance decides has no gender."""
    hair, eyes = (Field(name, "group", ("brown", "blue"), (0.5, 0.5)) for name in ("hair", "eyes"))
    write_folder(folder, Tiny("both", LabelSchema((hair, eyes, Field("smile", "flag")))))
    page = visit("#seed=5&hair=brown&eyes=brown", locale="ru")
    chips = page.locator(".chips button").all_inner_texts()
    assert chips[:2] == ["каштановые волосы", "карие глаза"]
    assert page.locator(".group legend span").all_inner_texts() == ["каштановые", "карие"]
    page.get_by_role("button", name="улыбка: случайно").wait_for()
    page.locator(".describe input").fill("без улыбки")
    page.locator(".describe input").press("Enter")
    page.get_by_text("Понято: улыбка: нет").wait_for()


def test_a_model_that_is_missing_says_so_in_chinese(visit, server):
    server.changes[r"/models/tiny/shard"] = lambda data: None
    visit.allowed = ["404"]
    page = visit(wait=False, locale="zh")
    page.get_by_role("alert").wait_for()
    said = page.get_by_role("alert").inner_text()
    assert "无法载入 models/tiny/shard-1.bin：服务器返回 404。" in said


def test_all_that_came_out_can_be_kept(visit, tiny):
    page = visit("#model=tiny&seed=5&hair=red&year=2001")
    page.get_by_role("button", name="Keep all").click()
    until(page, "location.hash.includes('glasses=')")
    drawn = {"hair": "red", "year": 2001}
    tags = tiny.schema.decode(seeds.sample_labels(5, 1, tiny.schema, drawn)[0])
    assert same(shown(page), tiny.draw(5, 0, {**tags, "year": 2001}))
    assert page.get_by_role("button", name="Keep all").is_disabled()
    draw(page)
    assert same(shown(page), tiny.draw(seed_of(page), 0, {**tags, "year": 2001}))
