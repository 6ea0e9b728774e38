"""The arrays of a file of `torch.save`, without torch.

The format is the one before torch 1.6: five pickles (a magic number, a version, a description of
the machine, the tensors without their numbers, the keys of their storages), then each storage:
how many numbers it has, and these. A tensor is a view of a storage: where it starts and, for every
axis, how many numbers lie between neighbours.
"""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}


class _Storage(NamedTuple):
    key: str
    dtype: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Makes nothing but tensors and what holds them: a pickle can otherwise run any code."""

    def find_class(self, module: str, name: str):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, shape, strides
            )
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"it holds {module}.{name}")

    def persistent_load(self, pid) -> _Storage:
        _, dtype, key, *_ = pid
        return _Storage(key, dtype)


def read_torch(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a state dict by name, as arrays of the shape and dtype that torch shows.

    Raises:
        ValueError: for a file of another kind, or one that holds more than tensors.
    """
    try:
        with Path(path).open("rb") as file:
            return _arrays(file)
    except (
        pickle.UnpicklingError,
        EOFError,
        AttributeError,
        TypeError,
        LookupError,
        ValueError,
    ) as error:
        raise ValueError(
            "Weights of torch are a state dict in the format before torch 1.6. "
            f"Received: {str(path)!r} ({error})."
        ) from error


def _arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, _, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    if magic != MAGIC:
        raise pickle.UnpicklingError("it does not begin with torch's number")
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {key: _numbers(file, dtypes[key]) for key in keys}
    return {name: _view(storages[tensor.storage.key], tensor) for name, tensor in tensors.items()}


def _numbers(file: BinaryIO, dtype: str) -> np.ndarray:
    count = int.from_bytes(file.read(8), "little")
    data = file.read(count * np.dtype(dtype).itemsize)
    if len(data) < count * np.dtype(dtype).itemsize:
        raise EOFError("it ends too early")
    return np.frombuffer(data, dtype)


def _view(numbers: np.ndarray, tensor: _Tensor) -> np.ndarray:
    reach = zip(tensor.shape, tensor.strides, strict=True)
    last = tensor.offset + sum((side - 1) * stride for side, stride in reach)
    if min(tensor.offset, last, *tensor.strides, 0) < 0 or last >= len(numbers):
        raise pickle.UnpicklingError("a tensor reaches beyond its numbers")
    return np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :],
        tensor.shape,
        [stride * numbers.itemsize for stride in tensor.strides],
        writeable=False,
    ).copy()
