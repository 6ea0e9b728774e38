"""`train_tagger`: labelled faces -> a folder with a tagger, its thresholds and its figures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tfanime.core import bounds
from tfanime.core.files import atomic_path, read_json, write_json
from tfanime.core.labels import FACES
from tfanime.frozen import lite0
from tfanime.frozen.compact import pack_again, round_kernels
from tfanime.models import tagger as models
from tfanime.prepare.load import load_data
from tfanime.tagging import calibration
from tfanime.tagging.distortions import distorted
from tfanime.tagging.faces import (
    Faces,
    in_schema,
    pooled,
    repeats,
    shares,
    split,
    targets_of,
)
from tfanime.tagging.figures import ALL, FIGURES, figures_of
from tfanime.tagging.load import load_tagger
from tfanime.tagging.tagger import LABELS, WEIGHTS, Tagger, probabilities_of

PROGRESS = ".progress"  # folder of what a stopped training goes on from
SMALL = 96  # pixels of the faces for most of the training, which is faster
BATCH = 64
DECAY, AVERAGED = 0.01, 0.998
WARM = 0.05  # share of the steps in which the rate rises


def train_tagger(
    data: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    *,
    extra: Sequence[str | os.PathLike] = (),
    group: str | None = None,
    start: str | os.PathLike | None = None,
    drawn: int = 1000,
    drawn_epochs: int = 1,
    epochs: int = 16,
    large_epochs: int = 2,
    rate: float = 1e-3,
    seed: int = 0,
    progress: bool = True,
) -> Tagger:
    """Trains a tagger: on built-in faces, then on labelled ones, small and then at full size.

    It begins with the weights of EfficientNet-Lite0, `frozen.lite0`. Stopped, the same call goes on
    from the last epoch.

    Args:
        data: packed sets with labels by eye. Of each, 70 % is trained on, 15 % decides about
            calibration and thresholds, 15 % is kept for the figures; see `faces.split`.
        out: folder to write: `tagger.keras`, `labels.json`, `figures.json`.
        extra: packed sets whose labels are less certain; all of them is trained on but the near
            duplicates of faces of the other parts.
        group: a label whose equal values stay in one part, a character for example.
        start: a folder that `train_tagger` wrote, to go on from; a tenth of the rate then suits it.
        drawn: built-in faces, shown alone for `drawn_epochs` first, and with the others then.
        drawn_epochs, epochs, large_epochs: passes through the faces.
        rate: of AdamW, at its highest.
        seed: of order and distortions.
        progress: show a progress bar.

    Raises:
        ValueError: for a set without labels.
        ImportError: without the extra `features`.
    """
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("float32")
    try:
        return _train(
            data,
            Path(out),
            extra,
            group,
            start,
            drawn,
            (drawn_epochs, epochs, large_epochs),
            rate,
            seed,
            progress,
        )
    finally:
        keras.mixed_precision.set_global_policy(before)


def _train(data, out: Path, extra, group, start, drawn, epochs, rate, seed, progress) -> Tagger:
    labelled = [Faces.read(folder, models.SIZE, group) for folder in data]
    uncertain = [Faces.read(folder, models.SIZE) for folder in extra]
    parts = split([*labelled, *uncertain])
    images, labels = pooled([*labelled, *uncertain], parts, "train")
    keras.utils.set_random_seed(seed)
    rows = np.repeat(np.arange(len(labels)), repeats(labels))
    x, y = images, targets_of(labels)
    stages = Stages(out / PROGRESS, progress)
    if start is not None:
        # Its batch norm is in the convolutions, and stays there.
        model = bounds.load_network(Path(start) / WEIGHTS)
        stages.weights, stages.batch_norm = model.get_weights(), False
    if drawn:
        built_in = load_data("drawn", models.SIZE, count=drawn, progress=progress)
        targets = targets_of(in_schema(built_in.labels(), built_in.schema))
        stages.fit("drawn", built_in.images(), targets, np.arange(drawn), SMALL, epochs[0], rate)
        rows = np.concatenate([rows, len(x) + np.arange(drawn)])
        x, y = np.concatenate([x, built_in.images()]), np.concatenate([y, targets])
    stages.fit("small", x, y, rows, SMALL, epochs[1], rate)
    stages.fit("large", x, y, rows, models.SIZE, epochs[2], rate / 3)
    network = stages.plain()
    validation, truth = pooled(labelled, parts, "validation")
    thresholds = _calibrate(network, validation, truth)
    out.mkdir(parents=True, exist_ok=True)
    round_kernels(network)
    with atomic_path(out / WEIGHTS) as temporary:
        network.save(temporary)
    pack_again(out / WEIGHTS)
    write_json(out / LABELS, {**FACES.to_json(), "thresholds": thresholds})
    trained = load_tagger(out)
    report = {
        "sets": _figures(trained, labelled, parts, "test"),
        "validation": _figures(trained, labelled, parts, "validation"),
        "training": {
            "faces": {
                f.name: np.bincount(p, minlength=3).tolist()
                for f, p in zip([*labelled, *uncertain], parts, strict=True)
            },
            "shares": shares(labels),
            "drawn": drawn,
            "epochs": list(epochs),
            "started from": None if start is None else figures_of_training(start),
            "rate": rate,
            "seed": seed,
            "sha256": {f.name: f.sha256 for f in [*labelled, *uncertain]},
            "weights": network.count_params(),
        },
    }
    write_json(out / FIGURES, report)
    shutil.rmtree(out / PROGRESS, ignore_errors=True)
    return trained


def figures_of_training(folder: str | os.PathLike) -> dict:
    """How a tagger was trained."""
    return read_json(Path(folder) / FIGURES)["training"]


def _network(size: int, weights: list[np.ndarray] | None, batch_norm: bool) -> keras.Model:
    network = models.network(lite0.maps(size, size, batch_norm=batch_norm), FACES.size)
    if weights is not None:
        network.set_weights(weights)
    return network


class Stages:
    """Trains in stages, each from what the one before left.

    Args:
        folder: where each stage keeps its last epoch, to go on from.
        progress: show progress bars.
    """

    def __init__(self, folder: Path, progress: bool):
        self.folder, self.progress = folder, progress
        self.weights: list[np.ndarray] | None = None
        self.batch_norm = True

    def fit(self, name: str, images, targets, rows, size: int, epochs: int, rate: float) -> None:
        """Trains on `rows` of the faces at one size; `weights` are then the running mean's."""
        network = _network(size, self.weights, self.batch_norm)
        if epochs:
            steps = max(1, len(rows) // BATCH) * epochs
            network.compile(
                _optimizer(rate, steps), loss=partial(models.loss, FACES), jit_compile=False
            )
            # Or its variables are made in the first trace of a step, which is then traced again.
            network.optimizer.build(network.trainable_variables)
            backup = keras.callbacks.BackupAndRestore(self.folder / name, delete_checkpoint=False)
            network.fit(
                _batches(images, targets, rows, size),
                epochs=epochs,
                shuffle=False,  # done already
                verbose=2 if self.progress else 0,
                callbacks=[backup],
            )
        self.weights = network.get_weights()

    def plain(self) -> keras.Model:
        """The network at full size, with batch norm in its convolutions."""
        trained = _network(models.SIZE, self.weights, self.batch_norm)
        if not self.batch_norm:
            return trained
        network = _network(models.SIZE, None, False)
        lite0.without_batch_norm(trained, network)
        return network


def _optimizer(rate: float, steps: int) -> keras.optimizers.Optimizer:
    warm = int(steps * WARM) + 1
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm), warmup_target=rate, warmup_steps=warm
    )
    # fit leaves the running mean in the weights.
    return keras.optimizers.AdamW(
        schedule, weight_decay=DECAY, clipnorm=1.0, use_ema=True, ema_momentum=AVERAGED
    )


