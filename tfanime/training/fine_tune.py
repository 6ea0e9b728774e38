"""`fine_tune`: a model that can draw learns to draw as a few images of one's own do.

The model's networks, recipe and settings are taken over, and its labels: what images lack of them
is estimated by the tagger, and labels of their own are added. A few images are soon known by heart,
so the discriminator sees them changed at random, as often as it overfits (ADA, Karras et al. 2020;
below 200 images always), its first layers stay as they are (FreezeD, Mo et al. 2020), and rates are
low.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tfanime import zoo
from tfanime.core.cache import cache_folder, check_cache
from tfanime.core.images import save_grid
from tfanime.core.labels import LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.data import PackedDataset
from tfanime.data.writer import Writer
from tfanime.prepare.load import load_data
from tfanime.prepare.pack import replacing
from tfanime.recipes.config import Config
from tfanime.sampling.generate import generate
from tfanime.sampling.upscale import NONE
from tfanime.training import plan
from tfanime.training.run import Run
from tfanime.training.run_config import described
from tfanime.training.train import train
from tfanime.zoo.saved import GENERATOR, kind_of, load_schema

BEFORE_AFTER = "before_after.png"
FEWEST = 8
SHOWN = 8  # images of each on that sheet
FEW = 200
# Rates at most. At 2e-4 thirty crops had dissolved every face of a model of 64 px after 230 steps,
# at 3e-5 (6e-5 of the discriminator, R1 at 4) after 650; at 1e-5 all were whole after 650 and fell
# apart by 2,000. So the rate of few fades, and a longer training does not undo a good one.
RATE_OF_FEW, RATE = Schedule(1e-5, 1e-7, 12_000), 1e-4
HALF_LIFE = 3000.0  # images: a minute or two, in which the average leaves the model's own
PENALTY_OF_FEW = 20.0  # of R1, at least
CHANGED = 0.9  # share of changes from the beginning: ADA would find the overfitting too late
# Fewer images than: stages of the discriminator that stay, and what to expect. But for the first
# from the papers' experience with other images; a word on what to do, not a measured figure.
AMOUNTS = (
    (
        FEW,
        2,
        "colours and strokes follow a little within two minutes, poses hardly; more time changes "
        "little, since the rate fades before the faces fall apart",
    ),
    (
        2000,
        1,
        "the style is learnt, and what the images have in common; rare things in them are not",
    ),
    (20_000, 0, "style and variety are learnt, given hours on a processor or a GPU"),
)
PLENTY = "enough to train from the beginning as well: tfanime train modern"


def fine_tune(
    model: str | os.PathLike,
    data: str | os.PathLike | PackedDataset,
    *,
    out: str | os.PathLike,
    progress: bool = True,
    sample_every: int | None = None,
    **options: Any,
) -> Run:
    """Trains a model on, with images of one's own. The CLI's `tfanime train --from MODEL DATA`.

    The run folder gets `before_after.png`: the same seeds drawn by the model and by the run.

    Args:
        model: the name of a model that ships, or a run folder, of a generator.
        data: what `load_data` takes or returns; close faces, for a model of faces. Labels of the
            model that they lack are estimated where the tagger knows them; others of their own
            become labels of the run.
        out: the run folder; made, or continued.
        progress: show progress, and say what is done and what to expect.
        sample_every: steps between two sheets; default 200.
        **options: as for `train`: a budget, `batch_size`, `seed`, any field of `Config`.

    Raises:
        ValueError: for a model that draws texts or enlarges, too few images, or what `train`
            refuses.

    Example:
        >>> fine_tune("faces-64", "my_pictures/", out="runs/mine", minutes=30)  # doctest: +SKIP
    """
    folder = zoo.locate(model)
    config, schema = _model(model, folder)
    if not isinstance(data, PackedDataset):
        data = load_data(data, size=config.image_size, progress=progress)
    _check_count(len(data))
    if schema is not None:
        heads = config.conditioning in ("ac", "infogan", "auto") and not config.label_embedding
        data = with_labels_of(schema, data, heads, progress)
    if progress:
        _say(f"{len(data):,} images: {amount(len(data))[1]}.")
    full_config = settings(config, model, len(data))
    every = sample_every or 200
    run = train(full_config, data, out=out, progress=progress, sample_every=every, **options)
    _draw_before_after(folder, run, progress)
    return run


def planned(
    model: str | os.PathLike,
    data: str | os.PathLike | PackedDataset,
    out: str | os.PathLike,
    **overrides: Any,
) -> Config:
    """The settings of `fine_tune`, as far as they are known before images are read; trains nothing.

    Args:
        model, data, out: as for `fine_tune`.
        **overrides: any field of `Config`.

    Raises:
        ValueError: for what `fine_tune` refuses before it reads images.
    """
    config, _ = _model(model, zoo.locate(model))
    count = plan.count_images(data, config.image_size, enough=AMOUNTS[-1][0])
    if count is None:
        raise ValueError(
            "--dry-run with --from counts the images, whose number decides rates and changes. "
            f"Received: {data!r}, which does not tell. Give a folder of images."
        )
    _check_count(count)
    config = plan.recipe_config(settings(config, model, count), **overrides)
    plan.check_begun(config, data, out)
    return config


def _check_count(count: int) -> None:
    if count < FEWEST:
        raise ValueError(f"Fine-tuning needs {FEWEST} images at least. Received: {count}.")


def settings(config: Config, model: str | os.PathLike, count: int) -> Config:
    """The settings to go on with from those of a model, for so many images."""
    changes = {"start": os.fspath(model), "condition_on": "all", "lr_decay_start": None}
    # A second discriminator does not ship: it would begin anew, after 50,000 images.
    changes["projected"] = None
    changes["ema_half_life"] = HALF_LIFE
    few = count < FEW
    for name in ("g_lr", "d_lr"):
        rate = getattr(config, name)
        rate = rate.start if isinstance(rate, Schedule) else rate
        changes[name] = RATE_OF_FEW if few else min(rate, RATE)
    batch = min(config.batch_size, count)
    changes["batch_size"] = batch - batch % 2
    changes["critic_steps"] = changes["accumulation"] = 1
    if config.loss in ("non_saturating", "minimax", "hinge"):  # whose logits have a sign
        changes |= {"augment": "color,translation", "augment_target": None if few else 0.6}
        changes |= {"augment_probability": CHANGED if few else 1.0, "augment_ramp": 50_000}
    if few and config.penalty == "r1":
        weight = config.penalty_weight
        final = weight.end if isinstance(weight, Schedule) else weight
        changes["penalty_weight"] = max(final or 0.0, PENALTY_OF_FEW)
    changes["freeze_discriminator"] = amount(count)[0]
    return config.override(**changes)


def amount(count: int) -> tuple[int, str]:
    """For so many images: how many stages of the discriminator stay, and what to expect."""
    for fewer, stages, expectation in AMOUNTS:
        if count < fewer:
            return stages, expectation
    return 0, PLENTY


def with_labels_of(
    schema: LabelSchema, data: PackedDataset, add: bool = True, progress: bool = False
) -> PackedDataset:
    """The same images with the labels of a model, and then those of their own that it lacks.

    What the images say of the model's labels counts; the rest is estimated where the tagger knows
    it, and else not known. The set is kept in the cache.

    Args:
        schema: the model's.
        data: the images.
        add: False leaves those of their own out, for networks that have no room for more.
        progress: show a progress bar, and say what was done.
    """
    from tfanime.tagging import load_tagger

    tagger = load_tagger()
    frequent = LabelSchema(schema.fields)  # without examples, which are of other images
    own = data.schema.fields if add and data.schema is not None else ()
    wanted_names = {field.name for field in schema.fields}
    added = tuple(f for f in own if f.kind != "vector" and f.name not in wanted_names)
    joined = LabelSchema((*frequent.fields, *added))
    rows: np.ndarray = np.full((len(data), joined.size), np.nan, np.float32)
    if data.schema is not None:
        rows = joined.convert(data.labels(), data.schema)
    estimated = np.isnan(frequent.convert(np.ones((1, tagger.schema.size)), tagger.schema))
    needed = bool((np.isnan(rows[:, : schema.size]) & ~estimated).any())
    place = _place(data, joined, tagger.identity if needed else "")
    sources = [] if data.labels_from is None else [data.labels_from]
    if needed:
        sources.insert(0, f"estimated by {tagger.name}")
    if not place.exists():
        if needed:
            scores = tagger.labels(data.images(), progress)
            guessed = joined.convert(scores, tagger.schema)
            rows = np.where(np.isnan(rows), guessed, rows)
        check_cache(place.parent)
        with replacing(place) as folder:
            writer = Writer(folder, data.height, data.width)
            for start in range(0, len(data), 512):
                for image in data.images(slice(start, start + 512)):
                    writer.add(image)
            writer.finish(rows, joined, labels_from=sources[0] if sources else None)
    if progress:
        if needed:
            names = ", ".join(f.name for f in frequent.fields)
            _say(f"Labels that the images lack are estimated by {tagger.name}, of: {names}.")
        if added:
            _say(f"Labels of your own: {', '.join(field.name for field in added)}.")
        _say(f"Images and labels: {place}")
    return PackedDataset.open(place)


def _place(data: PackedDataset, schema: LabelSchema, identity: str) -> Path:
    content = json.dumps([data.sha256, schema.to_json(), identity], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    return cache_folder() / f"fine-tuning-{data.width}x{data.height}-{key}"


def _model(model: str | os.PathLike, folder: Path) -> tuple[Config, LabelSchema | None]:
    """Settings and labels of a model that can be trained on."""
    if kind_of(folder) != GENERATOR:
        raise ValueError(
            f"Fine-tuning begins with a generator. Received: {os.fspath(model)!r}, an upscaler: "
            "tfanime train lineart --set start=... trains one on."
        )
    if not (folder / "config.json").is_file():
        raise ValueError(
            "Fine-tuning begins with a run, or a model that ships, which say their settings in "
            f"config.json. Received: {os.fspath(model)!r}, which has none."
        )
    config, _ = described(folder / "config.json")
    schema = load_schema(folder)
    if schema is not None and schema.vector_size:
        raise ValueError(
            "Fine-tuning adds labels by name, and cannot write the texts of a model that draws "
            f"from texts. Received: {os.fspath(model)!r}. Train with --set start={model} on data "
            "with texts of their own."
        )
    if schema is not None and schema.examples is not None:
        config = config.override(prior="rows")  # those of the new images
    return config, schema


def _draw_before_after(model: Path, run: Run, progress: bool) -> None:
    """The same seeds, above by the model and below by the run; with the run's labels."""
    try:
        after = generate(run.path, SHOWN, upscale=NONE)
        before = load_schema(model)
        rows = None
        if before is not None and after.labels is not None and after.schema is not None:
            rows = before.convert(after.labels, after.schema)
        start = generate(model, SHOWN, labels=rows, upscale=NONE)
        pictures = [start.images, after.images]
        save_grid(run.path / BEFORE_AFTER, np.concatenate(pictures), SHOWN)
    except Exception as error:  # it shows the training, and is no part of it
        _say(f"Note: {BEFORE_AFTER} could not be drawn ({error}).")
        return
    if progress:
        _say(f"Before and after: {run.path / BEFORE_AFTER}")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
