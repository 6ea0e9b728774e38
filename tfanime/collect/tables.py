"""Reading the CSV tables that name what to collect."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from tfanime.core.printing import plain

T = TypeVar("T")
TOLD = 5  # rows that are named one by one

LIMIT = 200_000_000  # bytes; a list of everything on a site has a few megabytes


def read_columns(
    path: str | os.PathLike, columns: dict[str, Iterable[str]]
) -> list[tuple[int, dict[str, str]]]:
    """The named columns of a CSV with a header.

    Args:
        path: UTF-8; separated by commas, semicolons or tabs.
        columns: our name -> headers that it may have, in any case; a name that ends in `?` need
            not be there.

    Returns:
        `(line, {our name: cell})` for each row; cells are data, whatever they begin with.

    Raises:
        ValueError: naming the file and the line.
    """
    path = Path(path)
    if path.stat().st_size > LIMIT:
        raise ValueError(
            f"A table has at most {LIMIT:,} bytes. Received: {path}, {path.stat().st_size:,}."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"A table is UTF-8. Received: {path}, which is not ({error}).") from error
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        places = {}
        for ours, theirs in columns.items():
            lower = [name.lower() for name in theirs]
            place = next((names.index(name) for name in lower if name in names), None)
            if place is None and not ours.endswith("?"):
                raise ValueError(
                    f"The table needs a column {' or '.join(theirs)}. "
                    f"Received: {path} with the columns {', '.join(names)[:200] or 'none'}."
                )
            places[ours.rstrip("?")] = place
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            row = {
                ours: cells[place].strip() if place is not None and place < len(cells) else ""
                for ours, place in places.items()
            }
            rows.append((reader.line_num, row))
        return rows
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}.") from error


def read_rows(
    rows: Iterable[tuple[int, dict[str, str]]], parse: Callable[[int, dict[str, str]], T]
) -> tuple[list[T], int]:
    """What `read(line, row)` makes of each row, and how many rows were left out, since it raised
    a ValueError; the first of these are named on stderr.

    Raises:
        ValueError: the first one, when there is nothing but such rows.
    """
    results, bad = [], []
    for line, row in rows:
        try:
            results.append(parse(line, row))
        except ValueError as error:
            bad.append(error)
    if bad and not results:
        raise bad[0]
    for error in bad[:TOLD]:
        print(plain(f"left out, {error}"), file=sys.stderr)
    if len(bad) > TOLD:
        print(f"left out as well: {len(bad) - TOLD:,} more such rows", file=sys.stderr)
    return results, len(bad)


def number(cell: str, path: str | os.PathLike, line: int, column: str) -> int:
    """A whole number above 0.

    Raises:
        ValueError: naming the file and the line.
    """
    if not re.fullmatch(r"\d{1,9}(\.0)?", cell) or int(float(cell)) == 0:
        raise ValueError(
            f"{path}, line {line}: {column} is a whole number above 0. Received: {cell[:60]!r}. "
            "Mend or remove the row."
        )
    return int(float(cell))
