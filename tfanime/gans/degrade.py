"""Small images to learn upscaling from, made of large ones within the training step.

An upscaler that has only seen cleanly reduced images is poor on generated ones, which are
blurred and blotched in ways that no reduction produces. So a share of the small images is made
worse, each in its own mixture of ways. All of it is a pure function of the images and the
step's noise. No gradient is needed through it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from keras import ops

from tfanime.recipes.config import jitters

ONE = (1, 1, 1)  # a number an image
NOISE = 0.06  # largest standard deviation; a grey level is 2 / 255
BLOTCH = 4  # pixels between independent values of the coarse noise
STEPS = (0.005, 0.06)  # quantisation of luma coefficients: about JPEG qualities 97 to 75
STEEPNESS = 0.4  # JPEG's tables grow about so much for each higher frequency
BLOCK = 8
# JPEG's (ITU-T T.871): rows luma, blue and red difference.
TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
FROM_YCC = np.linalg.inv(TO_YCC.astype(np.float64)).astype(np.float32)


def degrade(
    pictures, noise, factor: int, share: float, wobble: float = 0.0, sharpened: float = 0.0
):
    """Small versions of images.

    Args:
        pictures: `(B, H, W, 3)` float32 in [-1, 1]; H and W multiples of `factor`.
        noise: the step's `StepNoise`.
        factor: how many times smaller.
        share: of images that are blurred, made noisy and compressed as well, 0 to 1.
        wobble: of these, how far lines stray, see `wobbled`; each up to this much.
        sharpened: of these, how many times what a blur takes away is added instead, which leaves
            the halos of a generator that exaggerates; each up to this much, half of them.

    Returns:
        `(B, H / factor, W / factor, 3)` float32 in [-1, 1], on the 256 levels of files.
    """
    small = downsample(pictures, factor, noise.uniform(ONE))
    if share:
        worse = small
        if wobble:
            worse = wobbled(worse, noise, wobble * noise.uniform(ONE))
        softer = noise.uniform(ONE)
        if sharpened:
            softer = ops.where(noise.uniform(ONE) < 0.5, -sharpened * softer, softer)
        worse = blend(worse, blurred(worse), softer)
        worse = worse + noise.uniform(ONE) * NOISE * noise.normal(tuple(small.shape[1:]))
        worse = worse + noise.uniform(ONE) * NOISE * blotches(small.shape[1:3], noise)
        low, high = STEPS
        worse = compressed(worse, low + (high - low) * noise.uniform(ONE))
        small = ops.where(noise.uniform(ONE) < share, worse, small)
    return on_levels(small)


def blend(one, other, share):
    """`one` where `share` is 0, `other` where it is 1."""
    return one + share * (other - one)


def downsample(pictures, factor: int, bicubic):
    """Between the means of `factor x factor` pixels (`bicubic` 0) and a bicubic reduction (1).

    Both keep the mean of an image, as its edges are mirrored.
    """
    height, width = pictures.shape[1:3]
    area = _separable(pictures, *(_reduction(n, factor, False) for n in (height, width)))
    sharp = _separable(pictures, *(_reduction(n, factor, True) for n in (height, width)))
    return blend(area, sharp, bicubic)


def blurred(pictures):
    """A binomial blur of standard deviation 1 pixel; keeps the mean."""
    return _separable(pictures, *(_binomial(n) for n in pictures.shape[1:3]))


def wobbled(pictures, noise, deviation):
    """Lines that tremble: each pixel takes what is up to a pixel away, between pixels linearly.

    Args:
        pictures: `(B, h, w, C)` float32, mirrored at their edges.
        noise: the step's `StepNoise`.
        deviation: `(B, 1, 1, 1)`: of the way, in pixels, along each side; it varies smoothly.
    """
    for axis in (1, 2):
        way = ops.clip(deviation * blotches(pictures.shape[1:3], noise, 1), -1.0, 1.0)
        before, after = (_neighbours(pictures, axis, step) for step in (-1, 1))
        there = ops.relu(way) * (after - pictures) + ops.relu(-way) * (before - pictures)
        pictures = pictures + there
    return pictures


def _neighbours(pictures, axis: int, step: int):
    """What lies a pixel before (-1) or after (1) each pixel along an axis."""
    size = pictures.shape[axis]
    last = size - 1
    order = [min(max(i + step, 0), last) for i in range(size)]
    return ops.take(pictures, np.array(order, np.int32), axis=axis)


def blotches(size, noise, channels: int = 3):
    """`(B, *size, channels)`: standard normal values every `BLOTCH` pixels, linear in between."""
    coarse = tuple(math.ceil(n / BLOTCH) + 1 for n in size)
    values = noise.normal((*coarse, channels))
    return _separable(values, *(_enlargement(n, m) for n, m in zip(size, coarse, strict=True)))


def compressed(pictures, step):
    """JPEG's loss: DCT coefficients of 8 x 8 blocks, in luma and chroma, rounded to steps.

    Args:
        pictures: `(B, h, w, 3)` float32 in [-1, 1].
        step: `(B, 1, 1, 1)`: of the mean luma of a block, times 8; higher frequencies have larger
            ones, chroma twice as large.
    """
    height, width = pictures.shape[1:3]
    (rows, across), (columns, along) = _block_dct(height), _block_dct(width)
    steps = 1 + STEEPNESS * (across[:, None, None] + along[None, :, None])
    steps = step * (steps * np.array([1, 2, 2], np.float32)).astype(np.float32)
    ycc = ops.einsum("bhwc,kc->bhwk", pictures, TO_YCC)
    rounded = ops.round(_separable(ycc, rows, columns) / steps) * steps
    return ops.einsum("bhwk,ck->bhwc", _separable(rounded, rows.T, columns.T), FROM_YCC)


def on_levels(pictures):
    """Clipped to [-1, 1] and rounded as in a file of 8 bits a channel."""
    return ops.round((ops.clip(pictures, -1.0, 1.0) + 1.0) * 127.5) / 127.5 - 1.0


def color_jitter(pictures, noise, amounts: float | Mapping[str, float]):
    """Brightness, contrast and saturation times `1 +- amount`, hue turned by `+- amount` of the
    circle, in this order.

    Brightness scales from black, contrast from the mean luma of the image; saturation and hue are
    those of HSV, as in `tf.image`.

    Args:
        pictures: `(B, H, W, 3)` float32 in [-1, 1].
        noise: the step's `StepNoise`; each image gets its own changes, uniform.
        amounts: 0 to 0.5: a number for each of `config.JITTERS`, or one for all but brightness.

    Returns:
        The same shape, clipped to [-1, 1].
    """
    rgb = (pictures + 1.0) / 2.0
    for name, amount in jitters(amounts).items():
        change = amount * (2.0 * noise.uniform(ONE) - 1.0)
        if amount:
            rgb = ops.clip(CHANGES[name](rgb, change), 0.0, 1.0)
    return ops.clip(2.0 * rgb - 1.0, -1.0, 1.0)


def _brighter(rgb, change):
    return rgb * (1.0 + change)


def _more_contrast(rgb, change):
    luma = ops.einsum("bhwc,c->bhw", rgb, TO_YCC[0])
    middle = ops.mean(luma, axis=(1, 2))[:, None, None, None]
    return middle + (rgb - middle) * (1.0 + change)


def _more_saturated(rgb, change):
    hue, saturation, value = _to_hsv(rgb)
    return _from_hsv(hue, ops.clip(saturation * (1.0 + change), 0.0, 1.0), value)


def _hue_turned(rgb, change):
    hue, saturation, value = _to_hsv(rgb)
    return _from_hsv(hue + change, saturation, value)


CHANGES = {
    "brightness": _brighter,
    "contrast": _more_contrast,
    "saturation": _more_saturated,
    "hue": _hue_turned,
}


def _to_hsv(rgb):
    """Hue (a turn is 1), saturation and value, `(B, H, W, 1)` each, of colours in [0, 1]."""
    red, green, blue = rgb[..., :1], rgb[..., 1:2], rgb[..., 2:]
    value = ops.max(rgb, axis=-1, keepdims=True)
    reach = value - ops.min(rgb, axis=-1, keepdims=True)
    divisor = ops.where(reach > 0, reach, 1.0)
    sixths = ops.where(
        ops.equal(value, red),
        (green - blue) / divisor,
        ops.where(
            ops.equal(value, green), (blue - red) / divisor + 2.0, (red - green) / divisor + 4.0
        ),
    )
    return sixths / 6.0, reach / ops.where(value > 0, value, 1.0), value


def _from_hsv(hue, saturation, value):
    """`(B, H, W, 3)`; any hue."""
    sixths = ops.mod(np.array([5, 3, 1], np.float32) + 6.0 * hue, 6.0)
    away = ops.clip(ops.minimum(sixths, 4.0 - sixths), 0.0, 1.0)
    return value * (1.0 - saturation * away)


# ---- matrices that work along one side ---------------------------------------------------------


def _separable(pictures, rows, columns):
    """Products with `rows` along the height and `columns` along the width."""
    pictures = ops.einsum("ij,bjwc->biwc", rows, pictures)
    return ops.einsum("ij,bhjc->bhic", columns, pictures)


@lru_cache(maxsize=64)
def _reduction(side: int, factor: int, bicubic: bool) -> np.ndarray:
    """`(side / factor, side)`; every row sums to 1, every column to `1 / factor`."""
    matrix = np.zeros((side // factor, side))
    reach = 2 * factor
    for row in range(len(matrix)):
        centre = (row + 0.5) * factor - 0.5
        for at in range(math.floor(centre) - reach, math.floor(centre) + reach + 2):
            distance = abs(at - centre) / factor
            weight = _keys(distance) if bicubic else float(distance < 0.5)
            matrix[row, _mirrored(at, side)] += weight / factor
    return matrix.astype(np.float32)


def _keys(x: float) -> float:
    """Keys's cubic with a = -1/2, as Pillow's BICUBIC."""
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


@lru_cache(maxsize=64)
def _binomial(side: int) -> np.ndarray:
    """`(side, side)`: 1 4 6 4 1 over 16; rows and columns sum to 1."""
    matrix = np.zeros((side, side))
    for row in range(side):
        for offset, weight in zip(range(-2, 3), (1, 4, 6, 4, 1), strict=True):
            matrix[row, _mirrored(row + offset, side)] += weight / 16
    return matrix.astype(np.float32)


def _mirrored(at: int, side: int) -> int:
    """The pixel that stands for position `at` when a line is mirrored at its ends."""
    at %= 2 * side
    return at if at < side else 2 * side - 1 - at


@lru_cache(maxsize=64)
def _enlargement(side: int, knots: int) -> np.ndarray:
    """`(side, knots)`: linear between knots that lie `BLOTCH` pixels apart."""
    places = np.arange(side)[:, None] / BLOTCH
    return np.maximum(0, 1 - np.abs(places - np.arange(knots))).astype(np.float32)


@lru_cache(maxsize=64)
def _block_dct(side: int) -> tuple[np.ndarray, np.ndarray]:
    """The orthonormal DCT of each block of 8 (a last one may be shorter), and frequencies."""
    matrix, frequencies = np.zeros((side, side)), np.zeros(side)
    for start in range(0, side, BLOCK):
        size = min(BLOCK, side - start)
        k, x = np.arange(size)[:, None], np.arange(size)
        part = np.sqrt(2 / size) * np.cos(np.pi * k * (2 * x + 1) / (2 * size))
        part[0] /= np.sqrt(2)
        matrix[start : start + size, start : start + size] = part
        frequencies[start : start + size] = np.arange(size)
    return matrix.astype(np.float32), frequencies
