"""A CSV of labels: which row belongs to which picture, and what its columns mean.

The column `file` (or one of `FILE_COLUMNS`) names the picture. Every other column becomes label
fields by what is in it:

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

import codecs
import csv
import io
import os
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfanime.core import disk
from tfanime.core.labels import FALSE_WORDS, MAKEGIRLSMOE, TRUE_WORDS, Field, LabelSchema
from tfanime.core.printing import plain
from tfanime.prepare.check import Rejected

MISSING = frozenset({"", "nan", "na", "n/a", "null"})
FILE_COLUMNS = ("file", "filename", "file_name", "file name", "path", "image")  # the first counts
TAG_COLUMNS = ("tags", "tag", "tag_string", "tag_string_general", "keywords")
SEPARATORS = ",;\t"
TABLE_LIMIT = 256 * 2**20  # bytes
MOST_VALUES = 64  # a text column with more different values is not a group
MOST_TAGS = 64  # of one column
LARGEST = float(np.finfo(np.float32).max)  # that a label can hold
MOST_LABELS = 1000  # columns of a table, and of the labels that it becomes
# A column is of a kind when at least this share of its filled cells is; the others are errors.
SOUND_SHARE = 0.8


@dataclass(frozen=True)
class Table:
    """The well-formed rows of a CSV, as text.

    Args:
        columns: names of the columns beside `file`.
        files: content of the column `file`.
        cells: `len(files)` rows of `len(columns)` stripped cells.
        rows: the line of the CSV that each row starts on, counted from 1 with the header; None
            in what is no CSV.
        rejected: malformed rows.
        notes: what had to be guessed.
        groups: columns that are groups, whatever is in them.
    """

    columns: tuple[str, ...]
    files: list[str]
    cells: list[list[str]]
    rows: list[int | None]
    rejected: list[Rejected]
    notes: tuple[str, ...] = ()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Labels:
    """What a table says about a set of pictures.

    Args:
        schema: None when no column could be used.
        values: picture name to its `(schema.size,)` float32 row, 0/1 coding, NaN unknown.
        bad: pictures that the table contradicts itself about, each with its `Rejected`.
        rejected: rows that are malformed, or that no picture belongs to.
        ignored: column to the reason why it is not used.
        notes: sentences about what was guessed, made one or left out.
    """

    schema: LabelSchema | None
    values: dict[str, np.ndarray]
    bad: dict[str, Rejected]
    rejected: list[Rejected]
    ignored: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_table(path: str | os.PathLike) -> Table:
    """Reads a CSV: a header with a column `file`; commas, semicolons or tabs; UTF-8, UTF-16, or
    else what Excel writes in Japan (cp932) or in the West (Windows-1252).

    Raises:
        ValueError: if the file or its header cannot be used; bad rows are listed instead.
    """
    path = Path(path)
    text, notes = _text_of(path)
    header, separator = _header(path, text)
    place = _file_column(header)
    if place is None or len(set(header)) < len(header) or "" in header:
        shown = plain(", ".join(name[:40] for name in header[:40]))
        raise ValueError(
            f"{path}, line 1 must name every column once, one of them 'file' (the picture), with "
            f"commas, semicolons or tabs in between. Received: {shown or 'nothing'}."
        )
    if len(header) - 1 > MOST_LABELS:
        raise ValueError(
            f"A table has at most {MOST_LABELS:,} columns beside the file. Received: {path} with "
            f"{len(header) - 1:,}. Keep those that are to be labels."
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    next(reader)
    columns = (*header[:place], *header[place + 1 :])
    table = Table(columns, [], [], [], [], notes)
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


def _text_of(path: Path) -> tuple[str, tuple[str, ...]]:
    """A table as text, and what has to be said about it."""
    try:
        data = path.read_bytes() if path.stat().st_size <= TABLE_LIMIT else None
    except OSError as error:
        disk.check(error, path)
        raise ValueError(f"Labels are a CSV file. Received: {str(path)!r}: {error}.") from error
    if data is None:
        raise ValueError(f"A table has at most {TABLE_LIMIT:,} bytes. Received: {str(path)!r}.")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),  # begins like that of UTF-16
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
            return data.decode(encoding, errors), ()
    start = data[:8]  # of a column's name
    for encoding, letters, zeros in (
        ("le", start[::2], start[1::2]),
        ("be", start[1::2], start[::2]),
    ):
        if len(start) == 8 and zeros == bytes(4) and 0 not in letters:
            return data.decode(f"utf-16-{encoding}", "replace"), ()
    encoding = _encoding(data)
    if encoding == "utf-8":
        return data.decode("utf-8", "surrogateescape"), ()
    name = {"cp932": "Japanese (cp932)"}.get(encoding, "Western European (Windows-1252)")
    note = f"{path.name} is no UTF-8 and is read as {name}; where that is wrong, save it as UTF-8"
    return data.decode(encoding, "replace"), (note,)


def _encoding(data: bytes) -> str:
    """UTF-8, even where some lines are damaged; or else what the bytes are most like."""
    whole, broken = 0, 0
    for line in data.split(b"\n"):
        try:
            whole += not line.isascii() and bool(line.decode("utf-8"))
        except UnicodeDecodeError:
            broken += 1
    if whole >= broken:
        return "utf-8"
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return "cp1252"
    # Accented letters may decode as cp932 too, but then kanji stand alone among Latin letters.
    kana = re.findall(r"[\u3000-\u30ff\u3400-\u9fff]{2,}", text)
    others = sum(not letter.isascii() for letter in text)
    return "cp932" if 2 * sum(map(len, kana)) > others else "cp1252"


def _header(path: Path, text: str) -> tuple[list[str], str]:
    """The names of the columns, and the separator that gives the most of them."""
    found = []
    for separator in SEPARATORS:
        try:
            names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        except csv.Error as error:
            raise ValueError(f"{path}, line 1 must be CSV. Received: {error}.") from error
        found.append(([name.strip() for name in names], separator))
    fitting = [one for one in found if _file_column(one[0]) is not None]
    return max(fitting or found, key=lambda one: len(one[0]))


def _file_column(header: Sequence[str]) -> int | None:
    names = [name.lower() for name in header]
    wanted = next((name for name in FILE_COLUMNS if name in names), None)
    return names.index(wanted) if wanted and names.count(wanted) == 1 else None


def _row_problem(cells: list[str], header: list[str], place: int) -> str:
    if len(cells) != len(header):
        return f"{len(cells)} cells, the header has {len(header)}"
    for name, cell in zip(header, cells, strict=True):
        if "\0" in cell:
            return f"a NUL byte in the column {name!r}"
        if any("\ud800" <= letter <= "\udfff" for letter in cell):
            return "not UTF-8"
    return "" if cells[place] else "no file name"


def read_labels(
    path: str | os.PathLike,
    names: Sequence[str],
    root: str | os.PathLike | None = None,
    most_tags: int = MOST_TAGS,
) -> Labels:
    """Reads a CSV and matches it to pictures.

    A row belongs to the picture with the same path, or else the same path but for its ending; a
    row without folders also to the only picture of that base name, or of that stem.

    Args:
        path: the CSV.
        names: of the pictures, relative to the root of the set.
        root: the folder or archive of the pictures, which rows may begin with.
        most_tags: of a column of tags, the commonest so many become labels.

    Raises:
        ValueError: if the table cannot be used, or no row belongs to any picture.
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
    """What a table says about pictures.

    Args:
        table: its rows.
        where: what it is called in messages.
        names, most_tags: as in `read_labels`.
        prefixes: what rows may have in front of a picture's name.
    """
    rejected, taken = list(table.rejected), {}
    bad: dict[str, Rejected] = {}
    find = finder(names)
    title = posixpath.basename(where.replace("\\", "/"))
    for i, file in enumerate(table.files):
        found = find(file) or _without(prefixes, file, find)
        if len(found) != 1:
            detail = f"fits {found[0]} and {found[1]}" if found else "no picture of this name"
            reason = "ambiguous row" if found else "row without picture"
            rejected.append(Rejected(file, reason, detail, table.rows[i]))
            continue
        other = taken.setdefault(found[0], i)
        if table.cells[other] != table.cells[i] and found[0] not in bad:
            first, second = table.rows[other], table.rows[i]
            which = "two entries" if second is None else f"lines {first} and {second}"
            bad[found[0]] = Rejected(
                found[0], "mislabelled", f"{which} of {title} disagree", second
            )
    if names and not taken:
        _no_match(where, rejected, names)
    pictures = [name for name in taken if name not in bad]
    rows = [taken[name] for name in pictures]
    plan = _plan(table, [table.cells[i] for i in rows], most_tags)
    notes = (*table.notes, *plan.notes)
    if not plan.fields:
        return Labels(None, {}, bad, rejected, plan.ignored, notes)
    values = np.concatenate(plan.parts, axis=1)
    for k, message in sorted(plan.errors.items()):
        bad[pictures[k]] = Rejected(pictures[k], "mislabelled", message, table.rows[rows[k]])
    known = {name: values[k] for k, name in enumerate(pictures) if name not in bad}
    return Labels(LabelSchema(tuple(plan.fields)), known, bad, rejected, plan.ignored, notes)


