"""Random numbers of one training step: a pure function of (seed, step, order of the draw).

Nothing is stored, so resuming at step k draws what an uninterrupted run would have drawn. Under
a distribution strategy every replica draws the *global* batch and keeps its own rows: n replicas
with batch B/n see the same noise as one with batch B.
"""

from __future__ import annotations

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
        self._draws = 0

    def normal(self, shape: tuple[int, ...]):
        """`(B, *shape)` float32, standard normal."""
        return self._draw(tf.random.stateless_normal, shape)

    def uniform(self, shape: tuple[int, ...]):
        """`(B, *shape)` float32, uniform on [0, 1)."""
        return self._draw(tf.random.stateless_uniform, shape)

    def _draw(self, draw, shape: tuple[int, ...]):
        seed = tf.stack([tf.constant(self._seed * DRAWS + self._draws, tf.int64), self._step])
        self._draws += 1
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1
        # The algorithm is named because the default may differ from device to device.
        rows = draw((self._batch * replicas, *shape), seed, alg="philox")
        if replicas == 1:
            return rows
        first = context.replica_id_in_sync_group * self._batch
        return rows[first : first + self._batch]
