"""Directions in the browser: as Python follows them, by address, slider and finger."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from pages import draw, kept, kept_before, reopened, same, shown, until
from test_visits import chips, look
from test_wander import Painter, by_python, drag, near, settled
from tiny import LATENT, Tiny, write_folder

from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.zoo.directions import WEIGHTS, Direction, store_directions

pytestmark = pytest.mark.slow


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=LATENT)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


SMILE = Direction("smile", "tagger", unit(1), {"smile": 0.02})
PCA = Direction("pca-1", "pca", unit(2), {"long_hair": -0.01, "red_eyes": 0.005})


@pytest.fixture
def led(folder, tmp_path) -> Painter:
    """The tiny model with two directions, on the site and as what Python draws with."""
    tiny = Tiny(directions=[SMILE, PCA])
    write_folder(folder, tiny, Tiny("plain", None, 2))
    painter = Painter(tiny)
    painter.name, painter.folder = "tiny", tmp_path / "stored"
    painter.folder.mkdir()
    (painter.folder / WEIGHTS).write_bytes(b"weights")
    store_directions(painter.folder, [SMILE, PCA], {})
    return painter


def move_of(page, name: str) -> float:
    return float(re.search(rf"move\.{name}=([-\d.]+)", page.url).group(1))


def test_an_address_moves_as_python_does(visit, led, tiny):
    page = visit("#model=tiny&seed=7&hair=blue&smile=false&move.smile=4.5&move.pca-1=-7")
    assert near(shown(page), by_python(page, tiny, led))
    # And by hand: the noise, and what the two steps add to it.
    z = seeds.latents(7, 1, LATENT) + np.float32(4.5) * SMILE.vector - np.float32(7) * PCA.vector
    tags = {"hair": "blue", "smile": False}
    rows = to_signed(seeds.sample_labels(7, 1, tiny.schema, tags))
    assert same(shown(page), tiny(z.astype(np.float32), rows)[0])
    assert not same(shown(page), tiny.draw(7, 0, tags))
    tuned = "truncation=0.5&vary=0.3&vary-seed=5&move.pca-1=6"
    page.evaluate("fragment => { location.hash = fragment; }", f"#model=tiny&seed=7&{tuned}")
    until(page, "document.querySelectorAll('.history li').length === 2")
    settled(page)
    assert near(shown(page), by_python(page, tiny, led))  # after truncation and variation


def test_a_finger_on_the_mouth_goes_along_the_direction(visit, led, tiny):
    page = visit("#model=tiny&seed=7&hair=blonde&smile=false")
    drag(page, ".zone.mouth", (0.25, 0))
    until(page, "location.hash.includes('move.smile')")
    settled(page)
    assert move_of(page, "smile") == pytest.approx(5, abs=0.2)  # a quarter of -10 to 10
    assert "slider.smile" not in page.url and "smile=false" in page.url
    assert near(shown(page), by_python(page, tiny, led))
    zone = page.get_by_role("slider", name="smile", exact=True)
    zone.focus()
    for _ in range(9):
        zone.press("ArrowRight")
    until(page, "/move.smile=10(&|$)/.test(location.hash)")
    assert zone.get_attribute("aria-valuenow") == "10"
    drag(page, ".zone.hair", (0.4, 0))  # which no direction is found for
    until(page, "location.hash.includes('red_hair')")
    settled(page)
    assert near(shown(page), by_python(page, tiny, led))
    # Another seed smiles as much.
    draw(page)
    assert "move.smile=10" in page.url and "Fine tuning" in chips(page)
    page.get_by_role("button", name="Leave all to chance").click()
    until(page, "!/move|slider|hair/.test(location.hash)")


def test_a_real_finger_does_it_too(visit, led, tiny):
    """Touches, as a screen sends them: sideways is the page's, up and down scrolls."""
    size = {"width": 390, "height": 844}
    page = visit("#model=tiny&seed=7&smile=false", viewport=size, has_touch=True, is_mobile=True)
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        listed = [{"x": x, "y": y} for x, y in points]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})

    def swipe(dx: float, dy: float) -> None:
        box = page.locator(".zone.mouth").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        touch("touchStart", (x, y))
        for part in range(1, 11):
            touch("touchMove", (x + part / 10 * dx * box["width"], y + part / 10 * dy))
            page.wait_for_timeout(20)
        touch("touchEnd")

    swipe(-0.3, 0)
    until(page, "location.hash.includes('move.smile')")
    settled(page)
    assert -7 < move_of(page, "smile") < -5  # what the finger went before it was a drag may count
    assert near(shown(page), by_python(page, tiny, led))
    before = page.url
    swipe(0, -200)
    until(page, "scrollY > 50")
    settled(page)
    assert page.url == before


