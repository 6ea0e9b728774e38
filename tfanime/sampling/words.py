"""From a line of words to attributes, in English, Japanese, Chinese and Russian.

A small grammar, not a model: words are looked up in `words.json`, gathered into items ("long blue
hair", "a hat"), and a negation, a colour or a length is given to what it belongs to. The site's
twin is web_export/src/grammar.js, statement by statement; both are held to
tests/words/golden.tsv.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfanime.core.labels import Field, LabelSchema

TABLE = Path(__file__).with_name("words.json")
LANGUAGES = ("en", "ja", "zh", "ru")
LONGEST = 1000  # characters of a text that are read
PHRASE = 4  # words of the longest phrase in the table
SIGN_PHRASE = 10  # characters of the longest phrase without spaces
PARTICLES = "のをがはでとに"  # end an unknown word of characters

SIGNS = {
    **dict.fromkeys(",;、；，", "comma"),
    **dict.fromkeys(".!?。\n", "stop"),
    **dict.fromkeys(":=：＝", "is"),
    **dict.fromkeys("&+", "and"),
    **dict.fromkeys("/|", "or"),
}


@dataclass(frozen=True)
class Understood:
    """What a text says of a schema's attributes.

    Args:
        tags: as `tfanime.generate` takes them: `{"hair": "blue", "smile": True}`.
        choices: of a group the values that are left, where several are: pink or blue hair, or any
            but blue.
        unknown: the words that say nothing about these attributes, as they were typed.
    """

    tags: dict[str, object]
    choices: dict[str, tuple[str, ...]]
    unknown: tuple[str, ...]


@dataclass
class _Token:
    kind: str  # adjective, noun, set, unknown, number, or the name of a function
    start: int
    end: int
    entry: dict = field(default_factory=dict)
    used: bool = True


@dataclass
class _Item:
    """A head with what stands before it: "no long blue hair"."""

    link: str = "stop"  # how it is joined to the one before: stop, comma, none, is, and, or
    fresh: bool = False  # behind "with" or "but": what was negated before ends
    negations: int = 0
    article: bool = False
    gap: bool = False  # a word that says nothing stands behind the adjectives
    after: bool = False  # a negation follows
    simple: bool = False  # negated by "no"
    negated: bool = False
    adjectives: list[_Token] = field(default_factory=list)
    unknown: list[_Token] = field(default_factory=list)
    head: _Token | None = None
    number: _Token | None = None
    group: str | None = None  # the field that its adjectives describe
    valued: bool = False  # its adjectives follow it

    @property
    def full(self) -> bool:
        return bool(self.adjectives or self.unknown or self.head or self.number)

    @property
    def bare(self) -> bool:
        return bool(self.adjectives) and not (self.head or self.unknown or self.number)

    @property
    def form(self) -> str:
        if self.head is not None and self.head.kind == "set":
            return "state" if self.head.entry.get("state") else "thing"
        return "group"


def understand(text: str, schema: LabelSchema | Iterable[Field]) -> Understood:
    """The attributes that a text names.

    Args:
        text: at most its first 1,000 characters are read.
        schema: the attributes there are; names and values beyond `words.json` are known by their
            own names.

    Example:
        >>> from tfanime.core.labels import MAKEGIRLSMOE
        >>> understand("long blue hair, no hat or ribbon", MAKEGIRLSMOE).tags
        {'long_hair': True, 'short_hair': False, 'hair': 'blue', 'hat': False, 'ribbon': False}
    """
    fields = {f.name: f for f in getattr(schema, "fields", schema)}
    shown = unicodedata.normalize("NFKC", text)[:LONGEST]
    lexicon = _Lexicon(fields)
    tokens = _tokens(_plain(shown), lexicon)
    items = _items(tokens, fields)
    _negate(items)
    _attach(items, fields)
    reading = _Reading(fields)
    for item in items:
        reading.take(item)
    tags, choices = reading.result()
    return Understood(tags, choices, tuple(_unknown(tokens, shown)))


def narrowed(schema: LabelSchema, choices: Mapping[str, Iterable[str]]) -> LabelSchema:
    """A schema that draws only these values of a group, as often among themselves as before.

    Args:
        schema: without its examples, which would be drawn whole.
        choices: as `Understood.choices`.
    """
    from tfanime.core.labels import LabelSchema

    fields = []
    for f in schema.fields:
        if f.name in choices:
            left = [value in choices[f.name] for value in f.values]
            known = f.frequencies or f.default_frequencies()
            kept = [p if here else 0.0 for p, here in zip(known, left, strict=True)]
            f = replace(f, frequencies=tuple(kept if sum(kept) else map(float, left)))
        fields.append(f)
    return LabelSchema(tuple(fields))


# ---- the table -----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def table() -> dict:
    """`words.json`."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def _plain(text: str) -> str:
    """Lower case, one spelling of each character; as long as `text`."""
    same = table()["same"]
    found = []
    for sign in text:
        low = sign.lower()
        low = low if len(low) == 1 else sign
        low = {"ё": "е", "’": "'", "‘": "'", "ʼ": "'", "`": "'"}.get(low, low)
        found.append(same.get(low, low))
    return "".join(found)


