"""How fast images reach training, and why the packed set is memory-mapped arrays.

    python scripts/bench/bench_data.py [--data PACKED] [--batch 64] [--seconds 5]

Writes the same images as TFRecords of raw bytes and of PNG into a temporary folder and reads
all three with tf.data in shuffled, mirrored batches of float32 in [-1, 1]. A TFRecord can only be
shuffled through a buffer (here the usual 10,000 records), a memory-mapped array uniformly. For
each: size on disk, seconds to the first batch, images/s, processor time of all cores a batch, and
seconds until a run that is resumed at step 5,000 gets its next batch (TFRecords have to be read up
to there again).
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tfanime  # first, it keeps TensorFlow's start quiet

# isort: split
import tensorflow as tf
from PIL import Image

from tfanime.core.images import HALF_RANGE

BUFFER = 10_000
RESUME_STEP = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="drawn", help="packed folder, images or 'drawn'")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5, help="how long each is measured")
    options = parser.parse_args()
    data = tfanime.load_data(options.data)
    pictures = f"{data.width}x{data.height}"
    print(f"{len(data):,} pictures of {pictures}, batches of {options.batch}, {options.data}")
    size = sum(path.stat().st_size for path in data.path.glob("*.npy"))
    report(
        "NumPy alone, no tf.data", lambda k: data.batches(options.batch, 0, k, True), size, options
    )
    report(
        "memory-mapped arrays", lambda k: data.tf_dataset(options.batch, 0, k, True), size, options
    )
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("raw", "PNG"):
            path = Path(folder) / kind
            write_records(data, path, kind)
            report(
                f"TFRecord of {kind}",
                lambda k, path=path, kind=kind: read_records(data, path, kind, options.batch, k),
                path.stat().st_size,
                options,
            )


def report(name: str, make: Callable, size: int, options: argparse.Namespace) -> None:
    begin = time.perf_counter()
    batches = iter(make(0))
    next(batches)
    first, count = time.perf_counter() - begin, 0
    begin, processor = time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < options.seconds:
        next(batches)
        count += 1
    rate = count * options.batch / (time.perf_counter() - begin)
    processor = (time.process_time() - processor) / count
    del batches
    begin = time.perf_counter()
    next(iter(make(RESUME_STEP)))
    resume = time.perf_counter() - begin
    print(
        f"{name:24} {size / 2**20:5.0f} MiB  first batch {first:5.2f} s  {rate:7,.0f} images/s  "
        f"{1000 * processor:5.2f} ms of processor a batch  resumes in {resume:5.2f} s"
    )


def write_records(data, path: Path, kind: str) -> None:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for start in range(0, len(data), 1000):
            for picture in data.images(slice(start, start + 1000)):
                if kind == "PNG":
                    buffer = io.BytesIO()
                    Image.fromarray(picture).save(buffer, "PNG")
                    writer.write(buffer.getvalue())
                else:
                    writer.write(picture.tobytes())


def read_records(data, path: Path, kind: str, batch: int, start_step: int):
    shape = (data.height, data.width, 3)

    def decode(record):
        if kind == "PNG":
            picture = tf.io.decode_png(record, channels=3)
        else:
            picture = tf.io.decode_raw(record, tf.uint8)
        return tf.image.random_flip_left_right(tf.reshape(picture, shape))

    def to_float(pictures):
        return tf.cast(pictures, tf.float32) / HALF_RANGE - 1.0

    return (
        tf.data.TFRecordDataset(str(path))
        .repeat()
        .shuffle(BUFFER, seed=0)
        .skip(start_step * batch)
        .map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch, drop_remainder=True)
        .map(to_float, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(4)
    )


if __name__ == "__main__":
    main()
