"""What a step along a direction changes in an image, and what stays, as a tagger sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfanime.core.bars import progress_bar
from tfanime.sampling.sampler import Sampler
from tfanime.tagging import Tagger
from tfanime.zoo.directions import Direction
from tfanime.zoo.saved import Generator

STEP = 6.0  # standard deviations to either side
SURE = 3.0  # standard errors from which a change counts: of so many columns, two would be chance
LEAST = 0.002  # of a probability, a step: below, it changes nothing that shows


def measured(
    generator: Generator,
    directions: Sequence[Direction],
    tagger: Tagger,
    latents: np.ndarray,
    signed: np.ndarray | None,
    progress: bool = False,
) -> list[Direction]:
    """The directions with `changes` and `stays`.

    Args:
        generator: a loaded one.
        directions: to measure.
        tagger: that reads the images.
        latents: `(n, latent_dim)` float32, n at least 2, and none that directions were sought on.
        signed: `(n, L)` float32 labels of theirs, -1/+1 coding, or None.
        progress: show a progress bar.
    """
    sampler, columns = Sampler(generator), tagger.schema.columns
    before = tagger.labels(sampler.decode(latents, signed))
    result = []
    for one in progress_bar(directions, unit="direction", disable=not progress):
        ends = []
        for step in (STEP, -STEP):
            images = sampler.decode((latents + step * one.vector).astype(np.float32), signed)
            ends.append(tagger.probabilities(images))
        slopes = (ends[0] - ends[1]) / (2 * STEP)
        mean = slopes.mean(axis=0)
        error = slopes.std(axis=0, ddof=1) / np.sqrt(len(slopes))
        sure = [i for i in np.argsort(-np.abs(mean)) if abs(mean[i]) > max(SURE * error[i], LEAST)]
        changes = {columns[i]: float(mean[i]) for i in sure}
        stays = np.mean([_alike(before, end, tagger) for end in ends])
        result.append(dataclasses.replace(one, changes=changes, stays=float(stays)))
    return result


def _alike(before: np.ndarray, probabilities: np.ndarray, tagger: Tagger) -> float:
    """Share of the attributes, a field each, that are read alike."""
    from tfanime.tagging import decide

    after = decide(probabilities, tagger.schema, tagger.threshold)
    fields = tagger.schema.slices().values()
    return float(np.mean([(before[:, f] == after[:, f]).all(axis=1).mean() for f in fields]))
