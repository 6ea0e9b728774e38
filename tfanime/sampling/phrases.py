"""From a phrase to genres, without an encoder: what each word says, added up.

`phrases.json` holds the log of how many times as often a word occurs in synopses and titles of a
genre as in others. Words are taken to be independent, as naive Bayes takes them, which makes
long texts too sure: the sum is divided by the root of half the number of words that were known.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfanime.core.labels import LabelSchema

_SMALL = """
a an the and or of in on at to for with by from under over near is are was be been has have his her
its their our my who that this these those it he she they we you as into out up down not no but so
all one two can will would about after before than then there what when which where while own must
also more him me some any each other only just very if do does did had between through during
against upon such may might could should how why
"""
SMALL = frozenset(_SMALL.split())
GENRES = (
    *("action", "adventure", "comedy", "drama", "fantasy", "historical", "horror"),
    *("magical_girls", "mecha", "music", "mystery", "romance", "sci_fi", "slice_of_life"),
    *("sports", "supernatural", "thriller"),
)
# Posters of these have narrow capitals and, if not `paint`, a screen print; others Roman and mist.
LOUD = ("action", "adventure", "comedy", "mecha", "music", "sci_fi", "sports", "thriller")
LONGEST = 1000  # characters of a phrase that are read
MOST = 3  # genres that a phrase is drawn with
SURE = 0.5  # odds from which a genre is drawn beside the first
TOLD = 6  # genres whose odds are said, besides those drawn with
# An ending is taken off where as many letters or more are left.
ENDINGS = {"ies": 3, "ing": 4, "ed": 4, "es": 4, "ly": 4, "s": 4}


@dataclass(frozen=True)
class Reading:
    """What a phrase says of genres.

    Args:
        odds: genre to its probability, the highest first.
        chosen: the genres to draw with: the one that the phrase raises most, and others that are
            more likely than not.
        known: the words that say something, as they were typed.
        unknown: the others, less small words such as "the".
    """

    odds: dict[str, float]
    chosen: tuple[str, ...]
    known: tuple[str, ...]
    unknown: tuple[str, ...]

    def tags(self, schema: LabelSchema) -> dict[str, object]:
        """What a phrase asks of a schema: its genres, none of the others, and anime rather than
        another medium."""
        if not self.chosen:
            return {}
        there = [f.name for f in schema.fields if f.name in self.odds]
        tags: dict[str, object] = {genre: genre in self.chosen for genre in there}
        medium = next((f for f in schema.fields if f.name == "medium"), None)
        return tags | ({"medium": "anime"} if medium and "anime" in medium.values else {})

    def told(self) -> dict[str, float]:
        """The odds worth saying: the highest ones, and those of the genres drawn with."""
        ranked = enumerate(self.odds.items())
        return {g: share for i, (g, share) in ranked if i < TOLD or g in self.chosen}

    def lines(self) -> list[str]:
        """The reading in a few lines."""
        if not self.known:
            return []
        shares = ", ".join(f"{genre} {share:.0%}" for genre, share in self.told().items())
        return [f"words that it knew: {', '.join(self.known)}", f"genres: {shares}"]


class Phrases:
    """A table of words and genres, see `phrases.json`."""

    def __init__(self, table: Mapping[str, Any]):
        self.genres = tuple(table["genres"])
        self.priors = tuple(math.log(p / (1 - p)) for p in table["frequencies"])
        self.words = table["words"]

    def read(self, text: str) -> Reading:
        """The genres of a phrase; of one without a word that is known, how frequent they are."""
        words, unknown, rows = [], [], []
        for word in words_of(text):
            row = self.words.get(stem(word))
            if word in SMALL:
                continue
            if row is None:
                unknown.append(word)
            else:
                words.append(word)
                rows.append(row)
        tempered = 10 * max(1.0, math.sqrt(len(rows) / 2))
        raised = [sum(column) / tempered for column in zip(*rows, strict=True)] or [0.0] * len(
            self.genres
        )
        odds = {
            genre: 1 / (1 + math.exp(-prior - more))
            for genre, prior, more in zip(self.genres, self.priors, raised, strict=True)
        }
        order = sorted(odds, key=lambda genre: -odds[genre])
        lifted = dict(zip(self.genres, raised, strict=True))
        likely = [genre for genre in order if lifted[genre] > 0 and odds[genre] >= SURE]
        first = max(self.genres, key=lambda genre: lifted[genre] + math.log(odds[genre]) / 3)
        genres = tuple(dict.fromkeys((first, *likely)))[:MOST] if rows else ()
        return Reading({g: odds[g] for g in order}, genres, tuple(words), tuple(unknown))


def genres_of(text: str, schema: LabelSchema) -> Reading | None:
    """The genres of a phrase; None for a schema that has fewer than two of them."""
    return shipped().read(text) if knows_genres(schema) else None


def knows_genres(schema: LabelSchema) -> bool:
    """Whether a schema has two genres or more, so that a phrase says what to draw."""
    return len({f.name for f in schema.fields if f.kind == "flag"} & set(GENRES)) >= 2


@cache
def shipped() -> Phrases:
    """The table that comes with tfanime."""
    text = files("tfanime.sampling").joinpath("phrases.json").read_text("utf-8")
    return Phrases(json.loads(text))


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, each once, in its order."""
    words = re.findall(r"[a-z]+(?:'[a-z]+)?", text[:LONGEST].lower().replace("’", "'"))
    return list(dict.fromkeys(word.removesuffix("'s") for word in words if len(word) > 1))


def stems(text: str) -> set[str]:
    """The stems of all words of a text, however long it is."""
    return {stem(word.removesuffix("'s")) for word in re.findall(r"[a-z]{2,}", text.lower())}


def stem(word: str) -> str:
    """A word without its ending: "swords" is "sword", "swordsmen" is not "swordsman"."""
    for ending, least in ENDINGS.items():
        if word.endswith(ending) and len(word) - len(ending) >= least:
            bare = word.removesuffix(ending)
            return bare + "y" if ending == "ies" else bare
    return word
