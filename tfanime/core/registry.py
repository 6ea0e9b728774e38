"""Named things that a recipe, a command or a setting can ask for, open to a user's own.

A registry knows names without importing what they stand for, so that a misspelt one is refused
before TensorFlow is imported. There are three ways in: what tfanime brings (`tfanime.registries`),
what a program registers, and what an installed package announces as an entry point.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tfanime.core.printing import near_miss

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """What a name stands for.

    Args:
        target: the object itself, or `"module:attribute"`, imported when it is first needed.
        facts: what has to be known of it before it is imported, such as `{"signed": True}`.
    """

    target: Any
    facts: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        return getattr(importlib.import_module(module), attribute)


def entry(target: str, **facts) -> Entry:
    """Something that tfanime brings; `target` is `"module:attribute"`."""
    return Entry(target, facts)


class Registry:
    """Objects of one kind by name.

    Args:
        what: the setting that names them, as errors call it: `"loss"`.
        group: the entry points of installed packages that are of this kind: `"tfanime.losses"`.
        built_in: what tfanime brings, in the order in which it is listed.

    Example:
        >>> colours = Registry("colour", "tfanime.examples", {"red": Entry((255, 0, 0))})
        >>> colours.register("blue", (0, 0, 255))
        (0, 0, 255)
        >>> colours.names(), colours["blue"]
        (('red', 'blue'), (0, 0, 255))
    """

    def __init__(self, what: str, group: str, built_in: Mapping[str, Entry]):
        self.what, self.group = what, group
        self.built_in = dict(built_in)
        self.registered: dict[str, Entry] = {}

    def register(self, name: str, value: T | None = None, **facts) -> T | Callable[[T], T]:
        """Adds an object, or, without `value`, decorates one.

        A name that was registered before then stands for the new object, so that a notebook's cell
        may be run again; what tfanime brings stays what it is.

        Args:
            name: letters, digits, `_` and `-`.
            value: the object, or `"module:attribute"`; None: the decorated one.
            facts: what can be said of it without importing it; see the registry's own words.

        Raises:
            ValueError: for a name that tfanime has, or that settings cannot hold.
        """
        if not name.replace("-", "_").isidentifier():
            raise ValueError(
                f"A {self.what} has a name of letters, digits, '_' and '-'. Received: {name!r}."
            )
        if name in self.built_in:
            raise ValueError(
                f"tfanime has a {self.what} {name!r} already, which stays what it is. "
                "Choose another name."
            )

        def add(thing: T) -> T:
            self.registered[name] = Entry(thing, facts)
            return thing

        return add if value is None else add(value)

    def names(self) -> tuple[str, ...]:
        """What tfanime brings, what was registered, and what packages bring."""
        return tuple({**self.built_in, **self.registered, **_announced(self.group)})

    def check(self, name: object) -> str:
        """`name`, if there is one; nothing is imported.

        Raises:
            ValueError: naming those that there are.
        """
        if name not in self:
            names = self.names()
            raise ValueError(
                f"{self.what} is one of: {', '.join(names)}. Received: {name!r}."
                f"{near_miss(name, names)}"
            )
        return str(name)

    def get(self, name: str) -> Any:
        """What the name stands for.

        Raises:
            ValueError: for an unknown name, or a package that cannot be imported.
        """
        entry = self.entry(name)
        try:
            return entry.load()
        except (ImportError, AttributeError) as error:
            if name in self.built_in:
                raise
            raise ValueError(
                f"The {self.what} {name!r} is {entry.target!r}, which cannot be imported ({error})."
            ) from error

    def entry(self, name: str) -> Entry:
        """The name's target and facts; nothing is imported."""
        self.check(name)
        entry = self.built_in.get(name) or self.registered.get(name)
        return entry or Entry(_announced(self.group)[name])

    def fact(self, name: str, fact: str, default: Any = None) -> Any:
        """What was said of it when it was registered; else its own attribute of that name, of an
        object that needs no import; else `default`."""
        entry = self.entry(name)
        if fact in entry.facts:
            return entry.facts[fact]
        return default if isinstance(entry.target, str) else getattr(entry.target, fact, default)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        mine = name in self.built_in or name in self.registered
        return mine or name in _announced(self.group)  # which reads files, so it is asked last

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def keys(self) -> tuple[str, ...]:
        return self.names()

    def items(self) -> list[tuple[str, Any]]:
        return [(name, self.get(name)) for name in self]

    def values(self) -> list[Any]:
        return [self.get(name) for name in self]


def _announced(group: str) -> dict[str, str]:
    """Entry points of installed packages: name to `"module:attribute"`."""
    return {point.name: point.value for point in _entry_points().select(group=group)}


@functools.cache
def _entry_points() -> importlib.metadata.EntryPoints:
    return importlib.metadata.entry_points()
