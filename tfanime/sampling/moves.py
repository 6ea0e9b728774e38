"""Moving latents along the directions that are stored with a model."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from tfanime.core.printing import near_miss
from tfanime.zoo.directions import FIND, Direction, load_directions

if TYPE_CHECKING:
    from tfanime.zoo.saved import Generator

FURTHEST = 20.0  # standard deviations: beyond it nothing was ever learnt

Move = Mapping[str, float]


def check_move(move: Move | None) -> dict[str, float]:
    """What to move by, without the steps of 0, or a ValueError."""
    if move is not None and not isinstance(move, Mapping):
        raise ValueError(
            f"move is names of directions and how far, {{'smile': 1.5}}. Received: {move!r}."
        )
    for name, x in (move or {}).items():
        right = isinstance(x, Real) and not isinstance(x, bool) and isfinite(x)
        if not right or abs(x) > FURTHEST:
            raise ValueError(
                f"A move is a number from {-FURTHEST:g} to {FURTHEST:g}, in standard deviations of "
                f"the latents. Received: {name}={x!r}."
            )
    return {str(name): float(x) for name, x in (move or {}).items()}


def directions_of(generator: Generator) -> dict[str, Direction]:
    """The directions stored with a loaded generator, by name.

    Raises:
        ValueError: where it has none, or was not loaded from a folder; and as
            `zoo.directions.load_directions`.
    """
    folder = getattr(generator, "folder", None)
    if folder is None:
        raise ValueError(
            f"Moves need directions, which are stored in a model's folder. Received: "
            f"{generator.name!r}, which has none. {FIND.format('RUN')}"
        )
    return load_directions(folder, generator.latent_dim)


def moved(generator: Generator, z: np.ndarray, move: Move | None) -> np.ndarray:
    """Latents `(n, latent_dim)` float32, each moved by the sum of the steps.

    A step of 0 changes no bit.

    Args:
        generator: a loaded one.
        z: `(n, latent_dim)` float32.
        move: name of a direction to how far, -20 to 20 standard deviations of the latents.

    Raises:
        ValueError: for a name that is not stored, or a number out of range.
    """
    steps = check_move(move)
    if not steps:
        return z
    directions = directions_of(generator)
    spelt = {name.replace("-", "_"): name for name in directions}
    way = np.zeros(generator.latent_dim, np.float64)
    for name, x in steps.items():
        if name.replace("-", "_") not in spelt:
            raise ValueError(
                f"A direction of {generator.name} is one of: {', '.join(directions)}. Received: "
                f"{name!r}.{near_miss(name, directions)}"
            )
        way += x * directions[spelt[name.replace("-", "_")]].vector
    return (z + way).astype(np.float32) if way.any() else z
