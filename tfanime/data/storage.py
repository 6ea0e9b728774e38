"""Packed sets in object storage: `gs://bucket/faces`, `s3://bucket/faces`, any of fsspec's.

What is small (`dataset.json`, labels, texts) is fetched once into the cache, and is a folder as
any other; the images stay, and are read by ranges of bytes: of a batch many at a time, and some
batches ahead. So a set may be larger than the disk, and its order is that of a local one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tfanime.core.cache import cache_folder, check_cache
from tfanime.core.files import atomic_folder
from tfanime.data.shards import Shards

AHEAD = 8  # batches that are read while one is used
CONNECTIONS = 128  # to S3, where each image is a request
HEADER = 128  # bytes; what numpy.save writes before the images of a shard is no longer
# Beside the manifest, labels and texts of it; sets of others may lack them.
BESIDE = ("files.json", "manifest.json", "texts.jsonl")


def open_storage(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        ImportError: without the packages that the scheme needs.
        ValueError: for a scheme that there is not.
    """
    try:
        import fsspec
    except ImportError as error:
        raise ImportError(
            f"Object storage is read with fsspec, which could not be imported ({error}). Install "
            "it: pip install '.[storage]' in a checkout."
        ) from error
    try:
        return fsspec.core.url_to_fs(address, **_options(address, fsspec.config.conf))
    except ImportError as error:  # "Install s3fs to access S3"
        raise ImportError(
            f"{address!r} cannot be reached ({error}). gs:// and s3:// come with pip install "
            "'.[storage]' in a checkout."
        ) from error
    except ValueError as error:
        raise ValueError(
            "An address of object storage begins with a scheme that fsspec knows, such as gs:// or "
            f"s3://. Received: {address!r} ({error})."
        ) from error


