"""The packed dataset: images and labels on disk, read in an order that can be resumed.

    data = load_data("faces/", size=64)
    for batch in data.batches(64, seed=1, start_step=5000): ...   # NumPy alone
    data.tf_dataset(64, seed=1)                                     # the same for tf.data

The documentation (Data) describes the files, which plain NumPy reads.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core import disk
from tfanime.core import images as image_tools
from tfanime.core.files import is_address, read_json
from tfanime.core.labels import Field, LabelSchema
from tfanime.core.notebook import MOST, Pictures, image_tag, table
from tfanime.data import storage
from tfanime.data.balance import repeats
from tfanime.data.batches import (
    SPLIT,
    check_seed,
    random_numbers,
    shuffled_batches,
    tensorflow_batches,
)
from tfanime.data.counts import label_counts
from tfanime.data.shards import Shards
from tfanime.data.stored_arrays import open_array, text_file, text_vectors
from tfanime.data.writer import FORMAT, VERSION, finish_digest

if TYPE_CHECKING:
    import tensorflow as tf


class PackedDataset(Pictures):
    """Images of one size with their labels, in memory-mapped files, in memory or in object storage.

    Use `PackedDataset.open`, `from_arrays` or `load_data`.

    Attributes:
        path: the packed folder; None in memory. Of a set in object storage, the folder in the cache
            that has all of it but the images.
        count, height, width: of the images.
        schema: what the label columns mean; None without labels.
        text_files: `text-NAME.npz` of every text among the labels; `text.codes_of` reads them.
    """

    def __init__(
        self,
        shards: Shards,
        labels: np.ndarray | None = None,
        schema: LabelSchema | None = None,
        path: Path | None = None,
        sha256: str | None = None,
        rows: np.ndarray | None = None,
        text_files: Sequence[Path] = (),
    ):
        self._shards, self._labels = shards, labels
        # A view holds some rows of its parent, in ascending order.
        self._rows = np.arange(shards.count) if rows is None else rows
        self._given_sha256 = sha256
        self.path, self.schema, self.text_files = path, schema, tuple(text_files)
        self.count = len(self._rows)
        self.height, self.width = shards.height, shards.width

    @classmethod
    def open(cls, path: str | os.PathLike, cache: str | os.PathLike | None = None) -> PackedDataset:
        """Opens a packed folder without reading its images.

        Args:
            path: the folder, or its address in object storage, `gs://bucket/faces`.
            cache: where what is small of the latter is kept, as in `load_data`.

        Raises:
            ValueError: if it is none, or if a file of it is missing or of another shape.
            ImportError: for an address, without the extra `storage`.
            OSError: if the storage does not answer.
        """
        shards: Shards | None = None
        if is_address(path):
            path, shards = storage.fetch(os.fspath(path), cache)
        path = Path(path)
        try:
            manifest = read_json(path / "dataset.json")
            readable = manifest["format"] == FORMAT and manifest["version"] == VERSION
        except (OSError, ValueError, KeyError, TypeError) as error:
            disk.check(error, path)
            readable = False
        if not readable:
            raise ValueError(
                f"A packed set is a folder with a dataset.json of version {VERSION}. Received: "
                f"{str(path)!r}. Make one with tfanime.pack or `tfanime prepare`."
            )
        shape = (manifest["height"], manifest["width"], 3)
        if shards is None:
            files = [(path / shard["file"], shard["count"]) for shard in manifest["shards"]]
            shards = Shards([open_array(file, (n, *shape), np.uint8) for file, n in files])
        schema = labels = None
        if manifest["labels"] is not None:
            schema = LabelSchema.from_json(manifest["labels"])
            labels = open_array(path / "labels.npy", (manifest["count"], schema.size), np.float32)
        data = cls(shards, labels, schema, path, manifest["sha256"])
        if manifest.get("texts"):
            return data._with_texts(path, manifest["texts"])
        return data

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        what = f"{self.count} images of {self.width}x{self.height}"
        fields = ", ".join(field.name for field in self.schema.fields) if self.schema else "none"
        return f"<PackedDataset: {what}, labels: {fields}, {self.path or 'in memory'}>"

    def _few(self) -> np.ndarray:
        return self.images(np.linspace(0, self.count - 1, min(self.count, MOST)).astype(int))

    def _repr_html_(self) -> str:
        rows = [("pictures", f"{self.count:,} of {self.width}x{self.height}")]
        if self.schema is not None:
            rows += label_counts(self.schema, self.labels())
        return table(rows) + image_tag(self.grid())

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of images and labels in stored order (`writer.finish_digest`)."""
        if self._given_sha256 is None:
            digest = hashlib.sha256()
            for start in range(0, self.count, 1024):
                digest.update(self.images(slice(start, start + 1024)).data)
            labels = self.labels() if self.schema else None
            return finish_digest(digest, self.count, self.height, self.width, labels)
        return self._given_sha256

    @property
    def rows(self) -> np.ndarray:
        """Where the images are in the stored order: a view has some of them."""
        return self._rows

    # ---- by index ----------------------------------------------------------------------------

    def images(self, indices: Sequence[int] | np.ndarray | slice = slice(None)) -> np.ndarray:
        """Images by position: `(k, height, width, 3)` uint8, a copy. All of them by default."""
        return self._shards.read(np.atleast_1d(self._rows[indices]))

    def stream(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """`images` of one array of positions after the other; those that follow are read from
        object storage meanwhile."""
        return self._shards.stream(self._rows[indices] for indices in batches)

    def labels(self, indices: Sequence[int] | slice = slice(None)) -> np.ndarray:
        """Labels by position: `(k, schema.size)` float32, 0/1 coding, NaN unknown; `(k, 0)` when
        there is no schema."""
        rows = np.atleast_1d(self._rows[indices])
        if self._labels is None:
            return np.empty((len(rows), 0), np.float32)
        return np.array(self._labels[rows], np.float32)

    @property
    def labels_from(self) -> str | None:
        """What the labels come from, as it was packed: a file, `estimated by` a tagger, `drawn`;
        None in memory and without labels."""
        if self.path is None or self.schema is None:
            return None
        return read_json(self.path / "dataset.json").get("labels_from")

    def split(self, held_out: float = 0.1, seed: int = 0) -> tuple[PackedDataset, PackedDataset]:
        """Two views that share the files: `(train, held_out)`.

        Args:
            held_out: share of the images in the second view, 0 to 1 exclusive; each view gets
                at least one.
            seed: the same seed gives the same split.
        """
        if not 0 < held_out < 1 or self.count < 2:
            raise ValueError(
                "A split needs two images and 0 < held_out < 1. "
                f"Received: {held_out!r} of {self.count} images."
            )
        cut = min(max(1, round(self.count * held_out)), self.count - 1)
        order = random_numbers(seed, 0, SPLIT).permutation(self.count)
        parts = np.sort(order[cut:]), np.sort(order[:cut])
        train, test = (
            self._view(self._labels, self.schema, None, self._rows[p], self.text_files)
            for p in parts
        )
        return train, test

    def select(self, names: Sequence[str]) -> PackedDataset:
        """The same images with some of their labels only.

        Raises:
            ValueError: for a name that is none of the labels', or no labels.
        """
        if self.schema is None:
            raise ValueError(f"The data have no labels to select. Received: {', '.join(names)}.")
        schema, columns = self.schema.select(names)
        file_names = [f"text-{name}.npz" for name in names]
        files = [file for file in self.text_files if file.name in file_names]
        labels = np.asarray(self._labels)[:, columns]
        return self._view(labels, schema, self.sha256, self._rows, files)

    def with_rows(self) -> PackedDataset:
        """The same images and labels; the schema keeps rows of these to draw from."""
        schema = self.schema and self.schema.with_rows(self.labels())
        return self._view(self._labels, schema, self.sha256, self._rows, self.text_files)

    def with_codes(self, codes: Sequence[Field]) -> PackedDataset:
        """The same images and labels; the schema has these fields too, which are known of none
        of the images."""
        schema = LabelSchema(tuple(codes))
        labels = np.full((self._shards.count, schema.size), np.nan, np.float32)
        if self.schema is not None and self._labels is not None:
            schema = self.schema.with_codes(codes)
            labels = schema.widen(self._labels, self.schema)
        return self._view(labels, schema, self.sha256, self._rows, self.text_files)

    def balanced(self, share: float) -> PackedDataset:
        """A view that repeats images with rare labels, so that they are seen often enough.

        Its schema keeps the frequencies of the data.

        Args:
            share: of all rows of the view, 0 to 1 exclusive, that each flag, and each value of a
                group, should have; no image is repeated more than 16 times for it.

        Raises:
            ValueError: without labels, or for another share.
        """
        if not 0 < share < 1 or self.schema is None:
            raise ValueError(
                "A balanced view needs labels, and a share between 0 and 1. "
                f"Received: {share!r}, {'no ' if self.schema is None else ''}labels."
            )
        times = repeats(self.labels(), self.schema, share)
        rows = np.repeat(self._rows, times)
        return self._view(self._labels, self.schema, self.sha256, rows, self.text_files)

    def with_labels(
        self, labels: np.ndarray, schema: LabelSchema, sha256: str, text_files: Sequence[Path]
    ) -> PackedDataset:
        """The same images with other labels `(n, schema.size)`; `sha256` is theirs together."""
        return self._view(labels, schema, sha256, self._rows, text_files)

    def _with_texts(self, path: Path, names: Sequence[str]) -> PackedDataset:
        """With the vectors of texts (`tfanime.text.attach`) behind the labels.

        Raises:
            ValueError: for a file that is missing or of another length.
        """
        fields = list(self.schema.fields) if self.schema else []
        columns, digest = [self.labels()], hashlib.sha256(self.sha256.encode())
        files = [text_file(path, name) for name in names]
        for name, file in zip(names, files, strict=True):
            vectors = text_vectors(file, len(self))
            fields.append(Field(name, "vector", length=vectors.shape[1]))
            columns.append((vectors + 1.0) / 2.0)
            digest.update(name.encode() + np.ascontiguousarray(vectors, "<f4").tobytes())
        labels = np.concatenate(columns, axis=1)
        schema = LabelSchema(tuple(fields)).with_examples(labels)
        return self.with_labels(labels, schema, digest.hexdigest(), files)

    def _view(
        self,
        labels: np.ndarray | None,
        schema: LabelSchema | None,
        sha256: str | None,
        rows: np.ndarray,
        text_files: Sequence[Path],
    ) -> PackedDataset:
        return PackedDataset(self._shards, labels, schema, self.path, sha256, rows, text_files)

    # ---- in batches --------------------------------------------------------------------------

    def batches(
        self,
        batch_size: int,
        seed: int = 0,
        start_step: int = 0,
        flip: bool = False,
        prior: str | None = None,
        shard: tuple[int, int] = (0, 1),
        parts: int = 1,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Endless shuffled batches, a pure function of `(seed, step)`.

        Every epoch visits every image once, in a new order; what is left at its end starts the
        first batch of the next, so no batch is short. To go on at step k, pass `start_step=k`:
        nothing is replayed.

        Args:
            batch_size: B, of all shards together.
            seed: 0 to 2**53 - 1.
            start_step: index of the first batch.
            flip: mirror each image left to right with probability 1/2.
            prior: where `condition` comes from. None: the labels of the real images, unknown
                ones drawn from the empirical frequencies. `"empirical"` or `"training"`: drawn
                anew, see `LabelSchema.sample`; labels with vectors are those of any image.
            shard: `(i, n)`: only rows `i B/n` to `(i + 1) B/n` of each batch, for worker i of n.
            parts: of a batch that is used in so many parts after each other, critic steps for
                example, the worker gets those rows of every part.

        Yields:
            `images` (B/n, height, width, 3) uint8 and, if there are labels, `labels` and
            `condition` (B/n, schema.size) float32 in the -1/+1 coding; an unknown label is 0, a
            condition never is unknown.
        """
        check_seed(seed)
        if prior not in (None, "empirical", "training"):
            raise ValueError(f"prior is None, 'empirical' or 'training'. Received: {prior!r}.")
        worker, workers = shard
        if batch_size < 1 or start_step < 0:
            raise ValueError(
                f"batch_size >= 1 and start_step >= 0. Received: {batch_size} and {start_step}."
            )
        if not 0 <= worker < workers or batch_size % (workers * parts):
            raise ValueError(
                "shard is (i, n) with 0 <= i < n, and n divides the batch size and its parts. "
                f"Received: {tuple(shard)} with batches of {batch_size} in {parts} parts."
            )
        by_part = np.arange(batch_size).reshape(parts, workers, -1)
        part = by_part[:, worker].ravel()
        return shuffled_batches(self, batch_size, seed, start_step, flip, prior, part)

    def tf_dataset(
        self,
        batch_size: int,
        seed: int = 0,
        start_step: int = 0,
        flip: bool = False,
        prior: str | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> tf.data.Dataset:
        """`batches` for Keras and `tf.data`: the same arguments, dictionaries and numbers, but
        `images` are float32 in [-1, 1]. Endless; prefetches."""
        options = (batch_size, seed, start_step, flip, prior, shard)
        self.batches(*options)  # checks the arguments here and not in a thread of tf.data
        each = batch_size // shard[1]
        return tensorflow_batches(self, each, lambda: self.batches(*options))


def from_arrays(
    images: np.ndarray, labels: np.ndarray | None = None, schema: LabelSchema | None = None
) -> PackedDataset:
    """A dataset in memory with everything that a packed one has.

    Args:
        images: `(n, H, W, 3)` uint8; not copied.
        labels: `(n, schema.size)` 0/1 coding, NaN unknown.
        schema: what the columns of `labels` mean; its frequencies are counted here.
    """
    images = image_tools.check_pictures(images)
    if (labels is None) != (schema is None):
        raise ValueError("labels and schema come together. Received: only one of them.")
    if labels is not None and schema is not None:
        labels = np.asarray(labels, np.float32)
        if labels.shape != (len(images), schema.size):
            raise ValueError(
                f"labels has one row per image and one column a label: {len(images)} x "
                f"{schema.size}. Received: {labels.shape}."
            )
        schema = schema.with_frequencies(labels)
    return PackedDataset(Shards([images]), labels, schema)
