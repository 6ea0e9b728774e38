"""`invert`: an image's place in the latent space of a model."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfanime import zoo
from tfanime.core.bars import progress_bar
from tfanime.core.decode import read_image
from tfanime.core.files import check_new
from tfanime.core.images import SHEETS, check_pictures, fit, save_grid, to_float
from tfanime.core.labels import to_signed
from tfanime.editing import tuning
from tfanime.editing.descent import BATCH, Objective, descend
from tfanime.editing.distance import feature_network, features_of, mean_squares, psnr
from tfanime.sampling.face import Face, save_faces
from tfanime.sampling.generate import check_ending, loaded
from tfanime.sampling.sampler import Sampler
from tfanime.sampling.upscale import files_of
from tfanime.tagging import Tagger, load_tagger
from tfanime.zoo.directions import own_document, weights_digest
from tfanime.zoo.encoder import Encoder, has_encoder, load_encoder
from tfanime.zoo.saved import Generator

DRAWS, STEPS = 256, 120
ENCODED = 40  # steps that are enough from where an encoder begins
TUNED = 200  # steps of tuning
TRIED = 4  # of the nearest draws, with the image's own labels
SHOWN = (0.0, 0.1, 0.25, 0.5, 1.0)  # parts of the steps on the grid

Images = np.ndarray | str | os.PathLike | Sequence[str | os.PathLike]


def invert(
    pictures: Images,
    model: str | os.PathLike | Generator = zoo.DEFAULT,
    tags: Mapping[str, object] | None = None,
    steps: int | None = None,
    draws: int = DRAWS,
    features: str = "tagger",
    tagger: str | os.PathLike | Tagger | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    grid: str | os.PathLike | None = None,
    progress: bool = False,
    encoder: bool = True,
    tune: str | os.PathLike | None = None,
    tune_steps: int | None = None,
) -> list[Face]:
    """Finds what a model draws images from: a latent for each, and its labels.

    The labels are those that the tagger reads. The latent is sought by descent through the
    generator (Zhu et al. 2016, https://arxiv.org/abs/1609.03552), on pixels and on the features of
    a frozen network, from the nearest of random draws and of what the model's encoder says, if it
    has one (`tfanime.train_encoder`); a penalty keeps its length at that of latents which the
    generator has learnt from.

    Latents can say no more than what a generator has learnt. With `tune` a copy of it is tuned to
    the images, and saved as a model of its own.

    Args:
        pictures: an image, a folder, a list of files, or `(n, H, W, 3)` uint8. They are cropped to
            the shape of what the model draws: give faces as it frames them.
        model: a run folder, the name of a model that ships, or a loaded generator.
        tags: attributes, in place of what the tagger reads.
        steps: of the descent, for every 16 images, at least 1. None: 120, with an encoder 40.
        draws: random draws to start from, at least 4; with `tune` those that shall stay as they
            are.
        features: `"tagger"`, the trunk of the one that ships, or `"lite0"` (extra `features`).
        tagger: that reads the labels, as in `tfanime.tagging.load_tagger`.
        seed: of the draws, of labels that the tagger does not read, and of the tuning.
        out: a JSON file for the faces, for `generate(face=...)`.
        grid: a sheet (.png, .jpg, .webp), a row an image: the image, and what is drawn at the
            start, after a tenth, a quarter, a half and all of the steps, and with `tune` after it.
        progress: show a progress bar.
        encoder: False leaves out the one that stands beside the model's weights.
        tune: a new folder for a copy of the model that is tuned to all of the images together (see
            `tfanime.editing.tuning`); the faces are then that model's.
        tune_steps: of the tuning, for every 16 images, at least 1. None: 200.

    Returns:
        A `tfanime.sampling.face.Face` for each image, in order.

    Raises:
        ValueError: for images that cannot be read, attributes that the model does not know, or a
            number out of range; for an encoder of other weights.
        ImportError: for lite0 without the extra `features`.

    Example:
        >>> face = invert("me.png", out="face.json")[0]  # doctest: +SKIP
        >>> tfanime.generate(face.model, face=face, move={"smile": 3})  # doctest: +SKIP
    """
    tuned_steps = TUNED if tune_steps is None else tune_steps
    _check_numbers(
        steps=(STEPS if steps is None else steps, 1),
        draws=(draws, TRIED),
        tune_steps=(tuned_steps, 1),
    )
    check_ending(out, (".json",), "out, the faces,")
    check_ending(grid, SHEETS, "grid, a sheet of images,")
    generator = loaded(model)
    # A training may replace the weights in the meantime.
    digest = None if generator.folder is None else weights_digest(generator.folder)
    _check_tuned(generator, tune, tune_steps)
    names, target = _targets(pictures, generator.height, generator.width)
    tagger = tagger if isinstance(tagger, Tagger) else load_tagger(tagger)
    sampler = Sampler(generator)
    labels = _labels(sampler, tagger, target, tags, seed)
    start_encoder = _encoder(generator) if encoder else None
    if steps is None:
        steps = STEPS if start_encoder is None else ENCODED
    search = _Search(sampler, features, seed, draws, start_encoder)
    batches = [slice(start, start + BATCH) for start in range(0, len(target), BATCH)]
    total = len(batches) * (steps + (0 if tune is None else tuned_steps))
    with progress_bar(total=total, unit="step", disable=not progress) as bar:
        some = [None if labels is None else labels[part] for part in batches]
        parts = [
            search(target[part], rows, steps, bar.update)
            for part, rows in zip(batches, some, strict=True)
        ]
        latents, stages, least = map(np.concatenate, zip(*parts, strict=True))
        if tune is not None:
            count = len(batches) * tuned_steps
            generator = search.tuned(Path(tune), latents, labels, target, count, bar.update)
            digest = weights_digest(tune)
            results = Sampler(generator).decode(latents, labels=labels)
            stages = np.concatenate([stages, results[:, None]], axis=1)
    results = stages[:, -1]
    far = [search.distances(results[part], target[part]) for part in batches]
    figures = np.stack([psnr(results, target), np.concatenate(far), least], axis=1)
    columns = () if generator.schema is None else tuple(generator.schema.columns)
    rows = [None] * len(target) if labels is None else labels
    faces = [
        Face(generator.name, digest, z, columns, row, name, *(round(float(x), 5) for x in numbers))
        for z, row, name, numbers in zip(latents, rows, names, figures, strict=True)
    ]
    if out is not None:
        save_faces(out, faces)
    if grid is not None:
        images = np.concatenate([target[:, None], stages], axis=1)
        save_grid(grid, images.reshape(-1, *images.shape[2:]), images.shape[1])
    return faces


class _Search:
    """The search for latents, and the random draws that it begins with, or the encoder."""

    def __init__(
        self,
        sampler: Sampler,
        features: str,
        seed: int,
        draws: int,
        encoder: Encoder | None = None,
    ):
        generator = sampler.generator
        self.sampler, self.seed, self.encoder = sampler, seed, encoder
        self.network = network = feature_network(features, generator.height, generator.width)
        self.inputs = sampler.inputs(seed, draws)
        self.latents, self.images = self.inputs[0], sampler.values(*self.inputs)
        self.maps = features_of(network, self.images)
        self.objective = Objective(generator, network)

    def __call__(
        self,
        target: np.ndarray,
        labels: np.ndarray | None,
        steps: int,
        tick: Callable[[float], object],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Latents `(n, latent_dim)`; `(n, S, H, W, 3)` uint8, drawn at the steps that are shown;
        and the distance `(n,)` of the nearest random draw.

        Args:
            target: `(n, H, W, 3)` uint8.
            labels: `(n, L)`, 0/1 coding, or None.
            steps: of the descent.
            tick: called after each.
        """
        # What the distance is differentiated through takes the network's own coding.
        signed = None if labels is None else to_signed(labels)
        y = to_float(target)
        maps = features_of(self.network, y)

        def far(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return self.objective(z, signed, y, maps)

        estimates = None if self.encoder is None else self.encoder(target)[0]
        start, least = self._start(far, maps, estimates)
        at = {round(part * steps) for part in SHOWN}
        stages, z = [self.sampler.decode(start, signed)], start
        for i, z in enumerate(descend(far, start, steps), start=1):
            tick(1)
            if i in at:
                stages.append(self.sampler.decode(z, signed))
        return z, np.stack(stages, axis=1), least

    def tuned(
        self,
        folder: Path,
        latents: np.ndarray,
        labels: np.ndarray | None,
        target: np.ndarray,
        steps: int,
        tick: Callable[[float], object],
    ) -> Generator:
        """The generator tuned to draw `target` `(n, H, W, 3)` uint8, saved in a folder."""
        inputs = [latents] if labels is None else [latents, to_signed(labels)]
        generator, network = self.sampler.generator, self.network
        others = self.inputs, self.images
        y, seed = to_float(target), self.seed
        model = tuning.tune(generator, inputs, y, network, others, steps, tick, seed)
        return tuning.save_tuned(folder, model, generator)

    def distances(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """`(n,)` distances of uint8 images by features."""
        maps = (features_of(self.network, to_float(x)) for x in (some, others))
        return np.asarray(mean_squares(*maps))

    def _start(
        self, far: Callable, maps: list[np.ndarray], estimates: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The encoder's estimates, or that of each image's nearest draws, which is nearest with the
        image's labels; and the distance of the nearest draw."""
        count = len(maps[0])
        distances = np.stack(
            [
                np.asarray(mean_squares(self.maps, [np.asarray(x[i])[None] for x in maps]))
                for i in range(count)
            ]
        )
        order = np.argsort(distances, axis=1)[:, :TRIED]
        starts = [self.latents[order[:, k]] for k in range(TRIED)]
        if estimates is not None:
            starts.append(estimates)
        best = np.stack([far(z)[0] for z in starts], axis=1).argmin(axis=1)
        return np.stack(starts, axis=1)[np.arange(count), best], distances.min(axis=1)


def _encoder(generator: Generator) -> Encoder | None:
    """That of a model's folder."""
    if generator.folder is None or not has_encoder(generator.folder):
        return None
    try:
        return load_encoder(generator.folder, generator)
    except ValueError as error:
        raise ValueError(f"{error} Or leave it out: --no-encoder (encoder=False).") from error


def _labels(
    sampler: Sampler,
    tagger: Tagger,
    target: np.ndarray,
    tags: Mapping[str, object] | None,
    seed: int,
) -> np.ndarray | None:
    rows = None
    if sampler.schema is not None:
        rows = sampler.schema.convert(tagger.labels(target), tagger.schema)
    return sampler.labels(seed, len(target), tags, rows=rows)


def _targets(pictures: Images, height: int, width: int) -> tuple[list[str], np.ndarray]:
    """Names, and `(n, height, width, 3)` uint8."""
    from PIL import Image

    if isinstance(pictures, np.ndarray):
        images = [Image.fromarray(one) for one in check_pictures(pictures)]
        names = [""] * len(images)
    else:
        if isinstance(pictures, (str, os.PathLike)):
            files = files_of(Path(pictures))
        else:
            files = [Path(file) for file in pictures]
        if not files:
            raise ValueError(f"There is at least one image to invert. Received: {pictures!r}.")
        names, images = [file.name for file in files], []
        for file in files:
            try:
                images.append(read_image(file))
            except ValueError as error:
                raise ValueError(f"{os.fspath(file)!r} is no image to invert: {error}.") from None
    return names, np.stack([np.asarray(fit(image, height, width)) for image in images])


def _check_tuned(generator: Generator, tune: str | os.PathLike | None, steps: int | None) -> None:
    """What tuning needs is known before the search, which takes a minute or more."""
    if tune is None:
        if steps is not None:
            raise ValueError(
                "tune_steps goes with tune, the folder of the tuned model (--tune RUN). "
                f"Received: {steps} without it."
            )
        return
    check_new(tune, "A tuned model", "tune")
    if not tuning.tuned_weights(generator.model):
        raise ValueError(
            "Tuning moves layers that draw, such as convolutions, and leaves dense ones. Received: "
            f"{generator.name!r}, which has no others. Leave out tune= (--tune)."
        )
    if generator.folder is not None:
        own_document(generator.folder)  # which goes along: a damaged one is refused now


def _check_numbers(**numbers: tuple[Any, int]) -> None:
    for name, (value, low) in numbers.items():
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < low:
            raise ValueError(f"{name} is a whole number, at least {low}. Received: {value!r}.")
