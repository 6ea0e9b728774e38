"""What a training run is, in one frozen dataclass; recipes are instances of it.

Its fields are flat: `--set g_lr=1e-4`, an axis of a sweep, a line of `config.json` and the argument
of `train` are one name, which says what it is of by itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfanime.core.images import parse_size
from tfanime.core.schedules import Schedule, read
from tfanime.recipes import checks
from tfanime.recipes.checks import jitters as jitters
from tfanime.recipes.overrides import overridden
from tfanime.recipes.overrides import parse_overrides as parse_overrides


@dataclass(frozen=True)
class Config:
    """A recipe, and, once resolved with overrides, everything that decides a run's weights.

    Args:
        recipe: name of the recipe this started from.
        recipe_file: name and fingerprint of the user's file that it came from, see
            `recipes.files`; None: it came with tfanime, with a package, or from a program.
        image_size: (height, width) in pixels; `64` and `"64x96"` (width x height) are accepted.
            The name under which runs store it; `override`, `train` and `--set` call it `size`.
        latent_dim: length of the noise.
        generator, discriminator: `{"name": ..., options...}`, the name from `tfanime.models` and
            the options those of its function.
        scaling: of the pixels inside the networks: `"signed"`, -1 to 1 behind a tanh, or `"unit"`,
            0 to 1 behind a sigmoid. Outside of them, penalties and noise included, images are in
            [-1, 1] either way.
        conditioning: `"none"`; `"concat"`: labels join the noise, and the image as constant
            maps (Mirza & Osindero 2014); `"projection"`: labels join the noise, and the logit gains
            their agreement with the image's features (Miyato & Koyama 2018); `"ac"`: labels join
            the noise and a head of the discriminator recovers them (Odena et al. 2017);
            `"infogan"`: as `"ac"`, but the head learns from generated images only (Chen et al.
            2016); `"auto"`: `"ac"` where the data have labels, else `"none"` (`"infogan"` if there
            are codes).
        categorical_codes, code_values, continuous_codes: codes that no image is labelled with:
            the generator gives them a meaning, which the head has to recover from generated
            images (Chen et al. 2016), beside the data's labels or without any. So many codes
            with `code_values` values each, and so many from -1 to 1. None: 1 and 2, as that paper
            has them for digits, with `"infogan"` and data without labels; otherwise there are none.
        condition_on: `"all"`, or names of label fields joined by commas: only these condition, as
            if the data had no others.
        rare_share: of the images of an epoch that every flag, and every value of a group, has at
            least: images with rarer labels are repeated, up to 16 times (`PackedDataset.
            balanced`). 0: none are. What is drawn keeps the frequencies of the data.
        text_augmentation: numbers of the sample around a text's vector, `layers.
            ConditioningAugmentation`; 0: the vector itself conditions.
        kl_weight: factor of that layer's divergence.
        mode_seeking_weight, top_k, lecam_weight: see `gans.GAN`.
        label_embedding: labels become as many numbers by a linear layer before they join the noise
            and, with `"concat"`, the image; 0: they join as they are.
        multilabel: the head has a sigmoid per label column (MakeGirlsMoe) instead of a softmax
            per group.
        vector_loss: of a head, for texts: `"matching"`: it says which text of the batch an image
            belongs to; `"squared"`: it says all numbers of the text. See `gans.losses.label_loss`.
        prior: where the labels of drawn images come from: `"data"` (those of the batch),
            `"empirical"` (independent draws with the data's frequencies) or `"training"` (groups
            uniform, flags 0.25, as MakeGirlsMoe). `"rows"` trains as `"data"` does, and the model
            keeps rows of the labels, from which it draws all that is not asked for.
        loss: a name in `gans.losses.LOSSES`.
        penalty: `"none"`, a name in `gans.penalties.PENALTIES`, or several joined by commas.
        penalty_weight: its factor; None: the paper's.
        penalty_every: training steps per penalised one, which is as many times as strong.
        terms: `"none"`, or names in `registries.TERMS`, joined by commas: what either loss is
            besides.
        terms_weight: the factor of each.
        projected: options of `models.projected.discriminator` for a second discriminator that looks
            through frozen networks only, such as `{"features": "lite0@2"}`; None: there is none.
        projected_weight, projected_every: see `gans.GAN`.
        projected_augment: as `augment`, for what it sees.
        weight_clip: clip of the discriminator's weights, or None.
        adversarial_weight: factor of the adversarial terms; None: as many as the labels have
            columns, but those of vectors (MakeGirlsMoe's lambda_adv), and 1 without labels.
        head_weight: factor of the label terms.
        pixel_loss, content_weight, feature_weight, degraded, wobble, sharpened, jitter: of an
            upscaler, see `gans.SRGAN`. `{"hue": 0}` changes one jitter and leaves the others.
        feature_model: of an upscaler's feature loss: the path of a Keras model, or `"lite0"`, see
            `frozen.lite0.perceptual`; None: the discriminator's own activations.
        critic_steps: discriminator updates per generator update; each sees a fresh batch.
        updates: `"alternating"` or `"simultaneous"`.
        head_on_fake: with `"ac"`, whether the head learns from generated images too; see
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
        batch_size: images per discriminator update, over all replicas.
        accumulation: parts in which a batch is worked through, to save memory; the weights change
            once per batch, by the mean of the parts' gradients.
        sync_batch_norm: batch norm uses the statistics of the whole batch when several replicas
            share it, instead of each its own part's. TensorFlow only.
        augment: `"none"`, or a `gans.augment.diff_augment` policy such as `"color,translation"`.
        augment_target: None: `augment` changes a share `augment_probability` of the images. A
            number, 0.6 in the paper: the share follows how far the discriminator overfits
            (`gans.augment.adapted`).
        augment_probability: that share.
        augment_ramp: images it takes that share to go from 0 to 1.
        flip: mirror images at random.
        ema_half_life: in images; 0 turns averaging off. It warms up, unless there is a `start`.
        more_averages: half-lives, in images, of further averages of the generator, each saved as
            a model of its own, `averages/HALF_LIFE` in the run folder.
        start: a run folder or the name of a model that ships (`tfanime.zoo`), to begin with its
            weights; see `training.start`. None: fresh weights.
        freeze_discriminator: so many halvings of the image are made by layers that keep the
            weights they begin with (FreezeD, Mo et al. 2020); for `start` and few images.
        steering: planes of the steering in front of the generator, as `start` has it
            (`models.steering`; 256 in models that `evaluation.by_eye.steer` made). It stays as it
            is. 0: none, and a steered start begins without it.
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
    terms: str = "none"
    terms_weight: float | Schedule = 1.0
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
    wobble: float = 0.0
    sharpened: float = 0.0
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
    steering: int = 0
    precision: str = "float32"
    seed: int = 0
    recipe_file: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", parse_size(self.image_size))
        object.__setattr__(self, "more_averages", checks.half_lives(self.more_averages))
        for one in dataclasses.fields(self):
            value = getattr(self, one.name)
            value = read(value) if one.name in checks.SCHEDULED else value
            object.__setattr__(self, one.name, checks.as_declared(one.name, value, str(one.type)))
        checks.check(self)

    def override(self, **changes: Any) -> Config:
        """A copy with other values.

        `generator` and `discriminator` take a mapping that is merged into the present one, so
        `generator={"channels": 32}` keeps its name; a mapping with another name, or just another
        name, replaces it. `jitter` takes one too. `lr` stands for `g_lr` and `d_lr`, so that a grid
        has one axis for both; `size` is `image_size`.

        Raises:
            ValueError: for an unknown name, with the known ones, for a value of the wrong type, or
                for settings that do not fit together.
        """
        return dataclasses.replace(self, **overridden(self, changes))

    def to_json(self) -> dict:
        """As it is read back: tuples, such as a network's channels, are lists."""
        return _with_lists(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, document: Mapping) -> Config:
        return cls(**{**document, "image_size": tuple(document["image_size"])})


def _with_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_lists(one) for name, one in value.items()}
    return [*map(_with_lists, value)] if isinstance(value, (list, tuple)) else value
