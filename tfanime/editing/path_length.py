"""Perceptual path length: how fast images change on the way from one latent to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tfanime.core import seeds
from tfanime.editing.distance import feature_network, features_of, mean_squares
from tfanime.editing.mix import Mixer
from tfanime.models.mixing import style_sizes
from tfanime.sampling.sampler import Sampler

if TYPE_CHECKING:
    from tfanime.zoo.saved import Generator

STEP = 0.01  # of the way: float32 images of a smaller one differ by little more than rounding


def path_length(
    generator: Generator,
    n: int = 256,
    styles: bool = False,
    features: str = "tagger",
    step: float = STEP,
    seed: int = 0,
) -> float:
    """Mean over random places of random arcs between two latents of

        d(G(at t), G(at t + step)) / step^2

    where labels stay, and d is the mean squared difference of a frozen network's maps, about the
    squared distance as people see it. Smaller is smoother: no part of an arc changes much more than
    the others. ([Karras et al., 2019](https://arxiv.org/abs/1812.04948), section 4.1)

    Args:
        generator: a loaded one.
        n: arcs, at least 1.
        styles: the latents of the styles alone go along the arc; the first map stays. For a
            generator with styles.
        features: `"tagger"` or `"lite0"`, see `distance.feature_network`.
        step: part of the way, above 0.
        seed: of the arcs and the places.

    Raises:
        ValueError: for `styles` with a generator without.
    """
    sizes = style_sizes(generator.model)
    if styles and not sizes:
        raise ValueError(
            f"The path length of styles needs a generator with styles. Received: "
            f"{generator.name!r}, which has none. Leave out styles=True."
        )
    sampler = Sampler(generator)
    labels = sampler.labels(seed, n)
    fixed, *ends = (sampler.latents(seed, n, first) for first in (0, n, 2 * n))
    places = np.random.default_rng(seed).uniform(0, 1 - step, n)
    network = feature_network(features, generator.height, generator.width)
    maps = []
    for t in (places, places + step):
        on = [seeds.slerp(a, b, [x])[0] for a, b, x in zip(*ends, t, strict=True)]
        drawer, z, rows = sampler, np.stack(on).astype(np.float32), labels
        if styles:
            drawer = Sampler(Mixer(generator, min(sizes.values())))
            z = np.concatenate([fixed, z], axis=1)
            rows = None if labels is None else np.tile(labels, 2)
        maps.append(features_of(network, drawer.values(z, labels=rows)))
    return float(np.mean(np.asarray(mean_squares(*maps)) / step**2))
