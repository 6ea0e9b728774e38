"""The images of a packed set: in memory, memory-mapped, or in object storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np


class Shards:
    """Images in arrays `(n, height, width, 3)` uint8, in memory or memory-mapped; one after the
    other they are the set.

    Attributes:
        count, height, width: of the images.
    """

    def __init__(self, arrays: Sequence[np.ndarray]):
        self._arrays = list(arrays)
        self._ends = np.cumsum([len(array) for array in arrays])
        self.count = int(self._ends[-1])
        self.height, self.width = (int(n) for n in arrays[0].shape[1:3])

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Images by stored position `(k,)`: `(k, height, width, 3)` uint8, a copy."""
        if len(self._arrays) == 1:
            return np.asarray(self._arrays[0][rows])
        out = np.empty((len(rows), self.height, self.width, 3), np.uint8)
        shard_of = np.searchsorted(self._ends, rows, side="right")
        for i in np.unique(shard_of):
            here, start = shard_of == i, self._ends[i] - len(self._arrays[i])
            out[here] = self._arrays[i][rows[here] - start]
        return out

    def stream(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """`read` of one batch of positions after the other."""
        return map(self.read, batches)
