"""The site in a real browser, on a model that is written by hand (tiny.py) and known in NumPy."""

from __future__ import annotations

import gzip
import io
import json
import re

import numpy as np
import pytest
from pages import ASKED, draw, same, saved, seed_of, shown, tags_of, until
from PIL import Image
from tiny import LATENT, SIZE, Tiny, write_folder

from tfanime.core import images, seeds
from tfanime.core.labels import to_signed
from tfanime.zoo.directions import Direction

pytestmark = pytest.mark.slow
BACKENDS = ("wasm", "webgl", "webgpu", "cpu")
DRAW = """async backend => {
  const { Generator } = await import("./tfanime.js");
  const failed = [];
  const onFallback = (name, why) => failed.push(`${name}: ${why}`);
  const g = await Generator.load(".", { backend, onFallback });
  const r = await g.generate({ seed: 7, tags: { hair: "blue", smile: true } });
  const again = await g.generate({ latent: r.latent, labels: r.labels });
  return {
    pixels: [...r.pixels], again: [...again.pixels], latent: [...r.latent],
    labels: [...r.labels], tags: r.tags, backend: r.backend, failed,
    size: [r.imageData.height, r.imageData.width], timed: r.ms >= 0,
  };
}"""


# ---- the same picture everywhere ---------------------------------------------------------------


def test_first_visit_draws_what_python_draws(visit, tiny):
    page = visit()
    assert same(shown(page), tiny.draw(seed_of(page)))
    assert page.locator(".status").get_attribute("data-backend") == "wasm"
    seed = seed_of(page)
    draw(page)
    assert seed_of(page) != seed
    assert same(shown(page), tiny.draw(seed_of(page)))


def test_chosen_attributes(visit, tiny):
    page = visit("#seed=7")
    page.get_by_role("radio", name="blue hair").check()
    page.get_by_role("button", name="smile: any").click()
    page.get_by_role("button", name="smile: yes").wait_for()
    assert same(shown(page), tiny.draw(7, 0, ASKED))
    assert tags_of(page) == {"model": "tiny", "hair": "blue", "smile": "true"} or tags_of(page) == {
        "hair": "blue",
        "smile": "true",
    }
    chips = page.locator(".chips button[aria-pressed=true]")
    assert chips.all_inner_texts() == ["blue hair", "smile"]
    page.get_by_role("button", name="smile: yes").click()
    assert same(shown(page), tiny.draw(7, 0, {"hair": "blue", "smile": False}))
    page.get_by_role("button", name="Leave all to chance").click()
    assert same(shown(page), tiny.draw(7))


def test_an_address_names_a_picture(visit, tiny):
    page = visit("#seed=9007199254740991&index=4294967295&hair=red&year=2001&glasses=no")
    tags = {"hair": "red", "year": 2001, "glasses": False}
    assert same(shown(page), tiny.draw(2**53 - 1, 2**32 - 1, tags))
    page.evaluate("location.hash = '#seed=5'")
    until(page, "document.querySelector('.box input').value === '5'")
    assert same(shown(page), tiny.draw(5))
    with Image.open(io.BytesIO(saved(page, "Save PNG"))) as picture:
        assert same(np.asarray(picture.convert("RGB"), int), tiny.draw(5))


def backends(page) -> list[str]:
    """Those that this Chromium has: an adapter for WebGPU is not everywhere."""
    adapter = page.evaluate("navigator.gpu?.requestAdapter().then(Boolean)")
    return [name for name in BACKENDS if name != "webgpu" or adapter]