def _of_signs(char: str) -> bool:
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


class _Lexicon:
    """What each phrase says, for one schema."""

    def __init__(self, fields: Mapping[str, Field]):
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
                known = any(f.kind == "group" and name in f.values for f in fields.values())
                means = {"kind": "adjective", "values": {"": [name]}, "alone": kind == "kinds"}
                self._add(entry, means, True, weak=not known)
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
        plain = re.sub(r"[-_/]", " ", _plain(unicodedata.normalize("NFKC", phrase)))
        if "*" in plain:
            parts = [
                tuple(word.partition("*")[::2]) if "*" in word else (word, None)
                for word in plain.split(" ")
            ]
            weight = 100 * len(parts) + len(plain)
            self.stems.append((parts, weight, entry))
            return
        forms = [plain]
        if endings and _of_signs(plain[-1]):
            forms = [plain + ending for ending in table()["endings"]]
        for form in forms:
            if not (weak and form in self.phrases):
                self.phrases[form] = entry

    def _own(self, f: Field, words: dict) -> None:
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
            found = self.phrases.get(" ".join(words[:count])) or self._stem(words[:count])
            if found:
                return count, found
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
            found = self.phrases.get(text[at : at + count])
            if found:
                return count, found
        return None

    def near(self, word: str) -> dict | None:
        """What a misspelt word says, unless several are as near."""
        if len(word) < 4:
            return None
        best, nearest, tied = None, 3, False
        for known, entry in self.phrases.items():
            if known[0] != word[0] or len(known) < 4 or " " in known or _of_signs(known[0]):
                continue
            apart = _apart(word, known)
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


# ---- from characters to tokens -------------------------------------------------------------------


def _tokens(text: str, lexicon: _Lexicon) -> list[_Token]:
    tokens: list[_Token] = []
    pieces = _pieces(text)
    at = 0
    while at < len(pieces):
        kind, start, end = pieces[at]
        if kind == "signs":
            tokens.extend(_sign_tokens(text, start, end, lexicon))
        elif kind == "word":
            stop = at
            while stop < min(at + PHRASE, len(pieces)) and pieces[stop][0] == "word":
                stop += 1
            run = [text[s:e] for _, s, e in pieces[at:stop]]
            count, found = _word_tokens(run, pieces[at:stop], lexicon)
            tokens.extend(found)
            at += count
            continue
        else:
            tokens.append(_Token(kind, start, end, {"number": text[start:end]}))
        at += 1
    return tokens


def _pieces(text: str) -> list[tuple[str, int, int]]:
    """`(kind, start, end)` of words, runs of characters, numbers and signs."""
    found = []
    at = 0
    while at < len(text):
        number = re.match(r"-?[0-9]+(\.[0-9]+)?(?![0-9a-zа-я'])", text[at:])
        if number and (text[at] != "-" or at == 0 or text[at - 1] in " ="):
            end = at + len(number[0])
            found.append(("number", at, end))
        elif text[at] in SIGNS:
            end = at + 1
            found.append((SIGNS[text[at]], at, end))
        elif _of_signs(text[at]):
            end = at
            while end < len(text) and _of_signs(text[end]):
                end += 1
            found.append(("signs", at, end))
        elif text[at].isalnum():
            end = at
            while end < len(text) and (text[end].isalnum() or text[end] == "'"):
                if _of_signs(text[end]):
                    break
                end += 1
            found.append(("word", at, end))
        else:
            end = at + 1
        at = end
    return found


def _token(entry: dict, start: int, end: int) -> _Token:
    return _Token(entry["kind"], start, end, entry)


