"""Random numbers of one training step: a pure function of (seed, step, order of the draw).

Nothing is stored, so resuming at step k draws what an uninterrupted run would have drawn. Under
a distribution strategy every replica draws the bits of the *global* batch and keeps its own rows:
n replicas with batch B/n see the same noise as one with batch B.

The bits are Philox's, which plain graphs, XLA and JAX agree on; what TensorFlow makes of them
differs (measured: other numbers altogether under XLA), so they are made into floats here.
"""

from __future__ import annotations

import math

from keras import ops

from tfanime.gans import backend

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
        self._seed, self._step, self._batch = seed, step, batch_size
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
        radius = ops.sqrt(-2.0 * ops.log(1.0 - uniform[:, :half]))
        angle = 2.0 * math.pi * uniform[:, half:]
        both = ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)
        return ops.reshape(both[:, :count], (-1, *shape))

    def uniform(self, shape: tuple[int, ...]):
        """`(B, *shape)` float32, uniform on [0, 1), multiples of 2**-24."""
        return ops.reshape(self._uniform(math.prod(shape)), (-1, *shape))

    def _uniform(self, count: int):
        """`(B, count)` of the next draw."""
        stream, replicas = self._seed * DRAWS + self._draws, backend.replicas()
        self._draws += 1
        bits = backend.random_bits(stream, self._step, self._batch * replicas, count)
        if replicas > 1:
            first = backend.one_replica() * self._batch
            bits = bits[first : first + self._batch]
        if self._rows is not None:
            bits = bits[self._rows]
        return backend.fractions(bits)
