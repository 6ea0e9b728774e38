"""What a training step has to compute: multiply-adds of convolutions and dense layers."""

import math

import keras

from tfanime.gans import SRGAN


def operations(gan, rows):
    """Multiply-adds of one step, in billions.

    A backward pass costs two forward ones: one for the gradients of the weights, one for those of
    what came in. Frozen layers need the second only, and only below an image that is drawn.
    """
    discriminator = multiply_adds(gan.discriminator)
    frozen = multiply_adds(gan.discriminator, trained=False)
    generator = multiply_adds(at_size(gan))
    # Real and generated images, forward and backward.
    d_update = 6 * discriminator - 4 * frozen
    # A penalty: forward, gradient with respect to the images, and the backward pass of both.
    penalty = sum(6 * discriminator / one.every for one in gan.penalties)
    # What the generator receives passes through the discriminator, in a joint batch through the
    # trained layers of the real images too, since batch norm ties them together.
    received = discriminator + (discriminator - frozen if gan.joint_batch else 0)
    if gan.updates == "simultaneous":
        return rows * (3 * generator + d_update + penalty + received + second(gan)) / 1e9
    # Every critic step draws and judges; the last one's images are judged again.
    draws = 3 * generator / gan.critic_steps + generator * (1 - 1 / gan.critic_steps)
    g_update = (discriminator + received) / gan.critic_steps
    return rows * (draws + d_update + penalty + g_update + content(gan)) / 1e9


def multiply_adds(model, trained=None):
    """Of one image through a model's convolutions and dense layers, from the layers' shapes.

    Args:
        trained: True or False count only the layers that are trained, or those that are not.
    """
    total = 0
    for layer in model._flatten_layers():
        kernel = getattr(layer, "kernel", None)
        if kernel is None or trained not in (None, layer.trainable):
            continue
        # A transposed convolution applies its kernel at every input position.
        shape = layer.input.shape if "Transpose" in type(layer).__name__ else layer.output.shape
        total += math.prod(shape[1:-1]) * math.prod(kernel.shape)
    return total


def second(gan):
    """Multiply-adds of a second discriminator, over the steps between those that it takes part in.

    Its frozen part sees real and generated images, and is left backwards by the latter alone;
    its own part learns from both, and tells the generator.
    """
    if gan.projected is None:
        return 0
    frozen = multiply_adds(gan.projected, trained=False)
    own = multiply_adds(gan.projected, trained=True)
    return (3 * frozen + 6 * own + 2 * own) / gan.projected_every


def content(gan):
    """Multiply-adds of an upscaler's feature loss: both images forward, one of them backward."""
    if not getattr(gan, "feature_weight", 0):
        return 0
    return 3 * multiply_adds(gan.feature_model)


def at_size(gan):
    """The generator; an upscaler, that takes images of any size, for those of the training."""
    if not isinstance(gan, SRGAN):
        return gan.generator
    height, width = (side // gan.factor for side in gan.discriminator.inputs[0].shape[1:3])
    return keras.models.clone_model(gan.generator, keras.Input((height, width, 3)))
