"""Vectors kept by the hash of their text, so that no text is embedded twice."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from tfanime.core.cache import cache_folder, writing

ASKED_AT_ONCE = 500  # SQLite takes 999 arguments at most


class VectorCache:
    """A file of vectors of one encoder.

    SQLite writes whole transactions: what a killed process had put in stays in, and several
    processes may share the file.

    Args:
        identity: of the encoder (`TextEncoder.identity`); every other one has its own file.
        folder: default `text/vectors` in the cache of tfanime.
    """

    def __init__(self, identity: str, folder: str | os.PathLike | None = None):
        folder = Path(folder) if folder else cache_folder() / "text" / "vectors"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.sqlite"
        with self._open() as file:
            file.execute("CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB)")
            file.commit()

    def get(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Those that are known: text to float32 vector."""
        by_key = {_key(text): text for text in texts}
        keys, vectors = list(by_key), {}
        with self._open() as file:
            for start in range(0, len(keys), ASKED_AT_ONCE):
                part = keys[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT text, vector FROM vectors WHERE text IN ({marks})"
                for key, vector in file.execute(query, part):
                    vectors[by_key[key]] = np.frombuffer(vector, "<f4")
        return vectors

    def put(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Keeps vectors, all of them or none."""
        rows = [(_key(text), np.asarray(x, "<f4").tobytes()) for text, x in vectors.items()]
        with self._open() as file:
            file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            file.commit()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with writing(self.path.parent), closing(sqlite3.connect(self.path, timeout=60)) as file:
            yield file


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
