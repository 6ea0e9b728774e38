"""A phrase is read alike by Python and by the site: the same words, genres, odds and tags."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tfanime.core.labels import Field, LabelSchema
from tfanime.sampling import phrases

HERE = Path(__file__).parent
SCHEMA = LabelSchema(
    (
        Field("medium", "group", ("film", "manga", "anime")),
        Field("horror", "flag"),
        Field("romance", "flag"),
        Field("action", "flag"),
        Field("spaghetti", "flag"),  # which no table has
    )
)
SAID = [
    "a lonely swordsman under a red moon",
    "summer love by the sea",
    "ghosts in an abandoned house",
    "robots in a space war",
    "a dragon and a princess",
    "the last day of the blue planet",
    "The Swordsman's swords, SWORDS and swordsmen; it's the ninja’s story",
    "fairies flying quickly",
    "",
    "the of and a",
    "xyzzy plugh",
    "constructor toString __proto__ valueOf",
    "красная луна 赤い月",
    "𝒜 😀" * 600 + " ghost",  # beyond what is read, which counts characters and no halves
    "😀" * 990 + " ghost murder",
    "İstanbul ghosts' e x",
]


def made(count: int) -> list[str]:
    """Phrases of words of the table, of their forms and of others."""
    chance = random.Random(11)
    stems = sorted(phrases.shipped().words)
    other = ["the", "of", "my", "qwertz", "it's", "dogs'", "-", "é", "1999", "a"]
    endings = ["", "", "", "s", "es", "ed", "ing", "ly", "'s", "ies"]

    def word() -> str:
        if chance.random() < 0.2:
            return chance.choice(other)
        said = chance.choice(stems) + chance.choice(endings)
        return said.upper() if chance.random() < 0.1 else said

    return [" ".join(word() for _ in range(chance.randint(1, 14))) for _ in range(count)]


def in_javascript(said: list[str]) -> list[dict]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the JavaScript twin cannot run")
    done = subprocess.run(
        [node, str(HERE / "phrases_twin.mjs")],
        input=json.dumps({"phrases": said, "fields": SCHEMA.to_json()["fields"]}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_phrases_are_read_alike():
    said = [*SAID, *made(400)]
    chosen = set()
    for phrase, answer in zip(said, in_javascript(said), strict=True):
        reading = phrases.shipped().read(phrase)
        assert [genre for genre, _ in answer["odds"]] == list(reading.odds), phrase
        for genre, share in answer["odds"]:
            assert share == pytest.approx(reading.odds[genre], rel=1e-12), phrase
        assert tuple(answer["chosen"]) == reading.chosen, phrase
        assert tuple(answer["known"]) == reading.known, phrase
        assert tuple(answer["unknown"]) == reading.unknown, phrase
        assert answer["tags"] == reading.tags(SCHEMA), phrase
        chosen |= set(reading.chosen)
    assert chosen == set(phrases.shipped().genres)  # all of them were put to the test
