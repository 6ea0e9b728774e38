"""What phrases say: the table `words.json`, and its phrases for one schema."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tfanime.core.labels import Field

TABLE = Path(__file__).parents[1] / "words.json"
LANGUAGES = ("en", "ja", "zh", "ru")
PHRASE = 4  # words of the longest phrase in the table
SIGN_PHRASE = 10  # characters of the longest phrase without spaces


@lru_cache(maxsize=1)
def table() -> dict:
    """`words.json`."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def plain_spelling(text: str) -> str:
    """Lower case, one spelling of each character; as long as `text`."""
    same = table()["same"]
    spelling = []
    for sign in text:
        low = sign.lower()
        low = low if len(low) == 1 else sign
        low = {"ё": "е", "’": "'", "‘": "'", "ʼ": "'", "`": "'"}.get(low, low)
        spelling.append(same.get(low, low))
    return "".join(spelling)


def of_signs(char: str) -> bool:
    """Whether it is written without spaces between words."""
    return (
        "\u3041" <= char <= "\u30ff"
        and char != "・"
        or "\u3400" <= char <= "\u9fff"
        or char == "々"
    )


def _listed(entry: Mapping[str, str]) -> list[str]:
    texts = (entry.get(language, "") for language in LANGUAGES)
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


class Named(NamedTuple):
    """What of a field decides which phrases there are."""

    name: str
    kind: str
    values: tuple[str, ...]


def lexicon_of(fields: Iterable[Field]) -> Lexicon:
    """The phrases for these fields: made once, which takes longer than to read a text."""
    return _lexicon(tuple(Named(f.name, f.kind, tuple(f.values)) for f in fields))


@lru_cache(maxsize=16)
def _lexicon(fields: tuple[Named, ...]) -> Lexicon:
    return Lexicon({f.name: f for f in fields})


