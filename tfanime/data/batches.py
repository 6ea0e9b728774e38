"""Endless shuffled batches of a data set, a pure function of a seed and a step."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, tee
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core import images as image_tools
from tfanime.core.labels import to_signed

if TYPE_CHECKING:
    import tensorflow as tf

SEED_LIMIT = 2**53
# The highest word of the Philox counter keeps apart what the numbers are for.
_ORDER, _FLIP, _CONDITION, SPLIT = range(4)


def shuffled_batches(
    data, size: int, seed: int, first: int, flip: bool, prior: str | None, part: np.ndarray
) -> Iterator[dict[str, np.ndarray]]:
    """The batches of `PackedDataset.batches`, whose arguments are checked already.

    Args:
        data: the set: its `count`, `schema`, `stream(batches of rows)` and `labels(rows)`.
        size: images of a batch, of all workers together.
        first: index of the first batch.
        part: `(k,)` int, which images of a batch this worker takes.
    """
    order = _Order(data.count, seed)
    # The same rows twice: those to read are some batches ahead of those that are given out.
    ahead, here = tee(order.at(k * size, size)[part] for k in count(first))
    for step, (rows, pictures) in enumerate(zip(here, data.stream(ahead), strict=False), first):
        if flip:
            # Drawn for the whole batch, so that shards agree with one worker.
            mirrored = random_numbers(seed, step, _FLIP).random(size)[part] < 0.5
            # Whole pixels move at once: twice as fast as reversing an axis of bytes.
            pixels = pictures.view("V3")[..., 0]
            pixels[mirrored] = pixels[mirrored][:, :, ::-1]
        batch = {"images": pictures}
        if data.schema is not None:
            label_rows = data.labels(rows)
            fields = len(data.schema.fields)
            uniforms = random_numbers(seed, step, _CONDITION).random((size, fields))[part]
            fixed = label_rows if prior is None else None
            if prior is not None and data.schema.vector_size:
                # Vectors go with the other labels: those of other images, drawn anew.
                fixed = data.labels((uniforms[:, -1] * data.count).astype(int))
            condition = data.schema.sample(uniforms, prior or "empirical", given=fixed)
            batch |= {"labels": to_signed(label_rows), "condition": to_signed(condition)}
        yield batch


def tensorflow_batches(
    data, size: int, batches: Callable[[], Iterator[dict[str, np.ndarray]]]
) -> tf.data.Dataset:
    """Batches as `tf.data`, their images as float32 in [-1, 1].

    Args:
        data: the set: its `height`, `width` and `schema`.
        size: images of a batch.
        batches: begins them.
    """
    import tensorflow as tf

    _end_iterators_at_exit()
    signature = {"images": tf.TensorSpec((size, data.height, data.width, 3), tf.uint8)}
    if data.schema is not None:
        row = tf.TensorSpec((size, data.schema.size), tf.float32)
        signature |= {"labels": row, "condition": row}

    def to_float(batch: dict) -> dict:
        # images.to_float in graph operations; the images cross into TensorFlow as bytes.
        scaled = tf.cast(batch["images"], tf.float32) / image_tools.HALF_RANGE - 1.0
        return batch | {"images": scaled}

    settings = tf.data.Options()
    # `shard` does this, and a generator has no files that tf.data could deal out.
    settings.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return dataset.map(to_float).prefetch(4).with_options(settings)


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
            return random_numbers(self.seed, epoch, _ORDER).permutation(self.count)
        return self._epochs[epoch]


def random_numbers(seed: int, index: int, use: int) -> np.random.Generator:
    """Numbers that depend on nothing but these three."""
    check_seed(seed)
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


def check_seed(seed: int) -> None:
    """Raises ValueError for a seed that is not from 0 to 2**53 - 1."""
    if not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"A seed is a whole number from 0 to 2**53 - 1. Received: {seed!r}.")
