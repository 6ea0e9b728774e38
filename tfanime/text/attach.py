"""Texts of the images of a packed set, as vectors among their labels.

text-NAME.npz       a `TextCode` and `codes (count, k)`, NaN where an image has no text
dataset.json        `texts`: the names, in order
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from tfanime.core.files import json_lines, read_json, sha256, write_json, write_text
from tfanime.data.packed import PackedDataset
from tfanime.data.stored_arrays import text_file
from tfanime.text.clean import check_steps
from tfanime.text.codes import LENGTH, TextCode

TEXTS = "texts.jsonl"


def attach(
    folder: str | os.PathLike,
    name: str,
    column: str | Sequence[str] | None = None,
    genres: bool = False,
    captions: bool = False,
    skip: Collection[str] = (),
    size: int | None = None,
    raw: bool = False,
    encoder: str | os.PathLike = "auto",
    pooling: str = "mean",
    like: str | os.PathLike | None = None,
    trust_encoder: bool = False,
    progress: bool = True,
) -> PackedDataset:
    """Embeds the texts of a packed set, and adds them to its labels. The CLI's
    `tfanime text attach`.

    Args:
        folder: of the packed set; its texts are in `texts.jsonl`, a line an image in stored
            order, as `tfanime prepare posters` writes it.
        name: of the label: what conditions on it is trained with `condition_on=NAME`.
        column: of `texts.jsonl`, or several, the first of which that says something counts.
            Default: `name`.
        genres: the texts are genre tags.
        captions: write sentences about the images' labels into `texts.jsonl` first, as the
            column `caption` (`text.captions`); the set is of drawn faces.
        skip: steps of cleaning to leave out.
        size: numbers of a vector, at most: main directions of the texts, 64 by default.
        raw: the encoder's vectors themselves, all their numbers, in place of such directions.
        encoder, pooling: see `text.TextEncoder`.
        like: another packed set with this text, whose directions are taken: for a test set, those
            of the training set. The encoder and cleaning are then its own.
        trust_encoder: load the encoder that `like` names even if tfanime does not know it. It is a
            program that may read and write files.
        progress: show a progress bar.

    Returns:
        The packed set.

    Raises:
        ValueError: for a folder without texts, or texts that are all alike.
    """
    folder = Path(folder)
    data = PackedDataset.open(folder)
    if size is not None and size < 1:
        raise ValueError(f"size is at least 1. Received: {size}.")
    if raw and (size is not None or like is not None):
        raise ValueError(
            "raw takes the encoder's vectors as they are; size and like say otherwise. Received: "
            f"size={size}, like={None if like is None else os.fspath(like)!r}."
        )
    if captions:
        _write_captions(folder, data)
        column = column or "caption"
    columns = [column or name] if isinstance(column, str) or not column else list(column)
    columns = [one.strip() for word in columns for one in word.split(",")]
    rows = read_rows(folder, len(data))
    keys = {key for row in rows for key in row}
    if missing := [one for one in columns if one not in keys]:
        raise ValueError(
            f"The texts are in columns of {TEXTS}. Received: {', '.join(missing)}; it has "
            f"{', '.join(sorted(keys))}."
        )
    if like is None:
        code = TextCode(
            name,
            _handle(encoder),
            pooling,
            genres=genres,
            skip=check_steps(skip) if not genres else (),
            raw=raw,
        )
    else:
        code = TextCode.load(text_file(Path(like), name))
    prepared = [_first(code, row, columns) for row in rows]
    some = [i for i, text in enumerate(prepared) if text]
    if not some:
        raise ValueError(f"At least one image has a text. Received none in {columns}.")
    # Whoever names an encoder here trusts it.
    loaded = code.load_encoder(trust_encoder or like is None)
    vectors = code.embedded([prepared[i] for i in some], loaded, progress)
    if like is None:
        code = code.fitted(vectors, size or LENGTH)
        _check_whitened(code, len({prepared[i] for i in some}))
    codes = np.full((len(data), code.size), np.nan, np.float32)
    codes[some] = code.project(vectors)
    code.save(text_file(folder, name), codes=codes)
    manifest = read_json(folder / "dataset.json")
    # So that copies of the set elsewhere are known to be older.
    sums = {**manifest.get("text_sha256", {}), name: sha256(text_file(folder, name))}
    manifest["text_sha256"] = sums
    manifest["texts"] = list(dict.fromkeys([*manifest.get("texts", ()), name]))
    write_json(folder / "dataset.json", manifest)
    return PackedDataset.open(folder)


def _check_whitened(code: TextCode, texts: int) -> None:
    """Says so when whitening leaves nothing of what texts have in common: as many points as there
    are directions to tell them apart, and one more, are all equally far from each other."""
    if not code.raw and code.size >= texts - 1:
        print(
            f"Note: {texts:,} different texts become {code.size:,} numbers each, whitened: every "
            f"text is its own, as far from one as from any other. Take fewer (--size "
            f"{max(1, texts // 10)}), or the encoder's own numbers (--raw).",
            file=sys.stderr,
        )


def _write_captions(folder: Path, data: PackedDataset) -> None:
    from tfanime.text.captions import captions

    plain = data.select([f.name for f in data.schema.fields if f.kind != "vector"])
    names = read_json(folder / "files.json")
    rows = [{}] * len(data)
    if (folder / TEXTS).is_file():
        rows = read_rows(folder, len(data))
    texts = captions(plain.labels(), plain.schema)
    lines = [
        json.dumps({"file": file, **row, "caption": caption}, ensure_ascii=False)
        for file, row, caption in zip(names, rows, texts, strict=True)
    ]
    write_text(folder / TEXTS, "\n".join(lines) + "\n")


def read_rows(folder: Path, count: int | None) -> list[dict]:
    path = folder / TEXTS
    if not path.is_file():
        raise ValueError(
            f"The texts of a packed set are in its {TEXTS}, a line per image. Received: "
            f"{str(folder)!r} without one. `tfanime prepare posters` writes it."
        )
    rows = json_lines(path.read_text(encoding="utf-8"))
    if count is not None and len(rows) != count:
        raise ValueError(
            f"{TEXTS} has a line for each of the {count} images. Received: {len(rows)}."
        )
    return rows


def _first(code: TextCode, row: dict, columns: Sequence[str]) -> str:
    """The first column that says something, prepared."""
    for column in columns:
        value = row.get(column) or ""
        text = code.prepared(value if code.genres or isinstance(value, str) else ", ".join(value))
        if text:
            return text
    return ""


def codes_of(data: PackedDataset) -> tuple[TextCode, ...]:
    """How each text of a packed set became its vector.

    Raises:
        ValueError: for a damaged file.
    """
    return tuple(TextCode.load(file) for file in data.text_files)


def _handle(encoder: str | os.PathLike) -> str:
    from tfanime.text.bert import resolve

    return resolve(encoder)
