"""The loop, and what it does beside training."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tfanime.core.labels import LabelSchema
from tfanime.gans import GAN, SRGAN
from tfanime.recipes.config import Config
from tfanime.training import checkpoint, devices
from tfanime.training.board import Board
from tfanime.training.budget import Budget
from tfanime.training.collapse import ADVICE, CollapseWatch, Diverged
from tfanime.training.log import Log, draw_curves
from tfanime.training.progress import Progress
from tfanime.training.quality_curve import QualityCurve, remark
from tfanime.training.report import write_report
from tfanime.training.run import Run
from tfanime.training.samples import SampleSheets, UpscaleSheets
from tfanime.zoo.saved import save_generator, save_upscaler

AVERAGES = "averages"
MINUTES_BETWEEN_CHECKPOINTS = 3.0


class Trainer:
    """The loop, and what it does beside training."""

    def __init__(
        self,
        gan: GAN,
        data,
        config: Config,
        out: Path,
        place: devices.OneDevice,
        budget: Budget,
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
        # A run counts its own steps, also where a GAN of the user's has been trained before.
        self.steps_before = meta.get(checkpoint.BEFORE, 0) if meta else int(gan.steps_done.numpy())
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
            first = self._side_work("the first sheets", self.sheets.start, self.step)
            for name, sheet in (first or {}).items():
                self._side_work("tensorboard/", self.board.show, self.step, name, sheet)
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
                step = checkpoint.restore_newest(self.gan, self.out, keep_damaged=True)["step"]
                self.warnings.append(str(error))
                self._finish(finished=False)
                raise Diverged(
                    f"{error} Training stopped; the last good checkpoint is step-{step:09d}. "
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
            logs, wishes = train_step(batch, self._wishes(interrupted()))
            self.step += 1
            if self.started is None:
                self.started = time.monotonic()
                bar.begin()
            if self.place.workers == 1:
                wishes = self._wishes(interrupted())
            stop, save = wishes
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

    def _wishes(self, interrupted: bool) -> list[int]:
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
        means = self._side_work("log.csv", self.log.add, self.step, logs, self.images_per_step)
        self._side_work("tensorboard/", self.board.add, self.step, means or {})
        bar.update(logs)
        if self.step % self.sample_every == 0:
            sheet = self._side_work("samples/", self.sheets.draw, self.step)
            if sheet is not None:
                self._side_work("tensorboard/", self.board.show, self.step, "samples", sheet)
            self._side_work("curves.png", draw_curves, self.out)
        if self.quality and self.step % self.evaluate_every == 0:
            figures = self._side_work("quality.csv", self.quality.measure, self.step)
            if figures:
                few = remark(self.quality.meter.count)
                bar.say(
                    f"Step {self.step}: FID {figures['fid']:.3f}, KID {figures['kid']:.4f}{few}"
                )
                figures = {f"quality/{name}": value for name, value in figures.items()}
                self._side_work("tensorboard/", self.board.add, self.step, figures)

    def _side_work(self, what: str, work: Callable, *arguments):
        """Does what shows the training and is no part of it. When it fails, a note says so once,
        and training goes on; it returns None then."""
        try:
            result = work(*arguments)
        except Exception as error:
            if what not in self.failing:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                note = f"Note: {what} of {self.out} could not be written ({reason})"
                print(f"\n{note}. Training goes on without it.", file=sys.stderr)
            self.failing.add(what)
            return None
        self.failing.discard(what)
        return result

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
                save_generator(folder, model, conditional_schema(self.gan, self.data), name)

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
            checkpoint.BEFORE: self.steps_before,
            "seconds": self.seconds,
            "warnings": self.warnings,
            "log": self.log.state(),
            "watch": self.watch.state(),
        }

    def _finish(self, finished: bool) -> Run:
        if self.chief:
            self._side_work("log.csv", self.log.flush, self.step, self.images_per_step)
            self._side_work("final.png", self.sheets.draw_final)
            self._side_work("curves.png", draw_curves, self.out)
        run = Run(
            self.out,
            self.step,
            self.step * self.images_per_step,
            self.seconds,
            finished,
            tuple(self.warnings),
        )
        if self.chief:
            self._side_work("report.md", write_report, run, self.config)
        self._side_work("tensorboard/", self.board.close)
        # Nobody leaves before the chief has written everything.
        self.place.total(0)
        return run


def _prior(config: Config) -> str | None:
    return None if config.prior in ("data", "rows") else config.prior


def _quality_curve(trainer: Trainer) -> QualityCurve:
    schema = conditional_schema(trainer.gan, trainer.data)
    return QualityCurve(
        trainer.out, trainer.gan, trainer.data, trainer.config, schema, trainer.step
    )


def conditional_schema(gan: GAN, data) -> LabelSchema | None:
    """Of the labels that its generator takes; a GAN of the user's may leave their names to the
    data."""
    schema = data.schema if gan.schema is None else gan.schema
    return schema if gan.conditional_generator else None


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
