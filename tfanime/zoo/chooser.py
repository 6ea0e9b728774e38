"""The chooser of a saved generator: `chooser.keras` and `chooser.json`, beside its weights.

A small network that tells broken images from whole ones. `tfanime judge chooser` trains it, and
`tfanime generate` and web pages pass over what it rejects (`tfanime.sampling.choosing`). It belongs
to the weights that it was trained for: `chooser.json` says which.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core.files import atomic_path, write_json
from tfanime.zoo.beside import load_beside, or_note
from tfanime.zoo.directions import weights_digest
from tfanime.zoo.plain_graph import PlainGraph

if TYPE_CHECKING:
    import keras

    from tfanime.zoo.saved import Generator

NETWORK, DESCRIPTION = "chooser.keras", "chooser.json"
RUN_OF = 8  # images: of so many in a row that are rejected, the best is shown
TRAIN = "Train it: tfanime judge chooser DIR --model {}"


@dataclass(frozen=True)
class Chooser:
    """What tells a broken image.

    Args:
        model: from images `(B, H, W, 3)` float32 in [-1, 1], as the generator draws them, to
            `(B, 1)`: about the probability that a judge finds them broken.
        border: the score above which an image is rejected.
    """

    model: keras.Model
    border: float
    _network: PlainGraph = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_network", PlainGraph(self.model))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Scores `(B,)` float32 of images `(B, H, W, 3)` float32 in [-1, 1]."""
        return self._network(images)[:, 0]


def has_chooser(folder: str | os.PathLike | None) -> bool:
    """Whether a folder has a chooser, of whichever weights."""
    return folder is not None and (Path(folder) / NETWORK).is_file()


def save_chooser(
    folder: str | os.PathLike,
    model: keras.Model,
    border: float,
    trained: dict[str, Any],
    weights: str | None = None,
) -> None:
    """Writes the two files, each atomically.

    Args:
        trained: figures of its training, kept with it.
        weights: `weights_digest` of those that it was trained for; None: of those that are there.
    """
    folder = Path(folder)
    with atomic_path(folder / NETWORK) as temporary:
        model.save(temporary)
    weights = weights or weights_digest(folder)
    record = {"weights": weights, "border": border, "trained": trained}
    write_json(folder / DESCRIPTION, record)


def load_chooser(folder: str | os.PathLike, generator: Generator) -> Chooser:
    """The chooser of a saved generator.

    Args:
        folder: of the saved generator.
        generator: what was loaded from there.

    Raises:
        ValueError: where there is none, it was trained for other weights, or its files are damaged.
    """
    folder, train = Path(folder), TRAIN.format(folder)
    harm = "which break in other ways"
    model, document = load_beside(folder, "chooser", generator, 1, harm, train)
    border = document.get("border")
    if not isinstance(border, float) or not isfinite(border):
        raise ValueError(
            f"{str(folder / DESCRIPTION)!r} says the border of a score. Received: {border!r}. "
            f"{train}"
        )
    return Chooser(model, border)


def chooser_of(generator: Any) -> Chooser | None:
    """The chooser to draw with by default: None where the generator has none, and, with a note,
    where it was trained for other weights."""
    there = has_chooser(getattr(generator, "folder", None))
    return or_note(load_chooser, generator, "images are not chosen") if there else None
