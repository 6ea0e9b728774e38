"""The networks of MakeGirlsMoe (Jin et al. 2017): SRResNet generator, residual discriminator.

Reference:
    [Jin et al., 2017](https://arxiv.org/abs/1708.05509), figures 3 and 4
"""

from __future__ import annotations

import keras
from keras import layers

from tfanime.layers import LeakyReLU, PixelShuffle
from tfanime.models.common import (
    LEAK,
    NORMAL,
    discriminator_model,
    picture_input,
    picture_output,
)
from tfanime.models.inputs import Entry, generator_inputs
from tfanime.models.sizes import halvings, upsamplings_of

# Chainer's default epsilon, which the released weights were trained with.
BATCH_NORM = {"epsilon": 2e-5, "momentum": 0.9}


def generator(
    height: int,
    width: int,
    latent_dim: int = 128,
    label_dim: int = 0,
    channels: int = 64,
    blocks: int = 16,
    long_skip: bool = True,
    upsamplings: int | None = None,
    entry: Entry | None = None,
    scaling: str = "signed",
) -> keras.Model:
    """SRResNet from a vector: dense layer, residual blocks, pixel-shuffle upsampling.

    With `latent_dim=128, label_dim=34, long_skip=False` at 128x128 this is the released
    MakeGirlsMoe generator (4,385,283 trained weights and 37,376 batch-norm statistics).

    Args:
        height, width: of the images: `2**upsamplings` times the map of the blocks.
        latent_dim: length of the noise.
        label_dim: length of the label vector concatenated to the noise; 0 for none.
        channels: of the residual blocks.
        blocks: number of residual blocks.
        long_skip: adds the blocks' input to their output, as the paper's figure 3 does; the
            released model does not.
        upsamplings: number of x2 pixel shuffles. Defaults to as many as leave a map whose
            smaller side is at least 16: three at 128, two at 64, one at 32.
        entry: how latents and labels enter; default: concatenated.
        scaling: `"signed"` (tanh) or `"unit"` (sigmoid), see `common.picture_output`.
    """
    upsamplings = upsamplings_of(height, width, upsamplings)
    factor = 2**upsamplings
    inputs, x = generator_inputs(latent_dim, label_dim, entry)
    base = (height // factor, width // factor, channels)
    x = layers.Dense(base[0] * base[1] * base[2], name="fc", **NORMAL)(x)
    x = layers.BatchNormalization(name="fc_bn", **BATCH_NORM)(x)
    x = layers.ReLU(name="fc_relu")(x)
    x = layers.Reshape(base, name="fc_map")(x)
    first = x
    for i in range(blocks):
        skip = x
        x = _conv_bn(x, channels, 3, f"res{i}_1")
        x = layers.ReLU(name=f"res{i}_relu")(x)
        x = _conv_bn(x, channels, 3, f"res{i}_2")
        x = layers.Add(name=f"res{i}_add")([x, skip])
    x = _conv_bn(x, channels, 3, "mid")
    x = layers.ReLU(name="mid_relu")(x)
    if long_skip:
        x = layers.Add(name="long_skip")([x, first])
    for i in range(upsamplings):
        x = layers.Conv2D(4 * channels, 3, padding="same", name=f"up{i}", **NORMAL)(x)
        x = PixelShuffle(2, name=f"up{i}_shuffle")(x)
        x = layers.BatchNormalization(name=f"up{i}_bn", **BATCH_NORM)(x)
        x = layers.ReLU(name=f"up{i}_relu")(x)
    x = layers.Conv2D(3, 9, padding="same", name="out", **NORMAL)(x)
    return keras.Model(inputs, picture_output(x, scaling), name="generator")


def _conv_bn(x, channels: int, kernel: int, name: str):
    x = layers.Conv2D(channels, kernel, padding="same", name=name, **NORMAL)(x)
    return layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x)


def discriminator(
    height: int,
    width: int,
    label_dim: int = 0,
    channels: int = 32,
    blocks: int = 10,
    scaling: str = "signed",
) -> keras.Model:
    """Ten residual blocks without batch norm (a gradient penalty needs samples kept apart).

    Strided 4x4 convolutions halve the image and double the channels (32, 64, ... 1024 at 128
    px); the residual blocks follow the first five of them, two each. Where there are fewer, the
    smallest maps have more of the blocks: 2, 2, 3 and 3 at 32 px.

    Args:
        height, width: of the images, multiples of 4.
        label_dim: 0: labels enter this discriminator through an auxiliary classifier only.
        channels: of the first stage.
        blocks: residual blocks in all.
        scaling: as for `dcgan.discriminator`.
    """
    if label_dim:
        raise ValueError(
            "The MakeGirlsMoe discriminator takes images only; its labels are predicted by an "
            f"auxiliary head. Received: label_dim={label_dim}. Use conditioning='ac'."
        )
    pictures, x = picture_input(height, width, scaling)
    stages = halvings(height, width, smallest=2)
    # The last halving closes the network: no residual blocks behind it at 128 px.
    sharing = min(stages, 5)
    for stage in range(stages):
        wide = channels * min(32, 2**stage)
        x = layers.Conv2D(wide, 4, 2, padding="same", name=f"down{stage}", **NORMAL)(x)
        x = LeakyReLU(LEAK, name=f"down{stage}_lrelu")(x)
        own = (blocks + stage) // sharing if stage < sharing else 0
        for block in range(own):
            name = f"res{stage}_{block}"
            skip = x
            x = layers.Conv2D(wide, 3, padding="same", name=f"{name}_1", **NORMAL)(x)
            x = LeakyReLU(LEAK, name=f"{name}_lrelu")(x)
            x = layers.Conv2D(wide, 3, padding="same", name=f"{name}_2", **NORMAL)(x)
            x = layers.Add(name=f"{name}_add")([x, skip])
            x = LeakyReLU(LEAK, name=f"{name}_out")(x)
    return discriminator_model(pictures, layers.Flatten(name="flat")(x))
