"""`train_encoder`: a small network that tells the latent and the labels of an image."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime import zoo
from tfanime.core import bounds
from tfanime.core.bars import progress_bar
from tfanime.core.files import atomic_path, write_json
from tfanime.core.images import to_float, to_uint8
from tfanime.data.packed import PackedDataset
from tfanime.editing.distance import feature_network, mean_squares
from tfanime.sampling.generate import loaded
from tfanime.sampling.sampler import Sampler
from tfanime.tagging import Tagger, load_tagger
from tfanime.zoo.directions import weights_digest
from tfanime.zoo.encoder import DESCRIPTION, NETWORK, Encoder, load_encoder
from tfanime.zoo.saved import Generator

if TYPE_CHECKING:
    import tensorflow as tf

MINUTES = 20.0
POOL, FRESH = 1024, 4  # draws that are kept, and those that each step replaces
BATCH, REAL = 24, 8  # draws, and images of people, that a step encodes
DRAWN = 4  # of these, those that are drawn again: the generator costs ten times as much
RATE, DECAY, AVERAGED, WARM = 2e-3, 1e-4, 0.99, 0.05
LABELS, IMAGES, LIKELY = 0.5, 0.5, 0.1  # weights beside that of latents, 1


def train_encoder(
    run: str | os.PathLike,
    data: object = None,
    minutes: float | None = None,
    steps: int | None = None,
    start: str | os.PathLike | None = None,
    tagger: str | os.PathLike | Tagger | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Encoder:
    """Trains the encoder of a saved generator, and stores it beside the weights.

    It learns from what the generator draws, of which latents and labels are known, made noisy,
    blurred and a little off in place and colour; and, through the generator, from how near its
    answers draw to their images by pixels and features (as `invert` measures them). Images of
    people have no latents: they take part in the second, with their labels.

    Args:
        run: a run folder, or the name of a model that ships.
        data: images like those that will be encoded, a dataset or as for `load_data`: those that
            the generator has learnt from will do. What they are not labelled with, the tagger
            reads. None: the generator's own images alone.
        minutes, steps: when to stop; steps give the same encoder again, on the same machine.
            Neither: 20 minutes.
        start: a folder with an encoder to go on from, such as that of the same generator before it
            was trained further. None: from nothing.
        tagger: as in `tfanime.tagging.load_tagger`.
        seed: of the draws.
        progress: show a progress bar.

    Returns:
        The encoder.

    Raises:
        ValueError: for a budget that is none, or a model that draws from texts.

    Example:
        >>> train_encoder("runs/girls", data="packed/", minutes=20)  # doctest: +SKIP
    """
    budget = _Budget(minutes, steps)
    generator = loaded(run)
    folder = generator.folder
    if not isinstance(folder, Path):
        raise ValueError(
            "An encoder stands beside a model's weights. Received: a loaded generator of no folder."
        )
    if generator.schema is not None and generator.schema.vector_size:
        raise ValueError(
            "An encoder reads attributes off an image, and no texts. Received: "
            f"{generator.name!r}, which is conditioned on texts."
        )
    weights = weights_digest(folder)  # which a training may replace in the meantime
    real = None if data is None else _Real(data, generator, tagger, seed)
    start = None if start is None else zoo.locate(start)
    training = _Training(generator, real, seed, start)
    before = None if start is None else bounds.read_object(start / DESCRIPTION).get("trained")
    network, figures = training.fit(budget, progress)
    pictures = 0 if real is None else len(real)
    trained: dict[str, Any] = {"steps": budget.done, "seed": seed, "pictures": pictures}
    if start is not None:
        trained["before"] = before
    store_encoder(folder, network, trained | figures, weights)
    return load_encoder(folder, generator)


def store_encoder(
    folder: str | os.PathLike, model: Any, trained: Mapping[str, object], weights: str | None = None
) -> Path:
    """Writes `encoder.keras` and `encoder.json` beside a generator's weights.

    Args:
        folder: of the saved generator.
        model: of `tfanime.models.encoder`. Its kernels are rounded to what float16 holds.
        trained: how it was made, as JSON has it.
        weights: `weights_digest` of those that it was made for; None: those that are there.
    """
    from tfanime.frozen.compact import pack_again, round_kernels

    folder = Path(folder)
    round_kernels(model)
    with atomic_path(folder / NETWORK) as temporary:
        model.save(temporary)
    pack_again(folder / NETWORK)
    record = {"weights": weights or weights_digest(folder), "trained": dict(trained)}
    write_json(folder / DESCRIPTION, record)
    return folder / NETWORK


class _Budget:
    """Which part of a training is done: of its steps, or of its minutes."""

    def __init__(self, minutes: float | None, steps: int | None):
        if minutes is not None and steps is not None:
            raise ValueError("An encoder trains for some minutes or some steps. Received: both.")
        if steps is None:
            minutes = MINUTES if minutes is None else minutes
        for name, value in (("minutes", minutes), ("steps", steps)):
            if value is not None and (isinstance(value, bool) or not 0 < value < math.inf):
                raise ValueError(f"{name} is a number above 0. Received: {value!r}.")
        self.minutes, self.steps = minutes, steps
        self.done, self.began = 0, time.monotonic()

    def begin(self) -> None:
        self.began = time.monotonic()

    @property
    def part(self) -> float:
        """0 to 1, of what is done."""
        if self.steps is not None:
            return min(1.0, self.done / self.steps)
        return min(1.0, (time.monotonic() - self.began) / (60 * (self.minutes or MINUTES)))


class _Real:
    """Images that people bring, at the generator's size, and their labels."""

    def __init__(self, data: Any, generator: Generator, tagger: Any, seed: int):
        from tfanime.prepare.load import load_data

        size = (generator.height, generator.width)
        dataset = data if isinstance(data, PackedDataset) else load_data(data, size)
        self.images, schema = dataset.images(), generator.schema
        if self.images.shape[1:3] != size:
            raise ValueError(
                f"An encoder of {generator.name!r} learns from images of {size[1]}x{size[0]}. "
                f"Received: {self.images.shape[2]}x{self.images.shape[1]}. Pack them at that size."
            )
        none: np.ndarray = np.zeros((len(self.images), 0), np.float32)
        self.rows = self.labels = none
        if schema is None:
            return
        self.rows = np.full((len(self.images), schema.size), np.nan, np.float32)
        if dataset.schema is not None:
            self.rows = schema.convert(dataset.labels(), dataset.schema)
        if (unlabelled := np.isnan(self.rows).all(axis=0)).any():
            tagger = tagger if isinstance(tagger, Tagger) else load_tagger(tagger)
            estimates = schema.convert(tagger.labels(self.images), tagger.schema)
            self.rows = np.where(unlabelled, estimates, self.rows)
        # What nobody knows is drawn by chance, and not learnt.
        labels = Sampler(generator).labels(seed, len(self.rows), rows=self.rows)
        assert labels is not None  # there is a schema
        self.labels = labels

    def __len__(self) -> int:
        return len(self.images)

    def some(self, random: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        """Images `(n, H, W, 3)` uint8, half of them mirrored, labels `(n, L)` to draw them with,
        and the same with NaN where they are not known."""
        indices = random.integers(len(self.images), size=n)
        images = self.images[indices]
        mirrored = random.random(n) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
        return images, self.labels[indices], self.rows[indices]


class _Draws:
    """The generator's own images, of which some are replaced by new ones at every step."""

    def __init__(self, sampler: Sampler, seed: int):
        self.sampler, self.seed, self.next = sampler, seed, 0
        self.images, self.latents, self.labels = self._draw(POOL)

    def _draw(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        z = self.sampler.latents(self.seed, n, self.next)
        labels = self.sampler.labels(self.seed, n, first=self.next)
        self.next += n
        rows = np.zeros((n, 0), np.float32) if labels is None else labels
        return to_uint8(self.sampler.values(z, labels=labels)), z, rows

    def renew(self) -> None:
        at = (self.next + np.arange(FRESH)) % POOL
        for part, fresh in zip(self._parts, self._draw(FRESH), strict=True):
            part[at] = fresh

    def some(self, random: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
        indices = random.integers(POOL, size=n)
        return tuple(part[indices] for part in self._parts)

    @property
    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.images, self.latents, self.labels


class _Training:
    """The encoder, and what one step of its training does."""

    def __init__(
        self, generator: Generator, real: _Real | None, seed: int, start: Path | None = None
    ):
        import keras

        from tfanime.editing.descent import check_backend
        from tfanime.models import encoder

        check_backend()
        keras.utils.set_random_seed(seed)
        self.generator, self.real, self.seed = generator, real, seed
        self.size, self.dim = (generator.height, generator.width), generator.latent_dim
        labels = 0 if generator.schema is None else generator.schema.size
        self.network = encoder.network(*self.size, self.dim, labels)
        if start is not None:
            self._go_on_from(start)
        self.optimizer = keras.optimizers.AdamW(
            RATE, weight_decay=DECAY, clipnorm=1.0, use_ema=True, ema_momentum=AVERAGED
        )
        self.optimizer.build(self.network.trainable_variables)
        self.step = self._step()

    def fit(self, budget: _Budget, progress: bool) -> tuple[Any, dict[str, float]]:
        """The trained network, and the means of its losses over the last tenth."""
        random = np.random.default_rng(self.seed)
        draws = _Draws(Sampler(self.generator), self.seed)
        budget.begin()
        last: list[np.ndarray] = []
        with progress_bar(total=1000, unit="‰", disable=not progress) as bar:
            while (part := budget.part) < 1:
                warm = min(1.0, part / WARM)
                self.optimizer.learning_rate = RATE * warm * (1 + math.cos(math.pi * part)) / 2
                losses = self.step(*self._batch(draws, random))
                draws.renew()
                budget.done += 1
                last = [*last, losses.numpy()][-max(1, budget.done // 10) :]
                bar.update(int(1000 * budget.part) - bar.n)
        self.optimizer.finalize_variable_values(self.network.trainable_variables)
        names = ("latents", "labels", "pixels", "features")
        means = np.mean(last, axis=0)
        figures = {name: round(float(x), 4) for name, x in zip(names, means, strict=True)}
        return self.network, figures

    def _go_on_from(self, folder: Path) -> None:
        weights = bounds.load_network(folder / NETWORK).get_weights()
        own = self.network.get_weights()
        if [w.shape for w in weights] != [w.shape for w in own]:
            raise ValueError(
                "An encoder goes on from one of the same shape. Received: "
                f"{str(folder / NETWORK)!r}, which is of another generator than "
                f"{self.generator.name!r}."
            )
        self.network.set_weights(weights)

    def _batch(self, draws: _Draws, random: np.random.Generator) -> tuple[np.ndarray, ...]:
        images, latents, labels = draws.some(random, BATCH)
        targets = labels
        if self.real is not None:
            parts = zip(self.real.some(random, REAL), (images, labels, targets), strict=True)
            images, labels, targets = (np.concatenate(both) for both in parts)
        return to_float(images), latents, labels.astype(np.float32), targets.astype(np.float32)

    def _step(self) -> Callable[..., tf.Tensor]:
        import tensorflow as tf

        from tfanime.editing.encoder_loss import label_loss, latent_loss, worn

        network, dim, model = self.network, self.dim, self.generator.model
        schema, features = self.generator.schema, feature_network("tagger", *self.size)
        real = 0 if self.real is None else REAL
        # Half of what is drawn again is real, if there is such.
        first = max(0, real - DRAWN // 2)

        @tf.function(jit_compile=False)
        def step(
            pictures: tf.Tensor, latents: tf.Tensor, labels: tf.Tensor, targets: tf.Tensor
        ) -> tf.Tensor:
            clean = pictures[first : first + DRAWN]
            inputs = worn(pictures)
            with tf.GradientTape() as tape:
                outputs = network(inputs, training=True)
                z, logits = outputs[:, :dim], outputs[:, dim:]
                some = z[first : first + DRAWN]
                signed = 2 * labels[first : first + DRAWN] - 1
                images = model([some, signed] if schema is not None else some, training=False)
                pixels = tf.reduce_mean(tf.square(images - clean))
                far = tf.reduce_mean(mean_squares(features(images), features(clean)))
                length = tf.reduce_mean(tf.square(some), axis=1)
                # Longer than any that was drawn is not likely; shorter is an average face.
                likely = tf.reduce_mean(tf.square(tf.nn.relu(length - 1)))
                parts = latent_loss(latents, z[real:]), label_loss(schema, targets, logits)
                total = parts[0] + LABELS * parts[1] + IMAGES * (pixels + far) + LIKELY * likely
            gradient = tape.gradient(total, network.trainable_variables)
            self.optimizer.apply_gradients(zip(gradient, network.trainable_variables, strict=True))
            return tf.stack([*parts, pixels, far])

        return step
