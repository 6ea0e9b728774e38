"""Pictures near others: enlarged, mixed, explored, changed under a finger, by name, as films."""

from __future__ import annotations

import io
import re
from urllib.parse import quote

import numpy as np
import pytest
from pages import draw, same, saved, seed_of, shown, until
from PIL import Image
from test_visits import look
from tiny import LATENT, SIZE, Tiny, write_folder

from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.sampling.generate import generate

pytestmark = pytest.mark.slow


def doubled(picture: np.ndarray) -> np.ndarray:
    """What the test's upscaler makes of it."""
    return np.repeat(np.repeat(picture, 2, 0), 2, 1)


class Painter:
    """Tiny as what `tfanime.generate` draws with."""

    latent_dim, height, width = LATENT, SIZE, SIZE

    def __init__(self, tiny: Tiny):
        self.tiny, self.schema = tiny, tiny.schema

    def __call__(self, z, rows):
        return self.tiny(z, rows)


def by_python(page, tiny: Tiny, painter: Painter | None = None) -> np.ndarray:
    """What Python draws for the page's address, as docs/site.md says."""
    parts = dict(re.findall(r"[#&]([\w.-]+)=([^&]*)", page.url))
    options = {name: parts.pop(name) for name in ("seed", "index", "truncation") if name in parts}
    vary = [float(x) for x in parts.pop("vary", "").split(",") if x]
    seeds = [s.split(":") for s in parts.pop("vary-seed", "").split(",") if s]
    seeds = [int(s[0]) if len(s) == 1 else (int(s[0]), int(s[1])) for s in seeds]
    sliders = {k.removeprefix("slider."): float(v) for k, v in parts.items() if "slider." in k}
    move = {k.removeprefix("move."): float(v) for k, v in parts.items() if k.startswith("move.")}
    names = {field.name for field in tiny.schema.fields}
    words = {"true": True, "false": False}
    tags = {k: words.get(v, v) for k, v in parts.items() if k in names}
    made = generate(
        painter or Painter(tiny),
        1,
        int(options["seed"]),
        tags,
        float(options.get("truncation", 1)),
        int(options.get("index", 0)),
        vary=vary,
        vary_seed=seeds,
        sliders=sliders,
        move=move,
    )
    return made.images[0].astype(int)


def near(found: np.ndarray, expected: np.ndarray) -> bool:
    return found.shape == expected.shape and np.abs(found - expected).max() <= 1


def drag(page, selector: str, way: tuple[float, float], place=(0.5, 0.5)) -> None:
    """Moves the mouse over an element, by parts of its width and height."""
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for part in (0.2, 0.5, 1):
        page.mouse.move(x + part * way[0] * box["width"], y + part * way[1] * box["height"])
    page.mouse.up()


def settled(page) -> None:
    """Waits until nothing is drawn any more, and the address says so, which it does when a drag has
    rested for 250 ms: nothing may change for longer."""
    before, equal = None, 0
    for _ in range(200):
        now = page.evaluate("[location.hash, document.querySelectorAll('.busy').length]")
        equal = equal + 1 if now == before and not now[1] else 0
        if equal == 4:
            return
        before = now
        page.wait_for_timeout(80)
    raise AssertionError("the page never came to rest")


# ---- enlarged ----------------------------------------------------------------------------------


@pytest.fixture
def sharp(folder) -> Tiny:
    """The tiny model with an upscaler of its own, beside one without."""
    sharp = Tiny("sharp", upscaler="double")
    write_folder(folder, sharp, Tiny("plain", None, 2))
    return sharp


