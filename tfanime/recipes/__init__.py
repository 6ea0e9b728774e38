"""Reproduced models: one file each, whose docstring says what to expect and at what cost."""

from __future__ import annotations

import importlib

from tfanime.core.printing import near_miss
from tfanime.recipes.config import Config

NAMES = (
    "dcgan",
    "dcgan-sn",
    "wgan",
    "wgan-gp",
    "cdcgan-sn",
    "clsgan",
    "infogan",
    "ac-infogan",
    "makegirlsmoe",
    "dcgan-dragan",
    "modern",
    "projected",
    "r3gan",
    "srgan",
)


def names() -> tuple[str, ...]:
    """The recipes there are, in the order they are listed."""
    return NAMES


def _module(name: str):
    if name not in NAMES:
        raise ValueError(
            f"recipe is one of: {', '.join(NAMES)}. Received: {name!r}.{near_miss(name, NAMES)}"
        )
    return importlib.import_module(f"tfanime.recipes.{name.replace('-', '_')}")


def get(name: str) -> Config:
    """The recipe's configuration."""
    return _module(name).RECIPE


def describe(name: str) -> str:
    """The recipe's docstring: citation, purpose, figure to expect, cost, command."""
    return _module(name).__doc__.strip()


def headline(name: str) -> str:
    """The first line of the docstring."""
    return describe(name).splitlines()[0]
