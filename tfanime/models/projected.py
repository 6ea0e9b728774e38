"""A discriminator that looks through a network which already knows images (Projected GAN).

A small discriminator learns from scratch what a face is while the generator learns to draw one, and
most of a short training passes before either knows. Here five small discriminators share the
work: one looks at the pixels, the other four at maps of a frozen network (the tagger that ships: it
knows faces) at a sixteenth to a half of the image's size. Before they see the maps,
random convolutions, which are not trained either, mix their channels and, from the smallest map
up, their scales, so that no map can be ignored and no few channels decide. Batch norm, as the
authors have it, keeps the gradient strong and shows when all images are alike (with spectral
norms alone the discriminators fall behind; with every place's features divided by their length all
images became one). Train with `joint_batch`: in batches of their own, generated images hide
their grids and bright drops behind the batch's statistics.

A gradient through strided convolutions favours some pixels over others, and a generator obeys it:
train with `augment="translation"`, or a grid of four pixels grows over the images.

Reference:
    [Sauer et al., 2021](https://arxiv.org/abs/2111.01007), section 3
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import keras
from keras import layers

from tfanime.layers import LeakyReLU, MinibatchStdDev, SpectralConv2D
from tfanime.models.common import LEAK, alternating, resized
from tfanime.models.sizes import halvings, shown_regions

BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}
INIT = {"kernel_initializer": "he_normal"}
RANDOM = {**INIT, "use_bias": False, "trainable": False}
SCALES = (2, 4, 8, 16)


def discriminator(
    height: int,
    width: int,
    label_dim: int = 0,
    *,
    features: keras.Model | Sequence[keras.Model],
    regions: Sequence[Sequence[float] | None] | None = None,
    scales: Sequence[int] = SCALES,
    channels: int = 64,
    pixel_channels: int = 32,
    pixel_patches: bool = False,
) -> keras.Model:
    """Logits of patches of the image and of four maps of each frozen network.

    Args:
        height, width: of the images, as for `modern.discriminator`.
        label_dim: 0: labels enter through an auxiliary classifier or a projection only.
        features: the frozen network or networks, from images in [-1, 1]. Images of another
            size are enlarged by repeating or reduced by averaging where that is even, else
            resized. Their maps are the outputs of a network with several, else of all its layers.
        regions: what each of these networks is shown: None for the whole image, or `(top, left,
            bottom, right)` in fractions of its sides, at least 16 pixels high and wide. Where
            images are aligned, one that sees the face alone gives the eyes more weight.
        scales: the last maps of these parts of the network's own size (rounded up) are looked at.
        channels: of the discriminators of maps, and of the mixed maps where these had as many.
        pixel_channels: of the pixels' discriminator's first map; 0 leaves it out.
        pixel_patches: whether the pixels' discriminator also judges patches of 22 pixels, which
            know strokes and grain and no face (Isola et al. 2017, section 3.2.2).

    Raises:
        ValueError: for label_dim, or a frozen network without these maps.

    Returns:
        `keras.Model` from images `(B, H, W, 3)` to `{"logits": (B, N), "features": (B, F)}`,
        float32; every discriminator has as many of the N logits as the others.
    """
    if label_dim:
        raise ValueError(
            "The projected discriminator takes images only; labels are predicted by a head or "
            f"projected. Received: label_dim={label_dim}. Use conditioning='ac' or 'projection'."
        )
    pictures = keras.Input((height, width, 3), name="pictures")
    networks = [features] if isinstance(features, keras.Model) else list(features)
    boxes = shown_regions(networks, regions, height, width)
    patches = []
    for i, (network, region) in enumerate(zip(networks, boxes, strict=True)):
        prefix = f"net{i}_" if i else ""
        patches += _through(network, _cut(pictures, region, prefix), scales, channels, prefix)
    if pixel_channels:
        patches += _pixels(pictures, pixel_channels, pixel_patches)
    logits = layers.Concatenate(dtype="float32", name="logits")(
        [layers.Flatten(name=f"flat{i}")(x) for i, (x, _) in enumerate(patches)]
    )
    maps = [x for _, x in patches if x is not None]
    means = [layers.GlobalAveragePooling2D(name=f"mean{i}")(x) for i, x in enumerate(maps)]
    read = layers.Concatenate(dtype="float32", name="features")(means)
    return keras.Model(pictures, {"logits": logits, "features": read}, name="discriminator")


def joint_judge(network: keras.Model) -> Callable:
    """A discriminator as a function of real and generated images, trained on both in one batch.

    The frozen part of a network made by `discriminator` sees them in batches of their own, so that
    nothing is sent back through it from real images, which saves half of that work; what learns,
    batch norm included, sees their rows in turn. Any other network sees the images themselves so.

    Returns:
        Function `(real (B, H, W, 3), drawn (B, H, W, 3)) -> (logits (B, N), logits (B, N))`.
    """
    # Every judge begins with such a layer.
    borders = [layer for layer in network.layers if isinstance(layer, layers.Identity)]
    if borders:
        frozen = keras.Model(network.inputs, [layer.input for layer in borders])
        network = keras.Model([layer.output for layer in borders], network.output)

    def judge(real, fakes):
        batches = [(real,), (fakes,)]
        if borders:
            batches = [frozen(x, training=True) for x in (real, fakes)]
        maps = [alternating(*pair) for pair in zip(*batches, strict=True)]
        logits = network(maps if borders else maps[0], training=True)["logits"]
        return logits[::2], logits[1::2]

    return judge


def _through(network: keras.Model, pictures, scales, channels: int, prefix: str):
    """What the discriminators of one frozen network's maps found."""
    height, width = network.input.shape[1:3]
    several = len(network.outputs) > 1
    maps = network.outputs if several else [layer.output for layer in network.layers[1:]]
    last = {x.shape[1:3]: x for x in maps}
    sizes = [(math.ceil(height / scale), math.ceil(width / scale)) for scale in scales]
    missing = [size for size in sizes if size not in last]
    if missing:
        raise ValueError(
            f"A frozen network has maps of its images' size divided by {tuple(scales)}. "
            f"Received: {network.name!r} for {height}x{width}, without {missing}."
        )
    outputs = [last[size] for size in sizes]
    frozen = keras.Model(network.input, outputs, name=f"{prefix}seen")
    frozen.trainable = False
    maps = _mixed(frozen(resized(pictures, (height, width), prefix)), channels, prefix)
    return [_judge(x, channels, f"{prefix}map{i}") for i, x in enumerate(maps)]