def test_pictures_are_enlarged(visit, sharp, server):
    asked = []
    server.changes[r"/models/double/shard"] = lambda data: asked.append(1) or data
    page = visit("#model=sharp&seed=7")
    until(page, "document.querySelector('.frame canvas').width === 32")
    assert asked == [1] and "large" not in page.url
    assert same(shown(page), doubled(sharp.draw(7)))
    with Image.open(io.BytesIO(saved(page, "Save PNG"))) as picture:
        assert same(np.asarray(picture.convert("RGB"), int), doubled(sharp.draw(7)))
    # The pictures that are kept are small, and are enlarged again.
    draw(page)
    until(page, "document.querySelector('.frame canvas').width === 32")
    assert page.locator(".history canvas").first.get_attribute("width") == "16"
    page.get_by_role("button", name="Back to seed 7:").click()
    until(page, "document.querySelector('.frame canvas').width === 32")
    assert same(shown(page), doubled(sharp.draw(7)))
    page.get_by_role("button", name="Bring to life").click()
    for name in ("GIF", "WebP"):
        page.wait_for_selector(".row .soft:not(:disabled)")
        with Image.open(io.BytesIO(saved(page, f"Save {name}"))) as film:
            assert (film.n_frames, film.size) == (24, (32, 32))
    page.get_by_role("button", name="Stop").click()
    look(page, "Blend")
    page.get_by_label("Frames").fill("3")
    page.locator(".sticky .main").click()
    page.wait_for_selector(".row .soft:not(:disabled) >> text=Save GIF")
    with Image.open(io.BytesIO(saved(page, "Save GIF"))) as film:
        assert (film.n_frames, film.size) == (3, (32, 32))
    look(page, "One")
    page.get_by_text("Fine tuning").click()
    page.get_by_label("Enlarged to 32 px").uncheck()
    until(page, "location.hash.includes('large=0')")
    settled(page)
    assert same(shown(page), sharp.draw(7))
    page.get_by_role("button", name="Reset", exact=True).click()
    until(page, "document.querySelector('.frame canvas').width === 32")
    page.get_by_label("Model").select_option("plain")
    until(page, "location.hash.startsWith('#model=plain')")
    assert same(shown(page), Tiny("plain", None, 2).draw(7))
    assert page.get_by_text("Enlarged to").count() == 0
    page.evaluate("() => { location.hash = '#model=plain&seed=8&large=1'; }")
    assert same(shown(page), Tiny("plain", None, 2).draw(8))
    page.get_by_role("button", name="Draw a new picture").click()
    until(page, "!/seed=8(&|$)/.test(location.hash)")


def test_the_small_picture_is_shown_at_once(visit, sharp, server):
    import threading

    go = threading.Event()
    server.changes[r"/models/double/shard"] = lambda data: go.wait(30) and data
    page = visit("#model=sharp&seed=7")
    assert same(shown(page), sharp.draw(7))
    page.get_by_text("Enlarging…").wait_for()
    page.wait_for_timeout(300)
    go.set()
    until(page, "document.querySelector('.frame canvas').width === 32")
    page.get_by_text("Enlarging…").wait_for(state="detached")
    # Enlarging is part of what the picture took, and it had to wait.
    said = page.locator(".status").inner_text()
    assert int(re.search(r"(\d+) ms", said).group(1)) >= 300


def test_an_upscaler_that_fails_leaves_the_small_picture(visit, sharp, server):
    server.changes[r"/models/double/shard"] = lambda data: None
    visit.allowed = ["404"]
    page = visit("#model=sharp&seed=7")
    page.get_by_text("This could not be enlarged").wait_for()
    assert same(shown(page), sharp.draw(7))
    assert page.get_by_role("button", name="Draw a new picture").is_enabled()


