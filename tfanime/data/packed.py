"""The packed dataset: pictures and labels on disk, read in an order that can be resumed.

    data = load_data("faces/", size=64)
    for batch in data.batches(64, seed=1, start_step=5000): ...   # NumPy alone
    data.tf_dataset(64, seed=1)                                     # the same for tf.data

docs/data.md documents the files, which plain NumPy reads.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core import bounds, disk
from tfanime.core import images as image_tools
from tfanime.core.files import read_json
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.core.notebook import MOST, Pictures, image_tag, table
from tfanime.data.counts import label_counts
from tfanime.data.writer import FORMAT, VERSION, finish_digest

if TYPE_CHECKING:
    import tensorflow as tf

SEED_LIMIT = 2**53
MOST_REPEATS = 16  # of a picture with a rare label
# The highest word of the Philox counter keeps apart what the numbers are for.
_ORDER, _FLIP, _CONDITION, _SPLIT = range(4)


class PackedDataset(Pictures):
    """Pictures of one size with their labels, in memory-mapped files or in memory.

    Use `PackedDataset.open`, `from_arrays` or `load_data`.

    Attributes:
        path: the packed folder; None in memory.
        count, height, width: of the pictures.
        schema: what the label columns mean; None without labels.
        text_files: `text-NAME.npz` of every text among the labels; `text.codes_of` reads them.
    """

    def __init__(
        self,
        shards: Sequence[np.ndarray],
        labels: np.ndarray | None = None,
        schema: LabelSchema | None = None,
        path: Path | None = None,
        sha256: str | None = None,
        rows: np.ndarray | None = None,
        text_files: Sequence[Path] = (),
    ):
        self._shards = list(shards)
        self._ends = np.cumsum([len(shard) for shard in shards])
        self._labels = labels
        # A view holds some rows of its parent, in ascending order.
        self._rows = np.arange(self._ends[-1]) if rows is None else rows
        self._given_sha256 = sha256
        self.path, self.schema, self.text_files = path, schema, tuple(text_files)
        self.count = len(self._rows)
        self.height, self.width = (int(n) for n in shards[0].shape[1:3])

    @classmethod
    def open(cls, path: str | os.PathLike) -> PackedDataset:
        """Opens a packed folder without reading its pictures.

        Raises:
            ValueError: if it is none, or if a file of it is missing or of another shape.
        """
        path = Path(path)
        try:
            manifest = read_json(path / "dataset.json")
            known = manifest["format"] == FORMAT and manifest["version"] == VERSION
        except (OSError, ValueError, KeyError, TypeError) as error:
            disk.check(error, path)
            known = False
        if not known:
            raise ValueError(
                f"A packed set is a folder with a dataset.json of version {VERSION}. Received: "
                f"{str(path)!r}. Make one with tfanime.pack or `tfanime prepare`."
            )
        shape = (manifest["height"], manifest["width"], 3)
        shards = [
            _load(path / shard["file"], (shard["count"], *shape), np.uint8)
            for shard in manifest["shards"]
        ]
        schema = labels = None
        if manifest["labels"] is not None:
            schema = LabelSchema.from_json(manifest["labels"])
            labels = _load(path / "labels.npy", (manifest["count"], schema.size), np.float32)
        data = cls(shards, labels, schema, path, manifest["sha256"])
        if manifest.get("texts"):
            return data._with_texts(manifest["texts"])
        return data

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        what = f"{self.count} pictures of {self.width}x{self.height}"
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
        """SHA-256 of pictures and labels in stored order (docs/data.md says how)."""
        if self._given_sha256 is None:
            digest = hashlib.sha256()
            for start in range(0, self.count, 1024):
                digest.update(self.images(slice(start, start + 1024)))
            labels = self.labels() if self.schema else None
            return finish_digest(digest, self.count, self.height, self.width, labels)
        return self._given_sha256

    @property
    def rows(self) -> np.ndarray:
        """Where the pictures are in the stored order: a view has some of them."""
        return self._rows

    # ---- by index ----------------------------------------------------------------------------

    def images(self, indices: Sequence[int] | np.ndarray | slice = slice(None)) -> np.ndarray:
        """Pictures by position: `(k, height, width, 3)` uint8, a copy. All of them by default."""
        rows = np.atleast_1d(self._rows[indices])
        if len(self._shards) == 1:
            return np.asarray(self._shards[0][rows])
        out = np.empty((len(rows), self.height, self.width, 3), np.uint8)
        shard_of = np.searchsorted(self._ends, rows, side="right")
        for i in np.unique(shard_of):
            here, start = shard_of == i, self._ends[i] - len(self._shards[i])
            out[here] = self._shards[i][rows[here] - start]
        return out

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
            held_out: share of the pictures in the second view, 0 to 1 exclusive; each view gets
                at least one.
            seed: the same seed gives the same split.
        """
        if not 0 < held_out < 1 or self.count < 2:
            raise ValueError(
                "A split needs two pictures and 0 < held_out < 1. "
                f"Received: {held_out!r} of {self.count} pictures."
            )
        cut = min(max(1, round(self.count * held_out)), self.count - 1)
        order = _random(seed, 0, _SPLIT).permutation(self.count)
        parts = np.sort(order[cut:]), np.sort(order[:cut])
        train, held = (
            self._view(self._labels, self.schema, None, self._rows[p], self.text_files)
            for p in parts
        )
        return train, held

    def select(self, names: Sequence[str]) -> PackedDataset:
        """The same pictures with some of their labels only.

        Raises:
            ValueError: for a name that is none of the labels', or no labels.
        """
        if self.schema is None:
            raise ValueError(f"The data have no labels to select. Received: {', '.join(names)}.")
        schema, columns = self.schema.select(names)
        wanted = [f"text-{name}.npz" for name in names]
        files = [file for file in self.text_files if file.name in wanted]
        labels = np.asarray(self._labels)[:, columns]
        return self._view(labels, schema, self.sha256, self._rows, files)

    def with_rows(self) -> PackedDataset:
        """The same pictures and labels; the schema keeps rows of these to draw from."""
        schema = self.schema.with_rows(self.labels())
        return self._view(self._labels, schema, self.sha256, self._rows, self.text_files)

    def with_codes(self, codes: Sequence[Field]) -> PackedDataset:
        """The same pictures and labels; the schema has these fields too, which are known of none
        of the pictures."""
        schema = LabelSchema(tuple(codes))
        labels = np.full((self._ends[-1], schema.size), np.nan, np.float32)
        if self.schema is not None:
            schema = self.schema.with_codes(codes)
            labels = schema.widen(self._labels, self.schema)
        return self._view(labels, schema, self.sha256, self._rows, self.text_files)

    def balanced(self, share: float) -> PackedDataset:
        """A view that repeats pictures with rare labels, so that they are seen often enough.

        Its schema keeps the frequencies of the data.

        Args:
            share: of all rows of the view, 0 to 1 exclusive, that each flag, and each value of a
                group, should have; no picture is repeated more than 16 times for it.

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
        """The same pictures with other labels `(n, schema.size)`; `sha256` is theirs together."""
        return self._view(labels, schema, sha256, self._rows, text_files)

    def _with_texts(self, names: Sequence[str]) -> PackedDataset:
        """With the vectors of texts (`tfanime.text.attach`) behind the labels.

        Raises:
            ValueError: for a file that is missing or of another length.
        """
        fields = list(self.schema.fields) if self.schema else []
        columns, digest = [self.labels()], hashlib.sha256(self.sha256.encode())
        files = [text_file(self.path, name) for name in names]
        for name, file in zip(names, files, strict=True):
            vectors = _text_vectors(file, len(self))
            fields.append(Field(name, "vector", length=vectors.shape[1]))
            columns.append((vectors + 1.0) / 2.0)
            digest.update(name.encode() + np.ascontiguousarray(vectors, "<f4").tobytes())
        labels = np.concatenate(columns, axis=1)
        schema = LabelSchema(tuple(fields)).with_examples(labels)
        return self.with_labels(labels, schema, digest.hexdigest(), files)

    def _view(self, labels, schema, sha256, rows, text_files) -> PackedDataset:
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

        Every epoch visits every picture once, in a new order; what is left at its end starts the
        first batch of the next, so no batch is short. To go on at step k, pass `start_step=k`:
        nothing is replayed.

        Args:
            batch_size: B, of all shards together.
            seed: 0 to 2**53 - 1.
            start_step: index of the first batch.
            flip: mirror each picture left to right with probability 1/2.
            prior: where `condition` comes from. None: the labels of the real pictures, unknown
                ones drawn from the empirical frequencies. `"empirical"` or `"training"`: drawn
                anew, see `LabelSchema.sample`; labels with vectors are those of any picture.
            shard: `(i, n)`: only rows `i B/n` to `(i + 1) B/n` of each batch, for worker i of n.
            parts: of a batch that is used in so many parts after each other, critic steps for
                example, the worker gets those rows of every part.

        Yields:
            `images` (B/n, height, width, 3) uint8 and, if there are labels, `labels` and
            `condition` (B/n, schema.size) float32 in the -1/+1 coding; an unknown label is 0, a
            condition never is unknown.
        """
        _check_seed(seed)
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
        return self._batches(batch_size, seed, start_step, flip, prior, by_part[:, worker].ravel())

    def _batches(
        self, size: int, seed: int, step: int, flip: bool, prior: str | None, part: np.ndarray
    ) -> Iterator[dict[str, np.ndarray]]:
        order = _Order(self.count, seed)
        while True:
            rows = order.at(step * size, size)[part]
            pictures = self.images(rows)
            if flip:
                # Drawn for the whole batch, so that shards agree with one worker.
                mirrored = _random(seed, step, _FLIP).random(size)[part] < 0.5
                # Whole pixels move at once: twice as fast as reversing an axis of bytes.
                pixels = pictures.view("V3")[..., 0]
                pixels[mirrored] = pixels[mirrored][:, :, ::-1]
            batch = {"images": pictures}
            if self.schema is not None:
                known = self.labels(rows)
                fields = len(self.schema.fields)
                uniforms = _random(seed, step, _CONDITION).random((size, fields))[part]
                given = known if prior is None else None
                if prior is not None and self.schema.vector_size:
                    # Vectors go with the other labels: those of other pictures, drawn anew.
                    given = self.labels((uniforms[:, -1] * self.count).astype(int))
                drawn = self.schema.sample(uniforms, prior or "empirical", given=given)
                batch |= {"labels": to_signed(known), "condition": to_signed(drawn)}
            yield batch
            step += 1

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
        import tensorflow as tf

        options = (batch_size, seed, start_step, flip, prior, shard)
        _end_iterators_at_exit()
        self.batches(*options)  # checks the arguments here and not in a thread of tf.data
        each = batch_size // shard[1]
        signature = {"images": tf.TensorSpec((each, self.height, self.width, 3), tf.uint8)}
        if self.schema is not None:
            row = tf.TensorSpec((each, self.schema.size), tf.float32)
            signature |= {"labels": row, "condition": row}

        def to_float(batch: dict) -> dict:
            # images.to_float in graph operations; the pictures cross into TensorFlow as bytes.
            scaled = tf.cast(batch["images"], tf.float32) / image_tools.HALF_RANGE - 1.0
            return batch | {"images": scaled}

        settings = tf.data.Options()
        # `shard` does this, and a generator has no files that tf.data could deal out.
        settings.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.OFF
        )
        dataset = tf.data.Dataset.from_generator(
            lambda: self.batches(*options), output_signature=signature
        )
        return dataset.map(to_float).prefetch(4).with_options(settings)


