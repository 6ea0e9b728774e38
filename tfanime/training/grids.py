"""Grids of settings and their cells; without TensorFlow, as the command line reads them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfanime.recipes.config import parse_overrides


@dataclass(frozen=True)
class Cell:
    """One cell of the grid.

    Args:
        name: of its run folder.
        settings: the grid's settings here, such as `{"batch_size": 16, "generator.depth": 5}`.
        result: state ("finished", "diverged", "stopped"), steps, pictures, minutes, images_s,
            the last d_loss, g_loss and diversity, warnings; None when its turn has not come.
    """

    name: str
    settings: Mapping[str, Any]
    result: Mapping[str, Any] | None = None


def cells(grid: Mapping[str, Sequence]) -> tuple[Cell, ...]:
    """The cells of a grid, the last setting varying fastest, with file-safe names.

    Raises:
        ValueError: for an empty grid, a setting without values, or values that cannot be told
            apart by name.
    """
    if not grid or not all(len(values) for values in grid.values()):
        raise ValueError(
            "A grid has at least one setting, and each at least one value, such as "
            f"batch_size=16,32. Received: {dict(grid)}."
        )
    found: dict[str, Cell] = {}
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        name = _file_safe("_".join(f"{key}-{value}" for key, value in settings.items()))
        # Some file systems take a and A for the same name.
        if name.lower() in found:
            raise ValueError(
                "The cells of a grid need different names. Received twice, or too much alike: "
                f"{settings}."
            )
        found[name.lower()] = Cell(name, settings)
    return tuple(found.values())


def parse_grid(pairs) -> dict[str, list]:
    """`["batch_size=16,32", "generator.depth=5,6"]` to the `grid` of `sweep`.

    Values that contain commas themselves are written as a JSON list:
    `augment=["none", "color,translation"]`.
    """
    grid: dict[str, list] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals or not text.strip():
            raise ValueError(
                f"An axis of the grid is written NAME=VALUE,VALUE,... Received: {pair!r}."
            )
        if name in grid:
            raise ValueError(f"A setting has one axis in the grid. Received twice: {name}.")
        if text.lstrip().startswith("["):
            try:
                grid[name] = json.loads(text)
            except json.JSONDecodeError as error:
                raise ValueError(f"{name} is no JSON list ({error}). Received: {text!r}.") from None
        else:
            words = [word.strip() for word in text.split(",")]
            grid[name] = [parse_overrides([f"value={word}"])["value"] for word in words]
    return grid


def _file_safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-.")
