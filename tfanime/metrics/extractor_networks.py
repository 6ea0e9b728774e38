"""The networks behind the names of extractors: how each is opened and run."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tfanime import zoo
from tfanime.core import bounds, later
from tfanime.metrics import onnx, tflite
from tfanime.metrics.extractor import PIXEL_RANGE, Extractor, existing_file, file_digest

MOBILENET_FEATURES = 1280
DRAWINGS_FEATURES, DRAWINGS_SIDE = 2048, 299
# Of keras.applications: class, side of the images, and the files of its ImageNet weights, without
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


@contextmanager
def float32() -> Iterator[None]:
    """For networks that are built here, so that they judge exactly during and after a training in
    another precision; those that are loaded keep the precision of their file."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def mobilenet_network(file: str) -> Extractor:
    """MobileNetV2 of a .tflite file."""
    if not file:
        raise ValueError(
            "mobilenet needs the file of a MobileNetV2 for TFLite: mobilenet:FILE.tflite. "
            "Received: no file."
        )
    extractor = tflite_network(Path(file), None, PIXEL_RANGE, name="mobilenet")
    blank = np.zeros((1, extractor.height, extractor.width, 3), np.float32)
    width = extractor.compute(blank).shape[1]
    if width != MOBILENET_FEATURES:
        raise ValueError(
            f"mobilenet has {MOBILENET_FEATURES} pooled features. Received: {file} with {width} "
            f"({extractor.layer}). Name the file without mobilenet: to use it anyway."
        )
    return extractor


@float32()
def application_network(name: str, weights: str, top: bool = False) -> Extractor:
    """A network of keras.applications; with `top`, its classes instead of its features."""
    import keras

    architecture, side, *files = APPLICATIONS[name]
    usual = files[top]
    source = existing_file(weights) if weights else "imagenet"
    shape = {"include_top": True} if top else {"include_top": False, "pooling": "avg"}
    try:
        model = getattr(keras.applications, architecture)(weights=source, **shape)
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
    content = file_digest(source) if weights else source
    compute = _keras_compute(model, PIXEL_RANGE)
    layer, identity = ("output", f"{name}:{content}:output") if top else ("avg_pool", None)
    return Extractor(name, layer, identity or f"{name}:{content}", side, side, compute)


def drawings_network(file: str) -> Extractor:
    """InceptionV3 trained on drawings; without a file, the one that `tfanime features` made."""
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
            f"drawings has {DRAWINGS_FEATURES} features of images of {DRAWINGS_SIDE} pixels. "
            f"Received: {path}, with {shape[-1]} of {shape[1]}x{shape[0]}. Name the file without "
            "drawings: to use it anyway."
        )
    return _of_weights("drawings", model)


@float32()
def lite0_network(top: bool = False) -> Extractor:
    """EfficientNet-Lite0; with `top`, its classes instead of its features."""
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


def onnx_network(path: Path, layer: str | None, pixel_range) -> Extractor:
    """An ONNX file and the output that `layer` names."""
    network = onnx.Network(existing_file(path), layer, pixel_range)
    identity = f"onnx:{file_digest(path)}:{network.layer}:{pixel_range}"
    return Extractor(path.name, network.layer, identity, network.height, network.width, network)


def tflite_network(path: Path, layer: str | None, pixel_range, name: str = "tflite") -> Extractor:
    """A TFLite file and the layer of that name."""
    content, layer = tflite.features_model(existing_file(path), layer)
    network = tflite.Network(content, pixel_range)
    identity = f"tflite:{file_digest(path)}:{layer}:{pixel_range}"
    label = name if name == "mobilenet" else path.name
    return Extractor(label, layer, identity, network.height, network.width, network)


def keras_network(path: Path, layer: str | None, pixel_range, classes: bool = False) -> Extractor:
    """A Keras file and the layer of that name; with `classes`, only a classifier will do."""
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
    identity = f"keras:{file_digest(path)}:{layer}:{pixel_range}"
    compute = _keras_compute(features, pixel_range)
    height, width = model.input_shape[1:3]
    return Extractor(path.name, layer, identity, height, width, compute)


def _keras_model(path: Path):
    import tfanime.layers  # noqa: F401  (registers the layers that our own models name)

    if zoo.ships(existing_file(path).parent):
        model = bounds.load_network(path, ours=True)
    else:
        try:
            model = later.load_model(path)
        except Exception as error:  # Keras lets through whatever its layers raise
            raise later.refusal(path, error) or bounds.damaged(path, error) from error
    shape = model.input_shape
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3 or None in shape[1:]:
        raise ValueError(
            "An extractor takes images (None, height, width, 3) of a known size. "
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

    # XLA is slower for convolutions on a CPU.
    @tf.function(input_signature=signature, jit_compile=False)
    def forward(pictures):
        return model(pictures * ((high - low) / 255) + low, training=False)

    return lambda pictures: tflite.pooled(forward(tf.constant(pictures)).numpy())
