"""Which trained models there are: those that ship, and those in the folders here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfanime import zoo
from tfanime.core import bounds
from tfanime.core.labels import Field, LabelSchema

DEPTH = 3  # folders below the one that is searched
MOST_FOLDERS = 20_000
PASSED_OVER = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True)
class ModelInfo:
    """A trained model.

    Args:
        name: what verbs take: the name of one that ships, else its path.
        does: what it is for, in a few words.
        training: recipe and step of a run; empty where that is not known.
    """

    name: str
    does: str
    training: str = ""


def shipped() -> list[ModelInfo]:
    """The models that ship with tfanime."""
    return [ModelInfo(name, _does(zoo.path(name))) for name in zoo.names()]


def here(root: str | os.PathLike = ".") -> list[ModelInfo]:
    """Runs and saved models in a folder and those below it, by their paths; what ships is left
    out."""
    own = {zoo.path(name).resolve() for name in zoo.names()}
    folders = [folder for folder in _models_below(Path(root), DEPTH) if folder.resolve() not in own]
    return [ModelInfo(os.fspath(one), _does(one), _training(one)) for one in sorted(folders)]


def attribute_lines(schema: LabelSchema) -> list[tuple[str, str]]:
    """The attributes of a model as options: `("--hair", "blonde, brown")`."""
    return [(f"--{field.name.replace('_', '-')}", _values(field)) for field in schema.fields]


def _values(field: Field) -> str:
    if field.kind == "group":
        return ", ".join(field.values)
    if field.kind == "flag":
        return f"yes or no (--no-{field.name.replace('_', '-')})"
    if field.kind == "vector":
        return "from a text: tfanime imagine"
    return f"a number from {field.low:g} to {field.high:g}"


def _models_below(root: Path, depth: int) -> Iterator[Path]:
    """Folders with a model; what is inside of them (checkpoints, best/) is theirs."""
    waiting = [(root, depth)]
    for _ in range(MOST_FOLDERS):
        if not waiting:
            return
        folder, levels = waiting.pop()
        if zoo.is_model(folder):
            yield folder
            continue
        if not levels:
            continue
        try:
            with os.scandir(folder) as entries:
                names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError:
            continue  # not ours to read
        names = [one for one in names if one[0] != "." and one not in PASSED_OVER]
        waiting += [(folder / name, levels - 1) for name in names]


def _does(folder: Path) -> str:
    try:
        if (folder / "tagger.keras").is_file():
            fields = bounds.read_object(folder / "labels.json")["fields"]
            return f"reads {_columns(fields)} attributes of a face"
        described = bounds.read_object(folder / "generator.json")
        if described.get("kind") == "upscaler":
            return f"enlarges {described['factor']} times"
        schema = described["schema"]
        labels = f", {_columns(schema['fields'])} attributes" if schema else ", without labels"
        return f"draws {described['width']}x{described['height']}{labels}"
    except (OSError, ValueError, KeyError, TypeError):
        return "damaged"


def _columns(fields: list[dict]) -> int:
    return sum(len(f["values"]) if f["kind"] == "group" else f["kind"] != "vector" for f in fields)


def _training(folder: Path) -> str:
    try:
        recipe = str(bounds.read_object(folder / "config.json")["config"]["recipe"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    steps = [path.name[5:] for path in (folder / "checkpoints").glob("step-*")]
    steps = [int(step) for step in steps if step.isdecimal()]
    return f"{recipe}, step {max(steps):,}" if steps else recipe
