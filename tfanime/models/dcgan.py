"""DCGAN (Radford, Metz & Chintala 2016): strided convolutions and batch norm.

Reference:
    [Radford et al., 2016](https://arxiv.org/abs/1511.06434)
"""

from __future__ import annotations

import keras
from keras import layers

from tfanime.core.choices import check_normalisation
from tfanime.layers import LeakyReLU, SpectralConv2D, SpectralDense
from tfanime.models.common import (
    LEAK,
    NORMAL,
    check_generator_norm,
    conditional_batch_norm,
    discriminator_model,
    label_maps,
    picture_input,
    picture_output,
)
from tfanime.models.inputs import Entry, generator_inputs
from tfanime.models.sizes import extra_layers, halvings

KERNEL = 4
BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}


def generator(
    height: int,
    width: int,
    latent_dim: int = 100,
    label_dim: int = 0,
    channels: int = 64,
    depth: int | None = None,
    entry: Entry | None = None,
    normalisation: str = "batch",
    scaling: str = "signed",
) -> keras.Model:
    """The DCGAN generator: a dense layer to 4x4 (64 px), then transposed convolutions.

    Args:
        height, width: of the images, multiples of 4, at least 16. The first map is the image
            halved as often as both sides stay even and at least 4: 4x4 for 32, 64 and 128,
            6x6 for 96, 4x6 for 64x96 posters.
        latent_dim: length of the noise.
        label_dim: length of the label vector that is concatenated to the noise; 0 for none.
        channels: channels before the last layer; they double at every smaller map, up to 8x.
        depth: number of layers with weights, counting the dense one (the paper's first
            "convolution"). Default: no more than needed, 5 at 64 px. More are 3x3 convolutions
            that keep the size, spread over the maps from the smallest on.
        entry: how latents and labels enter; default: concatenated.
        normalisation: `"batch"` (the paper), `"conditional"` (batch norm whose scale and shift
            follow the labels, `common.conditional_batch_norm`) or `"none"`.
        scaling: `"signed"` (tanh, the paper) or `"unit"` (sigmoid), see `common.picture_output`.
    """
    check_generator_norm("dcgan", normalisation, label_dim)
    times = halvings(height, width)
    extra = extra_layers("generator", depth, times)
    inputs, x = generator_inputs(latent_dim, label_dim, entry)
    labels = inputs[1] if normalisation == "conditional" else None
    wide = [channels * min(8, 2**i) for i in range(times)][::-1]
    base = (height >> times, width >> times, wide[0])
    x = layers.Dense(base[0] * base[1] * base[2], use_bias=False, name="fc", **NORMAL)(x)
    x = layers.Reshape(base, name="fc_map")(x)
    for i in range(times):
        x = _batch_norm(x, f"bn{i}", normalisation, labels)
        x = layers.ReLU(name=f"relu{i}")(x)
        for j in range(extra[i]):
            name = f"same{i}_{j}"
            x = layers.Conv2D(wide[i], 3, padding="same", use_bias=False, name=name, **NORMAL)(x)
            x = _batch_norm(x, f"{name}_bn", normalisation, labels)
            x = layers.ReLU(name=f"{name}_relu")(x)
        last = i == times - 1
        x = layers.Conv2DTranspose(
            3 if last else wide[i + 1],
            KERNEL,
            2,
            padding="same",
            use_bias=last,
            name=f"up{i}",
            **NORMAL,
        )(x)
    return keras.Model(inputs, picture_output(x, scaling), name="generator")


def discriminator(
    height: int,
    width: int,
    label_dim: int = 0,
    channels: int = 64,
    normalisation: str = "batch",
    depth: int | None = None,
    label_embedding: int = 0,
    scaling: str = "signed",
) -> keras.Model:
    """The DCGAN discriminator: strided convolutions down to 4x4 (64 px), then one logit.

    Args:
        height, width: of the images, as for the generator.
        label_dim: length of the label vector, given as constant maps beside the image; 0: none.
        channels: of the first layer; they double at every halving, up to 8x.
        normalisation: `"batch"` (the paper: every layer but the first), `"spectral"` (Miyato et
            al. 2018), `"layer"` (for gradient penalties, which batch norm would invalidate) or
            `"none"`.
        depth: number of layers with weights, counting the dense one that makes the logit.
            Default: no more than needed, 5 at 64 px. More are 3x3 convolutions that keep the
            size, spread over the maps from the smallest on.
        label_embedding: the labels become as many maps, by a linear layer; 0: one each.
        scaling: `"signed"` or `"unit"`: pixels that its layers see are from -1 or 0 to 1.
    """
    check_normalisation("discriminator", "dcgan", normalisation)
    times = halvings(height, width)
    extra = extra_layers("discriminator", depth, times)[::-1]
    pictures, x = picture_input(height, width, scaling)
    inputs = pictures
    if label_dim:
        labels = keras.Input((label_dim,), name="labels")
        inputs, x = [pictures, labels], label_maps(x, labels, label_embedding)
    for i in range(times):
        wide = channels * min(8, 2**i)
        x = _down(x, wide, KERNEL, 2, f"down{i}", normalisation if i else _bare(normalisation))
        for j in range(extra[i]):
            x = _down(x, wide, 3, 1, f"same{i}_{j}", normalisation)
    dense = SpectralDense if normalisation == "spectral" else layers.Dense
    return discriminator_model(inputs, layers.Flatten(name="flat")(x), dense)


def _batch_norm(x, name: str, normalisation: str, labels):
    if normalisation == "none":
        return x
    if normalisation == "conditional":
        return conditional_batch_norm(x, labels, name, **BATCH_NORM)
    return layers.BatchNormalization(name=name, **BATCH_NORM)(x)


def _bare(normalisation: str) -> str:
    """The first layer goes without batch and layer norm (Radford et al. 2016, section 3)."""
    return normalisation if normalisation == "spectral" else "none"


def _down(x, filters: int, kernel: int, stride: int, name: str, normalisation: str):
    """Convolution, normalisation, leaky ReLU."""
    conv = SpectralConv2D if normalisation == "spectral" else layers.Conv2D
    bias = normalisation in ("spectral", "none")
    x = conv(filters, kernel, stride, padding="same", use_bias=bias, name=name, **NORMAL)(x)
    if normalisation == "batch":
        x = layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x)
    elif normalisation == "layer":
        x = layers.LayerNormalization(axis=(1, 2, 3), name=f"{name}_ln")(x)
    return LeakyReLU(LEAK, name=f"{name}_lrelu")(x)
