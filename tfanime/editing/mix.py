"""`mix`: the coarse of one face, the fine of another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.images import SHEETS, save_image
from tfanime.editing.character_sheet import captioned
from tfanime.models.mixing import mixed, style_sizes
from tfanime.sampling import upscale as upscaling
from tfanime.sampling.generate import centre, check_ending, check_scale, enlarged, loaded
from tfanime.sampling.generated import Generated
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.plain_graph import PlainGraph

if TYPE_CHECKING:
    from tfanime.zoo.saved import Generator

MOST = 1000  # images


def mix(
    run: object = zoo.DEFAULT,
    coarse_seeds: Sequence[int] = (0, 1, 2),
    fine_seeds: Sequence[int] = (3, 4, 5),
    fine_from: int | None = None,
    tags: Mapping[str, object] | None = None,
    truncation: float = 1.0,
    typical: bool = False,
    grid: str | os.PathLike | None = None,
    upscale: object = None,
    scale: int = 1,
    progress: bool = False,
) -> Generated:
    """Draws every coarse face with the styles of every fine face (StyleGAN's style mixing).

    A generator with styles (`generator.normalisation=styled`) begins with a small map, drawn from
    latents and labels, and goes on to larger ones under a style that follows the same. Here map
    and styles are the coarse face's up to a size, and from that size on styles are the fine
    face's.

    Args:
        run: a run folder, the name of a model that ships, or a loaded generator. It has styles.
        coarse_seeds, fine_seeds: a face each: the first image of that seed.
        fine_from: the size, in pixels of the smaller side, of the first maps under the fine
            face's style: one of those that the model has, such as 8, 16, 32, 64. None: the second,
            so that the fine face has all styles but those of the smallest maps.
        tags: attributes that all faces have; the others are what each seed draws for itself.
        truncation, typical: as in `tfanime.generate`, for all faces.
        grid: a file (.png, .jpg, .webp) for a sheet: the coarse faces in the first column, the
            fine ones in the first row, and each two mixed where they meet.
        upscale, scale: as in `tfanime.generate`.
        progress: show a progress bar.

    Returns:
        `Generated`, row by row, the faces themselves left out. Latents and labels are those of the
        coarse faces.

    Raises:
        ValueError: for a model without styles, a size that its maps do not have, or more than
            1,000 images.

    Example:
        >>> mix(coarse_seeds=[1, 2], fine_seeds=[3, 4, 5], grid="mixed.png")  # doctest: +SKIP
    """
    check_ending(grid, SHEETS, "grid, the sheet,")
    check_scale(scale)
    rows, columns = _seeds("coarse_seeds", coarse_seeds), _seeds("fine_seeds", fine_seeds)
    if len(rows) * len(columns) > MOST:
        raise ValueError(
            f"Mixing draws at most {MOST:,} images. Received: {len(rows)} coarse and "
            f"{len(columns)} fine faces. Give fewer seeds."
        )
    truncation = seeds.check_truncation(truncation)
    generator = loaded(run)
    size = _size(generator, fine_from)
    sampler, upscaler = Sampler(generator), upscaling.chosen(generator, upscale)
    middle = centre(generator, truncation, typical)

    def inputs(numbers: list[int]) -> list[np.ndarray]:
        """Latents and, where there are, labels in 0/1 coding."""
        latents = np.concatenate([sampler.latents(seed, 1) for seed in numbers])
        label_rows = [sampler.labels(seed, 1, tags) for seed in numbers]
        labels = [row for row in label_rows if row is not None]
        latents = seeds.truncate(latents, truncation, middle)
        return [latents, np.concatenate(labels)] if labels else [latents]

    def draw(by: Sampler, arrays: list[np.ndarray]) -> np.ndarray:
        latents, *labels = arrays
        parts = by.parts(latents, labels=labels[0] if labels else None, progress=progress)
        return np.concatenate([enlarged(part, upscaler, scale) for _, part in parts])

    coarse, fine = inputs(rows), inputs(columns)
    each = [np.repeat(x, len(columns), axis=0) for x in coarse]
    every = [np.tile(x, (len(rows), 1)) for x in fine]
    pairs = [np.concatenate(pair, axis=1) for pair in zip(each, every, strict=True)]
    images = draw(Sampler(Mixer(generator, size)), pairs)
    if grid is not None:
        above, beside = draw(sampler, fine), draw(sampler, coarse)
        save_image(grid, _sheet(images, above, beside, rows, columns))
    labels = each[1] if len(each) > 1 else None
    return Generated(images, each[0], labels, generator.schema)


class Mixer:
    """Draws what `models.mixing.mixed` draws, for a `Sampler`: of latents and labels of both faces,
    side by side."""

    def __init__(self, generator: Generator, fine_from: int):
        self.schema, self.latent_dim = generator.schema, 2 * generator.latent_dim
        self._network = PlainGraph(mixed(generator.model, fine_from), eager_calls=0)

    def __call__(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        halves = [np.split(x, 2, axis=1) for x in (latents, labels) if x is not None]
        return self._network(*(both[i] for i in (0, 1) for both in halves))


def _seeds(what: str, numbers: Sequence[int]) -> list[int]:
    if not isinstance(numbers, Sequence) or isinstance(numbers, str) or not numbers:
        raise ValueError(f"{what} is one seed or more, [1, 2]. Received: {numbers!r}.")
    return [seeds.check_seed(seed) for seed in numbers]


def _size(generator: Generator, fine_from: int | None) -> int:
    """The size of the first maps under the fine style."""
    sizes = sorted(set(style_sizes(generator.model).values()))
    if not sizes:
        raise ValueError(
            f"Mixing needs a generator with styles. Received: {generator.name!r}, which has none. "
            "Train one with --set generator.normalisation=styled; with any model, `generate` goes "
            "from one face to another (--vary), or gives it another's labels (--labels-from)."
        )
    if fine_from is None:
        return sizes[:2][-1]
    if fine_from not in sizes:
        listed = ", ".join(map(str, sizes))
        raise ValueError(
            f"The maps of {generator.name} under a style have the sizes {listed}: the fine style "
            f"begins at one of these. Received: {fine_from!r}."
        )
    return int(fine_from)


def _sheet(
    images: np.ndarray,
    above: np.ndarray,
    beside: np.ndarray,
    rows: list[int],
    columns: list[int],
) -> np.ndarray:
    """`(h, w, 3)` uint8: what is mixed below the fine faces and beside the coarse ones."""
    lines = images.reshape(len(rows), len(columns), *images.shape[1:])
    cells = [np.full_like(images[0], 255), *above]
    for face, line in zip(beside, lines, strict=True):
        cells += [face, *line]
    captions = ([f"seed {seed}" for seed in numbers] for numbers in (columns, rows))
    return captioned(np.stack(cells), *(["", *texts] for texts in captions))
