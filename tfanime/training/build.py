"""From a resolved `Config` to a compiled `GAN`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import keras

from tfanime.core import bounds
from tfanime.core.labels import LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.frozen import lite0, load_frozen
from tfanime.gans import GAN, SRGAN
from tfanime.gans.augment import diff_augment
from tfanime.gans.penalties import GradientPenalty
from tfanime.gans.upkeep import batch_norms
from tfanime.models.heads import label_head, with_projection
from tfanime.models.inputs import Entry
from tfanime.models.sizes import shown_regions
from tfanime.recipes.checks import penalty_names, term_names
from tfanime.recipes.config import Config
from tfanime.recipes.network_options import registry
from tfanime.recipes.resolve import conditioning_of, resolve
from tfanime.registries import PENALTIES, TERMS, UPSCALERS
from tfanime.training.schedules import DelayedDecay, ScheduledAdam, ScheduledRate


def build_gan(config: Config, schema: LabelSchema | None = None) -> GAN:
    """The networks and objective of a configuration, compiled, with fresh weights.

    Args:
        config: the resolved configuration. Sets Keras's global dtype policy and random seed.
        schema: of the data's labels; needed by every conditioning but `"none"`.

    Raises:
        ValueError: for an unknown network or option, or labels that are needed and missing.
    """
    config = resolve(config, schema)
    conditioning, schema = conditioning_of(config, schema)
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy(config.precision)
    generator, discriminator, head = networks(config, schema)
    freeze(discriminator, config)
    augmented = config.augment != "none"
    kind, options = GAN, {}
    if config.generator["name"] in UPSCALERS:
        kind, options = SRGAN, _content(config)
    gan = kind(
        generator,
        discriminator,
        loss=config.loss,
        penalty=_penalties(config),
        terms=[TERMS.get(name)(config.terms_weight) for name in term_names(config.terms)],
        projected=_projected(config),
        projected_weight=config.projected_weight,
        projected_every=config.projected_every,
        projected_augment=_augmentation(config.projected_augment),
        weight_clip=config.weight_clip,
        head=head,
        schema=schema,
        multilabel=config.multilabel,
        vector_loss=config.vector_loss,
        head_on_real=conditioning == "ac",
        head_on_fake=config.head_on_fake or conditioning == "infogan",
        adversarial_weight=config.adversarial_weight,
        head_weight=config.head_weight,
        kl_weight=config.kl_weight,
        mode_seeking_weight=config.mode_seeking_weight,
        top_k=config.top_k,
        lecam_weight=config.lecam_weight,
        critic_steps=config.critic_steps,
        updates=config.updates,
        joint_batch=config.joint_batch,
        accumulation=config.accumulation,
        augment=_augmentation(config.augment),
        augment_target=config.augment_target if augmented else None,
        augment_probability=config.augment_probability,
        augment_ramp=config.augment_ramp,
        label_smoothing=config.label_smoothing,
        instance_noise=config.instance_noise,
        ema_half_life=config.ema_half_life,
        # What is trained on has an average already, which nothing hurries to leave.
        **({} if config.start is None else {"ema_warmup": math.inf}),
        more_averages=config.more_averages,
        seed=config.seed,
        **options,
    )
    if config.sync_batch_norm:
        _synchronise(gan)
    gan.compile(
        _optimizer(config, config.g_lr, updates=1),
        _optimizer(config, config.d_lr, updates=config.critic_steps),
    )
    return gan


def networks(
    config: Config, schema: LabelSchema | None
) -> tuple[keras.Model, keras.Model, keras.Model | None]:
    """Generator, discriminator and head of a configuration, with fresh weights.

    Args:
        config: the resolved configuration. In place of a name, `features` of its discriminator may
            be a frozen network itself.
        schema: see `build_gan`.
    """
    conditioning, schema = conditioning_of(config, schema)
    height, width = config.image_size
    label_dim = schema.size if schema else 0
    _, maps = _label_options(config, schema)
    generator = generator_network(config, schema)
    discriminator = _network(
        "discriminator",
        {**with_features(config.discriminator, height, width), **_scaling(config)},
        height=height,
        width=width,
        label_dim=label_dim if conditioning == "concat" else 0,
        **(maps if conditioning == "concat" else {}),
    )
    if conditioning == "projection":
        discriminator = with_projection(discriminator, label_dim)
    head = None
    if conditioning in ("ac", "infogan"):
        head = label_head(discriminator.output["features"].shape[-1], label_dim)
    return generator, discriminator, head


def generator_network(config: Config, schema: LabelSchema | None) -> keras.Model:
    """The generator alone; see `networks`."""
    _, schema = conditioning_of(config, schema)
    entry, _ = _label_options(config, schema)
    return _network(
        "generator",
        {**config.generator, **_scaling(config)},
        height=config.image_size[0],
        width=config.image_size[1],
        latent_dim=config.latent_dim,
        label_dim=schema.size if schema else 0,
        **entry,
    )


def _label_options(config: Config, schema: LabelSchema | None) -> tuple[dict, dict]:
    """How latents and labels enter generator and discriminator, where they do not simply join."""
    size = schema.vector_size if schema else 0
    if config.text_augmentation and not size:
        raise ValueError(
            "text_augmentation needs labels with the vector of a text. Received: "
            f"{config.text_augmentation} and data without one. `tfanime text attach` adds one."
        )
    embedding = config.label_embedding
    entry = Entry(size, config.text_augmentation, embedding, config.steering)
    usual = entry == Entry(size)
    return {} if usual else {"entry": entry}, {"label_embedding": embedding} if embedding else {}


def freeze(discriminator: keras.Model, config: Config) -> None:
    """Layers whose maps are at least as large as the image halved `freeze_discriminator` times
    keep their weights, but for those that give logits.

    Raises:
        ValueError: when nothing is left to train.
    """
    if not config.freeze_discriminator:
        return
    smallest = config.image_size[0] >> config.freeze_discriminator
    frozen = [
        layer
        for layer in discriminator.layers
        if len(getattr(layer.output, "shape", ())) == 4
        and layer.output.shape[1] >= smallest
        and not layer.name.endswith("logits")
    ]
    for layer in frozen:
        layer.trainable = False
    if not discriminator.trainable_variables:
        raise ValueError(
            "freeze_discriminator leaves something to train. Received: "
            f"{config.freeze_discriminator}, with which every layer keeps its weights."
        )


def _scaling(config: Config) -> dict:
    """An option of the networks that have it; others refuse what is not usual."""
    return {} if config.scaling == "signed" else {"scaling": config.scaling}


def _synchronise(gan: GAN) -> None:
    """Not a setting of the networks, so that saved generators load without a strategy or
    TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "sync_batch_norm joins replicas, which only KERAS_BACKEND=tensorflow has. "
            "Received: sync_batch_norm=True. Leave it out."
        )
    for network in (gan.generator, gan.discriminator):
        for layer in batch_norms(network):
            layer.synchronized = True


