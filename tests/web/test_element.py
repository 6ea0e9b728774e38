"""`<tfanime-face>` on a page of someone else."""

from __future__ import annotations

import numpy as np
import pytest
from pages import same, until
from tiny import Tiny, write_folder

from tfanime.core import seeds as latent

pytestmark = pytest.mark.slow

MAKE = """html => {
  const faces = document.createElement("div");
  faces.innerHTML = html;
  faces.addEventListener("error", ({ target, message }) => {
    window.said = message;
    target.classList.toggle("failed");
  }, true);
  faces.addEventListener("draw", () => { window.drawn = (window.drawn ?? 0) + 1; }, true);
  document.body.prepend(faces);
}"""


def shown(page, face: str) -> np.ndarray:
    """The picture of an element, `(H, W, 3)` whole numbers."""
    rgba, width = page.evaluate(
        """face => {
          const { canvas } = document.querySelector(face).shadowRoot.querySelector("canvas")
            .getContext("2d");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return [[...data], canvas.width];
        }""",
        face,
    )
    return np.asarray(rgba, int).reshape(-1, width, 4)[..., :3]


@pytest.fixture
def page(visit, folder, tiny):
    write_folder(folder, Tiny("sharp", upscaler="double"), tiny)
    page = visit(path="example.html", wait=False)
    until(page, "customElements.get('tfanime-face') !== undefined")
    return page


def test_faces_are_drawn_and_follow_their_attributes(page, server):
    sharp = Tiny("sharp")
    page.evaluate(
        MAKE,
        '<tfanime-face id="a" seed="7" hair="blue" smile small></tfanime-face>'
        '<tfanime-face id="b" name="Ada" alt="Ada" index="2"></tfanime-face>'
        '<tfanime-face id="c" seed="3" model="tiny" truncation="1" year="2001"></tfanime-face>',
    )
    until(page, "window.drawn === 3")
    tags = {"hair": "blue", "smile": True}
    assert same(shown(page, "#a"), sharp.draw(7, 0, tags))
    assert page.locator("#a canvas").get_attribute("aria-label").startswith("blue hair, ")
    large = shown(page, "#b")
    small = sharp.draw(latent.seed_of("Ada"), 2)
    assert same(large, small.repeat(2, 0).repeat(2, 1))
    page.get_by_role("img", name="Ada", exact=True).wait_for()
    assert same(shown(page, "#c"), Tiny().draw(3, 0, {"year": 2001}))
    page.evaluate("document.querySelector('#a').setAttribute('smile', 'false')")
    until(page, "window.drawn === 4")
    assert same(shown(page, "#a"), sharp.draw(7, 0, {"hair": "blue", "smile": False}))
    # What asks for no other picture draws none, or a listener that marks faces would never end.
    page.evaluate(
        """() => {
          const face = document.querySelector("#a");
          face.addEventListener("draw", () => face.classList.toggle("drawn"));
          face.title = "A face";
          face.setAttribute("smile", "false");
          face.setAttribute("alt", "Not smiling");
        }"""
    )
    page.get_by_role("img", name="Not smiling", exact=True).wait_for()
    assert page.evaluate("window.drawn") == 4
    page.evaluate("document.querySelector('#a').removeAttribute('smile')")
    until(page, "window.drawn === 5")
    assert same(shown(page, "#a"), sharp.draw(7, 0, {"hair": "blue"}))
    page.evaluate("document.querySelector('#a').removeAttribute('alt')")
    page.locator("#a").get_by_role("img", name="blue hair").wait_for()
    assert page.evaluate("window.drawn") == 5
    box = page.locator("#a").bounding_box()
    assert (box["width"], box["height"]) == (256, 256)
    # One below the page waits until it is seen.
    page.evaluate("() => { window.drawn = undefined; }")
    far = '<div class="tall"></div><tfanime-face id="far" seed="7"></tfanime-face>'
    # The page's policy forbids styles in HTML, and not those that its scripts set.
    above = "document.querySelector('.tall').style.height = '9000px'"
    page.evaluate(f"html => {{ ({MAKE})(html); {above} }}", far)
    page.wait_for_timeout(500)
    assert page.evaluate("window.drawn") is None
    page.locator("#far").scroll_into_view_if_needed()
    until(page, "window.drawn === 1")


REFUSED = {
    'seed="-1"': "seed is a whole number from 0",
    'hair="mauve"': "hair is one of blonde, blue, red",
    'smile="perhaps"': 'smile is true or false. Received: "perhaps"',
    'model="none"': "model is one of sharp, tiny",
    'src="elsewhere/"': "tfanime.json could not be loaded: the server answered 404",
}


def test_what_cannot_be_drawn_says_why(visit, page):
    visit.allowed = ["tfanime-face: ", "404"]
    for attributes, sentence in REFUSED.items():
        page.evaluate("() => { window.said = undefined; }")
        page.evaluate(MAKE, f"<tfanime-face {attributes}></tfanime-face>")
        until(page, "Boolean(window.said)")
        assert sentence in page.evaluate("window.said")
