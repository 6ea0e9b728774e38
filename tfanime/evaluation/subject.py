"""What is judged: a run or saved model, a folder of images, or a packed set."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tfanime import zoo
from tfanime.core.decode import read_image
from tfanime.core.images import fit
from tfanime.core.labels import LabelSchema
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.sampling.generate import generate, loaded
from tfanime.sampling.upscale import NONE
from tfanime.training.checkpoint import checkpoints, generator_weights
from tfanime.zoo.saved import DESCRIPTION

CHUNK = 256  # images drawn at once
WEIGHTS = {"ema": "average", "raw": "raw"}
CACHED = re.compile(r"-\d+x\d+-[0-9a-f]{16}$")
ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".avif"}


class Subject:
    """Images to be judged.

    Attributes:
        schema: of the labels that come with the images, or None.
        described: for the report, JSON-ready.
        conditional: whether images can be asked for by tags.
        most: how many images there are; None without a limit.
        run: the folder of the run or saved model that draws the images, where it is known.
    """

    schema: LabelSchema | None = None
    described: Mapping[str, object]
    conditional = False
    most: int | None = None
    run: Path | None = None

    def chunks(
        self, n: int, seed: int, rows: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """`n` images `(k, H, W, 3)` uint8 with their labels `(k, L)` or None, in parts.

        Args:
            rows: `(n, L)`, for a generator with labels: what to draw, NaN where it is left to
                chance. Default: all of it.
        """
        raise NotImplementedError


class Generator(Subject):
    """A trained generator: draws as many images as are wanted.

    Args:
        run: a run folder, or what `load_generator` returns.
        weights: `"ema"`, the averaged ones, or `"raw"`, those of the newest checkpoint itself.
    """

    def __init__(self, run, weights: str = "ema"):
        in_memory = hasattr(run, "latent_dim")
        self.generator = loaded(run)
        if weights == "raw":
            self.generator.model.set_weights(generator_weights(checkpoints(run)[-1]))
        self.schema = self.generator.schema
        self.conditional = self.schema is not None
        self.described = {
            "kind": "generator",
            "name": self.generator.name,
            "weights": WEIGHTS[weights],
        }
        if not in_memory:
            self.run = Path(run)
            self.described = {**self.described, "path": Path(run).name, **_checkpoint(Path(run))}

    def chunks(
        self, n: int, seed: int, rows: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        for first in range(0, n, CHUNK):
            some = None if rows is None else rows[first : min(first + CHUNK, n)]
            count = min(CHUNK, n - first)
            settings = {"labels": some, "upscale": NONE, "choose": False}
            result = generate(self.generator, count, seed, first=first, **settings)
            yield result.images, result.labels

    def asked(self, tags: Mapping[str, object], n: int, seed: int) -> np.ndarray:
        """`n` images `(n, H, W, 3)` uint8 that are asked to have these tags."""
        return generate(self.generator, n, seed, tags=tags, upscale=NONE, choose=False).images


class Folder(Subject):
    """Image files, whatever made them; brought to the size of the real ones."""

    def __init__(self, path: Path, height: int, width: int):
        self.shape = height, width
        self.files = sorted(f for f in path.rglob("*") if f.suffix.lower() in ENDINGS)
        self.most = len(self.files)
        if not self.files:
            raise ValueError(
                "A run, a packed set or a folder of images (.png, .jpg, .webp) can be evaluated. "
                f"Received: {str(path)!r}, which is none of them."
            )
        self.described = {"kind": "folder", "name": path.name, "pictures": len(self.files)}

    def chunks(
        self, n: int, seed: int, rows: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        order = np.random.default_rng(seed).permutation(len(self.files))[:n]
        for start in range(0, len(order), CHUNK):
            files = (self.files[i] for i in order[start : start + CHUNK])
            yield np.stack([np.asarray(fit(read_image(f), *self.shape)) for f in files]), None


class Packed(Subject):
    """A dataset, to be compared with another one."""

    def __init__(self, dataset: PackedDataset):
        self.dataset, self.schema, self.most = dataset, dataset.schema, len(dataset)
        self.described = {"kind": "pictures", "name": name_of(dataset), "pictures": len(dataset)}

    def chunks(
        self, n: int, seed: int, rows: np.ndarray | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        order = np.random.default_rng(seed).permutation(len(self.dataset))[:n]
        for start in range(0, len(order), CHUNK):
            rows = order[start : start + CHUNK]
            labels = self.dataset.labels(rows) if self.schema else None
            yield self.dataset.images(rows), labels


def name_of(dataset: PackedDataset) -> str:
    """What a set is called: the cache adds size and hash to the name of what it was packed from."""
    return CACHED.sub("", dataset.path.name) if dataset.path else "in memory"


def open_subject(subject, height: int, width: int, weights: str = "ema") -> Subject:
    """The subject that a path or an object stands for.

    Args:
        subject: a run folder or saved model, a loaded generator, a dataset, a packed folder, or a
            folder of images.
        height, width: of the real images; others cannot be compared with them.
        weights: of a run: `"ema"` or `"raw"`.

    Raises:
        ValueError: for anything else, images of another size, or raw weights that are not there.
    """
    if weights not in WEIGHTS:
        raise ValueError(f"weights are one of {', '.join(WEIGHTS)}. Received: {weights!r}.")
    if weights == "raw" and not _is_run(subject):
        raise ValueError(
            "Raw weights are in the checkpoints of a run folder. "
            f"Received: {str(subject)[:80]!r}, which has none. Leave weights out."
        )
    if not isinstance(subject, (str, os.PathLike)):
        opened = Packed(subject) if isinstance(subject, PackedDataset) else Generator(subject)
    else:
        path = zoo.locate(subject)
        if (path / DESCRIPTION).is_file():
            opened = Generator(path, weights)
        elif is_packed(path):
            opened = Packed(PackedDataset.open(path))
        elif path.is_dir():
            opened = Folder(path, height, width)
        else:
            raise ValueError(
                "A run, a packed set or a folder of images can be evaluated. "
                f"Received: {str(path)!r}, which is no folder."
            )
    own = getattr(opened, "generator", None) or getattr(opened, "dataset", None)
    if own is not None and (own.height, own.width) != (height, width):
        raise ValueError(
            f"The real images are {width}x{height}; {opened.described['name']!r} makes "
            f"{own.width}x{own.height}. Pack the real ones with --size {own.width}x{own.height}."
        )
    return opened


def _checkpoint(run: Path) -> dict[str, object]:
    """The newest checkpoint of a run, if it keeps any."""
    folders = checkpoints(run)
    if not folders:
        return {}
    return {"checkpoint": folders[-1].name, "step": int(folders[-1].name.removeprefix("step-"))}


def _is_run(subject) -> bool:
    if not isinstance(subject, (str, os.PathLike)):
        return False
    return (Path(subject) / DESCRIPTION).is_file() and bool(checkpoints(subject))
