"""A GAN as the Keras examples write one, for comparing its speed with ours."""

from types import SimpleNamespace

import keras
import tensorflow as tf
from keras import ops

from tfanime.core.schedules import at
from tfanime.gans import SRGAN, losses
from tfanime.gans.degrade import color_jitter
from tfanime.layers.spectral import spectral_layers


class RandomNoise:
    """The random numbers of the Keras examples, which no seed brings back."""

    def __init__(self, count):
        self.count = count

    def normal(self, shape):
        return keras.random.normal((self.count, *shape))

    def uniform(self, shape):
        return keras.random.uniform((self.count, *shape))


class PlainGAN(keras.Model):
    """The same objective as `gan`, written as the Keras examples write a GAN.

    Networks and loss functions are ours; the order of the work is theirs: for every update sample
    anew, draw anew, take the gradient, apply it.
    """

    def __init__(self, gan):
        super().__init__()
        self.gan = gan
        self.steps = tf.Variable(0, dtype=tf.int64)

    def train_step(self, batch):
        gan = self.gan
        rows = batch["images"].shape[0] // gan.critic_steps
        for i in range(gan.critic_steps):
            part = {key: value[i * rows : (i + 1) * rows] for key, value in batch.items()}
            if isinstance(gan, SRGAN):
                part = self.with_small_pictures(part, RandomNoise(rows))
            d_loss = self.update_discriminator(part, RandomNoise(rows))
        g_loss = self.update_generator(part, RandomNoise(rows))
        self.steps.assign_add(1)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def update_discriminator(self, batch, noise):
        gan, real, condition = self.gan, batch["images"], batch.get("condition")
        fakes = self.draw(batch, noise)
        for layer in spectral_layers(gan.discriminator):
            layer.power_step()
        with tf.GradientTape() as tape:
            on_real, on_fake = self.judge_both(batch, fakes, noise)
            loss = gan.adversarial_weight * gan.loss_pair.discriminator(
                on_real["logits"], on_fake["logits"]
            )
            if gan.head:
                if gan.head_on_fake:
                    loss += gan.head_weight * self.label_loss(on_fake, condition)
                if gan.head_on_real:
                    loss += gan.head_weight * self.label_loss(on_real, batch["labels"])
            for penalty in gan.penalties:
                labels = penalty.labels(batch.get("labels"), condition)
                loss += self.penalty(penalty, real, fakes, labels, noise)
        self.descend(gan.d_optimizer, tape, loss, gan.discriminator_variables)
        if gan.weight_clip:
            for variable in gan.discriminator_variables:
                variable.assign(ops.clip(variable, -gan.weight_clip, gan.weight_clip))
        return loss

    def update_generator(self, batch, noise):
        gan, condition = self.gan, batch.get("condition")
        with tf.GradientTape() as tape:
            fakes = self.draw(batch, noise)
            on_real = {"logits": None}
            # In a joint batch the statistics of both kinds decide how generated ones look.
            if gan.joint_batch or gan.loss_pair.paired:
                on_real, on_fake = self.judge_both(batch, fakes, noise)
            else:
                on_fake = self.judge(gan._discriminator_view(fakes, noise), condition)
            loss = gan.adversarial_weight * gan.loss_pair.generator(
                on_fake["logits"], on_real["logits"]
            )
            if gan.head:
                loss += gan.head_weight * self.label_loss(on_fake, condition)
            if isinstance(gan, SRGAN):
                loss += self.content_loss(fakes, batch["images"])
        self.descend(gan.g_optimizer, tape, loss, gan.generator_variables)
        return loss

    def with_small_pictures(self, batch, noise):
        """Both updates of an upscaler begin with the same images."""
        gan, real = self.gan, batch["images"]
        if gan.jitter:
            real = color_jitter(real, noise, gan.jitter)
        return {**batch, "images": real, "small": gan._generator_inputs(real, None, noise)}

    def content_loss(self, fakes, real):
        gan, fakes = self.gan, ops.cast(fakes, "float32")
        distance = ops.absolute if gan.pixel_loss == "l1" else ops.square
        loss = gan.content_weight * ops.mean(distance(fakes - real))
        if gan.feature_weight:
            loss += gan.feature_weight * gan.content.feature_loss(fakes, real)
        return loss

    def draw(self, batch, noise):
        if "small" in batch:
            return self.gan.generator(batch["small"], training=True)
        inputs = self.gan._generator_inputs(batch["images"], batch.get("condition"), noise)
        return self.gan.generator(inputs, training=True)

    def judge_both(self, batch, fakes, noise):
        gan, real, condition = self.gan, batch["images"], batch.get("condition")
        if gan.joint_batch:
            part = SimpleNamespace(
                real=real, labels=batch.get("labels"), condition=condition, noise=noise
            )
            return gan._discriminate_both(part, fakes)
        fakes, real = (gan._discriminator_view(pictures, noise) for pictures in (fakes, real))
        return self.judge(real, batch.get("labels")), self.judge(fakes, condition)

    def judge(self, pictures, labels):
        gan = self.gan
        inputs = [pictures, labels] if gan.conditional_discriminator else pictures
        outputs = gan.discriminator(inputs, training=True)
        return {**outputs, "labels": gan.head(outputs["features"])} if gan.head else outputs

    def label_loss(self, outputs, labels):
        gan = self.gan
        return losses.label_loss(
            outputs["labels"], labels, gan.schema, gan.multilabel, gan.vector_loss
        )

    def penalty(self, penalty, real, fakes, labels, noise):
        def value():
            points = penalty.points(real, fakes, noise)
            with tf.GradientTape() as tape:
                tape.watch(points)
                total = ops.sum(self.judge(points, labels)["logits"])
            seen = self.steps * real.shape[0] * self.gan.critic_steps
            weight = at(penalty.weight, seen) * penalty.every
            return weight * penalty.value(tape.gradient(total, points))

        if penalty.every == 1:
            return value()
        return tf.cond(self.steps % penalty.every == 0, value, lambda: tf.zeros(()))

    def descend(self, optimizer, tape, loss, variables):
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
