"""Weights to begin a run with: those of another run, or of a model that ships.

A few hundred images are too few to learn to draw from, and enough to teach a generator that can
draw another subject. Both networks are needed: a discriminator that begins anew first tears down
what the generator knows.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from tfanime import recipes, zoo
from tfanime.core import bounds
from tfanime.core.files import atomic_path, save_arrays, write_json
from tfanime.core.labels import LabelSchema, told_apart
from tfanime.core.printing import plain
from tfanime.gans import GAN
from tfanime.models.steering import PLANES, STEP, unsteered
from tfanime.recipes.checks import CUSTOM
from tfanime.recipes.config import Config
from tfanime.recipes.resolve import conditioning_of
from tfanime.training import checkpoint
from tfanime.training.checkpoint import CRITIC
from tfanime.training.run_config import (
    Networks,
    described,
    rows_of_labels,
    without_labels,
    without_values,
)
from tfanime.zoo.saved import UPSCALER, kind_of, load_generator, load_upscaler

NEEDED = (
    "start needs a model of the same networks and labels, and of images of the same or half the "
    "size."
)


def start_from(gan: GAN, source: str | os.PathLike) -> None:
    """Gives a GAN the weights of a trained one of the same networks; optimisers begin anew.

    A frozen network inside the discriminator stays the one that the settings name.

    Args:
        gan: to be trained.
        source: a run folder, whose newest checkpoint that is whole counts, or the name or folder of
            a model that ships, with its `critic.npz`; its averaged generator serves as the
            generator itself. Its images have the size of `gan`'s, or half of it. Layers that it
            lacks, or has in other shapes, keep the weights they have; of the same size, the
            generator has all of its layers but those of a steering, and the discriminator at least
            half. Its labels are among those of `gan`, in any order; more are added.

    Raises:
        ValueError: when there is no such model, its networks are others, or labels of its own are
            not among those of `gan`.
    """
    folder = zoo.locate(source)
    folders = checkpoint.checkpoints(folder)
    if not folders and not (folder / CRITIC).is_file():
        raise ValueError(
            f"start is a run folder with checkpoints, or a model that ships with {CRITIC}. "
            f"Received: {os.fspath(source)!r}."
        )
    theirs = _Source.of(folder)
    parts = _of_run(folder, theirs.networks or gan) if folders else _of_model(folder, theirs)
    numbers = keras.ops.convert_to_numpy
    parts = _fitting(parts, gan, gan.schema, theirs, os.fspath(source), numbers)
    for part, variables in _parts(gan).items():
        for variable, array in zip(variables, parts[part], strict=True):
            variable.assign(array)
    for average in gan.averages:
        for variable, array in zip(average.weights, parts["ema_generator"], strict=True):
            variable.assign(array)


def check_fit(networks: Networks, config: Config, schema: LabelSchema | None, known: bool) -> None:
    """Refuses what `start_from` would, as far as the `config.json` of the start tells: no weights
    are read.

    Args:
        networks: of the run, without values.
        config: of the run, with a `start`.
        schema: of the data's labels.
        known: whether it is known which labels the data have; if not, networks are compared
            without what labels add.

    Raises:
        ValueError: when the start's networks are others.
    """
    theirs = _Source.of(zoo.locate(config.start), with_labels=known)
    if theirs.networks is None or (theirs.config.recipe == CUSTOM and not known):
        return

    def shaped(variable) -> np.ndarray:
        return np.broadcast_to(np.float32(0), variable.shape)

    shapes = {part: [shaped(v) for v in own] for part, own in _parts(theirs.networks).items()}
    schema = conditioning_of(config, schema)[1]
    _fitting(shapes, networks, schema, theirs, config.start, shaped)


class _Source(NamedTuple):
    """What the `config.json` of a start says; nothing where there is none.

    Args:
        schema: of the labels that its generator takes.
    """

    config: Config | None = None
    schema: LabelSchema | None = None
    networks: Networks | None = None

    @classmethod
    def of(cls, folder: Path, with_labels: bool = True) -> _Source:
        file = folder / "config.json"
        if not file.is_file():
            return cls()
        config, schema = described(file)
        if not with_labels and config.recipe != CUSTOM:
            config, schema = without_labels(config), None
        networks = without_values(config, schema, file)
        conditional = len(networks.generator.inputs) == 2
        return cls(config, schema if conditional else None, networks)


def _fitting(
    parts: dict[str, list[np.ndarray]],
    networks: GAN | Networks,
    schema: LabelSchema | None,
    theirs: _Source,
    source: str,
    value_of: Callable[..., np.ndarray],
) -> dict[str, list[np.ndarray]]:
    """The stored weights as these networks take them; see `start_from`.

    Args:
        parts: the arrays of each part.
        networks: to begin with them.
        schema: of the labels of these networks.
        theirs: where the arrays come from.
        source: what the user called that.
        value_of: the value of a variable of these networks.
    """
    targets, config = _parts(networks), theirs.config
    other = _other_labels(theirs.schema, schema)
    placed = not other or _to_their_names(parts, networks, schema, theirs, value_of)
    # Weights of as many labels have shapes that fit, and would be taken for those of others.
    if not placed and theirs.schema.size == schema.size:
        raise ValueError(f"{NEEDED} Received: {source!r}.{other}")
    if config is not None:
        size, own = config.image_size, networks.generator.output_shape[1:3]
        grows = own == tuple(2 * side for side in size)
        if grows or own == size:
            share = 0.5 if grows else 1.0
            parts = _placed(parts, _parts(theirs.networks), targets, share, value_of)
    for part, variables in targets.items():
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [tuple(array.shape) for array in parts[part]]:
            raise ValueError(
                f"{NEEDED} Received: {source!r}, whose {part} has other weights "
                f"({len(parts[part])} arrays, here {len(shapes)}, or other shapes). Use "
                f"its recipe and settings{_settings(config)}.{other}"
            )
    return parts


def _parts(gan: GAN | Networks) -> dict[str, list]:
    return {
        "generator": gan.generator.weights,
        "ema_generator": gan.ema_generator.weights,
        "discriminator": _own(gan.discriminator),
        "head": gan.head.weights if gan.head is not None else [],
    }


def _other_labels(theirs: LabelSchema | None, here: LabelSchema | None) -> str:
    """How labels differ, which may be all that does, and what brings them together."""
    if theirs is None or here is None or theirs.columns == here.columns:
        return ""
    its, ours = map(plain, told_apart(theirs, here))
    return f" Its labels are {its}; here they are {ours}: `tfanime train --from` joins them."


def _settings(config: Config | None) -> str:
    """What made the networks of a run or a shipped model, as `--set` takes it."""
    if config is None:
        return ""
    usual = recipes.get(config.recipe) if config.recipe in recipes.names() else None
    parts = []
    for part in ("generator", "discriminator"):
        options = dict(getattr(config, part))
        name = options.pop("name")
        if usual is None or name != getattr(usual, part)["name"]:
            parts.append(f"--set {part}={name}")
        parts += [
            "--set " + shlex.quote(f"{part}.{option}={json.dumps(value)}")
            for option, value in options.items()
        ]
    return f": {config.recipe} {' '.join(parts)}"


def _to_their_names(
    parts: dict,
    networks: GAN | Networks,
    here: LabelSchema,
    source: _Source,
    value_of: Callable[..., np.ndarray],
) -> bool:
    """Takes what was learnt of a label to where that label stands here. Those that the source
    lacks begin without influence on what is drawn, and with a head of their own.

    Returns:
        False, with all as it was, for labels that are not here, or networks in which it is not
        known where labels are.
    """
    theirs = source.schema
    contained = set(theirs.columns) <= set(here.columns)
    conditional = len(networks.discriminator.inputs) == 2
    if not contained or conditional or here.vector_size or theirs.vector_size:
        return False
    rows = rows_of_labels(source.networks.generator)
    if rows is None or any(array.shape[-1:] != (theirs.size,) for array in parts["head"]):
        return False
    places = np.array([here.columns.index(column) for column in theirs.columns])

    def moved(array: np.ndarray) -> np.ndarray:
        # The labels are the last of what a layer takes.
        others = len(array) - theirs.size
        larger = np.zeros((others + here.size, *array.shape[1:]), array.dtype)
        larger[:others] = array[:others]
        larger[others + places] = array[others:]
        return larger

    for part in ("generator", "ema_generator"):
        pairs = zip(rows, parts[part], strict=True)
        parts[part] = [moved(array) if labels else array for labels, array in pairs]
    own = [] if networks.head is None else networks.head.weights
    # One that reads other features, or that the source lacks, begins anew.
    if [(*x.shape[:-1], here.size) for x in parts["head"]] == [tuple(v.shape) for v in own]:
        heads = [np.array(value_of(v), x.dtype) for v, x in zip(own, parts["head"], strict=True)]
        for head, array in zip(heads, parts["head"], strict=True):
            head[..., places] = array
        parts["head"] = heads
    return True


def _placed(
    parts: dict, smaller: dict, larger: dict, share: float, value_of: Callable[..., np.ndarray]
) -> dict[str, list]:
    """Weights for the larger networks: the smaller ones' where a layer's name and shapes agree,
    which are at least this share of the generator's, and half of the discriminator's. Steering that
    the larger ones lack is left out."""
    least = {"generator": share, "ema_generator": share, "discriminator": 0.5}
    placed = {}
    for part, variables in larger.items():
        shapes = {variable.path: tuple(variable.shape) for variable in variables}
        left_out = {PLANES, STEP} - {_layer(path) for path in shapes}
        pairs = zip(smaller[part], parts[part], strict=True)
        values = {v.path: array for v, array in pairs if _layer(v.path) not in left_out}
        other = {_layer(path) for path, array in values.items() if shapes.get(path) != array.shape}
        fitting = {path: array for path, array in values.items() if _layer(path) not in other}
        if len(fitting) < least.get(part, 0) * len(values):
            return parts  # other networks, which the caller refuses
        placed[part] = [fitting[v.path] if v.path in fitting else value_of(v) for v in variables]
    return placed


def _layer(path: str) -> str:
    return path.rpartition("/")[0]


def save_start(
    source: str | os.PathLike, folder: str | os.PathLike, planes: int | None = None
) -> None:
    """Writes what `start_from` needs beside the weights of a generator that was made from a run or
    model, if that has it.

    Args:
        source: the run or model.
        folder: of the generator.
        planes: of its steering; None: the steering is the source's.
    """
    source, folder = Path(source), Path(folder)
    file = source / "config.json"
    run = bool(checkpoint.checkpoints(source))
    if not file.is_file() or not (run or (source / CRITIC).is_file()):
        return
    config, _ = described(file)
    if config.recipe == CUSTOM or config.recipe_file is not None:
        return  # networks that only the user's program makes
    record = bounds.read_object(file)
    if planes is not None:
        record["config"]["steering"] = planes
    write_json(folder / "config.json", record)
    if run:
        save_critic_of_run(source, folder)
    else:
        shutil.copyfile(source / CRITIC, folder / CRITIC)


def save_critic(gan: GAN, folder: str | os.PathLike) -> None:
    """Writes discriminator and head for `start_from`, in float16: they are trained on anyway."""
    head = gan.head.weights if gan.head is not None else []
    parts = {"discriminator": _own(gan.discriminator), "head": head}
    numbers = keras.ops.convert_to_numpy
    _write_critic(folder, {name: [numbers(v) for v in part] for name, part in parts.items()})


def save_critic_of_run(run: str | os.PathLike, folder: str | os.PathLike) -> None:
    """The same of a run's newest checkpoint, without building its networks."""
    file = Path(run) / "config.json"
    config, schema = described(file)
    parts = _of_run(Path(run), without_values(config, schema, file))
    _write_critic(folder, {name: parts[name] for name in ("discriminator", "head")})