def _cut(pictures, region: tuple[int, int, int, int], prefix: str):
    height, width = pictures.shape[1:3]
    top, left, bottom, right = region
    beyond = ((top, height - bottom), (left, width - right))
    if beyond == ((0, 0), (0, 0)):
        return pictures
    return layers.Cropping2D(beyond, name=f"{prefix}region")(pictures)


def _mixed(maps, channels: int, prefix: str):
    """Channels by random 1x1 convolutions, scales by random 3x3 ones from the smallest map up."""
    mixed, smaller = [], None
    for i, x in reversed(list(enumerate(maps))):
        wide = min(channels, x.shape[-1])
        x = layers.Conv2D(wide, 1, name=f"{prefix}mix{i}", **RANDOM)(x)
        if smaller is not None:
            y = layers.Conv2D(wide, 3, padding="same", name=f"{prefix}scale{i}", **RANDOM)(smaller)
            y = layers.UpSampling2D(2, interpolation="bilinear", name=f"{prefix}up{i}")(y)
            beyond = tuple((0, y.shape[axis] - x.shape[axis]) for axis in (1, 2))
            if beyond != ((0, 0), (0, 0)):  # x has an odd number of rows or columns
                y = layers.Cropping2D(beyond, name=f"{prefix}crop{i}")(y)
            x = layers.Average(name=f"{prefix}sum{i}")([x, y])
        mixed.insert(0, x)
        smaller = x
    return mixed


def _judge(x, channels: int, name: str, first: bool = True):
    """Halves a map down to 4 (its smaller side), then a logit a place; and what it last saw."""
    if first:
        x = layers.Identity(name=f"{name}_before")(x)  # where `joint_judge` divides
    while min(x.shape[1:3]) > 4:
        x = _conv(x, channels, 4, 2, f"{name}_down{x.shape[1]}")
    x = _conv(x, channels, 3, 1, f"{name}_last")
    return SpectralConv2D(1, 3, padding="same", name=f"{name}_logits", **INIT)(x), x


def _pixels(pictures, channels: int, patches: bool):
    """The same for the pixels themselves, with a convolution more at every size."""
    judges = []
    x = layers.Identity(name="pixels_before")(pictures)
    x = _conv(x, channels, 4, 2, "pixels_down0")
    for i in range(1, halvings(*pictures.shape[1:3])):
        x = _conv(x, x.shape[-1], 3, 1, f"pixels_{i}")
        x = _conv(x, channels * min(4, 2**i), 4, 2, f"pixels_down{i}")
        if patches and i == 1:
            judges.append(_judge_patches(x, "patches"))
    x = MinibatchStdDev(name="pixels_spread")(x)
    return [_judge(x, channels * 4, "pixels", first=False), *judges]


def _judge_patches(x, name: str):
    """A logit a place, averaged to as many as a judge of the whole has; nothing about labels."""
    x = SpectralConv2D(1, 3, padding="same", name=f"{name}_logits", **INIT)(x)
    return layers.AveragePooling2D(min(x.shape[1:3]) // 4, name=f"{name}_mean")(x), None


def _conv(x, filters: int, kernel: int, stride: int, name: str):
    x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name, **INIT)(x)
    x = layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x)
    return LeakyReLU(LEAK, name=f"{name}_lrelu")(x)