def test_directions_have_sliders(visit, led, tiny):
    page = visit("#model=tiny&seed=3")
    page.get_by_text("Fine tuning").click()
    page.get_by_text("A slider for every direction").click()
    part = page.locator(".directions")
    assert part.locator("label").all_text_contents() == ["smile", "pca-1"]
    assert part.locator(".slider p").all_text_contents() == ["long hair −, red eyes +"]
    part.get_by_label("pca-1", exact=True).fill("-3.5")
    until(page, "location.hash.includes('move.pca-1=-3.5')")
    settled(page)
    assert near(shown(page), by_python(page, tiny, led))
    part.get_by_label("smile", exact=True).fill("2")
    until(page, "location.hash.includes('move.smile=2')")
    part.get_by_role("button", name="Leave pca-1 as it was").click()
    until(page, "location.hash === '#model=tiny&seed=3&move.smile=2'")
    settled(page)
    assert near(shown(page), by_python(page, tiny, led))
    page.get_by_label("Model").select_option("plain")  # has none
    until(page, "location.hash === '#model=plain&seed=3'")
    assert page.locator(".directions").count() == 0


def test_a_mixture_lies_between_the_moves_too(visit, led, tiny):
    ends = ["seed=4&move.smile=6", "seed=4&move.pca-1=-4"]
    ends = [f"model%3Dtiny%26{end.replace('=', '%3D').replace('&', '%26')}" for end in ends]
    page = visit(f"#view=blend&from={ends[0]}&to={ends[1]}&model=tiny&seed=4", wait=False)
    page.get_by_label("Mixture").wait_for()
    page.get_by_label("Mixture").fill("0.25")
    until(page, "location.hash.includes('at=0.25')")
    settled(page)
    assert move_of(page, "smile") == 4.5 and move_of(page, "pca-1") == -1
    drawn = shown(page, ".frame canvas")
    assert near(drawn, by_python(page, tiny, led))


def test_neighbours_keep_the_move(visit, led, tiny):
    page = visit("#model=tiny&seed=7&move.smile=5")
    look(page, "Explore")
    page.wait_for_selector(".around .tile:nth-child(9) canvas")
    page.locator(".around .tile").first.click()
    until(page, "location.hash.includes('vary=')")
    settled(page)
    assert move_of(page, "smile") == 5
    assert near(shown(page, ".map canvas"), by_python(page, tiny, led))


def test_settings_and_pictures_of_before_there_were_directions(visit, led, tiny, tmp_path):
    page = visit("#model=tiny&seed=7&move.smile=5")
    kept(page, 1)
    kept_before(page, "settings.move", "settings.latent")
    page.goto(page.url.split("#")[0] + "#model=tiny&seed=9")
    page.reload()
    page.wait_for_selector(".history li:nth-child(2)")
    page.get_by_role("button", name="Back to seed 7:").click()
    until(page, "/seed=7$/.test(location.hash)")
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"format": "tfanime-settings-1", "model": "tiny", "seed": 7}))
    page.get_by_text("Fine tuning").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("Settings loaded.").wait_for()


BAD = {
    "#model=tiny&seed=1&move.smile=21": "move.smile is a number from -20 to 20",
    "#model=tiny&seed=1&move.smile=far": "move.smile is a number",
    "#model=tiny&seed=1&move.frown=1": "A direction is one of smile, pca-1",
    "#model=tiny&seed=1&move.__proto__=1": "A direction is one of smile, pca-1",
    "#model=plain&seed=1&move.smile=1": "This model has no directions",
}


def test_bad_moves_in_addresses(visit, led):
    page = visit(next(iter(BAD)))
    for fragment, sentence in BAD.items():
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        said = json.dumps(sentence)
        until(page, f"document.querySelector('.note.bad').innerText.includes({said})")


def test_damaged_directions_are_refused(visit, folder, led):
    def short(directions):
        directions[0]["vector"] = directions[0]["vector"][:8]

    def twice(directions):
        directions[1]["name"] = "smile"

    def beyond(directions):
        directions[0]["changes"] = [["smile", 7]]

    def of(damage):
        return lambda manifest: damage(manifest["models"][0]["directions"])

    for page in reopened(visit, folder, map(of, (short, twice, beyond))):
        assert "models[0].directions" in page.get_by_role("alert").inner_text()


MODULE = """async () => {
  const { Generator } = await import("./tfanime.js");
  const generator = await Generator.load(".", { model: "tiny", backend: "wasm" });
  const { pixels } = await generator.generate({ seed: 7, move: { smile: 3 } });
  const failed = await generator.generate({ move: { frown: 1 } }).catch((error) => error.message);
  return { pixels: [...pixels], names: generator.directions, failed };
}"""


def test_the_module_moves(visit, led, tiny):
    page = visit(path="example.html", wait=False)
    found = page.evaluate(MODULE)
    z = (seeds.latents(7, 1, LATENT) + np.float32(3) * SMILE.vector).astype(np.float32)
    expected = tiny(z, to_signed(seeds.sample_labels(7, 1, tiny.schema)))[0]
    np.testing.assert_allclose(found["pixels"], expected.ravel(), atol=1e-4)
    assert found["names"] == ["smile", "pca-1"]
    assert found["failed"].startswith("A direction is one of smile, pca-1. Received")
