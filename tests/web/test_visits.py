"""What a visit is like: each fault that driving the site has found, and what it must do instead."""

from __future__ import annotations

import io
import json
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from pages import draw, kept, same, saved, seed_of, shown, until
from PIL import Image
from tiny import LATENT, SIZE, Tiny, enlarge, write_folder

from tfanime.core import seeds
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.sampling.generate import generate
from tfanime.sampling.words import narrowed

pytestmark = pytest.mark.slow


def look(page, view: str) -> None:
    page.get_by_role("button", name=view, exact=True).first.click()


def chips(page) -> list[str]:
    return page.locator(".chips button").all_inner_texts()


# ---- one, after many ---------------------------------------------------------------------------


def test_one_shows_what_the_address_says(visit, tiny):
    page = visit("#model=tiny&seed=7")
    look(page, "Many")
    page.wait_for_selector(".grid li:nth-child(8)")
    until(page, "location.hash.includes('view=many')")
    page.get_by_role("button", name="Draw again").click()
    until(page, "!/seed=7(&|$)/.test(location.hash)")
    page.get_by_role("button", name="Draw again").wait_for()
    look(page, "One")
    until(page, "!location.hash.includes('view=')")
    seed = seed_of(page)
    assert same(shown(page), tiny.draw(seed))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    assert download.value.suggested_filename == f"tiny-{seed}.png"
    look(page, "Many")
    page.get_by_role("radio", name="blue hair").check()
    page.get_by_role("button", name="Draw again").wait_for()
    look(page, "One")
    until(page, "!location.hash.includes('view=') && location.hash.includes('hair=blue')")
    assert same(shown(page), tiny.draw(seed, 0, {"hair": "blue"}))
    draw(page)
    look(page, "Many")  # which is of the seed before
    until(page, "document.querySelectorAll('.grid li').length === 8")
    page.get_by_role("button", name="Draw again").wait_for()
    tile = shown(page, ".grid li:nth-child(3) canvas")
    assert same(tile, tiny.draw(seed_of(page), 2, {"hair": "blue"}))


# ---- another model -----------------------------------------------------------------------------


def test_a_model_that_cannot_be_opened_says_so(visit, server, tiny):
    server.changes[r"/models/plain/shard"] = lambda data: None
    visit.allowed = ["404"]
    page = visit("#model=tiny&seed=5")
    page.get_by_label("Model").select_option("plain")
    page.get_by_role("alert").wait_for()
    assert "the server answered 404" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Back to tiny").click()
    assert same(shown(page), tiny.draw(5))
    # A slow one says how far it is, instead of the picture of the other model.
    go = threading.Event()
    server.changes[r"/models/plain/shard"] = lambda data: go.wait(60) and data
    page.get_by_label("Model").select_option("plain")
    page.wait_for_selector(".opening progress")
    assert page.locator(".frame canvas").count() == 0
    go.set()
    assert same(shown(page), Tiny("plain", None, 2).draw(5))


def test_a_large_model_is_asked_about_in_every_view(visit, folder, tiny):
    enlarge(folder, "plain")
    metered = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    page = visit("#model=tiny&seed=5", scripts=[metered])
    page.get_by_label("Model").select_option("plain")
    page.get_by_text("plain is 1.5 MB.").wait_for()
    page.get_by_role("button", name="Back to tiny").click()
    assert same(shown(page), tiny.draw(5))
    page.get_by_label("Model").select_option("plain")
    page.get_by_role("button", name="Download").click()
    assert same(shown(page), Tiny("plain", None, 2).draw(5))


# ---- fine tuning -------------------------------------------------------------------------------


