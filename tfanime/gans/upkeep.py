"""What is kept up beside the weights that are trained: spectral norms, statistics, averages."""

from __future__ import annotations

import keras
from keras import ops

from tfanime.core.schedules import at
from tfanime.gans import backend
from tfanime.gans.augment import adapted
from tfanime.layers.spectral import spectral_layers

ADAPT_EVERY = 4  # steps (Karras et al. 2020, section 3.1)


def batch_norms(model: keras.Model) -> list:
    """The batch-norm layers of a model; those of a network inside it are frozen and left out."""
    kind = keras.layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind)]


def power_step(gan) -> None:
    """Spectral norms follow the weights, one step per discriminator update."""
    for network in (gan.discriminator, gan.projected):
        for layer in spectral_layers(network) if network is not None else ():
            layer.power_step()


def clip_weights(gan) -> None:
    if gan.weight_clip is not None:
        for variable in gan.discriminator_variables:
            variable.assign(ops.clip(variable, -gan.weight_clip, gan.weight_clip))


def share_statistics(gan) -> None:
    """Replicas whose batch norm saw different images keep the same moving statistics."""
    networks = [x for x in (gan.generator, gan.discriminator, gan.projected) if x is not None]
    unshared = [x for network in networks for x in batch_norms(network) if not x.synchronized]
    variables = [v for layer in unshared for v in (layer.moving_mean, layer.moving_variance)]
    if backend.replicas() > 1 and variables:
        means = backend.all_replicas_mean([ops.convert_to_tensor(v) for v in variables])
        for variable, mean in zip(variables, means, strict=True):
            variable.assign(mean)


def adapt_augmentation(gan, overfit, count):
    """The new probability. It changes every `ADAPT_EVERY` steps, by the mean over these; one
    batch's sign is mostly chance.

    Args:
        overfit: mean sign of D(real) in this step.
        count: real images of this step, on all replicas.
    """
    images = ADAPT_EVERY * count
    total = gan.augment_sum.value + overfit
    due = ops.equal(gan.steps_done % ADAPT_EVERY, 0)
    present = gan.augment_p.value
    share = adapted(present, total / ADAPT_EVERY, gan.augment_target, images, gan.augment_ramp)
    share = ops.where(due, share, present)
    gan.augment_p.assign(share)
    gan.augment_sum.assign(ops.where(due, 0.0, total))
    return share


def update_averages(gan, count) -> None:
    """Half-life in images, with warm-up (Karras et al. 2020, `G_ema` of the code).

    Args:
        count: real images of this step, on all replicas.
    """
    images = ops.cast(gan.steps_done, "float32") * ops.cast(count, "float32")
    half_lives = (at(gan.ema_half_life, images), *gan.more_averages)
    for network, half_life in zip((gan.ema_generator, *gan.averages), half_lives, strict=True):
        half_life = ops.minimum(half_life, gan.ema_warmup * images)
        keep = ops.power(0.5, ops.cast(count, "float32") / (half_life + 1e-8))
        for average, current in zip(network.weights, gan.generator.weights, strict=True):
            average.assign(average + (1.0 - keep) * (current - average))
