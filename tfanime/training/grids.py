"""Grids of settings and their cells; without TensorFlow, as the command line reads them."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tfanime.recipes.config import Config
from tfanime.recipes.overrides import parse_overrides
from tfanime.training.plan import recipe_config


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
    by_name: dict[str, Cell] = {}
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        name = _file_safe("_".join(f"{key}-{value}" for key, value in settings.items()))
        # Some file systems take a and A for the same name.
        if name.lower() in by_name:
            raise ValueError(
                "The cells of a grid need different names. Received twice, or too much alike: "
                f"{settings}."
            )
        by_name[name.lower()] = Cell(name, settings)
    return tuple(by_name.values())


def cell_configs(
    recipe, grid: Mapping[str, Sequence], overrides: Mapping[str, Any], size
) -> list[tuple[Cell, Config]]:
    """Every cell of a grid with its settings.

    Args:
        recipe: what `train` takes.
        grid: see `cells`.
        overrides: settings of all cells.
        size: of images that are packed already, or None.

    Raises:
        ValueError: for a bad grid or setting.
    """
    overrides, names = dict(overrides), ("size", "image_size")
    if all(overrides.get(name) is None and name not in grid for name in names):
        overrides["size"] = size
    return [(cell, cell_config(recipe, cell, overrides)) for cell in cells(grid)]


def cell_config(recipe, cell: Cell, overrides: Mapping[str, Any]) -> Config:
    """The settings of one cell."""
    changes = parse_overrides(f"{name}={json.dumps(v)}" for name, v in cell.settings.items())
    settings = {name: value for name, value in overrides.items() if value is not None}
    for name in set(changes) & set(settings):
        both = [changes[name], settings[name]]
        if not all(isinstance(one, Mapping) for one in both) or set(both[0]) & set(both[1]):
            raise ValueError(f"{name} is an axis of the grid and fixed as well. Choose one.")
        changes[name] = {**settings[name], **changes[name]}
    return recipe_config(recipe, **{**settings, **changes})


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
