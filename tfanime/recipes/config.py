"""What a training run is, in one frozen dataclass; recipes are instances of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfanime.core.images import parse_size
from tfanime.core.printing import near_miss
from tfanime.core.schedules import Schedule, read
from tfanime.recipes.network_options import network_names, network_options

CONDITIONINGS = ("none", "concat", "projection", "ac", "infogan", "auto")
OPTIMIZERS = ("adam", "rmsprop", "sgd")
# float16 is left out: its gradients underflow without loss scaling.
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
    "degraded": (0, 1),
    "jitter": (0, 0.5),
    "beta_1": (0, 1),
    "beta_2": (0, 1),
    "penalty_weight": (0, float("inf")),
    "projected_weight": (0, float("inf")),
    "augment_probability": (0, 1 + 1e-9),
}
# May be a `Schedule`, which is written {"start": 1, "end": 0, "images": 100000}.
SCHEDULED = (
    "g_lr",
    "d_lr",
    "beta_2",
    "ema_half_life",
    "penalty_weight",
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
PRECISIONS = ("float32", "mixed_bfloat16")
CODES = ("categorical_codes", "continuous_codes")
JITTERS = ("brightness", "contrast", "saturation", "hue")


def _choice(name: str, value: str, known) -> None:
    if value not in known:
        raise ValueError(
            f"{name} is one of: {', '.join(known)}. Received: {value!r}.{near_miss(value, known)}"
        )


@dataclass(frozen=True)
class Config:
    """A recipe, and, once resolved with overrides, everything that decides a run's weights.

    Args:
        recipe: name of the recipe this started from.
        image_size: (height, width) in pixels; `64` and `"64x96"` (width x height) are accepted.
        latent_dim: length of the noise.
        generator, discriminator: `{"name": ..., options...}`, the name from `tfanime.models` and
            the options those of its function.
        scaling: of the pixels inside the networks: `"signed"`, -1 to 1 behind a tanh, or `"unit"`,
            0 to 1 behind a sigmoid. Outside of them, penalties and noise included, pictures are in
            [-1, 1] either way.
        conditioning: `"none"`; `"concat"`: labels join the noise, and the picture as constant
            maps (Mirza & Osindero 2014); `"projection"`: labels join the noise, and the logit gains
            their agreement with the picture's features (Miyato & Koyama 2018); `"ac"`: labels join
            the noise and a head of the discriminator recovers them (Odena et al. 2017);
            `"infogan"`: as `"ac"`, but the head learns from generated pictures only (Chen et al.
            2016); `"auto"`: `"ac"` where the data have labels, else `"none"` (`"infogan"` if there
            are codes).
        categorical_codes, code_values, continuous_codes: codes that no picture is labelled with:
            the generator gives them a meaning, which the head has to recover from generated
            pictures (Chen et al. 2016), beside the data's labels or without any. So many codes
            with `code_values` values each, and so many from -1 to 1. None: 1 and 2, as that paper
            has them for digits, with `"infogan"` and data without labels; otherwise there are none.
        condition_on: `"all"`, or names of label fields joined by commas: only these condition, as
            if the data had no others.
        rare_share: of the pictures of an epoch that every flag, and every value of a group, has at
            least: pictures with rarer labels are repeated, up to 16 times (`PackedDataset.
            balanced`). 0: none are. What is drawn keeps the frequencies of the data.
        text_augmentation: numbers of the sample around a text's vector, `layers.
            ConditioningAugmentation`; 0: the vector itself conditions.
        kl_weight: factor of that layer's divergence.
        mode_seeking_weight, top_k, lecam_weight: see `gans.GAN`.
        label_embedding: labels become as many numbers by a linear layer before they join the noise
            and, with `"concat"`, the picture; 0: they join as they are.
        multilabel: the head has a sigmoid per label column (MakeGirlsMoe) instead of a softmax
            per group.
        vector_loss: of a head, for texts: `"matching"`: it says which text of the batch a picture
            belongs to; `"squared"`: it says all numbers of the text. See `gans.losses.label_loss`.
        prior: where the labels of drawn pictures come from: `"data"` (those of the batch),
            `"empirical"` (independent draws with the data's frequencies) or `"training"` (groups
            uniform, flags 0.25, as MakeGirlsMoe). `"rows"` trains as `"data"` does, and the model
            keeps rows of the labels, from which it draws all that is not asked for.
        loss: a name in `gans.losses.LOSSES`.
        penalty: `"none"`, a name in `gans.penalties.PENALTIES`, or several joined by commas.
        penalty_weight: its factor; None: the paper's.
        penalty_every: training steps per penalised one, which is as many times as strong.
        projected: options of `models.projected.discriminator` for a second discriminator that looks
            through frozen networks only, such as `{"features": "lite0@2"}`; None: there is none.
        projected_weight, projected_every: see `gans.GAN`.
        projected_augment: as `augment`, for what it sees.
        weight_clip: clip of the discriminator's weights, or None.
        adversarial_weight: factor of the adversarial terms; None: as many as the labels have
            columns, but those of vectors (MakeGirlsMoe's lambda_adv), and 1 without labels.
        head_weight: factor of the label terms.
        pixel_loss, content_weight, feature_weight, degraded, jitter: of an upscaler, see
            `gans.SRGAN`. `{"hue": 0}` changes one jitter and leaves the others.
        feature_model: path of a Keras model for an upscaler's feature loss; None: the
            discriminator's own activations.
        critic_steps: discriminator updates per generator update; each sees a fresh batch.
        updates: `"alternating"` or `"simultaneous"`.
        head_on_fake: with `"ac"`, whether the head learns from generated pictures too; see
            `gans.GAN`.
        joint_batch, label_smoothing, instance_noise: see `gans.GAN`.
        optimizer: `"adam"`, `"rmsprop"` or `"sgd"`.
        g_lr, d_lr: learning rates. `override(lr=...)` sets both.
        beta_1, beta_2: Adam's; for `"sgd"` beta_1 is the momentum.
        lr_decay_start: step from which rates decay exponentially; None: constant.
        lr_decay_steps, lr_decay_rate: from then on the rate is multiplied by `lr_decay_rate`
            every `lr_decay_steps` steps.
        lr_end: the generator's rate at which this ends; the discriminator's ends with it, fallen by
            the same factor. A `g_lr` below it stays. None: it never ends.
        batch_size: pictures per discriminator update, over all replicas.
        accumulation: parts in which a batch is worked through, to save memory; the weights change
            once per batch, by the mean of the parts' gradients.
        sync_batch_norm: batch norm uses the statistics of the whole batch when several replicas
            share it, instead of each its own part's. TensorFlow only.
        augment: `"none"`, or a `gans.augment.diff_augment` policy such as `"color,translation"`.
        augment_target: None: `augment` changes a share `augment_probability` of the pictures. A
            number, 0.6 in the paper: the share follows how far the discriminator overfits
            (`gans.augment.adapted`).
        augment_probability: that share.
        augment_ramp: pictures it takes that share to go from 0 to 1.
        flip: mirror pictures at random.
        ema_half_life: in pictures; 0 turns averaging off.
        more_averages: half-lives, in pictures, of further averages of the generator, each saved as
            a model of its own, `averages/HALF_LIFE` in the run folder.
        start: a run folder or the name of a model that ships (`tfanime.zoo`), to begin with its
            weights; see `training.start`. None: fresh weights.
        freeze_discriminator: so many halvings of the picture are made by layers that keep the
            weights they begin with (FreezeD, Mo et al. 2020); for `start` and few pictures.
        precision: Keras's dtype policy. Heads, losses and penalties stay in float32.
        seed: of initial weights, noise and data order.

    The settings in `SCHEDULED`, rates and weights, may each be a `Schedule`, or the mapping that
    describes one.
    """

    recipe: str
    image_size: tuple[int, int] = (64, 64)
    latent_dim: int = 128
    generator: Mapping[str, Any] = field(default_factory=lambda: {"name": "dcgan"})
    discriminator: Mapping[str, Any] = field(default_factory=lambda: {"name": "dcgan"})
    scaling: str = "signed"
    conditioning: str = "none"
    categorical_codes: int | None = None
    code_values: int = 10
    continuous_codes: int | None = None
    condition_on: str = "all"
    rare_share: float = 0.0
    text_augmentation: int = 0
    kl_weight: float | Schedule = 2.0
    mode_seeking_weight: float | Schedule = 0.0
    top_k: float | Schedule = 1.0
    lecam_weight: float | Schedule = 0.0
    label_embedding: int = 0
    multilabel: bool = False
    vector_loss: str = "matching"
    prior: str = "data"
    loss: str = "non_saturating"
    penalty: str = "none"
    penalty_weight: float | Schedule | None = None
    penalty_every: int = 1
    projected: Mapping[str, Any] | None = None
    projected_weight: float | Schedule = 1.0
    projected_every: int = 1
    projected_augment: str = "translation"
    weight_clip: float | None = None
    adversarial_weight: float | Schedule | None = 1.0
    head_weight: float | Schedule = 1.0
    pixel_loss: str = "l1"
    content_weight: float | Schedule = 1.0
    feature_weight: float | Schedule = 0.0
    feature_model: str | None = None
    degraded: float = 0.5
    jitter: float | Mapping[str, float] = 0.0
    critic_steps: int = 1
    updates: str = "alternating"
    joint_batch: bool = False
    head_on_fake: bool = True
    label_smoothing: float = 0.0
    instance_noise: float | Schedule = 0.0
    optimizer: str = "adam"
    g_lr: float | Schedule = 2e-4
    d_lr: float | Schedule = 2e-4
    beta_1: float = 0.5
    beta_2: float | Schedule = 0.999
    lr_decay_start: int | None = None
    lr_decay_steps: int = 50_000
    lr_decay_rate: float = 0.5
    lr_end: float | None = None
    batch_size: int = 64
    accumulation: int = 1
    sync_batch_norm: bool = False
    augment: str = "none"
    augment_target: float | None = None
    augment_probability: float | Schedule = 1.0
    augment_ramp: int = 500_000
    flip: bool = True
    ema_half_life: float | Schedule = 10_000.0
    more_averages: tuple[float, ...] = ()
    start: str | None = None
    freeze_discriminator: int = 0
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "image_size", parse_size(self.image_size))
        object.__setattr__(self, "more_averages", _half_lives(self.more_averages))
        for name in SCHEDULED:
            object.__setattr__(self, name, read(getattr(self, name)))
        _choice("scaling", self.scaling, ("signed", "unit"))
        _choice("conditioning", self.conditioning, CONDITIONINGS)
        _choice("prior", self.prior, ("data", "rows", "empirical", "training"))
        _choice("vector_loss", self.vector_loss, ("matching", "squared"))
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _choice("precision", self.precision, PRECISIONS)
        counts = ("latent_dim", "batch_size", "accumulation", "critic_steps", "lr_decay_steps")
        for name in (*counts, "augment_ramp", "projected_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is at least 1. Received: {getattr(self, name)}.")
        for name in (*CODES, "text_augmentation", "label_embedding", "freeze_discriminator"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} is at least 0. Received: {getattr(self, name)}.")
        if self.code_values < 2:
            raise ValueError(f"code_values is at least 2. Received: {self.code_values}.")
        codes = {name: getattr(self, name) for name in CODES if getattr(self, name)}
        if codes and self.conditioning not in ("ac", "infogan", "auto"):
            given = ", ".join(f"{name}={value}" for name, value in codes.items())
            raise ValueError(
                "Codes need a head that recovers them: conditioning is infogan, ac or auto. "
                f"Received: conditioning={self.conditioning!r} and {given}."
            )
        for name in ("g_lr", "d_lr"):
            if not all(value > 0 for value in _values(getattr(self, name))):
                raise ValueError(f"{name} is greater than 0. Received: {getattr(self, name)}.")
        jitters(self.jitter)
        if self.lr_end is not None and not self.lr_end > 0:
            raise ValueError(f"lr_end is greater than 0. Received: {self.lr_end}.")
        for name, (low, high) in RANGES.items():
            if not all(low <= value < high for value in _values(getattr(self, name))):
                raise ValueError(
                    f"{name} is at least {low:g} and below {high:g}. "
                    f"Received: {getattr(self, name)}."
                )
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed is a whole number from 0 to 2**32 - 1. Received: {self.seed}.")

    def override(self, **changes) -> Config:
        """A copy with other values.

        `generator` and `discriminator` take a mapping that is merged into the present one, so
        `generator={"channels": 32}` keeps its name; a mapping with another name, or just another
        name, replaces it. `jitter` takes one too. `lr` stands for `g_lr` and `d_lr`, so that a grid
        has one axis for both.

        Raises:
            ValueError: for an unknown name, with the known ones, or for a value of the wrong type.
        """
        known = {f.name: f for f in dataclasses.fields(self)}
        changes = _both_rates(changes)
        unknown = sorted(set(changes) - set(known))
        if unknown:
            raise ValueError(
                f"Unknown setting: {', '.join(unknown)}. Known: {', '.join(sorted(known))}."
                f"{near_miss(unknown[0], known)}"
            )
        for name in ("generator", "discriminator"):
            if name in changes:
                changes[name] = _merged(name, getattr(self, name), changes[name])
        if isinstance(changes.get("jitter"), Mapping):
            changes["jitter"] = {**jitters(self.jitter), **changes["jitter"]}
        if isinstance(self.projected, Mapping) and isinstance(changes.get("projected"), Mapping):
            changes["projected"] = {**self.projected, **changes["projected"]}
        for name, value in changes.items():
            if name in SCHEDULED:
                value = read(value)
            changes[name] = _as_declared(name, value, known[name].type)
        return dataclasses.replace(self, **changes)

    def to_json(self) -> dict:
        stored = dataclasses.asdict(self)
        as_stored = {name: list(stored[name]) for name in ("image_size", "more_averages")}
        return {**stored, **as_stored}

    @classmethod
    def from_json(cls, stored: Mapping) -> Config:
        return cls(**{**stored, "image_size": tuple(stored["image_size"])})


def check_network_options(config: Config) -> None:
    """Refuses options that our networks do not take, without importing them.

    Raises:
        ValueError: naming the option, and those that there are.
    """
    for role in ("generator", "discriminator"):
        options = dict(getattr(config, role))
        name = options.pop("name", None)
        known = network_options(role, name)
        unknown = [] if known is None else [option for option in options if option not in known]
        if unknown:
            raise ValueError(
                f"The {role} {name!r} does not take these options: {', '.join(unknown)}. It takes: "
                f"{', '.join(known)}.{near_miss(unknown[0], known)}"
            )


def check_network_names(config: Config) -> None:
    """Refuses networks that are not ours, without importing them.

    Raises:
        ValueError: naming the network, and those that there are.
    """
    for role in ("generator", "discriminator"):
        _choice(f"{role}'s name", getattr(config, role).get("name"), network_names(role))


def jitters(value: float | Mapping[str, float]) -> dict[str, float]:
    """How much an upscaler's training changes each of `JITTERS`; a number is that of contrast,
    saturation and hue (the Stanford study's three).

    Raises:
        ValueError: for a name that is not among them, or what is no number.
    """
    given = value if isinstance(value, Mapping) else dict.fromkeys(JITTERS[1:], value)
    right = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in given.values())
    if set(given) - set(JITTERS) or not right:
        raise ValueError(
            f"jitter is a number, or a number for some of: {', '.join(JITTERS)}. "
            f"Received: {value!r}."
        )
    return {name: float(given.get(name, 0.0)) for name in JITTERS}


def _half_lives(values) -> tuple[float, ...]:
    """Positive numbers that differ, or a clear sentence."""
    listed = isinstance(values, (list, tuple))
    right = listed and all(
        isinstance(x, (int, float)) and not isinstance(x, bool) and 0 < x < float("inf")
        for x in values
    )
    if not right or len(set(values)) < len(values):
        raise ValueError(
            "more_averages is a list of different half-lives in pictures, such as [1000, 50000]. "
            f"Received: {values!r}."
        )
    return tuple(map(float, values))


def _both_rates(changes: Mapping) -> dict:
    """`lr` as the two rates that it stands for."""
    if "lr" not in changes:
        return dict(changes)
    if beside := sorted({"g_lr", "d_lr"} & set(changes)):
        raise ValueError(
            f"lr sets g_lr and d_lr alike. Received beside it: {', '.join(beside)}. Choose one way."
        )
    others = {name: value for name, value in changes.items() if name != "lr"}
    return {**others, "g_lr": changes["lr"], "d_lr": changes["lr"]}


def _values(value: float | Schedule | Mapping | None) -> tuple[float, ...]:
    """All numbers that a setting can become."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value.values if isinstance(value, Schedule) else (value,)


def _merged(role: str, present: Mapping, change) -> dict:
    change = {"name": change} if isinstance(change, str) else change
    if not isinstance(change, Mapping):
        raise ValueError(f"{role} is a name or a mapping of options. Received: {change!r}.")
    same = change.get("name", present["name"]) == present["name"]
    return {**present, **change} if same else dict(change)


def _as_declared(name: str, value, declared: str):
    """Numbers that arrive as the wrong kind of number, or a clear sentence."""
    if declared.startswith("float") and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = {"int": int, "float": float, "bool": bool, "str": str, "Schedule": Schedule}
    kinds = tuple(wanted[part.strip()] for part in declared.split("|") if part.strip() in wanted)
    kinds += (Mapping,) if "Mapping" in declared and kinds else ()
    optional = "None" in declared
    wrong_bool = isinstance(value, bool) and bool not in kinds
    if kinds and not (isinstance(value, kinds) and not wrong_bool or optional and value is None):
        raise ValueError(f"{name} is of type {declared}. Received: {value!r}.")
    return value


def parse_overrides(pairs) -> dict[str, Any]:
    """`["g_lr=1e-4", "generator.channels=32"]` to keyword arguments of `Config.override`.

    Values are read as JSON where they are JSON (numbers, true, false, null), else as words.
    """
    import json

    changes: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"A setting is written NAME=VALUE. Received: {pair!r}.")
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        outer, dot, inner = name.partition(".")
        if dot:
            options = changes.get(outer, {})
            options = options if isinstance(options, dict) else {"name": options}
            changes[outer] = {**options, inner: value}
        elif isinstance(changes.get(name), dict):
            changes[name] = {**changes[name], "name": value}
        else:
            changes[name] = value
    return changes
