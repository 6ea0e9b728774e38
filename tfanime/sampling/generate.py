"""`generate`: images from a trained model, one by one and on sheets."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core import images as pictures
from tfanime.core import seeds
from tfanime.core.labels import LabelSchema, to_signed, to_unsigned
from tfanime.sampling import upscale as upscaling
from tfanime.sampling.choosing import chosen
from tfanime.sampling.face import Face, check_faces, faces_of, stacked
from tfanime.sampling.generated import SHEETS, Generated, ImageFolder
from tfanime.sampling.moves import check_move, moved
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.chooser import Chooser, chooser_of, load_chooser

if TYPE_CHECKING:
    from tfanime.zoo.saved import Generator, Upscaler

MOST_PICTURES = 1_000_000
MOST_SCALE = 16
MOST_STEPS = 16  # of vary

Tags = Mapping[str, object]


def generate(
    run: object,
    n: int = 16,
    seed: int = 0,
    tags: Tags | None = None,
    truncation: float = 1.0,
    first: int = 0,
    out: str | os.PathLike | None = None,
    grid: str | os.PathLike | None = None,
    upscale: object = None,
    labels: np.ndarray | None = None,
    progress: bool = False,
    scale: int = 1,
    typical: bool = False,
    vary: float | Sequence[float] = 0.0,
    vary_seed: int | Sequence[int | tuple[int, int]] = 0,
    sliders: Mapping[str, float] | None = None,
    name: str | None = None,
    move: Mapping[str, float] | None = None,
    face: str | os.PathLike | Face | Sequence[Face] | None = None,
    choose: bool | None = None,
) -> Generated:
    """Draws images.

    What a seed and an index draw is the same on every run, whatever `n` and `first` are
    (`tfanime.core.seeds` has the map to latents and labels). A model with a chooser shows the
    whole images of a seed and passes over the broken ones (`indices` says which they are). Do not
    `fork` the process afterwards, TensorFlow's threads are not in the child: use
    `multiprocessing`'s "spawn".

    Args:
        run: a run folder, the name of a model that ships, `hf://owner/name`, what `tfanime.load`
            returns, or a `tfanime.gans.GAN`, whose averaged generator draws.
        n: how many, 1 to 1,000,000.
        seed: 0 <= seed < 2**53.
        tags: attributes to hold fixed, `{"hair": "blue", "smile": True}`. The others are drawn
            for each image from the frequencies of the training set.
        truncation: 0 to 2; scales the latents: below 1 typical images, above 1 unusual ones. A
            note says when it is below what was found good for the model.
        first: index of the first image, or of the first that the chooser looks at: the last of
            `indices` + 1 goes on.
        out: a folder for one PNG per image and `generated.json`, which says the seed, index and
            tags of each.
        grid: a file (.png, .jpg or .webp) for all of them on one sheet.
        upscale: a run folder of an upscaler, or what `tfanime.zoo.saved.load_upscaler` returns, to
            enlarge each image with. None: the one that the model names, if it does
            (`generator.json`); `"none"`: images stay as they are drawn.
        labels: `(n, L)` float, 0/1 coding: label rows, one per image, such as those of real
            images; NaN where a label is drawn. `tags` go before them.
        progress: show a progress bar.
        scale: 1 to 16; makes images so many times as large, after `upscale`, without new detail.
        typical: a truncation below 1 leads to the model's typical latent instead of to zero, where
            many models draw smears (`seeds.truncate`).
        vary: 0 to 1; goes this part of the way along the arc from each picture's latents to those
            that the same index of `vary_seed` has. A list makes several steps in turn.
        vary_seed: 0 <= vary_seed < 2**53; of a list of steps one each. `(seed, index)` leads to the
            latents of that index, whichever image is drawn.
        sliders: what the network is fed for single label columns, -1 (no) to 1 (yes), whatever
            tags and chance say: `{"blue_hair": 0.3}`.
        name: any text instead of a seed: `seeds.seed_of` says which one it is.
        move: directions that `tfanime.find_directions` stored with the model to how far latents go
            along them, -20 to 20 standard deviations: `{"smile": 3, "pca-1": -2}`. They go last,
            after truncation and `vary`; 0 changes no bit.
        face: a file of `tfanime invert`, or what `tfanime.invert` returns: latents and labels come
            from there, one image a face, instead of from a seed; `n` does not count. `tags` and
            `labels` go before a face's labels.
        choose: pass over images that the model's chooser (`tfanime judge chooser`) holds for
            broken, as seed, tags and truncation draw them: fine tuning does not change which ones.
            None: if there is a chooser, unless `labels` or `face` says what each image is.

    Returns:
        `Generated`.

    Raises:
        ValueError: for a number out of range, a seed and a name, tags, sliders or directions that
            the model does not know, a face of another model, `typical` with a model whose
            typical latent was not measured, or `choose=True` without a chooser or with `labels` or
            `face`.

    Example:
        >>> faces = generate("runs/girls", n=4, seed=7, tags={"hair": "blue"})  # doctest: +SKIP
        >>> faces.images.shape  # doctest: +SKIP
        (4, 64, 64, 3)
    """
    if name is not None and seed:
        raise ValueError(f"An image has a seed or a name. Received: seed {seed!r}, name {name!r}.")
    faces = [] if face is None else faces_of(face)
    if faces:
        if seed or first or name is not None:
            raise ValueError(
                "A face comes from a file or from a seed. Received: face, and beside it a seed, "
                "name or first. Leave one of them out."
            )
        n = len(faces)
    move = check_move(move)
    seed = seeds.check_seed(seed) if name is None else seeds.seed_of(name)
    n, first = seeds.check_pictures(n, first)
    if n > MOST_PICTURES:
        raise ValueError(
            f"n is at most {MOST_PICTURES:,}. Received: {n:,}. "
            "Draw more in several calls: first= continues the sequence."
        )
    check_ending(grid, SHEETS, "grid, a sheet of images,")
    folder = None if out is None else ImageFolder(out)
    truncation = seeds.check_truncation(truncation)
    check_scale(scale)
    steps = _steps(vary, vary_seed)
    generator = loaded(run)
    sampler = Sampler(generator)
    columns = _columns(generator.schema, sliders)
    upscaler = upscaling.chosen(generator, upscale)
    factor = scale
    if upscaler is not None:
        upscaler.expect(n)
        factor *= upscaler.factor
    middle = centre(generator, truncation, typical)
    chooser = _chooser(generator, choose, labels is not None or bool(faces))

    def latents(seed: int, start: int, count: int) -> np.ndarray:
        return seeds.truncate(sampler.latents(seed, count, start), truncation, middle)

    moved(generator, latents(0, 0, 1), move)  # refuses an unknown direction before it draws
    drawn_seed = None if faces else seed
    indices = np.arange(first, first + n)
    shots = np.empty((n, factor * generator.height, factor * generator.width, 3), np.uint8)
    tuned = bool(steps or columns or move)
    if folder:
        folder.tuned = {"vary": vary, "vary_seed": vary_seed} if steps else {}
        folder.tuned |= {"sliders": dict(sliders or {})} if columns else {}
        folder.tuned |= {"move": move} if move else {}

    def keep(i: int, image: np.ndarray, row: np.ndarray | None) -> None:
        shots[i] = enlarged(image[None], upscaler, scale)[0]
        if folder:
            said = {} if row is None or generator.schema is None else generator.schema.decode(row)
            folder.add(shots[i], drawn_seed, int(indices[i]), truncation, said, typical)

    try:
        if chooser is not None:
            found = chosen(sampler, chooser, seed, n, tags, first, partial(latents, seed), progress)
            for i, (index, image) in enumerate(found):
                indices[i] = index
                if not tuned:  # what is drawn is kept at once, whatever happens later
                    own = sampler.labels(seed, 1, tags, index)
                    keep(i, image, None if own is None else own[0])
        places = indices - first
        count = int(places[-1]) + 1
        if faces:
            check_faces(faces, generator)
            z, rows = stacked(faces)
            z = seeds.truncate(z, truncation, middle)
            labels = rows if labels is None else labels
        else:
            z = latents(seed, first, count)[places]
        for share, other, towards in steps:
            if towards is None:
                others = latents(other, first, count)[places]
            else:
                others = latents(other, towards, 1).repeat(n, axis=0)
            z = np.concatenate([seeds.slerp(a, b, [share]) for a, b in zip(z, others, strict=True)])
        z = moved(generator, z, move)
        labels = sampler.labels(seed, count, tags, first, labels)
        labels = None if labels is None else labels[places]
        # Sliders are in the network's coding, and reach beyond what 0/1 coding can say.
        signed = None if labels is None else to_signed(labels)
        if columns and signed is not None:
            signed[:, list(columns)] = list(columns.values())
            labels = to_unsigned(signed)
        if chooser is None or tuned:
            for start, images in sampler.parts(z, signed, indices, progress):
                for i, image in enumerate(images, start):
                    keep(i, image, None if labels is None else labels[i])
    finally:
        if folder:
            folder.write_index()
    result = Generated(shots, z, labels, generator.schema, drawn_seed, None if faces else indices)
    if grid is not None:
        pictures.save_grid(grid, shots)
    return result


# ---- fine tuning ---------------------------------------------------------------------------------


def _steps(
    vary: float | Sequence[float], vary_seed: int | Sequence[int | tuple[int, int]]
) -> list[tuple[float, int, int | None]]:
    """The steps that lead away from a picture's noise: part, seed, index (None: the picture's)."""
    parts: list[float]
    others: Any
    if isinstance(vary, Sequence) and not isinstance(vary, str):
        parts, others = list(vary), vary_seed
    else:
        parts, others = [vary], [vary_seed]
    if not isinstance(others, Sequence) or len(others) != len(parts):
        raise ValueError(
            f"vary_seed is a list as long as that of vary, {len(parts)}. Received: {vary_seed!r}."
        )
    if len(parts) > MOST_STEPS:
        raise ValueError(f"vary is {MOST_STEPS} steps at most. Received: {len(parts)}.")
    steps: list[tuple[float, int, int | None]] = []
    for part, seed in zip(parts, others, strict=True):
        if not isinstance(part, Real) or not 0 <= part <= 1:
            raise ValueError(f"vary is a number from 0 to 1. Received: {part!r}.")
        seed, index = seed if isinstance(seed, tuple) and len(seed) == 2 else (seed, None)
        index = None if index is None else seeds.check_pictures(1, index)[1]
        steps.append((float(part), seeds.check_seed(seed), index))
    return [step for step in steps if step[0]]


def _columns(schema: LabelSchema | None, sliders: Mapping[str, float] | None) -> dict[int, float]:
    """Number of a label column to what it is set to."""
    if not sliders:
        return {}
    columns = () if schema is None else schema.columns[: schema.size - schema.vector_size]
    for name, x in sliders.items():
        if name not in columns:
            listed = ", ".join(columns) or "it has none"
            raise ValueError(
                f"A slider is one of the model's label columns: {listed}. Received: {name!r}."
            )
        if not isinstance(x, Real) or not -1 <= x <= 1:
            raise ValueError(f"The slider {name!r} is a number from -1 to 1. Received: {x!r}.")
    return {columns.index(name): float(x) for name, x in sliders.items()}


# ---- drawing -----------------------------------------------------------------------------------


def loaded(run: Any) -> Generator:
    """The generator to draw with: `run` itself if it is one, the averaged one of a `gans.GAN`, or
    that of a run folder or saved model.

    Raises:
        ValueError: for what is none of these.
    """
    from tfanime.zoo.saved import load_generator

    if hasattr(run, "ema_generator"):
        return _of_gan(run)
    if hasattr(run, "latent_dim"):
        return run
    if not isinstance(run, (str, os.PathLike)):
        raise ValueError(
            "What draws is a run folder, the name of a model, what tfanime.load returns, or a GAN. "
            f"Received: {type(run).__name__}."
        )
    return load_generator(run)


def _of_gan(gan: Any) -> Generator:
    from tfanime.zoo.saved import Generator

    model = gan.ema_generator
    if len(model.inputs[0].shape) != 2:
        raise ValueError("A GAN that enlarges draws nothing from noise: call it with images.")
    if len(model.inputs) == 2 and gan.schema is None:
        raise ValueError(
            "Labels need names to be drawn with. Received: a GAN made without a schema. Give it "
            "schema=data.schema."
        )
    return Generator(model, gan.schema if len(model.inputs) == 2 else None, gan.name)


def centre(generator: Generator, truncation: float, typical: bool) -> np.ndarray | None:
    """The latent that truncation leads to, None for zero; with a note where that goes too far."""
    measured = getattr(generator, "truncation", None)
    if typical:
        if measured is None or measured.typical is None:
            raise ValueError(
                f"typical needs a model whose typical latent was measured. Received: "
                f"{generator.name!r}. Measure it: tfanime figure truncation RUN --against DATA "
                "--store --out FILE"
            )
        seed, index = measured.typical
        return seeds.latents(seed, 1, generator.latent_dim, index)[0]
    if measured is not None and truncation < measured.least:
        print(
            f"Note: {generator.name} draws worse below a truncation of {measured.least:g}, and "
            f"{truncation:g} is asked for: raise it.",
            file=sys.stderr,
        )
    return None


def _chooser(generator: Generator, choose: bool | None, told: bool) -> Chooser | None:
    """The chooser to draw with, None for none; `told`: labels or faces say what each image is."""
    if choose is None:
        return None if told else chooser_of(generator)
    if not choose:
        return None
    folder = getattr(generator, "folder", None)
    if told or folder is None:
        what = "labels or a face" if told else f"{generator.name!r}, which is not a saved model"
        raise ValueError(
            f"choose takes images of a seed, of a model with a chooser. Received: {what}."
        )
    return load_chooser(folder, generator)


def enlarged(images: np.ndarray, upscaler: Upscaler | None, scale: int) -> np.ndarray:
    """`(n, H, W, 3)` float32 in [-1, 1] as uint8, enlarged by an upscaler, if there is one, and by
    `scale`."""
    shots = pictures.to_uint8(images)
    if upscaler is not None:
        shots = np.stack([upscaling.enlarge(upscaler, shot) for shot in shots])
    return pictures.enlarge(shots, scale)


# ---- writing -----------------------------------------------------------------------------------


def check_scale(scale: int) -> None:
    if not isinstance(scale, (int, np.integer)) or not 1 <= scale <= MOST_SCALE:
        raise ValueError(f"scale is a whole number from 1 to {MOST_SCALE}. Received: {scale!r}.")


def check_ending(path: str | os.PathLike | None, endings: Sequence[str], what: str) -> None:
    """Refuses a file name before hours of drawing rather than after them."""
    if path is not None and Path(path).suffix.lower() not in endings:
        raise ValueError(f"{what} ends in {', '.join(endings)}. Received: {os.fspath(path)!r}.")
