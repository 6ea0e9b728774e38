"""MinibatchStdDev against NumPy, with known and unknown batch sizes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfanime.layers import MinibatchStdDev


def by_hand(x, size):
    """Group g holds samples g, g + groups, ...: the mean over a group of its deviations."""
    groups = len(x) // size
    found = np.empty((len(x), *x.shape[1:-1], 1))
    for g in range(groups):
        found[g::groups] = np.sqrt(x[g::groups].var(axis=0) + 1e-8).mean()
    return np.concatenate([x, found], axis=-1)


@pytest.mark.parametrize("count, size", [(8, 4), (4, 4), (6, 6), (2, 2), (1, 1)])
@pytest.mark.parametrize("known", [True, False])
def test_against_numpy(count, size, known):
    layer = MinibatchStdDev(4)
    x = np.random.default_rng(0).standard_normal((count, 3, 2, 5)).astype(np.float32)
    if known:
        found = layer(x)
    else:
        spec = tf.TensorSpec((None, 3, 2, 5))
        found = tf.function(layer, input_signature=[spec], autograph=False)(x)
    np.testing.assert_allclose(found, by_hand(x.astype(np.float64), size), atol=1e-6)


def test_alternating_kinds_are_told_apart():
    """Real and generated pictures alternate where they share a batch: copies must show."""
    varied = np.random.default_rng(0).standard_normal((8, 2, 2, 3)).astype(np.float32)
    both = np.stack([varied, np.repeat(varied[:1], 8, axis=0)], axis=1).reshape(16, 2, 2, 3)
    found = np.asarray(MinibatchStdDev()(both))[..., -1]
    assert np.min(found[::2]) > 0.5
    np.testing.assert_allclose(found[1::2], 1e-4, rtol=1e-5)


def test_identical_samples_have_finite_gradients():
    x = tf.ones((4, 2, 2, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(MinibatchStdDev()(x))
    assert np.isfinite(tape.gradient(total, x)).all()


def test_config_and_message():
    layer = MinibatchStdDev(3)
    assert MinibatchStdDev.from_config(layer.get_config()).group_size == 3
    assert layer.compute_output_shape((None, 4, 4, 7)) == (None, 4, 4, 8)
    with pytest.raises(ValueError, match="greater than one. Received: group_size=1"):
        MinibatchStdDev(1)
