"""`GAN`: the one training step that every objective and conditioning shares."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import ops

from tfanime.gans import losses
from tfanime.gans.autodiff import input_gradients
from tfanime.gans.noise import StepNoise
from tfanime.gans.penalties import GradientPenalty
from tfanime.labels import LabelSchema
from tfanime.layers.spectral import spectral_layers

_BATCH_NORM = keras.layers.BatchNormalization
UPDATES = ("alternating", "simultaneous")


class GAN(keras.Model):
    """A generator, a discriminator, and how they are trained against each other.

    Compile and fit like any Keras model. A batch is `{"images", "labels", "condition"}`, or the
    images alone: `images (B, H, W, 3)` float32 in [-1, 1]; `labels (B, L)` of those pictures in
    -1/+1 coding, 0 for unknown; `condition (B, L)`, the labels to draw pictures with (defaults
    to `labels`). With `critic_steps=n` a batch is split into n parts, one per critic step.

    Args:
        generator: `keras.Model` from latents, or from `[latents, labels]`, to pictures.
        discriminator: `keras.Model` from pictures, or from `[pictures, labels]`, to logits or to
            `{"logits", "features"}`.
        loss: name of a pair in `losses.LOSSES`, or an `AdversarialLoss`.
        penalty: a `GradientPenalty`, for example `penalties.dragan(0.5)`, or None.
        weight_clip: clips every trainable discriminator weight to +-c after each of its updates
            (WGAN, Arjovsky et al. 2017, algorithm 1).
        head: `keras.Model` from the discriminator's features to `(B, L)` raw label outputs; its
            loss is `losses.label_loss`.
        schema: the `LabelSchema` of the labels; needed with `head`.
        multilabel: one sigmoid per label column (MakeGirlsMoe) instead of a softmax per group.
        head_on_real: whether the head also learns from real labels: AC-GAN does, InfoGAN does not.
        adversarial_weight: factor of the adversarial terms (MakeGirlsMoe's lambda_adv).
        head_weight: factor of the label terms.
        critic_steps: discriminator updates per generator update.
        updates: `"alternating"`: the generator sees the updated discriminator (Goodfellow et al.
            2014, algorithm 1); `"simultaneous"`: both gradients are taken at the same weights.
            Either way pictures are drawn once and used for both.
        augment: function `(pictures, noise) -> pictures` applied to whatever the discriminator
            sees, differentiable (Zhao et al. 2020), or None.
        label_smoothing: one-sided smoothing of the real target.
        instance_noise: standard deviation of Gaussian noise on what the discriminator sees.
        ema_half_life: half-life, in pictures, of the exponential moving average of the
            generator's weights and batch-norm statistics. 0: the average is the generator.
        ema_warmup: the half-life is at most this fraction of the pictures seen so far.
        seed: of the noise, 0 to 2**32 - 1.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str | losses.AdversarialLoss = "non_saturating",
        penalty: GradientPenalty | None = None,
        weight_clip: float | None = None,
        head: keras.Model | None = None,
        schema: LabelSchema | None = None,
        multilabel: bool = False,
        head_on_real: bool = True,
        adversarial_weight: float = 1.0,
        head_weight: float = 1.0,
        critic_steps: int = 1,
        updates: str = "alternating",
        augment=None,
        label_smoothing: float = 0.0,
        instance_noise: float = 0.0,
        ema_half_life: float = 10_000.0,
        ema_warmup: float = 0.05,
        seed: int = 0,
    ):
        super().__init__(name="gan")
        if updates not in UPDATES:
            raise ValueError(f"updates is one of {UPDATES}. Received: {updates!r}.")
        if critic_steps < 1 or (updates == "simultaneous" and critic_steps != 1):
            raise ValueError(
                "critic_steps is at least 1, and exactly 1 with simultaneous updates. "
                f"Received: critic_steps={critic_steps}, updates={updates!r}."
            )
        if head is not None and schema is None:
            raise ValueError("A label head needs schema=LabelSchema(...). Received: schema=None.")
        coupling = [x.name for x in discriminator.layers if isinstance(x, _BATCH_NORM)]
        if penalty is not None and coupling:
            raise ValueError(
                "A gradient penalty is a matter of single pictures, and batch norm mixes them: the "
                "discriminator must have none (DCGAN: normalisation='layer', 'spectral' or "
                f"'none'). Received: {', '.join(coupling)}."
            )
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed is a whole number from 0 to 2**32 - 1. Received: {seed}.")
        self.generator = generator
        self.discriminator = discriminator
        self.head = head
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.schema = schema
        self.loss_pair = losses.get(loss)
        self.penalty = penalty
        self.weight_clip = weight_clip
        self.multilabel = multilabel
        self.head_on_real = head_on_real
        self.adversarial_weight = adversarial_weight
        self.head_weight = head_weight
        self.critic_steps = critic_steps
        self.updates = updates
        self.augment = augment
        self.label_smoothing = label_smoothing
        self.instance_noise = instance_noise
        self.ema_half_life = ema_half_life
        self.ema_warmup = ema_warmup
        self.seed = seed
        self.conditional_generator = len(generator.inputs) == 2
        self.conditional_discriminator = len(discriminator.inputs) == 2
        self.latent_dim = int(generator.inputs[0].shape[-1])
        self.steps_done = self.add_weight(
            shape=(),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            name="steps_done",
            aggregation="only_first_replica",
        )
        self.built = True

    # ---- Keras interface ---------------------------------------------------------------------

    def compile(self, g_optimizer=None, d_optimizer=None, *, jit_compile="auto", **kwargs):
        """Sets the optimisers and builds their state.

        Args:
            g_optimizer, d_optimizer: Keras optimisers. Default: Adam 2e-4, (0.5, 0.999).
            jit_compile: XLA. `"auto"` means off on a CPU, where it is several times slower than
                plain graphs for convolutions, and on elsewhere.
        """
        if jit_compile == "auto":
            jit_compile = bool(tf.config.list_physical_devices("GPU"))
        self.g_optimizer = g_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5)
        self.d_optimizer = d_optimizer or keras.optimizers.Adam(2e-4, beta_1=0.5)
        super().compile(optimizer=self.g_optimizer, jit_compile=jit_compile, **kwargs)
        # Unbuilt optimisers have no state to restore a checkpoint into.
        self.g_optimizer.build(self.generator_variables)
        self.d_optimizer.build(self.discriminator_variables)

    @property
    def generator_variables(self) -> list:
        return self.generator.trainable_variables

    @property
    def discriminator_variables(self) -> list:
        """Trained by the discriminator's optimiser: the discriminator and its head."""
        head = self.head.trainable_variables if self.head is not None else []
        return self.discriminator.trainable_variables + head

    def call(self, inputs, training=False):
        """Draws pictures with the averaged generator."""
        return self.ema_generator(inputs, training=False)

    def train_step(self, batch):
        """One generator update and `critic_steps` discriminator updates; returns the logs."""
        images, labels, condition = self._unpack(batch)
        count = images.shape[0] or tf.shape(images)[0]
        if isinstance(count, int) and count % self.critic_steps:
            raise ValueError(
                "A batch is split into a part per critic step, so its size must be a multiple of "
                f"critic_steps={self.critic_steps}. Received: {count}."
            )
        part = count // self.critic_steps
        noise = StepNoise(self.seed, self.steps_done, part)
        for i in range(self.critic_steps - 1):
            rows = slice(i * part, (i + 1) * part)
            real, real_labels, wanted = (_rows(x, rows) for x in (images, labels, condition))
            fakes = self._draw(noise, wanted)
            self._update_discriminator(real, real_labels, fakes, wanted, noise)
        rows = slice((self.critic_steps - 1) * part, self.critic_steps * part)
        real, real_labels, wanted = (_rows(x, rows) for x in (images, labels, condition))
        if self.updates == "simultaneous":
            logs, fakes = self._update_both(real, real_labels, wanted, noise)
        else:
            logs, fakes = self._update_in_turn(real, real_labels, wanted, noise)
        self.steps_done.assign_add(1)
        self._update_average(count)
        logs["diversity"] = _spread(fakes) / (_spread(real) + 1e-8)
        return logs

    # ---- the two kinds of update -------------------------------------------------------------

    def _update_in_turn(self, real, labels, condition, noise):
        with tf.GradientTape() as tape:
            fakes = self._draw(noise, condition)
            # The discriminator's update is not part of the generator's gradient.
            with tape.stop_recording():
                logs = self._update_discriminator(
                    real, labels, ops.stop_gradient(fakes), condition, noise
                )
            loss, g_logs = self._generator_loss(self._discriminate(fakes, condition, noise))
            loss = self._for_replica(loss)
        g_logs["g_grad_norm"] = self._apply(
            self.g_optimizer,
            tape.gradient(loss, self._values(self.generator_variables)),
            self.generator_variables,
        )
        return {**logs, **g_logs}, fakes

    def _update_both(self, real, labels, condition, noise):
        self._power_step()
        with tf.GradientTape(persistent=True) as tape:
            fakes = self._draw(noise, condition)
            on_fake = self._discriminate(fakes, condition, noise)
            d_loss, logs = self._discriminator_loss(real, labels, fakes, on_fake, condition, noise)
            g_loss, g_logs = self._generator_loss(on_fake)
            d_loss, g_loss = self._for_replica(d_loss), self._for_replica(g_loss)
        d_grads = tape.gradient(d_loss, self._values(self.discriminator_variables))
        g_grads = tape.gradient(g_loss, self._values(self.generator_variables))
        del tape
        logs["d_grad_norm"] = self._apply(self.d_optimizer, d_grads, self.discriminator_variables)
        self._clip_weights()
        g_logs["g_grad_norm"] = self._apply(self.g_optimizer, g_grads, self.generator_variables)
        return {**logs, **g_logs}, fakes

    def _update_discriminator(self, real, labels, fakes, condition, noise):
        self._power_step()
        with tf.GradientTape() as tape:
            on_fake = self._discriminate(fakes, condition, noise)
            loss, logs = self._discriminator_loss(real, labels, fakes, on_fake, condition, noise)
            loss = self._for_replica(loss)
        logs["d_grad_norm"] = self._apply(
            self.d_optimizer,
            tape.gradient(loss, self._values(self.discriminator_variables)),
            self.discriminator_variables,
        )
        self._clip_weights()
        return logs

    # ---- losses ------------------------------------------------------------------------------

    def _discriminator_loss(self, real, labels, fakes, on_fake, condition, noise):
        on_real = self._discriminate(real, labels, noise)
        adversarial = self.loss_pair.discriminator(
            on_real["logits"], on_fake["logits"], label_smoothing=self.label_smoothing
        )
        total = self.adversarial_weight * adversarial
        logs = {
            "d_loss": adversarial,
            "d_real": self.loss_pair.score(on_real["logits"]),
            "d_fake": self.loss_pair.score(on_fake["logits"]),
        }
        if self.head is not None:
            on_labels = self._label_loss(on_fake["labels"], condition)
            if self.head_on_real:
                logs["d_label_loss"] = self._label_loss(on_real["labels"], labels)
                on_labels = on_labels + logs["d_label_loss"]
            total = total + self.head_weight * on_labels
        if self.penalty is not None:
            penalty = self._penalty(real, ops.stop_gradient(fakes), labels, noise)
            total = total + penalty
            logs["d_penalty"] = penalty
        return total, logs

    def _penalty(self, real, fakes, labels, noise):
        points = self.penalty.points(real, fakes, noise, _global_deviation(real))

        def value():
            gradients = input_gradients(
                lambda x: self._discriminate(x, labels, None)["logits"], points
            )
            return self.penalty.value(gradients) * (self.penalty.weight * self.penalty.every)

        if self.penalty.every == 1:
            return value()
        due = ops.equal(self.steps_done % self.penalty.every, 0)
        return tf.cond(due, value, lambda: tf.zeros(()))

    def _generator_loss(self, on_fake):
        adversarial = self.loss_pair.generator(on_fake["logits"])
        total = self.adversarial_weight * adversarial
        logs = {"g_loss": adversarial}
        if self.head is not None:
            logs["g_label_loss"] = self._label_loss(on_fake["labels"], on_fake["condition"])
            total = total + self.head_weight * logs["g_label_loss"]
        return total, logs

    def _label_loss(self, outputs, labels):
        return losses.label_loss(outputs, labels, self.schema, self.multilabel)

    # ---- networks ----------------------------------------------------------------------------

    def _draw(self, noise, condition):
        latents = noise.normal((self.latent_dim,))
        inputs = [latents, condition] if self.conditional_generator else latents
        return self.generator(inputs, training=True)

    def _discriminate(self, pictures, labels, noise):
        """Everything the discriminator says of pictures; `noise=None` leaves them as they are."""
        if noise is not None and self.augment is not None:
            pictures = self.augment(pictures, noise)
        if noise is not None and self.instance_noise:
            shape = tuple(pictures.shape[1:])
            pictures = pictures + self.instance_noise * noise.normal(shape)
        inputs = [pictures, labels] if self.conditional_discriminator else pictures
        outputs = self.discriminator(inputs, training=True)
        if not isinstance(outputs, dict):
            outputs = {"logits": outputs}
        outputs = {**outputs, "condition": labels}
        if self.head is not None:
            outputs["labels"] = self.head(outputs["features"], training=True)
        return outputs

    def _apply(self, optimizer, gradients, variables):
        """Updates `variables`; returns the norm of the gradients as float32."""
        missing = [v.path for g, v in zip(gradients, variables, strict=True) if g is None]
        if missing:
            raise ValueError(f"The loss does not depend on these weights: {', '.join(missing)}.")
        optimizer.apply(gradients, variables)
        return tf.linalg.global_norm([ops.cast(g, "float32") for g in gradients])

    def _power_step(self):
        """Spectral norms follow the weights, one step per discriminator update."""
        for layer in spectral_layers(self.discriminator):
            layer.power_step()

    def _clip_weights(self):
        if self.weight_clip is not None:
            for variable in self.discriminator_variables:
                variable.assign(ops.clip(variable, -self.weight_clip, self.weight_clip))

    def _update_average(self, count):
        """Half-life in pictures, with warm-up (Karras et al. 2020, `G_ema` of the code)."""
        seen = ops.cast(self.steps_done * ops.cast(self._global(count), "int64"), "float32")
        half_life = ops.minimum(self.ema_half_life, self.ema_warmup * seen)
        keep = ops.power(0.5, ops.cast(self._global(count), "float32") / (half_life + 1e-8))
        for average, current in zip(
            self.ema_generator.weights, self.generator.weights, strict=True
        ):
            average.assign(average + (1.0 - keep) * (current - average))

    # ---- small things ------------------------------------------------------------------------

    def _unpack(self, batch):
        if not isinstance(batch, dict):
            batch = dict(
                zip(("images", "labels", "condition"), tf.nest.flatten(batch), strict=False)
            )
        images = batch["images"]
        labels = batch.get("labels")
        needed = self.conditional_generator or self.conditional_discriminator or self.head
        if needed and labels is None:
            raise ValueError(
                "This GAN is conditioned on labels, so batches need 'labels'. "
                f"Received: {sorted(batch)}."
            )
        condition = batch.get("condition", labels)
        return images, labels, condition

    @staticmethod
    def _values(variables):
        return [variable.value for variable in variables]

    @staticmethod
    def _replicas() -> int:
        context = tf.distribute.get_replica_context()
        return context.num_replicas_in_sync if context else 1

    def _global(self, count):
        return count * self._replicas()

    def _for_replica(self, loss):
        """Gradients are summed over replicas, so each carries its share of the mean."""
        return loss / self._replicas()


def _rows(values, rows):
    return None if values is None else values[rows]


def _global_deviation(values):
    """Standard deviation of the batch over all replicas; None where there is but one."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    moments = [ops.mean(values), ops.mean(ops.square(values))]
    mean, square = context.all_reduce(tf.distribute.ReduceOp.MEAN, moments)
    return ops.sqrt(square - ops.square(mean))


def _spread(pictures):
    """Mean over pixels of the standard deviation within the batch."""
    return ops.mean(ops.std(ops.cast(pictures, "float32"), axis=0))