def test_a_backend_that_enlarges_wrongly_is_not_used(visit, sharp, server):
    broken = """
      for (const name of ["readPixels", "getBufferSubData"]) {
        const right = WebGL2RenderingContext.prototype[name];
        WebGL2RenderingContext.prototype[name] = function (...given) {
          right.apply(this, given);
          const pixels = given.find((x) => x instanceof Float32Array);
          if (pixels?.length > 2000) pixels.forEach((x, i) => { pixels[i] = -x; });
        };
      }
    """
    server.changes[r"/worker-[^/]*\.js$"] = lambda data: broken.encode() + data
    page = visit("#model=sharp&seed=7")
    page.get_by_text("Fine tuning").click()
    page.get_by_label("Compute with").select_option("webgl")
    page.get_by_text("webgl is not used: it draws another picture").wait_for()
    until(page, "document.querySelector('.frame canvas').width === 32")
    assert same(shown(page), doubled(sharp.draw(7)))
    page.get_by_role("button", name="Close").click()
    draw(page)
    until(page, "document.querySelector('.frame canvas').width === 32")
    assert same(shown(page), doubled(sharp.draw(seed_of(page))))
    assert page.locator(".note").count() == 0  # it is said once


def test_a_model_names_an_upscaler_that_is_there(visit, folder):
    write_folder(folder, Tiny("sharp", upscaler="triple"))
    page = visit(wait=False)
    page.get_by_role("alert").wait_for()
    said = page.get_by_role("alert").inner_text()
    assert 'models[0].upscaler is one of the upscalers. Received: "triple".' in said


# ---- under a finger ----------------------------------------------------------------------------


def test_a_finger_on_the_face_changes_it(visit, tiny):
    page = visit("#model=tiny&seed=7&hair=blonde&smile=false&glasses=false")
    drag(page, ".zone.mouth", (0.25, 0))
    until(page, "location.hash.includes('slider.smile')")
    settled(page)
    smile = float(re.search(r"slider.smile=([-\d.]+)", page.url).group(1))
    assert smile == pytest.approx(0, abs=0.05)
    assert near(shown(page), by_python(page, tiny))
    drag(page, ".zone.hair", (0.5, 0))
    until(page, "location.hash.includes('slider.red_hair')")
    settled(page)
    assert "hair=blue" in page.url  # one and a half values further
    assert near(shown(page), by_python(page, tiny))
    drag(page, ".zone.mouth", (0, 0.4))  # down scrolls, and changes nothing
    settled(page)
    assert f"slider.smile={smile:g}" in page.url
    zone = page.get_by_role("slider", name="smile", exact=True)
    zone.focus()
    zone.press("ArrowRight")
    zone.press("ArrowRight")
    until(page, "location.hash.includes('&smile=true')")
    eyes = page.get_by_role("slider", name="eyes", exact=True)
    assert eyes.get_attribute("aria-valuetext") in ("blue eyes", "green eyes")
    eyes.focus()
    eyes.press("ArrowRight")
    until(page, "/[&]eyes=(blue|green)/.test(location.hash)")
    settled(page)
    assert near(shown(page), by_python(page, tiny))
    assert page.locator(".history li").count() <= 6  # a drag is one picture


# ---- explore -----------------------------------------------------------------------------------


