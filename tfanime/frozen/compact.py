"""Keras files of half the size: kernels in float16, stored so that they stay plain Keras files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from tfanime.core.files import atomic_path


def round_kernels(model: keras.Model) -> None:
    """Gives every weight of two or more dimensions a value that float16 holds."""
    for variable in model.weights:
        if len(variable.shape) > 1:
            rounded = keras.ops.convert_to_numpy(variable).astype(np.float16)
            variable.assign(rounded.astype(np.float32))


def pack_again(path: Path) -> None:
    """Packs a Keras file again: float32 numbers that float16 could hold have 13 zero bits, which
    compress best with all first bytes together, then all second ones."""
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(temporary, "w") as new,
    ):
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith(".h5"):
                content = _shuffled(content)
            new.writestr(entry.filename, content, zipfile.ZIP_DEFLATED, 9)


def _shuffled(content: bytes) -> bytes:
    packed = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(packed, "w") as new:

        def copy(name: str, item) -> None:
            if isinstance(item, h5py.Dataset):
                best = {"compression": 9, "shuffle": True} if item.shape else {}
                target = new.create_dataset(name, data=item[()], **best)
            else:
                target = new.require_group(name)
            target.attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(copy)
    return packed.getvalue()
