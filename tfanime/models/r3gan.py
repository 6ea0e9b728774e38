"""R3GAN: residual networks without normalisation (Huang et al. 2024, section 4).

Both networks are towers of the same blocks, 1x1, 3x3 and 1x1 convolutions beside a path that
nothing is done to, in stages that differ by a factor of two in size. What keeps them steady without
normalisation is how they begin: the last convolution of a block with zeros, so that a block passes
on what it gets, the others with a deviation that falls with the depth (fixup initialisation, Zhang
et al. 2019). Sizes change by the smooth filter [1, 3, 3, 1] in each direction. The generator begins
with a learned 4x4 map, whose channels the noise weighs; the discriminator ends with its mirror.

The authors' 3x3 convolutions are grouped, which TensorFlow computes slowly on CPUs and
TensorFlow.js not at all: these are dense, with fewer channels inside a block. Images end in a tanh
(theirs are unbounded), and enlarging repeats the border (theirs meets zeros there).

References:
    [Huang et al., 2024](https://arxiv.org/abs/2501.05441)
    [Zhang et al., 2019](https://arxiv.org/abs/1901.09321)
"""

from __future__ import annotations

import keras
from keras import layers

from tfanime.layers import LeakyReLU
from tfanime.models.common import (
    LEAK,
    halvings,
    label_maps,
    picture_input,
    picture_output,
)
from tfanime.models.inputs import Entry, generator_inputs

GAIN = 2.0 / (
    1.0 + LEAK**2
)  # of a leaky ReLU, squared: what it takes from the variance (He et al.)
CONVOLUTIONS = 3  # of a block
MOST = 8  # times the channels of the largest map


def generator(
    height: int,
    width: int,
    latent_dim: int = 64,
    label_dim: int = 0,
    channels: int = 32,
    blocks: int = 2,
    inner: float = 0.5,
    entry: Entry | None = None,
    scaling: str = "signed",
) -> keras.Model:
    """A learned map of 4x4 (64 px), then stages of residual blocks, each twice as large.

    Args:
        height, width: of the images, as for `dcgan.generator`.
        latent_dim: length of the noise.
        label_dim: length of the label vector concatenated to the noise; 0 for none.
        channels: of the largest map; they double at every smaller one, up to 8x.
        blocks: residual blocks a stage.
        inner: channels of a block's 3x3 convolution, as a share of the stage's.
        entry: how latents and labels enter; default: concatenated.
        scaling: `"signed"` (tanh) or `"unit"` (sigmoid), see `common.picture_output`.
    """
    wide = _channels(height, width, channels)[::-1]
    times = len(wide) - 1
    inputs, x = generator_inputs(latent_dim, label_dim, entry)
    x = _basis(x, (height >> times, width >> times, wide[0]))
    for i, filters in enumerate(wide):
        if i:
            x = _pointwise(x, filters, f"up{i}")
            x = layers.UpSampling2D(2, interpolation="bilinear", name=f"up{i}_smooth")(x)
        x = _blocks(x, i, blocks, inner, len(wide) * blocks)
    x = _convolution(3, 1, 1.0, "out", use_bias=False)(x)
    return keras.Model(inputs, picture_output(x, scaling), name="generator")