def _options(address: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of the file system, unless fsspec's own settings say so: as many connections as images are
    read at a time; s3fs has ten."""
    if not address.startswith(("s3://", "s3a://")) or "config_kwargs" in settings.get("s3", {}):
        return {}
    return {"config_kwargs": {"max_pool_connections": CONNECTIONS}}


def fetch(address: str, cache: str | os.PathLike | None = None) -> tuple[Path, StoredShards]:
    """Fetches what is small of a packed set into the cache, once a version of it.

    Args:
        address: of the folder.
        cache: folder; by default `$TFANIME_CACHE`, or `~/.cache/tfanime`.

    Returns:
        The folder, a packed set without its images, and the images.

    Raises:
        ValueError: if there is no packed set, or a shard of it is missing or of another shape.
        OSError: if the storage does not answer.
    """
    storage, path = open_storage(address)
    with reaching(address):
        try:
            text = storage.cat_file(f"{path}/dataset.json")
        except FileNotFoundError:
            text = b"null"
    try:
        manifest = json.loads(text)
        shards = [(f"{path}/{one['file']}", int(one["count"])) for one in manifest["shards"]]
        shape = int(manifest["height"]), int(manifest["width"])
        names = ["labels.npy"] if manifest["labels"] is not None else []
        names += [f"text-{name}.npz" for name in manifest.get("texts") or ()]
        if any(Path(name).name != name for name in names):
            raise ValueError  # it would be written outside the cache
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            "An address is that of a packed set, a folder with a dataset.json. Received: "
            f"{address!r}. Make one with `tfanime prepare`, and copy it there."
        ) from error
    key = hashlib.sha256(address.encode() + b"\0" + text).hexdigest()[:16]
    stem = path.rstrip("/").rpartition("/")[2]
    folder = cache_folder(cache) / f"{stem}-{shape[1]}x{shape[0]}-{key}"
    if not folder.exists():
        check_cache(folder.parent)
        try:
            with atomic_folder(folder) as target, reaching(address):
                for name in (*names, *BESIDE):
                    if name in names or storage.exists(f"{path}/{name}"):
                        storage.get_file(f"{path}/{name}", str(target / name))
                (target / "dataset.json").write_bytes(text)
        except OSError:
            if not folder.exists():  # another process was not faster either
                raise
    return folder, StoredShards(address, storage, shards, shape)


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Every file system raises errors of its own; they become one."""
    try:
        yield
    except Exception as error:
        message = (str(error).splitlines() or [type(error).__name__])[0]
        raise OSError(
            f"The object storage did not give what it was asked for: {address} "
            f"({type(error).__name__}: {message}). Check address, rights and network, and run the "
            "same command again."
        ) from error


class StoredShards(Shards):
    """Images in the `.npy` files of object storage.

    Args:
        address: as errors name it.
        storage: file system of fsspec.
        files: path and number of images of each shard.
        shape: height and width of every image.

    Raises:
        ValueError: if a shard is missing or of another shape.
    """

    def __init__(
        self, address: str, storage: Any, files: list[tuple[str, int]], shape: tuple[int, int]
    ):
        self._address, self._storage = address, storage
        self._files = [file for file, _ in files]
        self._counts = np.array([count for _, count in files])
        self._ends = np.cumsum(self._counts)
        self.count, (self.height, self.width) = int(self._ends[-1]), shape
        self._size = self.height * self.width * 3
        self._begins = np.array(self._headers())

    def _headers(self) -> list[int]:
        """Where the images of each shard begin, in bytes."""
        with reaching(self._address):
            self._storage.invalidate_cache()
            sizes = {
                one["name"]: one["size"]
                for folder in {file.rpartition("/")[0] for file in self._files}
                for one in self._storage.ls(folder, detail=True)
            }
        missing = [file for file in self._files if file not in sizes]
        if missing:
            raise ValueError(
                f"The packed set is damaged: {missing[0]!r} is not at {self._address!r}. Copy the "
                "set there again."
            )
        ends = [min(HEADER, sizes[file]) for file in self._files]
        heads = self._ranges(self._files, [0] * len(ends), ends)
        headers = []
        for file, head, count in zip(self._files, heads, self._counts.tolist(), strict=True):
            part_shape = (count, self.height, self.width, 3)
            try:
                begin, shape, dtype = _header(head)
                right = shape == part_shape and dtype == np.uint8
                right &= sizes[file] == begin + count * self._size
                received = f"{shape} {dtype}, {sizes[file]} bytes"
            except ValueError as error:
                right, received, begin = False, str(error), 0
            if not right:
                raise ValueError(
                    f"The packed set is damaged: {file!r} must be {part_shape} uint8. Received: "
                    f"{received}. Copy the set there again."
                )
            headers.append(begin)
        return headers

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Images by stored position; what lies side by side is one request."""
        out = np.empty((len(rows), self.height, self.width, 3), np.uint8)
        if not len(rows):
            return out
        shard_of = np.searchsorted(self._ends, rows, side="right")
        place = rows - (self._ends - self._counts)[shard_of]
        new = (np.diff(rows) != 1) | (np.diff(shard_of) != 0)
        first = np.concatenate([[0], np.flatnonzero(new) + 1])
        last = np.concatenate([first[1:], [len(rows)]])
        starts = self._begins[shard_of[first]] + place[first] * self._size
        ends = starts + (last - first) * self._size
        files = [self._files[i] for i in shard_of[first]]
        parts = self._ranges(files, starts.tolist(), ends.tolist())
        for i, j, part in zip(first.tolist(), last.tolist(), parts, strict=True):
            out[i:j] = np.frombuffer(part, np.uint8).reshape(j - i, *out.shape[1:])
        return out

    def stream(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """`read` of one batch of positions after the other, `AHEAD` of them at a time."""
        waiting: deque = deque()
        pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="storage")
        try:
            for rows in batches:
                waiting.append(pool.submit(self.read, rows))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ranges(self, files: list[str], starts: list[int], ends: list[int]) -> list[bytes]:
        with reaching(self._address):
            parts = self._storage.cat_ranges(files, starts, ends, on_error="raise")
            for part, start, end in zip(parts, starts, ends, strict=True):
                if isinstance(part, BaseException):  # some give it back, asked to raise it or not
                    raise part
                if len(part) != end - start:
                    raise EOFError(f"{end - start} bytes were asked for, {len(part)} came")
        return parts


def _header(head: bytes) -> tuple[int, tuple[int, ...], np.dtype]:
    """Length of a `.npy` file's header, shape and type of what follows; ValueError for others."""
    file = io.BytesIO(head)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("another version of the .npy format")
    shape, transposed, dtype = np.lib.format.read_array_header_1_0(file)
    if transposed:
        raise ValueError("an array in Fortran's order")
    return file.tell(), shape, dtype
