"""Choosing: of a seed's images, those that are whole.

What a seed and an index draw stays what it is (`tfanime.core.seeds`). Of the endless sequence of a
seed's images the broken ones are passed over, as a small network beside the model's weights tells
them (`tfanime.zoo.chooser`): rejection sampling, as by the discriminator in Azadi et al. 2019
(https://arxiv.org/abs/1810.06758), with a network that learnt from what people judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

import numpy as np

from tfanime.core.bars import progress_bar
from tfanime.core.labels import to_signed
from tfanime.sampling.sampler import CHUNK, Sampler
from tfanime.zoo.chooser import RUN_OF, Chooser

Image = TypeVar("Image")


def chosen(
    sampler: Sampler,
    chooser: Chooser,
    seed: int,
    n: int,
    tags: Mapping[str, object] | None,
    first: int,
    latents: Callable[[int, int], np.ndarray],
    progress: bool = False,
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields index and image of the first `n` that are shown, in the order of their indices.

    Which images are shown does not depend on `n`.

    Args:
        sampler, seed, tags: draw the images.
        first: the index from which on images are looked at.
        latents: from an index and a count to the latents `(count, latent_dim)` of these images.

    Yields:
        Index, and image `(H, W, 3)` float32 in [-1, 1].
    """

    def scored() -> Iterator[tuple[float, int, np.ndarray]]:
        start = first
        while True:
            count = CHUNK - start % CHUNK
            labels = sampler.labels(seed, count, tags, start)
            signed = None if labels is None else to_signed(labels)
            [(_, images)] = sampler.parts(latents(start, count), signed, start)
            # As many rows as ever, each image in its place: a score is the same to the last bit.
            padded = np.pad(images, ((CHUNK - count, 0), (0, 0), (0, 0), (0, 0)), "edge")
            scores = chooser(padded)[CHUNK - count :].tolist()
            yield from zip(scores, range(start, start + count), images, strict=True)
            start += count

    with progress_bar(total=n, unit=" images", disable=not progress) as bar:
        for found in islice(let_pass(scored(), chooser.border), n):
            yield found
            bar.update(1)


def let_pass(
    scored: Iterable[tuple[float, int, Image]], border: float
) -> Iterator[tuple[int, Image]]:
    """Yields index and image of those that are shown.

    An image is shown if its score is not above the border. Of `RUN_OF` rejected ones in a row
    the one of the lowest score is shown, so that the search ends; it goes on behind each image that
    is shown. No image is asked for before it is needed.

    Args:
        scored: score, index and image, in the order of the indices.
        border: the score above which an image is rejected.
    """
    rejected: list[tuple[float, int, Image]] = []
    for score, index, image in scored:
        rejected.append((score, index, image))
        if score > border and len(rejected) < RUN_OF:
            continue
        _, index, image = min(rejected, key=lambda one: one[0])
        rejected = [one for one in rejected if one[1] > index]
        yield index, image
