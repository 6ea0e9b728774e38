"""Adversarial losses: pure functions of logits, in discriminator/generator pairs.

All take raw discriminator outputs (no sigmoid) of shape `(B,)` or `(B, 1)`, any float dtype, and
return a float32 scalar, the mean over the batch. Low precision is widened first: a bfloat16
logit has three digits, which is not enough for a loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keras import ops

from tfanime.core.labels import LabelSchema
from tfanime.registries import LOSSES


def _mean(values, weights=None):
    """The mean; with weights `(B,)` that of the rows with their weights."""
    values = ops.cast(values, "float32")
    if weights is None:
        return ops.mean(values)
    rows = ops.mean(ops.reshape(values, (ops.shape(values)[0], -1)), axis=1)
    return ops.sum(weights * rows) / ops.sum(weights)


def _softplus(logits):
    return ops.softplus(ops.cast(logits, "float32"))


def _difference(logits, others):
    return ops.cast(logits, "float32") - ops.cast(others, "float32")


def minimax_discriminator_loss(real_logits, fake_logits, label_smoothing: float = 0.0):
    """`E[-log s(D(x))] + E[-log(1 - s(D(G(z))))]` (Goodfellow et al. 2014, eq. 1).

    Args:
        real_logits, fake_logits: `(B, 1)` raw outputs.
        label_smoothing: one-sided (Salimans et al. 2016, section 3.4): the target of real
            images is `1 - label_smoothing`.
    """
    real = _softplus(-real_logits) * (1.0 - label_smoothing)
    real = real + _softplus(real_logits) * label_smoothing
    return _mean(real) + _mean(_softplus(fake_logits))


def minimax_generator_loss(fake_logits, real_logits=None, weights=None):
    """`E[log(1 - s(D(G(z))))]` (Goodfellow et al. 2014, eq. 1): saturates when D wins."""
    return -_mean(_softplus(fake_logits), weights)


def non_saturating_generator_loss(fake_logits, real_logits=None, weights=None):
    """`E[-log s(D(G(z)))]` (Goodfellow et al. 2014, end of section 3)."""
    return _mean(_softplus(-fake_logits), weights)


def least_squares_discriminator_loss(real_logits, fake_logits, label_smoothing: float = 0.0):
    """`1/2 E[(D(x) - 1)^2] + 1/2 E[D(G(z))^2]` (Mao et al. 2017, eq. 9; a = 0, b = 1)."""
    real = ops.cast(real_logits, "float32") - (1.0 - label_smoothing)
    fake = ops.cast(fake_logits, "float32")
    return 0.5 * (_mean(ops.square(real)) + _mean(ops.square(fake)))


def least_squares_generator_loss(fake_logits, real_logits=None, weights=None):
    """`1/2 E[(D(G(z)) - 1)^2]` (Mao et al. 2017, eq. 9; c = 1)."""
    return 0.5 * _mean(ops.square(ops.cast(fake_logits, "float32") - 1.0), weights)


def wasserstein_discriminator_loss(real_logits, fake_logits, label_smoothing: float = 0.0):
    """`E[D(G(z))] - E[D(x)]` (Arjovsky et al. 2017, eq. 2, negated to be minimised)."""
    _no_smoothing("wasserstein", label_smoothing)
    return _mean(fake_logits) - _mean(real_logits)


def wasserstein_generator_loss(fake_logits, real_logits=None, weights=None):
    """`-E[D(G(z))]` (Arjovsky et al. 2017, algorithm 1)."""
    return -_mean(fake_logits, weights)


def hinge_discriminator_loss(real_logits, fake_logits, label_smoothing: float = 0.0):
    """`E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]` (Miyato et al. 2018, eq. 16)."""
    _no_smoothing("hinge", label_smoothing)
    real = ops.relu(1.0 - ops.cast(real_logits, "float32"))
    fake = ops.relu(1.0 + ops.cast(fake_logits, "float32"))
    return _mean(real) + _mean(fake)


def relativistic_discriminator_loss(real_logits, fake_logits, label_smoothing: float = 0.0):
    """`E[-log s(D(x) - D(G(z)))]` (Jolicoeur-Martineau 2018; Huang et al. 2024, eq. 2).

    Each real image is compared with one generated image, so that a generator gains nothing from
    images that the discriminator is already sure of: its landscape has no local minima in which
    modes are missing (Sun et al. 2020).
    """
    _no_smoothing("relativistic", label_smoothing)
    return _mean(ops.softplus(_difference(fake_logits, real_logits)))


def relativistic_generator_loss(fake_logits, real_logits, weights=None):
    """`E[-log s(D(G(z)) - D(x))]`: the discriminator's loss with the sides exchanged."""
    return _mean(ops.softplus(_difference(real_logits, fake_logits)), weights)


