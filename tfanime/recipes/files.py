"""A recipe of one's own: a Python file that sets `RECIPE`, and registers what it needs beside it.

    tfanime train my_recipe.py --data faces/ --steps 5000 --out runs/mine

See `tfanime.core.programs` for when it is run.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from tfanime.core.files import atomic_path
from tfanime.core.programs import COPIES, load, required
from tfanime.recipes.config import Config

ENDING = ".py"


def is_file(recipe: object) -> bool:
    """Whether a recipe is the path of a file, and not a name."""
    return isinstance(recipe, (str, os.PathLike)) and os.fspath(recipe).endswith(ENDING)


def recipe(path: str | os.PathLike) -> Config:
    """The `RECIPE` of a file, which is run.

    Raises:
        ValueError: see `load`, or for a file that sets no `RECIPE`.
    """
    program = load(path)
    config = getattr(program.module, "RECIPE", None)
    if not isinstance(config, Config):
        raise ValueError(
            "The file of a recipe sets RECIPE = tfanime.recipes.Config(...). Received: "
            f"{os.fspath(path)!r}, which sets {'none' if config is None else repr(config)}."
        )
    return dataclasses.replace(config, recipe_file=program.identity)


def keep(config: Config, run: Path) -> None:
    """Writes the copy that a run keeps of the file that it was made with."""
    if config.recipe_file is not None:
        program = required(config.recipe_file, run)
        with atomic_path(run / COPIES / program.name) as temporary:
            temporary.write_bytes(program.content)