def test_fine_tuning_is_seen_and_ends(visit, tiny):
    page = visit("#model=tiny&seed=2&hair=red&slider.blue_hair=0.95&truncation=0.5")
    assert "blue hair + red hair" in chips(page) and "Fine tuning" in chips(page)
    page.get_by_role("button", name="Leave all to chance").click()
    until(page, "!location.hash.includes('slider') && !location.hash.includes('hair')")
    z = seeds.truncate(seeds.latents(2, 1, LATENT), 0.5)
    row = to_signed(seeds.sample_labels(2, 1, tiny.schema))
    assert same(shown(page), tiny(z, row)[0])
    page.get_by_role("button", name="Fine tuning is on: reset it").click()
    until(page, "location.hash === '#model=tiny&seed=2'")
    assert same(shown(page), tiny.draw(2)) and "Fine tuning" not in chips(page)
    page.get_by_text("Fine tuning").click()
    page.get_by_text("A slider for every attribute").click()
    page.get_by_label("blue hair", exact=True).last.fill("0.9")
    page.get_by_label("glasses", exact=True).fill("0.3")
    until(page, "location.hash.includes('blue_hair=0.9') && location.hash.includes('glasses=0.3')")
    page.get_by_role("radio", name="red hair").check()
    until(page, "location.hash.includes('hair=red') && !location.hash.includes('blue_hair')")
    assert "slider.glasses=0.3" in page.url
    page.get_by_role("button", name="Reset", exact=True).click()
    until(page, "location.hash === '#model=tiny&seed=2&hair=red'")
    assert same(shown(page), tiny.draw(2, 0, {"hair": "red"}))


def test_python_draws_every_address(visit, tiny):
    address = "seed=7&index=2&hair=blue&truncation=0.8&vary=0.25&vary-seed=9"
    page = visit(f"#model=tiny&{address}&slider.glasses=0.3&slider.red_hair=-0.5")
    painter = SimpleNamespace(latent_dim=LATENT, height=SIZE, width=SIZE, schema=tiny.schema)
    Painter = type("Painter", (), {"__call__": lambda self, z, rows: tiny(z, rows)})
    drawing = Painter()
    drawing.__dict__.update(painter.__dict__)
    made = generate(
        drawing, 1, 7, {"hair": "blue"}, truncation=0.8, first=2, vary=0.25, vary_seed=9,
        sliders={"glasses": 0.3, "red_hair": -0.5},
    )  # fmt: skip
    assert np.abs(shown(page) - made.images[0].astype(int)).max() <= 1


# ---- words -------------------------------------------------------------------------------------


def test_words_say_what_was_not_understood(visit, tiny):
    page = visit("#model=tiny&seed=4")
    words = page.locator(".describe input")
    words.fill("no blue hair or glasses, a purple unicorn")
    words.press("Enter")
    answer = page.locator(".describe p")
    page.get_by_text("Not understood: purple unicorn").wait_for()
    kept = narrowed(tiny.schema, {"hair": ("blonde", "red")})
    hair = tiny.schema.decode(seeds.sample_labels(4, 1, kept)[0])["hair"]
    assert f"Understood: {hair} hair, no glasses" in answer.inner_text()
    until(page, f"location.hash.includes('hair={hair}&glasses=false')")
    assert same(shown(page), tiny.draw(4, 0, {"hair": hair, "glasses": False}))
    page.get_by_label("Language").select_option("ru")
    assert "Не понято: purple unicorn" in answer.inner_text()
    page.get_by_label("Язык").select_option("ja")
    words.fill("赤い髪、眼鏡あり")
    words.press("Enter")
    until(page, "location.hash.includes('hair=red&glasses=true')")


def test_genres_are_translated(visit, folder):
    medium = Field("medium", "group", ("anime", "film"), (0.5, 0.5))
    schema = LabelSchema((medium, Field("horror", "flag", (), (0.5,))))
    write_folder(folder, Tiny("posters", schema))
    page = visit("#seed=5", locale="ru")
    page.get_by_role("button", name="ужасы: случайно").wait_for()
    page.locator(".describe input").fill("фильм ужасов")
    page.locator(".describe input").press("Enter")
    until(page, "location.hash.includes('medium=film&horror=true')")


# ---- back, forward, addresses of views ---------------------------------------------------------


