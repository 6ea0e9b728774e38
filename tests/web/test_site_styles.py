"""Style mixing in the browser: as Python mixes, by the module, by address and by pressing."""

from __future__ import annotations

import functools
import io
import json
import re
from urllib.parse import quote

import keras
import numpy as np
import pytest
from pages import kept, kept_before
from PIL import Image
from test_site import same, shown, until
from test_site import saved as save
from test_wander import settled

from tests.export.networks import LATENT, SCHEMA, generator, saved
from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.models.mixing import mixed

pytestmark = pytest.mark.slow

FROM = {"fine": 32, "middle": 16, "coarse": 8}  # sizes of the maps of `modern_grown`


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    """In the place of the tiny models' folder: a generator with styles and one without."""
    import tfanime

    runs = tmp_path_factory.mktemp("runs")
    folders = [saved(runs / "styled", "modern_grown"), saved(runs / "plain", "dcgan", False)]
    return tfanime.export_web(folders, runs / "site", "float32").path


@pytest.fixture(scope="module")
def styled() -> keras.Model:
    return generator("modern_grown")


def face(seed: int, **tags) -> list[np.ndarray]:
    return [seeds.latents(seed, 1, LATENT), to_signed(seeds.sample_labels(seed, 1, SCHEMA, tags))]


@functools.cache
def mixing(model, fine_from: int) -> keras.Model:
    """Made once: these tests mix by three of them again and again."""
    return mixed(model, fine_from)


def drawn(model, first: list, second: list | None = None, fine_from: int = 0) -> np.ndarray:
    """By Python: the first face, or that with the second's styles from a size on."""
    if second is None:
        return np.asarray(model(first, training=False))[0]
    return np.asarray(mixing(model, fine_from)([*first, *second], training=False))[0]


DRAW = """async () => {
  const { Generator } = await import("./tfanime.js");
  const g = await Generator.load(".", { model: "styled", backend: "wasm" });
  const draw = async (styles) => [...(await g.generate({ seed: 1, styles })).pixels];
  const [own, other] = [{ seed: 1 }, { seed: 3, tags: { hair: "blue" } }];
  const found = {
    alone: await draw(undefined),
    self: await draw({ coarse: own, middle: own, fine: own }),
    fine: await draw({ fine: other }),
    middle: await draw({ middle: other, fine: other }),
    coarse: await draw({ coarse: other, middle: other, fine: other }),
    single: await draw({ middle: other }),
    after: await draw({}),
  };
  const plain = await Generator.load(".", { model: "plain", backend: "wasm" });
  const refused = async (generator, styles) =>
    generator.generate({ styles }).then(() => "", (error) => error.message);
  const groups = [g.styles, plain.styles];
  const said = [await refused(g, { large: own }), await refused(plain, { fine: own })];
  return { found, groups, said };
}"""


def test_the_module_mixes_as_python_does(visit, folder, styled):
    models = json.loads((folder / "tfanime.json").read_text())["models"]
    assert "styles" not in models[1] and set(models[0]["styles"]) == set(FROM)
    answer = visit(path="example.html", wait=False).evaluate(DRAW)
    found = {name: np.reshape(pixels, (32, 64, 3)) for name, pixels in answer["found"].items()}
    alone, other = drawn(styled, face(1)), face(3, hair="blue")
    np.testing.assert_allclose(found["alone"], alone, atol=1e-4)
    for name in ("self", "after"):  # to the bit
        np.testing.assert_array_equal(found[name], found["alone"])
    for group, size in FROM.items():
        expected = drawn(styled, face(1), other, size)
        np.testing.assert_allclose(found[group], expected, atol=1e-4)
        assert np.abs(expected - alone).max() > 0.05
    # Only the middle: as far from the first face as from the one whose fine maps follow too.
    assert min(np.abs(found["single"] - found[name]).max() for name in ("alone", "middle")) > 0.01
    assert answer["groups"] == [["coarse", "middle", "fine"], []]
    assert answer["said"][0].startswith("A style is one of coarse, middle, fine. Received")
    assert answer["said"][1] == "This model has no styles: leave styles out."


def ends(first: str, second: str, model: str = "styled") -> str:
    written = (quote(f"model={model}&{picture}", safe="") for picture in (first, second))
    return "from={}&to={}".format(*written)


def press(page, group: str) -> None:
    button = page.get_by_role("button", name=group, exact=True)
    button.wait_for()
    button.click()
    settled(page)


