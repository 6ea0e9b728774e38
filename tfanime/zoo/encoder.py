"""The encoder of a saved generator: `encoder.keras` and `encoder.json`, beside its weights.

`tfanime encoder` trains it (`tfanime.editing.encoder`), and `tfanime invert` begins with what it
says. It belongs to the weights that it was trained for: `encoder.json` says which, and others
refuse it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core.images import to_float
from tfanime.zoo.beside import load_beside, or_note

if TYPE_CHECKING:
    import keras

    from tfanime.zoo.saved import Generator

NETWORK, DESCRIPTION = "encoder.keras", "encoder.json"
TRAIN = "Train it: tfanime encoder {}"
CHUNK = 32  # images a network call


@dataclass(frozen=True)
class Encoder:
    """What tells an image's latent and labels.

    Args:
        model: from images `(B, H, W, 3)` float32 in [-1, 1] to `(B, latent_dim + L)`: latents,
            then logits of labels (`tfanime.models.encoder`).
        latent_dim: numbers of a latent.
    """

    model: keras.Model
    latent_dim: int

    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Latents `(n, latent_dim)` and logits of labels `(n, L)`, float32, of images `(n, H, W,
        3)` uint8."""
        parts = [
            np.asarray(self.model(to_float(pictures[i : i + CHUNK]), training=False))
            for i in range(0, len(pictures), CHUNK)
        ]
        outputs = np.concatenate(parts).astype(np.float32)
        return outputs[:, : self.latent_dim], outputs[:, self.latent_dim :]


def has_encoder(folder: str | os.PathLike | None) -> bool:
    """Whether a folder has an encoder, of whichever weights."""
    return folder is not None and (Path(folder) / NETWORK).is_file()


def load_encoder(folder: str | os.PathLike, generator: Generator) -> Encoder:
    """The encoder of a saved generator.

    Args:
        folder: of the saved generator.
        generator: what was loaded from there.

    Raises:
        ValueError: where there is none, it was trained for other weights, or its files are damaged.
    """
    labels = 0 if generator.schema is None else generator.schema.size
    outputs, harm = generator.latent_dim + labels, "and says other faces than these draw"
    train = TRAIN.format(folder)
    model, _ = load_beside(Path(folder), "encoder", generator, outputs, harm, train)
    return Encoder(model, generator.latent_dim)


def encoder_of(generator: Any, what: str) -> Encoder | None:
    """The encoder of a loaded generator: None where it has none, and, with a note, where it was
    trained for other weights.

    Args:
        what: then happens, as the note says it.
    """
    there = has_encoder(getattr(generator, "folder", None))
    return or_note(load_encoder, generator, what) if there else None