def _no_match(where: str, rejected: Sequence[Rejected], names: Sequence[str]) -> None:
    found = f"the first is {rejected[0]}" if rejected else "it has none"
    raise ValueError(
        f"Rows of labels name pictures. Received: {where}, no row of which does: {found}. Write "
        f"paths as they are inside the set, such as {names[0]!r}."
    )


def _prefixes(root: Path, folder: Path) -> list[str]:
    """What rows may put before the names of the pictures in `root`; `folder` is the table's."""
    beside = os.path.relpath(root, folder).replace(os.sep, "/")
    ways = [root.as_posix(), root.resolve().as_posix(), beside, root.name, root.stem]
    return [f"{posixpath.normpath(way)}/" for way in ways if way not in ("", ".")]


def _without(prefixes: Sequence[str], file: str, find: Callable[[str], list[str]]) -> list[str]:
    path = _key(file)
    for prefix in prefixes:
        found = find(path[len(prefix) :]) if path.startswith(_nfc(prefix)) else []
        if found:
            return found
    return []


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
    return posixpath.normpath(_nfc(name.replace("\\", "/")))


def _nfc(text: str) -> str:
    # macOS stores accents apart from their letters, tables rarely do.
    return unicodedata.normalize("NFC", text)


# ---- what the columns mean ---------------------------------------------------------------------