def test_the_page_mixes(visit, styled):
    both = ends("seed=1", "seed=3&hair=blue")
    page = visit(f"#view=blend&{both}&model=styled&seed=1", wait=False)
    other = face(3, hair="blue")
    press(page, "fine")
    assert "at=fine" in page.url
    assert same(shown(page, ".frame canvas"), drawn(styled, face(1), other, 32))
    press(page, "middle")
    assert "at=middle,fine" in page.url
    assert same(shown(page, ".frame canvas"), drawn(styled, face(1), other, 16))
    address = page.url.split("#")[1]
    # The address says it again: as the view, and as a picture alone.
    page.goto("about:blank")
    again = visit(f"#{address}", wait=False)
    again.get_by_role("button", name="fine", exact=True, pressed=True).wait_for()
    settled(again)
    assert again.url.split("#")[1] == address
    assert same(shown(again, ".frame canvas"), drawn(styled, face(1), other, 16))
    alone = visit("#" + re.sub(r"(view|from|to|at)=[^&]*&", "", address))
    assert alone.url.count("style.") == 2 and "view" not in alone.url
    assert same(shown(alone), drawn(styled, face(1), other, 16))
    # The slider blends again.
    again.get_by_label("Mixture").fill("1")
    until(again, "location.hash.includes('at=1')")
    settled(again)
    assert "style." not in again.url
    assert same(shown(again, ".frame canvas"), drawn(styled, other))


def test_a_mixed_picture_is_mixed_further(visit, styled):
    """Its own style of a third picture goes along, and a blend ends at it."""
    both = ends("seed=1", f"style.fine={quote('model=styled&seed=3', safe='')}&seed=2")
    page = visit(f"#view=blend&{both}&model=styled&seed=1", wait=False)
    press(page, "fine")
    assert same(shown(page, ".frame canvas"), drawn(styled, face(1), face(3), 32))
    page.get_by_label("Mixture").fill("0.5")
    until(page, "location.hash.includes('at=0.5')")
    settled(page)
    assert "style.fine" in page.url
    page.get_by_label("Mixture").fill("1")
    until(page, "location.hash.includes('at=1')")
    settled(page)
    assert same(shown(page, ".frame canvas"), drawn(styled, face(2), face(3), 32))


def test_a_transition_to_a_mixed_picture(visit, styled):
    """Halfway each style is halfway too; the last frame is the picture itself."""
    both = ends("seed=1", f"style.fine={quote('model=styled&seed=3', safe='')}&seed=2")
    page = visit(f"#view=blend&frames=3&path=lerp&{both}&model=styled&seed=1", wait=False)
    page.wait_for_selector(".player")
    first, second, third = face(1), face(2), face(3)
    half = [[(a + b) / 2 for a, b in zip(first, other, strict=True)] for other in (second, third)]
    expected = [drawn(styled, first), drawn(styled, *half, 32), drawn(styled, second, third, 32)]
    with Image.open(io.BytesIO(save(page, "Save APNG"))) as film:
        assert film.n_frames == 3
        for i, values in enumerate(expected):
            film.seek(i)
            assert same(np.asarray(film.convert("RGB"), int), values)


def test_settings_files_say_styles(visit, styled, tmp_path):
    written = quote("model=styled&seed=3", safe="")
    page = visit(f"#model=styled&seed=1&style.middle={written}&style.fine={written}")
    address, picture = page.url, shown(page)
    assert same(picture, drawn(styled, face(1), face(3), 16))
    page.get_by_text("Fine tuning").last.click()
    file = tmp_path / "settings.json"
    file.write_bytes(save(page, "Save settings"))
    page.evaluate("location.hash = '#model=styled&seed=2'")
    until(page, "document.querySelectorAll('.history li').length === 2")
    page.set_input_files("input[type=file]", file)
    until(page, "location.hash.includes('style.fine')")
    settled(page)
    assert page.url == address and (shown(page) == picture).all()


def test_a_picture_of_before_there_were_latents_keeps_its_styles(visit):
    page = visit("#model=styled&seed=1&style.fine=seed%3D9")
    address = page.url
    kept(page, 1)
    kept_before(page, "settings.styles.fine.latent")
    page.goto(address.split("#")[0] + "#model=styled&seed=3")
    page.reload()
    page.wait_for_selector(".history li:nth-child(2)")
    page.get_by_role("button", name="Back to seed 1:").click()
    until(page, "location.hash.includes('seed=1')")
    settled(page)
    assert page.url == address


def test_a_model_without_styles_has_no_such_choice(visit):
    both = ends("seed=1", "seed=2", "plain")
    page = visit(f"#view=blend&{both}&model=plain&seed=1&at=0.5", wait=False)
    page.get_by_label("Mixture").wait_for()
    assert page.get_by_role("button", name="fine", exact=True).count() == 0


BAD = {
    "#model=styled&seed=1&style.large=seed%3D1": "A style is one of coarse, middle, fine",
    "#model=plain&seed=1&style.fine=seed%3D1": "This model has no styles",
    "#model=styled&seed=1&style.fine=model%3Dplain%26seed%3D1": "a picture of the same model",
    "#model=styled&seed=1&style.fine=seed%3D1%26style.fine%3Dseed%253D2": "without styles of other",
    "#model=styled&seed=1&view=blend&at=large": "A style is one of coarse, middle, fine",
}


def test_bad_styles_in_addresses(visit):
    page = visit(next(iter(BAD)))
    for fragment, sentence in BAD.items():
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        said = json.dumps(sentence)
        until(page, f"document.querySelector('.note.bad')?.innerText.includes({said})")
