"""What a drawing gives back, and the folder that it fills."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.core import animation
from tfanime.core import images as pictures
from tfanime.core.files import read_json, remove_left_over, write_json
from tfanime.core.labels import LabelSchema
from tfanime.core.notebook import MOST, Pictures

SHEETS = pictures.SHEETS
INDEX = "generated.json"
WAITING = 16  # images that wait to be written, at most


@dataclass(frozen=True, eq=False, repr=False)
class Generated(Pictures):
    """Images and what they were drawn from. In a notebook they show themselves.

    Args:
        images: `(n, H, W, 3)` uint8.
        latents: `(n, dim)` float32, truncation applied.
        labels: `(n, L)` float32, 0/1 coding; None for a model without labels. Between two key
            images of a transition they lie between 0 and 1.
        schema: what the columns of `labels` mean, or None.
        seed: None for a transition, and for faces that come from a file.
        indices: `(n,)` int64, the index of each image; None where there is no seed.
    """

    images: np.ndarray
    latents: np.ndarray
    labels: np.ndarray | None
    schema: LabelSchema | None
    seed: int | None = None
    indices: np.ndarray | None = None

    @property
    def tags(self) -> list[dict[str, object]]:
        """The labels in words, one dictionary per image."""
        if self.labels is None or self.schema is None:
            return [{} for _ in self.images]
        return [self.schema.decode(row) for row in self.labels]

    def __repr__(self) -> str:
        count, height, width = self.images.shape[:3]
        seed = "without a seed"
        if self.indices is not None:
            seed = f"seed {self.seed}, {self.indices[0]} to {self.indices[-1]}"
        return f"<Generated: {count} images of {width}x{height}, {seed}>"

    def __len__(self) -> int:
        return len(self.images)

    def _few(self) -> np.ndarray:
        return self.images[:MOST]

    def save(self, path: str | os.PathLike, columns: int | None = None) -> None:
        """Writes them: a sheet (.png, .jpg, .webp), an animation (.gif, .mp4), or, without an
        ending, a folder with a PNG each.

        Args:
            path: the file or folder.
            columns: of a sheet, images a row.
        """
        ending = Path(path).suffix.lower()
        if ending in SHEETS:
            pictures.save_grid(path, self.images, columns)
        elif ending:
            animation.save_animation(path, self.images)
        else:
            indices = range(len(self.images)) if self.indices is None else self.indices
            for i, image in zip(indices, self.images, strict=True):
                seed = "" if self.seed is None else f"seed{self.seed}_"
                pictures.save_image(Path(path) / f"{seed}{i:06d}.png", image)


class ImageFolder:
    """A folder of PNG files, and `generated.json` which says what each of them is.

    Images of other seeds that are already there stay, with their entries. A thread packs and writes
    an image while the next one is drawn; if it fails, `add` or `write_index` says so.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if self.path.is_file() or self.path.suffix.lower() in SHEETS:
            raise ValueError(
                "out is a folder, one file per image. "
                f"Received: {os.fspath(path)!r}. For one sheet use grid."
            )
        self.entries: dict[str, dict] = {}  # of what is added
        self.tuned: dict[str, object] = {}  # how all that is added was tuned, if it was
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future] = deque()
        remove_left_over(self.path)
        self._listed()  # before anything is drawn

    def _listed(self) -> dict[str, dict]:
        """The entries of the folder's index as it is now."""
        index = self.path / INDEX
        if not index.exists():
            return {}
        try:
            return dict(read_json(index)["pictures"])
        except (TypeError, KeyError, ValueError):
            raise ValueError(
                f"{INDEX} in the folder out lists its images; this one is not readable. "
                f"Received: {str(index)!r}. Choose another folder, or remove the file."
            ) from None

    def add(
        self,
        image: np.ndarray,
        seed: int | None,
        index: int,
        truncation: float,
        tags: dict,
        typical: bool = False,
    ) -> None:
        name = f"{'face' if seed is None else f'seed{seed}'}_{index:06d}.png"
        entry = {"seed": seed, "index": index, "truncation": truncation, "tags": tags, **self.tuned}
        if typical:
            entry["typical"] = True
        self._waiting.append(self._thread.submit(self._write, name, image, entry))
        if len(self._waiting) > WAITING:
            self._waiting.popleft().result()

    def _write(self, name: str, image: np.ndarray, entry: dict) -> None:
        pictures.save_image(self.path / name, image)
        self.entries[name] = entry

    def write_index(self) -> None:
        """Also after an interruption: what is there is then listed."""
        wait(self._waiting)
        if self.entries:
            # Read anew, since another process may have drawn other seeds into the folder.
            write_json(self.path / INDEX, {"pictures": {**self._listed(), **self.entries}})
        while self._waiting:
            self._waiting.popleft().result()
