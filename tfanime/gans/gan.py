"""`GAN`: a generator and a discriminator as a Keras model. Its training step is in `gans.step`,
what they are trained for in `gans.objective`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import keras

from tfanime.core.labels import LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.gans import backend, losses, saving
from tfanime.gans.objective import Term
from tfanime.gans.penalties import GradientPenalty
from tfanime.gans.step import TrainingStep
from tfanime.gans.terms import LeCam, objective_of
from tfanime.gans.upkeep import batch_norms

UPDATES = ("alternating", "simultaneous")


@keras.saving.register_keras_serializable("tfanime")
class GAN(TrainingStep, keras.Model):
    """A generator, a discriminator, and how they are trained against each other.

    Compile and fit like any Keras model. A batch is `{"images", "labels", "condition"}`, or the
    images alone: `images (B, H, W, 3)` float32 in [-1, 1]; `labels (B, L)` of those images in
    -1/+1 coding, 0 for unknown; `condition (B, L)`, the labels to draw images with (defaults
    to `labels`). With `critic_steps=n` a batch is split into n parts, one per critic step.

    Weights of terms, `top_k`, `augment_probability`, `instance_noise` and `ema_half_life` are
    numbers or `Schedule`s, which follow the real images seen.

    Args:
        generator: `keras.Model` from latents, or from `[latents, labels]`, to images.
        discriminator: `keras.Model` from images, or from `[images, labels]`, to logits or to
            `{"logits", "features"}`.
        loss: name of a pair in `losses.LOSSES`, or an `AdversarialLoss`.
        penalty: a `GradientPenalty`, for example `penalties.dragan(0.5)`, several of them, or None.
        projected: a second discriminator, from images to `{"logits"}`, that looks through frozen
            networks (`models.projected.discriminator`); it sees real and generated images in one
            batch, its loss is the hinge loss, and no penalty and no head is for it. Needs
            simultaneous updates.
        projected_weight: factor of its part of the generator's loss. As long as it is 0, that
            discriminator is neither asked nor trained.
        projected_every: training steps per step in which it takes part, as many times as strong.
        projected_augment: function like `augment`, for what it sees.
        weight_clip: clips every trainable discriminator weight to +-c after each of its updates
            (WGAN, Arjovsky et al. 2017, algorithm 1).
        head: `keras.Model` from the discriminator's features to `(B, L)` raw label outputs; its
            loss is `losses.label_loss`.
        schema: the `LabelSchema` of the labels; needed with `head`. `tfanime.train` takes the
            data's for one that is not given.
        multilabel: one sigmoid per label column (MakeGirlsMoe) instead of a softmax per group.
        vector_loss: of vectors among the labels, see `losses.label_loss`.
        head_on_real: whether the head also learns from real labels: AC-GAN does, InfoGAN does not.
        head_on_fake: whether the head also learns from generated images with the labels they were
            drawn for, as AC-GAN and InfoGAN do. Head and generator can then agree on a sign of
            their own for a label, a hatching for "blonde", that means nothing on real images.
            Of the schema's free fields (`labels.free_codes`) it always does: there is nothing else
            to learn them from.
        adversarial_weight: factor of the adversarial terms (MakeGirlsMoe's lambda_adv).
        head_weight: factor of the label terms.
        kl_weight: factor of the divergence of a generator's `layers.ConditioningAugmentation`;
            2 in StackGAN's code.
        mode_seeking_weight: factor of `losses.mode_seeking_loss`, with which noise decides more; 1
            in its authors' code. Labels to draw images with then come in pairs: those of the
            first half of `condition` twice.
        top_k: the generator's adversarial term is of this share of a part's images, those that
            the discriminator finds most real (`losses.top_weights`); from 1 to 0.5 in the paper.
        lecam_weight: factor of `losses.lecam_penalty`, whose averages are state and decay by 0.99 a
            step. For logits without bound, those of the hinge and the Wasserstein loss.
        critic_steps: discriminator updates per generator update.
        updates: `"alternating"`: the generator sees the updated discriminator (Goodfellow et al.
            2014, algorithm 1); `"simultaneous"`: both gradients are taken at the same weights.
            Either way images are drawn once and used for both.
        joint_batch: the discriminator sees real and generated images in one batch, so that its
            batch norm cannot hide from it how they differ in mean and scale; needs simultaneous
            updates. Else, as usual, in a batch each (Radford et al. 2016).
        accumulation: parts in which every update works through its images, to save memory. The
            weights change once, by the mean of the parts' gradients; batch norm and other batch
            statistics are those of a part.
        augment: function `(images, noise) -> images` applied to whatever the discriminator
            sees, differentiable (`augment.diff_augment`), or None. With `augment_target` it takes
            the probability as a third argument.
        augment_target: None: `augment` changes each image with `augment_probability`. A number:
            with a probability, kept as state, that holds the mean sign of D(real) there
            (`augment.adapted`).
        augment_probability: of each change, without `augment_target`.
        augment_ramp: real images it takes that probability to go from 0 to 1.
        label_smoothing: one-sided smoothing of the real target.
        instance_noise: standard deviation of Gaussian noise on what the discriminator sees.
        ema_half_life: half-life, in images, of the exponential moving average of the
            generator's weights and batch-norm statistics. 0: the average is the generator.
        more_averages: half-lives of further averages, `averages` of the GAN: a short one follows a
            generator that learns fast, a long one calms one that swings.
        ema_warmup: the half-life is at most this fraction of the images seen so far.
        terms: further terms of either loss, of your own: see `gans.objective`.
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
        projected_augment: Callable | None = None,
        weight_clip: float | None = None,
        head: keras.Model | None = None,
        schema: LabelSchema | None = None,
        multilabel: bool = False,
        vector_loss: str = "matching",
        head_on_real: bool = True,
        head_on_fake: bool = True,
        adversarial_weight: float | Schedule = 1.0,
        head_weight: float | Schedule = 1.0,
        kl_weight: float | Schedule = 2.0,
        mode_seeking_weight: float | Schedule = 0.0,
        top_k: float | Schedule = 1.0,
        lecam_weight: float | Schedule = 0.0,
        critic_steps: int = 1,
        updates: str = "alternating",
        joint_batch: bool = False,
        accumulation: int = 1,
        augment: Callable | None = None,
        augment_target: float | None = None,
        augment_probability: float | Schedule = 1.0,
        augment_ramp: int = 500_000,
        label_smoothing: float = 0.0,
        instance_noise: float | Schedule = 0.0,
        ema_half_life: float | Schedule = 10_000.0,
        more_averages: Sequence[float] = (),
        ema_warmup: float = 0.05,
        terms: Sequence[Term] = (),
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
                "A gradient penalty is a matter of single images, and batch norm mixes them: the "
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
        self.loss_pair = losses.get(loss)
        if augment_target is not None and (augment is None or not self.loss_pair.signed):
            raise ValueError(
                "augment_target needs an augmentation, and a loss whose discriminator says real "
                "above 0: non_saturating, minimax or hinge. "
                f"Received: augment={augment}, loss={self.loss_pair.name!r}."
            )
        self.penalties = penalties
        self.projected = projected
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
        # Of the logits of real and of generated images.
        self.lecam_averages = ()
        if lecam_weight:
            self.lecam_averages = tuple(map(self._number, ("lecam_real", "lecam_fake")))
        self.lecam = LeCam(lecam_weight, self.lecam_averages) if lecam_weight else None
        self.terms = tuple(terms)
        self.objective = objective_of(self, terms)
        self.built = True

    def _number(self, name: str) -> keras.Variable:
        """A scalar that belongs to the state."""
        return self.add_weight(
            shape=(), initializer="zeros", trainable=False, name=name, aggregation="mean"
        )

    # ---- Keras interface ---------------------------------------------------------------------

    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | str | None = None,
        d_optimizer: keras.optimizers.Optimizer | str | None = None,
        *,
        optimizer: keras.optimizers.Optimizer | str | None = None,
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Sets the optimisers and builds their state.

        Args:
            g_optimizer, d_optimizer: Keras optimisers or their names. Default: Adam 2e-4,
                (0.5, 0.999).
            optimizer: of both networks, each of which gets its own.
            jit_compile: XLA. `"auto"` means off for TensorFlow on a CPU, where it is several
                times slower than plain graphs for convolutions, and on elsewhere.
            **kwargs: as for `keras.Model.compile`, but for losses, metrics and weights of them.

        Raises:
            ValueError: for `optimizer` beside one of the others, or for a loss or metrics.
        """
        if refused := sorted({"loss", "loss_weights", "metrics", "weighted_metrics"} & set(kwargs)):
            raise ValueError(
                "A GAN has the losses that it was made with, and tfanime.evaluate measures it. "
                f"Received: {', '.join(refused)}. Leave it out."
            )
        if optimizer is not None:
            if g_optimizer is not None or d_optimizer is not None:
                raise ValueError(
                    "optimizer is that of both networks. Received: g_optimizer or d_optimizer "
                    "beside it. Choose one way."
                )
            g_optimizer, d_optimizer = optimizer, _another(optimizer)
        if jit_compile == "auto":
            jit_compile = backend.has_accelerator() or keras.backend.backend() == "jax"
        default = {"learning_rate": 2e-4, "beta_1": 0.5}
        self.g_optimizer = keras.optimizers.get(g_optimizer or keras.optimizers.Adam(**default))
        self.d_optimizer = keras.optimizers.get(d_optimizer or keras.optimizers.Adam(**default))
        super().compile(optimizer=self.g_optimizer, jit_compile=jit_compile, **kwargs)
        # Unbuilt optimisers have no state to restore a checkpoint into.
        self.g_optimizer.build(self.generator_variables)
        self.d_optimizer.build(self.discriminator_variables)

    def fit(self, x: Any = None, *arguments: Any, **options: Any) -> keras.callbacks.History:
        """Keras's `fit`, with TensorFlow.

        Raises:
            ValueError: for images that are not float32 in [-1, 1], or `validation_data`.
        """
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "A GAN's fit needs KERAS_BACKEND=tensorflow. Received: "
                f"{keras.backend.backend()}. Use tfanime.train, which takes a compiled GAN too."
            )
        if options.get("validation_data") is not None or options.get("validation_split"):
            raise ValueError(
                "A GAN has no loss that says how good it is. Received: validation data. Measure "
                "with tfanime.evaluate(gan, data), or train with tfanime.train(evaluate_every=...)."
            )
        return super().fit(saving.with_checked_range(x), *arguments, **options)

    def evaluate(self, *arguments: Any, **options: Any) -> NoReturn:
        """Refused: see `tfanime.evaluate`."""
        raise ValueError(
            "A GAN has no loss that says how good it is. Received: evaluate. Measure with "
            "tfanime.evaluate(gan, data)."
        )

    def get_config(self) -> dict:
        """See `gans.saving`."""
        return saving.config_of(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects: Mapping | None = None) -> GAN:
        """The GAN that `get_config` described, with fresh weights."""
        gan = cls.__new__(cls)
        GAN.__init__(gan, **saving.arguments_of(config))
        return gan

    def get_compile_config(self) -> dict:
        optimizers = {"g_optimizer": self.g_optimizer, "d_optimizer": self.d_optimizer}
        named = {name: keras.saving.serialize_keras_object(x) for name, x in optimizers.items()}
        return {**named, "jit_compile": self.jit_compile}

    def compile_from_config(self, config: dict) -> None:
        optimizers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("g_optimizer", "d_optimizer")
        }
        # XLA pays on the machine it was chosen on; here it is chosen anew.
        self.compile(**optimizers)

    @property
    def generator_variables(self) -> list:
        return self.generator.trainable_variables

    @property
    def discriminator_variables(self) -> list:
        """Trained by the discriminator's optimiser: both discriminators and the head."""
        parts = [self.discriminator, self.head, self.projected]
        return [v for part in parts if part is not None for v in part.trainable_variables]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Draws images with the averaged generator."""
        return self.ema_generator(inputs, training=False)


def _another(
    optimizer: keras.optimizers.Optimizer | str,
) -> keras.optimizers.Optimizer | str:
    """An optimiser like this one: each network has one of its own."""
    if isinstance(optimizer, str):
        return optimizer
    return optimizer.__class__.from_config(optimizer.get_config())
