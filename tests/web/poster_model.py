"""A tiny model that knows genres, and the folder that its posters are made from."""

from __future__ import annotations

import json
from pathlib import Path

from tiny import Tiny, write_folder

from tfanime.core.labels import Field, LabelSchema
from tfanime.export.web import poster_kit

SCHEMA = LabelSchema(
    (
        Field("medium", "group", ("film", "anime"), (0.5, 0.5)),
        *(Field(name, "flag", (), (0.3,)) for name in ("action", "comedy", "horror", "romance")),
        Field("mecha", "flag", (), (0.2,)),  # which the table of words may not have
    )
)
POSTERS = Tiny("posters", SCHEMA, 5, cells=(24, 16))
SHOWN = Tiny("posters", SCHEMA, 5, cells=(24, 16), upscaler="double")  # the same, enlarged


def write_posters(folder: Path, *others: Tiny, posters: Tiny = POSTERS) -> None:
    """The folder's models, as `export_web` writes them: of posters first, then others."""
    write_folder(folder, posters, *others)
    path = folder / "tfanime.json"
    manifest = json.loads(path.read_text())
    for entry, model in zip(manifest["models"], (posters, *others), strict=True):
        entry["poster"] = poster_kit.write(folder, model.schema)
    path.write_text(json.dumps(manifest))
