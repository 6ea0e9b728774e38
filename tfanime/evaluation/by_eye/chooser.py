"""A chooser learnt from what a judge saw: a small network that tells broken images.

Some thousand judged images are too few to train a network on. So the regression on features of
large frozen networks that `brokenness` learns from them scores many images of the model, and the
small network learns these scores (distillation, Hinton et al. 2015,
https://arxiv.org/abs/1503.02531). It is small enough to run beside the generator in a browser.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import keras
import numpy as np

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.bars import progress_bar
from tfanime.core.images import to_float
from tfanime.evaluation.by_eye import brokenness
from tfanime.evaluation.by_eye.steering import drawn_inputs, only_model
from tfanime.frozen.compact import pack_again, round_kernels
from tfanime.metrics.extractor_networks import float32
from tfanime.models import encoder
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.chooser import NETWORK, save_chooser
from tfanime.zoo.directions import weights_digest
from tfanime.zoo.saved import Generator, load_generator

BATCH, RATE, EPOCHS = 32, 2e-3, 8
WIDTHS = (16, 32, 48, 64, 96)  # 0.1 million weights at 128 pixels
ASIDE = 10  # one image in so many is kept aside


@dataclass(frozen=True)
class Choosing:
    """What was learnt.

    Args:
        judged: images.
        broken: share of them.
        told: how well the large networks' features tell broken images that they have not learnt
            from: the probability, 0.5 to 1, that a broken one scores above a whole one (ROC AUC).
        followed: correlation of the small network's scores with theirs, on draws kept aside.
        told_judged: the same probability as `told`, of the small network on the judged images.
        kept: share of draws that are not rejected.
        before, after: share of draws kept aside that the large networks score as broken, of all
            and of those that are not rejected.
    """

    judged: int
    broken: float
    told: float
    followed: float
    told_judged: float
    kept: float
    before: float
    after: float


@float32()
def train_chooser(
    folders: str | os.PathLike | Sequence[str | os.PathLike],
    model: str | os.PathLike | None = None,
    form: str | os.PathLike | None = None,
    features: Sequence[str] = ("tagger",),
    draws: int = 20_000,
    keep: float = 0.65,
    seed: int = 2,
    progress: bool = False,
) -> Choosing:
    """Trains a model's chooser, and stores it in the model's folder.

    Args:
        folders: what `sheets` wrote, one or several, their forms filled.
        model: whose images it will look at, of the judged images' size: the judged model or a
            later one of its training; None where one model was judged.
        form: the filled form of the only folder; default: `form.csv` of each.
        features: frozen networks (as for `discriminator.features`) that learn what is broken.
        draws: images that it is trained on, at least 1,000; half of them are asked for one
            attribute each.
        keep: share of images that are not rejected, between 0 and 1.
        seed: of the draws.
        progress: show progress bars.

    Raises:
        ValueError: for a folder or form as `score` refuses them, judged images that cannot be drawn
            again or told apart (`brokenness.learn`), a model that was not judged where several
            were, or a number out of range.
    """
    folders = brokenness.as_list(folders, form)
    if draws < 1000 or not 0 < keep < 1:
        raise ValueError(
            "A chooser learns from 1,000 draws or more, and keeps a share between 0 and 1. "
            f"Received: {draws:,} draws, a share of {keep:g}."
        )
    folder = zoo.locate(model or only_model(folders))
    generator, seed = load_generator(folder), seeds.check_seed(seed)
    weights = weights_digest(folder)  # which a training may replace in the meantime
    judge = brokenness.learn(folders, form, features)
    brokenness.check_size(judge, generator)
    images, scores = _scored(generator, judge, draws, seed, progress)
    aside = np.arange(draws) % ASIDE == 0
    network = encoder.network(generator.height, generator.width, 1, 0, WIDTHS)
    _train(network, images[~aside], scores[~aside], seed, progress)
    round_kernels(network)
    found = network.predict(to_float(images[aside]), BATCH, verbose=0)[:, 0]
    border = float(np.quantile(found, keep))
    broken, kept = scores[aside] > judge.border, found <= border
    on_judged = network.predict(to_float(judge.images), BATCH, verbose=0)[:, 0]
    learnt = Choosing(
        judge.judged,
        judge.broken,
        judge.told,
        float(np.corrcoef(found, scores[aside])[0, 1]),
        brokenness.auc(on_judged, judge.answers),
        float(kept.mean()),
        float(broken.mean()),
        float(broken[kept].mean()),
    )
    save_chooser(folder, network, border, asdict(learnt) | {"features": list(features)}, weights)
    pack_again(folder / NETWORK)
    return learnt


def _scored(generator: Generator, judge, draws: int, seed: int, progress: bool):
    """Images `(draws, H, W, 3)` uint8, and what the large networks say of them, `(draws,)`."""
    images = np.empty((draws, generator.height, generator.width, 3), np.uint8)
    scores = np.empty(draws, np.float32)
    start = 0
    with progress_bar(total=draws, unit=" images", disable=not progress) as bar:
        for some in Sampler(generator).stretches(*drawn_inputs(generator, draws, seed)):
            end = start + len(some)
            images[start:end] = some
            scores[start:end] = judge.network.predict(to_float(some), BATCH, verbose=0)[:, 0]
            bar.update(len(some))
            start = end
    return images, scores


def _train(network: keras.Model, images, scores, seed: int, progress: bool) -> None:
    """Teaches it the scores; mirrored images score alike."""
    rng = np.random.default_rng(seed)
    steps = EPOCHS * (len(images) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    # Scores of variance 1 are what a dense layer's first values are made for.
    middle, spread = float(scores.mean()), float(scores.std())
    # The network itself is saved without an optimizer.
    learner = keras.Model(network.inputs, network.outputs)
    learner.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    with progress_bar(total=steps, unit="step", disable=not progress) as bar:
        for _ in range(EPOCHS):
            order = rng.permutation(len(images))
            for start in range(0, len(order) - BATCH + 1, BATCH):
                rows = order[start : start + BATCH]
                batch = images[rows]
                mirrored = rng.random(BATCH) < 0.5
                batch[mirrored] = batch[mirrored, :, ::-1]
                learner.train_on_batch(to_float(batch), (scores[rows] - middle) / spread)
                bar.update(1)
    last = network.layers[-1]
    kernel, bias = last.get_weights()
    last.set_weights([kernel * spread, bias * spread + middle])