def _word_tokens(words: list[str], pieces, lexicon: _Lexicon) -> tuple[int, list[_Token]]:
    """How many words were read, and their tokens."""
    start, end = pieces[0][1:]
    word = words[0]
    found = lexicon.words(words)
    compound = word not in lexicon.phrases and _compound(word, start, end, lexicon)
    if compound and (found is None or found[0] == 1):
        return 1, compound
    if found:
        count, entry = found
        return count, [_token(entry, start, pieces[count - 1][2])]
    if word.endswith("n't"):
        return 1, [_Token("not", start, end)]
    if word.endswith("s"):
        entry = lexicon.phrases.get(word[:-1].rstrip("'"))
        if entry:
            return 1, [_token(entry, start, end)]
    entry = lexicon.near(word)
    return 1, [_token(entry, start, end) if entry else _Token("unknown", start, end)]


def _compound(word: str, start: int, end: int, lexicon: _Lexicon) -> list[_Token]:
    """A colour or length and its noun in one word: "blackhaired", "голубоглазая"."""
    for split in table()["splits"]:
        noun = split.rstrip("*")
        place = word.find(noun)
        if place < 3 or (noun == split and not word.endswith(noun)):
            continue
        left = lexicon.words([word[:place]])
        right = lexicon.words([word[place:]])
        if left and right:
            return [_token(left[1], start, start + place), _token(right[1], start + place, end)]
    return []


def _sign_tokens(text: str, start: int, end: int, lexicon: _Lexicon) -> list[_Token]:
    tokens: list[_Token] = []
    at = start
    run = text[:end]
    unknown = None  # where an unknown word began
    while at < end:
        found = lexicon.signs(run, at)
        if found and unknown is not None and found[0] == 1 and "\u3041" <= run[at] <= "\u309f":
            found = found if run[at] in PARTICLES else None
        if not found:
            unknown = at if unknown is None else unknown
            at += 1
            continue
        if unknown is not None:
            tokens.append(_Token("unknown", unknown, at))
            unknown = None
        count, entry = found
        tokens.append(_token(entry, at, at + count))
        at += count
    if unknown is not None:
        tokens.append(_Token("unknown", unknown, end))
    return tokens


# ---- from tokens to items ------------------------------------------------------------------------


class _Builder:
    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.item = _Item()

    def close(self, link: str = "none") -> None:
        """Ends the item, if anything is in it; the next is joined to it by `link`."""
        item = self.item
        if item.full:
            self.items.append(item)
            self.item = _Item(link)
            return
        if link in ("comma", "stop", "or", "and") and item.negations % 2 and self.items:
            if item.link in ("none", "is"):  # "glasses: no"
                self.items[-1].after = True
            item.negations = 0
        order = ("none", "is", "comma", "and", "or", "stop")
        if order.index(link) > order.index(item.link):
            item.link = link

    def refresh(self) -> None:
        self.close()
        self.item.fresh = True


def _items(tokens: list[_Token], fields: Mapping[str, Field]) -> list[_Item]:
    builder = _Builder()
    wanting = False  # "don't want a girl": what the girl is like is negated, and not the girl
    for token in tokens:
        item = builder.item
        kind = token.kind
        if kind in ("filler", "glue"):
            wanting = wanting or bool(kind == "filler" and item.negations and not item.full)
            item.gap = item.gap or kind == "filler"
            continue
        if kind == "adjective":
            if item.head or item.unknown or item.number:
                builder.close()
            item = builder.item
            shade = item.adjectives and item.adjectives[-1].entry.get("shade")
            if shade and "values" in token.entry:
                item.adjectives.pop()  # "dark blue" is blue
            item.adjectives.append(token)
            item.gap = False
        elif kind in ("noun", "set"):
            if kind == "set" and token.entry.get("person") and wanting and not item.full:
                wanting = False
                continue
            state = token.entry.get("state")
            own = kind == "noun" or token.entry.get("part")  # "short curly hair" is short
            other = item.unknown and not (own and item.adjectives)
            if item.head or other or item.number or (state and item.adjectives):
                builder.close()
            builder.item.head = token
        elif kind in ("unknown", "number"):
            value = _value_field(item.head, fields)
            if kind == "number" and value and item.number is None:
                item.number = token
                continue
            if item.head or item.number or (item.gap and item.adjectives):
                builder.close()
            if kind == "number":
                builder.close()
                builder.item.number = token
            else:
                builder.item.unknown.append(token)
        elif kind in ("no", "not"):
            if item.full:
                builder.close()
            builder.item.negations += 1
            builder.item.simple = kind == "no"
            wanting = False
        elif kind == "after":
            target = item if item.full else builder.items[-1] if builder.items else None
            if target is not None:
                target.after = True
                builder.refresh()
        elif kind == "article":
            if item.full:
                builder.close()
            builder.item.article = True
        elif kind in ("but", "with"):
            builder.refresh()
        elif kind == "break":
            builder.close("comma")
        else:
            builder.close(kind)
    builder.close("stop")
    return builder.items


