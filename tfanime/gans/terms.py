"""What the objectives of the literature add to an adversarial loss: the terms of `Objective`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from tfanime.core.labels import LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.gans import backend, losses
from tfanime.gans.objective import Objective, Term
from tfanime.gans.penalties import GradientPenalty
from tfanime.gans.second_discriminator import SecondDiscriminator
from tfanime.layers import ConditioningAugmentation

LECAM_DECAY = 0.99
LECAM_MEANS = ("d_real_logit", "d_fake_logit")


def objective_of(gan, more: Sequence[Term] = ()) -> Objective:
    """The arguments of a `GAN` as one objective.

    Args:
        more: terms behind those that its arguments ask for.
    """
    terms: list[Term] = []
    if gan.head is not None:
        labels = gan.schema, gan.multilabel, gan.vector_loss
        terms.append(LabelHead(gan.head_weight, *labels, gan.head_on_real, gan.head_on_fake))
    terms += [Penalty(one, gan.undisturbed_logits) for one in gan.penalties]
    if gan.augment_p is not None:
        terms.append(Overfitting())
    if gan.lecam is not None:
        terms.append(gan.lecam)
    if gan.mode_seeking_weight:
        terms.append(ModeSeeking(gan.mode_seeking_weight))
    for layer in gan.generator.layers:
        if isinstance(layer, ConditioningAugmentation):
            terms.append(Divergence(gan.kl_weight, layer))
    second = None
    if gan.projected is not None:
        how = gan.projected_weight, gan.projected_every, gan.projected_augment
        second = SecondDiscriminator(gan.projected, *how)
    return Objective(
        gan.loss_pair,
        gan.adversarial_weight,
        gan.label_smoothing,
        gan.top_k,
        (*terms, *more),
        second,
    )


class LabelHead(Term):
    """What a head says of the labels (`losses.label_loss`), to both networks.

    Args:
        weight, schema, multilabel, vector_loss, on_real, on_fake: see `gans.GAN`.
    """

    def __init__(
        self,
        weight: float | Schedule,
        schema: LabelSchema,
        multilabel: bool = False,
        vector_loss: str = "matching",
        on_real: bool = True,
        on_fake: bool = True,
    ):
        super().__init__(weight)
        self.schema, self.multilabel, self.vector_loss = schema, multilabel, vector_loss
        self.on_real, self.on_fake = on_real, on_fake
        # 1 for the columns of free codes, else 0.
        self.free = np.repeat(
            np.array([field.free for field in schema.fields], np.float32),
            [field.size for field in schema.fields],
        )

    def discriminator(self, on_real, on_fake, part):
        total, logs = 0.0, {}
        if self.on_fake:
            total = self.loss(on_fake)
        elif self.free.any():
            total = self.loss(on_fake, self.free)
        if self.on_real:
            logs["d_label_loss"] = self.loss(on_real)
            total = total + logs["d_label_loss"]
        return part.now(self.weight) * total, logs

    def generator(self, on_fake, on_real, part):
        loss = self.loss(on_fake)
        return part.now(self.weight) * loss, {"g_label_loss": loss}

    def loss(self, side, columns=None):
        """Of one side's labels; those of no column are as if not known."""
        labels = side.labels if columns is None else side.labels * columns
        return losses.label_loss(
            side.outputs["labels"], labels, self.schema, self.multilabel, self.vector_loss
        )


class Penalty(Term):
    """A gradient penalty of the discriminator, at its points with their labels.

    Args:
        penalty: where, how strong and how often.
        logits_of: `(images, labels) -> logits`, of images as they are: neither augmented nor noisy.
    """

    def __init__(self, penalty: GradientPenalty, logits_of: Callable):
        super().__init__(penalty.weight)
        self.penalty, self.logits_of = penalty, logits_of

    def discriminator(self, on_real, on_fake, part):
        penalty, spread = self.penalty, None
        if penalty.at == "perturbed":
            spread = _global_deviation(part.whole, penalty.spread_axis)
        fakes = ops.stop_gradient(on_fake.images)
        points = penalty.points(on_real.images, fakes, part.noise, spread)
        labels = penalty.labels(on_real.labels, on_fake.labels)

        def value():
            gradients = backend.input_gradients(lambda x: self.logits_of(x, labels), points)
            return penalty.value(gradients) * (part.now(self.weight) * penalty.every)

        if penalty.every > 1:
            due = ops.equal(part.step % penalty.every, 0)
            amount = ops.cond(due, value, lambda: ops.zeros((), "float32"))
        else:
            amount = value()
        return amount, {"d_penalty": amount}


class Overfitting(Term):
    """Adds nothing, and logs the mean sign of D(real), by which augmentation adapts."""

    def discriminator(self, on_real, on_fake, part):
        return None, {"d_overfit": ops.mean(ops.sign(on_real.logits))}


class LeCam(Term):
    """`losses.lecam_penalty`, by moving averages that are state.

    Args:
        weight: its factor.
        averages: two scalar variables, of the logits of real and of generated images.
    """

    def __init__(self, weight: float | Schedule, averages):
        super().__init__(weight)
        self.averages = averages

    def discriminator(self, on_real, on_fake, part):
        both = on_real.logits, on_fake.logits
        averages = [average.value for average in self.averages]
        # At the first step there are no averages yet.
        value = ops.cast(part.step > 0, "float32") * losses.lecam_penalty(*both, *averages)
        logs = {"d_lecam": value}
        for name, logits in zip(LECAM_MEANS, both, strict=True):
            logs[name] = ops.mean(ops.cast(ops.stop_gradient(logits), "float32"))
        return part.now(self.weight) * value, logs

    def follow(self, logs: dict, steps_done) -> None:
        """Moves the averages to what a step logged; plain means at first."""
        steps = ops.cast(steps_done, "float32")
        keep = ops.minimum(LECAM_DECAY, 1.0 - 1.0 / steps)
        for average, name in zip(self.averages, LECAM_MEANS, strict=True):
            average.assign(keep * average.value + (1.0 - keep) * logs[name])


class ModeSeeking(Term):
    """`losses.mode_seeking_loss` of the generator."""

    def generator(self, on_fake, on_real, part):
        value = losses.mode_seeking_loss(on_fake.images, part.latents)
        return part.now(self.weight) * value, {"g_mode_seeking": value}


class Divergence(Term):
    """The divergence of a generator's conditioning augmentation."""

    def __init__(self, weight: float | Schedule, layer: ConditioningAugmentation):
        super().__init__(weight)
        self.layer = layer

    def generator(self, on_fake, on_real, part):
        value = self.layer.divergence(part.condition)
        return part.now(self.weight) * value, {"g_kl": value}


def _global_deviation(values, axis):
    """Standard deviation of the batch over all replicas."""
    if backend.replicas() == 1:
        return ops.std(values, axis=axis)
    # The mean of squares less the square of the mean may round to less than 0 where all are alike.
    (mean,) = backend.all_replicas_mean([ops.mean(values, axis=axis)])
    (variance,) = backend.all_replicas_mean([ops.mean(ops.square(values - mean), axis=axis)])
    return ops.sqrt(variance)
