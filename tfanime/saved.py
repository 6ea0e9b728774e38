"""A trained generator on disk: `generator.keras` (weights and graph) and `generator.json`.

Everything behind training reads only these two files, whoever wrote them; the name of a model that
ships with tfanime (`tfanime.zoo`) stands for its folder. A run folder holds
them beside its checkpoints; they are the averaged generator of the newest checkpoint. An upscaler
is saved alike; `kind` in `generator.json` tells them apart (none: a generator).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime import zoo
from tfanime.files import atomic_path, read_json, write_json
from tfanime.labels import LabelSchema

if TYPE_CHECKING:
    import keras

WEIGHTS = "generator.keras"
DESCRIPTION = "generator.json"
GENERATOR, UPSCALER = KINDS = ("generator", "upscaler")
TRAIN = "tfanime train {} --data drawn --minutes 9 --out RUN"
TRAINING = {GENERATOR: TRAIN.format("modern"), UPSCALER: TRAIN.format("srgan")}


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


@dataclass(frozen=True)
class Upscaler:
    """A trained upscaler.

    Args:
        model: from pictures `(B, h, w, 3)` of any size to pictures `factor` times as large.
        factor: 2 or 4.
        name: shown to users.
    """

    model: keras.Model
    factor: int
    name: str

    @property
    def margin(self) -> int:
        """Pixels around a pixel that its enlargement may depend on, at most."""
        kernels = [layer.kernel_size for layer in self.model.layers if _is_convolution(layer)]
        # A pixel of the bilinear enlargement depends on its neighbours.
        return sum(max(kernel) // 2 for kernel in kernels) + 1

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Enlarges one batch.

        Args:
            pictures: `(B, h, w, 3)` float32 in [-1, 1].

        Returns:
            `(B, factor h, factor w, 3)` float32 in [-1, 1].
        """
        enlarged = np.asarray(self.model(pictures, training=False), np.float32)
        return np.clip(enlarged, -1, 1)


def save_generator(
    folder: str | os.PathLike, model: keras.Model, schema: LabelSchema | None, name: str
) -> None:
    """Writes the two files, each atomically."""
    description = {
        "kind": GENERATOR,
        "name": name,
        "latent_dim": int(model.inputs[0].shape[-1]),
        "height": int(model.output_shape[1]),
        "width": int(model.output_shape[2]),
        "schema": schema.to_json() if schema else None,
    }
    _save(Path(folder), model, description)


def save_upscaler(folder: str | os.PathLike, model: keras.Model, factor: int, name: str) -> None:
    """Writes the two files, each atomically."""
    _save(Path(folder), model, {"kind": UPSCALER, "name": name, "factor": factor})


def _save(folder: Path, model: keras.Model, description: dict) -> None:
    with atomic_path(folder / WEIGHTS) as temporary:
        model.save(temporary)
    write_json(folder / DESCRIPTION, description)


def kind_of(folder: str | os.PathLike) -> str:
    """`"generator"` or `"upscaler"`, without loading weights."""
    return read_json(_existing(folder) / DESCRIPTION).get("kind", GENERATOR)


def load_schema(folder: str | os.PathLike) -> LabelSchema | None:
    """The label schema of a saved generator, without loading its weights."""
    stored = _described(folder, GENERATOR)["schema"]
    return LabelSchema.from_json(stored) if stored else None


def load_generator(folder: str | os.PathLike) -> Generator:
    """Reads what `save_generator` wrote; it computes in float32, whatever it was trained in.

    Raises:
        FileNotFoundError: when the folder holds no generator.
        ValueError: when it holds an upscaler.
    """
    description = _described(folder, GENERATOR)
    stored = description["schema"]
    return Generator(
        model=_model(_existing(folder)),
        schema=LabelSchema.from_json(stored) if stored else None,
        name=description["name"],
    )


def load_upscaler(folder: str | os.PathLike) -> Upscaler:
    """Reads what `save_upscaler` wrote; it computes in float32, whatever it was trained in.

    Raises:
        FileNotFoundError: when the folder holds no upscaler.
        ValueError: when it holds a generator.
    """
    description = _described(folder, UPSCALER)
    model = _model(_existing(folder, UPSCALER))
    return Upscaler(model=model, factor=description["factor"], name=description["name"])


def _model(folder: Path) -> keras.Model:
    import keras

    import tfanime.layers  # noqa: F401  (registers the layers that the file names)

    model = keras.models.load_model(folder / WEIGHTS, compile=False)
    for layer in model.layers:
        # Rounding to bfloat16 shows, and differs with the batch, the machine and the graph: one
        # seed would be other pictures here, in a browser and on a server.
        if layer.compute_dtype != "float32":
            layer.dtype_policy = keras.DTypePolicy("float32")
    return model


def _is_convolution(layer) -> bool:
    return hasattr(layer, "kernel_size")


def _described(folder: str | os.PathLike, wanted: str) -> dict:
    """`generator.json` of that kind of model."""
    description = read_json(_existing(folder, wanted) / DESCRIPTION)
    kind = description.get("kind", GENERATOR)
    if kind != wanted:
        advice = {
            GENERATOR: "`tfanime generate` draws with a generator",
            UPSCALER: "`tfanime upscale` enlarges pictures with an upscaler",
        }
        raise ValueError(
            f"A run of a{'n' * (wanted == UPSCALER)} {wanted} is needed. Received: "
            f"{os.fspath(folder)!r}, a run of a{'n' * (kind == UPSCALER)} {kind}: {advice[kind]}."
        )
    return description


def _existing(folder: str | os.PathLike, wanted: str = GENERATOR) -> Path:
    folder = zoo.locate(folder)
    if not (folder / WEIGHTS).is_file() or not (folder / DESCRIPTION).is_file():
        raise FileNotFoundError(
            f"A run folder holds {WEIGHTS} and {DESCRIPTION}; {str(folder)!r} does not, and no "
            f"model of that name ships ({', '.join(zoo.names())}). "
            f"Train one with: {TRAINING[wanted]}"
        )
    return folder
