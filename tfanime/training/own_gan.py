"""A GAN that the user built, as a run: what its `config.json` says, and how it is told apart.

`config` has `STATED` alone, which is true of it; `gan` has all that its constructor was given and
both optimisers (`gans.saving`).
"""

from __future__ import annotations

import json
from pathlib import Path

import keras

from tfanime.core import bounds, later
from tfanime.core.labels import LabelSchema, told_apart
from tfanime.core.printing import plain
from tfanime.gans import GAN
from tfanime.recipes.checks import CUSTOM
from tfanime.recipes.config import Config

STATED = (
    "image_size",
    "latent_dim",
    "conditioning",
    "loss",
    "critic_steps",
    "updates",
    "batch_size",
    "flip",
    "prior",
    "seed",
)
NOT_STORED = "not stored"


def config_of(gan: GAN, overrides: dict) -> Config:
    """What a run needs to know of a GAN that the user built; what it is says `described`.

    Raises:
        ValueError: for a setting that is the GAN's own.
    """
    # Not the generator's output: an upscaler's has any size.
    height, width = gan.discriminator.inputs[0].shape[1:3]
    config = Config(
        recipe=CUSTOM,
        image_size=(height, width),
        latent_dim=gan.latent_dim,
        conditioning=_conditioning_of(gan),
        loss=gan.loss_pair.name,
        critic_steps=gan.critic_steps,
        updates=gan.updates,
        seed=gan.seed,
    )
    changes = {k: v for k, v in overrides.items() if v is not None}
    allowed = {"batch_size", "flip", "prior"}
    unknown = sorted(set(changes) - allowed)
    if unknown:
        raise ValueError(
            f"A GAN that is built already takes only {', '.join(sorted(allowed))}. "
            f"Received: {', '.join(unknown)}."
        )
    return config.override(**changes)


def _conditioning_of(gan: GAN) -> str:
    if gan.head is not None:
        return "ac" if gan.head_on_real else "infogan"
    return "concat" if gan.conditional_discriminator else "none"


def check_labels(gan: GAN, schema: LabelSchema | None) -> None:
    """Refuses data whose labels are not those that the GAN is made for.

    Args:
        gan: to be trained.
        schema: of the data's labels; None: they have none.
    """
    size = 0 if schema is None else schema.size
    for role, network in (("generator", gan.generator), ("discriminator", gan.discriminator)):
        if len(network.inputs) == 2 and network.inputs[1].shape[-1] != size:
            raise ValueError(
                "A network that takes labels takes every column of the data's. Received: a "
                f"{role} that takes {network.inputs[1].shape[-1]}, and data that have {size}. "
                "Build it for data.schema.size columns, or give data with its labels."
            )
    if gan.schema is None or schema is None or gan.schema.columns == schema.columns:
        return
    its, ours = map(plain, told_apart(gan.schema, schema))
    raise ValueError(
        "The schema of a GAN has the labels of its data in their order. Received: a schema of "
        f"{its}, and data of {ours}. Build the GAN with schema=data.schema."
    )


def described(gan: GAN) -> dict:
    """What the GAN is, JSON-ready: its configuration; where that cannot be stored, the reason and
    the shapes of its weights, by which another one is still noticed."""
    try:
        config = gan.get_config()
    except ValueError as error:
        networks = {"generator": gan.generator, "discriminator": gan.discriminator}
        shapes = {name: [list(v.shape) for v in one.weights] for name, one in networks.items()}
        config = {NOT_STORED: str(error), "loss": gan.loss_pair.name, **shapes}
    optimizers = {"g_optimizer": gan.g_optimizer, "d_optimizer": gan.d_optimizer}
    serialize = keras.saving.serialize_keras_object
    config |= {name: serialize(one) for name, one in optimizers.items()}
    return json.loads(json.dumps(config, default=str))


def differing(before: dict, now: dict) -> list[str]:
    """The arguments in which two GANs differ. Names that Keras counts up do not matter, nor what
    only later versions of it write. A schema that is not given is the data's, as one that is."""
    names = sorted(set(before) | set(now))
    if None in (before.get("schema"), now.get("schema")):
        names = [one for one in names if one != "schema"]
    return [one for one in names if _nameless(before.get(one)) != _nameless(now.get(one))]


def network(file: Path, role: str) -> keras.Model | None:
    """A network of the GAN that the `config.json` of a run describes, as shapes without values.

    Raises:
        ValueError: when it is not stored, or damaged; the message names the file.
    """
    own = bounds.read_object(file).get("gan")
    if not isinstance(own, dict) or NOT_STORED in own:
        reason = own[NOT_STORED] if isinstance(own, dict) else "It is of version 0.1."
        raise ValueError(f"{str(file)!r} does not say what its GAN is. {reason}")
    try:
        return None if own[role] is None else bounds.without_values(own[role])
    except Exception as error:  # Keras lets through whatever its layers raise
        raise bounds.damaged(file, error) from error


def _nameless(config):
    """The same with every layer's name replaced by its place, and without what says nothing."""
    places: dict[str, str] = {}

    def collect(one):
        if isinstance(one, dict):
            if isinstance(one.get("name"), str):
                places.setdefault(one["name"], f"#{len(places)}")
            for value in one.values():
                collect(value)
        elif isinstance(one, list):
            for value in one:
                collect(value)

    def replaced(one):
        if isinstance(one, dict):
            return {key: replaced(value) for key, value in one.items()}
        if isinstance(one, list):
            return [replaced(value) for value in one]
        return places.get(one, one) if isinstance(one, str) else one

    collect(config)
    named = replaced(config)
    later.drop_options(named)
    return named
