"""Labelled faces of several sets, and which are trained on, decide, and are kept for the end."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.files import read_json
from tfanime.core.labels import FACES, LabelSchema
from tfanime.data import PackedDataset
from tfanime.prepare.check import NEAR_BITS, difference_hash, differing_bits

PARTS = ("train", "validation", "test")
VALIDATION, TEST = 0.15, 0.15  # shares
UNKNOWN = -1.0  # as a target


@dataclass(frozen=True)
class Faces:
    """One set.

    Args:
        name: of the set.
        images: `(n, size, size, 3)` uint8.
        labels: `(n, 37)` float32 in the columns of `labels.FACES`: 0, 1, or NaN where not known.
        keys: what no two parts may share: file names, or the values of a label (`group`).
        sha256: of the packed set.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    keys: tuple[str, ...]
    sha256: str

    @classmethod
    def read(
        cls, folder: str | os.PathLike, size: int | None = None, group: str | None = None
    ) -> Faces:
        """A packed set at `size`, or at its own.

        Args:
            group: a label, a character for example, whose values are the keys where a set has it.
        """
        folder = Path(folder)
        data = PackedDataset.open(folder)
        if data.schema is None:
            raise ValueError(
                "The tagger learns from labelled faces. Received: "
                f"{str(folder)!r}, which has no labels. Prepare it with --labels."
            )
        names = read_json(folder / "files.json")
        labels = data.labels()
        keys = names
        if group and group in data.schema.slices():
            columns = labels[:, data.schema.slices()[group]]
            keys = [str(column) for column in columns.argmax(axis=1)]
        mapped = in_schema(labels, data.schema)
        images = data.images() if size is None else resized(data.images(), size)
        return cls(folder.name, images, mapped, tuple(keys), data.sha256)


def in_schema(labels: np.ndarray, schema: LabelSchema) -> np.ndarray:
    """Labels `(n, schema.size)` in the 37 columns of `labels.FACES`, NaN where not known.

    Raises:
        ValueError: if a label is a flag here and a group there.
    """
    result = np.full((len(labels), FACES.size), np.nan, np.float32)
    for field in schema.fields:
        if field.name not in FACES.slices():
            continue
        target, columns = FACES.field(field.name), FACES.slices()[field.name]
        part = labels[:, schema.slices()[field.name]]
        if field.kind != target.kind:
            raise ValueError(f"{field.name!r} is a {target.kind}. Received: a {field.kind}.")
        if field.kind == "flag":
            result[:, columns] = part
            continue
        mapping = np.array([[v == w for w in target.values] for v in field.values], np.float32)
        mapped = np.nan_to_num(part) @ mapping
        certain = mapped.sum(axis=1) == 1
        result[certain, columns] = mapped[certain]
    return result


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """`(n, H, W, 3)` uint8 at `size` x `size`, with antialiasing."""
    if images.shape[1:3] == (size, size):
        return images
    bicubic = Image.Resampling.BICUBIC
    return np.stack([np.asarray(Image.fromarray(x).resize((size, size), bicubic)) for x in images])


def split(sets: Sequence[Faces]) -> list[np.ndarray]:
    """The part of every face of every set: 0 trained on, 1 validation, 2 test.

    Near duplicates (`difference_hash`, over all sets together) and faces that share a key are
    always in one part. Which one follows from the SHA-256 of the cluster's first `SET/KEY`, so it
    stays the same when sets are added that share no face with it.
    """
    names = [f"{faces.name}/{key}" for faces in sets for key in faces.keys]
    codes = np.array([difference_hash(image) for faces in sets for image in faces.images]).T
    parent = np.arange(len(names))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    first: dict[str, int] = {}
    for i, name in enumerate(names):
        parent[root(i)] = root(first.setdefault(name, i))
        alike = np.flatnonzero(differing_bits(codes[:, :i], codes[:, i]) <= NEAR_BITS)
        for j in alike:
            parent[root(i)] = root(int(j))
    roots = [root(i) for i in range(len(names))]
    least: dict[int, str] = {}
    for name, cluster in zip(names, roots, strict=True):
        least[cluster] = min(name, least.get(cluster, name))
    digests = {k: hashlib.sha256(name.encode()).digest() for k, name in least.items()}
    numbers = np.array([int.from_bytes(digests[k][:6], "big") / 256**6 for k in roots])
    parts = np.where(numbers < TEST, 2, np.where(numbers < TEST + VALIDATION, 1, 0))
    ends = np.cumsum([len(faces.keys) for faces in sets])
    return np.split(parts, ends[:-1])


def pooled(
    sets: Sequence[Faces], parts: Sequence[np.ndarray], part: str
) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one part of all sets; there may be parts of sets that are left out."""
    number = PARTS.index(part)
    images = [faces.images[p == number] for faces, p in zip(sets, parts, strict=False)]
    labels = [faces.labels[p == number] for faces, p in zip(sets, parts, strict=False)]
    return np.concatenate(images), np.concatenate(labels)


def targets_of(labels: np.ndarray) -> np.ndarray:
    """Labels with NaN to the targets of `models.tagger.loss`."""
    return np.where(np.isnan(labels), UNKNOWN, labels).astype(np.float32)


def repeats(labels: np.ndarray, least: float = 0.1, most: int = 4) -> np.ndarray:
    """How often each face is shown in an epoch, `(n,)` int: more often where it has a rare flag.

    A flag that `p < wanted` of the faces have is repeated about `sqrt(wanted / p)` times, which
    lies between equal faces and equal flags.
    """
    times = np.ones(len(labels))
    for name, columns in FACES.slices().items():
        if FACES.field(name).kind != "flag":
            continue
        column = labels[:, columns][:, 0]
        share = np.nanmean(column) if np.isfinite(column).any() else 0.0
        if 0 < share < least:
            times = np.maximum(times, np.where(column == 1, np.sqrt(least / share), 1.0))
    return np.minimum(np.round(times), most).astype(int)


def shares(labels: np.ndarray) -> Mapping[str, float]:
    """Which share of the faces has each attribute, among those where it is known."""
    labelled = ~np.isnan(labels)
    counts = np.maximum(labelled.sum(axis=0), 1)
    values = np.nansum(labels, axis=0) / counts
    return {c: round(float(v), 4) for c, v in zip(FACES.columns, values, strict=True)}
