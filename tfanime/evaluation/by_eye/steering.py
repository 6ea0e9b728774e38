"""Steering learnt from what a judge saw: latents whose images would break are led elsewhere.

Some hundred judged images are too few to find a direction among 128 latents. So it goes in two
steps: features of frozen networks learn from the judged images to tell broken ones, and a linear
score of latents and labels learns from thousands of draws to say what they would.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime import zoo
from tfanime.core import seeds
from tfanime.editing.attributes import ridge
from tfanime.evaluation.by_eye.blind_sheets import digest
from tfanime.evaluation.by_eye.form import read_form, read_key
from tfanime.evaluation.by_eye.questions import BROKEN, FORM
from tfanime.frozen.compact import pack_again
from tfanime.metrics.features import extract, load_extractor
from tfanime.models.steering import steered
from tfanime.sampling.generate import generate
from tfanime.sampling.sampler import Sampler
from tfanime.sampling.upscale import NONE
from tfanime.zoo.saved import WEIGHTS, load_generator, save_generator, store_upscaler

LEAST = 20  # judged images of either kind
FOLDS = 10
COMPONENTS, RIDGE = 60, 100.0  # of the features; the ridge is in judged images
TOLD = 0.6  # least probability of telling a broken image from a whole one


@dataclass(frozen=True)
class Steering:
    """What was learnt.

    Args:
        judged: images.
        broken: share of them.
        told: how well the networks' features tell broken images that they have not learnt from:
            the probability, 0.5 to 1, that a broken one scores above a whole one (ROC AUC).
        fit: correlation of that score with the linear one of latents and labels, on draws kept
            aside.
    """

    judged: int
    broken: float
    told: float
    fit: float


def steer(
    folder: str | os.PathLike,
    out: str | os.PathLike,
    model: str | None = None,
    form: str | os.PathLike | None = None,
    features: Sequence[str] = ("tagger",),
    draws: int = 6000,
    share: float = 0.85,
    depth: float = 0.3,
    seed: int = 1,
    progress: bool = False,
) -> Steering:
    """Saves a judged model with steering in front, see `tfanime.models.steering`.

    Args:
        folder: what `sheets` wrote, its form filled.
        out: a new folder for `generator.keras` and `generator.json`.
        model: which of the judged models, as it was named; None where there is one only.
        form: the filled form; default: `form.csv` of the folder.
        features: extractors (`tfanime.metrics.load_extractor`) that learn what is broken.
        draws: images that the linear score learns from, at least 1,000.
        share: of the draws, 0 to 1, that are led across the plane: the plane lies so.
        depth: how far behind the plane a latent ends, see `tfanime.models.steering`.
        seed: of these draws.
        progress: show progress bars.

    Raises:
        ValueError: for a folder or form as `score` refuses them, a model that was not judged or
            whose weights are others now, fewer than 20 images of a kind, a number out of range, or
            judged images that the features cannot tell apart.
    """
    out = Path(out)
    if out.exists():
        raise ValueError(
            f"A steered model gets a folder of its own. Received: {str(out)!r}, which exists."
        )
    if draws < 1000 or not 0 <= share <= 1 or not 0 <= depth <= 2:
        raise ValueError(
            "Steering learns from 1,000 draws or more, and leads a share from 0 to 1 "
            f"of them to a depth from 0 to 2. Received: {draws:,} draws, a share of {share:g}, a "
            f"depth of {depth:g}."
        )
    key = read_key(Path(folder))
    model = _judged_model(model, key)
    answers = read_form(Path(form) if form else Path(folder) / FORM, key)
    entries = [entry for entry in key["images"] if entry["model"] == model]
    broken = np.array(
        [bool(set(answers[e["sheet"], e["n"]]["flags"]) & set(BROKEN)) for e in entries], float
    )
    if min(broken.sum(), len(broken) - broken.sum()) < LEAST:
        raise ValueError(
            f"Steering learns from {LEAST} broken images or more, and as many whole ones. "
            f"Received: {broken.sum():.0f} broken of {len(broken)}. Judge more: "
            "`tfanime judge sheets --n`."
        )
    generator = load_generator(zoo.locate(model))
    extractors = [load_extractor(name) for name in features]
    images = _drawn(generator, entries, key["protocol"]["truncation"])
    seen = _Components([extract(images, one) for one in extractors])
    told = _told(seen.first, broken)
    if told < TOLD:
        raise ValueError(
            f"Features of {', '.join(features)} tell a broken image from a whole one with a "
            f"probability of {told:.2f}; steering takes {TOLD} or more. Judge more images, or take "
            "other --features."
        )
    sampler = Sampler(generator)
    latents, *labels = sampler.inputs(seeds.check_seed(seed), draws)
    stretches = sampler.stretches(latents, labels[0] if labels else None, progress)
    values = [seen([extract(part, one) for one in extractors]) for part in stretches]
    said = _regression(seen.first, broken)(np.concatenate(values))
    rows = labels[0] if labels else np.zeros((draws, 0), np.float32)
    u, v, fit = _linear(latents, rows, said)
    plane = float(np.quantile(latents @ u + rows @ v, 1 - share))
    out.mkdir(parents=True)
    network = steered(generator.model, u, v, -plane, depth)
    save_generator(out, network, generator.schema, generator.name)
    pack_again(out / WEIGHTS)
    store_upscaler(out, generator.upscaler)
    return Steering(len(broken), float(broken.mean()), told, fit)


def _judged_model(model: str | None, key: dict) -> str:
    names = key["models"]
    if model is None and len(names) == 1:
        model = names[0]
    if model not in names:
        said = f"Received: {model!r}" if model else "Received: none named"
        raise ValueError(f"The judged models are {', '.join(names)}. {said}.")
    if digest(model) != key["protocol"]["weights"][model]:
        raise ValueError(
            f"Steering learns from images of the weights that it steers. Received: {model}, "
            "trained or steered since its images were judged."
        )
    return model


def _drawn(generator, entries: Sequence[dict], truncation: float) -> np.ndarray:
    """The judged images again, `(n, H, W, 3)` uint8."""
    counts: dict[int, tuple[dict, int]] = {}
    for e in entries:
        asked, count = counts.get(e["seed"], (e["asked"], 0))
        counts[e["seed"]] = (asked, max(count, e["index"] + 1))
    drawn = {
        seed: generate(generator, count, seed, asked, truncation, upscale=NONE).images
        for seed, (asked, count) in counts.items()
    }
    return np.stack([drawn[e["seed"]][e["index"]] for e in entries])


class _Components:
    """Principal components of several networks' features, each network weighing the same.

    Args:
        blocks: of each network the features `(n, d)` that the components are those of.

    Attributes:
        first: `(n, k)` float64, theirs, of variance 1.
    """

    def __init__(self, blocks: Sequence[np.ndarray]):
        self._means = [block.mean(axis=0, dtype=np.float64) for block in blocks]
        pairs = zip(blocks, self._means, strict=True)
        self._sizes = [float(np.linalg.norm(block - mean)) for block, mean in pairs]
        x = self._joined(blocks)
        k = min(COMPONENTS, len(x) // 5)
        values, vectors = np.linalg.eigh(x @ x.T)
        squares = np.maximum(values[::-1][:k], 1e-12)
        self._ways = x.T @ vectors[:, ::-1][:, :k] / squares * np.sqrt(len(x))
        self.first = x @ self._ways

    def __call__(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        """The components `(m, k)` of other images' features."""
        return self._joined(blocks) @ self._ways

    def _joined(self, blocks: Sequence[np.ndarray]) -> np.ndarray:
        triples = zip(blocks, self._means, self._sizes, strict=True)
        return np.concatenate([(block - mean) / size for block, mean, size in triples], axis=1)