@dataclass
class _Plan:
    columns: frozenset[str]
    most_tags: int
    fields: list[Field] = field(default_factory=list)
    parts: list[np.ndarray] = field(default_factory=list)  # (n, field.size) each
    errors: dict[int, str] = field(default_factory=dict)  # row to what is wrong with it
    ignored: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # names of fields and of their columns

    def add(self, new: Field, part: np.ndarray) -> None:
        names = {new.name, *new.columns}
        if names & self.taken:
            self.ignored[new.name] = "its labels are named like those of another column"
        elif sum(known.size for known in self.fields) + new.size > MOST_LABELS:
            self.ignored[new.name] = f"it would make more than {MOST_LABELS:,} labels"
        else:
            self.taken |= names
            self.fields.append(new)
            self.parts.append(part.reshape(len(part), -1).astype(np.float32))

    def wrong(self, row: int, column: str, cell: str, expected: str) -> None:
        self.errors.setdefault(row, f"{column} is {expected}, not {cell[:40]!r}")


def _plan(table: Table, cells: list[list[str]], most_tags: int) -> _Plan:
    plan = _Plan(frozenset(table.columns), most_tags)
    by_column = dict(zip(table.columns, zip(*cells, strict=True), strict=True)) if cells else {}
    if by_column and set(MAKEGIRLSMOE.columns) <= set(table.columns):
        for known in MAKEGIRLSMOE.fields:
            parts = [_flag_cells(plan, name, by_column.pop(name)) for name in known.columns]
            part = np.stack(parts, axis=1)
            plan.add(known, _one_hot(plan, known, part) if known.kind == "group" else part)
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
        plan.errors.setdefault(
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
        plan.ignored[column] = "no cell is filled"
    elif flags == 1 or (flags >= SOUND_SHARE and numbers < 1):
        plan.add(Field(column, "flag"), _flag_cells(plan, column, texts))
    elif numbers >= SOUND_SHARE:
        _add_value(plan, column, texts)
    elif len(set(filled)) == len(filled) > 1:
        plan.ignored[column] = f"{len(filled):,} different texts, too many for a group"
    else:
        _add_group(plan, column, texts, MOST_VALUES)


def _tag_separator(column: str, filled: Sequence[str]) -> str | None:
    """What stands between several values in a cell: None for blanks, "" where there is one."""
    if any("|" in text for text in filled):
        return "|"
    if column.lower() in TAG_COLUMNS:
        for separator in (",", ";"):
            if any(separator in text for text in filled):
                return separator
        if any(len(text.split()) > 1 for text in filled):
            return None
    return ""


def _add_group(plan: _Plan, column: str, texts: Sequence[str], most: int) -> None:
    texts = _one_spelling(plan, column, texts)
    found = {text for text in texts if text}
    # Numbers in their order, then words in theirs.
    values = sorted(found, key=lambda v: (int(v) if re.fullmatch("[0-9]{1,18}", v) else 10**18, v))
    if len(values) == 1:
        plan.ignored[column] = f"always {values[0]!r}"
        return
    if len(values) > most or not values:
        plan.ignored[column] = f"{len(values):,} different texts, too many for a group"
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
    chosen = {}
    for key, found in spellings.items():
        chosen[key], *others = sorted(found, key=lambda t: (-found[t], t != t.lower(), t))
        if others and key:
            told = ", ".join(map(repr, others[:3])) + (", ..." if len(others) > 3 else "")
            note = f"{column}: {told} and {chosen[key]!r} are one, {chosen[key]!r}"
            plan.notes.append(plain(note))
    return [chosen[_folded(text)] for text in texts]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


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


def _add_several(plan: _Plan, column: str, texts: Sequence[str], separator: str | None) -> None:
    """One flag for each of the commonest values; named by the value, with the column before it if
    that name is taken."""
    several = [{_slug(v) for v in text.split(separator)} - {""} for text in texts]
    counts = Counter(value for row in several for value in row)
    kept = sorted(counts, key=lambda value: (-counts[value], value))[: plan.most_tags]
    if len(kept) < len(counts):
        kept_of = f"the {len(kept):,} commonest of {len(counts):,} values are kept"
        plan.notes.append(f"{plain(column)}: {kept_of} (most_tags, --most-tags)")
    values = sorted(kept)
    places = {value: i for i, value in enumerate(values)}
    parts = np.zeros((len(texts), len(values)), np.float32)
    for i, row in enumerate(several):
        parts[i] = 0.0 if row else np.nan
        parts[i, [places[value] for value in row if value in places]] = 1.0
    taken = plan.taken | (plan.columns - {column})
    for i, value in enumerate(values):
        name = f"{column}_{value}" if value in taken else value
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
