"""Gradient penalties and the points they are taken at, as pure functions.

`tfanime.gans.terms.Penalty` differentiates; here is only what each paper adds.
Gradients are those of the summed logits with respect to the images: since a sample's logit
depends on no other sample's image (no batch norm in a penalised critic), row i is the gradient
of logit i.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from keras import ops

from tfanime.core.schedules import Schedule
from tfanime.registries import PENALTIES as PENALTIES


def interpolates(real, fake, alpha):
    """`x + alpha (G(z) - x)`, one alpha a sample (Gulrajani et al. 2017, algorithm 1).

    Args:
        real, fake: `(B, H, W, 3)` float32 in [-1, 1].
        alpha: `(B, 1, 1, 1)` float32, uniform on [0, 1].
    """
    return real + alpha * (fake - real)


def perturbed(real, noise, scale: float = 0.5, spread=None):
    """`x + scale x std(x) x noise` (DRAGAN, Kodali et al. 2017, eq. 4).

    The paper has `delta ~ N(0, c I)` and leaves c to the data; the authors' code ties it to the
    spread of the batch, which is done here: `sqrt(c) = scale x std(x)`.

    Args:
        real: `(B, H, W, 3)` float32 in [-1, 1].
        noise: the same shape, see `NOISES`.
        scale: size of the perturbation in units of the batch's standard deviation.
        spread: that standard deviation, a number or `(H, W, 3)`, if `real` is only a part of the
            batch or each pixel has its own.
    """
    return real + scale * (ops.std(real) if spread is None else spread) * noise


def gradient_norms(gradients):
    """Per-sample Euclidean norms, `(B, ...) -> (B,)` float32.

    The epsilon keeps the derivative of the root finite where a critic is flat.
    """
    gradients = ops.cast(gradients, "float32")
    axes = tuple(range(1, len(gradients.shape)))
    return ops.sqrt(ops.sum(ops.square(gradients), axis=axes) + 1e-12)


def towards_norm(gradients, target: float = 1.0):
    """`E[(||grad|| - target)^2]`, norms per sample (Gulrajani et al. 2017, eq. 3)."""
    return ops.mean(ops.square(gradient_norms(gradients) - target))


def towards_zero(gradients):
    """`1/2 E[||grad||^2]` (R1: Mescheder et al. 2018, eq. 9 with gamma = 1)."""
    gradients = ops.cast(gradients, "float32")
    axes = tuple(range(1, len(gradients.shape)))
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), axis=axes))


PLACES = ("interpolates", "perturbed", "real", "fake")
# What DRAGAN's points differ from real images by, in units of the batch's standard deviation.
NOISES = ("gaussian", "uniform", "chainer")


@dataclass(frozen=True)
class GradientPenalty:
    """Which gradient penalty a discriminator's loss carries.

    Args:
        at: where the gradient is taken: `"interpolates"` (WGAN-GP), `"perturbed"` (DRAGAN),
            `"real"` (R1) or `"fake"` (R2).
        weight: factor in the loss (lambda or gamma of the papers), or a `Schedule` of it.
        target: the norm that gradients are pulled to; `None` for R1's squared norm.
        every: lazy regularisation (Karras et al. 2020, section 3.1): applied on every n-th
            training step, n times as strong.
        scale: `"perturbed"` only: size of the perturbation in standard deviations of the batch.
        noise: `"perturbed"` only: `"gaussian"`, N(0, 1) (the paper); `"uniform"`, U[0, 1) (the
            authors' code); `"chainer"`, U[0, 1) with the standard deviation of each pixel in place
            of one for all (chainer-gan-lib, which MakeGirlsMoe's paper cites).
    """

    at: str
    weight: float | Schedule
    target: float | None = 1.0
    every: int = 1
    scale: float = 0.5
    noise: str = "gaussian"

    def __post_init__(self):
        if self.at not in PLACES:
            raise ValueError(f"A penalty is taken at one of {PLACES}. Received: {self.at!r}.")
        if self.noise not in NOISES:
            raise ValueError(f"noise is one of {NOISES}. Received: {self.noise!r}.")
        weights = self.weight.values if isinstance(self.weight, Schedule) else (self.weight,)
        if min(weights) < 0 or self.every < 1:
            raise ValueError(
                "A penalty needs weight >= 0 and every >= 1. "
                f"Received: weight={self.weight}, every={self.every}."
            )

    @property
    def spread_axis(self) -> int | None:
        """What the batch's standard deviation is taken over: None for all numbers of the batch, 0
        for each pixel's by itself."""
        return 0 if self.noise == "chainer" else None

    def points(self, real, fake, noise, spread=None):
        """Where the gradient is taken, `(B, H, W, 3)`.

        Args:
            real, fake: `(B, H, W, 3)` float32 in [-1, 1].
            noise: draws from the step's stream.
            spread: `"perturbed"` only: standard deviation of the batch along `spread_axis`, if
                `real` is only a part of it.
        """
        if self.at == "interpolates":
            return interpolates(real, fake, noise.uniform((1,) * (len(real.shape) - 1)))
        if self.at == "perturbed":
            if spread is None:
                spread = ops.std(real, axis=self.spread_axis)
            draw = noise.normal if self.noise == "gaussian" else noise.uniform
            return perturbed(real, draw(tuple(real.shape[1:])), self.scale, spread)
        return fake if self.at == "fake" else real

    def labels(self, of_real, of_fake):
        """The labels `(B, L)` that belong to the points, for a discriminator that takes some: what
        is near a real image, or between one and a generated one, has the real one's.

        Args:
            of_real: of the real images, or None.
            of_fake: that images were drawn with, or None.
        """
        return of_fake if self.at == "fake" else of_real

    def value(self, gradients):
        """The unweighted penalty of these gradients, float32 scalar."""
        if self.target is None:
            return towards_zero(gradients)
        return towards_norm(gradients, self.target)


def wgan_gp(weight: float = 10.0) -> GradientPenalty:
    """Gulrajani et al. 2017: per-sample norms at interpolates, towards 1, weight 10."""
    return GradientPenalty("interpolates", weight)


def dragan(weight: float = 10.0, scale: float = 0.5, noise: str = "gaussian") -> GradientPenalty:
    """Kodali et al. 2017: norms at perturbed real images, towards 1."""
    return GradientPenalty("perturbed", weight, scale=scale, noise=noise)


def r1(weight: float | Schedule = 10.0) -> GradientPenalty:
    """Mescheder et al. 2018: squared norm at real images, `weight` is their gamma."""
    return GradientPenalty("real", weight, target=None)


def r2(weight: float | Schedule = 10.0) -> GradientPenalty:
    """Mescheder et al. 2018: squared norm at generated images, `weight` is their gamma."""
    return GradientPenalty("fake", weight, target=None)


dragan_uniform = partial(dragan, noise="uniform")
dragan_chainer = partial(dragan, noise="chainer")
