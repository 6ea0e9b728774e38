"""`find_directions`: where in a model's latent space attributes, and images, change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from tfanime.core import seeds
from tfanime.core.labels import LabelSchema
from tfanime.editing.attributes import HELD_OUT, logits_of, orthogonal, regress
from tfanime.editing.latent_map import (
    early_features,
    feature_pca,
    first_map,
    sefa,
    without_labels,
)
from tfanime.editing.measure import STEP, measured
from tfanime.sampling.generate import loaded
from tfanime.sampling.sampler import Sampler
from tfanime.tagging import Tagger, load_tagger
from tfanime.zoo.directions import Direction, store_directions, weights_digest
from tfanime.zoo.saved import Generator

DRAWS, MEASURED, COUNT = 3000, 48, 8
FEATURE_DRAWS = 1024  # of PCA: its matrix has as many rows and columns
FIT, ERRORS = 0.15, 3.0  # the least correlation of an attribute with a direction; standard errors
SEED = 0
LEAST_DRAWS = 400


def find_directions(
    run: str | os.PathLike | Generator,
    n: int = DRAWS,
    sefa: int = COUNT,
    pca: int = COUNT,
    tagger: str | os.PathLike | Tagger | None = None,
    n_measured: int = MEASURED,
    seed: int = SEED,
    store: bool = True,
    progress: bool = False,
) -> list[Direction]:
    """Finds directions in the latent space of a model, measures and stores them.

    Three kinds, all of length 1, so that a step of 1 is one standard deviation of the latents:

    * the tagger's attributes, by regression of its logits on latents and labels of `n` drawn
      images (InterFaceGAN, Shen et al. 2020, https://arxiv.org/abs/1907.10786). Those that the
      model takes as labels are held: each direction is orthogonal to theirs, its own excepted.
      Those that were measured not to bring their attribute about are left out.
    * `sefa-1`, ...: what changes the first layer most (SeFa, Shen and Zhou 2021,
      https://arxiv.org/abs/2007.06600);
    * `pca-1`, ...: principal components of early features, less what labels explain (GANSpace,
      Härkönen et al. 2020, https://arxiv.org/abs/2004.02546).

    Args:
        run: a run folder, the name of a model that ships, or, without `store`, a loaded generator.
        n: images to draw, at least 400; 3,000 and what follows take some minutes.
        sefa, pca: how many of these kinds, 0 to the length of the latents.
        tagger: as in `tfanime.tagging.load_tagger`: None for the one that ships.
        n_measured: images that each direction is measured on, at least 2, of another seed.
        seed: of the draws; the next one is that of the images measured on.
        store: write `directions.json` into the model's folder, for `generate(move=...)`.
        progress: show progress bars.

    Returns:
        The directions: the attributes that were found by falling `fit`, then the others.

    Raises:
        ValueError: for a number out of range, or `store` without a folder.

    Example:
        >>> find_directions("runs/girls")[0].name  # doctest: +SKIP
        'smile'
    """
    _check(n, sefa, pca, n_measured)
    generator = loaded(run)
    folder = getattr(generator, "folder", None)
    if store and not isinstance(folder, Path):
        raise ValueError("store needs the folder of the model. Received: a loaded generator.")
    # A training may replace the weights in the meantime.
    weights = weights_digest(folder) if store and folder is not None else None
    if max(sefa, pca) > generator.latent_dim:
        raise ValueError(
            f"sefa and pca are at most the length of the latents, {generator.latent_dim}. "
            f"Received: {max(sefa, pca)}."
        )
    tagger = tagger if isinstance(tagger, Tagger) else load_tagger(tagger)
    sampler = Sampler(generator)
    latents, signed = _inputs(sampler, seed, n)
    stretches = sampler.stretches(latents, signed, progress)
    probabilities = np.concatenate([tagger.probabilities(images) for images in stretches])
    directions = _attributes(generator.schema, tagger.schema, latents, signed, probabilities)
    directions += _of_weights(generator, sefa)
    directions += _of_features(generator, latents[:FEATURE_DRAWS], signed, pca)
    more = _inputs(sampler, (seed + 1) % seeds.SEEDS, n_measured)
    directions = measured(generator, directions, tagger, *more, progress=progress)
    of_tagger = [one for one in directions if one.kind == "tagger"]
    idle = [one.name for one in of_tagger if one.changes.get(one.name, 0) <= 0]
    directions = [one for one in directions if one.name not in idle]
    if store and folder is not None:
        how: dict[str, object] = {
            "images": n,
            "seed": seed,
            "measured on": n_measured,
            "steps": STEP,
        }
        how |= {"tagger": tagger.name, "without effect": idle}
        store_directions(folder, directions, how, weights)
    return directions


def _check(n: Any, sefa: Any, pca: Any, n_measured: Any) -> None:
    least = {"n": (n, LEAST_DRAWS), "sefa": (sefa, 0), "pca": (pca, 0)}
    for name, (value, low) in (least | {"n_measured": (n_measured, 2)}).items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < low:
            raise ValueError(f"{name} is a whole number, at least {low}. Received: {value!r}.")
    if pca >= min(n, FEATURE_DRAWS):
        raise ValueError(f"pca is less than {min(n, FEATURE_DRAWS)}, the draws. Received: {pca}.")


def _inputs(sampler: Sampler, seed: int, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    inputs = sampler.inputs(seed, n)
    return inputs[0], inputs[1] if len(inputs) == 2 else None


def _attributes(
    schema: LabelSchema | None,
    tagger_schema: LabelSchema,
    latents: np.ndarray,
    signed: np.ndarray | None,
    probabilities: np.ndarray,
) -> list[Direction]:
    """Of the tagger's flags, and of its groups' values where the model has no such label."""
    gradients, fits = regress(latents, signed, logits_of(probabilities))
    least = max(FIT, ERRORS / np.sqrt(len(latents) / HELD_OUT))
    labels = () if schema is None else schema.columns
    flags = {field.name for field in tagger_schema.fields if field.kind == "flag"}
    columns = tagger_schema.columns
    indices = [i for i, name in enumerate(columns) if name in labels and fits[i] >= least]
    directions = []
    for i, name in enumerate(columns):
        if fits[i] < least or (name in labels and name not in flags):
            continue
        others = gradients[[j for j in indices if j != i]]
        vector = orthogonal(gradients[i], others).astype(np.float32)
        directions.append(Direction(name, "tagger", vector, fit=float(fits[i])))
    return sorted(directions, key=lambda one: -(one.fit or 0))


def _of_weights(generator: Generator, count: int) -> list[Direction]:
    if not count:
        return []
    vectors = sefa(first_map(generator), count)
    return [Direction(f"sefa-{i}", "sefa", v.astype(np.float32)) for i, v in enumerate(vectors, 1)]


def _of_features(
    generator: Generator, latents: np.ndarray, signed: np.ndarray | None, count: int
) -> list[Direction]:
    if not count:
        return []
    rows = None if signed is None else signed[: len(latents)]
    features = without_labels(early_features(generator, latents, rows), rows)
    vectors = feature_pca(features, latents, count)
    return [Direction(f"pca-{i}", "pca", v.astype(np.float32)) for i, v in enumerate(vectors, 1)]
