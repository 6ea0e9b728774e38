"""A CSV of labels: which row belongs to which picture, and what its columns mean.

The column `file` names the picture. Every other column becomes label fields by what is in it:

- the 34 columns of `labels.MAKEGIRLSMOE`, when all are there: that schema's fields;
- cells with `|` in them (`Action|Drama`): one flag for each value;
- 0/1, true/false, yes/no: a flag;
- numbers: a continuous value;
- text with few different values: an exclusive group;
- anything else (titles, constants, identifiers) is ignored, and said to be.

An empty cell means "not known".
"""

from __future__ import annotations

import csv
import io
import os
import posixpath
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfanime.labels import FALSE_WORDS, MAKEGIRLSMOE, TRUE_WORDS, Field, LabelSchema
from tfanime.prepare.check import Rejected

MISSING = frozenset({"", "nan", "na", "n/a", "null"})
MOST_VALUES = 64  # a text column with more different values is not a group
# A column is of a kind when at least this share of its filled cells is; the others are errors.
SOUND_SHARE = 0.8


@dataclass(frozen=True)
class Table:
    """The well-formed rows of a CSV, as text.

    Args:
        columns: names of the columns beside `file`.
        files: content of the column `file`.
        cells: `len(files)` rows of `len(columns)` stripped cells.
        rows: the line of the CSV that each row ends on, counted from 1 with the header.
        rejected: malformed rows.
    """

    columns: tuple[str, ...]
    files: list[str]
    cells: list[list[str]]
    rows: list[int]
    rejected: list[Rejected]


@dataclass(frozen=True)
class Labels:
    """What a table says about a set of pictures.

    Args:
        schema: None when no column could be used.
        values: picture name to its `(schema.size,)` float32 row, 0/1 coding, NaN unknown.
        bad: pictures that the table contradicts itself about, each with its `Rejected`.
        rejected: rows that are malformed, or that no picture belongs to.
        ignored: column to the reason why it is not used.
    """

    schema: LabelSchema | None
    values: dict[str, np.ndarray]
    bad: dict[str, Rejected]
    rejected: list[Rejected]
    ignored: dict[str, str] = field(default_factory=dict)


