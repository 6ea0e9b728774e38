"""Steering learnt from what a judge saw: latents whose images would break are led elsewhere.

A network that scores images (`brokenness`) is put behind a generator, two small layers
(`models.steering`) before it, and these alone are trained: images shall score as whole ones do, and
show what their labels ask for as far as the tagger sees it, while latents move as little as that
takes. The generator stays as it is, so its images stay what it has learnt to draw; a score that was
followed into the pixels would be fooled by them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.bars import progress_bar
from tfanime.core.files import read_json
from tfanime.core.labels import LabelSchema, to_signed
from tfanime.evaluation.by_eye import brokenness
from tfanime.evaluation.by_eye.form import read_key
from tfanime.evaluation.by_eye.questions import askable
from tfanime.frozen import load_frozen
from tfanime.frozen.compact import pack_again
from tfanime.gans.losses import label_loss
from tfanime.metrics.extractor_networks import float32
from tfanime.models.common import resized
from tfanime.models.steering import PLANES, STEERED, STEP, steered, unsteered
from tfanime.sampling.sampler import Sampler
from tfanime.tagging.tagger import LABELS
from tfanime.training.warm_start import save_start
from tfanime.zoo.saved import (
    WEIGHTS,
    Generator,
    load_generator,
    save_generator,
    store_steering,
    store_upscaler,
)

BATCH, RATE = 32, 5e-3
HIDDEN = 256  # planes
SHIFT = 10.0  # what moving all latents alike costs, beside what moving each costs
ASIDE = 20  # one image in so many is kept aside, to say what steering does


@dataclass(frozen=True)
class Steering:
    """What was learnt.

    Args:
        judged: images.
        broken: share of them.
        told: how well the networks' features tell broken images that they have not learnt from:
            the probability, 0.5 to 1, that a broken one scores above a whole one (ROC AUC).
        before, after: share of draws kept aside that score as broken, without steering and with it.
        moved: how far latents go, root mean square of a number; they are of variance 1.
    """

    judged: int
    broken: float
    told: float
    before: float
    after: float
    moved: float


@float32()
def steer(
    folders: str | os.PathLike | Sequence[str | os.PathLike],
    out: str | os.PathLike,
    model: str | os.PathLike | None = None,
    form: str | os.PathLike | None = None,
    features: Sequence[str] = ("tagger",),
    draws: int = 10_000,
    pull: float = 0.03,
    obey: float = 0.1,
    seed: int = 1,
    progress: bool = False,
) -> Steering:
    """Saves a model with steering in front, see `tfanime.models.steering`.

    Args:
        folders: what `sheets` wrote, one or several, their forms filled.
        out: a new folder for `generator.keras` and `generator.json`, and for what `tfanime train
            --from` needs, if the model has it.
        model: what to steer, of the judged images' size: the judged model or a later one of its
            training; None where one model was judged.
        form: the filled form of the only folder; default: `form.csv` of each.
        features: frozen networks (as for `discriminator.features`) that learn what is broken.
        draws: images that steering is trained on, at least 1,000; half of them are asked for one
            attribute each.
        pull: what moving latents costs; more keeps images nearer to what they were.
        obey: weight of the tagger's reading of what is asked for; 0 leaves it out.
        seed: of the draws.
        progress: show progress bars.

    Raises:
        ValueError: for a folder or form as `score` refuses them, judged images that cannot be drawn
            again or told apart (`brokenness.learn`), a model that was not judged where several
            were, or a number out of range.
    """
    folders = brokenness.as_list(folders, form)
    out = Path(out)
    if out.exists():
        raise ValueError(
            f"A steered model gets a folder of its own. Received: {str(out)!r}, which exists."
        )
    if draws < 1000 or not pull > 0 or not obey >= 0:
        raise ValueError(
            "Steering learns from 1,000 draws or more, with a pull above 0 and obey of at least 0. "
            f"Received: {draws:,} draws, a pull of {pull:g}, obey of {obey:g}."
        )
    generator = load_generator(zoo.locate(model or only_model(folders)))
    seed = seeds.check_seed(seed)
    judge = brokenness.learn(folders, form, features)
    brokenness.check_size(judge, generator)
    inputs = drawn_inputs(generator, draws, seed)
    aside = np.arange(draws) % ASIDE == 0
    network = steered(generator.model, HIDDEN)
    _train(network, generator.schema, judge, [x[~aside] for x in inputs], pull, obey, progress)
    shares, moved = _effect(network, generator, judge, [x[aside] for x in inputs])
    for name in (PLANES, STEP):
        kernel = network.get_layer(name).kernel
        kernel.assign(ops.cast(ops.cast(kernel, "float16"), "float32"))
    out.mkdir(parents=True)
    save_generator(out, network, generator.schema, generator.name)
    pack_again(out / WEIGHTS)
    store_upscaler(out, generator.upscaler)
    obeyed = ("tagger",) if obey and _readable(generator.schema) else ()
    store_steering(out, tuple(dict.fromkeys((*features, *obeyed))))
    save_start(generator.folder, out, HIDDEN)
    return Steering(judge.judged, judge.broken, judge.told, *shares, moved)


def only_model(folders: Sequence[str | os.PathLike]) -> str:
    """The judged model of all folders, or ValueError if there are several."""
    names = sorted({name for folder in folders for name in read_key(Path(folder))["models"]})
    if len(names) > 1:
        raise ValueError(
            f"The judged models are {', '.join(names)}. Received: none named. Name the one that "
            "is meant: model= (--model)."
        )
    return names[0]


def drawn_inputs(generator: Generator, count: int, seed: int) -> list[np.ndarray]:
    """Latents and, if the network takes them, labels in -1/+1 coding: half as they come, half with
    one attribute asked for, each of them as often."""
    sampler = Sampler(generator)
    latents = sampler.latents(seed, count)
    if generator.schema is None:
        return [latents]
    labels = sampler.labels(seed, count)
    tag_sets = [*askable(generator.schema).values()]
    for i, tags in enumerate(tag_sets):
        rows = np.arange(count) % (2 * len(tag_sets)) == 2 * i
        labels[rows] = sampler.labels(seed, count, tags)[rows]
    return [latents, to_signed(labels)]


def _train(network, schema, judge, inputs, pull: float, obey: float, progress: bool) -> None:
    """Teaches the two layers; the others end as trainable as they were."""
    trainable = {layer.name: layer.trainable for layer in network.layers}
    for layer in network.layers:
        layer.trainable = layer.name in (PLANES, STEP)
    step = layers.Subtract()([network.get_layer(STEERED).output, network.inputs[0]])
    outputs = {"score": judge.network(network.output), "step": step}
    targets = {name: np.zeros((len(inputs[0]), 1), np.float32) for name in outputs}
    losses = {
        "score": lambda _, score: ops.relu(score - judge.whole),
        "step": lambda _, step: (
            pull * (ops.mean(ops.square(step)) + SHIFT * ops.mean(ops.square(ops.mean(step, 0))))
        ),
    }
    readable = _readable(schema) if obey else None
    if readable is not None:
        outputs["labels"] = _reader(network.output_shape[1:3], readable)(network.output)
        places = [schema.columns.index(column) for column in readable.columns]
        targets["labels"] = inputs[1][:, places]
        losses["labels"] = lambda asked, logits: obey * label_loss(logits, asked, readable)
    model = keras.Model(network.inputs, outputs)
    steps = -(-len(inputs[0]) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(keras.optimizers.Adam(rate, beta_1=0.5), losses, jit_compile=False)
    with progress_bar(total=steps, unit="step", disable=not progress) as bar:
        tell = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: bar.update(1))
        model.fit(inputs, targets, BATCH, callbacks=[tell], verbose=0)
    for layer in network.layers:
        layer.trainable = trainable[layer.name]


def _readable(schema: LabelSchema | None) -> LabelSchema | None:
    """The fields that the tagger that ships knows, with the same values."""
    if schema is None:
        return None
    theirs = {field.name: field.columns for field in _of_tagger().fields}
    names = [field.name for field in schema.fields if theirs.get(field.name) == field.columns]
    return schema.select(names)[0] if names else None


def _of_tagger() -> LabelSchema:
    return LabelSchema.from_json(read_json(zoo.path("tagger") / LABELS))


def _reader(size: tuple[int, int], readable: LabelSchema) -> keras.Model:
    """The tagger as a network from images in [-1, 1] to the logits of these labels."""
    tagger = load_frozen("tagger", *size)
    images = keras.Input((*size, 3))
    logits = tagger(resized(images, tagger.input_shape[1:3], ""))
    theirs = _of_tagger().columns
    columns = [theirs.index(column) for column in readable.columns]
    reader = keras.Model(images, ops.take(logits, columns, axis=-1))
    reader.trainable = False
    return reader


def _effect(network, generator: Generator, judge, inputs) -> tuple[tuple[float, float], float]:
    """Shares of images that score as broken, before and after, and how far latents moved."""
    shares = []
    for one in (unsteered(generator.model), network):
        scores = judge.network.predict(one.predict(inputs, BATCH, verbose=0), BATCH, verbose=0)
        shares.append(float(np.mean(scores > judge.border)))
    led = keras.Model(network.inputs, network.get_layer(STEERED).output)
    step = led.predict(inputs, BATCH, verbose=0) - inputs[0]
    return (shares[0], shares[1]), float(np.sqrt(np.mean(np.square(step))))
