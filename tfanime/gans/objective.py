"""`Objective`: what both networks are trained for, seen from both sides.

An adversarial loss and further terms. All of them see real and generated images alike: what they
are, the labels that belong to them, and what the discriminator says of them. The terms that GANs of
the literature have are in `gans.terms`; one of your own is a `Term` with a method or two:

    class Brightness(Term):
        '''Holds the mean brightness of generated images to that of real ones.'''

        def generator(self, on_fake, on_real, part):
            value = ops.square(ops.mean(on_fake.images) - ops.mean(part.real))
            return part.now(self.weight) * value, {"g_brightness": value}

    GAN(generator, discriminator, terms=[Brightness(0.1)])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfanime.core.schedules import Schedule, at
from tfanime.gans import losses
from tfanime.gans.noise import StepNoise
from tfanime.gans.second_discriminator import SecondDiscriminator


@dataclass(frozen=True)
class Side:
    """Images of one kind, real or generated, and what the discriminator says of them.

    Args:
        images: `(B, H, W, 3)` float32 in [-1, 1].
        labels: `(B, L)`, those that real images have, or that images were drawn with; None without.
        outputs: of the discriminator: `logits`, perhaps `features`, and, of a head, `labels`.
    """

    images: Any
    labels: Any
    outputs: Mapping[str, Any]

    @property
    def logits(self):
        """`(B, N)` raw outputs."""
        return self.outputs["logits"]


@dataclass(frozen=True)
class Part:
    """What is worked through at once: some rows of a batch, and all that belongs to them.

    Args:
        whole: the real images of the batch that `real` is a part of.
        real: `(B, H, W, 3)` float32 in [-1, 1].
        labels: `(B, L)` of these images, or None.
        condition: `(B, L)`, the labels to draw with, or None.
        noise: the step's stream of random numbers, for these rows.
        inputs: what the generator draws from.
        step: steps before this one.
        images_seen: real images of all those steps, float32 scalar.
    """

    whole: Any
    real: Any
    labels: Any
    condition: Any
    noise: StepNoise
    inputs: Any
    step: Any
    images_seen: Any

    def now(self, value: float | Schedule):
        """What a number, or a schedule, is at this step."""
        return at(value, self.images_seen)

    @property
    def latents(self):
        """`(B, Z)`, the noise among `inputs`."""
        return self.inputs[0] if isinstance(self.inputs, (list, tuple)) else self.inputs


class Term:
    """Something that is added to the loss of the discriminator, of the generator, or of both.

    Each method returns a float32 scalar, weighted, or None to add nothing; and what to log. Logs of
    one name add up.

    Args:
        weight: its factor, a number or a `Schedule`.
    """

    def __init__(self, weight: float | Schedule = 1.0):
        self.weight = weight

    def discriminator(self, on_real: Side, on_fake: Side, part: Part) -> tuple[Any, dict]:
        """What it adds to the discriminator's loss; its images are no part of the gradient."""
        return None, {}

    def generator(self, on_fake: Side, on_real: Side | None, part: Part) -> tuple[Any, dict]:
        """What it adds to the generator's loss; for `on_real` see `Objective.generator`."""
        return None, {}


@dataclass(frozen=True)
class Objective:
    """An adversarial loss and its terms.

    Args:
        loss: the pair of adversarial losses.
        weight: its factor, a number or a `Schedule`.
        label_smoothing: see `gans.GAN`.
        top_k: see `gans.GAN`.
        terms: what is added, in that order.
        second: a second discriminator, which takes part in `both`.
    """

    loss: losses.AdversarialLoss
    weight: float | Schedule = 1.0
    label_smoothing: float = 0.0
    top_k: float | Schedule = 1.0
    terms: tuple[Term, ...] = ()
    second: SecondDiscriminator | None = None

    def discriminator(self, on_real: Side, on_fake: Side, part: Part) -> tuple[Any, dict]:
        """The discriminator's loss, float32 scalar, and its logs."""
        adversarial = self.loss.discriminator(
            on_real.logits, on_fake.logits, label_smoothing=self.label_smoothing
        )
        total = part.now(self.weight) * adversarial
        logs = {
            "d_loss": adversarial,
            "d_real": self.loss.score(on_real.logits),
            "d_fake": self.loss.score(on_fake.logits),
        }
        for term in self.terms:
            total = _added(total, logs, *term.discriminator(on_real, on_fake, part))
        return total, logs

    def generator(self, on_fake: Side, on_real: Side | None, part: Part) -> tuple[Any, dict]:
        """The generator's loss, float32 scalar, and its logs.

        Args:
            on_real: None where updates alternate and the loss is not `paired`: nobody asked the
                updated discriminator about real images then.
        """
        weights = {}
        if self.top_k != 1:
            weights["weights"] = losses.top_weights(on_fake.logits, part.now(self.top_k))
        real_logits = None if on_real is None else on_real.logits
        adversarial = self.loss.generator(on_fake.logits, real_logits, **weights)
        total = part.now(self.weight) * adversarial
        logs = {"g_loss": adversarial}
        for term in self.terms:
            total = _added(total, logs, *term.generator(on_fake, on_real, part))
        return total, logs

    def both(self, on_real: Side, on_fake: Side, part: Part) -> tuple[Any, Any, dict]:
        """The discriminator's loss, the generator's at the same weights, and the logs."""
        d_loss, logs = self.discriminator(on_real, on_fake, part)
        g_loss, g_logs = self.generator(on_fake, on_real, part)
        logs.update(g_logs)
        if self.second is not None:
            d_more, g_more = self.second.losses(on_fake.images, part)
            d_loss, g_loss = d_loss + d_more, g_loss + g_more
            logs.update(d_projected=d_more, g_projected=g_more)
        return d_loss, g_loss, logs


def _added(total, logs: dict, value, more: dict):
    """The total with another value, whose logs are put beside the others."""
    for name, number in more.items():
        logs[name] = logs[name] + number if name in logs else number
    return total if value is None else total + value
