"""Random numbers of one training step: a pure function of (seed, step, order of the draw).

Nothing is stored, so resuming at step k draws what an uninterrupted run would have drawn. Under
a distribution strategy every replica draws the bits of the *global* batch and keeps its own rows:
n replicas with batch B/n see the same noise as one with batch B.

The bits are Philox's, which plain graphs and XLA agree on; what TensorFlow makes of them differs
between the two (measured: other numbers altogether), so they are made into floats here.
"""

from __future__ import annotations

import math

import tensorflow as tf

# The seed of a draw is `seed x DRAWS + number of the draw within the step`.
DRAWS = 1 << 16


class StepNoise:
    """The noise stream of one training step.

    Args:
        seed: the run's seed, 0 to 2**32 - 1.
        step: integer tensor, the step.
        batch_size: rows that this replica needs, an integer or a scalar tensor.
    """

    def __init__(self, seed: int, step, batch_size):
        self._seed, self._step, self._batch = seed, tf.cast(step, tf.int64), batch_size
        self._draws, self._rows = 0, None

    def part(self, rows: slice) -> StepNoise:
        """A stream of its own that gives those rows what this one would give the whole batch."""
        part = StepNoise(self._seed, self._step, self._batch)
        part._draws, part._rows = self._draws, rows
        return part

    def follow(self, part: StepNoise) -> None:
        """Goes on where `part` is."""
        self._draws = part._draws

    def normal(self, shape: tuple[int, ...]):
        """`(B, *shape)` float32, standard normal (Box-Muller; at most 5.77)."""
        count = math.prod(shape)
        half = (count + 1) // 2
        uniform = self._uniform(2 * half)
        # 1 - u is in (0, 1], so that its logarithm is finite.
        radius = tf.sqrt(-2.0 * tf.math.log(1.0 - uniform[:, :half]))
        angle = 2.0 * math.pi * uniform[:, half:]
        both = tf.concat([radius * tf.cos(angle), radius * tf.sin(angle)], axis=1)
        return tf.reshape(both[:, :count], (-1, *shape))

    def uniform(self, shape: tuple[int, ...]):
        """`(B, *shape)` float32, uniform on [0, 1), multiples of 2**-24."""
        return tf.reshape(self._uniform(math.prod(shape)), (-1, *shape))

    def _uniform(self, count: int):
        """`(B, count)` of the next draw."""
        seed = tf.stack([tf.constant(self._seed * DRAWS + self._draws, tf.int64), self._step])
        self._draws += 1
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1
        bits = tf.random.stateless_uniform(
            (self._batch * replicas, count),
            seed,
            minval=None,
            maxval=None,
            dtype=tf.uint32,
            alg="philox",
        )
        if replicas > 1:
            first = context.replica_id_in_sync_group * self._batch
            bits = bits[first : first + self._batch]
        if self._rows is not None:
            bits = bits[self._rows]
        return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) * 2**-24
