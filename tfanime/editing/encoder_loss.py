"""What an encoder learns from: images as people bring them, and how far its answers are off."""

from __future__ import annotations

import tensorflow as tf

from tfanime.core.labels import LabelSchema
from tfanime.tagging.distortions import NOISE, tinted

SHIFT, ZOOM = 0.04, 0.08  # of the sides: people crop an image by hand
BLURRED = (0.4, 1.6)  # of the sides that are left when a batch is made small; from 1 on it is not
PAPER = 1.0  # white, which comes in from outside


def worn(pictures: tf.Tensor) -> tf.Tensor:
    """Images `(B, H, W, 3)` float32 in [-1, 1], each a little off in place, size and colour, and
    noisy; every second batch is blurred."""
    count = tf.shape(pictures)[0]
    height, width = (int(side) for side in pictures.shape[1:3])
    side = 1 + tf.random.uniform((count, 1), -ZOOM, ZOOM)
    middle = 0.5 + tf.random.uniform((count, 2), -SHIFT, SHIFT)
    boxes = tf.concat([middle - side / 2, middle + side / 2], axis=1)
    size = (height, width)
    x = tf.image.crop_and_resize(pictures, boxes, tf.range(count), size, extrapolation_value=PAPER)
    part = tf.random.uniform((), *BLURRED)
    small = tf.cast(tf.stack([part * height, part * width]), tf.int32)
    blurred = lambda: tf.image.resize(tf.image.resize(x, small, antialias=True), size)  # noqa: E731
    x = tf.cond(part < 1, blurred, lambda: x)
    x += tf.random.normal(tf.shape(x)) * tf.random.uniform((count, 1, 1, 1), 0, NOISE)
    return tf.clip_by_value(tinted(x), -1, 1)


def label_loss(schema: LabelSchema | None, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of the fields: of the softmax over a group's values, else of the sigmoid.

    Args:
        schema: what the columns mean; None: no labels.
        labels: `(B, L)` in 0/1 coding; NaN: not known, and left out.
        logits: `(B, L)`.

    Returns:
        Scalar.
    """
    total, count = tf.constant(0.0), tf.constant(0.0)
    for field in () if schema is None else schema.fields:
        columns = schema.slices()[field.name]
        y, x = labels[:, columns], logits[:, columns]
        mask = tf.cast(tf.reduce_all(y == y, axis=1), tf.float32)  # NaN is not itself
        y = tf.where(y == y, y, 0.0)
        if field.kind == "group":
            loss = tf.nn.softmax_cross_entropy_with_logits(y, x)
        else:
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, x), axis=1)
        total, count = total + tf.reduce_sum(mask * loss), count + tf.reduce_sum(mask)
    return total / tf.maximum(count, 1.0)


def latent_loss(latents: tf.Tensor, estimates: tf.Tensor) -> tf.Tensor:
    """Mean squared error of latents `(B, dim)`, a scalar: 1 for who always says 0."""
    return tf.reduce_mean(tf.square(latents - estimates))
