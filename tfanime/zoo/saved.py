"""A trained generator on disk: `generator.keras` (weights and graph) and `generator.json`.

Everything behind training reads only these two files, whoever wrote them; the name of a model that
ships with tfanime (`tfanime.zoo`) stands for its folder. A run folder holds
them beside its checkpoints; they are the averaged generator of the newest checkpoint. An upscaler
is saved alike; `kind` in `generator.json` tells them apart (none: a generator).
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime import zoo
from tfanime.core import bounds, programs, seeds
from tfanime.core.files import atomic_path, write_json
from tfanime.core.labels import LabelSchema
from tfanime.core.printing import near_miss
from tfanime.zoo.plain_graph import PlainGraph

if TYPE_CHECKING:
    import keras

WEIGHTS = "generator.keras"
DESCRIPTION = "generator.json"
GENERATOR, UPSCALER = KINDS = ("generator", "upscaler")
STEERED_BY = "steered_by"
FACTORS = (2, 4)
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # the name of a model, and no path
TRAIN = "tfanime train {} --data drawn --minutes 9 --out RUN"
TRAINING = {GENERATOR: TRAIN.format("modern"), UPSCALER: TRAIN.format("srgan")}


@dataclass(frozen=True)
class Truncation:
    """What `tfanime figure truncation --store` found out about a generator.

    Args:
        least: the truncation, 0 to 1, below which fewer images are among the real ones.
        typical: seed and index of a latent whose images are near the mean of real ones, see
            `seeds.truncate`; None: not known.
    """

    least: float
    typical: tuple[int, int] | None = None


@dataclass(frozen=True)
class Generator:
    """A trained generator and what is needed to draw with it.

    Args:
        model: from latents, or `[latents, labels]`, to images (see `tfanime.models`).
        schema: of the labels; None when unconditional.
        name: shown to users.
        truncation: measured for these weights, or None.
        upscaler: the name of the upscaler, one that ships, that its images are shown through;
            None: they are shown as they are.
        folder: that it was loaded from; None: from none.
    """

    model: keras.Model
    schema: LabelSchema | None
    name: str
    truncation: Truncation | None = None
    upscaler: str | None = None
    folder: Path | None = None
    _network: PlainGraph = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_network", PlainGraph(self.model, eager_calls=0))

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
        inputs = (latents, labels) if len(self.model.inputs) == 2 else (latents,)
        return self._network(*inputs)


@dataclass(frozen=True)
class Upscaler:
    """A trained upscaler.

    Args:
        model: from images `(B, h, w, 3)` of any size to images `factor` times as large.
        factor: 2 or 4.
        name: shown to users.
    """

    model: keras.Model
    factor: int
    name: str
    _network: PlainGraph = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_network", PlainGraph(self.model))

    @property
    def margin(self) -> int:
        """Pixels around a pixel that its enlargement may depend on, at most."""
        kernels = [layer.kernel_size for layer in self.model.layers if _is_convolution(layer)]
        # A pixel of the bilinear enlargement depends on its neighbours.
        return sum(max(kernel) // 2 for kernel in kernels) + 1

    def expect(self, calls: int) -> None:
        """Says how many calls of one shape follow, which makes many of them quicker."""
        self._network.expect(calls)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """Enlarges one batch.

        Args:
            pictures: `(B, h, w, 3)` float32 in [-1, 1].

        Returns:
            `(B, factor h, factor w, 3)` float32 in [-1, 1].
        """
        return np.clip(self._network(pictures), -1, 1)


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


def store_truncation(folder: str | os.PathLike, measured: Truncation) -> None:
    """Adds it to the generator's description; weights that are saved later drop it."""
    description, folder = _described(folder, GENERATOR), _existing(folder)
    write_json(folder / DESCRIPTION, {**description, "truncation": dataclasses.asdict(measured)})


def store_upscaler(folder: str | os.PathLike, name: str | None) -> None:
    """Says in a generator's description which upscaler, one that ships, its images are shown
    through; None: as they are. Weights that are saved later drop it."""
    if name is not None:
        load_upscaler(zoo.path(name))
    description, folder = _described(folder, GENERATOR), _existing(folder)
    rest = {key: value for key, value in description.items() if key != UPSCALER}
    write_json(folder / DESCRIPTION, rest | ({} if name is None else {UPSCALER: name}))