def _write_critic(folder: str | os.PathLike, parts: dict[str, list[np.ndarray]]) -> None:
    arrays = {
        f"{part}/{i:04d}": np.asarray(array, np.float16)
        for part, values in parts.items()
        for i, array in enumerate(values)
    }
    with atomic_path(Path(folder) / CRITIC) as temporary:
        save_arrays(temporary, arrays, compressed=True)


def _own(discriminator: keras.Model) -> list:
    """Its weights but those of a network inside, which is frozen and ships by itself."""
    inner = (layer for layer in discriminator.layers if not isinstance(layer, keras.Model))
    return [variable for layer in inner for variable in layer.weights]


def _of_run(run: Path, like: GAN | Networks) -> dict[str, list[np.ndarray]]:
    _, arrays, _ = checkpoint.read_newest(run)
    parts = _by_part(arrays, ("generator", "ema_generator", "discriminator", "head"))
    variables, own = like.discriminator.weights, {id(one) for one in _own(like.discriminator)}
    if len(parts["discriminator"]) == len(variables):
        pairs = zip(variables, parts["discriminator"], strict=True)
        parts["discriminator"] = [array for variable, array in pairs if id(variable) in own]
    return parts


def _of_model(folder: Path, described: _Source) -> dict[str, list[np.ndarray]]:
    load = load_upscaler if kind_of(folder) == UPSCALER else load_generator
    model = load(folder).model
    if described.config is None or not described.config.steering:
        model = unsteered(model)
    weights = model.get_weights()
    critic = _by_part(bounds.read_arrays(folder / CRITIC), ("discriminator", "head"))
    return {"generator": weights, "ema_generator": weights, **critic}


def _by_part(arrays: dict[str, np.ndarray], parts: tuple[str, ...]) -> dict[str, list[np.ndarray]]:
    return {
        part: [arrays[name] for name in sorted(arrays) if name.startswith(f"{part}/")]
        for part in parts
    }
