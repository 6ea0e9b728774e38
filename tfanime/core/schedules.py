"""Numbers that change while a run trains: rates, weights, half-lives."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEYS = ("start", "end", "images", "after")


@dataclass(frozen=True)
class Schedule:
    """From one value to another along half a cosine, and then that one (Huang et al. 2024).

    Args:
        start: the value up to `after` images.
        end: the value from `after + images` images on.
        images: real images over which it changes, at least 1.
        after: real images before it begins to change.

    Example:
        >>> Schedule(1.0, 0.0, images=100)(50)
        0.5
    """

    start: float
    end: float
    images: int
    after: int = 0

    def __post_init__(self):
        numbers = dataclasses.astuple(self)
        right = all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers)
        if not right or self.images < 1 or self.after < 0:
            raise ValueError(
                "A schedule has finite numbers only: `start` and `end`, at least 1 `images` and at "
                f"least 0 images `after` which it begins. Received: {dataclasses.asdict(self)}."
            )

    def __call__(self, images):
        """The value after so many images: a number for a number, else a float32 scalar."""
        if isinstance(images, (int, float)):
            share = min(max((images - self.after) / self.images, 0.0), 1.0)
            return self.end + (self.start - self.end) * (1 + math.cos(math.pi * share)) / 2
        from keras import ops

        share = ops.clip((ops.cast(images, "float32") - self.after) / self.images, 0.0, 1.0)
        return self.end + (self.start - self.end) * (1.0 + ops.cos(math.pi * share)) / 2.0

    @property
    def values(self) -> tuple[float, float]:
        """Between which it stays."""
        return self.start, self.end

    def to_json(self) -> dict:
        return dataclasses.asdict(self)


def read(value: Any) -> Any:
    """A `Schedule` where `value` is a mapping, `{"start": 1, "end": 0, "images": 1000}`; else
    `value` itself.

    Raises:
        ValueError: for a mapping with other keys.
    """
    if not isinstance(value, Mapping):
        return value
    if not {"start", "end", "images"} <= set(value) <= set(KEYS):
        raise ValueError(
            f"A schedule has the keys {', '.join(KEYS[:3])} and perhaps {KEYS[3]}. "
            f"Received: {', '.join(map(str, value)) or 'none'}."
        )
    return Schedule(**value)


def at(value: float | Schedule, images):
    """What `value` is after so many real images."""
    return value(images) if isinstance(value, Schedule) else value
