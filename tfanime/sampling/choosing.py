"""Choosing: of a seed's images, those that are whole.

What a seed and an index draw stays what it is (`tfanime.core.seeds`). Of the endless sequence of a
seed's images the broken ones are passed over, as a small network beside the model's weights tells
them (`tfanime.zoo.chooser`): rejection sampling, as by the discriminator in Azadi et al. 2019
(https://arxiv.org/abs/1810.06758), with a network that learnt from what people judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tfanime.core.bars import progress_bar
from tfanime.core.labels import to_signed
from tfanime.sampling.sampler import CHUNK, Sampler
from tfanime.zoo.chooser import RUN_OF, Chooser


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

    An image is shown if its score is not above the border. Of `RUN_OF` rejected ones in a row
    the one of the lowest score is shown, so that the search ends; it goes on behind each image that
    is shown. Which images are shown does not depend on `n`.

    Args:
        sampler, seed, tags: draw the images.
        first: the index from which on images are looked at.
        latents: from an index and a count to the latents `(count, latent_dim)` of these images.

    Yields:
        Index, and image `(H, W, 3)` float32 in [-1, 1].
    """
    shown, rejected = 0, []
    with progress_bar(total=n, unit=" images", disable=not progress) as bar:
        while shown < n:
            count = CHUNK - first % CHUNK
            labels = sampler.labels(seed, count, tags, first)
            signed = None if labels is None else to_signed(labels)
            [(_, images)] = sampler.parts(latents(first, count), signed, first)
            # As many rows as ever, each image in its place: a score is the same to the last bit.
            padded = np.pad(images, ((CHUNK - count, 0), (0, 0), (0, 0), (0, 0)), "edge")
            scores = chooser(padded)[CHUNK - count :]
            for i, (image, score) in enumerate(zip(images, scores, strict=True), first):
                rejected.append((float(score), i, image))
                if score > chooser.border and len(rejected) < RUN_OF:
                    continue
                _, index, image = min(rejected, key=lambda one: one[0])
                rejected = [one for one in rejected if one[1] > index]
                yield index, image
                shown += 1
                bar.update(1)
                if shown == n:
                    break
            first += count
