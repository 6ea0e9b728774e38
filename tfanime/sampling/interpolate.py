"""`interpolate`: transitions between images, as loops and sheets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tfanime.core import animation
from tfanime.core import images as pictures
from tfanime.core.labels import to_signed, to_unsigned
from tfanime.core.seeds import check_seed, check_truncation, lerp, slerp, truncate
from tfanime.sampling import upscale as upscaling
from tfanime.sampling.generate import (
    Tags,
    centre,
    check_ending,
    check_scale,
    enlarged,
    loaded,
)
from tfanime.sampling.generated import SHEETS, Generated
from tfanime.sampling.sampler import Sampler

MOST_FRAMES = 10_000
MOST_MILLISECONDS = 60_000
METHODS = {"slerp": slerp, "lerp": lerp}
DEFAULT_SEEDS = (0, 1, 2, 3)


def interpolate(
    run: object,
    seeds: Sequence[int] | None = None,
    tags: Sequence[Tags] | Tags | None = None,
    frames: int = 24,
    method: str = "slerp",
    truncation: float = 1.0,
    milliseconds: int = 50,
    out: str | os.PathLike | None = None,
    grid: str | os.PathLike | None = None,
    progress: bool = False,
    upscale: object = None,
    scale: int = 1,
    typical: bool = False,
) -> Generated:
    """Draws transitions through key images and back to the first, a loop without an end.

    Key image k is image 0 of `seeds[k]` with `tags[k]`; an attribute that its tags leave open
    keeps what the seed draws for it. Between keys the latents go along `method` and the labels in
    a straight line in -1/+1 coding.

    Args:
        run: a run folder or a saved model, or what `tfanime.zoo.saved.load_generator` returns.
        seeds: one seed a key image. One seed serves for all tags. Default: 0, 1, 2, 3, or with a
            list of tags: 0.
        tags: one dictionary a key image, or one for all of them.
        frames: images from one key to the next, the next one not counted.
        method: `"slerp"` (the arc between latents; see `tfanime.core.seeds.slerp`) or `"lerp"`.
        truncation: 0 to 2; scales the latents of the key images, as in `generate`.
        milliseconds: how long a frame of the animation stays.
        out: a file for the looping animation: .gif, .png (an animated PNG), .webp or, where ffmpeg
            is, .mp4.
        grid: a file (.png, .jpg or .webp) for a still sheet: a row for each transition, from a
            key image to the next; the way back to the first is left out.
        progress: show a progress bar.
        upscale, scale: enlarge each image, as for `generate`.
        typical: as in `generate`.

    Returns:
        `Generated` with `keys * frames` images; key k is image `k * frames`.

    Raises:
        ValueError: for a number out of range, fewer than two key images, seeds and tags of
            different counts, or tags that the model does not know.

    Example:
        >>> interpolate("runs/girls", seeds=[1, 2, 3], out="loop.gif")  # doctest: +SKIP
        >>> interpolate("runs/girls", seeds=[5],  # doctest: +SKIP
        ...             tags=[{"hair": "blue"}, {"hair": "red"}], grid="dye.png")
    """
    numbers, sets = key_pictures(seeds, tags)
    if not isinstance(frames, (int, np.integer)) or not 1 <= frames * len(numbers) <= MOST_FRAMES:
        raise ValueError(
            f"frames is a whole number, at least 1, and {MOST_FRAMES:,} at most in all. "
            f"Received: {frames!r} for each of {len(numbers)} transitions."
        )
    if method not in METHODS:
        raise ValueError(f"method is one of: {', '.join(METHODS)}. Received: {method!r}.")
    if not 1 <= milliseconds <= MOST_MILLISECONDS:
        raise ValueError(
            f"milliseconds is a number from 1 to {MOST_MILLISECONDS:,}. Received: {milliseconds!r}."
        )
    check_ending(out, animation.ENDINGS, "out, an animation,")
    check_ending(grid, SHEETS, "grid, a sheet of images,")
    if out is not None and Path(out).suffix.lower() == animation.ENDING:
        animation.ffmpeg()
    truncation = check_truncation(truncation)
    check_scale(scale)
    generator = loaded(run)
    upscaler = upscaling.chosen(generator, upscale)
    sampler, middle = Sampler(generator), centre(generator, truncation, typical)
    keys = [sampler.latents(seed, 1) for seed in numbers]
    keys = [truncate(key, truncation, middle)[0] for key in keys]
    z = _path(keys, METHODS[method], frames)
    signed = None
    ends = [sampler.labels(seed, 1, t) for seed, t in zip(numbers, sets, strict=True)]
    if generator.schema is not None:
        # In the network's coding, as pages and servers go: the same images to the last bit.
        signed = _path([to_signed(row[0]) for row in ends if row is not None], lerp, frames)
    parts = (part for _, part in sampler.parts(z, signed, 0, progress))
    shots = np.concatenate([enlarged(part, upscaler, scale) for part in parts])
    if out is not None:
        animation.save_animation(out, shots, int(milliseconds))
    if grid is not None:
        rows = np.arange(len(numbers) - 1)[:, None] * frames + np.arange(frames + 1)
        pictures.save_grid(grid, shots[rows.ravel()], columns=frames + 1)
    labels = None if signed is None else to_unsigned(signed)
    return Generated(shots, z, labels, generator.schema)


def key_pictures(
    seeds: Sequence[int] | int | None, tags: Sequence[Tags] | Tags | None
) -> tuple[list[int], list[Tags | None]]:
    """One seed and one set of tags (or None) for each key image."""
    listed = not (tags is None or isinstance(tags, Mapping))
    sets: list[Tags | None]
    sets = [tags] if tags is None or isinstance(tags, Mapping) else list(tags)
    if seeds is None:
        seeds = DEFAULT_SEEDS[:1] if listed else DEFAULT_SEEDS
    if isinstance(seeds, (int, np.integer)):
        seeds = [seeds]
    numbers = [check_seed(seed) for seed in seeds]
    count = max(len(numbers), len(sets))
    if count < 2 or len(numbers) not in (1, count) or len(sets) not in (1, count):
        raise ValueError(
            "A transition needs at least two seeds or two sets of tags, and as many of one as of "
            f"the other (or a single one). Received: {len(numbers)} seeds and "
            f"{len(sets) if listed else 'no list of'} tags."
        )
    return numbers * (count // len(numbers)), sets * (count // len(sets))


def _path(keys: list[np.ndarray], step: Callable, frames: int) -> np.ndarray:
    """`(len(keys) * frames, dim)`: through all keys and back to just before the first."""
    t = np.arange(frames) / frames
    return np.concatenate([step(a, b, t) for a, b in zip(keys, keys[1:] + keys[:1], strict=True)])
