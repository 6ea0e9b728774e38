"""A network called again and again: as fast as a graph, as exact as eager execution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfanime import zoo
from tfanime.sampling.sampler import CHUNK, Sampler
from tfanime.zoo.plain_graph import EAGER_CALLS, PlainGraph
from tfanime.zoo.saved import load_generator, load_upscaler


class Counting(keras.layers.Layer):
    """Counts how often Python computes it: once an eager call, once a trace."""

    calls = 0

    def call(self, x):
        self.calls += 1
        return x


def counted(width=3):
    inputs = keras.Input((width,))
    layer = Counting()
    model = keras.Model(inputs, layer(keras.layers.Dense(2)(inputs)))
    layer.calls = 0
    return model, layer


def test_it_becomes_a_graph_after_a_few_calls_of_one_shape():
    model, layer = counted()
    network, x = PlainGraph(model), np.ones((2, 3), np.float32)
    for _ in range(EAGER_CALLS):
        network(x)
    assert layer.calls == EAGER_CALLS
    for _ in range(5):
        network(x)
    assert layer.calls == EAGER_CALLS + 1
    network(x[:1])  # another shape is eager again
    assert layer.calls == EAGER_CALLS + 2


@pytest.mark.parametrize(("calls", "traced"), [(EAGER_CALLS, False), (EAGER_CALLS + 1, True)])
def test_many_calls_that_are_expected_are_a_graph_from_the_first(calls, traced):
    model, layer = counted()
    network, x = PlainGraph(model), np.float32([[1, -2, 3]])
    network.expect(calls)
    drawn = [network(x) for _ in range(calls)]
    assert layer.calls == (1 if traced else calls)
    eager = np.asarray(model(x, training=False))
    for one in drawn:
        np.testing.assert_array_equal(one, eager)


def test_a_generator_is_a_graph_from_its_first_call():
    generator = load_generator("faces-64")
    calls = []
    generator.model.call = lambda *args, **kwargs: (
        calls.append(1) or type(generator.model).call(generator.model, *args, **kwargs)
    )
    inputs = [np.zeros((CHUNK, x.shape[1]), np.float32) for x in generator.model.inputs]
    np.testing.assert_array_equal(generator(*inputs), generator(*inputs))
    assert len(calls) == 1


def test_the_graph_follows_the_weights():
    model, _ = counted()
    network, x = PlainGraph(model), np.ones((1, 3), np.float32)
    for _ in range(EAGER_CALLS + 1):
        network(x)
    kernel, bias = np.float32([[1, 2], [3, 4], [5, 6]]), np.float32([0.5, -0.5])
    model.set_weights([kernel, bias])
    np.testing.assert_array_equal(network(x), [[9.5, 11.5]])


@pytest.mark.parametrize("name", [zoo.DEFAULT, "faces-64", "posters"])
def test_image_i_does_not_depend_on_how_many_are_drawn(name):
    """Grappler's rewriting, which `predict` has, is told from it by its rounding."""
    sampler = Sampler(load_generator(name))
    n = CHUNK * (EAGER_CALLS + 2)
    latents, *labels = sampler.inputs(0, n)
    many = sampler.values(latents, *labels)
    model = sampler.generator.model
    eager = [
        np.asarray(model([x[i : i + CHUNK] for x in (latents, *labels)], training=False))
        for i in range(0, n, CHUNK)
    ]
    np.testing.assert_array_equal(many, np.concatenate(eager))


def test_upscalers_too():
    upscaler = load_upscaler("upscaler-2x")
    images = np.random.default_rng(0).uniform(-1, 1, (EAGER_CALLS + 2, 1, 16, 16, 3))
    images = images.astype(np.float32)
    for image in images:
        eager = np.clip(np.asarray(upscaler.model(image, training=False)), -1, 1)
        np.testing.assert_array_equal(upscaler(image), eager)


def test_it_reads_the_weights_of_several_devices():
    devices = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    with strategy.scope():
        model, _ = counted()
    network, x = PlainGraph(model), np.float32([[1, -2, 3]])
    drawn = [network(x) for _ in range(EAGER_CALLS + 2)]
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(drawn[-1], x @ kernel + bias, rtol=1e-5)
    np.testing.assert_array_equal(drawn[-1], drawn[0])


def test_half_precision_comes_out_as_float32():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(1, dtype="bfloat16")(inputs))
    network, x = PlainGraph(model), np.ones((1, 2), np.float32)
    drawn = [network(x) for _ in range(EAGER_CALLS + 1)]
    assert {one.dtype for one in drawn} == {np.dtype("float32")}
    np.testing.assert_array_equal(drawn[0], drawn[-1])
