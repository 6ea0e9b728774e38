"""Between items: how far a negation reaches, and which noun an adjective belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from tfanime.sampling.words.items import Item
from tfanime.sampling.words.tokens import Token

if TYPE_CHECKING:
    from tfanime.core.labels import Field


def negate(items: list[Item]) -> None:
    """Marks the items that a negation reaches."""
    scope: Item | None = None
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


def _list_ends_with_or(items: list[Item], i: int) -> bool:
    """Whether item i is in the middle of "a, b or c"."""
    for item in items[i + 1 :]:
        if item.negations or item.fresh or item.form != items[i].form:
            return False
        if item.link != "comma":
            return item.link == "or"
    return False


def attach(items: list[Item], fields: Mapping[str, Field]) -> None:
    """Gives each item the field that its adjectives describe."""
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


def _attach_following(items: list[Item]) -> None:
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


def _is_noun(item: Item) -> bool:
    return item.head is not None and item.head.kind == "noun"


def _valueless(item: Item) -> bool:
    return _is_noun(item) and not item.adjectives and not item.valued and item.number is None


def _share(giver: Item, taker: Item) -> None:
    colours = [a for a in giver.adjectives if "values" in a.entry]
    if giver.group is not None and colours and not taker.negations:
        taker.adjectives = list(colours)


def _describes(item: Item, group: str, fields: Mapping[str, Field]) -> bool:
    return any(
        values_of(a, fields.get(group)) or (group == "hair" and "means" in a.entry)
        for a in item.adjectives
    )


def values_of(adjective: Token, f: Field | None) -> list[str]:
    """The values of a field that a colour stands for."""
    if f is None or f.kind != "group":
        return []
    values = adjective.entry.get("values", {})
    return [value for value in values.get(f.name, values.get("", [])) if value in f.values]
