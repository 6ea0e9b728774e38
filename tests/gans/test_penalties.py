"""Gradient penalties against closed forms: linear and quadratic critics, and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tfanime.gans import penalties, terms
from tfanime.gans.backend import input_gradients
from tfanime.gans.noise import StepNoise

SHAPE = (6, 5, 3)
RNG = np.random.default_rng(0)


def pictures(count, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return tf.constant(scale * rng.uniform(-1, 1, (count, *SHAPE)), tf.float32)


def noise(count, step=0):
    return StepNoise(seed=5, step=step, batch_size=count)


def direction(norm):
    w = RNG.standard_normal(SHAPE)
    return tf.constant(norm * w / np.linalg.norm(w), tf.float32)


def linear(w):
    return lambda x: tf.reduce_sum(x * w, axis=(1, 2, 3))[:, None]


def quadratic(x):
    """Gradient at x: x itself."""
    return 0.5 * tf.reduce_sum(x * x, axis=(1, 2, 3))[:, None]


def value(penalty, critic, count):
    points = penalty.points(pictures(count), pictures(count, seed=1), noise(count))
    return penalty.value(input_gradients(critic, points))


@pytest.mark.parametrize("make", [penalties.wgan_gp, penalties.dragan])
@pytest.mark.parametrize("count", [1, 2, 64])
@pytest.mark.parametrize("norm", [0.25, 1.0, 3.0])
def test_linear_critic_whatever_the_batch_size(make, count, norm):
    # With one norm for the whole batch, 64 samples of norm 1 would cost (8 - 1)^2 = 49.
    found = value(make(), linear(direction(norm)), count)
    np.testing.assert_allclose(found, (norm - 1) ** 2, atol=1e-5)


@pytest.mark.parametrize("count", [1, 64])
def test_r1_of_a_linear_critic(count):
    found = value(penalties.r1(), linear(direction(3.0)), count)
    np.testing.assert_allclose(found, 0.5 * 9.0, rtol=1e-5)


def test_r2_looks_at_the_generated_images():
    # Of the quadratic critic the gradient at x is x.
    found = value(penalties.r2(), quadratic, 5)
    fake = pictures(5, seed=1).numpy().astype(np.float64)
    expected = 0.5 * (fake**2).sum(axis=(1, 2, 3)).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_norms_are_those_of_each_sample():
    real = pictures(8) * tf.reshape(tf.range(1.0, 9.0), (8, 1, 1, 1))
    gradients = input_gradients(quadratic, real)
    np.testing.assert_allclose(gradients, real, rtol=1e-6)
    norms = np.linalg.norm(real.numpy().reshape(8, -1).astype(np.float64), axis=1)
    np.testing.assert_allclose(penalties.gradient_norms(gradients), norms, rtol=1e-6)
    expected = np.square(norms - 1).mean()
    np.testing.assert_allclose(penalties.towards_norm(gradients), expected, rtol=1e-6)
    np.testing.assert_allclose(
        penalties.towards_norm(gradients, 2.0), np.square(norms - 2).mean(), rtol=1e-6
    )
    expected = 0.5 * np.square(norms).mean()
    np.testing.assert_allclose(penalties.towards_zero(gradients), expected, rtol=1e-6)


def test_bfloat16_gradients_are_widened():
    gradients = tf.cast(pictures(4), tf.bfloat16)
    exact = np.linalg.norm(tf.cast(gradients, tf.float64).numpy().reshape(4, -1), axis=1)
    np.testing.assert_allclose(penalties.gradient_norms(gradients), exact, rtol=1e-6)
    assert penalties.towards_zero(gradients).dtype == tf.float32


@pytest.mark.parametrize("make", [penalties.wgan_gp, penalties.dragan, penalties.r1])
def test_a_flat_critic_has_finite_gradients(make):
    w = tf.Variable(tf.zeros(SHAPE))
    with tf.GradientTape() as tape:
        found = value(make(), linear(w), 4)
    assert np.isfinite(tape.gradient(found, w)).all()
    np.testing.assert_allclose(found, 0.0 if make is penalties.r1 else 1.0, atol=1e-5)


@pytest.mark.parametrize("make", [penalties.wgan_gp, penalties.dragan, penalties.r1])
def test_derivative_by_the_critics_weights(make):
    # A critic whose penalty is written down in float64: D(x) = sum_j a_j tanh(w_j . x).
    rng = np.random.default_rng(4)
    inputs = int(np.prod(SHAPE))
    w0, a0 = rng.standard_normal((inputs, 3)) / 5, rng.standard_normal((3, 1))
    penalty = make()
    points = penalty.points(pictures(5), pictures(5, seed=1), noise(5))
    flat = points.numpy().reshape(5, -1).astype(np.float64)

    def by_hand(w, a):
        gradients = (1 - np.tanh(flat @ w) ** 2) @ (a * w.T)
        norms = np.linalg.norm(gradients, axis=1)
        if make is penalties.r1:
            return 0.5 * np.square(norms).mean()
        return np.square(norms - 1).mean()

    w, a = tf.Variable(w0, dtype=tf.float32), tf.Variable(a0, dtype=tf.float32)
    with tf.GradientTape() as tape:
        gradients = input_gradients(lambda x: tf.tanh(tf.reshape(x, (5, inputs)) @ w) @ a, points)
        found = penalty.value(gradients)
    np.testing.assert_allclose(found, by_hand(w0, a0), rtol=1e-5)
    by_w, by_a = tape.gradient(found, [w, a])
    h = 1e-6
    for index in [(0, 0), (10, 1), (89, 2)]:
        step = np.zeros_like(w0)
        step[index] = h
        difference = (by_hand(w0 + step, a0) - by_hand(w0 - step, a0)) / (2 * h)
        np.testing.assert_allclose(by_w[index], difference, rtol=1e-3, atol=1e-5)
    for j in range(3):
        step = np.zeros_like(a0)
        step[j] = h
        difference = (by_hand(w0, a0 + step) - by_hand(w0, a0 - step)) / (2 * h)
        np.testing.assert_allclose(by_a[j, 0], difference, rtol=1e-3, atol=1e-5)


def test_interpolation_is_uniform_with_one_alpha_per_sample():
    count = 4000
    real, fake = pictures(count), pictures(count, seed=1) + 3.0
    points = penalties.wgan_gp().points(real, fake, noise(count))
    alpha = ((points - real) / (fake - real)).numpy().reshape(count, -1)
    assert np.ptp(alpha, axis=1).max() < 1e-4
    alpha = alpha[:, 0]
    assert alpha.min() >= -1e-5 and alpha.max() <= 1 + 1e-5
    # Kolmogorov-Smirnov distance to the uniform distribution; a normal alpha has 0.2 or more.
    distance = np.abs(np.sort(alpha) - (np.arange(count) + 0.5) / count).max()
    assert distance < 1.63 / np.sqrt(count)  # the 1 % level


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_dragans_perturbation(scale):
    count = 2000
    # Channels of different spread: there is one standard deviation for the batch.
    real = pictures(count) * tf.constant([0.1, 0.5, 1.0])
    delta = (penalties.dragan(scale=scale).points(real, None, noise(count)) - real).numpy()
    spread = scale * real.numpy().std()
    np.testing.assert_allclose(delta.std(axis=(0, 1, 2)), spread, rtol=0.02)
    assert abs(delta.mean()) < 0.01 * spread
    # Gaussian, as the paper has it.
    z = delta / spread
    assert abs((z**4).mean() - 3) < 0.1 and abs((z**3).mean()) < 0.05
    assert abs((np.abs(z) > 2).mean() - 0.0455) < 0.003
    # Every pixel has its own.
    assert abs(np.corrcoef(z[:, 0, 0, 0], z[:, 0, 1, 0])[0, 1]) < 0.1


@pytest.mark.parametrize("name, axis", [("dragan-uniform", None), ("dragan-chainer", 0)])
def test_dragans_perturbation_in_published_code(name, axis):
    # The authors' notebook: X + 0.5 * X.std() * random(X.shape), where chainer-gan-lib has
    # std(X, axis=0).
    count = 3000
    real = pictures(count) * tf.constant([0.1, 0.5, 1.0])
    penalty = penalties.PENALTIES[name](0.5)
    assert penalty.weight == 0.5
    delta = (penalty.points(real, None, noise(count)) - real).numpy()
    u = np.sort(delta / (0.5 * real.numpy().std(axis=axis)), axis=0)
    assert u.min() >= -1e-4 and u.max() < 1 + 1e-4
    expected = ((np.arange(count) + 0.5) / count)[:, None, None, None]
    assert np.abs(u - expected).max() < 2.2 / np.sqrt(count)  # each pixel, uniform


def test_the_deviation_over_replicas_is_that_of_the_whole_batch(monkeypatch):
    # Two replicas, the second with what the first has and 0.5: a border of one grey stays one.
    grey = np.linspace(-1, 1, 256, dtype=np.float32)[None].repeat(8, axis=0)
    own, other = grey.copy(), grey.copy()
    own[:, :9], other[:, :9] = 0.25, 0.75
    parts = iter((other.mean(0), None))

    def mean_of_both(values):
        (value,) = values
        theirs = next(parts)
        if theirs is None:  # squares around the mean of both
            theirs = ((other - (own.mean(0) + other.mean(0)) / 2) ** 2).mean(0)
        return [(value + theirs) / 2]

    monkeypatch.setattr(terms.backend, "replicas", lambda: 2)
    monkeypatch.setattr(terms.backend, "all_replicas_mean", mean_of_both)
    found = np.asarray(terms._global_deviation(tf.constant(own), 0))
    np.testing.assert_allclose(found, np.concatenate((own, other)).std(0), atol=1e-6)
    assert (found[9:] < 1e-6).all() and found[0] == 0.25


def test_r1_looks_at_the_real_pictures():
    real = pictures(3)
    assert penalties.r1().points(real, pictures(3, seed=1), noise(3)) is real


def test_defaults_are_the_papers():
    assert penalties.wgan_gp().weight == 10.0 and penalties.wgan_gp().target == 1.0
    assert penalties.dragan().scale == 0.5 and penalties.dragan(0.5).weight == 0.5
    assert penalties.r1().target is None and penalties.r1().every == 1
    drawn = {"dragan", "dragan-uniform", "dragan-chainer"}
    assert set(penalties.PENALTIES) == {"wgan-gp", "r1", "r2"} | drawn


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("nowhere", 1.0), "taken at one of .*Received: 'nowhere'"),
        (("real", -1.0), "weight >= 0 and every >= 1. Received: weight=-1.0, every=1"),
        (("real", 1.0, None, 0), "every >= 1. Received: weight=1.0, every=0"),
        (("perturbed", 1.0, 1.0, 1, 0.5, "pink"), "noise is one of .*Received: 'pink'"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        penalties.GradientPenalty(*arguments)
