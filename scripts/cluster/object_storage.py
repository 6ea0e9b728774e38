#!/usr/bin/env python
"""Copies a packed set, a run or an export to or from storage that TensorFlow reaches by address.

    python scripts/cluster/object_storage.py copy packed/ gs://bucket/faces
    python scripts/cluster/object_storage.py copy gs://bucket/runs/girls runs/girls
    python scripts/cluster/object_storage.py try    what works, over TensorFlow's ram://

Runs and exports are local folders: files are renamed into place there, which object storage has
not. So a run folder is copied away from a machine, for example after each checkpoint, and a packed
set to it where its disk holds it (tfanime reads one from its address too, but slower); only new and
changed files are sent. Files at the top of the folder go last: they say what the rest is, so that a
reader who finds them has it all.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import tfanime  # noqa: F401  (keeps TensorFlow quiet)

PART = 2**24  # bytes read at a time


def copy(source: str, target: str) -> tuple[int, int]:
    """Copies a folder.

    Args:
        source, target: paths or addresses (`gs://`, `s3://`, `hdfs://`, `ram://`).

    Returns:
        Files copied, and files that were there already: of the same length, and not older.
    """
    import tensorflow as tf

    io = tf.io.gfile
    if not io.isdir(source):
        raise ValueError(f"A folder is copied. Received: {source!r}, which is none.")
    files = []
    for folder, _, names in io.walk(source):
        files += [os.path.join(folder, name)[len(source) :].lstrip("/") for name in names]
    copied = 0
    for file in sorted(files, key=lambda name: ("/" not in name, name)):
        old, new = f"{source.rstrip('/')}/{file}", f"{target.rstrip('/')}/{file}"
        if io.exists(new):
            there, here = io.stat(new), io.stat(old)
            if there.length == here.length and there.mtime_nsec >= here.mtime_nsec:
                continue
            io.remove(new)  # ram:// would write behind what is there
        io.makedirs(os.path.dirname(new))
        with io.GFile(old, "rb") as read, io.GFile(new, "wb") as write:
            while part := read.read(PART):
                write.write(part)
        copied += 1
    return copied, len(files) - copied


def attempt(count: int = 2000) -> None:
    """Tries what a training needs of storage, with images of 64x64."""
    import tensorflow as tf

    pictures = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as temporary:
        local = Path(temporary)
        (local / "set").mkdir()
        np.save(local / "set" / "images.npy", pictures)
        first, again = (copy(f"{local}/set", "ram://set") for _ in range(2))
        copy("ram://set", f"{local}/back")
        same = (local / "back" / "images.npy").read_bytes() == (
            local / "set" / "images.npy"
        ).read_bytes()
        print(f"folder there and back: {'equal' if same else 'DIFFERENT'}; sent {first}, {again}")
    for shard in range(4):
        with tf.io.TFRecordWriter(f"ram://shards/{shard}.tfrecord") as writer:
            for picture in pictures[shard::4]:
                writer.write(picture.tobytes())
    names = sorted(tf.io.gfile.glob("ram://shards/*.tfrecord"))
    data = tf.data.Dataset.from_tensor_slices(names).interleave(tf.data.TFRecordDataset)
    start, total = time.perf_counter(), 0
    for part in data.map(lambda x: tf.io.decode_raw(x, tf.uint8)).batch(64):
        total += int(part.shape[0])
    print(f"TFRecord shards: {total} of {count}, {total / (time.perf_counter() - start):,.0f}/s")
    weights = tf.Variable(tf.random.normal((256, 256)))
    path = tf.train.Checkpoint(weights=weights).write("ram://checkpoints/1")
    restored = tf.Variable(tf.zeros((256, 256)))
    tf.train.Checkpoint(weights=restored).read(path).assert_consumed()
    print(f"checkpoint: {'equal' if np.array_equal(weights, restored) else 'DIFFERENT'}")
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec((), tf.float32)])
    tf.saved_model.save(module, "ram://model/1")
    found = float(tf.saved_model.load("ram://model/1").double(tf.constant(2.0)))
    print(f"SavedModel: {'equal' if found == 4 else 'DIFFERENT'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("copy", help="copy a folder; only what changed")
    verb.add_argument("source")
    verb.add_argument("target")
    verbs.add_parser("try", help="try what works over ram://")
    options = parser.parse_args()
    if options.verb == "try":
        attempt()
        return
    try:
        copied, there = copy(options.source, options.target)
    except Exception as error:  # every file system raises its own
        sys.exit(f"Error: {str(error).splitlines()[0]}")
    print(f"{copied} files copied, {there} were there already")


if __name__ == "__main__":
    main()
