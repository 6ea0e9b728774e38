"""Philox4x32-10 as TensorFlow's `stateless_uniform(alg="philox")` runs it.

Only `* + ^ & >>` of uint32 arrays, so that NumPy and JAX compute alike: the noise of a step has
the same bits under every backend.

Reference: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

import numpy as np

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
SCRAMBLE = (0x3EC8F720, 0x02461E29)  # TensorFlow's key for turning a seed into key and counter
WORD = 0xFFFFFFFF


def in_a_row(start: int, stop: int, body, values):
    """`values` after `body(i, values)` for every i from `start` on, as `jax.lax.fori_loop`."""
    for i in range(start, stop):
        values = body(i, values)
    return values


def philox(key, counter, loop=in_a_row):
    """Four words for every counter.

    Args:
        key: two uint32 arrays of one element.
        counter: four uint32 arrays of one shape.
        loop: how rounds are repeated, `in_a_row` or `jax.lax.fori_loop`.

    Returns:
        Tuple of four uint32 arrays.
    """
    return loop(0, ROUNDS, _round, (*key, *counter))[2:]


def _round(turn, words):
    k0, k1, c0, c1, c2, c3 = words
    high0, low0 = _product(MULTIPLIERS[0], c0)
    high1, low1 = _product(MULTIPLIERS[1], c2)
    key = k0 + np.uint32(WEYL[0]), k1 + np.uint32(WEYL[1])
    return *key, high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0


def _product(factor: int, word):
    """High and low words of a 64-bit product, without 64-bit integers."""
    low, high = np.uint32(factor & 0xFFFF), np.uint32(factor >> 16)
    mask, half = np.uint32(0xFFFF), np.uint32(16)
    small, large = word & mask, word >> half
    middle = high * small + (low * small >> half)
    carry = low * large + (middle & mask)
    return high * large + (middle >> half) + (carry >> half), np.uint32(factor) * word


def key_and_counter(words, loop=in_a_row):
    """What TensorFlow makes of a seed.

    Args:
        words: the four uint32 words of the two 64-bit numbers of the seed, low words first, as
            arrays of one element.
        loop: as for `philox`.

    Returns:
        `(key, upper half of the counter)`, two words each.
    """
    key = tuple(np.full(1, word, np.uint32) for word in SCRAMBLE)
    k0, k1, c2, c3 = philox(key, words, loop)
    return (k0, k1), (c2, c3)


def blocks(words, index, loop=in_a_row):
    """Words `4 i` to `4 i + 3` of a seed's stream, for every i of the uint32 array `index`."""
    key, (c2, c3) = key_and_counter(words, loop)
    zero = index ^ index
    return philox(key, (index, zero, zero + c2, zero + c3), loop)
