"""What a run keeps about the texts that it was trained with, in its folder `text/`.

    text-NAME.npz    for each text it is conditioned on: the `TextCode`, and `codes` of the images
    rows.jsonl       what the texts' table says of each image
    labels.npy       the images' other labels, 0/1 coding, with labels.json, their schema

With this a new text is read as the training texts were, and compared with them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.core import bounds, disk
from tfanime.core.files import (
    atomic_path,
    json_lines,
    read_json,
    save_array,
    write_json,
    write_text,
)
from tfanime.core.labels import LabelSchema
from tfanime.data.packed import PackedDataset
from tfanime.data.stored_arrays import text_file
from tfanime.text.attach import TEXTS, codes_of, read_rows
from tfanime.text.codes import TextCode
from tfanime.text.genres import split_genres
from tfanime.text.probe import nearest

FOLDER, ROWS, LABELS, SCHEMA = "text", "rows.jsonl", "labels.npy", "labels.json"
VOTERS = 10  # nearest training texts that say which class a text is read as


@dataclass(frozen=True)
class KeptTexts:
    """See above.

    Args:
        codes: the `TextCode` of each text, in the order of the run's labels.
        vectors: name to `(count, k)` float32, the codes of the training images, NaN without text.
        rows: a dictionary a training image.
        labels: `(count, L)` float32, 0/1 coding, or None.
        schema: of `labels`, or None.
    """

    codes: tuple[TextCode, ...]
    vectors: dict[str, np.ndarray]
    rows: list[dict]
    labels: np.ndarray | None
    schema: LabelSchema | None

    @classmethod
    def open(cls, run: str | os.PathLike) -> KeptTexts:
        """Reads the folder `text/` of a run.

        Raises:
            ValueError: for a run that was not conditioned on texts, or whose files are damaged.
        """
        folder = Path(run) / FOLDER
        if not (folder / ROWS).is_file():
            raise ValueError(
                "Words need a run that was trained with them. Received: "
                f"{os.fspath(run)!r}, which keeps no texts. Add them to the data with "
                "`tfanime text attach`, and train on these."
            )
        try:
            return cls._read(folder)
        except bounds.BROKEN as error:
            disk.check(error, folder)
            raise bounds.damaged(folder, error) from error

    @classmethod
    def _read(cls, folder: Path) -> KeptTexts:
        codes, vectors = [], {}
        for name in read_json(folder / "order.json"):
            if not isinstance(name, str) or not name.isidentifier():
                raise ValueError(f"the name of a text is a word, and order.json has {name!r}")
            code = TextCode.load(text_file(folder, name))
            arrays = bounds.read_arrays(text_file(folder, name))["codes"]
            if arrays.ndim != 2 or arrays.shape[1] != code.size:
                raise ValueError(f"the codes of {name!r} do not fit its directions")
            vectors[name] = arrays.astype(np.float32)
            codes.append(code)
        labels = schema = None
        if (folder / LABELS).is_file():
            # Mapped, so that its shape cannot ask for more than there is.
            labels = np.array(np.load(folder / LABELS, mmap_mode="r", allow_pickle=False))
            document = bounds.read_object(folder / SCHEMA)
            bounds.check_schema(document)
            schema = LabelSchema.from_json(document)
        rows = json_lines((folder / ROWS).read_text(encoding="utf-8"))
        if not codes or not all(isinstance(row, dict) for row in rows):
            raise ValueError("it names no text, or a row of it is no object")
        return cls(tuple(codes), vectors, rows, labels, schema)

    @property
    def described(self) -> TextCode:
        """The code that a free text is compared by: the first that is not of genre tags."""
        return next((code for code in self.codes if not code.genres), self.codes[0])

    @property
    def genres(self) -> list[str]:
        """The genres of the training images, the most frequent first."""
        counts = Counter(tag for row in self.rows for tag in split_genres(row.get("genres")))
        return [tag for tag, _ in counts.most_common()]

    def near(self, vector: np.ndarray, k: int) -> list[tuple[int, float]]:
        """The training images whose text is nearest to a code of `described`, best first, and
        the cosine of the two, -1 to 1.

        Codes are whitened; the cosine is that of the encoder's centred vectors on the directions
        that a code keeps. Codes that are these vectors themselves are centred here.
        """
        code = self.described
        bank, query = self.vectors[code.name], vector[None]
        with_text = np.flatnonzero(np.isfinite(bank).all(axis=1))
        if code.raw:
            mean = bank[with_text].mean(axis=0)
            bank, query = bank - mean, query - mean
        else:
            lengths = 1.0 / np.linalg.norm(code.directions, axis=0)
            bank, query = bank * lengths, query * lengths
        rows = with_text[nearest(bank[with_text], query, min(k, len(with_text)))[0]]
        norms = np.linalg.norm(bank[rows], axis=1) * np.linalg.norm(query)
        cosines = bank[rows] @ query[0] / np.maximum(norms, 1e-12)
        return [(int(i), float(cosine)) for i, cosine in zip(rows, cosines, strict=True)]

    def read_as(self, vector: np.ndarray) -> dict[str, dict[str, float]]:
        """For each group of labels, the shares of its values among the ten nearest training
        texts, the largest first."""
        if self.schema is None:
            return {}
        close, votes = [i for i, _ in self.near(vector, len(self.rows))], {}
        for field in self.schema.fields:
            if field.kind != "group":
                continue
            part = self.labels[:, self.schema.slices()[field.name]]
            voters = [i for i in close if np.isfinite(part[i]).all()][:VOTERS]
            if voters:
                shares = part[voters].mean(axis=0)
                best = np.argsort(-shares, kind="stable")
                votes[field.name] = {field.values[j]: float(shares[j]) for j in best if shares[j]}
        return votes


def keep_texts(data: PackedDataset, everything: PackedDataset, run: str | os.PathLike) -> None:
    """Writes `text/` of a run folder.

    Args:
        data: with the labels that the run is conditioned on.
        everything: the same images with all their labels.
        run: its folder.
    """
    out = Path(run) / FOLDER
    out.mkdir(parents=True, exist_ok=True)
    labels, places = data.labels(), data.schema.slices()
    text_codes = codes_of(data)
    for code in text_codes:
        codes = labels[:, places[code.name]] * 2.0 - 1.0
        code.save(text_file(out, code.name), codes=codes.astype(np.float16))
    write_json(out / "order.json", [code.name for code in text_codes])
    plain = [field.name for field in everything.schema.fields if field.kind != "vector"]
    if plain:
        part = everything.select(plain)
        write_json(out / SCHEMA, part.schema.to_json())
        with atomic_path(out / LABELS) as temporary:
            save_array(temporary, part.labels())
    rows = [{}] * len(data)
    if data.path is not None and (data.path / TEXTS).is_file():
        texts = read_rows(data.path, None)
        rows = [texts[i] for i in data.rows]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_text(out / ROWS, "\n".join(lines) + "\n")
