"""From items to what they say of a schema's attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tfanime.sampling.words.items import Item, value_field
from tfanime.sampling.words.relations import values_of
from tfanime.sampling.words.tokens import Token

if TYPE_CHECKING:
    from tfanime.core.labels import Field


class Reading:
    """What the items that were taken say: flags, numbers, and values that are wanted or not."""

    def __init__(self, fields: Mapping[str, Field]):
        self.fields = fields
        self.flags: dict[str, bool] = {}
        self.implied: dict[str, bool] = {}
        self.wanted: dict[str, list[str]] = {}
        self.excluded: dict[str, list[str]] = {}
        self.numbers: dict[str, float] = {}
        self.order: list[str] = []
        self.later: list[tuple[Item, Token, bool]] = []

    def take(self, item: Item) -> None:
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
        any_use = False
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
            any_use = any_use or token.used
        if head is None:
            return
        if head.kind == "set":
            negative = bool(person) and head.entry["means"][0].startswith("-")
            head.used = self._means(head, item) or negative
        else:
            head.used = any_use or item.valued

    def _means(self, token: Token, item: Item) -> bool:
        """Takes what a phrase means; whether this schema has any of it."""
        has_meaning = False
        for i, part in enumerate(token.entry["means"]):
            if "=" in part:
                name, value = part.split("=")
                f = self.fields.get(name)
                if f is not None and f.kind == "group" and value in f.values:
                    has_meaning = True
                    self._add(self.excluded if item.negated else self.wanted, name, value)
                continue
            name = part.lstrip("-")
            f = self.fields.get(name)
            if f is None or f.kind != "flag":
                continue
            has_meaning = True
            yes = not part.startswith("-")
            if i == 0:
                self._note(name)
                self.flags[name] = yes != item.negated
            elif not item.negated:
                self._note(name)
                self.implied[name] = yes
        return has_meaning

    def _colour(self, token: Token, item: Item, group: str) -> bool:
        values = values_of(token, self.fields.get(group))
        for value in values:
            self._add(self.excluded if item.negated else self.wanted, group, value)
        return bool(values)

    def _add(self, values: dict[str, list[str]], name: str, value: str) -> None:
        self._note(name)
        values.setdefault(name, [])
        if value not in values[name]:
            values[name].append(value)

    def _note(self, name: str) -> None:
        if name not in self.order:
            self.order.append(name)

    def _number(self, item: Item) -> None:
        f = value_field(item.head, self.fields)
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
                values = values_of(token, f)
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
                values = self.wanted.get(name, f.values)
                excluded = self.excluded.get(name, ())
                options = [v for v in f.values if v in values and v not in excluded]
                if len(options) == 1:
                    tags[name] = options[0]
                elif options:
                    choices[name] = tuple(options)
        return tags, choices
