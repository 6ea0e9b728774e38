"""SRGAN: the generator draws from small versions of the real images, and has to return them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
from keras import layers, ops

from tfanime.core.schedules import Schedule
from tfanime.core.schedules import read as read_schedule
from tfanime.gans import backend, saving
from tfanime.gans.augment import translation
from tfanime.gans.degrade import color_jitter, degrade
from tfanime.gans.gan import GAN
from tfanime.gans.objective import Side, Term
from tfanime.gans.step import averaged
from tfanime.recipes.config import jitters
from tfanime.recipes.upscaler_checks import check_asked

UNASKED = ("d_loss", "d_real", "d_fake", "g_loss")  # figures of a discriminator that is not asked
PIXEL_LOSSES = ("l1", "mse")
FAULTS = ("wobble", "sharpened")
CONTENT = ("pixel_loss", "content_weight", "feature_weight", "degraded", "jitter")


@keras.saving.register_keras_serializable("tfanime")
class SRGAN(GAN):
    """Super-resolution with content and adversarial loss (Ledig et al. 2017, eq. 3).

    A batch is as for `GAN`; its small images are made of the real ones (`gans.degrade`) within
    the step, so resuming is exact and every image is seen small in ever new ways.

    Args:
        generator: fully convolutional `keras.Model` from images `(B, h, w, 3)` to larger ones.
        discriminator: of the large images.
        pixel_loss: `"l1"` (sharper; Lim et al. 2017) or `"mse"` (the paper's).
        content_weight: factor of the pixel loss.
        feature_weight: factor of the feature loss.
        feature_model: frozen `keras.Model` from images in [-1, 1] to features, whose mean
            squared difference is the feature loss (eq. 5; `models.vgg.vgg19_features`). None: the
            discriminator's own activations, their mean absolute difference (feature matching,
            Wang et al. 2018, eq. 4).
        degraded: share of small images that are made worse than a reduction makes them.
        wobble, sharpened: how, beyond what all of these go through; see `degrade.degrade`.
        jitter: of the colours of the real images, a number or one for each kind, see
            `degrade.color_jitter`; 0 for none.
        adversarial_weight: as for `GAN`; the paper's is 1e-3. 0 leaves the content losses.
        terms: as for `GAN`. The discriminator is asked for them, also where nothing else asks it.
        **kwargs: as for `GAN`.

    References:
        [Ledig et al., 2017](https://arxiv.org/abs/1609.04802)
        [Wang et al., 2018](https://arxiv.org/abs/1711.11585) (feature matching)
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        pixel_loss: str = "l1",
        content_weight: float | Schedule = 1.0,
        feature_weight: float | Schedule = 0.0,
        feature_model: keras.Model | None = None,
        degraded: float = 0.5,
        wobble: float = 0.0,
        sharpened: float = 0.0,
        jitter: float | Mapping[str, float] = 0.0,
        adversarial_weight: float | Schedule = 1e-3,
        terms: Sequence[Term] = (),
        **kwargs,
    ):
        if pixel_loss not in PIXEL_LOSSES:
            raise ValueError(
                f"pixel_loss is one of: {', '.join(PIXEL_LOSSES)}. Received: {pixel_loss!r}."
            )
        matches_features = feature_model is None
        if feature_model is None:
            feature_model = _activations(discriminator)
        else:
            feature_model.trainable = False
        content = Content(
            pixel_loss, content_weight, feature_weight, feature_model, matches_features
        )
        super().__init__(
            generator,
            discriminator,
            adversarial_weight=adversarial_weight,
            terms=(content, *terms),
            **kwargs,
        )
        if self.conditional_generator or self.conditional_discriminator or self.head is not None:
            raise ValueError("SRGAN takes no labels. Received: networks or a head that do.")
        self.factor = enlargement(generator)
        self.content = content
        self.pixel_loss = pixel_loss
        self.content_weight = content_weight
        self.feature_weight = feature_weight
        self.matches_features = matches_features
        self.feature_model = feature_model
        self.degraded = degraded
        self.faults = {"wobble": wobble, "sharpened": sharpened}
        self.jitter = {name: amount for name, amount in jitters(jitter).items() if amount}
        check_asked(
            self.asks_discriminator,
            penalty=", ".join(one.at for one in self.penalties),
            top_k=self.top_k != 1 and self.top_k,
            label_smoothing=self.label_smoothing,
            instance_noise=self.instance_noise,
            lecam_weight=self.lecam_weight,
            augment_target=self.augment_target,
        )

    def get_config(self) -> dict:
        own = {name: saving.number(getattr(self, name)) for name in CONTENT} | self.faults
        # The discriminator's own activations are found again.
        features = None if self.matches_features else self.feature_model
        serialize = keras.saving.serialize_keras_object
        own["feature_model"] = None if features is None else serialize(features)
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None) -> SRGAN:
        own = {name: config[name] for name in (*CONTENT, *FAULTS)}
        own |= {name: read_schedule(own[name]) for name in ("content_weight", "feature_weight")}
        if (features := config["feature_model"]) is not None:
            features = keras.saving.deserialize_keras_object(features)
        rest = {name: x for name, x in config.items() if name not in {*own, "feature_model"}}
        return cls(**saving.arguments_of(rest), **own, feature_model=features)

    def _parts(self, real, labels, condition, noise, rows):
        if self.jitter:
            real = color_jitter(real, noise, self.jitter)
        return super()._parts(real, labels, condition, noise, rows)

    def _generator_inputs(self, real, condition, noise):
        return degrade(real, noise, self.factor, self.degraded, **self.faults)

    @property
    def asks_discriminator(self) -> bool:
        """Whether any loss asks the discriminator, which otherwise is neither asked nor trained."""
        matches = self.matches_features and self.feature_weight
        # What terms of the user's own look at, only they know.
        more = matches or self.projected is not None or len(self.terms) > 1
        return bool(self.adversarial_weight or more)

    def _update_in_turn(self, parts):
        return (
            super()._update_in_turn(parts) if self.asks_discriminator else self._update_alone(parts)
        )

    def _update_both(self, parts):
        return super()._update_both(parts) if self.asks_discriminator else self._update_alone(parts)

    def _update_alone(self, parts):
        results = backend.in_turn(self._content_gradients, parts)
        gradients, logs, fakes = averaged(results)
        logs["g_grad_norm"] = self._apply(self.g_optimizer, gradients, self.generator_variables)
        return {**dict.fromkeys(UNASKED, ops.zeros((), "float32")), **logs}, fakes

    def _content_gradients(self, part):
        """Gradients, logs and the images, of what needs no discriminator."""

        def content(fakes):
            total, logs = self.content.generator(Side(fakes, None, {}), None, part)
            return self._for_replica(total), logs

        gradients, fakes, _, logs = backend.staged_gradients(
            lambda: self._draw(part), None, content, self.generator_variables
        )
        return gradients, logs, fakes


