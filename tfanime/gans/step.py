"""The training step: what happens to a batch, from its images to the new weights.

`TrainingStep` holds the methods of `gans.GAN` that train; the class itself has the networks, the
settings and the state. What the networks are trained for is its `objective`.
"""

from __future__ import annotations

import keras
from keras import ops

from tfanime.core.schedules import at
from tfanime.gans import backend, upkeep
from tfanime.gans.noise import StepNoise
from tfanime.gans.objective import Part, Side
from tfanime.models.common import alternating


class TrainingStep:
    """One generator update, and one or more discriminator updates, a batch."""

    def train_step(self, batch):
        """One generator update and `critic_steps` discriminator updates; returns the logs."""
        images, labels, condition = self._unpack(batch)
        count = images.shape[0] or ops.shape(images)[0]
        self._check_count(count)
        rows = count // self.critic_steps
        noise = StepNoise(self.seed, self.steps_done, rows)
        for i in range(self.critic_steps):
            span = slice(i * rows, (i + 1) * rows)
            real, real_labels, drawn_labels = (_rows(x, span) for x in (images, labels, condition))
            parts = self._parts(real, real_labels, drawn_labels, noise, rows)
            if i < self.critic_steps - 1:
                self._update_discriminator(parts)
                noise.follow(parts[-1].noise)
        update = self._update_both if self.updates == "simultaneous" else self._update_in_turn
        logs, fakes = update(parts)
        self.steps_done.assign_add(1)
        count = count * backend.replicas()
        upkeep.share_statistics(self)
        upkeep.update_averages(self, count)
        if self.augment_p is not None:
            logs["augment_p"] = upkeep.adapt_augmentation(self, logs["d_overfit"], count)
        if self.lecam is not None:
            self.lecam.follow(logs, self.steps_done)
        logs["diversity"] = _spread(fakes) / (_spread(real) + 1e-8)
        return logs

    # ---- the discriminator's update ----------------------------------------------------------

    def _update_discriminator(self, parts, fakes=None):
        """`fakes`: the images of the only part, when they have been drawn already."""
        upkeep.power_step(self)

        def gradients(part):
            images = ops.stop_gradient(self._draw(part)) if fakes is None else fakes

            def loss_and_logs():
                on_real, on_fake = self._sides(part, images)
                loss, logs = self.objective.discriminator(on_real, on_fake, part)
                return self._for_replica(loss), logs

            return backend.gradients(loss_and_logs, self.discriminator_variables)

        mean, logs = averaged(backend.in_turn(gradients, parts))
        logs["d_grad_norm"] = self._apply(self.d_optimizer, mean, self.discriminator_variables)
        upkeep.clip_weights(self)
        return logs

    # ---- the generator's, behind it ----------------------------------------------------------

    def _update_in_turn(self, parts):
        """The generator learns from the updated discriminator; returns logs and its images."""
        if len(parts) == 1:
            # The images are drawn once, and the discriminator is updated in between.
            results = [
                self._generator_gradients(
                    parts[0], lambda fakes: self._update_discriminator(parts, fakes)
                )
            ]
            logs = {}
        else:
            logs = self._update_discriminator(parts)
            results = backend.in_turn(self._generator_gradients, parts)
        gradients, g_logs, fakes = averaged(results)
        g_logs["g_grad_norm"] = self._apply(self.g_optimizer, gradients, self.generator_variables)
        return {**logs, **g_logs}, fakes

    def _generator_gradients(self, part, in_between=None):
        """Gradients, logs and the images; what `in_between` does with them is no part of it."""

        def loss_and_logs(fakes):
            on_real = None
            if self.loss_pair.paired:
                outputs = self._discriminate(part.real, part.labels, part.noise)
                outputs = keras.tree.map_structure(ops.stop_gradient, outputs)
                on_real = Side(part.real, part.labels, outputs)
            outputs = self._discriminate(fakes, part.condition, part.noise)
            on_fake = Side(fakes, part.condition, outputs)
            loss, logs = self.objective.generator(on_fake, on_real, part)
            return self._for_replica(loss), logs

        gradients, fakes, d_logs, g_logs = backend.staged_gradients(
            lambda: self._draw(part), in_between, loss_and_logs, self.generator_variables
        )
        return gradients, {**(d_logs or {}), **g_logs}, fakes

    # ---- or both at the same weights ---------------------------------------------------------

    def _update_both(self, parts):
        """Both networks learn from what the discriminator says once; returns logs and images."""
        upkeep.power_step(self)
        d_gradients, g_gradients, logs, fakes = averaged(
            backend.in_turn(self._both_gradients, parts)
        )
        d_norm = self._apply(self.d_optimizer, d_gradients, self.discriminator_variables)
        upkeep.clip_weights(self)
        g_norm = self._apply(self.g_optimizer, g_gradients, self.generator_variables)
        return {**logs, "d_grad_norm": d_norm, "g_grad_norm": g_norm}, fakes

    def _both_gradients(self, part):
        def both_losses():
            fakes = self._draw(part)
            on_real, on_fake = self._sides(part, fakes)
            d_loss, g_loss, logs = self.objective.both(on_real, on_fake, part)
            return self._for_replica(d_loss), self._for_replica(g_loss), (logs, fakes)

        d_gradients, g_gradients, (logs, fakes) = backend.pair_of_gradients(
            both_losses, self.discriminator_variables, self.generator_variables
        )
        return d_gradients, g_gradients, logs, fakes

    # ---- a batch and its parts ---------------------------------------------------------------

    def _unpack(self, batch):
        if not isinstance(batch, dict):
            batch = dict(
                zip(("images", "labels", "condition"), keras.tree.flatten(batch), strict=False)
            )
        images = batch["images"]
        dtype = keras.backend.standardize_dtype(images.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                f"Batches hold images as float32 in [-1, 1]. Received: {dtype}. "
                "tfanime.core.images.to_float converts from 0 to 255."
            )
        labels = batch.get("labels")
        needed = self.conditional_generator or self.conditional_discriminator or self.head
        if needed and labels is None:
            raise ValueError(
                "This GAN is conditioned on labels, so batches need 'labels'. "
                f"Received: {sorted(batch)}."
            )
        condition = batch.get("condition", labels)
        return images, labels, condition

    def _check_count(self, count):
        parts = self.critic_steps * self.accumulation
        if isinstance(count, int) and count % parts:
            raise ValueError(
                "A batch is split into a part per critic step and accumulation, so its size must "
                f"be a multiple of critic_steps x accumulation = {parts}. Received: {count}."
            )

    def _parts(self, real, labels, condition, noise, rows) -> list[Part]:
        """The images of one update, in as many parts as gradients are accumulated over."""
        if self.accumulation == 1:
            return [self._part(real, real, labels, condition, noise, rows)]
        size = rows // self.accumulation
        parts = []
        for i in range(self.accumulation):
            span = slice(i * size, (i + 1) * size)
            images, real_labels, drawn_labels = (_rows(x, span) for x in (real, labels, condition))
            parts.append(
                self._part(real, images, real_labels, drawn_labels, noise.part(span), size)
            )
        return parts

    def _part(self, whole, real, labels, condition, noise, rows) -> Part:
        condition = self._in_pairs(condition, rows)
        inputs = self._generator_inputs(real, condition, noise)
        images_seen = self._images_seen(real)
        return Part(whole, real, labels, condition, noise, inputs, self.steps_done, images_seen)

    def _in_pairs(self, condition, rows):
        """The labels to draw with, where noise alone is to tell two images apart."""
        if not self.mode_seeking_weight:
            return condition
        if isinstance(rows, int) and rows % 2:
            raise ValueError(
                "mode_seeking_weight needs an even number of images per critic step and "
                f"accumulation. Received: {rows}."
            )
        return None if condition is None else ops.tile(condition[: rows // 2], (2, 1))

    def _images_seen(self, images):
        """Real images of all steps before this one, of which a part is `images`."""
        rows = ops.shape(images)[0] * backend.replicas() * self.accumulation * self.critic_steps
        return ops.cast(self.steps_done, "float32") * ops.cast(rows, "float32")

    # ---- networks ----------------------------------------------------------------------------

    def _generator_inputs(self, real, condition, noise):
        """What the generator draws from; `real` is for subclasses that draw from images."""
        latents = noise.normal((self.latent_dim,))
        return [latents, condition] if self.conditional_generator else latents

    def _draw(self, part):
        return self.generator(part.inputs, training=True)

    def _sides(self, part, fakes) -> tuple[Side, Side]:
        on_real, on_fake = self._discriminate_both(part, fakes)
        return Side(part.real, part.labels, on_real), Side(fakes, part.condition, on_fake)

    def _discriminate_both(self, part, fakes):
        """What the discriminator says of real and of generated images."""
        if not self.joint_batch:
            on_fake = self._discriminate(fakes, part.condition, part.noise)
            return self._discriminate(part.real, part.labels, part.noise), on_fake
        fakes, real = (
            self._discriminator_view(images, part.noise) for images in (fakes, part.real)
        )
        labels = None
        if self.conditional_discriminator:
            labels = alternating(part.labels, part.condition)
        outputs = self._discriminator_outputs(alternating(real, fakes), labels)
        pairs = {
            name: ops.reshape(values, (-1, 2, *values.shape[1:]))
            for name, values in outputs.items()
        }
        return tuple({name: both[:, i] for name, both in pairs.items()} for i in (0, 1))

    def _discriminate(self, images, labels, noise):
        """Everything the discriminator says of images; `noise=None` leaves them as they are."""
        return self._discriminator_outputs(self._discriminator_view(images, noise), labels)

    def _discriminator_view(self, images, noise):
        """Images as the discriminator sees them."""
        if noise is not None and self.augment is not None:
            share = self._augmented_share(images)
            images = self.augment(images, noise, *(() if share is None else (share,)))
        if noise is not None and self.instance_noise:
            deviation = at(self.instance_noise, self._images_seen(images))
            images = images + deviation * noise.normal(tuple(images.shape[1:]))
        return images

    def _augmented_share(self, images):
        """The probability of each change; None: always."""
        if self.augment_p is not None:
            return self.augment_p.value
        share = self.augment_probability
        return None if share == 1 else at(share, self._images_seen(images))

    def _discriminator_outputs(self, images, labels):
        inputs = [images, labels] if self.conditional_discriminator else images
        outputs = self.discriminator(inputs, training=True)
        if not isinstance(outputs, dict):
            outputs = {"logits": outputs}
        if self.head is not None:
            outputs = {**outputs, "labels": self.head(outputs["features"], training=True)}
        return outputs

    def undisturbed_logits(self, images, labels):
        """`(B, N)` logits of images that are neither augmented nor noisy."""
        return self._discriminate(images, labels, None)["logits"]

    # ---- gradients ---------------------------------------------------------------------------

    def _for_replica(self, loss):
        """Gradients are summed over replicas, so each carries its share of the mean."""
        return loss / backend.replicas()

    def _apply(self, optimizer, gradients, variables):
        """Updates `variables`; returns the norm of the gradients as float32."""
        missing = [v.path for g, v in zip(gradients, variables, strict=True) if g is None]
        if missing:
            raise ValueError(f"The loss does not depend on these weights: {', '.join(missing)}.")
        optimizer.apply(gradients, variables)
        squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients]
        return ops.sqrt(sum(squares))


def _rows(values, rows):
    return None if values is None else values[rows]


def averaged(results: list):
    """The means of gradients and logs over the parts, and all their images."""
    if len(results) == 1:
        return results[0]

    def together(values):
        if isinstance(values[0], (list, dict)):
            return keras.tree.map_structure(lambda *parts: sum(parts) / len(parts), *values)
        return ops.concatenate(values)

    return tuple(together(values) for values in zip(*results, strict=True))


def _spread(images):
    """Mean over pixels of the standard deviation within the batch."""
    return ops.mean(ops.std(ops.cast(images, "float32"), axis=0))
