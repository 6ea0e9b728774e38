from __future__ import annotations

import sys

import pytest

from tfanime.text import STEPS, clean_text, genre_text, split_genres
from tfanime.text.clean import (
    drop_placeholders,
    lemmatise,
    pad,
    remove_stop_words,
    squeeze_spaces,
    stop_words,
    strip_markup,
    strip_punctuation,
    tokenise,
)

PLACEHOLDERS = (
    "No synopsis information has been added to this title. Help improve our database by adding a "
    "synopsis here.",
    "No synopsis has been added for this series yet.\n\nClick here to update this information.",
    "There is no synopsis for this anime yet.",
    "Synopsis not available.",
    "It looks like we don't have an overview for this title yet.",
    "Sorry, no description is available in English.",
    "To be announced.",
)


def test_the_steps_in_the_order_of_the_study():
    expected = ["markup", "stop_words", "lemmas", "punctuation", "spaces", "placeholders"]
    assert list(STEPS) == expected


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        (strip_markup, "<p>A <b>red</b> moon<br/></p>", "A red moon"),
        (strip_markup, "Tom &amp; Jerry &lt;i&gt;run&lt;/i&gt;", "Tom & Jerry run"),
        (strip_markup, "see https://example.org/a?b=1, or www.example.org now", "see or now"),
        (strip_markup, "Pok&eacute;mon naïve ピカチュウ 月", "Pokemon naive"),
        (strip_markup, "it’s “so” — 3 < 5 > 2", 'it\'s "so" - 3 < 5 > 2'),
        (remove_stop_words, "The sword isn't his; they've left", " sword  ;  left"),
        (remove_stop_words, "a system of fire", " system  fire"),
        (lemmatise, "swordsmen were running, mice", "swordsman be run, mouse"),
        (strip_punctuation, "half-blood! don't (run)_", "half blood  dont  run  "),
        (squeeze_spaces, "  a \n\t b  ", "a b"),
        (drop_placeholders, "No synopsis yet.", ""),
        (drop_placeholders, "No synopsis has been added for this series yet.", ""),
        (drop_placeholders, "N/A", ""),
        (drop_placeholders, "A plot against the king", "A plot against the king"),
        (drop_placeholders, "An overview of anime studios", "An overview of anime studios"),
        *((step, text, "") for step in (drop_placeholders, clean_text) for text in PLACEHOLDERS),
        (drop_placeholders, "He runs. (Source: Some Studio, edited)", "He runs."),
        (drop_placeholders, "He runs. [Written by MAL Rewrite]", "He runs."),
    ],
)
def test_each_step(step, text, expected):
    assert step(text) == expected


def test_all_steps_together():
    text = "<i>A lonely swordsman</i> wanders under moons… http://x.org [Written by MAL Rewrite]"
    assert clean_text(text) == "lonely swordsman wander moon"
    assert clean_text("No synopsis has been added for this series yet.") == ""
    assert clean_text("") == ""


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("<!--" * 250_000, ""),
        ("<!-- x --> y " * 80_000, "y " * 79_999 + "y"),
        ("[written by " * 85_000, "write " * 84_999 + "write"),
        ("(source:" * 125_000, ""),
        ("&#" + "9" * 1_000_000 + "; moon", "moon"),
        ("a" + "\u0315\u0300" * 500_000 + " moon", "moon"),
        ("<a " * 330_000, ""),
    ],
)
def test_a_megabyte_takes_the_time_of_a_megabyte(text, cleaned):
    """Most of these took the square of their length: minutes to hours."""
    if cleaned:
        assert clean_text(text) == cleaned
    else:
        assert set(clean_text(text).split()) <= {"source", "source" * 125_000}


def test_credits_and_comments_end_where_they_did():
    assert drop_placeholders("A (Source: B (C) D) E") == "A D) E"
    assert drop_placeholders("A [Written by B) C. (source : D") == "A C. (source : D"
    assert strip_markup("A <!-- B <!-- C --> D --> E <!-- F") == "A D --> E <!-- F"
    assert strip_markup("A &lt;!-- B --&gt; C &#x41;&#000065;") == "A C AA"


def test_each_step_can_be_left_out():
    text = "<i>The swordsmen</i>,  (Source: X)"
    assert clean_text(text, skip=STEPS) == text
    assert clean_text(text, skip=["stop_words"]) == "the swordsman"
    assert clean_text(text, skip=["lemmas"]) == "swordsmen"
    assert clean_text(text, skip=["punctuation"]) == "swordsman ,"
    assert clean_text(text, skip="placeholders") == "swordsman source x"
    assert clean_text("a  b", skip=[s for s in STEPS if s != "spaces"]) == "a b"
    with pytest.raises(ValueError, match="markup, stop_words.*Received: stemming"):
        clean_text(text, skip=["stemming"])


def test_words_that_a_story_may_be_about_are_kept():
    assert {"fire", "system"}.isdisjoint(stop_words())
    assert {"the", "is", "of"} <= stop_words()


def test_tokens_and_padding():
    assert tokenise("red moon") == ["[CLS]", "red", "moon", "[SEP]"]
    assert pad([tokenise("red moon"), tokenise("")]) == [
        ["[CLS]", "red", "moon", "[SEP]"],
        ["[CLS]", "[SEP]", "[PAD]", "[PAD]"],
    ]
    assert pad([]) == []


def test_genres():
    assert split_genres("Action, Slice of Life|Action") == ("Action", "Slice of Life")
    assert genre_text(["Action", " Slice  of Life"]) == "action, slice of life"
    assert genre_text(None) == genre_text("") == ""


def test_without_the_extra(monkeypatch):
    stop_words.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction.text", None)
    with pytest.raises(ImportError, match=r"pip install .\.\[text\]."):
        clean_text("the moon")
    stop_words.cache_clear()