def read_table(path: str | os.PathLike) -> Table:
    """Reads a CSV (UTF-8, commas, a header with a column `file`).

    Raises:
        ValueError: if the file or its header cannot be used; bad rows are listed instead.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise ValueError(f"Labels are a CSV file. Received: {str(path)!r}: {error}.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise ValueError(f"{path}, line 1 must be CSV. Received: {error}.") from error
    if header.count("file") != 1 or len(set(header)) < len(header) or "" in header:
        raise ValueError(
            f"{path}, line 1 must name every column once, one of them 'file' (the picture). "
            f"Received: {', '.join(header[:40]) or 'nothing'}."
        )
    place = header.index("file")
    table = Table(tuple(name for name in header if name != "file"), [], [], [], [])
    while True:
        line, cells, problem = reader.line_num + 1, [], ""
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return table
        except csv.Error as error:
            problem = str(error)
        if not cells and not problem:
            continue  # an empty line
        if not problem:
            problem = _row_problem(cells, header, place)
        if problem and reader.line_num > line:
            problem += f"; it runs to line {reader.line_num}: is a quote left open?"
        if problem:
            table.rejected.append(Rejected(path.name, "bad row", problem, line))
            continue
        table.files.append(cells.pop(place))
        table.cells.append(cells)
        table.rows.append(line)


def _row_problem(cells: list[str], header: list[str], place: int) -> str:
    if len(cells) != len(header):
        return f"{len(cells)} cells, the header has {len(header)}"
    if any("\ud800" <= letter <= "\udfff" for cell in cells for letter in cell):
        return "not UTF-8"
    return "" if cells[place] else "no file name"


def read_labels(path: str | os.PathLike, names: Sequence[str]) -> Labels:
    """Reads a CSV and matches it to pictures.

    A row belongs to the picture with the same path, or else the same path but for its ending; a
    row without folders also to the only picture of that base name, or of that stem.

    Args:
        path: the CSV.
        names: of the pictures, relative to the root of the set.
    """
    path = Path(path)
    table = read_table(path)
    rejected, taken = list(table.rejected), {}
    bad: dict[str, Rejected] = {}
    find = finder(names)
    for i, file in enumerate(table.files):
        found = find(file)
        if len(found) != 1:
            detail = f"fits {found[0]} and {found[1]}" if found else "no picture of this name"
            reason = "ambiguous row" if found else "row without picture"
            rejected.append(Rejected(file, reason, detail, table.rows[i]))
            continue
        other = taken.setdefault(found[0], i)
        if table.cells[other] != table.cells[i] and found[0] not in bad:
            lines = f"lines {table.rows[other]} and {table.rows[i]} of {path.name} disagree"
            bad[found[0]] = Rejected(found[0], "mislabelled", lines, table.rows[i])
    pictures = [name for name in taken if name not in bad]
    rows = [taken[name] for name in pictures]
    plan = _plan(table.columns, [table.cells[i] for i in rows])
    if not plan.fields:
        return Labels(None, {}, bad, rejected, plan.ignored)
    values = np.concatenate(plan.parts, axis=1)
    for k, message in sorted(plan.errors.items()):
        bad[pictures[k]] = Rejected(pictures[k], "mislabelled", message, table.rows[rows[k]])
    known = {name: values[k] for k, name in enumerate(pictures) if name not in bad}
    return Labels(LabelSchema(tuple(plan.fields)), known, bad, rejected, plan.ignored)


def finder(names: Sequence[str]) -> Callable[[str], list[str]]:
    """From the text of a `file` cell to the pictures it may mean."""
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
        # Where the row names folders, a picture of the same name in another folder is not meant.
        exact, stems, bases, base_stems = tables
        tries = [(exact, path), (stems, path), (stems, stem)]
        if "/" not in path:
            tries += [(bases, path), (base_stems, path), (base_stems, stem)]
        return next((table[key] for table, key in tries if key in table), [])

    return find


def _key(name: str) -> str:
    # macOS stores accents apart from their letters, tables rarely do.
    return posixpath.normpath(unicodedata.normalize("NFC", name.replace("\\", "/")))


# ---- what the columns mean ---------------------------------------------------------------------


@dataclass
class _Plan:
    fields: list[Field] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)  # (n, field.size) each
    errors: dict[int, str] = field(default_factory=dict)  # row to what is wrong with it
    ignored: dict[str, str] = field(default_factory=dict)

    def add(self, new: Field, part: np.ndarray) -> None:
        self.fields.append(new)
        self.parts.append(part.reshape(len(part), -1).astype(np.float32))

    def wrong(self, row: int, column: str, cell: str, expected: str) -> None:
        self.errors.setdefault(row, f"{column} is {expected}, not {cell[:40]!r}")


def _plan(columns: Sequence[str], cells: list[list[str]]) -> _Plan:
    plan = _Plan()
    by_column = dict(zip(columns, zip(*cells, strict=True), strict=True)) if cells else {}
    if by_column and set(MAKEGIRLSMOE.columns) <= set(columns):
        for known in MAKEGIRLSMOE.fields:
            parts = [_flag_cells(plan, name, by_column.pop(name)) for name in known.columns]
            part = np.stack(parts, axis=1)
            plan.add(known, _one_hot(plan, known, part) if known.kind == "group" else part)
    for column, texts in by_column.items():
        _add_column(plan, column, texts)
    return plan


def _one_hot(plan: _Plan, group: Field, part: np.ndarray) -> np.ndarray:
    """Checks `(n, size)` 0/1/NaN columns of a group; an unfilled row is "not known"."""
    ones, filled = np.nansum(part, axis=1), ~np.isnan(part)
    for row in np.flatnonzero((ones != 1) & filled.all(axis=1) | (ones > 1)):
        plan.errors.setdefault(
            int(row), f"{group.name}: {int(ones[row])} of {group.size} values set, not exactly one"
        )
    return np.where((ones == 1)[:, None], np.nan_to_num(part), np.nan)


def _add_column(plan: _Plan, column: str, texts: Sequence[str]) -> None:
    filled = [text for text in texts if text.lower() not in MISSING]
    values = sorted(set(filled))
    flags = np.mean([_flag(text) is not None for text in filled or ["?"]])
    numbers = np.mean([_number(text) is not None for text in filled or ["?"]])
    if any("|" in value for value in values):
        _add_several(plan, column, texts)
    elif not values:
        plan.ignored[column] = "no cell is filled"
    elif flags == 1 or (flags >= SOUND_SHARE and numbers < 1):
        plan.add(Field(column, "flag"), _flag_cells(plan, column, texts))
    elif numbers >= SOUND_SHARE:
        _add_value(plan, column, texts)
    elif len(values) == 1:
        plan.ignored[column] = f"always {values[0]!r}"
    elif len(values) > MOST_VALUES or len(values) == len(filled):
        plan.ignored[column] = f"{len(values):,} different texts, too many for a group"
    else:
        part = np.full((len(texts), len(values)), np.nan)
        places = {value: i for i, value in enumerate(values)}
        for row, text in enumerate(texts):
            if text in places:
                part[row] = np.arange(len(values)) == places[text]
        plan.add(Field(column, "group", tuple(values)), part)


def _flag_cells(plan: _Plan, column: str, texts: Sequence[str]) -> np.ndarray:
    part = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        flag = _flag(text)
        if flag is not None:
            part[row] = flag
        elif text.lower() not in MISSING:
            plan.wrong(row, column, text, "0 or 1")
    return part


def _add_value(plan: _Plan, column: str, texts: Sequence[str]) -> None:
    part = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if text.lower() not in MISSING:
            number = _number(text)
            if number is None:
                plan.wrong(row, column, text, "a number")
            else:
                part[row] = number
    low, high = float(np.nanmin(part)), float(np.nanmax(part))
    known = part[~np.isnan(part)]
    if low == high:
        plan.ignored[column] = f"always {low:g}"
    elif len(known) > MOST_VALUES and len(set(known)) == len(known) and (known % 1 == 0).all():
        plan.ignored[column] = "whole numbers that never repeat, as identifiers do"
    else:
        plan.add(Field(column, "value", low=low, high=high), (part - low) / (high - low))


def _add_several(plan: _Plan, column: str, texts: Sequence[str]) -> None:
    """One flag a value; named by the value, with the column before it if that name is taken."""
    several = [[_slug(v) for v in text.split("|") if _slug(v)] for text in texts]
    values = sorted({value for row in several for value in row})
    if len(values) > MOST_VALUES:
        plan.ignored[column] = f"{len(values):,} different values, more than {MOST_VALUES}"
        return
    taken = {name for known in plan.fields for name in (known.name, *known.columns)}
    for value in values:
        part = np.array([float(value in row) if row else np.nan for row in several])
        name = f"{column}_{value}" if value in taken else value
        plan.add(Field(name, "flag"), part)


def _slug(text: str) -> str:
    return "" if text.lower() in MISSING else re.sub(r"\W+", "_", text.strip().lower()).strip("_")


def _flag(text: str) -> float | None:
    word = {"1.0": "1", "0.0": "0"}.get(text, text.lower())
    return float(word in TRUE_WORDS) if word in TRUE_WORDS or word in FALSE_WORDS else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