def test_back_and_forward(visit, tiny):
    page = visit("#model=tiny&seed=1")
    seeds = [1]
    for _ in range(2):
        draw(page)
        seeds.append(seed_of(page))
    assert len(set(seeds)) == 3
    for step, seed in [("back", 1), ("back", 0), ("forward", 1)]:
        page.evaluate(f"history.{step}()")
        until(page, f"/seed={seeds[seed]}(&|$)/.test(location.hash)")
        until(page, f"document.querySelector('.box input').value === '{seeds[seed]}'")
        assert same(shown(page), tiny.draw(seeds[seed]))
    assert page.locator(".history li").count() == 3
    look(page, "Many")
    page.wait_for_selector(".grid li:nth-child(8)")
    page.evaluate("history.back()")
    until(page, "!location.hash.includes('view=')")
    assert same(shown(page), tiny.draw(seeds[1]))


def test_addresses_of_many_and_of_a_transition(visit, tiny):
    page = visit("#model=tiny&view=many&count=3&seed=3&smile=true", wait=False)
    page.wait_for_selector(".grid li:nth-child(3)")
    page.get_by_role("button", name="Draw again").wait_for()
    assert page.locator(".grid li").count() == 3 and "view=many&count=3" in page.url
    tile = shown(page, ".grid li:nth-child(3) canvas")
    assert same(tile, tiny.draw(3, 2, {"smile": True}))
    ends = "from=model%3Dtiny%26seed%3D1%26hair%3Dred&to=model%3Dtiny%26seed%3D2"
    blend = f"#view=blend&frames=5&path=lerp&{ends}&model=tiny&seed=1"
    page = visit(blend, wait=False)
    page.wait_for_selector(".player")
    assert page.evaluate("location.hash") == blend
    z = [seeds.latents(seed, 1, LATENT)[0] for seed in (1, 2)]
    rows = [
        to_signed(seeds.sample_labels(seed, 1, tiny.schema, tags)[0])
        for seed, tags in ((1, {"hair": "red"}), (2, {}))
    ]
    t = np.linspace(0, 1, 5)
    expected = tiny(seeds.lerp(*z, t), seeds.lerp(*rows, t))
    with Image.open(io.BytesIO(saved(page, "Save APNG"))) as picture:
        assert picture.n_frames == 5
        for i in (0, 2, 4):
            picture.seek(i)
            assert same(np.asarray(picture.convert("RGB"), int), expected[i])


def test_a_transition_plays_as_its_file_does(visit):
    ticking = """
      const real = window.setInterval;
      window.setInterval = (work, ms, ...more) =>
        ms === 60 ? ((window.tick = work), 0) : real(work, ms, ...more);
    """
    ends = "from=model%3Dtiny%26seed%3D1&to=model%3Dtiny%26seed%3D2"
    page = visit(f"#view=blend&frames=4&{ends}&model=tiny&seed=1", wait=False, scripts=[ticking])
    page.wait_for_selector(".player")
    until(page, "Boolean(window.tick)")
    for wanted in (2, 3, 4, 1, 2):
        page.evaluate("window.tick()")
        page.get_by_role("img", name=f"Blend {wanted}", exact=True).wait_for()


ADDRESSES = {
    "#seed=1&seed=2": "seed is given once in an address",
    "#seed=1&view=three": "view is one of one, many, blend, explore",
    "#view=many&count=999": "count is a whole number from 2 to 20",
    "#view=blend&from=seed%3D-1&seed=1": "seed is a whole number",
    "#view=blend&from=model%3Dplain&seed=1": "from is a picture of the same model",
}


def test_bad_addresses_of_views(visit):
    first, *others = ADDRESSES
    page = visit(first)
    assert ADDRESSES[first] in page.locator(".note.bad").inner_text()
    for fragment in others:
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        sentence = json.dumps(ADDRESSES[fragment])
        until(page, f"document.querySelector('.note.bad').innerText.includes({sentence})")


# ---- pictures that stay ------------------------------------------------------------------------


