"""What a broken image looks like, learnt from filled forms: a network that scores images.

Some hundred judged images are too few to train a network, and enough for a regression on what
frozen networks see in them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers

from tfanime.core.images import to_float
from tfanime.evaluation.by_eye.blind_sheets import digest
from tfanime.evaluation.by_eye.form import read_form, read_key
from tfanime.evaluation.by_eye.questions import BROKEN, FORM
from tfanime.frozen import load_frozen
from tfanime.models.common import resized
from tfanime.sampling.generate import generate
from tfanime.sampling.upscale import NONE
from tfanime.zoo.saved import Generator, load_generator

LEAST = 20  # judged images of either kind
FOLDS = 10
COMPONENTS, RIDGE = 120, 100.0  # of the features, at most; the ridge is in judged images
TOLD = 0.6  # least probability of telling a broken image from a whole one
BATCH = 32


@dataclass(frozen=True)
class Brokenness:
    """What was learnt.

    Args:
        network: from images `(B, H, W, 3)` in [-1, 1] to `(B, 1)`: about the probability that a
            judge finds the image broken.
        judged: images.
        images: the judged ones, `(judged, H, W, 3)` uint8.
        answers: `(judged,)` float64, 1 for a broken one.
        broken: share of them.
        told: how well the score tells broken images that it has not learnt from: the probability,
            0.5 to 1, that a broken one scores above a whole one (ROC AUC).
        whole: median of the scores of whole images, each by a regression without it.
        border: the score above which as large a share of those lies as was judged broken.
    """

    network: keras.Model
    judged: int
    images: np.ndarray
    answers: np.ndarray
    broken: float
    told: float
    whole: float
    border: float


def learn(
    folders: Sequence[str | os.PathLike],
    form: str | os.PathLike | None,
    features: Sequence[str],
) -> Brokenness:
    """Learns from the images of judged folders, drawn again.

    Args:
        folders: what `sheets` wrote, their forms filled.
        form: the filled form of the only folder; None: `form.csv` of each.
        features: frozen networks by the names that `frozen.load_frozen` takes.

    Raises:
        ValueError: for a folder or form as `score` refuses them, a model whose weights are others
            now, images of several sizes, fewer than 20 of a kind, or features that cannot tell
            them apart.
    """
    images, broken = [], []
    for folder in map(Path, folders):
        key = read_key(folder)
        answers = read_form(Path(form) if form else folder / FORM, key)
        images += list(_drawn(key))
        flags = [answers[entry["sheet"], entry["n"]]["flags"] for entry in key["images"]]
        broken += [bool(set(one) & set(BROKEN)) for one in flags]
    sizes = sorted({image.shape[:2] for image in images})
    if len(sizes) > 1:
        sizes_text = ", ".join(f"{width}x{height}" for height, width in sizes)
        raise ValueError(
            f"Judged images that are learnt from have one size. Received: {sizes_text}."
        )
    judged = np.array(broken, float)
    if min(judged.sum(), len(judged) - judged.sum()) < LEAST:
        raise ValueError(
            f"Steering learns from {LEAST} broken images or more, and as many whole ones. "
            f"Received: {judged.sum():.0f} broken of {len(judged)}. Judge more: "
            "`tfanime judge sheets --n`."
        )
    extractors = [_features(name, *sizes[0]) for name in features]
    shown = np.stack(images)
    pixels = to_float(shown)
    blocks = [one.predict(pixels, batch_size=BATCH, verbose=0) for one in extractors]
    components = _Components(blocks)
    scores = _held_out(components.first, judged)
    told = auc(scores, judged)
    if told < TOLD:
        raise ValueError(
            f"Features of {', '.join(features)} tell a broken image from a whole one with a "
            f"probability of {told:.2f}; steering takes {TOLD} or more. Judge more images, or take "
            "other --features."
        )
    network = _scorer(extractors, components, judged)
    share = float(judged.mean())
    border, whole = np.quantile(scores, 1 - share), np.median(scores[judged == 0])
    return Brokenness(network, len(judged), shown, judged, share, told, float(whole), float(border))


def as_list(
    folders: str | os.PathLike | Sequence[str | os.PathLike], form: str | os.PathLike | None
) -> list[str | os.PathLike]:
    """Judged folders as a list, or ValueError for several with one form."""
    folders = [folders] if isinstance(folders, (str, os.PathLike)) else list(folders)
    if form is not None and len(folders) > 1:
        raise ValueError(f"A form is that of one folder. Received: {len(folders)} folders.")
    return folders


def check_size(judge: Brokenness, generator: Generator) -> None:
    """Raises ValueError for a generator that draws another size than the judged images have."""
    height, width = judge.images.shape[1:3]
    if (height, width) != (generator.height, generator.width):
        raise ValueError(
            f"The judged images are of {width}x{height}. Received: {generator.name!r}, which draws "
            f"{generator.width}x{generator.height}."
        )


def _drawn(key: dict) -> list[np.ndarray]:
    """The judged images again, in the order of the key, `(H, W, 3)` uint8 each."""
    draws: dict[tuple[str, int], tuple[dict, int]] = {}
    for e in key["images"]:
        tags, count = draws.get((e["model"], e["seed"]), (e["asked"], 0))
        draws[e["model"], e["seed"]] = tags, max(count, e["index"] + 1)
    truncation = key["protocol"]["truncation"]
    generators, images = {}, {}
    for (name, seed), (tags, count) in draws.items():
        if name not in generators:
            if digest(name) != key["protocol"]["weights"][name]:
                raise ValueError(
                    "Judged images are drawn again to be learnt from, by the weights that drew "
                    f"them. Received: {name}, trained or steered since. Keep a copy of a run's "
                    "generator.keras and generator.json, and judge that."
                )
            generators[name] = load_generator(name)
        # Each stands at its index, whether or not a chooser had found it.
        result = generate(
            generators[name], count, seed, tags, truncation, upscale=NONE, choose=False
        )
        images[name, seed] = result.images
    return [images[e["model"], e["seed"]][e["index"]] for e in key["images"]]


def _features(name: str, height: int, width: int) -> keras.Model:
    """From images in [-1, 1] to `(B, F)` float32: the means of a frozen network's maps, or what the
    last layer of a network with one output reads."""
    network = load_frozen(name, height, width)
    outputs = network.outputs
    if len(outputs) == 1:
        dense = [layer for layer in network.layers if isinstance(layer, layers.Dense)]
        outputs = [dense[-1].input] if dense else outputs
    reader = keras.Model(network.inputs, outputs, name="read")
    images = keras.Input((height, width, 3), name="pictures")
    maps = reader(resized(images, network.input_shape[1:3], ""))
    maps = maps if isinstance(maps, (list, tuple)) else [maps]
    pooled = [layers.GlobalAveragePooling2D()(x) if len(x.shape) == 4 else x for x in maps]
    joined = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    result = layers.Activation("linear", dtype="float32", name="features")(joined)
    return keras.Model(images, result)


class _Components:
    """Principal components of several networks' features, each network weighing the same.

    Args:
        blocks: of each network the features `(n, d)`.

    Attributes:
        first: `(n, k)` float64, of variance 1.
        kernel, bias: `(D, k)` and `(k,)`, from all features beside each other to components.
    """

    def __init__(self, blocks: Sequence[np.ndarray]):
        means = [block.mean(axis=0, dtype=np.float64) for block in blocks]
        pairs = list(zip(blocks, means, strict=True))
        sizes = [float(np.linalg.norm(block - mean)) for block, mean in pairs]
        scaled = [(b - m) / size for (b, m), size in zip(pairs, sizes, strict=True)]
        x = np.concatenate(scaled, axis=1)
        k = min(COMPONENTS, len(x) // 10)
        values, vectors = np.linalg.eigh(x @ x.T)
        squares = np.maximum(values[::-1][:k], 1e-12)
        ways = x.T @ vectors[:, ::-1][:, :k] / squares * np.sqrt(len(x))
        widths = [block.shape[1] for block in blocks]
        self.kernel = ways / np.repeat(sizes, widths)[:, None]
        self.bias = -np.concatenate(means) @ self.kernel
        self.first = x @ ways


def _scorer(extractors: Sequence[keras.Model], components: _Components, judged: np.ndarray):
    """The regression behind the frozen networks, as one network."""
    weights, middle = _regression(components.first, judged)
    images = keras.Input(extractors[0].input_shape[1:], name="pictures")
    features = [one(images) for one in extractors]
    joined = layers.Concatenate(dtype="float32")(features) if len(features) > 1 else features[0]
    last = layers.Dense(1, dtype="float32", name="score")
    network = keras.Model(images, last(joined), name="brokenness")
    bias = components.bias @ weights + middle
    last.set_weights([(components.kernel @ weights)[:, None], np.array([bias])])
    network.trainable = False
    return network


def _regression(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and constant of a score of being broken, by ridge regression on components."""
    centre, middle = x.mean(axis=0), y.mean()
    square = (x - centre).T @ (x - centre) + RIDGE * np.eye(x.shape[1])
    weights = np.linalg.solve(square, (x - centre).T @ (y - middle))
    return weights, float(middle - centre @ weights)


def _held_out(x: np.ndarray, broken: np.ndarray) -> np.ndarray:
    """Scores of images, each by a regression that has not seen it."""
    fold = np.random.default_rng(0).permutation(len(x)) % FOLDS
    scores = np.empty(len(x))
    for i in range(FOLDS):
        weights, constant = _regression(x[fold != i], broken[fold != i])
        scores[fold == i] = x[fold == i] @ weights + constant
    return scores


def auc(scores: np.ndarray, broken: np.ndarray) -> float:
    """The probability that a broken image (1 in `broken`) scores above a whole one (0)."""
    ahead = scores[broken == 1][:, None] - scores[broken == 0][None]
    return float(np.mean((ahead > 0) + 0.5 * (ahead == 0)))
