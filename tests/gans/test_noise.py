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
    normal, uniform = [[1.0337970, 1.3699775, 0.7792551]], [[0.1717383, 0.2565944, 0.1109324]]
    np.testing.assert_allclose(noise.normal((3,)), normal, atol=1e-6)
    np.testing.assert_allclose(noise.uniform((3,)), uniform, atol=1e-6)


def test_normal_is_box_muller_of_the_same_draw():
    u = StepNoise(7, 3, 50).uniform((6,)).numpy().astype(np.float64)
    radius, angle = np.sqrt(-2 * np.log(1 - u[:, :3])), 2 * np.pi * u[:, 3:]
    expected = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    for count in (5, 6):  # an odd count leaves the last one out
        found = StepNoise(7, 3, 50).normal((count,))
        np.testing.assert_allclose(found, expected[:, :count], atol=2e-6)


def test_distributions():
    normal, uniform, _ = numbers(batch=20_000, shape=(1,))
    assert normal.dtype == uniform.dtype == np.float32
    assert abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.03
    assert uniform.min() >= 0 and uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01 and abs(uniform.var() - 1 / 12) < 0.003


@pytest.mark.parametrize("jit_compile", [False, True])
def test_graph_and_xla_draw_what_eager_draws(jit_compile):
    # TensorFlow's own `stateless_normal` draws other numbers under XLA.
    @tf.function(jit_compile=jit_compile)
    def compiled(step):
        noise = StepNoise(7, step, 6)
        return noise.normal((2, 2)), noise.uniform((2, 2)), noise.normal((2, 2))

    for found, expected in zip(compiled(tf.constant(3, tf.int64)), numbers(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_batch_size_may_be_a_tensor():
    @tf.function
    def graph(batch):
        return StepNoise(7, 3, batch).normal((2, 2))

    np.testing.assert_allclose(graph(tf.constant(6)), numbers()[0], atol=1e-6)


def test_replicas_share_the_global_batch(monkeypatch):
    whole = numbers(batch=6)
    parts = []
    for replica in range(3):
        context = SimpleNamespace(num_replicas_in_sync=3, replica_id_in_sync_group=replica)
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda c=context: c)
        parts.append(numbers(batch=2))
    for i, expected in enumerate(whole):
        found = np.concatenate([part[i] for part in parts])
        np.testing.assert_allclose(found, expected, atol=1e-6)