def test_pictures_outlive_the_page(visit, tiny):
    page = visit("#model=tiny&seed=1")
    draw(page)
    draw(page)
    page.get_by_role("button", name="Add to your favourites: seed 1", exact=True).click()
    kept(page, 3, favourites=1)
    page.reload()
    page.wait_for_selector(".history li:nth-child(3)")
    assert page.locator(".history li").count() == 3
    page.get_by_label("Only favourites").check()
    assert page.locator(".history li").count() == 1
    page.get_by_role("button", name="Back to seed 1:").click()
    assert same(shown(page), tiny.draw(1))
    page.get_by_label("Only favourites").uncheck()
    more = page.get_by_role("button", name="Show all")
    more.click()
    tops = page.evaluate("[...document.querySelectorAll('.history li')].map(li => li.offsetTop)")
    assert len(tops) == 3 and page.locator(".history ul.all").count() == 1
    page.get_by_role("button", name="Show fewer").click()
    page.get_by_label("Only favourites").check()
    page.get_by_role("button", name="Forget the others").click()
    page.get_by_label("Only favourites").uncheck()
    assert page.locator(".history li").count() == 1
    kept(page, 1, favourites=1)
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")
    page.get_by_role("button", name="No longer a favourite: seed 1").wait_for()
    assert page.locator(".history li").count() == 1


# ---- phones ------------------------------------------------------------------------------------


def in_sight(page, box: dict) -> bool:
    size = page.viewport_size
    return (
        box["y"] >= 0 and box["y"] + box["height"] <= size["height"]
        and box["x"] >= 0 and box["x"] + box["width"] <= size["width"]
    )  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)])
def test_on_phones_the_picture_stays_in_sight(visit, site, width, height):
    phone = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": True}
    page = visit("#model=tiny&seed=1", service_workers="allow", **phone)
    page.get_by_role("button", name="Add to your favourites: seed 1", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    last = page.locator(".flag").last
    last.evaluate("flag => flag.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(100)
    frame = page.locator(".frame").bounding_box()
    button = page.locator(".sticky .main").bounding_box()
    flag = last.bounding_box()
    for box in (frame, button, flag):
        assert in_sight(page, box)
    assert frame["height"] >= 160

    def apart(a: dict, b: dict) -> bool:
        beside = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
        return beside or a["y"] + a["height"] <= b["y"] or b["y"] + b["height"] <= a["y"]

    assert apart(frame, button) and apart(frame, flag) and apart(button, flag)
    source = site.parents[1] / "node_modules" / "axe-core" / "axe.min.js"
    if source.is_file():
        page.evaluate(source.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run().then(r => r.violations)")
        assert [f"{v['id']}: {v['nodes'][0]['html']}" for v in found] == []


# ---- the rest ----------------------------------------------------------------------------------

CARD = """# Tiny

![sheet](sheet.png)
A **test** model, [elsewhere](https://example.org/) and [no](javascript:alert(1)).
<img src=x onerror=alert(1)>

| what | how |
|---|---|
| hair | `blue` |

- one
- two
  more

    tfanime generate
"""


def test_the_card_is_set(visit, folder):
    (folder / "models" / "tiny" / "MODEL_CARD.md").write_text(CARD)
    page = visit("#model=tiny&seed=1")
    page.get_by_role("button", name="About").click()
    card = page.locator(".card-text")
    card.get_by_role("heading", name="Tiny").wait_for()
    assert card.locator("th").all_inner_texts() == ["what", "how"]
    assert card.locator("td").all_inner_texts() == ["hair", "blue"]
    assert card.locator("li").all_inner_texts() == ["one", "two more"]
    assert card.locator("strong").inner_text() == "test"
    assert card.locator("pre").inner_text() == "tfanime generate"
    assert card.locator("a").count() == 1 and card.locator("img").count() == 0
    assert "<img src=x" in card.inner_text()


def test_a_backend_that_was_not_kept(visit, server):
    visit.allowed = ["ERR_", "Failed to (load|fetch)"]
    page = visit("#model=tiny&seed=1", service_workers="allow")
    page.wait_for_selector(".status[data-offline=true]")
    server.down = True
    page.evaluate("caches.keys().then(all => Promise.all(all.map(async name => {"
                  "const c = await caches.open(name); for (const r of await c.keys())"
                  "if (/backend-(webgl|cpu)/.test(r.url)) await c.delete(r); })))")  # fmt: skip
    page.get_by_text("Fine tuning").click()
    page.get_by_label("Compute with").select_option("cpu")
    page.get_by_text("cpu is not used: its code could not be loaded").wait_for()
    assert (
        page.evaluate("fetch('example.html').then(a => a.text(), () => 'nobody answers')")
        == "nobody answers"
    )
