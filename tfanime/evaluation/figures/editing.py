"""What a model's stored directions change in one face."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from tfanime.core import seeds
from tfanime.core.images import save_image
from tfanime.editing.character_sheet import captioned
from tfanime.sampling.generate import loaded
from tfanime.sampling.moves import directions_of, moved
from tfanime.sampling.sampler import Sampler

STEPS = (-6.0, -3.0, 0.0, 3.0, 6.0)  # standard deviations of the latents
MOST = 12  # directions that are drawn if none are named


def directions(
    run,
    out: str | os.PathLike,
    names: Sequence[str] | None = None,
    seed: int = 0,
    truncation: float = 1.0,
) -> None:
    """One face, moved along directions: a row each, from -6 to 6 standard deviations.

    Args:
        run: a run or saved model with directions (`tfanime directions`), or a loaded generator.
        out: the image file.
        names: of directions; None: the first four of each kind.
        seed: of the face, its first image.
        truncation: 0 to 2, of the face.
    """
    generator = loaded(run)
    sampler, names = Sampler(generator), list(names or _first(directions_of(generator)))
    z = seeds.truncate(sampler.latents(seed, 1), truncation)
    latents = [moved(generator, z, {name: step}) for name in names for step in STEPS]
    labels = sampler.labels(seed, 1)
    rows = None if labels is None else np.repeat(labels, len(latents), axis=0)
    images = sampler.decode(np.concatenate(latents), labels=rows)
    columns = [f"{step:+g}" if step else "0" for step in STEPS]
    save_image(out, captioned(images, columns, names))


def _first(directions) -> list[str]:
    """The first few of each kind, in the order of the file."""
    kinds = {one.kind for one in directions.values()}
    most = MOST // len(kinds)
    return [
        name
        for name, one in directions.items()
        if [other for other, x in directions.items() if x.kind == one.kind].index(name) < most
    ]