def store_steering(folder: str | os.PathLike, networks: Sequence[str]) -> None:
    """Says in a generator's description which networks its steering followed, which flatters what
    they say of it. Weights that are saved later drop it."""
    description, folder = _described(folder, GENERATOR), _existing(folder)
    write_json(folder / DESCRIPTION, {**description, STEERED_BY: list(networks)})


def steered_by(folder: str | os.PathLike) -> tuple[str, ...]:
    """The networks that the steering of a saved generator followed; empty without steering."""
    names = _description(_existing(folder)).get(STEERED_BY, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _wrong(_existing(folder), f"says that it was steered by {names!r}")
    return tuple(names)


def upscaler_of(folder: str | os.PathLike) -> str | None:
    """The name of the upscaler that a saved generator's images are shown through, without loading
    weights; None where there is none, or the folder holds an upscaler."""
    return _upscaler(_existing(folder), _description(_existing(folder)))


def kind_of(folder: str | os.PathLike) -> str:
    """`"generator"` or `"upscaler"`, without loading weights."""
    return _description(_existing(folder))["kind"]


def load_schema(folder: str | os.PathLike) -> LabelSchema | None:
    """The label schema of a saved generator, without loading its weights."""
    return _schema(_existing(folder), _described(folder, GENERATOR))


def load_generator(folder: str | os.PathLike) -> Generator:
    """Reads what `save_generator` wrote; it computes in float32, whatever it was trained in.

    Raises:
        FileNotFoundError: when the folder holds no generator.
        ValueError: when it holds an upscaler, or a file of it is damaged or asks for more memory
            than a generator needs; the message names the file.
    """
    description, folder = _described(folder, GENERATOR), _existing(folder)
    schema, model = _schema(folder, description), _model(folder)
    own_inputs = [None] if schema is None else [None, schema.size]
    inputs = [tensor.shape for tensor in model.inputs]
    if len(inputs) != len(own_inputs) or any(len(shape) != 2 for shape in inputs):
        inputs_in_words = "without labels" if len(inputs) == 1 else f"with {len(inputs)} inputs"
        raise _wrong(
            folder, f"says {len(own_inputs)} inputs and {WEIGHTS} holds a network {inputs_in_words}"
        )
    if inputs[0][-1] > bounds.COLUMNS:
        raise _wrong(folder, f"stands beside a network of {inputs[0][-1]:,} latents")
    if schema is not None and inputs[1][-1] != schema.size:
        raise _wrong(folder, f"describes {schema.size} labels and {WEIGHTS} takes {inputs[1][-1]}")
    drawn = model.output_shape
    if len(drawn) != 4 or drawn[-1] != 3 or None in drawn[1:]:
        raise _wrong(folder, f"stands beside a network that draws {drawn}")
    truncation = _truncation(folder, description)
    upscaler = _upscaler(folder, description)
    return Generator(model, schema, description["name"], truncation, upscaler, folder)


def load_upscaler(folder: str | os.PathLike) -> Upscaler:
    """Reads what `save_upscaler` wrote; it computes in float32, whatever it was trained in.

    Raises:
        FileNotFoundError: when the folder holds no upscaler.
        ValueError: when it holds a generator, or a file of it is damaged or asks for more memory
            than an upscaler needs; the message names the file.
    """
    description, folder = _described(folder, UPSCALER), _existing(folder, UPSCALER)
    model, factor = _model(folder), description.get("factor")
    if factor not in FACTORS:
        raise _wrong(folder, f"says the factor {factor!r}, where {FACTORS} are possible")
    side = bounds.SIDE
    shape = model.compute_output_shape((1, side, side, 3)) if len(model.inputs) == 1 else None
    if shape != (1, factor * side, factor * side, 3):
        raise _wrong(folder, f"says the factor {factor} and {WEIGHTS} enlarges {side} to {shape}")
    return Upscaler(model=model, factor=factor, name=description["name"])


def _model(folder: Path) -> keras.Model:
    try:
        model = bounds.load_network(folder / WEIGHTS, ours=zoo.ships(folder))
    except ValueError:
        programs.check_run(folder)  # whose layers may be those of a file that has not been run
        raise
    import keras

    for layer in model.layers:
        # Rounding to bfloat16 shows, and differs with the batch, the machine and the graph: one
        # seed would be other images here, in a browser and on a server.
        if layer.compute_dtype != "float32":
            layer.dtype_policy = keras.DTypePolicy("float32")
    return model


def _is_convolution(layer: keras.Layer) -> bool:
    return hasattr(layer, "kernel_size")


def _description(folder: Path) -> dict:
    """`generator.json`, with its `kind`."""
    description = {"kind": GENERATOR, **bounds.read_object(folder / DESCRIPTION)}
    kind, name = description["kind"], description.get("name")
    if kind not in KINDS or not isinstance(name, str):
        raise _wrong(folder, f"needs a kind out of {KINDS} and a name, and says {kind!r}, {name!r}")
    return description


def _schema(folder: Path, description: dict) -> LabelSchema | None:
    if "schema" not in description:
        raise _wrong(folder, "lacks the key 'schema'")
    document = description["schema"]
    if document is None:
        return None
    try:
        bounds.check_schema(document)
        return LabelSchema.from_json(document)
    except (ValueError, TypeError, KeyError) as error:
        raise _wrong(folder, f"describes no labels: {str(error).rstrip('.')}") from error


def _upscaler(folder: Path, description: dict) -> str | None:
    name = description.get(UPSCALER)
    if name is not None and (not isinstance(name, str) or not PLAIN.fullmatch(name)):
        raise _wrong(folder, f"names no upscaler that ships: {name!r}")
    return name


def _truncation(folder: Path, description: dict) -> Truncation | None:
    values = description.get("truncation")
    if values is None:
        return None
    try:
        least, typical = values["least"], values["typical"]
        right = isinstance(least, (int, float)) and not isinstance(least, bool) and 0 <= least <= 1
        if typical is not None:
            seed, index = typical
            typical = seeds.check_seed(seed), seeds.check_pictures(1, index)[1]
    except (TypeError, KeyError, ValueError):
        right = False
    if not right:
        raise _wrong(folder, f"describes no truncation: {values!r}")
    return Truncation(float(least), typical)


def _wrong(folder: Path, what: str) -> ValueError:
    return ValueError(f"{str(folder / DESCRIPTION)!r} {what}. Save the model again.")


def _described(folder: str | os.PathLike, kind: str) -> dict:
    """`generator.json` of that kind of model."""
    description = _description(_existing(folder, kind))
    own = description["kind"]
    if own != kind:
        advice = {
            GENERATOR: "`tfanime generate` draws with a generator",
            UPSCALER: "`tfanime upscale` enlarges images with an upscaler",
        }
        raise ValueError(
            f"A run of a{'n' * (kind == UPSCALER)} {kind} is needed. Received: "
            f"{os.fspath(folder)!r}, a run of a{'n' * (own == UPSCALER)} {own}: {advice[own]}."
        )
    return description


def _existing(folder: str | os.PathLike, kind: str = GENERATOR) -> Path:
    folder = zoo.locate(folder)
    if (folder / "tagger.keras").is_file():
        raise ValueError(
            f"A run of a{'n' * (kind == UPSCALER)} {kind} is needed. Received: "
            f"{os.fspath(folder)!r}, a tagger: `tfanime prepare tags` reads attributes with it."
        )
    if not (folder / WEIGHTS).is_file() or not (folder / DESCRIPTION).is_file():
        names = [name for name in zoo.names() if not (zoo.path(name) / "tagger.keras").is_file()]
        raise FileNotFoundError(
            f"A run folder holds {WEIGHTS} and {DESCRIPTION}; {str(folder)!r} does not, and no "
            f"model of that name ships ({', '.join(names)}).{near_miss(folder.name, names)} "
            f"Train one with: {TRAINING[kind]}"
        )
    return folder