def _value_field(head: _Token | None, fields: Mapping[str, Field]) -> Field | None:
    found = fields.get(head.entry.get("name", "")) if head is not None else None
    return found if found is not None and found.kind == "value" else None


# ---- what is negated -----------------------------------------------------------------------------


def _negate(items: list[_Item]) -> None:
    scope: _Item | None = None
    for i, item in enumerate(items):
        if item.fresh or item.link in ("stop", "none", "is"):
            scope = None
        if item.negations:
            item.negated = item.negations % 2 == 1
            scope = item if item.negated else None
        elif scope is not None:
            same = item.form == scope.form
            if item.link == "and":
                same = same and not (scope.simple and item.article)
            elif item.link == "comma":
                same = same and _list_ends_with_or(items, i)
            else:
                same = True
            item.negated = same
            scope = scope if same else None
        if item.after:
            item.negated = True
            back = i
            while items[back].link in ("and", "or") and not items[back].fresh:
                back -= 1
                if items[back].form != item.form or items[back].negations:
                    break
                items[back].negated = True


def _list_ends_with_or(items: list[_Item], i: int) -> bool:
    """Whether item i is in the middle of "a, b or c"."""
    for item in items[i + 1 :]:
        if item.negations or item.fresh or item.form != items[i].form:
            return False
        if item.link != "comma":
            return item.link == "or"
    return False


# ---- which noun an adjective belongs to ----------------------------------------------------------


def _attach(items: list[_Item], fields: Mapping[str, Field]) -> None:
    for item in items:
        if item.head is None:
            continue
        if item.head.kind == "noun":
            item.group = item.head.entry["name"]
        elif item.head.entry.get("part"):
            item.group = "hair"
    _attach_following(items)
    for i in range(len(items) - 2, -1, -1):
        item, following = items[i : i + 2]
        if following.fresh or following.group is None:
            continue
        joined = following.link in ("and", "or")
        listed = following.link == "comma" and following.bare and not following.valued
        if item.bare and item.group is None and (joined or listed):
            if _describes(item, following.group, fields):
                item.group = following.group
        elif _valueless(item) and _is_noun(following) and joined:
            # "hair and eyes are blue"
            _share(items[i + 2] if following.valued else following, item)
    for item, following in pairwise(items):
        if _valueless(following) and following.link in ("and", "or") and not following.fresh:
            _share(item, following)  # "blue hair and eyes"


def _attach_following(items: list[_Item]) -> None:
    """Adjectives behind their noun: "hair is blue", "волосы синие"."""
    for i, item in enumerate(items):
        before = items[i - 1] if i else None
        if before is None or item.fresh or not item.adjectives:
            continue
        direct = item.link in ("none", "is")
        if item.bare:
            if direct and _valueless(before):
                item.group, before.valued, item.valued = before.group, True, True
            elif before.valued and before.bare and item.link in ("and", "or"):
                item.group, item.valued = before.group, True
            continue
        after = items[i + 1] if i + 1 < len(items) else None
        behind = after is not None and after.bare and not after.fresh
        behind = behind and after.link in ("none", "is")
        if behind and direct and _valueless(before) and _is_noun(item):
            # "hair blue eyes green"
            before.adjectives, item.adjectives = item.adjectives, []
            continue
        if direct and before.group == "hair" and item.group != "hair":
            # "髪が長い青い目": only hair has a length
            lengths = [a for a in item.adjectives if "means" in a.entry]
            before.adjectives = before.adjectives + lengths
            item.adjectives = [a for a in item.adjectives if "means" not in a.entry]


def _is_noun(item: _Item) -> bool:
    return item.head is not None and item.head.kind == "noun"


def _valueless(item: _Item) -> bool:
    return _is_noun(item) and not item.adjectives and not item.valued and item.number is None


def _share(giver: _Item, taker: _Item) -> None:
    colours = [a for a in giver.adjectives if "values" in a.entry]
    if giver.group is not None and colours and not taker.negations:
        taker.adjectives = list(colours)


def _describes(item: _Item, group: str, fields: Mapping[str, Field]) -> bool:
    return any(
        _values(a, fields.get(group)) or (group == "hair" and "means" in a.entry)
        for a in item.adjectives
    )


def _values(adjective: _Token, f: Field | None) -> list[str]:
    """The values of a field that a colour stands for."""
    if f is None or f.kind != "group":
        return []
    values = adjective.entry.get("values", {})
    return [value for value in values.get(f.name, values.get("", [])) if value in f.values]


# ---- what it says of a schema --------------------------------------------------------------------


