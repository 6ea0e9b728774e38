"""A CSV as text: its encoding, its separator, its header and its well-formed rows."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfanime.core import disk
from tfanime.core.printing import plain
from tfanime.prepare.check import Rejected

FILE_COLUMNS = ("file", "filename", "file_name", "file name", "path", "image")  # the first counts
SEPARATORS = ",;\t"
TABLE_LIMIT = 256 * 2**20  # bytes
MOST_LABELS = 1000  # columns of a table, and of the labels that it becomes


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
        heads = plain(", ".join(name[:40] for name in header[:40]))
        raise ValueError(
            f"{path}, line 1 must name every column once, one of them 'file' (the image), with "
            f"commas, semicolons or tabs in between. Received: {heads or 'nothing'}."
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
    headers = []
    for separator in SEPARATORS:
        try:
            names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        except csv.Error as error:
            raise ValueError(f"{path}, line 1 must be CSV. Received: {error}.") from error
        headers.append(([name.strip() for name in names], separator))
    fitting = [one for one in headers if _file_column(one[0]) is not None]
    return max(fitting or headers, key=lambda one: len(one[0]))


def _file_column(header: Sequence[str]) -> int | None:
    names = [name.lower() for name in header]
    column = next((name for name in FILE_COLUMNS if name in names), None)
    return names.index(column) if column and names.count(column) == 1 else None


def _row_problem(cells: list[str], header: list[str], place: int) -> str:
    if len(cells) != len(header):
        return f"{len(cells)} cells, the header has {len(header)}"
    for name, cell in zip(header, cells, strict=True):
        if "\0" in cell:
            return f"a NUL byte in the column {name!r}"
        if any("\ud800" <= letter <= "\udfff" for letter in cell):
            return "not UTF-8"
    return "" if cells[place] else "no file name"
