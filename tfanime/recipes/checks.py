"""What is wrong with settings, said where they are written down.

All that can be known of a configuration without its data and without TensorFlow is checked when it
is made. What only the networks themselves can tell is left to `training.build`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from tfanime.core import choices
from tfanime.core.printing import near_miss
from tfanime.core.registry import Registry
from tfanime.core.schedules import Schedule
from tfanime.recipes.network_options import (
    check_size,
    check_values,
    network_names,
    network_options,
    option,
)
from tfanime.recipes.upscaler_checks import check_upscaler
from tfanime.registries import DISCRIMINATORS, LOSSES, PENALTIES, TERMS, check_augment

CUSTOM = "custom"  # the recipe of a GAN that a program built, which says itself what it is
RANGES = {
    "weight_clip": (1e-12, float("inf")),
    "ema_half_life": (0, float("inf")),
    "label_smoothing": (0, 0.5),
    "instance_noise": (0, float("inf")),
    "augment_target": (-1, 1),
    "kl_weight": (0, float("inf")),
    "mode_seeking_weight": (0, float("inf")),
    "top_k": (1e-9, 1 + 1e-9),
    "lecam_weight": (0, float("inf")),
    "content_weight": (0, float("inf")),
    "feature_weight": (0, float("inf")),
    "rare_share": (0, 0.5),
    "degraded": (0, 1 + 1e-9),
    "wobble": (0, 2),
    "sharpened": (0, 4),
    "jitter": (0, 0.5),
    "beta_1": (0, 1),
    "beta_2": (0, 1),
    "penalty_weight": (0, float("inf")),
    "terms_weight": (0, float("inf")),
    "projected_weight": (0, float("inf")),
    "augment_probability": (0, 1 + 1e-9),
    "adversarial_weight": (0, float("inf")),
    "head_weight": (0, float("inf")),
    "lr_decay_rate": (1e-12, float("inf")),
}
# May be a `Schedule`, which is written {"start": 1, "end": 0, "images": 100000}.
SCHEDULED = (
    "g_lr",
    "d_lr",
    "beta_2",
    "ema_half_life",
    "penalty_weight",
    "terms_weight",
    "projected_weight",
    "adversarial_weight",
    "head_weight",
    "kl_weight",
    "mode_seeking_weight",
    "lecam_weight",
    "content_weight",
    "feature_weight",
    "instance_noise",
    "augment_probability",
    "top_k",
)
AT_LEAST_1 = ("latent_dim", "batch_size", "accumulation", "critic_steps", "lr_decay_steps")
AT_LEAST_1 += ("augment_ramp", "penalty_every", "projected_every")
CODES = ("categorical_codes", "continuous_codes")
AT_LEAST_0 = (*CODES, "text_augmentation", "label_embedding", "freeze_discriminator", "steering")
AT_LEAST_0 += ("lr_decay_start",)
JITTERS = ("brightness", "contrast", "saturation", "hue")
CHOICES = {
    "scaling": choices.SCALINGS,
    "conditioning": choices.CONDITIONINGS,
    "prior": choices.PRIORS,
    "vector_loss": choices.VECTOR_LOSSES,
    "pixel_loss": choices.PIXEL_LOSSES,
    "updates": choices.UPDATES,
    "optimizer": choices.OPTIMIZERS,
    "precision": choices.PRECISIONS,
}
REMARKS = {"precision": " float16 is none: its gradients vanish where losses are not scaled."}


def check(config) -> None:
    """Refuses settings that no training can have.

    Raises:
        ValueError: naming the setting, the rule and what was received.
    """
    for name, names in CHOICES.items():
        _choice(name, getattr(config, name), names, REMARKS.get(name, ""))
    _check_numbers(config)
    _check_codes(config)
    if config.recipe == CUSTOM:
        return
    _check_objective(config)
    _check_augmentation(config)
    _check_updates(config)
    check_networks(config)


def as_declared(name: str, value: Any, declared: str) -> Any:
    """Numbers that arrive as the wrong kind of number, or a clear sentence."""
    if declared.startswith("float") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    types = {"int": int, "float": float, "bool": bool, "str": str, "Schedule": Schedule}
    kinds = tuple(types[part.strip()] for part in declared.split("|") if part.strip() in types)
    kinds += (Mapping,) if "Mapping" in declared and kinds else ()
    optional = "None" in declared
    wrong_bool = isinstance(value, bool) and bool not in kinds
    if kinds and not (isinstance(value, kinds) and not wrong_bool or optional and value is None):
        raise ValueError(f"{name} is of type {declared}. Received: {value!r}.")
    return value


def penalty_names(penalty: str) -> tuple[str, ...]:
    """The penalties that a setting joins by commas.

    Raises:
        ValueError: for an unknown one, naming those that there are.
    """
    return _names("penalty", penalty, PENALTIES)


def term_names(terms: str) -> tuple[str, ...]:
    """The same of terms."""
    return _names("terms", terms, TERMS)


def _names(setting: str, value: str, registry: Registry) -> tuple[str, ...]:
    if value == "none":
        return ()
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in registry:
            listed = ", ".join(registry) or "those that a recipe registers"
            raise ValueError(
                f"{setting} is 'none' or some of: {listed}, joined by commas. "
                f"Received: {value!r}.{near_miss(name, registry)}"
            )
    return names


def usual_weight(penalty: str) -> float | None:
    """The weight of a registered penalty where none is chosen."""
    weight = PENALTIES.fact(penalty, "weight")
    if weight is not None:
        return weight
    parameters = [*inspect.signature(PENALTIES.get(penalty)).parameters.values()]
    usual = parameters[0].default if parameters else None
    return float(usual) if isinstance(usual, (int, float)) else None


def check_networks(config) -> None:
    """Refuses networks that there are not, options that they do not take, and sizes that they
    cannot have.

    Raises:
        ValueError: naming the network and what it takes.
    """
    specs = {"generator": config.generator, "discriminator": config.discriminator}
    if config.projected is not None:
        if not isinstance(config.projected, Mapping):
            raise ValueError(f"projected is a mapping of options. Received: {config.projected!r}.")
        specs["second discriminator"] = {**config.projected, "name": "projected"}
    for role, spec in specs.items():
        if not isinstance(spec, Mapping):
            raise ValueError(f"{role} is a mapping with a name and options. Received: {spec!r}.")
        _choice(f"{role}'s name", spec.get("name"), network_names(role))
        options = network_options(role, spec["name"])
        unknown = [] if options is None else [one for one in spec if one not in ("name", *options)]
        if unknown:
            raise ValueError(
                f"The {role} {spec['name']!r} does not take these options: {', '.join(unknown)}. "
                f"It takes: {', '.join(options or ())}.{near_miss(unknown[0], options or ())}"
            )
        own = role in ("generator", "discriminator")
        if own and config.scaling != "signed" and options is not None and "scaling" not in options:
            raise ValueError(
                f"The {role} {spec['name']!r} does not take these options: scaling. "
                f"It takes: {', '.join(options)}. Leave scaling='signed'."
            )
        check_size(role, spec, *config.image_size)
        check_values(role, spec)
    check_upscaler(config)
    _check_conditioning(config)


def _check_conditioning(config) -> None:
    """Refuses labels for networks that do not look at any."""
    name, conditioning = config.discriminator["name"], config.conditioning
    if conditioning == "concat" and not DISCRIMINATORS.fact(name, "labels", True):
        raise ValueError(
            "conditioning='concat' needs a discriminator that looks at labels, such as 'dcgan'. "
            f"Received: discriminator={name!r}. Use conditioning='ac' or 'projection'."
        )
    label_norms = option("generator", config.generator, "normalisation") == "conditional"
    if label_norms and conditioning == "none":
        raise ValueError(
            "normalisation='conditional' needs labels, and this generator has none. "
            "Condition it, or take 'batch'."
        )


def _check_numbers(config) -> None:
    for name in AT_LEAST_1:
        if not getattr(config, name) >= 1:
            raise ValueError(f"{name} is at least 1. Received: {getattr(config, name)}.")
    for name in AT_LEAST_0:
        if (getattr(config, name) or 0) < 0:
            raise ValueError(f"{name} is at least 0. Received: {getattr(config, name)}.")
    if config.code_values < 2:
        raise ValueError(f"code_values is at least 2. Received: {config.code_values}.")
    for name in ("g_lr", "d_lr"):
        if not all(0 < value < float("inf") for value in _values(getattr(config, name))):
            raise ValueError(
                f"{name} is greater than 0, and finite. Received: {getattr(config, name)}."
            )
    if config.lr_end is not None and not config.lr_end > 0:
        raise ValueError(f"lr_end is greater than 0. Received: {config.lr_end}.")
    jitters(config.jitter)
    for name, (low, high) in RANGES.items():
        if not all(low <= value < high for value in _values(getattr(config, name))):
            raise ValueError(
                f"{name} is at least {low:g} and below {high:g}. Received: {getattr(config, name)}."
            )
    if not 0 <= config.seed < 2**32:
        raise ValueError(f"seed is a whole number from 0 to 2**32 - 1. Received: {config.seed}.")
    if config.batch_size % config.accumulation:
        raise ValueError(
            "accumulation works through a batch in equal parts, so batch_size is a multiple of it. "
            f"Received: batch_size={config.batch_size}, accumulation={config.accumulation}."
        )
    if config.mode_seeking_weight and config.batch_size // config.accumulation % 2:
        raise ValueError(
            "mode_seeking_weight needs an even number of images per critic step and "
            f"accumulation. Received: {config.batch_size // config.accumulation}."
        )


def _check_codes(config) -> None:
    codes = {name: getattr(config, name) for name in CODES if getattr(config, name)}
    if codes and config.conditioning not in ("ac", "infogan", "auto"):
        settings = ", ".join(f"{name}={value}" for name, value in codes.items())
        raise ValueError(
            "Codes need a head that recovers them: conditioning is infogan, ac or auto. "
            f"Received: conditioning={config.conditioning!r} and {settings}."
        )


def _check_objective(config) -> None:
    LOSSES.check(config.loss)
    term_names(config.terms)
    names = penalty_names(config.penalty)
    if config.label_smoothing and not LOSSES.fact(config.loss, "targets", True):
        fitting = [name for name in LOSSES if LOSSES.fact(name, "targets", True)]
        raise ValueError(
            f"label_smoothing needs a loss with targets ({', '.join(fitting)}); the {config.loss} "
            f"loss has none. Received: {config.label_smoothing}."
        )
    usual = {name: usual_weight(name) for name in names}
    if config.penalty_weight is None and len({*usual.values()}) > 1:
        weights = ", ".join(f"{name} {weight}" for name, weight in usual.items())
        raise ValueError(
            f"Penalties of different usual weights need a penalty_weight of their own ({weights}). "
            f"Received: penalty={config.penalty!r} without one."
        )
    spec = config.discriminator
    if names and isinstance(spec, Mapping) and _has_batch_norm(spec):
        raise ValueError(
            "A gradient penalty is a matter of single images, and batch norm mixes them: the "
            "discriminator must have none (DCGAN: normalisation='layer', 'spectral' or 'none'). "
            f"Received: penalty={config.penalty!r}, and {spec['name']!r} with batch norm. Choose "
            "another discriminator, or penalty='none'."
        )


def _has_batch_norm(discriminator: Mapping) -> bool:
    name = discriminator.get("name")
    if name not in DISCRIMINATORS:
        return False
    chosen = option("discriminator", discriminator, "normalisation") == "batch"
    return chosen or DISCRIMINATORS.fact(name, "batch_norm", False)


def _check_augmentation(config) -> None:
    for name in ("augment", "projected_augment"):
        if getattr(config, name) != "none":
            check_augment(getattr(config, name))
    adapted = config.augment != "none" and config.augment_target is not None
    if adapted and not LOSSES.fact(config.loss, "signed", False):
        signed = [name for name in LOSSES if LOSSES.fact(name, "signed", False)]
        raise ValueError(
            "augment_target needs a loss whose discriminator says real above 0: "
            f"{', '.join(signed)}. Received: loss={config.loss!r}."
        )


def _check_updates(config) -> None:
    """Refuses ways of updating that exclude each other."""
    simultaneous = config.updates == "simultaneous"
    if simultaneous and config.critic_steps != 1:
        raise ValueError(
            "critic_steps is at least 1, and exactly 1 with simultaneous updates. "
            f"Received: critic_steps={config.critic_steps}, updates={config.updates!r}."
        )
    for name in ("joint_batch", "projected"):
        if getattr(config, name) and not simultaneous:
            raise ValueError(
                f"{name} needs updates='simultaneous'. Received: updates={config.updates!r}."
            )
    for name in ("g_lr", "d_lr"):
        if isinstance(getattr(config, name), Schedule) and config.lr_decay_start is not None:
            raise ValueError(
                "A rate that is a schedule has no lr_decay_start. Received: "
                f"{config.lr_decay_start}."
            )


def jitters(value: float | Mapping[str, float]) -> dict[str, float]:
    """How much an upscaler's training changes each of `JITTERS`; a number is that of contrast,
    saturation and hue (the Stanford study's three).

    Raises:
        ValueError: for a name that is not among them, or what is no number.
    """
    amounts = value if isinstance(value, Mapping) else dict.fromkeys(JITTERS[1:], value)
    right = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in amounts.values())
    if set(amounts) - set(JITTERS) or not right:
        raise ValueError(
            f"jitter is a number, or a number for some of: {', '.join(JITTERS)}. "
            f"Received: {value!r}."
        )
    return {name: float(amounts.get(name, 0.0)) for name in JITTERS}


def half_lives(values: Any) -> tuple[float, ...]:
    """Positive numbers that differ, or a clear sentence."""
    listed = isinstance(values, (list, tuple))
    right = listed and all(
        isinstance(x, (int, float)) and not isinstance(x, bool) and 0 < x < float("inf")
        for x in values
    )
    if not right or len(set(values)) < len(values):
        raise ValueError(
            "more_averages is a list of different half-lives in images, such as [1000, 50000]. "
            f"Received: {values!r}."
        )
    return tuple(map(float, values))


def _values(value: float | Schedule | Mapping | None) -> tuple[float, ...]:
    """All numbers that a setting can become."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value.values if isinstance(value, Schedule) else (value,)


def _choice(name: str, value: object, names: Iterable[str], remark: str = "") -> None:
    names = tuple(names)
    if value not in names:
        raise ValueError(
            f"{name} is one of: {', '.join(names)}. Received: {value!r}."
            f"{remark or near_miss(value, names)}"
        )