def discriminator(
    height: int,
    width: int,
    label_dim: int = 0,
    channels: int = 32,
    blocks: int = 2,
    inner: float = 0.5,
    scaling: str = "signed",
    label_embedding: int = 0,
) -> keras.Model:
    """The generator in reverse: stages of residual blocks, each half as large, and one logit.

    Args:
        height, width: of the images, as for `dcgan.discriminator`.
        label_dim: length of the label vector that joins the image as constant maps; 0 for none.
        channels, blocks, inner: as for `generator`.
        scaling: as for `dcgan.discriminator`.
        label_embedding: of the label maps, see `common.label_maps`.
    """
    wide = _channels(height, width, channels)
    pictures, x = picture_input(height, width, scaling)
    inputs = pictures
    if label_dim:
        labels = keras.Input((label_dim,), name="labels")
        inputs, x = [pictures, labels], label_maps(x, labels, label_embedding)
    x = _convolution(wide[0], 1, 1.0, "down0", use_bias=False)(x)
    for i, filters in enumerate(wide):
        if i:
            x = _halved(x, f"down{i}_smooth")
            x = _pointwise(x, filters, f"down{i}")
        x = _blocks(x, i, blocks, inner, len(wide) * blocks)
    # Every channel is weighed by a map of its own.
    base = x.shape[1:3]
    one = {"class_name": "RandomNormal", "config": {"stddev": (base[0] * base[1]) ** -0.5}}
    x = layers.DepthwiseConv2D(base, use_bias=False, depthwise_initializer=one, name="basis")(x)
    x = layers.Flatten(name="flat")(x)
    features = layers.Activation("linear", dtype="float32", name="features")(x)
    # A bias would be added to both sides of a difference.
    logits = layers.Dense(1, use_bias=False, dtype="float32", name="logits", **_normal(1.0))(
        features
    )
    return keras.Model(inputs, {"logits": logits, "features": features}, name="discriminator")


def _channels(height: int, width: int, channels: int) -> list[int]:
    """Of every map, from the largest on."""
    return [channels * min(MOST, 2**i) for i in range(halvings(height, width) + 1)]


def _blocks(x, stage: int, count: int, inner: float, depth: int):
    """`depth`: blocks of the whole network."""
    # So that what a network makes of a step does not grow with its depth.
    variance = GAIN * depth ** (-1.0 / (CONVOLUTIONS - 1))
    filters = x.shape[-1]
    inside = max(1, round(inner * filters))
    for i in range(count):
        name, skip = f"block{stage}_{i}", x
        x = _convolution(inside, 1, variance, f"{name}_1")(x)
        x = LeakyReLU(LEAK, name=f"{name}_1_lrelu")(x)
        x = _convolution(inside, 3, variance, f"{name}_2")(x)
        x = LeakyReLU(LEAK, name=f"{name}_2_lrelu")(x)
        x = _convolution(filters, 1, 0.0, f"{name}_3", use_bias=False)(x)
        x = layers.Add(name=f"{name}_add")([skip, x])
    return x


def _pointwise(x, filters: int, name: str):
    """Other channels, where a stage has others than the one before it."""
    if x.shape[-1] == filters:
        return x
    return _convolution(filters, 1, 1.0, name, use_bias=False)(x)


def _convolution(filters: int, kernel: int, variance: float, name: str, use_bias: bool = True):
    return layers.Conv2D(
        filters, kernel, padding="same", use_bias=use_bias, name=name, **_normal(variance)
    )


def _normal(variance: float) -> dict:
    """Normal weights that make `variance` of inputs of variance 1; 0: zeros."""
    if not variance:
        return {"kernel_initializer": "zeros"}
    config = {"scale": variance, "mode": "fan_in", "distribution": "untruncated_normal"}
    return {"kernel_initializer": {"class_name": "VarianceScaling", "config": config}}


def _basis(x, shape: tuple[int, int, int]):
    """A learned map of that shape, whose channels are weighed by a linear function of `x`."""
    # Built of what exports know: the map is what a dense layer makes of the number 1.
    frozen = {"kernel_initializer": "zeros", "bias_initializer": "ones", "trainable": False}
    one = layers.Dense(1, name="one", **frozen)(x)
    basis = layers.Dense(
        shape[0] * shape[1] * shape[2], use_bias=False, name="basis", **_normal(1.0)
    )(one)
    basis = layers.Reshape(shape, name="basis_map")(basis)
    weights = layers.Dense(shape[2], use_bias=False, name="weights", **_normal(1.0))(x)
    weights = layers.Reshape((1, 1, shape[2]), name="weights_map")(weights)
    return layers.Multiply(name="weighed")([basis, weights])


def _halved(x, name: str):
    """By the filter [1, 3, 3, 1] / 8 in each direction, which is three means of two in turn."""
    x = layers.ZeroPadding2D(1, name=f"{name}_border")(x)
    for i, stride in enumerate((1, 1, 2)):
        x = layers.AveragePooling2D(2, stride, name=f"{name}{i}")(x)
    return x