def _linear(
    latents: np.ndarray, rows: np.ndarray, said: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """What latents `(n, dim)` and labels `(n, L)` say of a score `(n,)`: `(dim,)`, `(L,)`, and the
    correlation on every tenth draw, which was kept aside."""
    aside = np.arange(len(said)) % FOLDS == 0
    u, v, _ = ridge(latents[~aside], rows[~aside], said[~aside, None])
    u, v = u[:, 0], v[:, 0]
    return u, v, float(np.corrcoef(latents[aside] @ u + rows[aside] @ v, said[aside])[0, 1])


def _regression(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From components to a score of being broken, by ridge regression."""
    centre, middle = x.mean(axis=0), y.mean()
    square = (x - centre).T @ (x - centre) + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(square, (x - centre).T @ (y - middle))
    return lambda more: (more - centre) @ weights + middle


def _told(x: np.ndarray, broken: np.ndarray) -> float:
    """ROC AUC of scores of images that the regression for them has not seen."""
    fold = np.random.default_rng(0).permutation(len(x)) % FOLDS
    scores = np.empty(len(x))
    for i in range(FOLDS):
        scores[fold == i] = _regression(x[fold != i], broken[fold != i])(x[fold == i])
    ahead = scores[broken == 1][:, None] - scores[broken == 0][None]
    return float(np.mean((ahead > 0) + 0.5 * (ahead == 0)))