def _no_smoothing(name: str, label_smoothing: float) -> None:
    if label_smoothing:
        raise ValueError(
            f"label_smoothing needs a loss with targets (non_saturating, minimax, "
            f"least_squares); the {name} loss has none. Received: {label_smoothing}."
        )


@dataclass(frozen=True)
class AdversarialLoss:
    """A discriminator/generator pair of losses.

    Args:
        name: what recipes and logs call it.
        discriminator: `(real_logits, fake_logits, label_smoothing) -> scalar`.
        generator: `(fake_logits, real_logits) -> scalar`; with `top_k` it also takes `weights`, one
            for each image.
        probabilistic: whether the sigmoid of a logit is the probability of "real"; then
            D(real) and D(fake) are logged as probabilities, otherwise as raw scores.
        signed: whether a logit above 0 says "real".
        paired: whether the generator's loss needs the logits of real images.
    """

    name: str
    discriminator: Callable
    generator: Callable
    probabilistic: bool
    signed: bool
    paired: bool = False

    def score(self, logits):
        """Mean of D over the batch, as logged."""
        logits = ops.cast(logits, "float32")
        return ops.mean(ops.sigmoid(logits) if self.probabilistic else logits)


NON_SATURATING = AdversarialLoss(
    "non_saturating", minimax_discriminator_loss, non_saturating_generator_loss, True, True
)
MINIMAX = AdversarialLoss("minimax", minimax_discriminator_loss, minimax_generator_loss, True, True)
LEAST_SQUARES = AdversarialLoss(
    "least_squares",
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    False,
    False,
)
WASSERSTEIN = AdversarialLoss(
    "wasserstein", wasserstein_discriminator_loss, wasserstein_generator_loss, False, False
)
# The hinge generator loss is the Wasserstein one (Miyato et al. 2018, eq. 17).
HINGE = AdversarialLoss("hinge", hinge_discriminator_loss, wasserstein_generator_loss, False, True)
# Only differences of logits matter, so that no logit alone says anything.
RELATIVISTIC = AdversarialLoss(
    "relativistic",
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    False,
    False,
    paired=True,
)


def get(loss: str | AdversarialLoss) -> AdversarialLoss:
    """The pair of losses of that name."""
    return loss if isinstance(loss, AdversarialLoss) else LOSSES.get(loss)


def lecam_penalty(real_logits, fake_logits, real_average, fake_average):
    """`E[(D(x) - a_F)^2] + E[(D(G(z)) - a_R)^2]` (LeCam, Tseng et al. 2021, eq. 3).

    Args:
        real_logits, fake_logits: raw outputs.
        real_average, fake_average: scalars a_R and a_F: moving averages of the mean logits of real
            and of generated images. Each side is held to the other's, so that a discriminator
            which has few images cannot become ever surer of them.

    Reference:
        [Tseng et al., 2021](https://arxiv.org/abs/2104.03310)
    """
    to_fake = ops.square(ops.cast(real_logits, "float32") - fake_average)
    to_real = ops.square(ops.cast(fake_logits, "float32") - real_average)
    return ops.mean(to_fake) + ops.mean(to_real)


def top_weights(logits, share):
    """1 for the images that the discriminator finds most real, 0 for the others (top-k, Sinha et
    al. 2020, section 3): the generator is not pulled by what is lost anyway.

    Args:
        logits: `(B, ...)` raw outputs; those of an image are averaged.
        share: scalar, 0 to 1: of the images; at least one is kept, and equals are told apart by
            their place.

    Returns:
        `(B,)` float32.

    Reference:
        [Sinha et al., 2020](https://arxiv.org/abs/2002.06224)
    """
    logits = ops.stop_gradient(ops.cast(logits, "float32"))
    count = ops.shape(logits)[0]
    scores = ops.mean(ops.reshape(logits, (count, -1)), axis=1)
    ranks = ops.argsort(ops.argsort(-scores))
    # A share such as 0.3 of 10 is a little more than 3 in float32.
    count_kept = ops.maximum(ops.ceil(share * ops.cast(count, "float32") - 1e-3), 1.0)
    return ops.cast(ops.cast(ranks, "float32") < count_kept, "float32")


VECTOR_LOSSES = ("matching", "squared")


