"""Texts, or a column of a table, to vectors."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core import disk
from tfanime.core.files import atomic_folder, json_lines, read_json, save_array, sound, write_json
from tfanime.text.clean import check_steps, clean_text
from tfanime.text.genres import genre_text

if TYPE_CHECKING:
    from tfanime.text.bert import TextEncoder

NO_CLEANING = ("markup", "stop_words", "lemmas", "punctuation", "spaces", "placeholders")
VECTORS, ROWS, NOTE = "vectors.npy", "rows.jsonl", "embedding.json"
FORMAT = "tfanime embedded texts"
BATCH = 32
FIELD_LIMIT = 2**20  # characters of a cell of a CSV


def embed(
    texts: Sequence[str],
    encoder: TextEncoder | str | os.PathLike | None = None,
    pooling: str = "mean",
    cache: bool = True,
    batch_size: int = BATCH,
    progress: bool = False,
) -> np.ndarray:
    """Vectors of texts, which are taken as they are; `clean_text` cleans them.

    Args:
        texts: any number.
        encoder: a `TextEncoder`, or the handle of one. Default: `"auto"`.
        pooling: of the encoder, when a handle is given.
        cache: keep vectors by text, and read those that are there. A call that was interrupted
            goes on where it stopped.
        batch_size: texts at a time.
        progress: show a progress bar.

    Returns:
        `(n, width)` float32.
    """
    from tfanime.core.bars import progress_bar

    encoder = loaded(encoder, pooling)
    if isinstance(texts, str):
        raise ValueError(f"texts is a list of texts. Received the text {texts[:40]!r}.")
    texts = sound(list(texts))
    distinct = sorted(set(texts), key=lambda text: (len(text), text))
    store = None
    vectors: dict[str, np.ndarray] = {}
    if cache:
        from tfanime.text.cache import VectorCache

        store = VectorCache(encoder.identity)
        vectors.update(store.get(distinct))
    missing = [text for text in distinct if text not in vectors]
    bar = progress_bar(total=len(distinct), initial=len(vectors), unit="text", disable=not progress)
    with bar:
        for start in range(0, len(missing), batch_size):
            part = missing[start : start + batch_size]
            new = dict(zip(part, encoder.encode(part, batch_size), strict=True))
            vectors.update(new)
            if store:
                store.put(new)
            bar.update(len(part))
    if not len(texts):
        return np.empty((0, encoder.width), np.float32)
    return np.stack([vectors[text] for text in texts])


def loaded(encoder: TextEncoder | str | os.PathLike | None, pooling: str = "mean") -> TextEncoder:
    """`encoder` itself, or the encoder of that handle."""
    if encoder is not None and not isinstance(encoder, (str, os.PathLike)):
        return encoder
    from tfanime.text.bert import AUTO, TextEncoder

    return TextEncoder(encoder or AUTO, pooling=pooling)


# ---- tables ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Embedded:
    """Texts with their vectors and whatever else their table says.

    Args:
        rows: a dictionary a text: the cells of its row, and `text`, what was embedded.
        vectors: `(n, width)` float32.
        note: of `embedding.json`: encoder, pooling, column, steps left out.
    """

    rows: list[dict]
    vectors: np.ndarray
    note: dict

    @classmethod
    def open(cls, folder: str | os.PathLike) -> Embedded:
        """Reads what `embed_table` wrote.

        Raises:
            ValueError: for a folder that holds none.
        """
        folder = Path(folder)
        try:
            note = read_json(folder / NOTE)
            if note["format"] != FORMAT:
                raise ValueError("another format")
            rows = json_lines((folder / ROWS).read_text(encoding="utf-8"))
            vectors = np.load(folder / VECTORS, allow_pickle=False)
        except (OSError, ValueError, KeyError, TypeError) as error:
            disk.check(error, folder)
            raise ValueError(
                f"Embedded texts are a folder with {NOTE}, {ROWS} and {VECTORS}. Received: "
                f"{str(folder)!r} ({error}). Make one with `tfanime text embed`."
            ) from None
        return cls(rows, vectors, note)


def embed_table(
    table: str | os.PathLike,
    column: str,
    out: str | os.PathLike,
    genres: bool = False,
    skip: Collection[str] = (),
    encoder: TextEncoder | str | os.PathLike | None = None,
    pooling: str = "mean",
    batch_size: int = BATCH,
    progress: bool = True,
) -> Embedded:
    """Cleans and embeds a column of a table. The CLI's `tfanime text embed`.

    A call that was interrupted goes on where it stopped.

    Args:
        table: a CSV (`.csv`, `.csv.gz`) with a row of names, or a `.jsonl` of objects.
        column: the texts; rows without one are left out.
        out: folder to create; when it holds the result of the very same call, that is read.
        genres: the column holds genre tags, which become a text by `genre_text`.
        skip: steps of cleaning to leave out.
        encoder, pooling, batch_size, progress: as for `embed`.

    Raises:
        ValueError: for a table or a column that cannot be used, or another result at `out`.
    """
    out = Path(out)
    rows = read_table(table, column)
    skip = NO_CLEANING if genres else check_steps(skip)
    texts = [genre_text(row[column]) if genres else clean_text(row[column], skip) for row in rows]
    some = [i for i, text in enumerate(texts) if text]
    if not some:
        raise ValueError(f"The column holds texts. Received: none in {column!r} of {table}.")
    encoder = loaded(encoder, pooling)
    note = {
        "format": FORMAT,
        "column": column,
        "encoder": encoder.handle,
        "identity": encoder.identity,
        "pooling": encoder.pooling,
        "skipped_steps": list(skip),
        "table": Path(table).name,
        "texts": len(some),
        "without_text": len(rows) - len(some),
    }
    if out.exists():
        result = Embedded.open(out)
        same = result.note == note and [r["text"] for r in result.rows] == [texts[i] for i in some]
        if not same:
            raise ValueError(
                f"The folder to write must be new. Received: {str(out)!r}, which holds other "
                "embedded texts. Choose another folder."
            )
        return result
    vectors = embed([texts[i] for i in some], encoder, batch_size=batch_size, progress=progress)
    records = [{**rows[i], "text": texts[i]} for i in some]
    with atomic_folder(out) as folder:
        lines = [json.dumps(row, ensure_ascii=False) for row in records]
        (folder / ROWS).write_text("\n".join(lines) + "\n", encoding="utf-8")
        save_array(folder / VECTORS, vectors)
        write_json(folder / NOTE, note)
    return Embedded(records, vectors, note)


def read_table(table: str | os.PathLike, column: str) -> list[dict]:
    """The rows of a CSV or a `.jsonl`, as dictionaries.

    Raises:
        ValueError: for a table that cannot be read, or that has no such column.
    """
    table = Path(table)
    try:
        data = table.read_bytes()
        data = gzip.decompress(data) if table.suffix == ".gz" else data
        text = data.decode("utf-8-sig")
        if table.name.endswith(".jsonl"):
            rows = json_lines(text)
        else:
            before = csv.field_size_limit(FIELD_LIMIT)
            try:
                rows = list(csv.DictReader(io.StringIO(text, newline="")))
            finally:
                csv.field_size_limit(before)
    except (csv.Error, EOFError, UnicodeDecodeError, json.JSONDecodeError, gzip.BadGzipFile) as e:
        raise ValueError(
            f"A table is a CSV (.csv, .csv.gz) or a .jsonl, in UTF-8. Received: {table} ({e})."
        ) from None
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"Every line of a .jsonl is an object. Received: {table}.")
    columns = dict.fromkeys(name for row in rows for name in row if name is not None)
    if column not in columns:
        raise ValueError(
            f"The texts are in a column of the table. Received: {column!r}; {table} has "
            f"{', '.join(columns) or 'none'}."
        )
    return [{**row, column: _text(row.get(column))} for row in rows]


def _text(cell: object) -> str:
    return ", ".join(map(str, cell)) if isinstance(cell, (list, tuple)) else str(cell or "")