def text_file(folder: Path, name: str) -> Path:
    """Where the vectors of a text are: `codes (count, k)` float32, NaN where an image has none."""
    return folder / f"text-{name}.npz"


def _text_vectors(file: Path, count: int) -> np.ndarray:
    try:
        vectors = np.asarray(bounds.read_arrays(file)["codes"], np.float32)
        if vectors.ndim != 2 or len(vectors) != count:
            raise ValueError(f"{vectors.shape} for {count} pictures")
    except (OSError, ValueError, KeyError) as error:
        disk.check(error, file)
        raise ValueError(
            f"The packed set is damaged: {str(file)!r} cannot be read ({error}). "
            "Run `tfanime text attach` again."
        ) from error
    return vectors


def repeats(labels: np.ndarray, schema: LabelSchema, share: float) -> np.ndarray:
    """How often each row is repeated so that every flag, and every value of a group, has at least
    a share of all rows: `(n,)` int, 1 to `MOST_REPEATS`.

    A label that a row shares with others counts for both, so weights are raised label by label
    until all are satisfied or at the limit.

    Args:
        labels: `(n, schema.size)`, 0/1 coding, NaN unknown.
        schema: of them.
        share: 0 to 1 exclusive.
    """
    slices = schema.slices()
    fields = [f for f in schema.fields if f.kind in ("group", "flag") and not f.free]
    columns = [i for f in fields for i in range(slices[f.name].start, slices[f.name].stop)]
    shown = labels[:, columns] == 1
    weights = np.ones(len(labels))
    for _ in range(100):
        shares = weights @ shown / weights.sum()
        rare = (shares > 0) & (shares < share)
        if not rare.any():
            break
        # The rarest label of a row says how much more of it is needed.
        wanted = np.where(shown & rare, share / np.maximum(shares, 1e-9), 1.0).max(axis=1)
        weights = np.minimum(weights * wanted, MOST_REPEATS)
    # Fractions are handed on from row to row, so that the sum stays right and nothing is random.
    ends = np.cumsum(weights)
    return np.maximum(np.diff(np.floor(ends), prepend=0).astype(int), 1)


