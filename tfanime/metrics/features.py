"""From pictures to features: the first step of every metric but the pixel ones.

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
* `FILE` or `FILE:LAYER`: any Keras (.keras, .h5) or TFLite (.tflite) model of pictures. Without a
  layer, what a classifier's last layer reads, or the output of a model that is no classifier.
  An ONNX (.onnx) file gives its output, or the output that LAYER names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime import zoo
from tfanime.core import disk
from tfanime.metrics import onnx, tflite
from tfanime.metrics.arrays import check_pictures
from tfanime.metrics.resize import RESIZES

CHUNK = 16  # pictures that a thread resizes and feeds to the network at a time
MOBILENET_FEATURES = 1280
DRAWINGS_FEATURES, DRAWINGS_SIDE = 2048, 299
# Of keras.applications: class, side of the pictures, and the files of its ImageNet weights, without
# and with the top layer.
APPLICATIONS = {
    "inception": (
        "InceptionV3",
        299,
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
    ),
    "mobilenetv2": (
        "MobileNetV2",
        224,
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5",
    ),
}
KERAS_ENDINGS, TFLITE_ENDING, ONNX_ENDING = (".keras", ".h5"), ".tflite", ".onnx"
PIXEL_RANGE = (-1.0, 1.0)
# Of Illustration2Vec's training pictures: blue, green, red, 0 to 255.
ILLUSTRATION2VEC_MEAN = np.array([164.76139251, 167.47864617, 181.13838569], np.float32)


@dataclass(frozen=True)
class Extractor:
    """A network that turns pictures into features.

    Args:
        name: for people and protocols.
        layer: whose values the features are.
        identity: changes whenever the features could: of file contents, layer and range.
        height, width: what pictures are resized to.
        compute: `(b, height, width, 3)` float32 in 0..255 to `(b, d)` float32; called from
            several threads.
    """

    name: str
    layer: str
    identity: str
    height: int
    width: int
    compute: Callable[[np.ndarray], np.ndarray]


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
            pictures.
    """
    spec = os.fspath(spec)
    name, _, rest = spec.partition(":")
    if spec == "tagger":
        file = zoo.path("tagger") / "tagger.keras"
        return dataclasses.replace(_keras(file, "features", PIXEL_RANGE), name="tagger")
    if name == "illustration2vec":
        return _illustration2vec(rest)
    if name == "mobilenet":
        return _mobilenet(rest)
    if name in APPLICATIONS:
        return _application(name, rest)
    if name == "drawings":
        return _drawings(rest)
    if spec == "lite0":
        return _lite0()
    path, layer = (Path(spec), None) if Path(spec).exists() else _path_and_layer(spec)
    if path.suffix.lower() == TFLITE_ENDING:
        return _tflite(path, layer, pixel_range)
    if path.suffix.lower() in KERAS_ENDINGS:
        return _keras(path, layer, pixel_range)
    if path.suffix.lower() == ONNX_ENDING:
        return _onnx(path, layer, pixel_range)
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
        return _application(name, rest, top=True)
    if name == "mobilenet":
        _mobilenet(rest)  # refuses other networks
        return _tflite(Path(rest), "output", PIXEL_RANGE, name)
    if spec == "lite0":
        return _lite0(top=True)
    path, layer = (Path(spec), None) if Path(spec).exists() else _path_and_layer(spec)
    ending = path.suffix.lower()
    if name in ("tagger", "drawings", "illustration2vec") or (layer and ending != ONNX_ENDING):
        raise ValueError(
            "An Inception Score needs a classifier: tagger:FIELD, inception, mobilenetv2, "
            "mobilenet:FILE, lite0, or the FILE of one, whose output it takes. "
            f"Received: {spec!r}, which stands for features."
        )
    if ending in KERAS_ENDINGS:
        return _keras(path, "output", PIXEL_RANGE, classes=True)
    return load_extractor(spec if ending == ONNX_ENDING else f"{spec}:output")