def _batches(images, targets, rows, size: int) -> tf.data.Dataset:
    def read(indices):
        return images[indices], targets[indices]

    def batch(indices):
        x, y = tf.numpy_function(read, [indices], [tf.uint8, tf.float32])
        x = tf.ensure_shape(x, (BATCH, *images.shape[1:]))
        return distorted(x, size), tf.ensure_shape(y, (BATCH, targets.shape[1]))

    order = tf.data.Dataset.from_tensor_slices(rows).shuffle(len(rows), seed=0)
    return order.batch(BATCH, drop_remainder=True).map(batch, num_parallel_calls=2).prefetch(4)


def _calibrate(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Makes the probabilities true on average, by the last layer's weights; returns thresholds."""
    logits = predict(network, images)
    scale, offset = calibration.fitted(logits, labels)
    last = network.get_layer("logits")
    kernel, bias = last.get_weights()
    last.set_weights([kernel * scale, bias * scale + offset])
    probabilities = probabilities_of(logits * scale + offset, FACES)
    thresholds = {}
    for field in FACES.fields:
        if field.kind == "flag":
            column = FACES.slices()[field.name].start
            labelled = ~np.isnan(labels[:, column])
            threshold = calibration.best_threshold(
                probabilities[labelled, column], labels[labelled, column] > 0.5
            )
            thresholds[field.name] = round(threshold, 4)
    return thresholds


def predict(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Logits `(n, L)` of `(n, S, S, 3)` uint8."""
    parts = []
    for i in range(0, len(images), BATCH):
        x = images[i : i + BATCH].astype(np.float32) / 127.5 - 1
        parts.append(network(x, training=False).numpy())
    return np.concatenate(parts)


def _figures(trained: Tagger, sets, parts, part: str) -> dict:
    each = {}
    for faces, numbers in zip(sets, parts, strict=False):
        images, labels = pooled([faces], [numbers], part)
        each[faces.name] = figures_of(trained, images, labels)
    images, labels = pooled(sets, parts[: len(sets)], part)
    return {ALL: figures_of(trained, images, labels), **each}
