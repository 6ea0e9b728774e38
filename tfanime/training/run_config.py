"""Networks as the `config.json` of a run describes them, which may be a stranger's."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import NamedTuple, TypeVar

import keras
import numpy as np

from tfanime.core import bounds, later, programs
from tfanime.core.disk import DiskError
from tfanime.core.labels import LabelSchema
from tfanime.recipes.checks import CUSTOM
from tfanime.recipes.config import Config
from tfanime.recipes.network_options import option
from tfanime.training import own_gan
from tfanime.training.build import generator_network, networks, with_features

T = TypeVar("T")


class Networks(NamedTuple):
    """What a GAN of the same settings has."""

    generator: keras.Model
    discriminator: keras.Model
    head: keras.Model | None

    @property
    def ema_generator(self) -> keras.Model:
        return self.generator  # the average has the same weights by name and shape


def described(file: Path) -> tuple[Config, LabelSchema | None]:
    """Configuration and labels of the `config.json` of a run or a shipped model.

    Raises:
        ValueError: for one that is damaged, or describes networks beyond `check_sizes`.
    """
    record = bounds.read_object(file)
    programs.check_run(file.parent)
    try:
        config, labels = Config.from_json(record["config"]), record["labels"]
        if labels is not None:
            bounds.check_schema(labels)
        schema = None if labels is None else LabelSchema.from_json(labels)
        check_sizes(config)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise bounds.damaged(file, error) from error
    return config, schema


def without_values(config: Config, schema: LabelSchema | None, file: Path) -> Networks:
    """The networks of `described(file)` with names and shapes of weights alone: they take no
    memory, whatever is in the file. Those of a GAN that a user built are stored there themselves.

    Raises:
        ValueError: for settings that make no networks; the message names the file.
    """
    if config.recipe == CUSTOM:
        return Networks(*(own_gan.network(file, role) for role in Networks._fields))
    try:
        return plain_networks(config, schema)
    except (DiskError, ImportError):
        raise
    except Exception as error:  # Keras lets through whatever its layers raise
        raise bounds.damaged(file, error) from error


def plain_networks(config: Config, schema: LabelSchema | None) -> Networks:
    """`build.networks` without values: they take no memory and little time."""
    # Frozen networks come with their values.
    seeing = with_features(config.discriminator, *config.image_size)
    config = dataclasses.replace(config, discriminator=seeing)
    return _valueless(lambda: Networks(*networks(config, schema)))


def _valueless(build: Callable[[], T]) -> T:
    """What is built, with variables that are given no values."""

    def scoped() -> T:
        with keras.StatelessScope(initialize_variables=False):
            return build()

    # In a thread of its own, whose list of variables that have no values yet ends with it.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(scoped).result()


def rows_of_labels(generator: keras.Model) -> list[bool] | None:
    """Which weights of a generator of latents and labels have a row for every label: those that
    one label more makes longer by a row.

    Returns:
        None where layers of a user's own do not tell.
    """
    latents, labels = (keras.Input(x.shape[1:], dtype=x.dtype) for x in generator.inputs)
    more = keras.Input((labels.shape[1] + 1,), dtype=labels.dtype)
    try:
        wider = _valueless(lambda: keras.models.clone_model(generator, [latents, more])).weights
        shapes = [(a.shape, b.shape) for a, b in zip(generator.weights, wider, strict=True)]
    except Exception:  # Keras lets through whatever its layers raise
        return None
    rows = [one != other for one, other in shapes]
    longer = [other == (one[0] + 1, *one[1:]) for one, other in shapes if one != other]
    return rows if all(longer) else None


def without_labels(config: Config) -> Config:
    """The same without what labels add, for as long as it is not known which there are."""
    norm = option("generator", config.generator, "normalisation")
    return config.override(
        conditioning="none",
        categorical_codes=None,
        continuous_codes=None,
        text_augmentation=0,
        label_embedding=0,
        # Labels do not change what size it is.
        generator={"normalisation": "batch"} if norm == "conditional" else {},
    )


def generator_of(run: Path, values: list[np.ndarray]) -> tuple[keras.Model, LabelSchema | None]:
    """The generator of a run, and what labels it takes. Sets Keras's global dtype policy.

    Args:
        run: the run folder.
        values: the generator's arrays in a checkpoint: no others are allocated.

    Raises:
        ValueError: when its `config.json` is damaged, or describes a generator of other weights.
    """
    config, schema = described(run / "config.json")
    plain = without_values(config, schema, run / "config.json").generator
    if [tuple(one.shape) for one in plain.weights] != [array.shape for array in values]:
        counts = (sum(prod(one.shape) for one in plain.weights), sum(one.size for one in values))
        raise ValueError(
            f"{str(run / 'config.json')!r} does not describe what is in the checkpoints: a "
            "generator of {:,} weights in these shapes, and {:,} are stored.".format(*counts)
        )
    if config.recipe == CUSTOM:
        written = bounds.read_object(run / "config.json")["gan"]["generator"]
        later.drop_options(written)
        generator = keras.saving.deserialize_keras_object(written)
    else:
        keras.config.set_dtype_policy(config.precision)
        generator = generator_network(config, schema)
    return generator, schema if len(generator.inputs) == 2 else None


def check_sizes(config: Config) -> None:
    """Checks the settings that decide how large a run's networks are.

    Raises:
        ValueError: for sizes that no run of ours has.
    """
    described = {"generator": config.generator, "discriminator": config.discriminator}
    described["projected"] = config.projected or {}
    limits = [("image_size", side, bounds.PICTURE) for side in config.image_size]
    names = ("latent_dim", "label_embedding", "text_augmentation", "code_values", "steering")
    for name in (*names, "categorical_codes", "continuous_codes"):
        limits.append((name, getattr(config, name), bounds.COLUMNS))
    for role, options in described.items():
        for name, value in options.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            most = (
                bounds.DEPTH
                if name in ("blocks", "depth", "factor", "upsamplings")
                else bounds.COLUMNS
            )
            limits.append((f"the length of {role}.{name}", len(values), bounds.DEPTH))
            limits += [(f"{role}.{name}", one, most) for one in values[: bounds.DEPTH + 1]]
    for name, value, most in limits:
        if isinstance(value, (int, float)) and not value <= most:
            raise ValueError(f"{name} is at most {most:,}, not {value:,}")