def mode_seeking_loss(pictures, latents):
    """`1 / (E|G(c, z) - G(c, z')| / E|z - z'|)` (Mao et al. 2019, eq. 3, as their code has it).

    Large where noise decides little: with labels, a generator easily becomes an image a label.

    Args:
        pictures: `(2N, H, W, 3)` generated; image i and i + N have the same labels.
        latents: `(2N, Z)`, what they were drawn from.
    """

    def distance(values):
        one, other = ops.split(ops.cast(values, "float32"), 2)
        return ops.mean(ops.abs(one - other))

    return 1.0 / (distance(pictures) / distance(latents) + 1e-5)


def label_loss(
    outputs,
    labels,
    schema: LabelSchema,
    multilabel: bool = False,
    vector_loss: str = "matching",
):
    """`-log P(labels | image)` of an auxiliary classifier, summed over the fields.

    Groups use a softmax, flags a sigmoid, continuous values a unit-variance Gaussian (AC-GAN,
    Odena et al. 2017, eq. 3; InfoGAN, Chen et al. 2016, eq. 5, where it is the bound on mutual
    information up to the constant entropy of the code).

    Args:
        outputs: `(B, schema.size)` raw outputs of the head.
        labels: `(B, schema.size)` -1/+1 coding; 0 (not known) adds nothing to the loss.
        schema: how the columns group.
        multilabel: one sigmoid per column even within groups (MakeGirlsMoe, Jin et al. 2017,
            section 4.3).
        vector_loss: of vectors: `"matching"` (`matching_loss`) or `"squared"`: every number a
            unit-variance Gaussian, so that all of them must be said, those that cannot be seen too.

    Returns:
        float32 scalar: mean over the batch of the sum over the fields.
    """
    outputs = ops.cast(outputs, "float32")
    labels = ops.cast(labels, "float32")
    total = 0.0
    for field, place in zip(schema.fields, schema.slices().values(), strict=True):
        y, x = labels[:, place], outputs[:, place]
        if field.kind == "vector" and vector_loss == "matching":
            total = total + matching_loss(x, y)
        elif field.kind == "vector":
            # Its numbers are not confined to [-1, 1], so no tanh.
            total = total + ops.sum(0.5 * ops.square(x - y) * _known(y), axis=-1)
        elif field.kind == "value":
            total = total + ops.sum(0.5 * ops.square(ops.tanh(x) - y) * _known(y), axis=-1)
        elif field.kind == "group" and not multilabel:
            hit = ops.cast(y > 0, "float32")
            total = total - ops.sum(ops.log_softmax(x, axis=-1) * hit, axis=-1)
        else:
            # softplus(-y x) is the sigmoid's cross-entropy for y in {-1, +1}.
            total = total + ops.sum(ops.softplus(-y * x) * _known(y), axis=-1)
    return ops.mean(total)


def matching_loss(outputs, vectors):
    """How hard it is to tell which vector of the batch belongs to which image (InfoNCE).

    `s_ij = x_i . y_j / sqrt(K)` says how well image i and vector j agree; the loss of pair i is
    `-1/2 log softmax_j(s_ij) - 1/2 log softmax_j(s_ji)` at j = i: the image has to find its
    vector among the batch's, and the vector its image. It is a bound on their mutual
    information too, `log B - loss` (van den Oord et al. 2018, eq. 3 and 4; both ways: Radford et
    al. 2021; of generated images in a GAN: Zhang et al. 2021).

    Equal vectors cannot be told apart, and leave log 2 or more. What takes part in `tfanime.train`
    are the images of one part of a batch: of a replica, and of a step of accumulation.

    Args:
        outputs: x `(B, K)` raw outputs of the head.
        vectors: y `(B, K)`; a row of zeros is not known, takes no part, and has loss 0.

    Returns:
        `(B,)` float32.

    Reference:
        [van den Oord et al., 2018](https://arxiv.org/abs/1807.03748),
        [Radford et al., 2021](https://arxiv.org/abs/2103.00020),
        [Zhang et al., 2021](https://arxiv.org/abs/2101.04702)
    """
    outputs = ops.cast(outputs, "float32")
    vectors = ops.cast(vectors, "float32")
    has_vector = ops.cast(ops.any(ops.not_equal(vectors, 0.0), axis=-1), "float32")
    scores = ops.matmul(outputs, ops.transpose(vectors)) / vectors.shape[-1] ** 0.5
    # Far below any score, and finite, so that no gradient is NaN.
    absent = 1e9 * (has_vector - 1.0)
    to_vectors = ops.log_softmax(scores + absent[None, :], axis=1)
    to_images = ops.log_softmax(scores + absent[:, None], axis=0)
    return -0.5 * has_vector * (ops.diagonal(to_vectors) + ops.diagonal(to_images))


def _known(labels):
    return ops.cast(ops.not_equal(labels, 0.0), "float32")