def test_the_example_page_and_every_backend_draw(visit, tiny):
    """The example its own, every backend Python's picture; what is wrong is refused."""
    page = visit(path="example.html", wait=False)
    until(page, "/\\d+ ms/.test(document.querySelector('output').textContent)")
    assert shown(page, "canvas").std() > 1
    expected = tiny.draw(7, 0, ASKED)
    labels = to_signed(seeds.sample_labels(7, 1, tiny.schema, ASKED)[0])
    for backend in backends(page):
        found = page.evaluate(DRAW, backend)
        assert (found["backend"], found["failed"], found["timed"]) == (backend, [], True)
        assert found["size"] == [SIZE, SIZE]
        np.testing.assert_allclose(found["pixels"], expected.ravel(), atol=1e-4)
        np.testing.assert_allclose(found["again"], found["pixels"], atol=1e-6)
        np.testing.assert_allclose(found["latent"], seeds.latents(7, 1, LATENT)[0], atol=1e-6)
        np.testing.assert_allclose(found["labels"], labels, atol=1e-6)
        assert (found["tags"]["hair"], found["tags"]["smile"]) == ("blue", True)
    said = page.evaluate(REFUSE, [request for request, _ in REFUSED])
    for (request, sentence), words in zip(REFUSED, said, strict=True):
        assert sentence in words, request


REFUSED = [
    ({"seed": -1}, "seed is a whole number from 0 to 9007199254740991. Received: -1."),
    ({"seed": "7"}, 'seed is a whole number from 0 to 9007199254740991. Received: "7".'),
    ({"tags": {"hair": "mauve"}}, 'hair is one of blonde, blue, red. Received: "mauve".'),
    ({"tags": {"hat": True}}, "An attribute is one of hair, eyes, smile, glasses, year."),
    ({"truncation": 3}, "truncation is a number from 0 to 2. Received: 3."),
    ({"latent": [1, 2]}, "latent is 8 finite numbers. Received: 2."),
    ({"labels": [1]}, "labels is 8 finite numbers. Received: 1."),
]


REFUSE = """async requests => {
  const { Generator } = await import("./tfanime.js");
  const g = await Generator.load(".", { backend: "cpu" });
  const found = [];
  for (const request of requests)
    found.push(await g.generate(request).then(() => "drawn", error => error.message));
  return found;
}"""


# ---- what a visitor does -----------------------------------------------------------------------


def test_history_restores(visit, tiny):
    page = visit("#seed=1&hair=red")
    first = shown(page)
    draw(page)
    draw(page)
    assert (shown(page) != first).any()
    assert page.locator(".history li").count() == 3
    page.get_by_role("button", name="Back to seed 1:").click()
    assert (shown(page) == first).all()
    assert page.url.endswith("seed=1&hair=red")


def test_a_kept_seed_stays(visit, tiny):
    page = visit("#seed=12")
    page.get_by_role("button", name="Keep this seed").click()
    draw(page)
    assert seed_of(page) == 12
    box = page.get_by_label("Seed", exact=True)
    box.fill("34")
    box.press("Enter")
    until(page, "location.hash.includes('seed=34')")
    assert same(shown(page), tiny.draw(34))


def test_a_sheet_continues_the_seed(visit, tiny):
    page = visit("#seed=3&smile=true")
    page.get_by_role("button", name="Many").click()
    page.wait_for_selector(".grid li:nth-child(8)")
    for index in (0, 7):
        tile = shown(page, f".grid li:nth-child({index + 1}) canvas")
        assert same(tile, tiny.draw(3, index, {"smile": True}))
    page.get_by_label("How many").fill("2")
    until(page, "document.querySelectorAll('.grid li').length === 2")
    page.get_by_label("Endless").check()
    page.wait_for_selector(".grid li:nth-child(14)", state="attached")
    page.locator(".end").scroll_into_view_if_needed()
    page.wait_for_selector(".grid li:nth-child(26)", state="attached")
    page.get_by_role("button", name="Open picture 13:").click()
    assert same(shown(page), tiny.draw(3, 13, {"smile": True}))
    assert "index=13" in page.url


