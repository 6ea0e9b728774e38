"""When a training stops."""

from __future__ import annotations

from dataclasses import dataclass

from tfanime.recipes.config import Config


def check_budget(steps, epochs, minutes) -> None:
    limits = {"steps": steps, "epochs": epochs, "minutes": minutes}
    limits = {name: value for name, value in limits.items() if value is not None}
    if not limits:
        raise ValueError("A run needs a budget: give steps, epochs or minutes. Received none.")
    for name, value in limits.items():
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} is greater than 0, and finite. Received: {value}.")


@dataclass(frozen=True)
class Budget:
    """When to stop: at a step, or after seconds of training, whichever comes first."""

    steps: int | None
    seconds: float | None

    @classmethod
    def of(cls, steps, epochs, minutes, count: int, config: Config) -> Budget:
        if epochs is not None:
            per_step = config.batch_size * config.critic_steps
            in_steps = max(1, round(epochs * count / per_step))
            steps = in_steps if steps is None else min(steps, in_steps)
        return cls(steps, None if minutes is None else minutes * 60.0)

    def used(self, step: int, seconds: float) -> bool:
        return (self.steps is not None and step >= self.steps) or (
            self.seconds is not None and seconds >= self.seconds
        )