class Content(Term):
    """How far generated images are from the real ones they were drawn from: pixel and feature loss.

    Args:
        pixel_loss, pixel_weight, feature_weight, feature_model: see `SRGAN`.
        matching: whether the model's activations are those of the discriminator.
    """

    def __init__(self, pixel_loss, pixel_weight, feature_weight, feature_model, matching: bool):
        super().__init__(pixel_weight)
        self.pixel_loss, self.feature_weight = pixel_loss, feature_weight
        self.feature_model, self.matching = feature_model, matching

    def generator(self, on_fake, on_real, part):
        # Copied, so that only two gradients meet here, whose sum is exact in any order.
        fakes = ops.copy(ops.cast(on_fake.images, "float32"))
        difference = fakes - part.real
        pixels = ops.mean(
            ops.absolute(difference) if self.pixel_loss == "l1" else ops.square(difference)
        )
        total, logs = part.now(self.weight) * pixels, {"g_pixel_loss": pixels}
        if self.feature_weight:
            logs["g_feature_loss"] = self.feature_loss(*self._shown(fakes, part))
            total = total + part.now(self.feature_weight) * logs["g_feature_loss"]
        return total, logs

    def _shown(self, fakes, part):
        """Generated and real images, for a frozen network moved alike: its strides favour some
        pixels, and a grid would grow where these stay the same."""
        if self.matching:
            return fakes, part.real
        both = ops.concatenate([fakes, part.real], axis=-1)
        return ops.split(translation(both, part.noise), 2, axis=-1)

    def feature_loss(self, fakes, real):
        """float32 scalar: the mean over feature maps of how far they are apart."""
        distance = ops.absolute if self.matching else ops.square
        pairs = zip(self._features(fakes), self._features(real), strict=True)
        distances = [ops.mean(distance(one - ops.stop_gradient(two))) for one, two in pairs]
        return sum(distances) / len(distances)

    def _features(self, images) -> list:
        # Batch norm in a discriminator works with the batch's own statistics throughout training.
        features = self.feature_model(images, training=self.matching)
        return [ops.cast(maps, "float32") for maps in keras.tree.flatten(features)]


def enlargement(generator: keras.Model) -> int:
    """How many times larger its images are than what it is given.

    Raises:
        ValueError: when it does not enlarge images of any size by one whole number.
    """
    shape = generator.inputs[0].shape
    if len(generator.inputs) == 1 and tuple(shape[1:]) == (None, None, 3):
        side = 8
        _, height, width, channels = generator.compute_output_shape((1, side, side, 3))
        if height == width and channels == 3 and height % side == 0:
            return height // side
    raise ValueError(
        "An upscaler is fully convolutional: images (None, None, None, 3) to larger ones. "
        f"Received: a model of {tuple(shape)}."
    )


def _activations(discriminator: keras.Model) -> keras.Model:
    """The same layers, with every activation as an output."""
    outputs = [x.output for x in discriminator.layers if isinstance(x, layers.LeakyReLU)]
    return keras.Model(discriminator.inputs, outputs or discriminator.outputs, name="features")
