"""`train`: recipe + data -> a run folder, resumed where it stopped.

A run folder holds `config.json`, `checkpoints/`, `log.csv`, `curves.png`, `samples/` (the real
pictures, then one sheet of the same latents and labels per interval), `tensorboard/`,
`report.md`, and the generator itself (`generator.keras`, `generator.json`).
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import keras
import numpy as np

import tfanime
from tfanime import bounds, disk, models, notebook, recipes
from tfanime.config import Config, check_network_options
from tfanime.data import PackedDataset, load_data
from tfanime.files import atomic_path, read_json, write_json
from tfanime.gans import GAN, SRGAN
from tfanime.images import read_image
from tfanime.labels import LabelSchema
from tfanime.prepare.sources import open_source, source_kind
from tfanime.prepare.writer import is_packed
from tfanime.printing import plain
from tfanime.saved import save_generator, save_upscaler
from tfanime.training import checkpoint, devices, left_over
from tfanime.training.board import Board
from tfanime.training.build import build_gan, codes_of
from tfanime.training.described import plain_networks
from tfanime.training.evaluation import QualityCurve, remark
from tfanime.training.lock import locked
from tfanime.training.log import Log, draw_curves
from tfanime.training.process import unchanged
from tfanime.training.progress import Progress
from tfanime.training.report import write_report
from tfanime.training.samples import SampleSheets, UpscaleSheets
from tfanime.training.start import start_from
from tfanime.training.watch import ADVICE, CollapseWatch, Diverged

CONFIG = "config.json"
AVERAGES = "averages"
MINUTES_BETWEEN_CHECKPOINTS = 3.0
ARGUMENTS = ("image_size", "batch_size", "seed", "precision")


@dataclass(frozen=True)
class Run:
    """What a training left behind.

    Args:
        path: the run folder.
        step: generator updates done.
        images: real pictures seen by the discriminator, all in all.
        seconds: spent training, over all resumptions.
        finished: False when it was interrupted before its budget was used.
        warnings: of the collapse watch.
    """

    path: Path
    step: int
    images: int
    seconds: float
    finished: bool
    warnings: tuple[str, ...] = ()

    def __fspath__(self) -> str:
        return str(self.path)

    def grid(self) -> np.ndarray:
        """The sheet of the last pictures, `(h, w, 3)` uint8."""
        return np.asarray(read_image(self.path / "final.png"))

    def show(self) -> None:
        """Shows the last pictures below a notebook's cell, or in a window."""
        notebook.show(self.grid())

    def _repr_html_(self) -> str:
        rows = [("run", self.path), ("step", f"{self.step:,}"), ("images", f"{self.images:,}")]
        rows.append(("minutes", f"{self.seconds / 60:.1f}"))
        rows.append(("state", "finished" if self.finished else "stopped early"))
        rows += [("warning", text) for text in self.warnings]
        sheet = self.path / "final.png"
        return notebook.table(rows) + (notebook.image_tag(self.grid()) if sheet.is_file() else "")


def resolve(recipe: str | Config, **overrides) -> Config:
    """The configuration of a recipe with `overrides`.

    None leaves an argument of `train` as the recipe has it; for other settings it is a value.
    """
    config = recipe if isinstance(recipe, Config) else recipes.get(recipe)
    changes = {k: v for k, v in overrides.items() if v is not None or k not in ARGUMENTS}
    config = config.override(**changes)
    check_network_options(config)
    return config