class _Reading:
    def __init__(self, fields: Mapping[str, Field]):
        self.fields = fields
        self.flags: dict[str, bool] = {}
        self.implied: dict[str, bool] = {}
        self.wanted: dict[str, list[str]] = {}
        self.excluded: dict[str, list[str]] = {}
        self.numbers: dict[str, float] = {}
        self.order: list[str] = []
        self.later: list[tuple[_Item, _Token, bool]] = []

    def take(self, item: _Item) -> None:
        for token in item.unknown:
            token.used = False
        head = item.head
        if item.number is not None:
            self._number(item)
            return
        if item.unknown and head is None:
            for token in item.adjectives:
                token.used = False
            return
        person = head is not None and head.entry.get("person")
        used = False
        for token in item.adjectives:
            if "means" in token.entry:
                of_hair = item.group == "hair" or head is None
                token.used = of_hair and self._means(token, item)
            elif item.group is not None:
                token.used = self._colour(token, item, item.group)
            elif head is None or person or token.entry.get("alone"):
                self.later.append((item, token, item.link in ("and", "or") and not item.fresh))
            else:
                token.used = False
            used = used or token.used
        if head is None:
            return
        if head.kind == "set":
            known = self._means(head, item)
            head.used = known or (bool(person) and head.entry["means"][0].startswith("-"))
        else:
            head.used = used or item.valued

    def _means(self, token: _Token, item: _Item) -> bool:
        """Takes what a phrase means; whether this schema has any of it."""
        known = False
        for i, part in enumerate(token.entry["means"]):
            if "=" in part:
                name, value = part.split("=")
                f = self.fields.get(name)
                if f is not None and f.kind == "group" and value in f.values:
                    known = True
                    self._add(self.excluded if item.negated else self.wanted, name, value)
                continue
            name = part.lstrip("-")
            f = self.fields.get(name)
            if f is None or f.kind != "flag":
                continue
            known = True
            yes = not part.startswith("-")
            if i == 0:
                self._note(name)
                self.flags[name] = yes != item.negated
            elif not item.negated:
                self._note(name)
                self.implied[name] = yes
        return known

    def _colour(self, token: _Token, item: _Item, group: str) -> bool:
        values = _values(token, self.fields.get(group))
        for value in values:
            self._add(self.excluded if item.negated else self.wanted, group, value)
        return bool(values)

    def _add(self, kept: dict[str, list[str]], name: str, value: str) -> None:
        self._note(name)
        kept.setdefault(name, [])
        if value not in kept[name]:
            kept[name].append(value)

    def _note(self, name: str) -> None:
        if name not in self.order:
            self.order.append(name)

    def _number(self, item: _Item) -> None:
        f = _value_field(item.head, self.fields)
        number = float(item.number.entry["number"]) if f is not None else 0.0
        if f is None or not f.low <= number <= f.high or item.negated:
            item.number.used = False
            if item.head is not None:
                item.head.used = False
            return
        self._note(f.name)
        self.numbers[f.name] = number

    def _loose_colours(self) -> None:
        """Colours without a noun: of the first group that has them and is not decided."""
        last: str | None = None
        for item, token, joined in self.later:
            if joined and last is not None and self._colour(token, item, last):
                continue
            last = None
            for f in self.fields.values():
                values = _values(token, f)
                decided = self.wanted.get(f.name, values)
                if values and (item.negated or set(values) & set(decided)):
                    last = f.name
                    self._colour(token, item, last)
                    break
            token.used = last is not None

    def result(self) -> tuple[dict[str, object], dict[str, tuple[str, ...]]]:
        self._loose_colours()
        tags: dict[str, object] = {}
        choices = {}
        for name in self.order:
            if name in self.flags or name in self.implied:
                tags[name] = self.flags.get(name, self.implied.get(name))
            elif name in self.numbers:
                tags[name] = self.numbers[name]
            else:
                f = self.fields[name]
                wanted = self.wanted.get(name, f.values)
                left = [v for v in f.values if v in wanted and v not in self.excluded.get(name, ())]
                if len(left) == 1:
                    tags[name] = left[0]
                elif left:
                    choices[name] = tuple(left)
        return tags, choices


def _unknown(tokens: list[_Token], shown: str) -> list[str]:
    """What was typed and not used: neighbours together."""
    found: list[list[int]] = []
    near = False
    for token in tokens:
        if token.used and token.kind != "unknown":
            near = near and token.kind == "glue"
            continue
        if near and found:
            found[-1][1] = token.end
        else:
            found.append([token.start, token.end])
        near = True
    return [shown[start:end] for start, end in found]
