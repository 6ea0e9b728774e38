"""What is written about posters: `records.jsonl` or a CSV, and the image of each record."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfanime.prepare.check import Rejected
from tfanime.prepare.sources import Source
from tfanime.prepare.table import read_table
from tfanime.prepare.table_labels import finder

LINE_LIMIT = 2**20  # bytes of one line of records.jsonl


@dataclass(frozen=True)
class Poster:
    """What a record says about one image.

    Args:
        file: the image's name, or its number without an ending.
        texts: column to cleaned text; `genres` is a tuple of names.
        row: the line of the record in its file, from 1.
    """

    file: str
    texts: Mapping[str, object]
    row: int

    def get(self, column: str) -> str:
        value = self.texts.get(column, "")
        return ", ".join(value) if isinstance(value, tuple) else str(value)


def read_records(path: Path, genres: str = "genres") -> tuple[list[Poster], list[Rejected]]:
    """Records from `records.jsonl` or a CSV, and the lines that are none.

    Raises:
        ValueError: if the file, or its column `genres`, cannot be used.
    """
    rows, rejected = (_read_jsonl if path.suffix == ".jsonl" else _read_csv)(path)
    columns = {column for _, _, cells in rows for column in cells}
    if rows and genres not in columns:
        raise ValueError(
            f"The tags are in a column of the records. Received: {genres!r}; {path} has "
            f"{', '.join(sorted(columns))}. Name it with genres (--genres COLUMN)."
        )
    posters = []
    for file, row, cells in rows:
        texts = {column: _clean(column, value) for column, value in cells.items()}
        posters.append(Poster(file, texts | {"genres": _tags(cells.get(genres))}, row))
    return posters, rejected


def _read_csv(path: Path) -> tuple[list[tuple[str, int, dict]], list[Rejected]]:
    table = read_table(path)
    for note in table.notes:
        print(note, file=sys.stderr)
    rows = [
        (file, row, dict(zip(table.columns, cells, strict=True)))
        for file, row, cells in zip(table.files, table.rows, table.cells, strict=True)
    ]
    return rows, table.rejected


def _read_jsonl(path: Path) -> tuple[list[tuple[str, int, dict]], list[Rejected]]:
    rows, rejected = [], []
    for number, line in _lines(path):
        problem = f"longer than {LINE_LIMIT:,} bytes" if line is None else ""
        record = None
        if line is not None:
            try:
                record = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                problem = f"no JSON: {error}"
        if not problem and not isinstance(record, dict):
            problem = "no JSON object"
        if problem:
            rejected.append(Rejected(path.name, "bad row", problem, number))
            continue
        # `tfanime collect` writes `picture`, others may write `file`, or only a number.
        file = record.pop("file", None) or record.pop("picture", None) or record.get("id")
        if not _line(file):
            rejected.append(Rejected(path.name, "bad row", "neither file nor id", number))
            continue
        rows.append((_line(file), number, {_line(name): cell for name, cell in record.items()}))
    return rows, rejected


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines that are not empty; None for one that is too long, which is not kept."""
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(LINE_LIMIT):
            number += 1
            whole = line.endswith(b"\n") or len(line) < LINE_LIMIT
            while not line.endswith(b"\n") and (line := file.readline(LINE_LIMIT)):
                pass
            if not whole:
                yield number, None
            elif line.strip():
                yield number, line


def find_images(records: Path, pictures: str | os.PathLike | None) -> tuple[Path, Path]:
    """The file of records, and where the images are."""
    table = records / "records.jsonl" if records.is_dir() else records
    if not table.is_file() or table.suffix not in (".jsonl", ".csv"):
        raise ValueError(
            "Records are a folder with records.jsonl, or a .csv or .jsonl file. "
            f"Received: {str(records)!r}, which is none."
        )
    if pictures is not None:
        return table, Path(pictures)
    archives = [table.with_suffix(ending) for ending in (".tar", ".zip")]
    beside = [table.parent / "pictures", *archives]
    return table, next((place for place in beside if place.exists()), table.parent)


def drop_tables(opened: Source, table: Path) -> None:
    """The table lying among the images, and what tfanime writes beside them, are no images."""
    ours = {table.name, "records.jsonl", "manifest.json", "journal.jsonl"}
    opened.names = [name for name in opened.names if name not in ours]


def match_images(
    names: Sequence[str],
    posters: Sequence[Poster],
    need: Sequence[str],
    root: str,
    rejected: list[Rejected],
) -> dict[str, Poster]:
    """Images with their records; what has no partner or lacks a text goes to `rejected`.

    Records name images from within the folder `root` or, as `root/NAME`, from beside it.
    """
    find = finder(names)
    matched: dict[str, Poster] = {}
    spoken_for = set()
    for poster in posters:
        fitting = find(poster.file) or find(poster.file.removeprefix(f"{root}/"))
        lacking = [column for column in need if not poster.get(column)]
        if not fitting:
            rejected.append(Rejected(poster.file, "record without picture", "", poster.row))
        elif len(fitting) > 1:
            detail = f"fits {fitting[0]} and {fitting[1]}"
            rejected.append(Rejected(poster.file, "ambiguous record", detail, poster.row))
        elif fitting[0] in matched:
            detail = f"the image of line {matched[fitting[0]].row}"
            rejected.append(Rejected(poster.file, "duplicate record", detail, poster.row))
        elif lacking:
            detail = f"no {', '.join(lacking)}"
            rejected.append(Rejected(poster.file, "incomplete record", detail, poster.row))
        else:
            matched[fitting[0]] = poster
        spoken_for.update(fitting)
    for name in names:
        if name not in spoken_for:
            rejected.append(Rejected(name, "picture without record"))
    return matched


def _clean(column: str, value: object) -> object:
    """A cell as one line of text, a list as a tuple of them."""
    if isinstance(value, list):
        return tuple(filter(None, map(_line, value)))
    if column == "synopsis" and isinstance(value, str):
        from tfanime.collect.myanimelist_record import clean_synopsis

        value = clean_synopsis(value)
    return _line(value)


def _line(value: object) -> str:
    """Text without line breaks, control characters and half characters; `""` for what is none."""
    if not isinstance(value, (str, int, float)):
        return ""
    text = unicodedata.normalize("NFC", str(value))
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    return " ".join(text.split())


def _tags(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split(r"[|,;]", _line(value))
    return tuple(dict.fromkeys(filter(None, map(_line, parts))))
