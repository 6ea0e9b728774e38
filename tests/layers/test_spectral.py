"""Spectral normalisation against `numpy.linalg.svd`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfanime.layers import SpectralConv2D, SpectralDense
from tfanime.layers.spectral import spectral_layers

CONV = {"filters": 6, "kernel_size": 3, "strides": 2, "padding": "same"}
KINDS = [
    pytest.param(lambda **k: SpectralDense(5, **k), (7,), id="dense"),
    pytest.param(lambda **k: SpectralConv2D(**CONV, **k), (8, 8, 4), id="conv"),
]


def built(make, shape, **kwargs):
    keras.utils.set_random_seed(1)
    # A kernel whose singular values are far apart converges soon.
    layer = make(kernel_initializer="glorot_normal", **kwargs)
    layer.build((None, *shape))
    kernel = layer.kernel.numpy()
    direction = np.random.default_rng(0).standard_normal(kernel.shape)
    layer.kernel.assign(kernel + 0.1 * direction)
    return layer


def matrix(layer):
    return layer.kernel.numpy().reshape(-1, layer.kernel.shape[-1]).astype(np.float64)


def batch(shape, n=3):
    return np.random.default_rng(2).standard_normal((n, *shape)).astype(np.float32)


@pytest.mark.parametrize("make, shape", KINDS)
def test_sigma_is_the_largest_singular_value(make, shape):
    layer = built(make, shape)
    layer.power_step(300)
    expected = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    np.testing.assert_allclose(layer.sigma(), expected, rtol=1e-5)
    singular = np.linalg.svd(np.reshape(layer.normalised_kernel(), matrix(layer).shape))[1]
    np.testing.assert_allclose(singular[0], 1.0, rtol=1e-5)


@pytest.mark.parametrize("make, shape", KINDS)
def test_one_power_step_is_the_papers(make, shape):
    layer = built(make, shape)
    w, u = matrix(layer), layer.u.numpy().astype(np.float64)
    v = w @ u / np.linalg.norm(w @ u)
    u = w.T @ v / np.linalg.norm(w.T @ v)
    layer.power_step()
    np.testing.assert_allclose(layer.v, v, atol=1e-6)
    np.testing.assert_allclose(layer.u, u, atol=1e-6)
    np.testing.assert_allclose(layer.sigma(), v @ w @ u, rtol=1e-6)


@pytest.mark.parametrize("make, shape", KINDS)
def test_usable_from_the_first_call(make, shape):
    # u is random; v and sigma fit it already.
    keras.utils.set_random_seed(3)
    layer = make()
    layer.build((None, *shape))
    np.testing.assert_allclose(np.linalg.norm(layer.u), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(layer.v), 1.0, rtol=1e-5)
    largest = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    assert 0.7 * largest < float(layer.sigma()) <= largest * (1 + 1e-5)


@pytest.mark.parametrize("make, shape", KINDS)
def test_the_gradient_is_orthogonal_to_the_kernel(make, shape):
    layer = built(make, shape)
    x = batch(shape)
    weights = np.random.default_rng(4).standard_normal(layer(x).shape)

    def cosine():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x) * weights)
        gradient = tape.gradient(loss, layer.kernel.value).numpy().ravel().astype(np.float64)
        kernel = layer.kernel.numpy().ravel()
        return abs(gradient @ kernel) / np.linalg.norm(gradient) / np.linalg.norm(kernel)

    layer.power_step(300)
    assert cosine() < 1e-4
    # And the reason is the path through sigma: a fixed sigma is far from orthogonal.
    sigma = tf.stop_gradient(layer.sigma())
    layer.sigma = lambda: sigma
    assert cosine() > 1e-3


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("make, shape", KINDS)
def test_computes_with_the_normalised_kernel(make, shape, use_bias, activation):
    layer = built(make, shape, use_bias=use_bias, activation=activation)
    layer.power_step(3)
    x = batch(shape)
    kernel = layer.kernel.numpy() / float(layer.sigma())
    if isinstance(layer, SpectralDense):
        expected = x @ kernel
    else:
        expected = tf.nn.conv2d(x, kernel, 2, "SAME").numpy()
    if use_bias:
        bias = np.arange(expected.shape[-1], dtype=np.float32)
        layer.bias.assign(bias)
        expected = expected + bias
    if activation:
        expected = np.maximum(expected, 0)
    for training in (True, False):
        np.testing.assert_allclose(layer(x, training=training), expected, atol=1e-5)


@pytest.mark.parametrize("make, shape", KINDS)
def test_calls_change_nothing(make, shape):
    layer = built(make, shape)
    before = [w.numpy() for w in layer.weights]
    for training in (True, False):
        layer(batch(shape), training=training)
    for weight, old in zip(layer.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert {w.name for w in layer.trainable_variables} == {"kernel", "bias"}


@pytest.mark.parametrize("make, shape", KINDS)
def test_bfloat16_keeps_state_in_float32(make, shape):
    layer = built(make, shape, dtype="mixed_bfloat16")
    layer.power_step(300)
    assert layer.u.dtype == layer.v.dtype == layer.sigma().dtype == "float32"
    expected = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    np.testing.assert_allclose(layer.sigma(), expected, rtol=1e-5)
    assert layer(batch(shape)).dtype == "bfloat16"


@pytest.mark.parametrize("make, shape", KINDS)
def test_a_zero_kernel_is_harmless(make, shape):
    layer = make(kernel_initializer="zeros")
    layer.build((None, *shape))
    layer.power_step()
    assert np.isfinite(layer(batch(shape))).all()
    # And the state recovers once there is something to normalise.
    layer.kernel.assign(np.random.default_rng(0).standard_normal(layer.kernel.shape))
    layer.power_step(300)
    expected = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    np.testing.assert_allclose(layer.sigma(), expected, rtol=1e-5)


def model():
    keras.utils.set_random_seed(5)
    x = keras.Input((8, 8, 4))
    y = SpectralConv2D(**CONV, name="conv")(x)
    inner = keras.Sequential([keras.layers.Flatten(), SpectralDense(2, name="dense")])
    return keras.Model(x, inner(y))


def test_spectral_layers_are_found_in_nested_models():
    assert [layer.name for layer in spectral_layers(model())] == ["conv", "dense"]


def test_saved_models_keep_u_and_v(tmp_path):
    net, x = model(), batch((8, 8, 4))
    for layer in spectral_layers(net):
        layer.power_step(7)
    net.save(tmp_path / "net.keras")
    twin = keras.models.load_model(tmp_path / "net.keras")
    for mine, theirs in zip(net.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_allclose(net(x), twin(x), atol=1e-6)


def test_config_round_trip():
    layer = SpectralConv2D(**CONV, activation="relu", name="c")
    twin = SpectralConv2D.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert SpectralDense.from_config(SpectralDense(3).get_config()).units == 3
