"""The progress bar of a training run."""

from __future__ import annotations

from tqdm import tqdm


class Progress:
    """Counts pictures when the run ends at a step, minutes when it ends at a time.

    Args:
        trainer: what it reports on: `budget`, `step`, `seconds`, `images_per_step`, `progress`.
    """

    def __init__(self, trainer):
        self.trainer = trainer
        self.first_step, self.first_seconds = trainer.step, trainer.seconds
        by_step = trainer.budget.steps is not None
        self.bar = tqdm(
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
        return self

    def __exit__(self, *error) -> None:
        self.bar.close()

    def update(self, logs: dict[str, float]) -> None:
        trainer = self.trainer
        done = trainer.step if self.by_step else round(trainer.seconds)
        spent = max(trainer.seconds - self.first_seconds, 1e-9)
        rate = (trainer.step - self.first_step) * trainer.images_per_step / spent
        self.bar.set_postfix_str(
            f"step {trainer.step}, {rate:.0f} images/s, D {logs['d_loss']:.2f}, "
            f"G {logs['g_loss']:.2f}",
            refresh=False,
        )
        self.bar.update(min(done, self.bar.total) - self.bar.n)

    def say(self, text: str) -> None:
        self.bar.write(text)
