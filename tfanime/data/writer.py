"""Writing the files of a packed set, whose format the documentation (Data) describes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from tfanime.core.files import read_json, save_array, write_json
from tfanime.core.labels import LabelSchema

FORMAT = "tfanime packed pictures"
VERSION = 1
SHARD_BYTES = 256 * 2**20


class Writer:
    """Writes the files of a packed set into an existing folder.

    Args:
        folder: where.
        height, width: of every image.
    """

    def __init__(self, folder: Path, height: int, width: int):
        self.folder, self.height, self.width = folder, height, width
        per_shard = max(1, SHARD_BYTES // (height * width * 3))
        self._shard = np.empty((per_shard, height, width, 3), np.uint8)
        self._filled = 0
        self._shards: list[dict] = []
        self._digest = hashlib.sha256()

    def add(self, picture: np.ndarray) -> None:
        """Appends one `(height, width, 3)` uint8 image."""
        self._shard[self._filled] = picture
        self._filled += 1
        if self._filled == len(self._shard):
            self._flush()

    def finish(self, labels: np.ndarray | None, schema: LabelSchema | None, **notes) -> None:
        """Writes labels `(n, schema.size)` float32 and the manifest, with `notes` added."""
        self._flush()
        count = sum(shard["count"] for shard in self._shards)
        manifest = {"format": FORMAT, "version": VERSION, "count": count}
        manifest |= {"height": self.height, "width": self.width, "shards": self._shards}
        manifest["labels"] = None
        if labels is not None and schema is not None:
            save_array(self.folder / "labels.npy", labels.astype("<f4"))
            manifest["labels"] = schema.with_frequencies(labels).to_json()
        manifest["sha256"] = finish_digest(self._digest, count, self.height, self.width, labels)
        write_json(self.folder / "dataset.json", manifest | notes)

    def _flush(self) -> None:
        if self._filled:
            name = f"images-{len(self._shards):05d}.npy"
            save_array(self.folder / name, self._shard[: self._filled])
            self._digest.update(self._shard[: self._filled])
            self._shards.append({"file": name, "count": self._filled})
            self._filled = 0


def is_packed(folder: str | os.PathLike) -> bool:
    """Whether a folder is a packed set, be it damaged: it has a `dataset.json` that is not that
    of a StyleGAN set."""
    path = Path(folder) / "dataset.json"
    if not path.is_file():
        return False
    try:
        manifest = read_json(path)
    except (OSError, ValueError, RecursionError):
        return True
    return not (isinstance(manifest, dict) and "labels" in manifest and "format" not in manifest)


def finish_digest(digest, count: int, height: int, width: int, labels: np.ndarray | None) -> str:
    """The SHA-256 of a set: image bytes in stored order, label bytes (little-endian float32),
    then the text `"COUNT HEIGHT WIDTH"`."""
    if labels is not None:
        digest.update(np.ascontiguousarray(labels, "<f4"))
    digest.update(f"{count} {height} {width}".encode())
    return digest.hexdigest()
