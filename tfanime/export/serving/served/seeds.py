"""From seeds and indices to latents and labels, as graph operations.

`tfanime.core.seeds` is the reference; the numbers here are the same, to the bit up to the uniforms
and to 1e-6 behind `sin`, `cos` and `ln`. Every image has its own row, with its own seed.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfanime.core.label_fields import MIDDLE
from tfanime.core.labels import LabelSchema
from tfanime.core.seeds import LABELS, LATENTS, PARITY, ROTATIONS, WORD


def uniforms(seed: tf.Tensor, index: tf.Tensor, k: int, stream: int = LATENTS) -> tf.Tensor:
    """`k` uniform numbers for each image.

    Args:
        seed, index: `(m,)` int64.
        k: numbers per image.
        stream: `LATENTS` or `LABELS`.

    Returns:
        `(m, k)` float64.
    """
    blocks = tf.range((k + 1) // 2, dtype=tf.int64)[None, :] + stream
    blocks, pictures = blocks + 0 * index[:, None], index[:, None] + 0 * blocks
    key = _word(seed)[:, None], _word(tf.bitwise.right_shift(seed, 32))[:, None]
    pairs = tf.stack(_threefry(key, _word(blocks), _word(pictures)), axis=-1)
    flat = tf.reshape(pairs, (tf.shape(seed)[0], (k + 1) // 2 * 2))[:, :k]
    whole = tf.bitwise.right_shift(flat, tf.constant(8, tf.uint32))
    return (tf.cast(whole, tf.float64) + 0.5) * 2.0**-24


def latents(seed: tf.Tensor, index: tf.Tensor, dim: int) -> tf.Tensor:
    """`(m, dim)` float32: independent standard normal numbers."""
    even = dim + dim % 2
    pairs = tf.reshape(uniforms(seed, index, even), (-1, even // 2, 2))
    radius = tf.sqrt(-2.0 * tf.math.log(pairs[..., 0]))
    angle = 2.0 * np.pi * pairs[..., 1]
    normals = tf.stack((radius * tf.cos(angle), radius * tf.sin(angle)), axis=-1)
    return tf.cast(tf.reshape(normals, (-1, even))[:, :dim], tf.float32)


def labels(seed: tf.Tensor, index: tf.Tensor, schema: LabelSchema, fixed: tf.Tensor) -> tf.Tensor:
    """What `fixed` holds fixed, and the rest drawn from the schema's frequencies.

    Args:
        seed, index: `(m,)` int64.
        fixed: `(m, schema.size)` float32, 0/1 coding, NaN for what is to be drawn.

    Returns:
        `(m, schema.size)` float32, 0/1 coding, no NaN.
    """
    u = uniforms(seed, index, len(schema.fields), LABELS)
    columns = []
    for f, field in enumerate(schema.fields):
        if field.kind == "vector":
            columns.append(tf.fill((tf.shape(u)[0], field.length), 0.5))
            continue
        table = np.asarray(field.frequencies or field.default_frequencies(), np.float64)
        own = u[:, f : f + 1]
        if field.kind == "flag":
            columns.append(tf.cast(own < table[0], tf.float32))
        elif field.kind == "group":
            edges = np.cumsum(table / np.cumsum(table)[-1])[:-1]
            value = tf.reduce_sum(tf.cast(own >= edges, tf.int32), axis=1)
            columns.append(tf.one_hot(value, len(table)))
        else:
            knot = tf.floor(own * 16)
            place = tf.cast(knot, tf.int32)
            low, high = tf.gather(table, place), tf.gather(table, place + 1)
            columns.append(tf.cast((high - low) * 16 * (own - knot / 16) + low, tf.float32))
    rows = tf.concat(columns, axis=1)
    if schema.examples is not None:
        example = _examples(u[:, -1:], schema.examples, fixed)
        rows = tf.where(tf.math.is_nan(example), rows, example)
    return tf.where(tf.math.is_nan(fixed), rows, fixed)


def signed(rows: tf.Tensor) -> tf.Tensor:
    """`labels.to_signed`: 0/1 coding to -1/+1, NaN to 0. Any shape, float32."""
    doubled = rows * 2.0 - 1.0
    doubled = tf.where(doubled == 0.0, tf.constant(MIDDLE, tf.float32), doubled)
    return tf.where(tf.math.is_nan(rows), tf.zeros_like(doubled), doubled)


def unsigned(rows: tf.Tensor) -> tf.Tensor:
    """`labels.to_unsigned`: -1/+1 coding to 0/1. Any shape, float32."""
    return (rows + 1.0) / 2.0


def slerp(a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """`latent.slerp`, a pair a row.

    Args:
        a, b: `(m, dim)` float32.
        t: `(m, 1)` float64, 0 at `a` and 1 at `b`.

    Returns:
        `(m, dim)` float32.
    """
    a, b = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    length_a, length_b = (tf.norm(x, axis=1, keepdims=True) for x in (a, b))
    to_a, to_b = tf.math.divide_no_nan(a, length_a), tf.math.divide_no_nan(b, length_b)
    angle = 2 * tf.atan2(
        tf.norm(to_a - to_b, axis=1, keepdims=True), tf.norm(to_a + to_b, axis=1, keepdims=True)
    )
    straight = (tf.sin(angle) < 1e-6) | (tf.minimum(length_a, length_b) == 0)
    arc = tf.sin((1 - t) * angle) * to_a + tf.sin(t * angle) * to_b
    length = (1 - t) * length_a + t * length_b
    # Divided by 1 where there is no arc: that value is not used.
    arc = length * arc / tf.where(straight, tf.ones_like(angle), tf.sin(angle))
    return tf.cast(tf.where(straight, (1 - t) * a + t * b, arc), tf.float32)


def lerp(a: tf.Tensor, b: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
    """`latent.lerp`, a pair a row; as `slerp`."""
    a, b = tf.cast(a, tf.float64), tf.cast(b, tf.float64)
    return tf.cast((1 - t) * a + t * b, tf.float32)


def _examples(u: tf.Tensor, examples: np.ndarray, fixed: tf.Tensor) -> tf.Tensor:
    """`LabelSchema`'s: an example for each `u (m, 1)`, among those nearest to what is given."""
    apart = tf.abs(tf.constant(examples)[None] - fixed[:, None])
    apart = tf.reduce_sum(tf.where(tf.math.is_nan(apart), 0.0, apart), axis=2)
    close = tf.cast(apart <= tf.reduce_min(apart, axis=1, keepdims=True) + 1e-6, tf.int32)
    count = tf.cast(tf.reduce_sum(close, axis=1, keepdims=True), tf.float64)
    rank = tf.cast(tf.floor(u * count), tf.int32)
    row = tf.argmax(tf.cumsum(close, axis=1) > rank, axis=1)
    return tf.gather(examples, row)


def _word(x: tf.Tensor) -> tf.Tensor:
    """The low 32 bits of int64, as uint32."""
    return tf.cast(tf.bitwise.bitwise_and(x, tf.constant(WORD, tf.int64)), tf.uint32)


def _threefry(key, x0: tf.Tensor, x1: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`latent.threefry` on uint32 tensors; the key's two words broadcast."""
    xor = tf.bitwise.bitwise_xor
    words = (*key, xor(xor(tf.constant(PARITY, tf.uint32), key[0]), key[1]))
    x0, x1 = x0 + words[0], x1 + words[1]
    for turn in range(20):
        left = tf.constant(ROTATIONS[turn % 8], tf.uint32)
        right = tf.constant(32 - ROTATIONS[turn % 8], tf.uint32)
        x0 = x0 + x1
        rotated = tf.bitwise.bitwise_or(
            tf.bitwise.left_shift(x1, left), tf.bitwise.right_shift(x1, right)
        )
        x1 = xor(rotated, x0)
        if turn % 4 == 3:
            s = turn // 4 + 1
            x0 = x0 + words[s % 3]
            x1 = x1 + words[(s + 1) % 3] + tf.constant(s, tf.uint32)
    return x0, x1
