"""Differentiable augmentation of whatever the discriminator sees (Zhao et al. 2020).

Real and generated images go through the same random changes, so that the discriminator cannot
learn the few real images by heart, and the generator's gradient flows through them. Each change
can be left out at random, with a probability that follows how far the discriminator overfits.

`color`, `translation` and `cutout` are DiffAugment's, strong and in one. `ada_blit`, `ada_geom` and
`ada_color` are the transforms of ADA, each of which is made or left out by itself.

References:
    [Zhao et al., 2020](https://arxiv.org/abs/2006.10738) (DiffAugment)
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676) (adaptive probability, transforms: ADA)
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import numpy as np
from keras import ops

from tfanime.registries import AUGMENTATIONS, check_augment

SHIFT = 0.125  # of the image's side, as the authors'
CUTOUT = 0.5
# Of ADA: standard deviations, those of factors in powers of two.
SCALE, BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.2, 0.5, 1.0


def color(images, noise):
    """Brightness +-0.5, saturation x0-2, contrast x0.5-1.5, one of each an image."""
    one = (1, 1, 1)
    images = images + (noise.uniform(one) - 0.5)
    grey = ops.mean(images, axis=-1, keepdims=True)
    images = grey + (images - grey) * (2.0 * noise.uniform(one))
    middle = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return middle + (images - middle) * (noise.uniform(one) + 0.5)


def translation(images, noise):
    """Moves each image by up to an eighth of its sides; black (0 in [-1, 1] is grey) fills in."""
    height, width = images.shape[1:3]
    rows = _moved(height, noise)
    columns = _moved(width, noise)
    # A shift is a product with a shifted identity: differentiable, and fast on every device.
    images = ops.einsum("bij,bjwc->biwc", rows, images)
    return ops.einsum("bij,bhjc->bhic", columns, images)


def _moved(side: int, noise):
    """`(B, side, side)` matrices that shift by a whole number of pixels."""
    reach = int(side * SHIFT + 0.5)
    shift = ops.floor(noise.uniform((1, 1)) * (2 * reach + 1)) - reach
    index = ops.arange(side, dtype="float32")
    return ops.cast(ops.equal(index[None, :, None], index[None, None, :] + shift), "float32")


def cutout(images, noise):
    """Greys out a square of half the sides at a random place."""
    inside = 1.0
    for axis, side in ((1, images.shape[1]), (2, images.shape[2])):
        centre = ops.floor(noise.uniform((1, 1, 1)) * side)
        shape = [1, 1, 1, 1]
        shape[axis] = side
        index = ops.reshape(ops.arange(side, dtype="float32"), shape)
        near = ops.less(ops.absolute(index - centre), side * CUTOUT / 2)
        inside = inside * ops.cast(near, "float32")
    return images * (1.0 - inside)


# ---- ADA (Karras et al. 2020, appendix B) --------------------------------------------------------


def ada_blit(size, noise, share):
    """Mirrored, turned by quarters (by halves where sides differ), moved by whole pixels."""
    height, width = size
    mirrored = _chosen(noise, share, ops.floor(2.0 * noise.uniform(())), 0.0)
    kinds, step = (4.0, 1.0) if height == width else (2.0, 2.0)
    quarters = _chosen(noise, share, step * ops.floor(kinds * noise.uniform(())), 0.0)
    # Exact, unlike the cosine of a rounded angle.
    cosine = ops.round(ops.cos(quarters * (math.pi / 2)))
    sine = ops.round(ops.sin(quarters * (math.pi / 2)))
    shift = [(2.0 * noise.uniform(()) - 1.0) * SHIFT * side for side in (width, height)]
    active = ops.cast(noise.uniform(()) < share, "float32")
    across, down = (ops.round(active * x) for x in shift)
    scaled = _matrix(1.0 - 2.0 * mirrored, 0.0, 0.0, 0.0, 1.0, 0.0)
    turned = _matrix(cosine, -sine, 0.0, sine, cosine, 0.0)
    moved = _matrix(1.0, 0.0, across, 0.0, 1.0, down)
    return _product([scaled, turned, moved])


def ada_geom(size, noise, share):
    """Scaled (by 2^N(0, 0.2^2)), turned, stretched along a direction, turned again, and moved by
    fractions of pixels (by N(0, 0.125^2) of the sides)."""
    height, width = size
    # Two turns make one, so that one is made with probability `share`.
    turns = 1.0 - ops.sqrt(1.0 - share)
    order = ((_scaled, share), (_turned, turns), (_stretched, share), (_turned, turns))
    transforms = [kind(noise, chance) for kind, chance in order]
    active = ops.cast(noise.uniform(()) < share, "float32")
    across, down = (active * SHIFT * side * noise.normal(()) for side in (width, height))
    return _product([*transforms, _matrix(1.0, 0.0, across, 0.0, 1.0, down)])


def _scaled(noise, share):
    by = 1.0 / _chosen(noise, share, _powers(noise, SCALE), 1.0)
    return _matrix(by, 0.0, 0.0, 0.0, by, 0.0)


def _turned(noise, share):
    angle = _chosen(noise, share, math.pi * (2.0 * noise.uniform(()) - 1.0), 0.0)
    cosine, sine = ops.cos(angle), ops.sin(angle)
    return _matrix(cosine, -sine, 0.0, sine, cosine, 0.0)


def _stretched(noise, share):
    by = _chosen(noise, share, _powers(noise, SCALE), 1.0)
    return _matrix(1.0 / by, 0.0, 0.0, 0.0, by, 0.0)


def ada_color(images, noise, share):
    """Brightness +N(0, 0.2^2), contrast x2^N(0, 0.5^2), luma negated, hue turned, saturation
    x2^N(0, 1): affine maps of the colours, about grey and the axis of greys."""
    brightness = _chosen(noise, share, BRIGHTNESS * noise.normal(()), 0.0)
    contrast = _chosen(noise, share, _powers(noise, CONTRAST), 1.0)
    negated = _chosen(noise, share, ops.floor(2.0 * noise.uniform(())), 0.0)
    turn = _chosen(noise, share, math.pi * (2.0 * noise.uniform(()) - 1.0), 0.0)
    saturation = _chosen(noise, share, _powers(noise, SATURATION), 1.0)
    return _recoloured(images, brightness, contrast, negated, turn, saturation)


def _recoloured(images, brightness, contrast, negated, turn, saturation):
    """All `(B,)`. Along the axis of greys and across it colours change apart from each other."""

    def wide(values):
        return ops.reshape(values, (-1, 1, 1, 1))

    images = wide(contrast) * (images + wide(brightness))
    grey = ops.mean(images, axis=-1, keepdims=True)
    colour = images - grey
    # The cross product with the unit vector of greys is a quarter of a turn about it.
    quarter = (ops.roll(colour, 1, axis=-1) - ops.roll(colour, -1, axis=-1)) / 3**0.5
    colour = wide(ops.cos(turn)) * colour + wide(ops.sin(turn)) * quarter
    return wide(1.0 - 2.0 * negated) * grey + wide(saturation) * colour


def _powers(noise, deviation: float):
    return ops.power(2.0, deviation * noise.normal(()))


def _chosen(noise, share, changed, same: float):
    """`changed` where a draw is below `share`; `(B,)`."""
    return ops.where(noise.uniform(()) < share, changed, same)


def _matrix(*entries):
    """`(B, 3, 3)`: two rows of three entries, `(B,)` or numbers, above 0 0 1."""
    count = next(ops.shape(x)[0] for x in entries if not isinstance(x, float))
    entries = [
        ops.broadcast_to(ops.cast(x, "float32"), (count,)) for x in (*entries, 0.0, 0.0, 1.0)
    ]
    return ops.reshape(ops.stack(entries, axis=1), (-1, 3, 3))


def _product(matrices):
    """Of `(B, 3, 3)`; by hand, since accelerators multiply matrices with ten bits."""
    return functools.reduce(
        lambda one, other: ops.sum(one[:, :, :, None] * other[:, None], axis=2), matrices
    )


def warped(images, matrices):
    """Every pixel takes what is at its place times the matrix, between pixels linearly.

    Args:
        images: `(B, H, W, C)` float32. Outside, an image is mirrored at the centres of its edges.
        matrices: `(B, 3, 3)` float32, of `(x, y, 1)` in pixels from the middle.
    """
    height, width, channels = images.shape[1:]
    sides = np.array([width, height], np.float32)
    rows, columns = np.indices((height, width), dtype=np.float32).reshape(2, -1)
    places = np.stack([columns, rows, np.ones_like(rows)]) - np.array(
        [[(width - 1) / 2], [(height - 1) / 2], [0]], np.float32
    )
    there = ops.sum(matrices[:, :2, :, None] * places, axis=2)  # (B, 2, HW)
    there = there + (sides[:, None] - 1) / 2
    period = 2 * (sides[:, None] - 1)
    last = period / 2
    # Places that are whole pixels shall be so in spite of rounding.
    there = ops.round(there * 1024.0) / 1024.0
    there = last - ops.absolute(ops.mod(there, period) - last)
    low = ops.floor(there)
    part = there - low
    pixels = ops.reshape(images, (-1, channels))
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None] * (height * width)
    result = 0.0
    for down in (0, 1):
        for across in (0, 1):
            x = ops.minimum(low[:, 0] + across, width - 1.0)
            y = ops.minimum(low[:, 1] + down, height - 1.0)
            index = first + ops.cast(y * width + x, "int32")
            weight = (part[:, 0] if across else 1 - part[:, 0]) * (
                part[:, 1] if down else 1 - part[:, 1]
            )
            result = result + weight[:, :, None] * ops.take(pixels, index, axis=0)
    return ops.reshape(result, ops.shape(images))


# Matrices of consecutive ones are multiplied, so that images are resampled once.
GEOMETRIES = ("ada_blit", "ada_geom")
NAMES = tuple(AUGMENTATIONS.built_in)


def diff_augment(policy: str) -> Callable:
    """The augmentation `"color,translation,cutout"`, or any names of `registries.AUGMENTATIONS`, in
    the order given; `"ada"` stands for all three of ADA.

    Returns:
        Function `(images (B, H, W, 3) float32, noise: StepNoise, probability=None) -> images`.
        Each image goes through each change with that probability (scalar, 0 to 1), on its own;
        None: always. Changes of ADA's names are several, each with that probability.
    """
    names = check_augment(policy)
    functions = {name: AUGMENTATIONS.get(name) for name in names}

    def apply(images, noise, probability=None):
        share = ops.cast(1.0 if probability is None else probability, "float32")
        for geometric, group in itertools.groupby(names, lambda name: name in GEOMETRIES):
            if geometric:
                size = images.shape[1:3]
                changes = [functions[name](size, noise, share) for name in group]
                images = warped(images, _product(changes))
                continue
            for name in group:
                images = changed_by(name, images, noise, probability, share)
        return images

    apply.policy = policy

    def changed_by(name, images, noise, probability, share):
        if name == "ada_color":
            return ada_color(images, noise, share)
        changed = functions[name](images, noise)
        if probability is None:
            return changed
        return ops.where(noise.uniform((1, 1, 1)) < probability, changed, images)

    return apply


def adapted(probability, overfit, target: float, pictures: int, ramp: int):
    """The next probability of ADA (Karras et al. 2020, section 3.1).

    It rises while the mean sign of D(real) is above `target`, which says that the discriminator
    has begun to know the real images, and falls while it is below.

    Args:
        probability: scalar, 0 to 1.
        overfit: scalar: mean sign of the discriminator's logits of real images (r_t), over four
            batches in the paper.
        target: the mean sign to keep to; 0.6 in the paper.
        pictures: real images seen since the last call.
        ramp: images it takes to go from 0 to 1; 500,000 in the paper.

    Returns:
        float32 scalar, 0 to 1.
    """
    return ops.clip(probability + ops.sign(overfit - target) * (pictures / ramp), 0.0, 1.0)
