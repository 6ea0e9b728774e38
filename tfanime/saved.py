"""A trained generator on disk: `generator.keras` (weights and graph) and `generator.json`.

Everything behind training reads only these two files, whoever wrote them. A run folder holds
them beside its checkpoints; they are the averaged generator of the newest checkpoint.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.files import atomic_path, read_json, write_json
from tfanime.labels import LabelSchema

if TYPE_CHECKING:
    import keras

WEIGHTS = "generator.keras"
DESCRIPTION = "generator.json"


@dataclass(frozen=True)
class Generator:
    """A trained generator and what is needed to draw with it.

    Args:
        model: from latents, or `[latents, labels]`, to pictures (see `tfanime.models`).
        schema: of the labels; None when unconditional.
        name: shown to users.
    """

    model: keras.Model
    schema: LabelSchema | None
    name: str

    @property
    def latent_dim(self) -> int:
        return int(self.model.inputs[0].shape[-1])

    @property
    def height(self) -> int:
        return int(self.model.output_shape[1])

    @property
    def width(self) -> int:
        return int(self.model.output_shape[2])

    def __call__(self, latents: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Draws one batch.

        Args:
            latents: `(B, latent_dim)` float32.
            labels: `(B, schema.size)` float32, -1/+1 coding; None when unconditional.

        Returns:
            `(B, H, W, 3)` float32 in [-1, 1].
        """
        inputs = [latents, labels] if len(self.model.inputs) == 2 else latents
        return np.asarray(self.model(inputs, training=False), np.float32)


def save_generator(
    folder: str | os.PathLike, model: keras.Model, schema: LabelSchema | None, name: str
) -> None:
    """Writes the two files, each atomically."""
    folder = Path(folder)
    with atomic_path(folder / WEIGHTS) as temporary:
        model.save(temporary)
    description = {
        "name": name,
        "latent_dim": int(model.inputs[0].shape[-1]),
        "height": int(model.output_shape[1]),
        "width": int(model.output_shape[2]),
        "schema": schema.to_json() if schema else None,
    }
    write_json(folder / DESCRIPTION, description)


def load_schema(folder: str | os.PathLike) -> LabelSchema | None:
    """The label schema of a saved generator, without loading its weights."""
    stored = read_json(_existing(folder) / DESCRIPTION)["schema"]
    return LabelSchema.from_json(stored) if stored else None


def load_generator(folder: str | os.PathLike) -> Generator:
    """Reads what `save_generator` wrote.

    Raises:
        FileNotFoundError: when the folder holds no generator.
    """
    import keras

    import tfanime.layers  # noqa: F401  (registers the layers that the file names)

    folder = _existing(folder)
    description = read_json(folder / DESCRIPTION)
    stored = description["schema"]
    return Generator(
        model=keras.models.load_model(folder / WEIGHTS, compile=False),
        schema=LabelSchema.from_json(stored) if stored else None,
        name=description["name"],
    )


def _existing(folder: str | os.PathLike) -> Path:
    folder = Path(folder)
    if not (folder / WEIGHTS).is_file() or not (folder / DESCRIPTION).is_file():
        raise FileNotFoundError(
            f"A run folder holds {WEIGHTS} and {DESCRIPTION}; {str(folder)!r} does not. "
            "Train one with: tfanime train modern --data drawn --minutes 9 --out RUN"
        )
    return folder
