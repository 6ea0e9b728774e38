"""Super-resolution: SRResNet from small images to large ones, and SRGAN's discriminator.

What differs from the paper, and why: the residual blocks carry no batch norm, which costs detail
and mixes the colours of a batch (Lim et al. 2017); kernels are 3x3 throughout; the network adds
to a bilinear enlargement, so that it starts as one instead of as grey; the output is linear, so
that this sum is exact: values just outside [-1, 1] are clipped where images are made.

References:
    [Ledig et al., 2017](https://arxiv.org/abs/1609.04802), figure 4
    [Lim et al., 2017](https://arxiv.org/abs/1707.02921)
"""

from __future__ import annotations

import keras
from keras import layers

from tfanime.core.choices import check_normalisation
from tfanime.layers import ICNR, LeakyReLU, PixelShuffle, SpectralConv2D, SpectralDense
from tfanime.models.common import LEAK, NORMAL, discriminator_model
from tfanime.models.sizes import check_factor, halvings

BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}
INIT = "he_normal"
# What ends in a sum starts small: the network as the bilinear enlargement, a block as its skip.
SMALL = {
    "class_name": "VarianceScaling",
    "config": {"scale": 0.02, "mode": "fan_in", "distribution": "truncated_normal"},
}


def generator(
    height: int,
    width: int,
    latent_dim: int = 0,
    label_dim: int = 0,
    factor: int = 2,
    channels: int = 32,
    blocks: int = 8,
    batch_norm: bool = False,
) -> keras.Model:
    """Fully convolutional: images `(B, h, w, 3)` of any size to `(B, factor h, factor w, 3)`.

    Args:
        height, width: of the large images to train with, multiples of `factor`.
        latent_dim: ignored: an upscaler draws from images, not from noise.
        label_dim: 0: an upscaler takes no labels.
        factor: 2 or 4; a pixel shuffle for each doubling.
        channels: of the residual blocks.
        blocks: number of residual blocks.
        batch_norm: as the paper's figure 4 has it.
    """
    check_upscaler(height, width, label_dim, factor)
    pictures = keras.Input((None, None, 3), name="pictures")
    x = _conv(pictures, channels, "first")
    x = _prelu(x, "first")
    first = x
    # TensorFlow adds up three gradients or more in the order in which they are done, and a resumed
    # run would differ in its last bits: so that each map is used twice at most.
    x = layers.Rescaling(1.0, name="first_again")(x)
    for i in range(blocks):
        skip = x
        x = _conv(x, channels, f"res{i}_1", INIT, batch_norm)
        x = _prelu(x, f"res{i}")
        x = _conv(x, channels, f"res{i}_2", SMALL, batch_norm)
        x = layers.Add(name=f"res{i}_add")([x, skip])
    x = _conv(x, channels, "mid", SMALL, batch_norm)
    x = layers.Add(name="long_skip")([x, first])
    for i in range(factor.bit_length() - 1):
        x = _conv(x, 4 * channels, f"up{i}", ICNR(INIT))
        x = PixelShuffle(2, name=f"up{i}_shuffle")(x)
        x = _prelu(x, f"up{i}")
    x = layers.Conv2D(3, 3, padding="same", kernel_initializer=SMALL, name="out")(x)
    # Sum and skip in float32, whatever the compute precision.
    enlarged = layers.UpSampling2D(
        factor, interpolation="bilinear", dtype="float32", name="enlarged"
    )(pictures)
    x = layers.Add(dtype="float32", name="large_pictures")([x, enlarged])
    return keras.Model(pictures, x, name="generator")


def check_upscaler(height: int, width: int, label_dim: int, factor: int) -> None:
    """Refuses what no upscaler can be built for.

    Raises:
        ValueError: for labels, an unknown factor, or sides that are no multiples of it.
    """
    if label_dim:
        raise ValueError(
            "An upscaler takes images only. "
            f"Received: label_dim={label_dim}. Use conditioning='none'."
        )
    check_factor(height, width, factor)


def _conv(x, channels: int, name: str, initial=INIT, batch_norm: bool = False):
    options = {"kernel_initializer": initial, "use_bias": not batch_norm, "name": name}
    x = layers.Conv2D(channels, 3, padding="same", **options)(x)
    return layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x) if batch_norm else x


def _prelu(x, name: str):
    start = keras.initializers.Constant(0.25)
    return layers.PReLU(start, shared_axes=[1, 2], name=f"{name}_prelu")(x)


def discriminator(
    height: int,
    width: int,
    label_dim: int = 0,
    channels: int = 32,
    normalisation: str = "spectral",
) -> keras.Model:
    """Pairs of 3x3 convolutions, the second of each strided; channels double up to 8x.

    Args:
        height, width: of the images, as for `dcgan.discriminator`.
        label_dim: 0: upscaled images have no labels.
        channels: of the first layer; the paper's are 64.
        normalisation: `"spectral"` (Miyato et al. 2018), `"batch"` (the paper's) or `"none"`.
    """
    if label_dim:
        raise ValueError(
            "The SRGAN discriminator takes images only. "
            f"Received: label_dim={label_dim}. Use conditioning='none'."
        )
    check_normalisation("discriminator", "srgan", normalisation)
    spectral = normalisation == "spectral"
    conv = SpectralConv2D if spectral else layers.Conv2D
    dense = SpectralDense if spectral else layers.Dense
    pictures = keras.Input((height, width, 3), name="pictures")
    x = pictures
    for i in range(halvings(height, width)):
        wide = channels * min(8, 2**i)
        for name, strides in ((f"keep{i}", 1), (f"down{i}", 2)):
            x = conv(wide, 3, strides=strides, padding="same", name=name, **NORMAL)(x)
            if normalisation == "batch" and name != "keep0":
                x = layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x)
            x = LeakyReLU(LEAK, name=f"{name}_lrelu")(x)
    x = layers.Flatten(name="flat")(x)
    x = dense(16 * channels, name="fc", **NORMAL)(x)
    x = LeakyReLU(LEAK, name="fc_lrelu")(x)
    return discriminator_model(pictures, x, dense)
