"""The progress bar of a training run."""

from __future__ import annotations

import sys

from tfanime.core.bars import progress_bar

BUILDING = "building (about 20 s, not counted)"


class Progress:
    """Counts images when the run ends at a step, minutes when it ends at a time.

    Args:
        trainer: what it reports on: `budget`, `step`, `seconds`, `images_per_step`, `progress`.
    """

    def __init__(self, trainer):
        self.trainer = trainer
        self.first_step, self.first_seconds = trainer.step, trainer.seconds
        by_step = trainer.budget.steps is not None
        self.bar = progress_bar(
            total=trainer.budget.steps if by_step else round(trainer.budget.seconds),
            initial=trainer.step if by_step else round(trainer.seconds),
            unit="step" if by_step else "s",
            bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
            disable=not trainer.progress,
            dynamic_ncols=True,
            mininterval=0.5,
        )
        self.by_step = by_step

    def __enter__(self) -> Progress:
        if not self.trainer.budget.used(self.trainer.step, self.trainer.seconds):
            self.bar.set_postfix_str(BUILDING)
        return self

    def __exit__(self, *error) -> None:
        self.bar.close()

    def begin(self) -> None:
        """After the first step, before which the graph of a step was built."""
        self.first_step, self.first_seconds = self.trainer.step, self.trainer.seconds
        self.bar.unpause()

    def update(self, logs: dict[str, float]) -> None:
        trainer = self.trainer
        value = trainer.step if self.by_step else round(trainer.seconds)
        steps, spent = trainer.step - self.first_step, trainer.seconds - self.first_seconds
        speed = f"{steps * trainer.images_per_step / spent:.0f} images/s, " if spent else ""
        self.bar.set_postfix_str(
            f"step {trainer.step}, {speed}D {logs['d_loss']:.2f}, G {logs['g_loss']:.2f}",
            refresh=False,
        )
        self.bar.update(min(value, self.bar.total) - self.bar.n)

    def say(self, text: str) -> None:
        self.bar.write(text, file=sys.stderr)
