"""Frozen networks of others as Keras files that take images in [-1, 1]: `tfanime features`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from tfanime.core.files import atomic_path
from tfanime.frozen import tfjs

# Where the npm package nsfwjs 4.3.0 has its InceptionV3, and what that takes black and white as.
INCEPTION = Path("dist", "models", "inception_v3", "model.min.js")
UNIT = (0.0, 1.0)


def mobilenet(
    out: str | os.PathLike,
    weights: str | os.PathLike = "imagenet",
    pixel_range: Sequence[float] = (-1.0, 1.0),
    size: int = 64,
    enlarge: int = 1,
    family: str | None = None,
) -> Path:
    """Writes a MobileNetV2 without its head, for `discriminator.features`.

    Args:
        out: the .keras file.
        weights: `"imagenet"`, which Keras downloads; .weights.h5 or .h5 as `keras.applications` has
            them; or the model.json (or model.min.js) of a TensorFlow.js layers model with the same
            layer names, as of the model of nsfwjs.
        pixel_range: what that network takes black and white as.
        size: side of the images that the file takes, a multiple of 32.
        enlarge: it shows them to the network as many times as large: such networks learnt from
            larger images, and see more of a small one so, in the square of that many times as
            long.
        family: `"imagenet"` or `"nsfwjs"`: what the network learnt from, for the reports that say
            who judges whom; by default `"imagenet"` for these weights, else it is not known.

    Raises:
        ValueError: for weights that cannot be read.
    """
    out, weights = _keras_file(out), os.fspath(weights)
    pictures = enlarged = keras.Input((size, size, 3), name="pictures")
    if enlarge > 1:
        enlarged = layers.UpSampling2D(enlarge, interpolation="bilinear")(pictures)
    from_keras = not weights.endswith((".json", ".js"))
    arrays = {} if from_keras else tfjs.read_layers_model(weights)[1]
    try:
        network = keras.applications.MobileNetV2(
            include_top=False,
            input_tensor=_rescaled(enlarged, pixel_range),
            weights=weights if from_keras else None,
        )
    except Exception as error:
        raise ValueError(
            f"The weights {weights!r} could not be read ({str(error).splitlines()[0]}). "
            "ImageNet's are downloaded; without network give a file: --weights FILE."
        ) from error
    if not from_keras:
        for layer in network.layers:
            tfjs.give(layer, arrays)
    family = family or ("imagenet" if weights == "imagenet" else "unknown")
    network = keras.Model(pictures, network.output, name=f"mobilenet_{family}")
    return _save(network, out)


def drawings(package: str | os.PathLike, out: str | os.PathLike | None = None) -> Path:
    """Writes the network of the extractor `drawings`: the InceptionV3 of the npm package nsfwjs.

    It learnt to tell drawings and photographs apart, 2048 pooled features, the layer `features`.

    Args:
        package: the folder of the unpacked package (`npm pack nsfwjs@4.3.0`, then `tar xzf`), or
            one with `package/` in it.
        out: a .keras file; by default where `evaluate --extractor drawings` looks for it.

    Raises:
        ValueError: for a folder without that network.
    """
    out = _keras_file(out or drawings_file())
    folders = (Path(package), Path(package) / "package")
    model = next((one / INCEPTION for one in folders if (one / INCEPTION).is_file()), None)
    if model is None:
        raise ValueError(
            "drawings is made from the unpacked npm package nsfwjs 4.3.0: npm pack nsfwjs@4.3.0, "
            f"then tar xzf nsfwjs-4.3.0.tgz. Received: {str(package)!r}, without {INCEPTION}."
        )
    config, arrays = tfjs.read_layers_model(model)
    shape = config["layers"][0]["config"]["batch_input_shape"][1:]
    pictures = keras.Input(shape, name="pictures")
    outputs = tfjs.layer_outputs(config, arrays, _rescaled(pictures, UNIT))
    flat = next(one for one in config["layers"] if one["class_name"] == "Flatten")
    features = layers.Activation("linear", name="features")(outputs[flat["config"]["name"]])
    network = keras.Model(pictures, features, name="drawings")
    return _save(network, out)


def drawings_file() -> Path:
    """Where `drawings` writes, and its extractor looks, if no file is named."""
    cache = Path(os.environ.get("TFANIME_CACHE") or "~/.cache/tfanime").expanduser()
    return cache / "features" / "drawings.keras"


def _rescaled(pictures, pixel_range: Sequence[float]):
    """From [-1, 1] to what a network takes."""
    low, high = pixel_range
    return layers.Rescaling((high - low) / 2, (high + low) / 2)(pictures)


def _keras_file(out: str | os.PathLike) -> Path:
    if Path(out).suffix != ".keras":
        raise ValueError(f"A converted network is a .keras file. Received: {str(out)!r}.")
    return Path(out)


def _save(network: keras.Model, out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(out) as temporary:
        network.save(temporary)
    return out
