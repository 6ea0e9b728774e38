"""Differentiable augmentation of whatever the discriminator sees (Zhao et al. 2020).

Real and generated pictures go through the same random changes, so that the discriminator cannot
learn the few real pictures by heart, and the generator's gradient flows through them. Each change
can be left out at random, with a probability that follows how far the discriminator overfits.

References:
    [Zhao et al., 2020](https://arxiv.org/abs/2006.10738) (DiffAugment)
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676) (adaptive probability, ADA)
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

SHIFT = 0.125  # of the picture's side, as the authors'
CUTOUT = 0.5


def color(images, noise):
    """Brightness +-0.5, saturation x0-2, contrast x0.5-1.5, one of each a picture."""
    one = (1, 1, 1)
    images = images + (noise.uniform(one) - 0.5)
    grey = ops.mean(images, axis=-1, keepdims=True)
    images = grey + (images - grey) * (2.0 * noise.uniform(one))
    middle = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return middle + (images - middle) * (noise.uniform(one) + 0.5)


def translation(images, noise):
    """Moves each picture by up to an eighth of its sides; black (0 in [-1, 1] is grey) fills in."""
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


POLICIES: dict[str, Callable] = {"color": color, "translation": translation, "cutout": cutout}


def diff_augment(policy: str) -> Callable:
    """The augmentation `"color,translation,cutout"` or any part of it, in that order given.

    Returns:
        Function `(images (B, H, W, 3) float32, noise: StepNoise, probability=None) -> images`.
        Each picture goes through each change with that probability (scalar, 0 to 1), on its own;
        None: always.
    """
    names = [name.strip() for name in policy.split(",") if name.strip()]
    unknown = [name for name in names if name not in POLICIES]
    if unknown or not names:
        raise ValueError(
            f"augment is a list of: {', '.join(POLICIES)}, separated by commas. "
            f"Received: {policy!r}."
        )

    def apply(images, noise, probability=None):
        for name in names:
            changed = POLICIES[name](images, noise)
            if probability is None:
                images = changed
            else:
                images = ops.where(noise.uniform((1, 1, 1)) < probability, changed, images)
        return images

    return apply


def adapted(probability, overfit, target: float, pictures: int, ramp: int):
    """The next probability of ADA (Karras et al. 2020, section 3.1).

    It rises while the mean sign of D(real) is above `target`, which says that the discriminator
    has begun to know the real pictures, and falls while it is below.

    Args:
        probability: scalar, 0 to 1.
        overfit: scalar: mean sign of the discriminator's logits of real pictures (r_t).
        target: the mean sign to keep to; 0.6 in the paper.
        pictures: real pictures seen since the last call.
        ramp: pictures it takes to go from 0 to 1; 500,000 in the paper.

    Returns:
        float32 scalar, 0 to 1.
    """
    return ops.clip(probability + ops.sign(overfit - target) * (pictures / ramp), 0.0, 1.0)
