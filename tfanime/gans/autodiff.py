"""Differentiating a discriminator with respect to its pictures."""

from __future__ import annotations

import tensorflow as tf
from keras import ops


def input_gradients(logits_of, images):
    """Gradient of the summed logits with respect to `images`; itself differentiable.

    Args:
        logits_of: function from pictures to logits `(B, 1)`.
        images: `(B, H, W, 3)` float32.

    Returns:
        `(B, H, W, 3)` gradients; row i is the gradient of logit i (see `penalties`).
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = ops.sum(ops.cast(logits_of(images), "float32"))
    return tape.gradient(total, images)
