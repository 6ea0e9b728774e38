"""Negative augmentation: the discriminator learns from spoilt real images what belongs together.

A discriminator of local convolutions may find both eyes of a face well drawn, and overlook that
they are not of the same face. So it is shown, as fakes, real images with a window of another one:
both parts are drawn perfectly, and only the whole is wrong (Sinha et al. 2021,
https://arxiv.org/abs/2102.05113, with windows such as CutMix has). For images whose subjects are
aligned, such as faces: elsewhere a window is wrong wherever it is.
"""

from __future__ import annotations

from keras import ops

from tfanime.gans.objective import Term

# In shares of the image's height and width. The edge is soft, or it alone would tell.
MIDDLES = (0.25, 0.75)
SIDES = (0.16, 0.5)
EDGE = 1 / 64


class Negatives(Term):
    """The discriminator's loss against real images with a window of another one.

    The generator's loss is as ever; it is judged by a discriminator that knows more.
    """

    def discriminator(self, on_real, on_fake, part):
        spoilt = with_windows(part.real, part.noise.uniform((4,)))
        value = part.against(on_real, spoilt, part.labels)
        return part.now(self.weight) * value, {"d_negatives": value}


def with_windows(images, uniform):
    """Images with a window of the one before, of the first one with one of the last.

    Args:
        images: `(B, H, W, 3)` float32.
        uniform: `(B, 4)` float32 in [0, 1): where the window's middle is, down and to the right,
            and how high and wide it is.

    Returns:
        `(B, H, W, 3)` float32.
    """
    height, width = images.shape[1:3]
    middles = MIDDLES[0] + (MIDDLES[1] - MIDDLES[0]) * uniform[:, :2]
    sides = SIDES[0] + (SIDES[1] - SIDES[0]) * uniform[:, 2:]
    rows = _between(height, middles[:, :1], sides[:, :1])
    columns = _between(width, middles[:, 1:], sides[:, 1:])
    window = (rows[:, :, None] * columns[:, None, :])[..., None]
    return images + window * (ops.roll(images, 1, axis=0) - images)


def _between(pixels: int, middle, side):
    """`(B, pixels)`: 1 within `side` around `middle`, both `(B, 1)`, and 0 elsewhere."""
    at = (ops.arange(pixels, dtype="float32") + 0.5) / pixels
    return ops.sigmoid((side / 2 - ops.abs(at[None] - middle)) / EDGE)
