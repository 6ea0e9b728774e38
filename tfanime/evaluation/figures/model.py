"""What a model draws: when only its noise changes, only its labels, or both step by step."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np

from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.core.seeds import latents, lerp, sample_labels, slerp
from tfanime.evaluation.figures.drawing import SIDE, conditional, save_sheet
from tfanime.sampling.generate import loaded
from tfanime.sampling.sampler import Sampler


def fixed_noise(run, out: str | os.PathLike, n: int = SIDE**2, seed: int = 0) -> None:
    """One latent vector, `n` random sets of attributes: what the labels decide.

    Figure 8 of MakeGirlsMoe (Jin et al. 2017).

    Args:
        run: a run or saved model with labels, or a loaded generator.
        out: the image file.
    """
    generator = conditional(run)
    z = np.repeat(seeds.latents(seed, 1, generator.latent_dim), n, axis=0)
    labels = seeds.sample_labels(seed, n, generator.schema)
    save_sheet(out, Sampler(generator).decode(z, labels=labels))


def fixed_attributes(
    run,
    out: str | os.PathLike,
    tags: Mapping[str, object] | None = None,
    n: int = SIDE**2,
    seed: int = 0,
) -> None:
    """One set of attributes, `n` latent vectors: what the noise decides.

    Figure 9 of MakeGirlsMoe (Jin et al. 2017).

    Args:
        tags: attributes; those left out are the ones of the seed's first image.
    """
    generator = conditional(run)
    z = seeds.latents(seed, n, generator.latent_dim)
    labels = seeds.sample_labels(seed, 1, generator.schema, tags)
    save_sheet(out, Sampler(generator).decode(z, labels=np.repeat(labels, n, axis=0)))


def interpolation(
    run, out: str | os.PathLike, side: int = SIDE, seeds: Sequence[int] = (0, 1, 2, 3)
) -> None:
    """`side` x `side` images between four corners: latents along arcs, labels in straight lines.

    As figure 15 of MakeGirlsMoe (Jin et al. 2017), whose rows lie between two images each.

    Args:
        seeds: of the corners: top left, top right, bottom left, bottom right.
    """
    if len(seeds) != 4 or side < 2:
        raise ValueError(
            f"A grid has four corners and at least 2 x 2 images. Received: {len(seeds)} seeds, "
            f"{side} x {side}."
        )
    generator = loaded(run)
    corners = [latents(seed, 1, generator.latent_dim)[0] for seed in seeds]
    z = _square(corners, side, slerp)
    signed = None
    if generator.schema is not None:
        rows = [sample_labels(seed, 1, generator.schema)[0] for seed in seeds]
        # In the network's coding, as `interpolate` goes.
        signed = _square([to_signed(row) for row in rows], side, lerp)
    save_sheet(out, Sampler(generator).decode(z, signed), side)


def _square(corners: Sequence[np.ndarray], side: int, step) -> np.ndarray:
    """`(side * side, dim)`: along the left and right edges, then across."""
    t = np.linspace(0, 1, side)
    left, right = step(corners[0], corners[2], t), step(corners[1], corners[3], t)
    return np.concatenate([step(a, b, t) for a, b in zip(left, right, strict=True)])