def coarse(picture: np.ndarray) -> np.ndarray:
    """Means over cells of 4 x 4 pixels."""
    return picture.reshape(SIZE // 4, 4, SIZE // 4, 4, 3).mean(axis=(1, 3))


def test_transition_as_file(visit, tiny):
    page = visit("#seed=1&hair=red")
    draw(page)
    ends = [(1, {"hair": "red"}), (seed_of(page), {"hair": "red"})]
    page.get_by_role("button", name="Blend").first.click()
    page.get_by_label("Frames").fill("5")
    page.locator(".sticky .main").click()
    page.wait_for_selector(".player")
    z = [seeds.latents(seed, 1, LATENT)[0] for seed, _ in ends]
    rows = [to_signed(seeds.sample_labels(s, 1, tiny.schema, tags)[0]) for s, tags in ends]
    t = np.linspace(0, 1, 5)
    expected = tiny(seeds.slerp(*z, t), seeds.lerp(*rows, t))
    first = images.to_uint8(expected[0])
    with Image.open(io.BytesIO(saved(page, "Save APNG"))) as picture:
        assert (picture.format, picture.n_frames) == ("PNG", 5)
        for i in range(5):
            picture.seek(i)
            assert same(np.asarray(picture.convert("RGB"), int), expected[i])
    for name, wanted in (("GIF", "GIF"), ("WebP", "WEBP")):
        with Image.open(io.BytesIO(saved(page, f"Save {name}"))) as picture:
            assert (picture.format, picture.n_frames, picture.size) == (wanted, 5, (SIZE, SIZE))
            picture.seek(4)
            last = np.asarray(picture.convert("RGB"), int)
            # Both formats are lossy, and the tiny model's pictures are little but noise.
            lost = np.abs(coarse(last) - coarse(images.to_uint8(expected[4]))).mean()
            # Chance picks the other face, which may be much like the first.
            assert lost < 12 and lost < np.abs(coarse(last) - coarse(first)).mean()


def test_fine_tuning(visit, tiny):
    page = visit("#seed=2&hair=blue")
    page.get_by_text("Fine tuning").click()
    page.get_by_label("Typical or unusual").fill("0.5")
    until(page, "location.hash.includes('truncation=0.5')")
    z = seeds.truncate(seeds.latents(2, 1, LATENT), 0.5)
    row = to_signed(seeds.sample_labels(2, 1, tiny.schema, {"hair": "blue"}))
    assert same(shown(page), tiny(z, row)[0])
    page.get_by_text("A slider for every attribute").click()
    page.get_by_label("glasses", exact=True).fill("0.3")
    until(page, "location.hash.includes('slider.glasses=0.3')")
    row[0, tiny.schema.columns.index("glasses")] = 0.3
    assert same(shown(page), tiny(z, row)[0])
    page.get_by_label("Vary the noise").fill("0.25")
    until(page, "location.hash.includes('vary=0.25')")
    other = seeds.truncate(seeds.latents(0, 1, LATENT), 0.5)
    varied = seeds.slerp(z[0], other[0], np.asarray([0.25]))
    assert same(shown(page), tiny(varied, row)[0])


def test_a_truncation_below_what_was_measured_is_noted(visit, folder):
    manifest = json.loads((folder / "tfanime.json").read_text())
    manifest["models"][0]["leastTruncation"] = 0.6  # of the other model nothing is known
    (folder / "tfanime.json").write_text(json.dumps(manifest))
    page = visit("#model=tiny&seed=2&truncation=0.55")
    page.locator(".tuning summary").first.click()
    below = page.locator(".tuning .slider p").first
    assert below.inner_text() == "Below 0.6 this model draws worse."
    page.get_by_label("Typical or unusual").fill("0.6")
    until(page, "location.hash.endsWith('truncation=0.6')")
    usual = "Below 1 typical pictures, above 1 unusual ones."
    assert below.inner_text() == usual
    page.get_by_label("Typical or unusual").fill("0.3")
    page.get_by_label("Model").select_option("plain")
    until(page, "location.hash === '#model=plain&seed=2&truncation=0.3'")
    assert below.inner_text() == usual


def test_settings_travel_as_a_file(visit, tiny, tmp_path):
    page = visit("#seed=21&hair=red&smile=false&truncation=0.7")
    picture = shown(page)
    page.locator(".tuning summary").first.click()
    file = tmp_path / "settings.json"
    file.write_bytes(saved(page, "Save settings"))
    stored = json.loads(file.read_text())
    assert (stored["seed"], stored["tags"]) == (21, {"hair": "red", "smile": False})
    page.get_by_role("button", name="Leave all to chance").click()
    draw(page)
    page.set_input_files("input[type=file]", file)
    page.get_by_text("Settings loaded.").wait_for()
    until(page, "location.hash.includes('seed=21')")
    assert (shown(page) == picture).all()


def test_keyboard_alone(visit, tiny):
    page = visit("#seed=6")

    def tab_to(condition: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(f"(e => {condition})(document.activeElement)"):
                return
        raise AssertionError(f"Tab never reached {condition}")

    tab_to("e.matches('.main')")
    page.keyboard.press("Enter")
    until(page, "!location.hash.includes('seed=6&') && !/seed=6$/.test(location.hash)")
    seed = seed_of(page)
    tab_to("e.type === 'radio'")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until(page, "location.hash.includes('hair=blue')")
    tab_to("e.textContent === 'smile' && e.matches('.flag')")
    page.keyboard.press("Space")
    until(page, "location.hash.includes('smile=true')")
    assert same(shown(page), tiny.draw(seed, 0, ASKED))


def test_phone_layout(visit):
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    for view in ("One", "Many", "Blend", "Explore"):
        page.get_by_role("button", name=view, exact=True).first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        box = page.locator(".sticky .main").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 844
    page.get_by_text("Fine tuning").click()
    page.get_by_text("A slider for every attribute").click()
    page.get_by_label("glasses", exact=True).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for card in page.locator(".card").all():
        assert card.evaluate("card => card.scrollWidth <= card.clientWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(visit, site, folder, width):
    source = site.parents[1] / "node_modules" / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip("axe-core is in web_export/node_modules, which this installation lacks")
    ways = [Direction(name, "pca", np.eye(LATENT)[0], {"smile": 0.1}) for name in ("hat", "pca-1")]
    write_folder(folder, Tiny(directions=ways), Tiny("plain", None, 2))
    size = {"width": width, "height": 844}
    options = {"reduced_motion": "reduce", "service_workers": "allow", "viewport": size}
    page = visit("#seed=1&hair=blue", **options)
    page.evaluate(source.read_text(encoding="utf-8"))

    def violations() -> list[str]:
        said = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run().then(r => r.violations)")
            said += [f"{scheme}, {v['id']}: {v['nodes'][0]['html']}" for v in found]
        return said

    draw(page)
    page.get_by_text("Fine tuning").click()
    page.get_by_text("A slider for every attribute").click()
    page.get_by_text("A slider for every direction").click()
    assert violations() == []
    page.get_by_role("button", name="Many").click()
    page.wait_for_selector(".grid li:nth-child(8)")
    assert violations() == []
    page.get_by_role("button", name="Blend", exact=True).first.click()
    page.get_by_label("Frames").fill("3")
    page.locator(".sticky .main").click()
    page.wait_for_selector(".player")
    page.get_by_label("Mixture").fill("0.5")
    assert violations() == []
    page.get_by_role("button", name="Explore").click()
    page.wait_for_selector(".around .tile:nth-child(9) canvas")
    assert violations() == []
    page.get_by_role("button", name="One", exact=True).click()
    page.get_by_role("button", name="Bring to life").click()
    page.get_by_role("button", name="Play").wait_for()  # less motion is asked for
    page.get_by_role("button", name="Show all").click()
    assert violations() == []
    page.get_by_role("button", name="About").click()
    page.get_by_text("About the model tiny").wait_for()
    assert violations() == []


# ---- what is served ----------------------------------------------------------------------------


def test_policy_and_size(site):
    html = (site / "index.html").read_text()
    policy = re.search(r'Content-Security-Policy"\s+content="(.*?)"', html, re.S).group(1)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert rules["connect-src"] == rules["style-src"] == rules["worker-src"] == "'self'"
    assert "<style" not in html and not re.search(r"<script(?![^>]*\bsrc=)", html)
    worker = (site / "sw.js").read_text()
    files = json.loads(re.search(r"FILES = (\[.*?\]);", worker).group(1))
    assert all((site / file).is_file() for file in files)
    code = [(site / file).read_bytes() for file in files if file.endswith(".js")]
    assert 50_000 < sum(len(gzip.compress(data, 9)) for data in code) < 150_000
    # All that someone downloads who draws with WebAssembly, the program included, uncompressed.
    assert sum((site / file).stat().st_size for file in files) < 816_000