def extract(
    pictures: np.ndarray | Iterable[np.ndarray],
    extractor: Extractor,
    resize: str = "clean",
    progress: bool = False,
) -> np.ndarray:
    """Features of pictures.

    Args:
        pictures: `(n, H, W, 3)` uint8, or an iterable of such arrays, of any number and size.
        extractor: from `load_extractor`.
        resize: `"clean"` or `"legacy"`; see `tfanime.metrics.resize`.
        progress: show a progress bar.

    Returns:
        `(n, d)` float32.

    Raises:
        ValueError: for no pictures, or arrays of another shape or dtype.
    """
    total = len(pictures) if isinstance(pictures, np.ndarray) else None
    parts = list(features_in_chunks(pictures, extractor, resize, total, progress))
    if not parts:
        raise ValueError("Features need at least one picture. Received: none.")
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
    in flight, so memory does not grow with the number of pictures.
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
        progress_bar(total=total, unit="picture", disable=not progress) as bar,
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


# ---- the extractors ----------------------------------------------------------------------------


@contextmanager
def _float32() -> Iterator[None]:
    """For networks that are built here, so that they judge exactly during and after a training in
    another precision; those that are loaded keep the precision of their file."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _mobilenet(file: str) -> Extractor:
    if not file:
        raise ValueError(
            "mobilenet needs the file of a MobileNetV2 for TFLite: mobilenet:FILE.tflite. "
            "Received: no file."
        )
    extractor = _tflite(Path(file), None, PIXEL_RANGE, name="mobilenet")
    blank = np.zeros((1, extractor.height, extractor.width, 3), np.float32)
    found = extractor.compute(blank).shape[1]
    if found != MOBILENET_FEATURES:
        raise ValueError(
            f"mobilenet has {MOBILENET_FEATURES} pooled features. Received: {file} with {found} "
            f"({extractor.layer}). Name the file without mobilenet: to use it anyway."
        )
    return extractor


@_float32()
def _application(name: str, weights: str, top: bool = False) -> Extractor:
    import keras

    architecture, side, *files = APPLICATIONS[name]
    usual = files[top]
    chosen = _file(weights) if weights else "imagenet"
    shape = {"include_top": True} if top else {"include_top": False, "pooling": "avg"}
    try:
        model = getattr(keras.applications, architecture)(weights=chosen, **shape)
    except Exception as error:
        if weights:
            raise ValueError(
                f"{weights} does not fit {architecture} with{'' if top else 'out'} its top layer: "
                f"{str(error).splitlines()[0]}"
            ) from error
        raise ValueError(
            f"{name} needs its ImageNet weights, which Keras could not download: give a local "
            f"copy of {usual} as {name}:FILE, or use another extractor."
        ) from error
    content = _digest(chosen) if weights else chosen
    compute = _keras_compute(model, PIXEL_RANGE)
    layer, identity = ("output", f"{name}:{content}:output") if top else ("avg_pool", None)
    return Extractor(name, layer, identity or f"{name}:{content}", side, side, compute)


def _drawings(file: str) -> Extractor:
    from tfanime.frozen.convert import drawings_file

    path = Path(file) if file else drawings_file()
    if not file and not path.is_file():
        raise ValueError(
            "drawings needs the network of the npm package nsfwjs, which three commands bring: npm "
            "pack nsfwjs@4.3.0, tar xzf nsfwjs-4.3.0.tgz, tfanime features drawings --from "
            f"package/. Received: no file, and none at {str(path)!r}."
        )
    model = _keras_model(path)
    shape = (*model.input_shape[1:3], model.output_shape[-1])
    if shape != (DRAWINGS_SIDE, DRAWINGS_SIDE, DRAWINGS_FEATURES):
        raise ValueError(
            f"drawings has {DRAWINGS_FEATURES} features of pictures of {DRAWINGS_SIDE} pixels. "
            f"Received: {path}, with {shape[-1]} of {shape[1]}x{shape[0]}. Name the file without "
            "drawings: to use it anyway."
        )
    return _of_weights("drawings", model)


@_float32()
def _lite0(top: bool = False) -> Extractor:
    import keras

    from tfanime.frozen import lite0

    model = lite0.classifier()
    if top:
        return dataclasses.replace(_of_weights("lite0", model), layer="output")
    return _of_weights("lite0", keras.Model(model.input, model.get_layer("features").output))


def _of_weights(name: str, model) -> Extractor:
    """Features that a network gives out; known by its weights, whatever file they came from."""
    digest = hashlib.sha256(b"".join(array.tobytes() for array in model.get_weights()))
    height, width = model.input_shape[1:3]
    compute = _keras_compute(model, PIXEL_RANGE)
    return Extractor(name, "features", f"{name}:{digest.hexdigest()}", height, width, compute)


def _illustration2vec(rest: str) -> Extractor:
    """Saito and Matsui 2015: pictures as Caffe had them, blue first and less the mean."""
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


def _onnx(path: Path, layer: str | None, pixel_range) -> Extractor:
    network = onnx.Network(_file(path), layer, pixel_range)
    identity = f"onnx:{_digest(path)}:{network.layer}:{pixel_range}"
    return Extractor(path.name, network.layer, identity, network.height, network.width, network)


def _tflite(path: Path, layer: str | None, pixel_range, name: str = "tflite") -> Extractor:
    content, layer = tflite.features_model(_file(path), layer)
    network = tflite.Network(content, pixel_range)
    identity = f"tflite:{_digest(path)}:{layer}:{pixel_range}"
    label = name if name == "mobilenet" else path.name
    return Extractor(label, layer, identity, network.height, network.width, network)


def _keras(path: Path, layer: str | None, pixel_range, classes: bool = False) -> Extractor:
    import keras

    model = _keras_model(path)
    if classes and not _ends_in_classes(model):
        raise ValueError(
            "A classifier ends in a dense layer or a softmax over its classes. "
            f"Received: {path}, whose last layer is {model.layers[-1].name!r}: its output are "
            "features."
        )
    tensor, layer = _keras_tensor(model, layer, path)
    features = keras.Model(model.inputs, tensor)
    identity = f"keras:{_digest(path)}:{layer}:{pixel_range}"
    compute = _keras_compute(features, pixel_range)
    height, width = model.input_shape[1:3]
    return Extractor(path.name, layer, identity, height, width, compute)


def _keras_model(path: Path):
    import keras

    import tfanime.layers  # noqa: F401  (registers the layers that our own models name)

    try:
        model = keras.saving.load_model(_file(path), compile=False)
    except ValueError:
        raise
    except Exception as error:
        disk.check(error, path)
        raise ValueError(f"{path} is no Keras model ({error}).") from error
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3 or None in shape[1:]:
        raise ValueError(
            "An extractor takes pictures (None, height, width, 3) of a known size. "
            f"Received: {path.name}, a model for {shape}."
        )
    return model


def _keras_tensor(model, layer: str | None, path: Path):
    import keras

    if layer == "output":
        return model.outputs[0], "output"
    if layer is not None:
        names = [one.name for one in model.layers]
        if layer not in names:
            raise ValueError(
                f"{path.name} has no layer {layer!r}. The last ones: {', '.join(names[-5:])}."
            )
        return model.get_layer(layer).output, layer
    weighted = [one for one in model.layers if one.weights]
    if weighted and isinstance(weighted[-1], keras.layers.Dense):
        return weighted[-1].input, f"input of {weighted[-1].name}"
    return model.outputs[0], "output"


def _ends_in_classes(model) -> bool:
    import keras

    last, activation = model.layers[-1], getattr(model.layers[-1], "activation", None)
    softmax = activation is keras.activations.softmax or isinstance(last, keras.layers.Softmax)
    weighted = [one for one in model.layers if one.weights]
    return softmax or (bool(weighted) and isinstance(weighted[-1], keras.layers.Dense))


def _keras_compute(model, pixel_range) -> Callable[[np.ndarray], np.ndarray]:
    import keras

    low, high = pixel_range
    if keras.backend.backend() != "tensorflow":
        return lambda pictures: tflite.pooled(
            np.asarray(model(pictures * ((high - low) / 255) + low, training=False))
        )
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]

    # XLA is several times slower for convolutions on a CPU.
    @tf.function(input_signature=signature, jit_compile=False)
    def forward(pictures):
        return model(pictures * ((high - low) / 255) + low, training=False)

    return lambda pictures: tflite.pooled(forward(tf.constant(pictures)).numpy())


def _path_and_layer(spec: str) -> tuple[Path, str | None]:
    path, _, layer = spec.rpartition(":")
    if Path(path).suffix.lower() in (*KERAS_ENDINGS, TFLITE_ENDING, ONNX_ENDING):
        return Path(path), layer
    return Path(spec), None


def _file(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"An extractor's file must exist. Received: {str(path)!r}.")
    return path


def _digest(path: str | os.PathLike) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
