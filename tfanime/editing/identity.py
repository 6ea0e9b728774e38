"""Whether a face stays the same when its labels change, by the features of a frozen network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfanime.editing.character_sheet import character_sheet
from tfanime.metrics.extractor import Extractor
from tfanime.metrics.features import extract, load_extractor
from tfanime.sampling.generate import loaded
from tfanime.zoo.saved import Generator


@dataclass(frozen=True)
class Identity:
    """How alike the images of one face are, among those of others with the same labels.

    Args:
        same: mean cosine distance, 0 to 2, of a face's images from its first one.
        others: of images with the same labels from the first ones of other faces.
        told: share of the images, 0 to 1, whose nearest first one is that of their own face.
        faces, pictures: how many; by chance `told` is 1 / `faces`.
    """

    same: float
    others: float
    told: float
    faces: int
    pictures: int


def identity(
    run: str | os.PathLike | Generator,
    seeds: Sequence[int],
    vary: Sequence[str],
    tags: dict[str, object] | None = None,
    extractor: str | Extractor = "tagger",
) -> Identity:
    """Measures character sheets: is the same face on all of one?

    Args:
        run: a run folder, the name of a model that ships, or a loaded generator.
        seeds: two or more, a face each.
        vary, tags: as in `character_sheet`; fix all other labels, or these tell faces apart too.
        extractor: as in `tfanime.metrics.features.load_extractor`.

    Raises:
        ValueError: for fewer than two seeds, and as `character_sheet`.
    """
    if len(seeds) < 2:
        raise ValueError(f"Faces are told apart where there are two. Received: {list(seeds)!r}.")
    generator = loaded(run)
    network = extractor if isinstance(extractor, Extractor) else load_extractor(extractor)
    sheets = [character_sheet(generator, seed, vary, tags, upscale="none").images for seed in seeds]
    cells = len(sheets[0])
    features = np.asarray(extract(np.concatenate(sheets), network), np.float64)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    features = features.reshape(len(seeds), cells, -1)
    # Face, cell, and the face whose first image it is compared with.
    distances = 1 - np.einsum("scf,tf->sct", features[:, 1:], features[:, 0])
    own = np.eye(len(seeds), dtype=bool)[:, None].repeat(cells - 1, axis=1)
    hits = distances.argmin(axis=2) == np.arange(len(seeds))[:, None]
    return Identity(
        same=float(distances[own].mean()),
        others=float(distances[~own].mean()),
        told=float(hits.mean()),
        faces=len(seeds),
        pictures=int(hits.size),
    )
