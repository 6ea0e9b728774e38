"""What faces go through before the tagger learns from them.

It is asked about small faces, thumbnails from the web and faces that a generator drew: blurred,
noisy, compressed, enlarged, a little off in colour or place. Hues keep their names, which is what
is to be learnt.
"""

from __future__ import annotations

import tensorflow as tf

SHIFT, SMALLEST, LARGEST = 0.08, 0.75, 1.08  # of the box that is cut out, in sides
LEAST = 0.3  # of the sides that is left when a face is made small and enlarged again
# Small: with twice as much, black and dark blue, silver and white become one.
LIGHT, CONTRAST, SATURATION, CAST = 0.05, 0.07, 0.07, 0.02
NOISE = 12 / 127.5  # the largest standard deviation, images in [-1, 1]
QUALITY = (35, 95)  # of JPEG
OFTEN = 0.3  # how often an image is compressed, and a batch blurred


def distorted(images: tf.Tensor, size: int) -> tf.Tensor:
    """A batch `(B, S, S, 3)` uint8, changed, as `(B, size, size, 3)` float32 in [-1, 1]."""
    x = _compressed(images)
    x = tf.cast(x, tf.float32) / 127.5 - 1
    x = _placed(_smaller(x), size)
    count = tf.shape(x)[0]
    x += tf.random.normal(tf.shape(x)) * tf.random.uniform((count, 1, 1, 1), 0, NOISE)
    return tf.clip_by_value(tinted(x), -1, 1)


def _compressed(images):
    def one(image):
        return tf.image.random_jpeg_quality(image, *QUALITY)

    mask = tf.random.uniform((tf.shape(images)[0],)) < OFTEN
    return tf.map_fn(
        lambda both: tf.cond(both[1], lambda: one(both[0]), lambda: both[0]),
        (images, mask),
        fn_output_signature=tf.TensorSpec(images.shape[1:], tf.uint8),
    )


def _smaller(x):
    """Half of the batches with fewer pixels."""
    full = int(x.shape[1])
    side = tf.cast(tf.random.uniform((), LEAST, 2 - LEAST) * full, tf.int32)
    smaller = lambda: tf.image.resize(x, (side, side), antialias=True)  # noqa: E731
    return tf.cond(side < full, smaller, lambda: x)


def _placed(x, size: int):
    """Mirrored, moved and zoomed, to `size`; white comes in from outside."""
    count = tf.shape(x)[0]
    side = tf.random.uniform((count, 1), SMALLEST, LARGEST)
    middle = 0.5 + tf.random.uniform((count, 2), -SHIFT, SHIFT)
    low, high = middle - side / 2, middle + side / 2
    mirrored = tf.random.uniform((count, 1)) < 0.5
    left = tf.where(mirrored, high[:, 1:], low[:, 1:])
    right = tf.where(mirrored, low[:, 1:], high[:, 1:])
    boxes = tf.concat([low[:, :1], left, high[:, :1], right], axis=1)
    return tf.image.crop_and_resize(
        x, boxes, tf.range(count), (size, size), extrapolation_value=1.0
    )


def tinted(x):
    """Images `(B, H, W, 3)` in [-1, 1], each a little lighter, duller or of another cast."""
    count = tf.shape(x)[0]
    one = (count, 1, 1, 1)
    grey = tf.reduce_mean(x, axis=-1, keepdims=True)
    x = grey + (x - grey) * (1 + tf.random.uniform(one, -SATURATION, SATURATION))
    x = x * (1 + tf.random.uniform(one, -CONTRAST, CONTRAST))
    x += tf.random.uniform(one, -LIGHT, LIGHT)
    return x + tf.random.uniform((count, 1, 1, 3), -CAST, CAST)
