"""Other values for settings: their names, their types, and how the command line writes them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from tfanime.core.printing import near_miss
from tfanime.recipes.checks import jitters


def overridden(config, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `Config.override(**changes)` replaces."""
    fields = {field.name for field in dataclasses.fields(config)}
    changes = _as_stored(_both_rates(changes))
    unknown = sorted(set(changes) - set(fields))
    if unknown:
        names = sorted({"size", *fields} - {"image_size"})
        raise ValueError(
            f"Unknown setting: {', '.join(unknown)}. Known: {', '.join(names)}."
            f"{near_miss(unknown[0], names)}"
        )
    if "recipe_file" in changes:
        raise ValueError(
            "recipe_file follows from the recipe: name the file in its place. "
            f"Received: {changes['recipe_file']!r}."
        )
    for name in ("generator", "discriminator"):
        if name in changes:
            changes[name] = _merged(name, getattr(config, name), changes[name])
    if isinstance(changes.get("jitter"), Mapping):
        changes["jitter"] = {**jitters(config.jitter), **changes["jitter"]}
    if isinstance(config.projected, Mapping) and isinstance(changes.get("projected"), Mapping):
        changes["projected"] = {**config.projected, **changes["projected"]}
    return changes


def parse_overrides(pairs: Iterable[str]) -> dict[str, Any]:
    """`["g_lr=1e-4", "generator.channels=32"]` to keyword arguments of `Config.override`.

    Values are read as JSON where they are JSON (numbers, true, false, null), else as words.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"A setting is written NAME=VALUE. Received: {pair!r}.")
        if name == "recipe":
            raise ValueError(f"recipe is no setting, but the first word. Received: {pair!r}.")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        outer, dot, inner = name.partition(".")
        if dot:
            options = changes.get(outer, {})
            options = options if isinstance(options, dict) else {"name": options}
            changes[outer] = {**options, inner: value}
        elif isinstance(changes.get(name), dict):
            changes[name] = {**changes[name], "name": value}
        else:
            changes[name] = value
    return changes


def _both_rates(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`lr` as the two rates that it stands for."""
    if "lr" not in changes:
        return dict(changes)
    if beside := sorted({"g_lr", "d_lr"} & set(changes)):
        raise ValueError(
            f"lr sets g_lr and d_lr alike. Received beside it: {', '.join(beside)}. Choose one way."
        )
    others = {name: value for name, value in changes.items() if name != "lr"}
    return {**others, "g_lr": changes["lr"], "d_lr": changes["lr"]}


def _as_stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """`size` under the name that configurations have stored since the first version."""
    if "size" not in changes:
        return dict(changes)
    if "image_size" in changes:
        raise ValueError("image_size is another name of size. Received both. Choose one.")
    others = {name: value for name, value in changes.items() if name != "size"}
    return {**others, "image_size": changes["size"]}


def _merged(role: str, present: Mapping, change) -> dict:
    change = {"name": change} if isinstance(change, str) else change
    if not isinstance(change, Mapping):
        raise ValueError(f"{role} is a name or a mapping of options. Received: {change!r}.")
    same = change.get("name", present["name"]) == present["name"]
    return {**present, **change} if same else dict(change)
