"""Which row of a table belongs to which image, and the labels that the images get."""

from __future__ import annotations

import os
import posixpath
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfanime.core.labels import LabelSchema
from tfanime.prepare.check import Rejected
from tfanime.prepare.table import Table, read_table
from tfanime.prepare.table_columns import label_plan

MOST_TAGS = 64  # of one column


@dataclass(frozen=True)
class Labels:
    """What a table says about a set of images.

    Args:
        schema: None when no column could be used.
        values: image name to its `(schema.size,)` float32 row, 0/1 coding, NaN unknown.
        bad: images that the table contradicts itself about, each with its `Rejected`.
        rejected: rows that are malformed, or that no image belongs to.
        ignored: column to the reason why it is not used.
        notes: sentences about what was guessed, made one or left out.
    """

    schema: LabelSchema | None
    values: dict[str, np.ndarray]
    bad: dict[str, Rejected]
    rejected: list[Rejected]
    ignored: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_labels(
    path: str | os.PathLike,
    names: Sequence[str],
    root: str | os.PathLike | None = None,
    most_tags: int = MOST_TAGS,
) -> Labels:
    """Reads a CSV and matches it to images.

    A row belongs to the image with the same path, or else the same path but for its ending; a
    row without folders also to the only image of that base name, or of that stem.

    Args:
        path: the CSV.
        names: of the images, relative to the root of the set.
        root: the folder or archive of the images, which rows may begin with.
        most_tags: of a column of tags, the commonest so many become labels.

    Raises:
        ValueError: if the table cannot be used, or no row belongs to any image.
    """
    path = Path(path)
    prefixes = [] if root is None else _prefixes(Path(root), path.parent)
    return labels_of(read_table(path), str(path), names, prefixes, most_tags)


def labels_of(
    table: Table,
    where: str,
    names: Sequence[str],
    prefixes: Sequence[str] = (),
    most_tags: int = MOST_TAGS,
) -> Labels:
    """What a table says about images.

    Args:
        table: its rows.
        where: what it is called in messages.
        names, most_tags: as in `read_labels`.
        prefixes: what rows may have in front of an image's name.
    """
    rejected, row_of = list(table.rejected), {}
    bad: dict[str, Rejected] = {}
    find = finder(names)
    title = posixpath.basename(where.replace("\\", "/"))
    for i, file in enumerate(table.files):
        fitting = find(file) or _without(prefixes, file, find)
        if len(fitting) != 1:
            detail = f"fits {fitting[0]} and {fitting[1]}" if fitting else "no image of this name"
            reason = "ambiguous row" if fitting else "row without picture"
            rejected.append(Rejected(file, reason, detail, table.rows[i]))
            continue
        name = fitting[0]
        other = row_of.setdefault(name, i)
        if table.cells[other] != table.cells[i] and name not in bad:
            first, second = table.rows[other], table.rows[i]
            which = "two entries" if second is None else f"lines {first} and {second}"
            bad[name] = Rejected(name, "mislabelled", f"{which} of {title} disagree", second)
    if names and not row_of:
        _no_match(where, rejected, names)
    pictures = [name for name in row_of if name not in bad]
    rows = [row_of[name] for name in pictures]
    plan = label_plan(table, [table.cells[i] for i in rows], most_tags)
    notes = (*table.notes, *plan.notes)
    if not plan.fields:
        return Labels(None, {}, bad, rejected, plan.ignored, notes)
    values = np.concatenate(plan.parts, axis=1)
    for k, message in sorted(plan.errors.items()):
        bad[pictures[k]] = Rejected(pictures[k], "mislabelled", message, table.rows[rows[k]])
    sound = {name: values[k] for k, name in enumerate(pictures) if name not in bad}
    return Labels(LabelSchema(tuple(plan.fields)), sound, bad, rejected, plan.ignored, notes)


def _no_match(where: str, rejected: Sequence[Rejected], names: Sequence[str]) -> None:
    detail = f"the first is {rejected[0]}" if rejected else "it has none"
    raise ValueError(
        f"Rows of labels name images. Received: {where}, no row of which does: {detail}. Write "
        f"paths as they are inside the set, such as {names[0]!r}."
    )


def _prefixes(root: Path, folder: Path) -> list[str]:
    """What rows may put before the names of the images in `root`; `folder` is the table's."""
    beside = os.path.relpath(root, folder).replace(os.sep, "/")
    ways = [root.as_posix(), root.resolve().as_posix(), beside, root.name, root.stem]
    return [f"{posixpath.normpath(way)}/" for way in ways if way not in ("", ".")]


def _without(prefixes: Sequence[str], file: str, find: Callable[[str], list[str]]) -> list[str]:
    path = _key(file)
    for prefix in prefixes:
        fitting = find(path[len(prefix) :]) if path.startswith(_nfc(prefix)) else []
        if fitting:
            return fitting
    return []


def finder(names: Sequence[str]) -> Callable[[str], list[str]]:
    """From the text of a `file` cell to the images it may mean."""
    tables: tuple[dict[str, list[str]], ...] = ({}, {}, {}, {})
    for name in names:
        path = _key(name)
        base = posixpath.basename(path)
        keys = (path, posixpath.splitext(path)[0], base, posixpath.splitext(base)[0])
        for table, key in zip(tables, keys, strict=True):
            table.setdefault(key, []).append(name)

    def find(cell: str) -> list[str]:
        path = _key(cell)
        stem = posixpath.splitext(path)[0]
        # Where the row names folders, an image of the same name in another folder is not meant.
        exact, stems, bases, base_stems = tables
        tries = [(exact, path), (stems, path), (stems, stem)]
        if "/" not in path:
            tries += [(bases, path), (base_stems, path), (base_stems, stem)]
        return next((table[key] for table, key in tries if key in table), [])

    return find


def _key(name: str) -> str:
    return posixpath.normpath(_nfc(name.replace("\\", "/")))


def _nfc(text: str) -> str:
    # macOS stores accents apart from their letters, tables rarely do.
    return unicodedata.normalize("NFC", text)
