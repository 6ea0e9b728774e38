"""A GAN as a Keras configuration: what `gan.save("gan.keras")` writes and `load_model` reads.

Everything that its constructor takes is here; weights, optimisers' states and averages are saved by
Keras itself. Subclasses differ from `GAN` by their papers' defaults alone, which are values by now.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tfanime.core.labels import LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.core.schedules import read as read_schedule
from tfanime.gans.augment import diff_augment
from tfanime.gans.objective import Term
from tfanime.gans.penalties import GradientPenalty
from tfanime.registries import LOSSES, TERMS

NETWORKS = ("generator", "discriminator", "projected", "head")
AUGMENTATIONS = ("augment", "projected_augment")
# Numbers, words and flags, which JSON has too, and schedules.
PLAIN = (
    "projected_weight",
    "projected_every",
    "weight_clip",
    "multilabel",
    "vector_loss",
    "head_on_real",
    "head_on_fake",
    "adversarial_weight",
    "head_weight",
    "kl_weight",
    "mode_seeking_weight",
    "top_k",
    "lecam_weight",
    "critic_steps",
    "updates",
    "joint_batch",
    "accumulation",
    "augment_target",
    "augment_probability",
    "augment_ramp",
    "label_smoothing",
    "instance_noise",
    "ema_half_life",
    "more_averages",
    "ema_warmup",
    "seed",
)


def config_of(gan) -> dict[str, Any]:
    """Every argument of `GAN(...)`, JSON-ready.

    Raises:
        ValueError: for a loss, a term or an augmentation of the user's own that has no name to be
            found by.
    """
    config = {name: _network(getattr(gan, name)) for name in NETWORKS}
    config |= {name: number(getattr(gan, name)) for name in PLAIN}
    config |= {name: _policy(name, getattr(gan, name)) for name in AUGMENTATIONS}
    name = gan.loss_pair.name
    if name not in LOSSES or LOSSES[name] is not gan.loss_pair:
        raise ValueError(
            "A GAN is saved with the name of its loss. Received: a loss of your own, "
            f"{name!r}. Register it: tfanime.registries.LOSSES.register({name!r}, loss)."
        )
    terms = [_term(one) for one in gan.terms if one is not getattr(gan, "content", None)]
    if terms:  # without any the configuration is that of GANs of before there were names
        config["terms"] = terms
    config["loss"] = name
    config["penalty"] = [_penalty(one) for one in gan.penalties]
    config["schema"] = None if gan.schema is None else gan.schema.to_json()
    return config


def arguments_of(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `GAN(...)` that `config_of` wrote."""
    arguments = {**config}
    for name in NETWORKS:
        if arguments[name] is not None:
            arguments[name] = keras.saving.deserialize_keras_object(arguments[name])
    for name in AUGMENTATIONS:
        if arguments[name] is not None:
            arguments[name] = diff_augment(arguments[name])
    for name in PLAIN:
        arguments[name] = read_schedule(arguments[name])
    if arguments["schema"] is not None:
        arguments["schema"] = LabelSchema.from_json(arguments["schema"])
    terms = config.get("terms", ())
    arguments["terms"] = [TERMS.get(one["name"])(read_schedule(one["weight"])) for one in terms]
    penalties = [{name: read_schedule(x) for name, x in one.items()} for one in config["penalty"]]
    arguments["penalty"] = tuple(GradientPenalty(**one) for one in penalties)
    return arguments


def with_checked_range(x: Any) -> Any:
    """What to fit on, `x` or all that it yields, once its first batch holds images in [-1, 1].

    Args:
        x: as for `fit`: an array, a dictionary or tuple with one, or something that is iterated.

    Raises:
        ValueError: for bytes, or for values outside.
    """
    if isinstance(x, types.GeneratorType):
        batch = next(x, None)
        if batch is not None:
            _check_range(batch)
            x = _chained(batch, x)
    elif _is_array(x) or isinstance(x, (dict, list, tuple)):
        _check_range(x)
    elif hasattr(x, "__iter__") and not hasattr(x, "__next__"):
        _check_range(next(iter(x), None))
    return x


def _chained(batch: Any, rest: Iterator) -> Iterator:
    """A generator, which Keras asks for, that begins with a batch that was taken already."""
    yield batch
    yield from rest


def _check_range(batch: Any) -> None:
    if batch is None:
        return
    first = batch.get("images") if isinstance(batch, dict) else keras.tree.flatten(batch)[0]
    if first is None or not _is_array(first) or len(first.shape) != 4 or first.shape[-1] != 3:
        return  # points of a toy, for example
    values = np.asarray(first)
    low, high = (float(edge) for edge in (values.min(), values.max()))
    if not np.issubdtype(values.dtype, np.floating) or not -1.001 <= low <= high <= 1.001:
        raise ValueError(
            "A GAN is fitted on images as float32 in [-1, 1]. Received: "
            f"{values.dtype} from {low:g} to {high:g}. tfanime.core.images.to_float converts bytes."
        )


def _is_array(x) -> bool:
    return hasattr(x, "shape") and hasattr(x, "dtype")


def _network(model: keras.Model | None) -> dict | None:
    return None if model is None else keras.saving.serialize_keras_object(model)


def number(value):
    if isinstance(value, Schedule):
        return value.to_json()
    return list(value) if isinstance(value, tuple) else value


def _term(term: Term) -> dict:
    kind = type(term)
    name = next((name for name, one in TERMS.items() if one is kind), None)
    if name is None or [*inspect.signature(kind).parameters] != ["weight"]:
        raise ValueError(
            "A GAN is saved with the names and weights of its terms. Received: a term of your own, "
            f"{kind.__name__!r}. Register its class, which takes its weight alone: "
            f"tfanime.registries.TERMS.register(NAME, {kind.__name__})."
        )
    return {"name": name, "weight": number(term.weight)}


def _penalty(penalty: GradientPenalty) -> dict:
    fields = dataclasses.fields(penalty)
    return {field.name: number(getattr(penalty, field.name)) for field in fields}


def _policy(name: str, augment) -> str | None:
    if augment is None:
        return None
    policy = getattr(augment, "policy", None)
    if policy is None:
        # Not the object's own words, which may hold its address: runs store and compare this.
        what = getattr(augment, "__name__", type(augment).__name__)
        raise ValueError(
            f"A GAN is saved with the policy of its {name}. Received: a function of your own, "
            f"{what!r}, which has none. Give it an attribute `policy` that "
            "`gans.augment.diff_augment` takes, or save gan.ema_generator alone."
        )
    return policy
