"""Small residual networks for small data: the `modern` recipe.

What differs from DCGAN, and why: channels are spent on small maps, where a multiplication is
cheap, and pixel shuffles carry them to larger ones; every stage has a residual convolution; a
fixed smoothing of the image keeps the last shuffle from speckling it; the discriminator has no
batch norm, so that R1 is well defined, and sees how much a batch varies. Batch norm stays in the
generator, since it folds into the convolutions on export.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import keras
from keras import layers

from tfanime.layers import ICNR, Binomial, LeakyReLU, MinibatchStdDev, Mirror, PixelShuffle
from tfanime.models.common import (
    LEAK,
    check_generator_norm,
    conditional_batch_norm,
    discriminator_model,
    picture_input,
    picture_output,
    style,
    styled_batch_norm,
)
from tfanime.models.inputs import Entry, generator_inputs
from tfanime.models.sizes import before_growth, halvings, map_channels

INIT = {"kernel_initializer": "he_normal"}
BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}


def generator(
    height: int,
    width: int,
    latent_dim: int = 128,
    label_dim: int = 0,
    channels: int | Sequence[int] = 64,
    entry: Entry | None = None,
    fine_channels: int = 0,
    scaling: str = "signed",
    normalisation: str = "batch",
    grown: int = 0,
    mirrored: bool = False,
) -> keras.Model:
    """Dense layer to 4x4 (64 px), then stages of pixel shuffle, convolution, residual block.

    Args:
        height, width: of the images, as for `dcgan.generator`.
        latent_dim: length of the noise.
        label_dim: length of the label vector concatenated to the noise; 0 for none.
        channels: of the last stage; they double at every smaller map, up to 8x. Or one number a
            map, from the smallest on.
        entry: how latents and labels enter; default: concatenated.
        fine_channels: of one more stage, at the full size, which adds what is finer than the last
            shuffle's blocks, nothing before it is trained; 0 for none.
        scaling: `"signed"` (tanh) or `"unit"` (sigmoid), see `common.picture_output`.
        normalisation: `"batch"`; `"conditional"`: batch norm behind the convolutions has scales
            and shifts that follow the labels, `common.conditional_batch_norm`; `"styled"`: scales
            and shifts behind it follow a style of noise and labels, `common.styled_batch_norm`.
        grown: channels of stages that double the image of a network for half the size, which has
            all layers but these and can be the start of this one; 0 for none. They begin with that
            image, enlarged. Needs `fine_channels`.
        mirrored: whether every stage adds to its maps what it makes of their mirror images, so that
            the two eyes of a face that looks ahead can be alike. It begins without influence.
    """
    check_generator_norm("modern", normalisation, label_dim)
    wide = map_channels(height, width, channels, fine_channels, grown)
    height, width = before_growth(height, width, grown)
    times = halvings(height, width)
    inputs, x = generator_inputs(latent_dim, label_dim, entry)
    norm = _norm(normalisation, inputs, x)
    base = (height >> times, width >> times, wide[0])
    x = layers.Dense(base[0] * base[1] * base[2], use_bias=False, name="fc", **INIT)(x)
    x = layers.BatchNormalization(name="fc_bn", **BATCH_NORM)(x)
    x = layers.ReLU(name="fc_relu")(x)
    x = layers.Reshape(base, name="fc_map")(x)
    for i, filters in enumerate(wide[1:]):
        x = _doubled(x, f"up{i}", f"up{i}_mean")
        x = _conv_bn(x, filters, f"up{i}_conv", norm)
        x = layers.ReLU(name=f"up{i}_relu")(x)
        x = _with_other_side(x, f"up{i}") if mirrored else x
        skip = x
        x = _conv_bn(x, filters, f"res{i}_1", norm)
        x = layers.Add(name=f"res{i}_add")([x, skip])
        x = layers.ReLU(name=f"res{i}_relu")(x)
    # The last stage works at half size and leaves the full size to the shuffle.
    x = _conv_bn(x, wide[-1], "last", norm)
    x = last = layers.ReLU(name="last_relu")(x)
    blocks = ICNR("glorot_normal")
    x = layers.Conv2D(12, 3, padding="same", name="out", kernel_initializer=blocks)(x)
    x = PixelShuffle(2, name="out_shuffle")(x)
    smooth = {"padding": "same", "use_bias": False, "trainable": False}
    x = layers.Conv2D(3, 3, name="smooth", kernel_initializer=Binomial(), **smooth)(x)
    if fine_channels:
        maps = _fine(last, fine_channels, norm)
        x = layers.Add(name="fine_add")([x, _nothing_yet(maps, "fine_out")])
        x = _grown(x, maps, grown, norm, mirrored) if grown else x
    return keras.Model(inputs, picture_output(x, scaling), name="generator")


def _with_other_side(x, name: str):
    """Maps, and what every place takes from its mirror image: nothing before it is trained."""
    zeros = {"kernel_initializer": "zeros", "use_bias": False}
    other = Mirror(name=f"{name}_mirror")(x)
    other = layers.Conv2D(x.shape[-1], 1, name=f"{name}_other", **zeros)(other)
    return layers.Add(name=f"{name}_mirrored")([x, other])


def _doubled(x, shuffle: str, mean: str):
    """Maps of twice the size, by layers of these names."""
    x = PixelShuffle(2, name=shuffle)(x)
    # Means of 2x2: what changes sign from pixel to pixel would become a grid in the image.
    return layers.AveragePooling2D(2, 1, padding="same", name=mean)(x)


def _fine(x, channels: int, norm: Callable):
    """Maps of a thin stage at twice the size."""
    x = _doubled(x, "fine_up", "fine_mean")
    x = _conv_bn(x, channels, "fine_conv", norm)
    return layers.ReLU(name="fine_relu")(x)


def _grown(image, x, channels: int, norm: Callable, mirrored: bool):
    """The image twice as large, and what a residual stage at its size, and a thin one at twice
    that, add to it."""
    image = layers.UpSampling2D(2, interpolation="bilinear", name="grown_image")(image)
    x = layers.ReLU(name="grown_conv_relu")(_conv_bn(x, channels, "grown_conv", norm))
    x = _with_other_side(x, "grown") if mirrored else x
    x = layers.Add(name="grown_res_add")([x, _conv_bn(x, channels, "grown_res", norm)])
    x = layers.ReLU(name="grown_res_relu")(x)
    x = _doubled(x, "grown_up", "grown_mean")
    x = layers.ReLU(name="grown_relu")(_conv_bn(x, channels // 2, "grown_fine", norm))
    return layers.Add(name="grown_add")([image, _nothing_yet(x, "grown_out")])


def _nothing_yet(x, name: str, channels: int = 3):
    """Maps as an image, or as others, which are zero before they are trained."""
    return layers.Conv2D(channels, 3, padding="same", name=name, kernel_initializer="zeros")(x)


def _norm(normalisation: str, inputs, x) -> Callable:
    """The batch norm behind convolutions, a function of maps and a name."""
    if normalisation == "conditional":
        return partial(conditional_batch_norm, labels=inputs[1], **BATCH_NORM)
    if normalisation == "styled":
        return partial(styled_batch_norm, styles=style(x), **BATCH_NORM)
    return lambda maps, name: layers.BatchNormalization(name=name, **BATCH_NORM)(maps)


def _conv_bn(x, filters: int, name: str, norm: Callable):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name, **INIT)(x)
    return norm(x, name=f"{name}_bn")


def discriminator(
    height: int,
    width: int,
    label_dim: int = 0,
    channels: int = 48,
    scaling: str = "signed",
    grown: int = 0,
    mirrored: int = 0,
) -> keras.Model:
    """Residual halvings without batch norm, minibatch deviation, one convolution, one logit.

    Args:
        height, width: of the images, as for `dcgan.discriminator`.
        label_dim: 0: labels enter through an auxiliary classifier only.
        channels: of the first map; they double at every halving, up to 4x.
        scaling: as for `dcgan.discriminator`.
        grown: channels of what sees the image itself, where the rest is a network for half the size
            and sees it reduced; 0 for none. It begins without influence.
        mirrored: channels of what sees maps beside their mirror images, so that a convolution
            compares the two eyes of a face that looks ahead; 0 for none. It begins without
            influence.
    """
    if label_dim:
        raise ValueError(
            "The modern discriminator takes images only; its labels are predicted by an "
            f"auxiliary head. Received: label_dim={label_dim}. Use conditioning='ac'."
        )
    times = halvings(*before_growth(height, width, grown))
    pictures, full = picture_input(height, width, scaling)
    x = layers.AveragePooling2D(2, name="reduced")(full) if grown else full
    x = layers.Conv2D(channels, 4, 2, padding="same", name="down0", **INIT)(x)
    if grown:
        x = layers.Add(name="grown_add")([x, _seen_in_full(full, grown, channels)])
    x = LeakyReLU(LEAK, name="down0_lrelu")(x)
    if mirrored:
        x = layers.Add(name="mirrored_add")([x, _compared(x, mirrored)])
    for i in range(1, times):
        wide = channels * min(4, 2**i)
        skip = layers.AveragePooling2D(2, name=f"down{i}_pool")(x)
        skip = layers.Conv2D(wide, 1, use_bias=False, name=f"down{i}_skip", **INIT)(skip)
        x = layers.Conv2D(x.shape[-1], 3, padding="same", name=f"down{i}_1", **INIT)(x)
        x = LeakyReLU(LEAK, name=f"down{i}_1_lrelu")(x)
        x = layers.Conv2D(wide, 4, 2, padding="same", name=f"down{i}_2", **INIT)(x)
        x = LeakyReLU(LEAK, name=f"down{i}_2_lrelu")(x)
        x = layers.Average(name=f"down{i}_add")([x, skip])
    x = MinibatchStdDev(name="spread")(x)
    x = layers.Conv2D(channels * 4, 3, padding="same", name="last", **INIT)(x)
    x = LeakyReLU(LEAK, name="last_lrelu")(x)
    return discriminator_model(pictures, layers.Flatten(name="flat")(x))


def _compared(x, channels: int):
    """What maps are beside their mirror images, as maps to be added to them."""
    both = layers.Concatenate(name="mirrored_both")([x, Mirror(name="mirrored")(x)])
    seen = layers.Conv2D(channels, 3, padding="same", name="mirrored_conv", **INIT)(both)
    seen = LeakyReLU(LEAK, name="mirrored_lrelu")(seen)
    return _nothing_yet(seen, "mirrored_out", x.shape[-1])


def _seen_in_full(x, grown: int, channels: int):
    """Maps at a quarter of the size of an image."""
    x = layers.Conv2D(grown, 4, 2, padding="same", name="grown_down", **INIT)(x)
    x = LeakyReLU(LEAK, name="grown_down_lrelu")(x)
    x = layers.Conv2D(grown, 3, padding="same", name="grown_conv", **INIT)(x)
    x = LeakyReLU(LEAK, name="grown_conv_lrelu")(x)
    zeros = {"kernel_initializer": "zeros"}
    return layers.Conv2D(channels, 4, 2, padding="same", name="grown_out", **zeros)(x)
