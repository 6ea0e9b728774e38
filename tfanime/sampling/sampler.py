"""`Sampler`: the one place that turns seeds into images.

Latents, labels, their coding for the network, chunks of a fixed size, uint8: whoever draws, draws
through it, so that image i of a seed is the same everywhere, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfanime.core import seeds
from tfanime.core.bars import progress_bar
from tfanime.core.images import to_uint8
from tfanime.core.labels import check_tags, to_signed

CHUNK = 8  # images a network call: always, see `parts`
STRETCH = 32 * CHUNK  # images that `stretches` holds


class Sampler:
    """Draws with a generator.

    Args:
        generator: what `tfanime.zoo.saved.load_generator` returns, or anything with its
            `latent_dim`, `schema`, `name` and call.

    Example:
        >>> Sampler(load_generator("runs/girls")).images(seed=7, n=4).shape  # doctest: +SKIP
        (4, 64, 64, 3)
    """

    def __init__(self, generator: Any):
        self.generator = generator
        self.schema, self.latent_dim = generator.schema, generator.latent_dim

    def latents(self, seed: int, n: int, first: int = 0) -> np.ndarray:
        """`(n, latent_dim)` float32: those of images `first`, `first + 1`, ... of a seed."""
        return seeds.latents(seed, n, self.latent_dim, first)

    def labels(
        self,
        seed: int,
        n: int,
        tags: Mapping[str, object] | None = None,
        first: int = 0,
        rows: np.ndarray | None = None,
    ) -> np.ndarray | None:
        """`(n, L)` float32 labels in 0/1 coding, or None for a generator without labels.

        Args:
            seed, n, tags, first, rows: as for `tfanime.core.seeds.sample_labels`.

        Raises:
            ValueError: for tags or rows that the generator cannot be given.
        """
        check_tags(tags)
        if self.schema is not None:
            return seeds.sample_labels(seed, n, self.schema, tags, first, rows)
        if tags or rows is not None:
            raise ValueError(
                "Tags and labels need a model that was trained with labels, and this one was not. "
                f"Received: {dict(tags) if tags else 'label rows'}. Leave them out."
            )
        return None

    def inputs(self, seed: int, n: int, rows: np.ndarray | None = None) -> list[np.ndarray]:
        """What the network is given for the first images of a seed: latents and, if it takes them,
        labels in -1/+1 coding."""
        labels = self.labels(seed, n, rows=rows)
        latents = self.latents(seed, n)
        return [latents] if labels is None else [latents, to_signed(labels)]

    def images(self, seed: int, n: int, rows: np.ndarray | None = None) -> np.ndarray:
        """The first images of a seed: `(n, H, W, 3)` uint8.

        Args:
            seed: 0 <= seed < 2**53.
            n: at least 1.
            rows: `(n, L)` labels in 0/1 coding, NaN where they are drawn; None: all are drawn.
        """
        return self.decode(*self.inputs(seed, n, rows))

    def decode(
        self,
        latents: np.ndarray,
        signed: np.ndarray | None = None,
        *,
        labels: np.ndarray | None = None,
    ) -> np.ndarray:
        """Images `(n, H, W, 3)` uint8 of latents `(n, latent_dim)` and labels `(n, L)`: `labels` in
        0/1 coding, or `signed` in -1/+1 coding."""
        parts = self.parts(latents, signed, labels=labels)
        return np.concatenate([to_uint8(np.nan_to_num(part)) for _, part in parts])

    def values(
        self,
        latents: np.ndarray,
        signed: np.ndarray | None = None,
        *,
        labels: np.ndarray | None = None,
    ) -> np.ndarray:
        """The same before rounding: `(n, H, W, 3)` float32 in [-1, 1]."""
        parts = self.parts(latents, signed, labels=labels)
        return np.concatenate([part for _, part in parts])

    def stretches(
        self,
        latents: np.ndarray,
        signed: np.ndarray | None = None,
        progress: bool = False,
    ) -> Iterator[np.ndarray]:
        """Yields what `decode` returns, `STRETCH` images at a time: of thousands, few are held."""
        waiting = []
        for start, part in self.parts(latents, signed, progress=progress):
            waiting.append(to_uint8(np.nan_to_num(part)))
            end = start + len(part)
            if end % STRETCH == 0 or end == len(latents):
                yield np.concatenate(waiting)
                waiting = []

    def parts(
        self,
        latents: np.ndarray,
        signed: np.ndarray | None = None,
        first: int | np.ndarray = 0,
        progress: bool = False,
        *,
        labels: np.ndarray | None = None,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yields `(position, images float32)`, at most `CHUNK` at a time.

        Kernels round differently for another batch size or another place in the batch. So every
        call has `CHUNK` rows and image i sits in row i % CHUNK, whatever n and first are: the same
        image then comes out to the last bit. Free rows repeat a neighbour.

        Args:
            latents: `(n, latent_dim)` float32.
            signed: `(n, L)` float32, -1/+1 coding; None for a generator without labels.
            first: index of the first image, which the others follow; or the index of each, `(n,)`
                ascending.
            progress: show a progress bar.
            labels: `(n, L)` in 0/1 coding, in the place of `signed`.
        """
        if labels is not None:
            signed = to_signed(labels)
        n = len(latents)
        indices = first if isinstance(first, np.ndarray) else np.arange(first, first + n)
        _, starts = np.unique(indices // CHUNK, return_index=True)
        with progress_bar(total=n, unit=" images", disable=not progress) as bar:
            for low, high in zip(starts, [*starts[1:], n], strict=True):
                rows = indices[low:high] % CHUNK
                filled = np.searchsorted(rows, np.arange(CHUNK)).clip(max=high - low - 1)
                batch = [None if x is None else x[low:high][filled] for x in (latents, signed)]
                yield int(low), self.generator(*batch)[rows]
                bar.update(int(high - low))
