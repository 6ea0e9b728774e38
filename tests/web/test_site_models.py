"""The site with several models, of other shapes and labels, and their words."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest
from pages import same, shown, tags_of, until
from test_visits import look
from tiny import SCHEMA, Tiny, write_folder

from tfanime.core.labels import Field, LabelSchema

pytestmark = pytest.mark.slow


def test_another_model(visit):
    page = visit("#seed=5&hair=red")
    page.get_by_label("Model").select_option("plain")
    until(page, "location.hash === '#model=plain&seed=5'")
    assert same(shown(page), Tiny("plain", None, 2).draw(5))
    assert page.get_by_role("heading", name="Looks").count() == 0


def test_a_model_that_is_slow_can_be_left(visit, server, folder, tiny):
    """Nothing waits for its files, nor for those of an upscaler."""
    sharp, plain = Tiny("sharp", seed=3, upscaler="double"), Tiny("plain", None, 2)
    write_folder(folder, sharp, plain, tiny)
    come = threading.Event()
    server.changes[r"/models/(double|plain)/shard"] = lambda data: come.wait() and data
    page = visit("#model=sharp&seed=5")
    page.get_by_text("Enlarging…").wait_for()
    page.get_by_label("Model").select_option("plain")
    page.wait_for_selector(".opening progress")
    page.get_by_label("Model").select_option("tiny")
    assert same(shown(page), tiny.draw(5))
    assert page.locator(".note").count() == 0
    come.set()


def test_a_blend_is_of_one_model(visit, folder, tiny):
    """A picture of another opens that model, and ends what the one before has blended."""
    write_folder(folder, tiny, Tiny("other", seed=2))

    def back(seed: int) -> None:
        page.get_by_role("button", name=f"Back to seed {seed}:").click()

    page = visit("#model=tiny&seed=5")
    page.evaluate("location.hash = '#model=other&seed=6'")
    until(page, "document.querySelectorAll('.history li').length === 2")
    look(page, "Blend")
    until(page, "location.hash.includes('to=model%3Dother')")
    back(5)
    until(page, "location.hash === '#model=tiny&seed=5'")
    assert same(shown(page), tiny.draw(5))
    look(page, "Blend")
    until(page, "location.hash.includes('to=model%3Dtiny')")
    assert "other" not in page.url
    look(page, "One")
    back(6)
    until(page, "location.hash === '#model=other&seed=6'")
    assert same(shown(page), Tiny("other", seed=2).draw(6))
    look(page, "Blend")
    until(page, "location.hash.includes('to=model%3Dother')")
    assert "tiny" not in page.url
    # By the address, which leads back too.
    look(page, "One")
    page.evaluate("location.hash = '#model=tiny&seed=7'")
    until(page, "document.querySelectorAll('.history li').length === 3")
    look(page, "Blend")
    until(page, "location.hash.includes('to=model%3Dtiny')")
    assert "other" not in page.url
    page.locator(".sticky .main").click()
    page.wait_for_selector(".player")
    assert page.url.count("other") == 0 and page.locator(".note.bad").count() == 0


def test_a_picture_fills_a_frame_of_its_own_shape(visit, folder, tiny):
    tall = Tiny("tall", cells=(6, 4))
    write_folder(folder, tiny, tall)
    page = visit("#model=tall&seed=5")
    assert same(shown(page), tall.draw(5))
    for selector in (".frame", ".frame canvas", ".history .tile"):
        box = page.query_selector(selector).bounding_box()
        assert box["width"] / box["height"] == pytest.approx(4 / 6, rel=0.02), selector
    page.get_by_label("Model").select_option("tiny")
    until(page, "location.hash.startsWith('#model=tiny')")
    page.wait_for_selector(".frame:not(.busy) canvas")
    box = page.query_selector(".frame").bounding_box()
    assert box["width"] == pytest.approx(box["height"], rel=0.02)


def test_a_model_with_rows_of_labels_draws_whole_ones(visit, folder, tiny):
    """What never goes together in its training set is not drawn together, as in Python."""
    rows = np.full((3, SCHEMA.size), 0.0)
    rows[0, [0, 3]], rows[1, [1, 4]], rows[2, [2, 3]] = 1, 1, 1  # hair and eyes
    rows[:, -1] = np.nan, 0.25, 0.75
    whole = Tiny("whole", dataclasses.replace(SCHEMA, examples=rows.astype(np.float32)))
    write_folder(folder, tiny, whole)
    page = visit("#model=whole&seed=5")
    assert same(shown(page), whole.draw(5))
    for seed in (6, 7):
        page.evaluate(f"location.hash = '#model=whole&seed={seed}'")
        until(page, f"document.querySelector('.box input').value === '{seed}'")
        assert same(shown(page), whole.draw(seed))
    page.evaluate("location.hash = '#model=whole&seed=5&eyes=green'")
    until(page, "document.querySelector('.box input').value === '5'")
    assert same(shown(page), whole.draw(5, 0, {"hair": "blue", "eyes": "green"}))


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "a smiling girl with blue hair, no glasses"),
        ("ja", "青い髪、笑顔、眼鏡なし"),
        ("zh", "蓝发，微笑，不戴眼镜"),
        ("ru", "синие волосы, улыбка, без очков"),
    ],
)
def test_words_become_attributes(visit, tiny, locale, text):
    page = visit("#seed=4", locale=locale)
    assert page.locator("html").get_attribute("lang") == locale
    page.locator(".describe input").fill(text)
    page.locator(".describe input").press("Enter")
    until(page, "location.hash.includes('hair=blue')")
    assert tags_of(page) == {"hair": "blue", "smile": "true", "glasses": "false"}
    assert same(shown(page), tiny.draw(4, 0, {"hair": "blue", "smile": True, "glasses": False}))


def test_the_example_of_words_is_of_the_model(visit, folder, tiny):
    mood = Field("mood", "group", ("light", "heavy"), (0.5, 0.5))
    write_folder(
        folder, tiny, Tiny("posters", LabelSchema((mood, Field("horror", "flag", (), (0.5,)))))
    )
    page = visit("#model=posters&seed=5")
    words = page.locator(".describe input")
    assert words.get_attribute("placeholder") == "mood: light, horror…"
    page.get_by_label("Model").select_option("tiny")
    until(page, "document.querySelector('.describe input').placeholder.startsWith('Blue hair')")
