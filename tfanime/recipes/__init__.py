"""Reproduced models: one file each, whose docstring says what to expect and at what cost."""

from __future__ import annotations

import importlib
import os

from tfanime.core.programs import load
from tfanime.recipes import files
from tfanime.recipes.config import Config
from tfanime.recipes.resolve import resolve
from tfanime.registries import RECIPES

__all__ = ["Config", "describe", "get", "headline", "load", "names", "resolve"]


def names() -> tuple[str, ...]:
    """The recipes there are, in the order they are listed."""
    return RECIPES.names()


def get(recipe: str | os.PathLike) -> Config:
    """The configuration of a recipe: a name, or the path of a file that sets `RECIPE`, which is
    run (`tfanime.recipes.files`).

    Raises:
        ValueError: for an unknown name, with those that there are, or a file that cannot be run.
    """
    return files.recipe(recipe) if files.is_file(recipe) else RECIPES.get(os.fspath(recipe))


def describe(recipe: str | os.PathLike) -> str:
    """The docstring: citation, purpose, figure to expect, cost, command."""
    if files.is_file(recipe):
        return (load(recipe).module.__doc__ or "").strip()
    target = RECIPES.entry(os.fspath(recipe)).target
    if not isinstance(target, str):
        return RECIPES.fact(os.fspath(recipe), "description", "")
    return (importlib.import_module(target.partition(":")[0]).__doc__ or "").strip()


def headline(recipe: str | os.PathLike) -> str:
    """The first line of the docstring."""
    return (describe(recipe).splitlines() or [""])[0]