@unchanged()
def train(
    recipe: str | Config | GAN,
    data,
    *,
    out: str | os.PathLike,
    image_size=None,
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
    **overrides,
) -> Run:
    """Trains, or continues training, in the folder `out`.

    Killed at any moment, the same call goes on from the newest checkpoint; on a CPU the final
    weights are those of an uninterrupted run, bit for bit. Ctrl-C saves first. A checkpoint that is
    damaged is named, and the one before it taken; logs, sheets and curves that cannot be written
    are named, and training goes on without them.

    Args:
        recipe: a name (`tfanime.recipes.names()`), a `Config`, or a compiled `GAN`.
        data: what `load_data` takes or returns.
        out: the run folder; made, or continued when its configuration is the same.
        image_size: 64, "64x96" (width x height) or (height, width). Default: the data's own size
            when they have been packed, else the recipe's.
        steps, epochs, minutes: the budget: generator updates, passes through the data, or minutes
            of training over all calls; the first to be reached ends the run. At least one.
        batch_size, seed, precision: override the recipe's.
        strategy: "auto" (every GPU there is, and every worker that `TF_CONFIG` names), "none",
            "mirrored" or "multiworker".
        sample_every, checkpoint_every: steps. Defaults: an epoch; three minutes.
        evaluate_every: steps between two measurements of FID and KID, kept in `quality.csv` with
            the best generator in `best/`; see `tfanime.training.evaluation`. Default: none.
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
    _check_budget(steps, epochs, minutes)
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is at least 1. Received: {batch_size}.")
    overrides = {
        **overrides,
        "image_size": image_size,
        "batch_size": batch_size,
        "seed": seed,
        "precision": precision,
    }
    given = recipe if isinstance(recipe, GAN) else None
    if given and strategy not in ("auto", "none"):
        raise ValueError(
            "A GAN that is built already has its variables on one device, so strategy is 'auto' or "
            f"'none'. Received: {strategy!r}. Give a recipe or a Config instead."
        )
    config = _config_of(given, overrides) if given else resolve(recipe, **overrides)
    if image_size is None and not given and (size := own_size(data)):
        config = config.override(image_size=size)
    out = Path(out)
    # Before the data, which may take a while to be packed or drawn.
    _refuse_others(out, "config", config.to_json())
    if not isinstance(data, PackedDataset):
        if not given and not is_packed(data):
            _check_before_packing(config, data)
        data = load_data(data, size=config.image_size, progress=progress)
    check_data(config, data)
    if progress and not given:
        say_ignored_labels(config, data.schema)
    described = {"count": len(data), "sha256": data.sha256}
    everything, data = data, conditioned_on(data, config)
    _refuse_others(out, "data", described)
    place = devices.make("none" if given else strategy, config.batch_size)
    with place.scope():
        gan = given or build_gan(config, data.schema)
    if evaluate_every and isinstance(gan, SRGAN):
        raise ValueError(
            "evaluate_every measures pictures drawn from noise, and an upscaler draws none. "
            "Leave it out."
        )
    budget = _Budget.of(steps, epochs, minutes, len(data), config)
    # Last, so that what cannot be built leaves no folder behind.
    with locked(out) if place.chief else nullcontext():
        if place.chief:  # another process may have been faster
            _refuse_others(out, "config", config.to_json())
            _refuse_others(out, "data", described)
            left_over.remove(out)
        meta = _restored(gan, config, out, place.chief)
        with _claimed(out, config, data, everything, described) if place.chief else nullcontext():
            trainer = _Trainer(
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


@dataclass(frozen=True)
class _Budget:
    """When to stop: at a step, or after seconds of training, whichever comes first."""

    steps: int | None
    seconds: float | None

    @classmethod
    def of(cls, steps, epochs, minutes, count: int, config: Config) -> _Budget:
        if epochs is not None:
            per_step = config.batch_size * config.critic_steps
            in_steps = max(1, round(epochs * count / per_step))
            steps = in_steps if steps is None else min(steps, in_steps)
        return cls(steps, None if minutes is None else minutes * 60.0)

    def used(self, step: int, seconds: float) -> bool:
        return (self.steps is not None and step >= self.steps) or (
            self.seconds is not None and seconds >= self.seconds
        )


class _Trainer:
    """The loop, and what it does beside training."""

    def __init__(
        self,
        gan: GAN,
        data,
        config: Config,
        out: Path,
        place: devices.OneDevice,
        budget: _Budget,
        sample_every,
        checkpoint_every,
        tensorboard: bool,
        progress: bool,
        evaluate_every: int | None,
        meta: dict,
    ):
        self.gan, self.data, self.config, self.out = gan, data, config, out
        self.place, self.budget = place, budget
        # One worker writes and draws; the others only compute.
        self.chief = place.chief
        self.progress = progress and self.chief
        self.images_per_step = config.batch_size * config.critic_steps
        epoch = max(1, len(data) // self.images_per_step)
        self.sample_every = sample_every or epoch
        self.checkpoint_every = checkpoint_every
        self.step, self.seconds_before = meta.get("step", 0), meta.get("seconds", 0.0)
        self.warnings: list[str] = meta.get("warnings", [])
        self.started: float | None = None  # when the first step was done
        self.saved_at = time.monotonic()
        self.watch = CollapseWatch(gan, meta.get("watch"))
        self.evaluate_every = evaluate_every if self.chief else None
        self.log = self.sheets = self.quality = None
        if self.chief:
            every = max(1, min(50, self.sample_every))
            self.log = Log(out, every, self.step, meta.get("log"))
            sheets = UpscaleSheets if isinstance(gan, SRGAN) else SampleSheets
            self.sheets = sheets(out, gan, data, config)
            self.quality = _quality_curve(self) if evaluate_every else None
        self.board = Board(out, tensorboard and self.chief)
        self.failing: set[str] = set()

    @property
    def seconds(self) -> float:
        """Of training. Until the first step is done the graph is built, which is none."""
        now = time.monotonic()
        return self.seconds_before + now - (now if self.started is None else self.started)

    def run(self) -> Run:
        if self.chief:
            first = self._beside("the first sheets", self.sheets.start, self.step)
            for name, sheet in (first or {}).items():
                self._beside("tensorboard/", self.board.show, self.step, name, sheet)
        if self.step == 0:
            # From here on there is something to generate from and to resume.
            self._save()
        else:
            self._compare(checkpoint.arrays_of(self.gan))
        if self.step and self.progress:
            print(self._continuing(), file=sys.stderr)
        with _interrupts() as interrupted, Progress(self) as bar:
            try:
                self._loop(interrupted, bar)
                self._save()
            except Diverged as error:
                kept = checkpoint.restore_newest(self.gan, self.out, keep_damaged=True)["step"]
                self.warnings.append(str(error))
                self._finish(finished=False)
                raise Diverged(
                    f"{error} Training stopped; the last good checkpoint is step-{kept:09d}. "
                    f"{ADVICE['nan']}"
                ) from None
        return self._finish(self.budget.used(self.step, self.seconds))

    def _loop(self, interrupted: Callable[[], bool], bar: Progress) -> None:
        if self.place.total(int(self.chief and self.budget.used(self.step, self.seconds))):
            return
        train_step = self.place.step_function(self.gan)
        batches = self.place.batches(
            self.data.balanced(self.config.rare_share) if self.config.rare_share else self.data,
            self.images_per_step,
            self.config.critic_steps,
            start_step=self.step,
            seed=self.config.seed,
            flip=self.config.flip,
            prior=_prior(self.config),
        )
        for batch in batches:
            logs, heard = train_step(batch, self._said(interrupted()))
            self.step += 1
            if self.started is None:
                self.started = time.monotonic()
                bar.begin()
            if self.place.workers == 1:
                heard = self._said(interrupted())
            stop, save = heard
            self._after_step(logs, bar, save)
            if stop or self.budget.used(self.step, 0.0):
                return

    def _continuing(self) -> str:
        """Where a run stands that was begun before."""
        steps, seconds = self.budget.steps, self.budget.seconds
        if steps is not None:
            place = f"step {self.step:,} of {steps:,}"
        else:
            place = f"step {self.step:,}, {self.seconds / 60:.1f} of {seconds / 60:g} minutes"
        if self.budget.used(self.step, self.seconds):
            return f"{self.out} is already finished: {place}. A larger budget continues it."
        return f"Continuing {self.out} from {place}."

    def _said(self, interrupted: bool) -> list[int]:
        """Whether to stop and whether to save, by the clock and by signals: workers do both at
        the same step or wait for each other for ever, so they agree on it with every step."""
        stop = self.chief and self.budget.used(self.step, self.seconds)
        return [int(interrupted or stop), int(self.chief and self._clock_says_save())]

    def _after_step(self, logs: dict[str, float], bar: Progress, save: int) -> None:
        for warning in self.watch.see(self.step, logs):
            self.warnings.append(warning)
            bar.say(f"Warning: {warning}")
        if self.chief:
            self._show(logs, bar)
        if self.checkpoint_every:
            save = self.step % self.checkpoint_every == 0
        if save:
            self._save()

    def _show(self, logs: dict[str, float], bar: Progress) -> None:
        """Log, progress bar, sheets and quality of one step."""
        means = self._beside("log.csv", self.log.add, self.step, logs, self.images_per_step)
        self._beside("tensorboard/", self.board.add, self.step, means or {})
        bar.update(logs)
        if self.step % self.sample_every == 0:
            sheet = self._beside("samples/", self.sheets.draw, self.step)
            if sheet is not None:
                self._beside("tensorboard/", self.board.show, self.step, "samples", sheet)
            self._beside("curves.png", draw_curves, self.out)
        if self.quality and self.step % self.evaluate_every == 0:
            figures = self._beside("quality.csv", self.quality.measure, self.step)
            if figures:
                few = remark(self.quality.meter.count)
                bar.say(
                    f"Step {self.step}: FID {figures['fid']:.3f}, KID {figures['kid']:.4f}{few}"
                )
                figures = {f"quality/{name}": value for name, value in figures.items()}
                self._beside("tensorboard/", self.board.add, self.step, figures)

    def _beside(self, what: str, work: Callable, *arguments):
        """Does what shows the training and is no part of it. When it fails, a note says so once,
        and training goes on; it returns None then."""
        try:
            done = work(*arguments)
        except Exception as error:
            if what not in self.failing:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                note = f"Note: {what} of {self.out} could not be written ({reason})"
                print(f"\n{note}. Training goes on without it.", file=sys.stderr)
            self.failing.add(what)
            return None
        self.failing.discard(what)
        return done

    def _clock_says_save(self) -> bool:
        if self.checkpoint_every:
            return False
        return time.monotonic() - self.saved_at > MINUTES_BETWEEN_CHECKPOINTS * 60

    def _save(self) -> None:
        """Saves the run; every worker takes part, so that all notice when they differ."""
        try:
            arrays = checkpoint.arrays_of(self.gan)
        except checkpoint.NotFinite as error:
            raise Diverged(f"At step {self.step} {error}.") from None
        self._compare(arrays)
        self.saved_at = time.monotonic()
        if not self.chief:
            return
        checkpoint.save(arrays, self.out, self._meta())
        name = self.config.recipe
        models = {self.out: self.gan.ema_generator}
        for half_life, model in zip(self.gan.more_averages, self.gan.averages, strict=True):
            models[self.out / AVERAGES / f"{half_life:g}"] = model
        for folder, model in models.items():
            if isinstance(self.gan, SRGAN):
                save_upscaler(folder, model, self.gan.factor, name)
            else:
                save_generator(folder, model, _conditional_schema(self.gan), name)

    def _compare(self, arrays: dict) -> None:
        """Stops workers whose weights are not the same to the last bit."""
        if self.place.workers > 1:
            digest = checkpoint.digest(arrays)
            if self.place.total(digest) != self.place.workers * digest:
                raise devices.WorkerLost(
                    f"Workers hold the same weights, and at step {self.step} they do not. Check "
                    "that all run the same versions and see the same run folder, and start all "
                    "again: the run continues from its newest checkpoint."
                )

    def _meta(self) -> dict:
        """What a checkpoint holds besides weights."""
        return {
            "seconds": self.seconds,
            "warnings": self.warnings,
            "log": self.log.state(),
            "watch": self.watch.state(),
        }

    def _finish(self, finished: bool) -> Run:
        if self.chief:
            self._beside("log.csv", self.log.flush, self.step, self.images_per_step)
            self._beside("final.png", self.sheets.draw_final)
            self._beside("curves.png", draw_curves, self.out)
        run = Run(
            self.out,
            self.step,
            self.step * self.images_per_step,
            self.seconds,
            finished,
            tuple(self.warnings),
        )
        if self.chief:
            self._beside("report.md", write_report, run, self.config)
        self._beside("tensorboard/", self.board.close)
        # Nobody leaves before the chief has written everything.
        self.place.total(0)
        return run


# ---- checks before anything is written ---------------------------------------------------------


def _check_budget(steps, epochs, minutes) -> None:
    given = {"steps": steps, "epochs": epochs, "minutes": minutes}
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        raise ValueError("A run needs a budget: give steps, epochs or minutes. Received none.")
    for name, value in given.items():
        if not value > 0:
            raise ValueError(f"{name} is greater than 0. Received: {value}.")


def own_size(data) -> tuple[int, int] | None:
    """The size of pictures that are packed already."""
    if hasattr(data, "height"):
        return data.height, data.width
    if not isinstance(data, (str, os.PathLike)) or not is_packed(data):
        return None
    stored = read_json(Path(data) / "dataset.json")
    return stored["height"], stored["width"]


def _config_of(gan: GAN, overrides: dict) -> Config:
    """What can be said of a GAN that the user built: size, objective, batch, seed."""
    # Not the generator's output: an upscaler's has any size.
    height, width = gan.discriminator.inputs[0].shape[1:3]
    config = Config(
        recipe="custom",
        image_size=(height, width),
        latent_dim=gan.latent_dim,
        conditioning=_conditioning_of(gan),
        loss=gan.loss_pair.name,
        critic_steps=gan.critic_steps,
        updates=gan.updates,
        seed=gan.seed,
    )
    changes = {k: v for k, v in overrides.items() if v is not None}
    allowed = {"batch_size", "flip", "prior"}
    unknown = sorted(set(changes) - allowed)
    if unknown:
        raise ValueError(
            f"A GAN that is built already takes only {', '.join(sorted(allowed))}. "
            f"Received: {', '.join(unknown)}."
        )
    return config.override(**changes)


def _conditioning_of(gan: GAN) -> str:
    if gan.head is not None:
        return "ac" if gan.head_on_real else "infogan"
    return "concat" if gan.conditional_discriminator else "none"


def check_data(config: Config, data) -> None:
    if (data.height, data.width) != config.image_size:
        height, width = config.image_size
        raise ValueError(
            f"The pictures are {data.width}x{data.height} and the run is to be {width}x{height}. "
            f"Prepare them with --size {width}x{height}, or train with "
            f"--size {data.width}x{data.height}."
        )
    _check_count(config, len(data))


def _check_count(config: Config, count: int) -> None:
    needed = config.batch_size * config.critic_steps
    if count < needed:
        raise ValueError(
            f"One step takes {needed} pictures and the data hold {count}. "
            "Lower batch_size (--batch) or add pictures."
        )


def say_ignored_labels(config: Config, schema: LabelSchema | None) -> None:
    """Says that a recipe makes nothing of the labels that the data have."""
    if schema is None or config.conditioning != "none":
        return
    if config.generator["name"] in models.UPSCALERS:
        return
    names = [field.name for field in schema.fields]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    print(
        f"Note: the recipe {config.recipe!r} ignores the labels of the data ({plain(shown)}), so "
        "that nothing can be asked for when drawing. 'modern' learns them.",
        file=sys.stderr,
    )


def check_plan(config: Config, source: str | os.PathLike, out: str | os.PathLike) -> None:
    """Refuses what `train` would refuse, and trains nothing.

    Args:
        config: the resolved configuration.
        source: what `load_data` takes.
        out: the run folder.
    """
    _refuse_others(Path(out), "config", config.to_json())
    if not is_packed(source):
        _check_before_packing(config, source)
        return
    data = PackedDataset.open(source)
    check_data(config, data)
    say_ignored_labels(config, data.schema)
    plain_networks(config, conditioned_on(data, config).schema)


def _check_before_packing(config: Config, source: str | os.PathLike) -> None:
    """Finds in seconds what would else be found once all pictures are packed or drawn: networks
    that cannot be of this size, and too few pictures."""
    # What labels there will be is not known yet.
    plain_networks(
        config.override(
            conditioning="none",
            categorical_codes=None,
            continuous_codes=None,
            text_augmentation=0,
            label_embedding=0,
        ),
        None,
    )
    if str(source) == "drawn" or source_kind(Path(source)) == "tar":
        return  # a tar may have to be unpacked to be counted
    with open_source(source) as found:
        _check_count(config, len(found.names))


def conditioned_on(data, config: Config):
    """The data with those labels only that the run is conditioned on, and its codes; and rows of
    labels to draw from if its prior is that."""
    if config.condition_on != "all":
        data = data.select([name.strip() for name in config.condition_on.split(",")])
    if codes := codes_of(config, data.schema):
        data = data.with_codes(codes)
    if config.prior == "rows" and data.schema is not None:
        data = data.with_rows()
    return data


def _refuse_others(out: Path, part: str, now: dict) -> None:
    """Refuses a folder that holds anything but a run of the same configuration and data."""
    file = out / CONFIG
    if file.exists():
        before = _record(out, part)
        if part == "data" and before.get("sha256") != now["sha256"]:
            raise ValueError(
                f"The folder {str(out)!r} holds a run on other data: {before.get('count')} images "
                f"there, {now['count']} here, and those or their labels differ. Choose another "
                "--out, or the same data."
            )
        if part == "config":
            # Settings that did not exist then have their defaults, which change nothing.
            before = {**Config(before["recipe"]).to_json(), **before}
        differing = [
            f"{key} (there {before.get(key)!r}, now {now.get(key)!r})"
            for key in sorted(set(before) | set(now))
            if before.get(key) != now.get(key)
        ]
        if differing:
            raise ValueError(
                f"The folder {str(out)!r} holds a run with other {part}: {'; '.join(differing)}. "
                "Choose another --out, or the same settings."
            )
    # Hidden files may be what a killed process was writing.
    elif out.exists() and any(not file.name.startswith(".") for file in out.iterdir()):
        raise ValueError(
            f"The folder {str(out)!r} is not empty and holds no run. Choose another --out."
        )


def _record(out: Path, part: str) -> dict:
    """A part of a run's `config.json`; that of its newest checkpoint when it is damaged."""
    try:
        return _part(out / CONFIG, part)
    except (OSError, ValueError) as error:
        disk.check(error, out / CONFIG)
        problem = error
    for folder in reversed(checkpoint.checkpoints(out)):
        try:
            stored = _part(folder / CONFIG, part)
        except (OSError, ValueError) as error:
            disk.check(error, folder / CONFIG)
            continue
        print(f"{problem} Going on with the one of {folder.name}.", file=sys.stderr)
        with atomic_path(out / CONFIG) as temporary:
            shutil.copyfile(folder / CONFIG, temporary)
        return stored
    raise ValueError(f"{problem} No checkpoint has another one: choose another --out.")