class Lexicon:
    """What each phrase says, for one schema."""

    def __init__(self, fields: Mapping[str, Named]):
        self.phrases: dict[str, dict] = {}
        self.stems: list[tuple[list[tuple[str, str]], int, dict]] = []
        words = table()
        for name, entry in words["functions"].items():
            self._add(entry, {"kind": name})
        for entry in words["shades"]:
            self._add(entry, {"kind": "adjective", "shade": True, "values": _tint(entry)}, True)
        for entry in words["lengths"]:
            self._add(entry, {"kind": "adjective", "means": entry["means"].split()}, True)
        for kind in ("values", "kinds"):
            for name, entry in words[kind].items():
                has_value = any(f.kind == "group" and name in f.values for f in fields.values())
                means = {"kind": "adjective", "values": {"": [name]}, "alone": kind == "kinds"}
                self._add(entry, means, True, weak=not has_value)
        for entry in words["tints"]:
            self._add(entry, {"kind": "adjective", "values": _tint(entry)}, True)
        for name, entry in words["groups"].items():
            self._add(entry, {"kind": "noun", "name": name}, weak=name not in fields)
        lengths = {name for entry in words["lengths"] for name in _names(entry["means"])}
        for name, entry in words["flags"].items():
            if name not in lengths:
                part = name in words["hair_parts"]
                means = {"kind": "set", "means": [name], "part": part}
                self._add(entry, means, weak=name not in fields)
        for kind, state in (("forms", True), ("phrases", False)):
            for entry in words[kind]:
                means = entry["means"].split()
                self._add(entry, {"kind": "set", "means": means, "state": state})
        for entry in words["persons"]:
            means = entry["means"].split()
            self._add(entry, {"kind": "set", "means": means, "person": True})
        for f in fields.values():
            self._own(f, words)

    def _add(self, words: Mapping[str, str], entry: dict, endings=False, weak=False) -> None:
        for phrase in _listed(words):
            self._phrase(phrase, entry, endings, weak)

    def _phrase(self, phrase: str, entry: dict, endings=False, weak=False) -> None:
        plain = re.sub(r"[-_/]", " ", plain_spelling(unicodedata.normalize("NFKC", phrase)))
        if "*" in plain:
            parts = [
                tuple(word.partition("*")[::2]) if "*" in word else (word, None)
                for word in plain.split(" ")
            ]
            weight = 100 * len(parts) + len(plain)
            self.stems.append((parts, weight, entry))
            return
        forms = [plain]
        if endings and of_signs(plain[-1]):
            forms = [plain + ending for ending in table()["endings"]]
        for form in forms:
            if not (weak and form in self.phrases):
                self.phrases[form] = entry

    def _own(self, f: Named, words: dict) -> None:
        """A schema's own names, where the table has none."""
        if f.kind == "group":
            if f.name not in words["groups"]:
                self._phrase(f.name, {"kind": "noun", "name": f.name})
            for value in f.values:
                if value not in words["values"] and value not in words["kinds"]:
                    means = {"kind": "adjective", "values": {"": [value]}, "alone": True}
                    self._phrase(value, means)
        elif f.kind == "value":
            self._phrase(f.name, {"kind": "noun", "name": f.name})
        elif f.kind == "flag" and f.name not in words["flags"]:
            self._phrase(f.name, {"kind": "set", "means": [f.name]})

    def words(self, words: list[str]) -> tuple[int, dict] | None:
        """How many of the first words are a phrase, the longest there is, and what it says."""
        for count in range(min(PHRASE, len(words)), 0, -1):
            entry = self.phrases.get(" ".join(words[:count])) or self._stem(words[:count])
            if entry:
                return count, entry
        return None

    def _stem(self, words: list[str]) -> dict | None:
        best, heaviest = None, 0
        for parts, weight, entry in self.stems:
            if weight > heaviest and len(parts) == len(words) and all(map(_fits, words, parts)):
                best, heaviest = entry, weight
        return best

    def signs(self, text: str, at: int) -> tuple[int, dict] | None:
        """The same of characters: how many from `at` on."""
        for count in range(min(SIGN_PHRASE, len(text) - at), 0, -1):
            entry = self.phrases.get(text[at : at + count])
            if entry:
                return count, entry
        return None

    def near(self, word: str) -> dict | None:
        """What a misspelt word says, unless several are as near."""
        if len(word) < 4:
            return None
        best, nearest, tied = None, 3, False
        for phrase, entry in self.phrases.items():
            if phrase[0] != word[0] or len(phrase) < 4 or " " in phrase or of_signs(phrase[0]):
                continue
            apart = _apart(word, phrase)
            if apart < nearest:
                best, nearest, tied = entry, apart, False
            elif apart == nearest and best is not entry:
                tied = True
        return best if not tied and nearest <= (2 if len(word) > 8 else 1) else None


def _tint(entry: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: entry[name].split() for name in ("hair", "eyes") if name in entry}


def _names(means: str) -> list[str]:
    return [name.lstrip("-") for name in means.split()]


def _fits(word: str, part: tuple[str, str | None]) -> bool:
    start, end = part
    if end is None:
        return word == start
    return len(word) >= len(start) + len(end) and word.startswith(start) and word.endswith(end)


def _apart(a: str, b: str) -> int:
    """Letters to change, add, drop or swap, 3 at most; of four letters only two may be swapped."""
    if abs(len(a) - len(b)) > 2:
        return 3
    if len(a) == 4:
        differing = [i for i in range(4) if a[i] != b[i]] if len(b) == 4 else []
        if len(differing) != 2 or differing[1] - differing[0] != 1:
            return 3
        i, j = differing
        return 1 if a[i] == b[j] and a[j] == b[i] else 3
    other = 2 if len(a) == 5 else 1  # a scarf is not scary
    older: list[int] = []
    old = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        row = [i]
        for j in range(1, len(b) + 1):
            cost = min(row[-1] + 1, old[j] + 1, old[j - 1] + other * (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, old = old, row
    return min(old[-1], 3)