def test_neighbours_and_what_lies_between(visit, tiny):
    page = visit("#model=tiny&seed=7&hair=blue")
    look(page, "Explore")
    page.wait_for_selector(".around .tile:nth-child(9) canvas")
    assert page.evaluate("location.hash") == "#view=explore&model=tiny&seed=7&hair=blue"
    east = shown(page, ".around .tile:nth-child(6) canvas")
    z = seeds.slerp(*(seeds.latents(s, 1, LATENT)[0] for s in (7, 8)), np.asarray([0.3]))
    row = to_signed(seeds.sample_labels(7, 1, tiny.schema, {"hair": "blue"}))
    assert same(east, tiny(z, row)[0])
    # Half of the way there, under a finger.
    drag(page, ".frame.map", (0.25, 0))
    until(page, "location.hash.includes('vary=')")
    settled(page)
    assert re.search(r"vary=0.1[45]\d?&vary-seed=8$", page.url)
    assert near(shown(page), by_python(page, tiny))
    # By keyboard, to the left and upwards; what is shown has an address all the way.
    page.get_by_label("Left and right").fill("-1")
    page.get_by_label("Up and down").fill("-0.5")
    until(page, "location.hash.endsWith('vary=0.3,0.15&vary-seed=10,11')")
    settled(page)
    assert near(shown(page), by_python(page, tiny))
    here = shown(page)
    page.get_by_role("button", name="Go on from here").click()
    settled(page)
    assert (shown(page) == here).all()
    # One press goes to a neighbour, which then is in the middle of its own.
    page.wait_for_timeout(500)
    west = shown(page, ".around .tile:nth-child(4) canvas")
    page.get_by_role("button", name="← Go there:").click()
    until(page, "location.hash.endsWith('vary=0.3,0.15,0.3&vary-seed=10,11,10')")
    settled(page)
    assert near(shown(page), west) and near(west, by_python(page, tiny))
    page.get_by_label("How far").fill("0.5")
    page.get_by_role("button", name="Eight others").click()
    until(page, "location.hash.includes('ring=1&spread=0.5')")
    address = page.url
    page.reload()
    page.wait_for_selector(".around .tile:nth-child(9) canvas")
    assert page.url == address and near(shown(page), west)
    look(page, "One")
    assert near(shown(page), west)


def test_a_drag_is_one_step_back_and_one_picture(visit, tiny):
    page = visit("#model=tiny&seed=7")
    look(page, "Explore")
    page.wait_for_selector(".around .tile:nth-child(9) canvas")
    before = page.evaluate("history.length")
    box = page.locator(".frame.map").bounding_box()
    x, y = (box[side] + box[length] / 2 for side, length in (("x", "width"), ("y", "height")))
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(40):
        page.mouse.move(x + 2 * i, y + i)
        page.wait_for_timeout(10)
    page.mouse.up()
    until(page, "location.hash.includes('vary=')")
    settled(page)
    assert page.evaluate("history.length") == before + 1
    assert page.locator(".history li").count() == 2
    assert near(shown(page), by_python(page, tiny))
    page.evaluate("history.back()")
    until(page, "!location.hash.includes('vary=')")
    settled(page)
    assert same(shown(page), tiny.draw(7))


# ---- mixtures ----------------------------------------------------------------------------------


def test_a_mixture_of_two(visit, tiny):
    last = "model=tiny&seed=3&index=4&hair=blue&smile=false&truncation=0.5"
    ends = f"from={quote('model=tiny&seed=1&hair=red&smile=true')}&to={quote(last)}"
    page = visit(f"#view=blend&frames=3&{ends}&model=tiny&seed=1", wait=False)
    page.wait_for_selector(".player")
    page.get_by_label("Mixture").fill("0.4")
    until(page, "location.hash.includes('at=0.4')")
    settled(page)
    assert "vary=0.4&vary-seed=3:4" in page.url and "slider.red_hair=0.2" in page.url
    mixed = shown(page)
    assert near(mixed, by_python(page, tiny))
    page.get_by_role("group", name="As in the first:").get_by_role("button", name="hair").click()
    until(page, "location.hash.includes('locks=hair') && !location.hash.includes('red_hair')")
    settled(page)
    assert (shown(page) != mixed).any() and near(shown(page), by_python(page, tiny))
    kept, address = shown(page), page.url
    page.reload()
    page.wait_for_selector(".ends .frame canvas")
    until(page, "document.querySelector('.mixture input').value === '0.4'")
    settled(page)
    assert page.url == address and (shown(page) == kept).all()
    drag(page, ".frame.small", (0.3, 0))
    until(page, "location.hash.includes('at=0.7')")
    page.get_by_label("Mixture").fill("1")
    until(page, "location.hash.includes('at=1&')")
    for name in ("hair", "smile"):
        button = page.get_by_role("group", name="As in the first:").get_by_role("button", name=name)
        if button.get_attribute("aria-pressed") == "true":
            button.click()
    settled(page)
    look(page, "One")
    until(page, f"location.hash === '#{last}'")