def _network(role: str, spec: Mapping[str, Any], **arguments) -> keras.Model:
    options = dict(spec)
    name = options.pop("name", None)
    try:
        return registry(role, name).get(name)(**arguments, **options)
    except TypeError as error:
        raise ValueError(
            f"The {role} {name!r} does not take these options: {sorted(options)} ({error})."
        ) from error


def with_features(spec: Mapping[str, Any], height: int, width: int) -> dict:
    """The discriminator's options, with the frozen networks themselves in place of their names."""
    if "features" not in spec:
        return dict(spec)
    names = spec["features"]
    names = names if isinstance(names, (list, tuple)) else [names]
    networks = []
    boxes = shown_regions(names, spec.get("regions"), height, width)
    for name, (top, left, bottom, right) in zip(names, boxes, strict=True):
        is_model = isinstance(name, keras.Model)
        networks.append(name if is_model else load_frozen(name, bottom - top, right - left))
    return {**spec, "features": networks}


def _penalties(config: Config) -> tuple[GradientPenalty, ...]:
    penalties = []
    for name in penalty_names(config.penalty):
        make = PENALTIES.get(name)
        penalty = make() if config.penalty_weight is None else make(config.penalty_weight)
        penalties.append(dataclasses.replace(penalty, every=config.penalty_every))
    return tuple(penalties)


def _projected(config: Config) -> keras.Model | None:
    """The second discriminator, which leaves the images themselves to the first."""
    if config.projected is None:
        return None
    height, width = config.image_size
    spec = {"features": "lite0", "pixel_channels": 0, **config.projected, "name": "projected"}
    network = _network(
        "discriminator",
        with_features(spec, height, width),
        height=height,
        width=width,
    )
    return keras.Model(network.inputs, {"logits": network.output["logits"]}, name="projected")


def _augmentation(policy: str):
    return None if policy == "none" else diff_augment(policy)


def _content(config: Config) -> dict:
    """What an upscaler is trained for beside fooling the discriminator."""
    path = config.feature_model
    try:
        if path == "lite0":
            model = lite0.perceptual(*config.image_size)
        else:
            model = None if path is None else bounds.load_network(path)
    except ValueError as error:
        raise ValueError(
            f"feature_model is 'lite0' or the path of a Keras model. Received: {path!r} ({error})."
        ) from error
    return {
        "pixel_loss": config.pixel_loss,
        "content_weight": config.content_weight,
        "feature_weight": config.feature_weight,
        "feature_model": model,
        "degraded": config.degraded,
        "wobble": config.wobble,
        "sharpened": config.sharpened,
        "jitter": config.jitter,
    }


def _optimizer(config: Config, rate: float | Schedule, updates: int) -> keras.optimizers.Optimizer:
    """An optimizer that makes so many updates a training step, and counts these."""
    images = config.batch_size * config.critic_steps // updates
    if isinstance(rate, Schedule):
        if config.lr_decay_start is not None:
            raise ValueError(
                "A rate that is a schedule has no lr_decay_start. Received: "
                f"{config.lr_decay_start}."
            )
        rate = ScheduledRate(rate, images)
    if isinstance(config.beta_2, Schedule) and config.optimizer == "adam":
        return ScheduledAdam(rate, config.beta_1, config.beta_2, images)
    if config.lr_decay_start is not None:
        # Both networks' rates end after as many steps, whatever their proportion.
        end = 0.0 if config.lr_end is None else rate * min(1.0, config.lr_end / config.g_lr)
        start, steps = config.lr_decay_start * updates, config.lr_decay_steps * updates
        rate = DelayedDecay(rate, start, steps, config.lr_decay_rate, end)
    if config.optimizer == "adam":
        return keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=config.beta_2)
    if config.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate)
    return keras.optimizers.SGD(rate, momentum=config.beta_1)
