"""`train`: recipe + data -> a run folder, resumed where it stopped.

A run folder holds `config.json`, `checkpoints/`, `log.csv`, `curves.png`, `samples/` (the real
images, then one sheet of the same latents and labels per interval), `tensorboard/`,
`report.md`, and the generator itself (`generator.keras`, `generator.json`).
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tfanime.core import usage
from tfanime.core.files import is_address
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.gans import GAN, SRGAN
from tfanime.prepare.load import load_data
from tfanime.recipes.config import Config
from tfanime.recipes.resolve import resolve
from tfanime.training import own_gan, stale_files, strategies
from tfanime.training.budget import Budget, check_budget
from tfanime.training.build import build_gan
from tfanime.training.lock import locked
from tfanime.training.plan import (
    check_data,
    check_networks,
    check_running,
    check_settings,
    conditioned_on,
    data_record,
    own_size,
    recipe_config,
    say_ignored_labels,
)
from tfanime.training.process import unchanged
from tfanime.training.run import Run
from tfanime.training.run_folder import (
    claimed,
    refuse_another_gan,
    refuse_other_decisions,
    refuse_others,
    restored,
)
from tfanime.training.trainer import Trainer


@unchanged()
def train(
    recipe: str | os.PathLike | Config | GAN,
    data: str | os.PathLike | PackedDataset,
    *,
    out: str | os.PathLike,
    size: int | str | tuple[int, int] | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    precision: str | None = None,
    strategy: str = "auto",
    sample_every: int | None = None,
    checkpoint_every: int | None = None,
    evaluate_every: int | None = None,
    tensorboard: bool = True,
    progress: bool = True,
    **overrides: Any,
) -> Run:
    """Trains, or continues training, in the folder `out`.

    Killed at any moment, the same call goes on from the newest checkpoint; on a CPU the final
    weights are those of an uninterrupted run, bit for bit. Ctrl-C saves first. A checkpoint that is
    damaged is named, and the one before it taken; logs, sheets and curves that cannot be written
    are named, and training goes on without them.

    Args:
        recipe: a name (`tfanime.recipes.names()`), the path of a file that sets `RECIPE` (a
            program, which is run), a `Config`, or a compiled `GAN`.
        data: what `load_data` takes or returns.
        out: the run folder; made, or continued when its configuration is the same.
        size: 64, "64x96" (width x height) or (height, width). Default: the data's own size
            when they have been packed, else the recipe's.
        steps, epochs, minutes: the budget: generator updates, passes through the data, or minutes
            of training over all calls; the first to be reached ends the run. At least one.
        batch_size, seed, precision: override the recipe's.
        strategy: "auto" (every GPU there is, and every worker that `TF_CONFIG` names), "none",
            "mirrored" or "multiworker".
        sample_every, checkpoint_every: steps. Defaults: an epoch; three minutes.
        evaluate_every: steps between two measurements of FID and KID, kept in `quality.csv` with
            the best generator in `best/`; see `tfanime.training.quality_curve`. Default: none.
        tensorboard: writes `tensorboard/`.
        progress: shows a progress bar.
        **overrides: any other field of `Config`.

    Raises:
        ValueError: for a bad budget or setting, for data that do not fit the recipe, or for a
            folder that holds a run with another configuration (the message lists the differences)
            or in which another process trains.
        DiskError: when a checkpoint cannot be written; those that are there are kept.
        Diverged: when a loss became NaN or infinite; the last good checkpoint is kept.
        WorkerLost: when another worker stopped or cannot be reached.
    """
    check_budget(steps, epochs, minutes)
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is at least 1. Received: {batch_size}.")
    overrides = {
        **overrides,
        "size": size,
        "batch_size": batch_size,
        "seed": seed,
        "precision": precision,
    }
    user_gan = recipe if isinstance(recipe, GAN) else None
    if user_gan and strategy not in ("auto", "none"):
        raise ValueError(
            "A GAN that is built already has its variables on one device, so strategy is 'auto' or "
            f"'none'. Received: {strategy!r}. Give a recipe or a Config instead."
        )
    if isinstance(data, (str, os.PathLike)) and is_address(data):
        data = load_data(data)
    if not user_gan and size is None and overrides.get("image_size") is None:
        # With the recipe's own size, settings for this one would be refused.
        overrides["size"] = own_size(data)
    gan_record = own_gan.described(user_gan) if user_gan else None
    out = Path(out)
    # Before the data, which may take a while to be packed or drawn.
    with usage.checked():
        if user_gan:
            config = own_gan.config_of(user_gan, overrides)
        else:
            config = recipe_config(recipe, **overrides)
            check_running(config, strategy, evaluate_every)
            check_settings(config, data, out)
        refuse_others(out, "config", config.to_json())
        if gan_record is not None:
            refuse_another_gan(out, gan_record)
        if not (user_gan or isinstance(data, PackedDataset) or is_packed(data)):
            check_networks(config, None, out)
    if not isinstance(data, PackedDataset):
        data = load_data(data, size=config.image_size, progress=progress)
    with usage.checked():
        check_data(config, data)
        if progress and not user_gan:
            say_ignored_labels(config, data.schema)
        record = data_record(data)
        everything = data
        data = conditioned_on(data, config)
        config = resolve(config, data.schema)
        refuse_others(out, "data", record)
        refuse_other_decisions(out, config, data.schema)
        if user_gan:
            own_gan.check_labels(user_gan, data.schema)
        place = strategies.make("none" if user_gan else strategy, config.batch_size)
        with place.scope():
            gan = user_gan or build_gan(config, data.schema)
    if evaluate_every and isinstance(gan, SRGAN):
        raise ValueError(
            "evaluate_every measures images drawn from noise, and an upscaler draws none. "
            "Leave it out."
        )
    budget = Budget.of(steps, epochs, minutes, len(data), config)
    # Last, so that what cannot be built leaves no folder behind.
    with locked(out) if place.chief else nullcontext():
        if place.chief:  # another process may have been faster
            refuse_others(out, "config", config.to_json())
            refuse_others(out, "data", record)
            stale_files.remove(out)
        meta = restored(gan, config, out, place.chief)
        claim = (out, config, data, everything, record, gan_record)
        with claimed(*claim) if place.chief else nullcontext():
            trainer = Trainer(
                gan,
                data,
                config,
                out,
                place,
                budget,
                sample_every,
                checkpoint_every,
                tensorboard,
                progress,
                evaluate_every,
                meta,
            )
        return trainer.run()