class _Order:
    """The endless sequence of shuffled epochs, readable at any place."""

    def __init__(self, count: int, seed: int):
        self.count, self.seed = count, seed
        self._epochs: dict[int, np.ndarray] = {}

    def at(self, start: int, size: int) -> np.ndarray:
        first, last = start // self.count, (start + size - 1) // self.count
        parts = [self._epoch(epoch) for epoch in range(first, last + 1)]
        self._epochs = {last: parts[-1]}
        begin = start - first * self.count
        return (
            np.concatenate(parts)[begin : begin + size]
            if first < last
            else (parts[0][begin : begin + size])
        )

    def _epoch(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            return _random(self.seed, epoch, _ORDER).permutation(self.count)
        return self._epochs[epoch]


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
                f"labels has one row a picture and one column a label: {len(images)} x "
                f"{schema.size}. Received: {labels.shape}."
            )
        schema = schema.with_frequencies(labels)
    return PackedDataset([images], labels, schema)


# ---- small helpers -----------------------------------------------------------------------------


def _random(seed: int, index: int, use: int) -> np.random.Generator:
    """Numbers that depend on nothing but these three."""
    _check_seed(seed)
    return np.random.Generator(np.random.Philox(key=[seed, index], counter=[0, 0, 0, use]))


@cache
def _end_iterators_at_exit() -> None:
    """Prevents a program from hanging when it ends, by an exception for example.

    tf.data's threads call our generator. Once the interpreter shuts down such a call never
    returns, and the destructor of an iterator that is still alive waits for it for ever.
    """
    import tensorflow as tf

    def end() -> None:
        for thing in gc.get_objects():
            kinds = type(thing).__mro__  # isinstance() would wake lazily loaded modules
            if tf.data.Iterator in kinds or "MultiDeviceIterator" in kinds[0].__name__:
                vars(thing).clear()

    atexit.register(end)


def _check_seed(seed: int) -> None:
    if not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"A seed is a whole number from 0 to 2**53 - 1. Received: {seed!r}.")


def _load(path: Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        disk.check(error, path)
        raise ValueError(
            f"The packed set is damaged: {str(path)!r} cannot be read ({error}). Pack it again."
        ) from error
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"The packed set is damaged: {str(path)!r} must be {shape} {np.dtype(dtype)}. "
            f"Received: {array.shape} {array.dtype}. Pack it again."
        )
    return array
