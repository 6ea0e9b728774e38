"""What the columns of a table mean, by what is in them.

The column `file` (or one of `table.FILE_COLUMNS`) names the image. Every other column becomes
label fields:

- the 34 columns of `labels.MAKEGIRLSMOE`, when all are there: that schema's fields;
- cells with `|` in them (`Action|Drama`), and tags in a column of that name, separated by commas,
  semicolons or blanks: one flag for each of the commonest values;
- 0/1, true/false, yes/no: a flag;
- numbers: a continuous value;
- text with few different values: an exclusive group;
- anything else (titles, constants, identifiers) is ignored, and said to be.

An empty cell means "not known".
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tfanime.core.label_fields import FALSE_WORDS, TRUE_WORDS
from tfanime.core.labels import MAKEGIRLSMOE, Field
from tfanime.core.printing import plain
from tfanime.prepare.table import MOST_LABELS, Table

MISSING = frozenset({"", "nan", "na", "n/a", "null"})
TAG_COLUMNS = ("tags", "tag", "tag_string", "tag_string_general", "keywords")
BLANK_SEPARATED = ("tag_string", "tag_string_general")  # Danbooru's
MOST_VALUES = 64  # a text column with more different values is not a group
LARGEST = float(np.finfo(np.float32).max)  # that a label can hold
# A column is of a kind when at least this share of its filled cells is; the others are errors.
SOUND_SHARE = 0.8


@dataclass
class _Plan:
    """The label fields of a table, as they are added column by column."""

    columns: frozenset[str]
    most_tags: int
    fields: list[Field] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)  # (n, field.size) each
    errors: dict[int, str] = field(default_factory=dict)  # row to what is wrong with it
    doubts: dict[int, str] = field(default_factory=dict)  # errors, if the column makes labels
    ignored: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # names of fields and of their columns

    def add(self, new: Field, part: np.ndarray) -> None:
        names = {new.name, *new.columns}
        if names & self.taken:
            self.ignore(new.name, "its labels are named like those of another column")
        elif sum(other.size for other in self.fields) + new.size > MOST_LABELS:
            self.ignore(new.name, f"it would make more than {MOST_LABELS:,} labels")
        else:
            self.taken |= names
            self.fields.append(new)
            self.parts.append(part.reshape(len(part), -1).astype(np.float32))
            self.errors, self.doubts = {**self.doubts, **self.errors}, {}

    def ignore(self, column: str, why: str) -> None:
        self.ignored[column] = why
        self.doubts = {}

    def wrong(self, row: int, what: str) -> None:
        self.doubts.setdefault(row, what)


def label_plan(table: Table, cells: list[list[str]], most_tags: int) -> _Plan:
    """The label fields that a table makes of some of its rows.

    Args:
        table: its columns are read.
        cells: the rows.
        most_tags: of a column of tags, the commonest so many become labels.
    """
    plan = _Plan(frozenset(table.columns), most_tags)
    by_column = dict(zip(table.columns, zip(*cells, strict=True), strict=True)) if cells else {}
    if by_column and set(MAKEGIRLSMOE.columns) <= set(table.columns):
        for own in MAKEGIRLSMOE.fields:
            parts = [_flag_cells(plan, name, by_column.pop(name)) for name in own.columns]
            part = np.stack(parts, axis=1)
            plan.add(own, _one_hot(plan, own, part) if own.kind == "group" else part)
    for column, texts in by_column.items():
        if column in table.groups:
            _add_group(plan, column, texts, MOST_LABELS)
        else:
            _add_column(plan, column, texts)
    return plan


def _one_hot(plan: _Plan, group: Field, part: np.ndarray) -> np.ndarray:
    """Checks `(n, size)` 0/1/NaN columns of a group; an unfilled row is "not known"."""
    ones, filled = np.nansum(part, axis=1), ~np.isnan(part)
    for row in np.flatnonzero((ones != 1) & filled.all(axis=1) | (ones > 1)):
        plan.wrong(
            int(row), f"{group.name}: {int(ones[row])} of {group.size} values set, not exactly one"
        )
    return np.where((ones == 1)[:, None], np.nan_to_num(part), np.nan)


def _add_column(plan: _Plan, column: str, texts: Sequence[str]) -> None:
    filled = [text for text in texts if text.lower() not in MISSING]
    flags = np.mean([_flag(text) is not None for text in filled or ["?"]])
    numbers = np.mean([_number(text) is not None for text in filled or ["?"]])
    separator = _tag_separator(column, filled)
    if separator != "":
        _add_several(plan, column, texts, separator)
    elif not filled:
        plan.ignore(column, "no cell is filled")
    elif flags == 1 or (flags >= SOUND_SHARE and numbers < 1):
        plan.add(Field(column, "flag"), _flag_cells(plan, column, texts))
    elif numbers >= SOUND_SHARE:
        _add_value(plan, column, texts)
    elif len(set(filled)) == len(filled) > 1:
        plan.ignore(column, f"{len(filled):,} different texts, too many for a group")
    else:
        _add_group(plan, column, texts, MOST_VALUES)


def _tag_separator(column: str, filled: Sequence[str]) -> str | None:
    """What stands between several values in a cell: None for blanks, "" where there is one."""
    if any("|" in text for text in filled):
        return "|"
    if column.lower() in TAG_COLUMNS:
        # Where blanks separate, a tag may begin with a sign, as ";d" does, or have ",_" in it.
        for separator in () if column.lower() in BLANK_SEPARATED else (",", ";"):
            if any(re.search(rf"[^\s,;]{separator}(\s|$|[^\W_])", text) for text in filled):
                return separator
        if any(len(text.split()) > 1 for text in filled):
            return None
    return ""


def _add_group(plan: _Plan, column: str, texts: Sequence[str], most: int) -> None:
    texts = _one_spelling(plan, column, texts)
    different = {text for text in texts if text}
    # Numbers in their order, then words in theirs.
    values = sorted(
        different, key=lambda v: (int(v) if re.fullmatch("[0-9]{1,18}", v) else 10**18, v)
    )
    if len(values) == 1:
        plan.ignore(column, f"always {values[0]!r}")
        return
    if len(values) > most or not values:
        plan.ignore(column, f"{len(values):,} different texts, too many for a group")
        return
    part = np.full((len(texts), len(values)), np.nan, np.float32)
    places = {value: i for i, value in enumerate(values)}
    one_hot = np.eye(len(values), dtype=np.float32)
    for row, text in enumerate(texts):
        if text:
            part[row] = one_hot[places[text]]
    plan.add(Field(column, "group", tuple(values)), part)


def _one_spelling(plan: _Plan, column: str, texts: Iterable[str]) -> list[str]:
    """`Pink` and `pink` are one value, spelled as it mostly is; "" stands for "not known"."""
    texts = ["" if text.lower() in MISSING else text for text in texts]
    spellings: dict[str, Counter[str]] = {}
    for text in texts:
        spellings.setdefault(_folded(text), Counter())[text] += 1
    spelling_of = {}
    for key, counts in spellings.items():
        spelling_of[key], *others = sorted(counts, key=lambda t: (-counts[t], t != t.lower(), t))
        if others and key:
            variants = ", ".join(map(repr, others[:3])) + (", ..." if len(others) > 3 else "")
            note = f"{column}: {variants} and {spelling_of[key]!r} are one, {spelling_of[key]!r}"
            plan.notes.append(plain(note))
    return [spelling_of[_folded(text)] for text in texts]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _flag_cells(plan: _Plan, column: str, texts: Sequence[str]) -> np.ndarray:
    part = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        flag = _flag(text)
        if flag is not None:
            part[row] = flag
        elif text.lower() not in MISSING:
            plan.wrong(row, f"{column} is 0 or 1, not {text[:40]!r}")
    return part


def _add_value(plan: _Plan, column: str, texts: Sequence[str]) -> None:
    part = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if text.lower() not in MISSING:
            number = _number(text)
            if number is None:
                plan.wrong(row, f"{column} is a number, not {text[:40]!r}")
            else:
                part[row] = number
    low, high = float(np.nanmin(part)), float(np.nanmax(part))
    numbers = part[~np.isnan(part)]
    if low == high:
        plan.ignore(column, f"always {low:g}")
    elif (
        len(numbers) > MOST_VALUES
        and len(set(numbers)) == len(numbers)
        and (numbers % 1 == 0).all()
    ):
        plan.ignore(column, "whole numbers that never repeat, as identifiers do")
    else:
        plan.add(Field(column, "value", low=low, high=high), (part - low) / (high - low))


def _add_several(plan: _Plan, column: str, texts: Sequence[str], separator: str | None) -> None:
    """One flag for each of the commonest values; named by the value, with the column before it if
    that name is taken."""
    several = [{_slug(v) for v in text.split(separator)} - {""} for text in texts]
    counts = Counter(value for row in several for value in row)
    commonest = sorted(counts, key=lambda value: (-counts[value], value))[: plan.most_tags]
    if len(commonest) < len(counts):
        note = f"the {len(commonest):,} commonest of {len(counts):,} values are kept"
        plan.notes.append(f"{plain(column)}: {note} (most_tags, --most-tags)")
    values = sorted(commonest)
    places = {value: i for i, value in enumerate(values)}
    parts = np.zeros((len(texts), len(values)), np.float32)
    for i, row in enumerate(several):
        parts[i] = 0.0 if row else np.nan
        parts[i, [places[value] for value in row if value in places]] = 1.0
    names = plan.taken | (plan.columns - {column})
    for i, value in enumerate(values):
        name = f"{column}_{value}" if value in names else value
        plan.add(Field(name, "flag"), parts[:, i])


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
    # Labels are float32; what it cannot hold is no number to them, infinity included.
    return number if abs(number) <= LARGEST else None
