"""A second discriminator, beside the one that looks at the images themselves."""

from __future__ import annotations

import keras
from keras import ops

from tfanime.core.schedules import Schedule
from tfanime.gans import backend, losses
from tfanime.models.projected import joint_judge


class SecondDiscriminator:
    """The hinge losses of a discriminator that looks through frozen networks.

    It asks both kinds of images in one batch, so it is no `Term` of one side.

    Args:
        network: a `keras.Model` from images to `{"logits"}`.
        weight, every, augment: see `projected_weight` and its neighbours of `gans.GAN`.
    """

    def __init__(self, network: keras.Model, weight: float | Schedule, every: int, augment=None):
        self.network, self.weight, self.every, self.augment = network, weight, every, augment
        self.judge = joint_judge(network)
        self.loss = losses.get("hinge")

    def losses(self, fakes, part):
        """What it adds to both losses, two float32 scalars; 0 where it takes no part."""
        weight = ops.convert_to_tensor(part.now(self.weight), "float32")
        due = ops.logical_and(weight > 0, ops.equal(part.step % self.every, 0))

        def losses_of(drawn):
            real = part.real
            if self.augment is not None:
                real, drawn = (self.augment(x, part.noise) for x in (real, drawn))
            on_real, on_fake = self.judge(real, drawn)
            d_loss = self.loss.discriminator(on_real, on_fake)
            g_loss = self.loss.generator(on_fake, on_real)
            return self.every * d_loss, self.every * weight * g_loss

        return backend.when(due, losses_of, self.network.trainable_variables, fakes)
