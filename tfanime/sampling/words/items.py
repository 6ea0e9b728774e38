"""From tokens to items: a head with the adjectives, negations and unknown words around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tfanime.sampling.words.tokens import Token

if TYPE_CHECKING:
    from tfanime.core.labels import Field


@dataclass
class Item:
    """A head with what stands before it: "no long blue hair"."""

    link: str = "stop"  # how it is joined to the one before: stop, comma, none, is, and, or
    fresh: bool = False  # behind "with" or "but": what was negated before ends
    negations: int = 0
    article: bool = False
    gap: bool = False  # a word that says nothing stands behind the adjectives
    after: bool = False  # a negation follows
    simple: bool = False  # negated by "no"
    negated: bool = False
    adjectives: list[Token] = field(default_factory=list)
    unknown: list[Token] = field(default_factory=list)
    head: Token | None = None
    number: Token | None = None
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


class _Builder:
    """The items so far, and the one that is being read."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.item = Item()

    def close(self, link: str = "none") -> None:
        """Ends the item, if anything is in it; the next is joined to it by `link`."""
        item = self.item
        if item.full:
            self.items.append(item)
            self.item = Item(link)
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


def items_of(tokens: list[Token], fields: Mapping[str, Field]) -> list[Item]:
    """Gathers tokens into items; `fields` says which nouns take a number."""
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
            value = value_field(item.head, fields)
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


def value_field(head: Token | None, fields: Mapping[str, Field]) -> Field | None:
    """The field of numbers that a noun names, or None."""
    field = fields.get(head.entry.get("name", "")) if head is not None else None
    return field if field is not None and field.kind == "value" else None
