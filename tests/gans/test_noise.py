"""The noise of a step: a pure function of seed, step and order."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tfanime.gans.noise import StepNoise


def numbers(seed=7, step=3, batch=6, shape=(2, 2)):
    noise = StepNoise(seed, step, batch)
    return noise.normal(shape).numpy(), noise.uniform(shape).numpy(), noise.normal(shape).numpy()


def test_same_seed_and_step_same_numbers():
    for mine, again in zip(numbers(), numbers(), strict=True):
        np.testing.assert_array_equal(mine, again)


@pytest.mark.parametrize("other", [{"seed": 8}, {"step": 4}, {"seed": 2**32 - 1}])
def test_other_streams_differ(other):
    for mine, theirs in zip(numbers(), numbers(**other), strict=True):
        assert not np.isclose(mine, theirs).any()


def test_draws_of_a_step_are_independent():
    first, _, second = numbers(batch=4000)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03
    steps = [numbers(step=k, batch=4000)[0].ravel() for k in (0, 1)]
    seeds = [numbers(seed=k, batch=4000)[0].ravel() for k in (0, 1)]
    assert abs(np.corrcoef(steps)[0, 1]) < 0.03 and abs(np.corrcoef(seeds)[0, 1]) < 0.03


def test_known_values():
    # A change of these changes what a resumed run draws.
    noise = StepNoise(7, 3, 1)
    np.testing.assert_allclose(noise.normal((3,)), [[-0.2299156, -1.1221681, 0.7302620]], atol=1e-6)
    np.testing.assert_allclose(noise.uniform((3,)), [[0.9300165, 0.3763148, 0.7974061]], atol=1e-6)


def test_distributions():
    normal, uniform, _ = numbers(batch=20_000, shape=(1,))
    assert normal.dtype == uniform.dtype == np.float32
    assert abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.03
    assert 0 <= uniform.min() and uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01 and abs(uniform.var() - 1 / 12) < 0.003


def test_a_graph_draws_what_eager_draws():
    @tf.function
    def graph(step, batch):
        return StepNoise(7, step, batch).normal((2, 2))

    found = graph(tf.constant(3, tf.int64), tf.constant(6))
    np.testing.assert_array_equal(found, numbers()[0])


def test_replicas_share_the_global_batch(monkeypatch):
    whole = numbers(batch=6)
    parts = []
    for replica in range(3):
        context = SimpleNamespace(num_replicas_in_sync=3, replica_id_in_sync_group=replica)
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda c=context: c)
        parts.append(numbers(batch=2))
    for i, expected in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), expected)