def _part(path: Path, name: str) -> dict:
    part = bounds.read_object(path).get(name)
    if not isinstance(part, dict):
        raise ValueError(f"{str(path)!r} is damaged: it does not say {name!r}.")
    return part


def _restored(gan: GAN, config: Config, out: Path, chief: bool) -> dict:
    """Gives the GAN the weights of the newest checkpoint, or those that it starts from; returns
    what the checkpoint says, an empty dictionary for a new run."""
    if checkpoint.checkpoints(out):
        return checkpoint.restore_newest(gan, out, keep_damaged=not chief)
    if config.start is not None:
        start_from(gan, config.start)
    return {}


@contextmanager
def _claimed(
    out: Path, config: Config, data: PackedDataset, everything: PackedDataset, described: dict
) -> Iterator[None]:
    """Makes the folder one of this run; a new one is given up again when what follows fails."""
    if (out / CONFIG).exists():
        yield
        return
    try:
        _claim(out, config, data, described)
        if getattr(data, "texts", ()):
            from tfanime.text.kept import keep_texts

            keep_texts(data, everything, out)
        yield
    except BaseException:
        (out / CONFIG).unlink(missing_ok=True)
        shutil.rmtree(out / "text", ignore_errors=True)
        raise


def _claim(out: Path, config: Config, data: PackedDataset, described: dict) -> None:
    """Writes `config.json`."""
    versions = {
        "tfanime": tfanime.__version__,
        "keras": keras.__version__,
        keras.backend.backend(): import_module(keras.backend.backend()).__version__,
    }
    stored = {
        "config": config.to_json(),
        "data": described,
        "labels": data.schema.to_json() if data.schema else None,
        "labels_from": data.labels_from,
        "versions": versions,
    }
    write_json(out / CONFIG, stored)


def _prior(config: Config) -> str | None:
    return None if config.prior in ("data", "rows") else config.prior


def _quality_curve(trainer: _Trainer) -> QualityCurve:
    schema = _conditional_schema(trainer.gan)
    return QualityCurve(
        trainer.out, trainer.gan, trainer.data, trainer.config, schema, trainer.step
    )


def _conditional_schema(gan: GAN) -> LabelSchema | None:
    return gan.schema if gan.conditional_generator else None


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C or SIGTERM into a wish to stop after the running step."""
    wished = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wished.is_set
        return

    def on_signal(number, frame):
        if wished.is_set():
            raise KeyboardInterrupt
        wished.set()
        print("\nStopping after this step and saving ...", file=sys.stderr)

    before = {kind: signal.signal(kind, on_signal) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wished.is_set
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
