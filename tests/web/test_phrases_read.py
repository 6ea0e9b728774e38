"""The site reads a phrase as Python does, says so, and draws eight drafts."""

from __future__ import annotations

import re

import pytest
from pages import same, shown
from poster_model import POSTERS, SCHEMA, write_posters
from tiny import Tiny

from tfanime.sampling import phrases
from tfanime.sampling.words import understand

pytestmark = pytest.mark.slow

PHRASE = "a lonely swordsman under a red moon"
BOX = "What a poster is about"


@pytest.fixture
def folder(folder):
    write_posters(folder, Tiny())
    return folder


def say(page, phrase: str) -> None:
    page.get_by_label(BOX).fill(phrase)
    page.keyboard.press("Enter")


def asked(page) -> dict[str, object]:
    """The attributes in the address."""
    names = {field.name for field in SCHEMA.fields}
    pairs = [pair for pair in re.findall(r"[#&]([a-z_]+)=([^&]*)", page.url) if pair[0] in names]
    return {name: {"true": True, "false": False}.get(value, value) for name, value in pairs}


def test_a_phrase_is_read_and_drawn_as_python_does_it(visit):
    """After one that says nothing, and draws nothing."""
    page = visit("#seed=1")
    say(page, "xyzzy plugh")
    page.get_by_text("None of these words is known to this model.").wait_for()
    assert page.url.endswith("seed=1") and page.locator(".odds").count() == 0
    assert "Not understood: xyzzy, plugh" in page.locator(".read").inner_text()
    say(page, PHRASE)
    page.wait_for_selector(".odds")
    reading = phrases.shipped().read(PHRASE)
    told = page.locator(".odds li").all_inner_texts()
    shares = [float(re.search(r"(\d+) %", one).group(1)) / 100 for one in told]
    assert shares == pytest.approx(list(reading.told().values()), abs=0.0051)
    names = [re.match(r"[\w -]+?(?= \d)", one).group().strip() for one in told]
    assert [name.replace("-", "_") for name in names] == list(reading.told())
    chosen = page.locator(".odds .chosen").all_inner_texts()
    assert len(chosen) == len(reading.chosen)
    assert asked(page) == reading.tags(SCHEMA)
    assert f"Words it knew: {', '.join(reading.known)}" in page.locator(".read").inner_text()
    # Eight drafts of it, by a new seed.
    page.wait_for_selector(".drafts button:nth-child(8)")
    tags = reading.tags(SCHEMA)
    seed = int(re.search(r"seed=(\d+)", page.url).group(1))
    assert seed != 1
    for index in (0, 7):
        canvas = f".drafts button:nth-child({index + 1}) canvas"
        assert same(shown(page, canvas), POSTERS.draw(seed, index, tags))
    assert page.locator(".drafts button").count() == 8


def test_what_a_phrase_names_is_taken_at_its_word(visit):
    page = visit("#seed=1")
    phrase = "film, no horror, robots in a war and a plugh"
    words = understand(phrase, SCHEMA)
    assert words.tags["medium"] == "film" and words.tags["horror"] is False
    reading = phrases.shipped().read(" ".join(words.unknown))
    say(page, phrase)
    page.wait_for_selector(".odds")
    assert asked(page) == reading.tags(SCHEMA) | words.tags
    assert "Not understood: plugh" in page.locator(".read").inner_text()


def test_a_table_that_is_not_the_exported_one_is_refused(visit, server):
    server.changes["phrases-"] = lambda data: data.replace(b"9", b"8")
    page = visit("#seed=1")
    say(page, PHRASE)
    page.get_by_text("Export the folder again").wait_for()


def test_models_without_genres_load_nothing_of_it(visit):
    page = visit("#model=tiny&seed=1")
    page.get_by_label("Describe in words").first.wait_for()
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [url for url in loaded if re.search(r"/(posters|works)-|/posters/", url)] == []


def test_phrases_need_no_network_at_the_next_visit(visit, server):
    page = visit("#seed=1", service_workers="allow")
    page.wait_for_selector(".status[data-offline=true]")
    server.down = True
    visit.allowed.append("Failed to load resource|ERR_|net::")
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")
    say(page, PHRASE)
    page.wait_for_selector(".drafts button:nth-child(8)")
    server.down = False
