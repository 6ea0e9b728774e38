"""An upscaler small and fast enough for a browser: all work is done at the small image's size.

Residual blocks without batch norm (Lim et al. 2017) on the small image, then one convolution to
all pixels of the large one and one pixel shuffle (Shi et al. 2016). SRResNet (`srgan`) spends more
on its convolutions behind the doublings than on all its blocks; without them the same
multiply-adds buy several times the depth. Leaky ReLU, which browsers fuse into convolutions. As
there, the network adds to a bilinear enlargement, starts as one, and its output is linear.

References:
    [Lim et al., 2017](https://arxiv.org/abs/1707.02921)
    [Shi et al., 2016](https://arxiv.org/abs/1609.05158)
"""

from __future__ import annotations

import keras
from keras import layers

from tfanime.layers import ICNR, LeakyReLU, PixelShuffle
from tfanime.models.srgan import INIT, SMALL, check_upscaler

SLOPE = 0.1


def generator(
    height: int,
    width: int,
    latent_dim: int = 0,
    label_dim: int = 0,
    factor: int = 4,
    channels: int = 48,
    blocks: int = 6,
) -> keras.Model:
    """Fully convolutional: images `(B, h, w, 3)` of any size to `(B, factor h, factor w, 3)`.

    With factor 4, 48 channels and 6 blocks: 271,536 weights and 1.1 billion multiply-adds from 64
    pixels to 256; with factor 2, 32 and 4: 78,348 and 1.3 billion from 128 to 256.

    Args:
        height, width: of the large images to train with, multiples of `factor`.
        latent_dim: ignored: an upscaler draws from images, not from noise.
        label_dim: 0: an upscaler takes no labels.
        factor: 2 or 4.
        channels: of the residual blocks.
        blocks: number of residual blocks, of two 3x3 convolutions each.
    """
    check_upscaler(height, width, label_dim, factor)
    pictures = keras.Input((None, None, 3), name="pictures")
    x = _conv(pictures, channels, "first", INIT)
    x = LeakyReLU(SLOPE, name="first_lrelu")(x)
    for i in range(blocks):
        skip = x
        x = _conv(x, channels, f"res{i}_1", INIT)
        x = LeakyReLU(SLOPE, name=f"res{i}_lrelu")(x)
        x = _conv(x, channels, f"res{i}_2", SMALL)
        x = layers.Add(name=f"res{i}_add")([x, skip])
    x = _conv(x, 3 * factor**2, "out", ICNR(SMALL, factor))
    # Sum and skip in float32, whatever the compute precision.
    x = PixelShuffle(factor, dtype="float32", name="shuffle")(x)
    enlarged = layers.UpSampling2D(
        factor, interpolation="bilinear", dtype="float32", name="enlarged"
    )(pictures)
    x = layers.Add(dtype="float32", name="large_pictures")([x, enlarged])
    return keras.Model(pictures, x, name="generator")


def _conv(x, channels: int, name: str, initial):
    return layers.Conv2D(channels, 3, padding="same", kernel_initializer=initial, name=name)(x)
