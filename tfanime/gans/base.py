"""`GAN`: the one training step that every objective and conditioning shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from tfanime.gans import backend, losses
from tfanime.gans.augment import adapted
from tfanime.gans.noise import StepNoise
from tfanime.gans.penalties import GradientPenalty
from tfanime.labels import LabelSchema
from tfanime.layers import ConditioningAugmentation
from tfanime.layers.spectral import spectral_layers
from tfanime.models.common import alternating
from tfanime.models.projected import joint_judge
from tfanime.schedules import Schedule, at

UPDATES = ("alternating", "simultaneous")
ADAPT_EVERY = 4  # steps (Karras et al. 2020, section 3.1)
LECAM_DECAY = 0.99
LECAM_MEANS = ("d_real_logit", "d_fake_logit")
UNJUDGED = (
    "The losses of a GAN say nothing about other pictures: tfanime.evaluate measures what it draws "
    "against real ones."
)


@dataclass(frozen=True)
class _Part:
    """What is worked through at once: some rows of a batch, and all that belongs to them.

    `whole` are the real images of the batch that `real` is a part of; `inputs` is what the
    generator draws from.
    """

    whole: Any
    real: Any
    labels: Any
    condition: Any
    noise: StepNoise
    inputs: Any


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
        penalty: a `GradientPenalty`, for example `penalties.dragan(0.5)`, several of them, or None.
        projected: a second discriminator, from images to `{"logits"}`, that looks through frozen
            networks (`models.projected.discriminator`); it sees real and generated images in one
            batch, its loss is the hinge loss, and no penalty and no head is for it. Needs
            simultaneous updates.
        projected_weight: factor of its part of the generator's loss, a number or a `Schedule`. As
            long as it is 0, that discriminator is neither asked nor trained.
        projected_every: training steps per step in which it takes part, as many times as strong.
        projected_augment: function like `augment`, for what it sees.
        weight_clip: clips every trainable discriminator weight to +-c after each of its updates
            (WGAN, Arjovsky et al. 2017, algorithm 1).
        head: `keras.Model` from the discriminator's features to `(B, L)` raw label outputs; its
            loss is `losses.label_loss`.
        schema: the `LabelSchema` of the labels; needed with `head`.
        multilabel: one sigmoid per label column (MakeGirlsMoe) instead of a softmax per group.
        vector_loss: of vectors among the labels, see `losses.label_loss`.
        head_on_real: whether the head also learns from real labels: AC-GAN does, InfoGAN does not.
        head_on_fake: whether the head also learns from generated pictures with the labels they were
            drawn for, as AC-GAN and InfoGAN do. Head and generator can then agree on a sign of
            their own for a label, a hatching for "blonde", that means nothing on real pictures.
            Of the schema's free fields (`labels.free_codes`) it always does: there is nothing else
            to learn them from.
        adversarial_weight: factor of the adversarial terms (MakeGirlsMoe's lambda_adv).
        head_weight: factor of the label terms.
        kl_weight: factor of the divergence of a generator's `layers.ConditioningAugmentation`;
            2 in StackGAN's code.
        mode_seeking_weight: factor of `losses.mode_seeking_loss`, with which noise decides more; 1
            in its authors' code. Labels to draw pictures with then come in pairs: those of the
            first half of `condition` twice.
        top_k: the generator's adversarial term is of this share of a part's pictures, those that
            the discriminator finds most real (`losses.top_weights`): a number or a `Schedule`, from
            1 to 0.5 in the paper.
        lecam_weight: factor of `losses.lecam_penalty`, whose averages are state and decay by 0.99 a
            step. For logits without bound, those of the hinge and the Wasserstein loss.
        critic_steps: discriminator updates per generator update.
        updates: `"alternating"`: the generator sees the updated discriminator (Goodfellow et al.
            2014, algorithm 1); `"simultaneous"`: both gradients are taken at the same weights.
            Either way pictures are drawn once and used for both.
        joint_batch: the discriminator sees real and generated pictures in one batch, so that its
            batch norm cannot hide from it how they differ in mean and scale; needs simultaneous
            updates. Else, as usual, in a batch each (Radford et al. 2016).
        accumulation: parts in which every update works through its pictures, to save memory. The
            weights change once, by the mean of the parts' gradients; batch norm and other batch
            statistics are those of a part.
        augment: function `(pictures, noise) -> pictures` applied to whatever the discriminator
            sees, differentiable (`augment.diff_augment`), or None. With `augment_target` it takes
            the probability as a third argument.
        augment_target: None: `augment` changes each picture with `augment_probability`. A number:
            with a probability, kept as state, that holds the mean sign of D(real) there
            (`augment.adapted`).
        augment_probability: a number or a `Schedule`.
        augment_ramp: real pictures it takes that probability to go from 0 to 1.
        label_smoothing: one-sided smoothing of the real target.
        instance_noise: standard deviation of Gaussian noise on what the discriminator sees.
        ema_half_life: half-life, in pictures, of the exponential moving average of the
            generator's weights and batch-norm statistics, a number or a `Schedule`. 0: the average
            is the generator.
        more_averages: half-lives of further averages, `averages` of the GAN: a short one follows a
            generator that learns fast, a long one calms one that swings.
        ema_warmup: the half-life is at most this fraction of the pictures seen so far.
        seed: of the noise, 0 to 2**32 - 1.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str | losses.AdversarialLoss = "non_saturating",
        penalty: GradientPenalty | Sequence[GradientPenalty] | None = None,
        projected: keras.Model | None = None,
        projected_weight: float | Schedule = 1.0,
        projected_every: int = 1,
        projected_augment=None,
        weight_clip: float | None = None,
        head: keras.Model | None = None,
        schema: LabelSchema | None = None,
        multilabel: bool = False,
        vector_loss: str = "matching",
        head_on_real: bool = True,
        head_on_fake: bool = True,
        adversarial_weight: float = 1.0,
        head_weight: float = 1.0,
        kl_weight: float = 2.0,
        mode_seeking_weight: float = 0.0,
        top_k: float | Schedule = 1.0,
        lecam_weight: float = 0.0,
        critic_steps: int = 1,
        updates: str = "alternating",
        joint_batch: bool = False,
        accumulation: int = 1,
        augment=None,
        augment_target: float | None = None,
        augment_probability: float | Schedule = 1.0,
        augment_ramp: int = 500_000,
        label_smoothing: float = 0.0,
        instance_noise: float = 0.0,
        ema_half_life: float | Schedule = 10_000.0,
        more_averages: Sequence[float] = (),
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
        if joint_batch and updates != "simultaneous":
            raise ValueError(
                f"joint_batch needs updates='simultaneous'. Received: updates={updates!r}."
            )
        if projected is not None and (updates != "simultaneous" or projected_every < 1):
            raise ValueError(
                "projected needs updates='simultaneous' and projected_every of at least 1. "
                f"Received: updates={updates!r}, projected_every={projected_every}."
            )
        if vector_loss not in losses.VECTOR_LOSSES:
            raise ValueError(
                f"vector_loss is one of {losses.VECTOR_LOSSES}. Received: {vector_loss!r}."
            )
        if head is not None and not (head_on_real or head_on_fake):
            raise ValueError("The head learns from something: head_on_real, head_on_fake or both.")
        if accumulation < 1:
            raise ValueError(f"accumulation is at least 1. Received: {accumulation}.")
        if head is not None and schema is None:
            raise ValueError("A label head needs schema=LabelSchema(...). Received: schema=None.")
        coupling = [layer.name for layer in batch_norms(discriminator)]
        penalties = () if penalty is None else penalty
        penalties = (penalties,) if isinstance(penalties, GradientPenalty) else tuple(penalties)
        if penalties and coupling:
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
        self.more_averages = tuple(more_averages)
        copies = [keras.models.clone_model(generator) for _ in (ema_half_life, *more_averages)]
        for copy in copies:
            copy.set_weights(generator.get_weights())
        self.ema_generator, *self.averages = copies
        self.schema = schema
        fields = schema.fields if schema is not None else ()
        # 1 for the columns of free codes, else 0.
        self._free_columns = np.repeat(
            np.array([field.free for field in fields], np.float32), [field.size for field in fields]
        )
        self.loss_pair = losses.get(loss)
        if augment_target is not None and (augment is None or not self.loss_pair.signed):
            raise ValueError(
                "augment_target needs an augmentation, and a loss whose discriminator says real "
                "above 0: non_saturating, minimax or hinge. "
                f"Received: augment={augment}, loss={self.loss_pair.name!r}."
            )
        self.penalties = penalties
        self.projected = projected
        self.projected_judge = None if projected is None else joint_judge(projected)
        self.projected_loss = losses.get("hinge")
        self.projected_weight = projected_weight
        self.projected_every = projected_every
        self.projected_augment = projected_augment
        self.weight_clip = weight_clip
        self.multilabel = multilabel
        self.vector_loss = vector_loss
        self.head_on_real = head_on_real
        self.head_on_fake = head_on_fake
        self.adversarial_weight = adversarial_weight
        self.head_weight = head_weight
        self.kl_weight = kl_weight
        self.mode_seeking_weight = mode_seeking_weight
        self.top_k = top_k
        self.lecam_weight = lecam_weight
        self.critic_steps = critic_steps
        self.updates = updates
        self.joint_batch = joint_batch
        self.accumulation = accumulation
        self.augment = augment
        self.augment_target = augment_target
        self.augment_probability = augment_probability
        self.augment_ramp = augment_ramp
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
            dtype=backend.COUNTER,
            trainable=False,
            name="steps_done",
            aggregation="only_first_replica",
        )
        self.augment_p = self.augment_sum = None
        if augment_target is not None:
            self.augment_p, self.augment_sum = map(self._number, ("augment_p", "augment_sum"))
        # Of the logits of real and of generated pictures.
        self.lecam_averages = ()
        if lecam_weight:
            self.lecam_averages = tuple(map(self._number, ("lecam_real", "lecam_fake")))
        self.built = True

    def _number(self, name: str):
        """A scalar that belongs to the state."""
        return self.add_weight(
            shape=(), initializer="zeros", trainable=False, name=name, aggregation="mean"
        )

    # ---- Keras interface ---------------------------------------------------------------------

    def compile(self, g_optimizer=None, d_optimizer=None, *, jit_compile="auto", **kwargs):
        """Sets the optimisers and builds their state.

        Args:
            g_optimizer, d_optimizer: Keras optimisers, or their names. Default: Adam 2e-4,
                (0.5, 0.999).
            jit_compile: XLA. `"auto"` means off for TensorFlow on a CPU, where it is several
                times slower than plain graphs for convolutions, and on elsewhere.
        """
        if jit_compile == "auto":
            jit_compile = backend.has_accelerator() or keras.backend.backend() == "jax"
        for name in ("optimizer", "loss"):
            if name in kwargs:
                raise ValueError(
                    "A GAN has two optimisers, compile(g_optimizer=..., d_optimizer=...), and gets "
                    f"its loss where it is made. Received: {name}={kwargs[name]!r}."
                )
        usual = {"learning_rate": 2e-4, "beta_1": 0.5}
        self.g_optimizer = keras.optimizers.get(g_optimizer or keras.optimizers.Adam(**usual))
        self.d_optimizer = keras.optimizers.get(d_optimizer or keras.optimizers.Adam(**usual))
        super().compile(optimizer=self.g_optimizer, jit_compile=jit_compile, **kwargs)
        # Unbuilt optimisers have no state to restore a checkpoint into.
        self.g_optimizer.build(self.generator_variables)
        self.d_optimizer.build(self.discriminator_variables)

    def fit(self, *arguments, **options):
        """Keras's `fit`, with TensorFlow."""
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "A GAN's fit needs KERAS_BACKEND=tensorflow. Received: "
                f"{keras.backend.backend()}. Use tfanime.train, which takes a compiled GAN too."
            )
        if options.get("validation_data") is not None or options.get("validation_split"):
            raise ValueError(f"{UNJUDGED} Leave the validation data out.")
        return super().fit(*arguments, **options)

    def evaluate(self, *arguments, **options):
        """Refuses, and says what judges pictures."""
        raise ValueError(UNJUDGED)

    def save(self, *arguments, **options):
        """Refuses, and says what is saved instead."""
        raise ValueError(
            "A GAN is a training, of which Keras saves the weights: save_weights('a.weights.h5'), "
            "or ModelCheckpoint('a.weights.h5', save_weights_only=True). What draws is a model of "
            "its own, ema_generator; tfanime.train keeps checkpoints, and saves what draws."
        )

    @property
    def generator_variables(self) -> list:
        return self.generator.trainable_variables

    @property
    def discriminator_variables(self) -> list:
        """Trained by the discriminator's optimiser: both discriminators and the head."""
        parts = [self.discriminator, self.head, self.projected]
        return [v for part in parts if part is not None for v in part.trainable_variables]

    def call(self, inputs, training=False):
        """Draws pictures with the averaged generator."""
        return self.ema_generator(inputs, training=False)

    def train_step(self, batch):
        """One generator update and `critic_steps` discriminator updates; returns the logs."""
        images, labels, condition = self._unpack(batch)
        count = images.shape[0] or ops.shape(images)[0]
        parts = self.critic_steps * self.accumulation
        if isinstance(count, int) and count % parts:
            raise ValueError(
                "A batch is split into a part per critic step and accumulation, so its size must "
                f"be a multiple of critic_steps x accumulation = {parts}. Received: {count}."
            )
        rows = count // self.critic_steps
        noise = StepNoise(self.seed, self.steps_done, rows)
        for i in range(self.critic_steps):
            chosen = slice(i * rows, (i + 1) * rows)
            real, real_labels, wanted = (_rows(x, chosen) for x in (images, labels, condition))
            parts = self._parts(real, real_labels, wanted, noise, rows)
            if i < self.critic_steps - 1:
                self._update_discriminator(parts)
                noise.follow(parts[-1].noise)
        if self.updates == "simultaneous":
            logs, fakes = self._update_both(parts)
        else:
            logs, fakes = self._update_in_turn(parts)
        self.steps_done.assign_add(1)
        self._share_statistics()
        self._update_average(count)
        if self.augment_p is not None:
            logs["augment_p"] = self._adapt_augmentation(logs["d_overfit"], count)
        if self.lecam_averages:
            self._follow_logits(logs)
        logs["diversity"] = _spread(fakes) / (_spread(real) + 1e-8)
        return logs

    def _parts(self, real, labels, condition, noise, rows) -> list[_Part]:
        """The pictures of one update, in as many parts as gradients are accumulated over."""
        if self.accumulation == 1:
            condition = self._in_pairs(condition, rows)
            inputs = self._generator_inputs(real, condition, noise)
            return [_Part(real, real, labels, condition, noise, inputs)]
        size = rows // self.accumulation
        found = []
        for i in range(self.accumulation):
            chosen = slice(i * size, (i + 1) * size)
            own = noise.part(chosen)
            pictures, known, wanted = (_rows(x, chosen) for x in (real, labels, condition))
            wanted = self._in_pairs(wanted, size)
            inputs = self._generator_inputs(pictures, wanted, own)
            found.append(_Part(real, pictures, known, wanted, own, inputs))
        return found

    def _in_pairs(self, condition, rows):
        """The labels to draw with, where noise alone is to tell two pictures apart."""
        if not self.mode_seeking_weight:
            return condition
        if isinstance(rows, int) and rows % 2:
            raise ValueError(
                "mode_seeking_weight needs an even number of pictures per critic step and "
                f"accumulation. Received: {rows}."
            )
        return None if condition is None else ops.tile(condition[: rows // 2], (2, 1))

    # ---- the two kinds of update -------------------------------------------------------------

    def _update_in_turn(self, parts):
        if len(parts) == 1:
            # The pictures are drawn once, and the discriminator is updated in between.
            results = [
                self._generator_gradients(
                    parts[0], lambda fakes: self._update_discriminator(parts, fakes)
                )
            ]
            logs = {}
        else:
            logs = self._update_discriminator(parts)
            results = backend.in_turn(self._generator_gradients, parts)
        gradients, g_logs, fakes = _averaged(results)
        g_logs["g_grad_norm"] = self._apply(self.g_optimizer, gradients, self.generator_variables)
        return {**logs, **g_logs}, fakes

    def _generator_gradients(self, part, in_between=None):
        """Gradients, logs and the pictures; what `in_between` does with them is no part of it."""

        def judged(fakes):
            on_real = None
            if self.loss_pair.paired:
                seen = self._discriminate(part.real, part.labels, part.noise)
                on_real = keras.tree.map_structure(ops.stop_gradient, seen)
            on_fake = self._discriminate(fakes, part.condition, part.noise)
            loss, logs = self._generator_loss(on_fake, fakes, part, on_real)
            return self._for_replica(loss), logs

        gradients, fakes, d_logs, g_logs = backend.staged_gradients(
            lambda: self._draw(part), in_between, judged, self.generator_variables
        )
        return gradients, {**(d_logs or {}), **g_logs}, fakes

    def _update_both(self, parts):
        self._power_step()
        d_gradients, g_gradients, logs, fakes = _averaged(
            backend.in_turn(self._both_gradients, parts)
        )
        d_norm = self._apply(self.d_optimizer, d_gradients, self.discriminator_variables)
        self._clip_weights()
        g_norm = self._apply(self.g_optimizer, g_gradients, self.generator_variables)
        return {**logs, "d_grad_norm": d_norm, "g_grad_norm": g_norm}, fakes

    def _both_gradients(self, part):
        def judged():
            fakes = self._draw(part)
            on_real, on_fake = self._discriminate_both(part, fakes)
            d_loss, logs = self._discriminator_loss(part, fakes, on_real, on_fake)
            g_loss, g_logs = self._generator_loss(on_fake, fakes, part, on_real)
            found = {**logs, **g_logs}, fakes
            if self.projected is not None:
                d_more, g_more = self._projected_losses(part, fakes)
                d_loss, g_loss = d_loss + d_more, g_loss + g_more
                found[0].update(d_projected=d_more, g_projected=g_more)
            return self._for_replica(d_loss), self._for_replica(g_loss), found

        d_gradients, g_gradients, (logs, fakes) = backend.pair_of_gradients(
            judged, self.discriminator_variables, self.generator_variables
        )
        return d_gradients, g_gradients, logs, fakes

    def _update_discriminator(self, parts, fakes=None):
        """`fakes`: the pictures of the only part, when they have been drawn already."""
        self._power_step()

        def gradients(part):
            drawn = ops.stop_gradient(self._draw(part)) if fakes is None else fakes

            def judged():
                on_real, on_fake = self._discriminate_both(part, drawn)
                loss, logs = self._discriminator_loss(part, drawn, on_real, on_fake)
                return self._for_replica(loss), logs

            return backend.gradients(judged, self.discriminator_variables)

        mean, logs = _averaged(backend.in_turn(gradients, parts))
        logs["d_grad_norm"] = self._apply(self.d_optimizer, mean, self.discriminator_variables)
        self._clip_weights()
        return logs

    # ---- losses ------------------------------------------------------------------------------

    def _discriminator_loss(self, part, fakes, on_real, on_fake):
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
            on_labels = 0.0
            if self.head_on_fake:
                on_labels = self._label_loss(on_fake["labels"], part.condition)
            elif self._free_columns.any():
                codes = part.condition * self._free_columns  # 0: not known, adds nothing
                on_labels = self._label_loss(on_fake["labels"], codes)
            if self.head_on_real:
                logs["d_label_loss"] = self._label_loss(on_real["labels"], part.labels)
                on_labels = on_labels + logs["d_label_loss"]
            total = total + self.head_weight * on_labels
        for penalty in self.penalties:
            value = self._penalty(penalty, part, ops.stop_gradient(fakes))
            total = total + value
            logs["d_penalty"] = logs.get("d_penalty", 0.0) + value
        if self.augment_p is not None:
            logs["d_overfit"] = ops.mean(ops.sign(on_real["logits"]))
        if self.lecam_averages:
            both = on_real["logits"], on_fake["logits"]
            averages = [average.value for average in self.lecam_averages]
            # At the first step there are no averages yet.
            known = ops.cast(self.steps_done > 0, "float32")
            logs["d_lecam"] = known * losses.lecam_penalty(*both, *averages)
            total = total + self.lecam_weight * logs["d_lecam"]
            for name, logits in zip(LECAM_MEANS, both, strict=True):
                logs[name] = ops.mean(ops.cast(ops.stop_gradient(logits), "float32"))
        return total, logs

    def _penalty(self, penalty, part, fakes):
        spread = None
        if penalty.at == "perturbed":
            spread = _global_deviation(part.whole, penalty.spread_axis)
        points = penalty.points(part.real, fakes, part.noise, spread)
        labels = part.condition if penalty.at == "fake" else part.labels

        def value():
            gradients = backend.input_gradients(
                lambda x: self._discriminate(x, labels, None)["logits"], points
            )
            weight = at(penalty.weight, self._images_seen(part.real))
            return penalty.value(gradients) * (weight * penalty.every)

        if penalty.every == 1:
            return value()
        due = ops.equal(self.steps_done % penalty.every, 0)
        return ops.cond(due, value, lambda: ops.zeros((), "float32"))

    def _projected_losses(self, part, fakes):
        """What the second discriminator adds to both losses."""
        weight = at(self.projected_weight, self._images_seen(part.real))
        weight = ops.convert_to_tensor(weight, "float32")
        due = ops.logical_and(weight > 0, ops.equal(self.steps_done % self.projected_every, 0))

        def asked(drawn):
            real = part.real
            if self.projected_augment is not None:
                real, drawn = (self.projected_augment(x, part.noise) for x in (real, drawn))
            on_real, on_fake = self.projected_judge(real, drawn)
            d_loss = self.projected_loss.discriminator(on_real, on_fake)
            g_loss = self.projected_loss.generator(on_fake, on_real)
            return self.projected_every * d_loss, self.projected_every * weight * g_loss

        return backend.when(due, asked, self.projected.trainable_variables, fakes)

    def _images_seen(self, images):
        """Real images of all steps before this one, of which a part is `images`."""
        rows = self._global(ops.shape(images)[0]) * self.accumulation * self.critic_steps
        return ops.cast(self.steps_done, "float32") * ops.cast(rows, "float32")

    def _generator_loss(self, on_fake, fakes, part, on_real=None):
        """The loss and its logs; subclasses add terms that compare `fakes` with the part."""
        on_real = None if on_real is None else on_real["logits"]
        weights = {}
        if self.top_k != 1:
            share = at(self.top_k, self._images_seen(fakes))
            weights["weights"] = losses.top_weights(on_fake["logits"], share)
        adversarial = self.loss_pair.generator(on_fake["logits"], on_real, **weights)
        total = self.adversarial_weight * adversarial
        logs = {"g_loss": adversarial}
        if self.head is not None:
            logs["g_label_loss"] = self._label_loss(on_fake["labels"], part.condition)
            total = total + self.head_weight * logs["g_label_loss"]
        if self.mode_seeking_weight:
            latents = part.inputs[0] if self.conditional_generator else part.inputs
            logs["g_mode_seeking"] = losses.mode_seeking_loss(fakes, latents)
            total = total + self.mode_seeking_weight * logs["g_mode_seeking"]
        for layer in self.generator.layers:
            if isinstance(layer, ConditioningAugmentation):
                logs["g_kl"] = layer.divergence(part.condition)
                total = total + self.kl_weight * logs["g_kl"]
        return total, logs

    def _label_loss(self, outputs, labels):
        return losses.label_loss(outputs, labels, self.schema, self.multilabel, self.vector_loss)

    # ---- networks ----------------------------------------------------------------------------

    def _generator_inputs(self, real, condition, noise):
        """What the generator draws from; `real` is for subclasses that draw from pictures."""
        latents = noise.normal((self.latent_dim,))
        return [latents, condition] if self.conditional_generator else latents

    def _draw(self, part):
        return self.generator(part.inputs, training=True)

    def _discriminate_both(self, part, fakes):
        """What the discriminator says of real and of generated pictures."""
        if not self.joint_batch:
            on_fake = self._discriminate(fakes, part.condition, part.noise)
            return self._discriminate(part.real, part.labels, part.noise), on_fake
        fakes, real = (self._shown(pictures, part.noise) for pictures in (fakes, part.real))
        labels = None
        if self.conditional_discriminator:
            labels = alternating(part.labels, part.condition)
        outputs = self._judged(alternating(real, fakes), labels)
        pairs = {
            name: ops.reshape(values, (-1, 2, *values.shape[1:]))
            for name, values in outputs.items()
        }
        return tuple({name: both[:, i] for name, both in pairs.items()} for i in (0, 1))

    def _discriminate(self, pictures, labels, noise):
        """Everything the discriminator says of pictures; `noise=None` leaves them as they are."""
        return self._judged(self._shown(pictures, noise), labels)

    def _shown(self, pictures, noise):
        """Pictures as the discriminator sees them."""
        if noise is not None and self.augment is not None:
            share = self._augmented_share(pictures)
            pictures = self.augment(pictures, noise, *(() if share is None else (share,)))
        if noise is not None and self.instance_noise:
            shape = tuple(pictures.shape[1:])
            pictures = pictures + self.instance_noise * noise.normal(shape)
        return pictures

    def _augmented_share(self, pictures):
        """The probability of each change; None: always."""
        if self.augment_p is not None:
            return self.augment_p.value
        share = self.augment_probability
        return None if share == 1 else at(share, self._images_seen(pictures))

    def _judged(self, pictures, labels):
        inputs = [pictures, labels] if self.conditional_discriminator else pictures
        outputs = self.discriminator(inputs, training=True)
        if not isinstance(outputs, dict):
            outputs = {"logits": outputs}
        if self.head is not None:
            outputs = {**outputs, "labels": self.head(outputs["features"], training=True)}
        return outputs

    def _apply(self, optimizer, gradients, variables):
        """Updates `variables`; returns the norm of the gradients as float32."""
        missing = [v.path for g, v in zip(gradients, variables, strict=True) if g is None]
        if missing:
            raise ValueError(f"The loss does not depend on these weights: {', '.join(missing)}.")
        optimizer.apply(gradients, variables)
        squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients]
        return ops.sqrt(sum(squares))

    def _power_step(self):
        """Spectral norms follow the weights, one step per discriminator update."""
        for network in (self.discriminator, self.projected):
            for layer in spectral_layers(network) if network is not None else ():
                layer.power_step()

    def _clip_weights(self):
        if self.weight_clip is not None:
            for variable in self.discriminator_variables:
                variable.assign(ops.clip(variable, -self.weight_clip, self.weight_clip))

    def _share_statistics(self):
        """Replicas whose batch norm saw different pictures keep the same moving statistics."""
        networks = [
            x for x in (self.generator, self.discriminator, self.projected) if x is not None
        ]
        found = [x for network in networks for x in batch_norms(network) if not x.synchronized]
        variables = [v for layer in found for v in (layer.moving_mean, layer.moving_variance)]
        if backend.replicas() > 1 and variables:
            means = backend.all_replicas_mean([ops.convert_to_tensor(v) for v in variables])
            for variable, mean in zip(variables, means, strict=True):
                variable.assign(mean)

    def _adapt_augmentation(self, overfit, count):
        """Every `ADAPT_EVERY` steps, by the mean over these; one batch's sign is mostly chance."""
        pictures = ADAPT_EVERY * self._global(count)
        total = self.augment_sum.value + overfit
        due = ops.equal(self.steps_done % ADAPT_EVERY, 0)
        present = self.augment_p.value
        share = adapted(
            present, total / ADAPT_EVERY, self.augment_target, pictures, self.augment_ramp
        )
        share = ops.where(due, share, present)
        self.augment_p.assign(share)
        self.augment_sum.assign(ops.where(due, 0.0, total))
        return share

    def _follow_logits(self, logs):
        """Moving averages of what the discriminator said; plain means at first."""
        done = ops.cast(self.steps_done, "float32")
        keep = ops.minimum(LECAM_DECAY, 1.0 - 1.0 / done)
        for average, name in zip(self.lecam_averages, LECAM_MEANS, strict=True):
            average.assign(keep * average.value + (1.0 - keep) * logs[name])

    def _update_average(self, count):
        """Half-life in pictures, with warm-up (Karras et al. 2020, `G_ema` of the code)."""
        seen = ops.cast(self.steps_done, "float32") * ops.cast(self._global(count), "float32")
        half_lives = (at(self.ema_half_life, seen), *self.more_averages)
        for network, half_life in zip(
            (self.ema_generator, *self.averages), half_lives, strict=True
        ):
            half_life = ops.minimum(half_life, self.ema_warmup * seen)
            keep = ops.power(0.5, ops.cast(self._global(count), "float32") / (half_life + 1e-8))
            for average, current in zip(network.weights, self.generator.weights, strict=True):
                average.assign(average + (1.0 - keep) * (current - average))

    # ---- small things ------------------------------------------------------------------------

    def _unpack(self, batch):
        if not isinstance(batch, dict):
            batch = dict(
                zip(("images", "labels", "condition"), keras.tree.flatten(batch), strict=False)
            )
        images = batch["images"]
        dtype = keras.backend.standardize_dtype(images.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                f"Batches hold pictures as float32 in [-1, 1]. Received: {dtype}. "
                "tfanime.images.to_float converts from 0 to 255."
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

    @staticmethod
    def _global(count):
        return count * backend.replicas()

    def _for_replica(self, loss):
        """Gradients are summed over replicas, so each carries its share of the mean."""
        return loss / backend.replicas()


def batch_norms(model: keras.Model) -> list:
    """The batch-norm layers of a model; those of a network inside it are frozen and left out."""
    kind = keras.layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind)]


def _rows(values, rows):
    return None if values is None else values[rows]


def _averaged(results: list):
    """The means of gradients and logs over the parts, and all their pictures."""
    if len(results) == 1:
        return results[0]

    def together(values):
        if isinstance(values[0], (list, dict)):
            return keras.tree.map_structure(lambda *parts: sum(parts) / len(parts), *values)
        return ops.concatenate(values)

    return tuple(together(values) for values in zip(*results, strict=True))


def _global_deviation(values, axis):
    """Standard deviation of the batch over all replicas."""
    if backend.replicas() == 1:
        return ops.std(values, axis=axis)
    moments = [ops.mean(values, axis=axis), ops.mean(ops.square(values), axis=axis)]
    mean, square = backend.all_replicas_mean(moments)
    return ops.sqrt(square - ops.square(mean))


def _spread(pictures):
    """Mean over pixels of the standard deviation within the batch."""
    return ops.mean(ops.std(ops.cast(pictures, "float32"), axis=0))
