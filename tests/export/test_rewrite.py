"""The rewrite is exact, and leaves nothing that it is there to remove."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from networks import GENERATED, generator, in_time, inputs, pictures, shaken, upscaler

from tfanime.export.graph.graph import from_keras
from tfanime.export.graph.rewrite import multiply_adds, rewrite
from tfanime.layers import PixelShuffle

EXACT = 1e-5


def both(model, *given):
    """What Keras draws and what the rewritten graph draws; and the graphs."""
    trained = from_keras(model)
    graph = rewrite(trained)
    expected = np.asarray(model(given if len(given) > 1 else given[0], training=False))
    np.testing.assert_allclose(np.asarray(trained(*given)), expected, atol=EXACT)
    return expected, np.asarray(graph(*given)), trained, graph


def kinds(graph):
    return [node.op for node in graph.nodes]


@pytest.mark.parametrize("labelled", [True, False], ids=["labels", "no labels"])
@pytest.mark.parametrize("name", in_time((name,) for name in GENERATED))
def test_generators_draw_the_same(name, labelled):
    model = generator(name, labelled)
    expected, found, trained, graph = both(model, *inputs(model))
    assert expected.std() > 0.1  # neither grey nor all black and white
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=EXACT)
    assert not {"affine", "conv_transpose", "layer"} & set(kinds(graph))
    if {"affine", "conv_transpose"} & set(kinds(trained)):
        assert len(graph.nodes) < len(trained.nodes) + kinds(trained).count("conv_transpose")
    shapes = graph.shapes()
    assert shapes[graph.output] == expected.shape[1:]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"factor": 4},
        {"batch_norm": True},
        *({"factor": n, "network": "compact"} for n in (2, 4)),
    ],
    ids=str,
)
def test_upscalers_enlarge_the_same_at_any_size(options):
    model = upscaler(**options)
    for size in ((16, 16), (5, 11)):
        expected, found, _, graph = both(model, pictures(2, *size))
        np.testing.assert_allclose(found, expected, atol=EXACT)
        assert not {"affine", "layer"} & set(kinds(graph))


@pytest.mark.parametrize("block", [2, 3])
@pytest.mark.parametrize("kernel", [(9, 9), (5, 7), (5, 1), (7, 3)], ids=str)
def test_convolution_behind_a_shuffle_borders_included(kernel, block):
    given = keras.Input((4, 5, 4 * block**2))
    x = PixelShuffle(block)(given)
    x = layers.Conv2D(3, kernel, padding="same")(x)
    model = shaken(keras.Model(given, x))
    x = np.random.default_rng(2).normal(size=(2, 4, 5, 4 * block**2)).astype(np.float32)
    expected, found, _, graph = both(model, x)
    np.testing.assert_allclose(found, expected, atol=EXACT)
    # By hand: eight channels are made at a time, so 3 cost 8 and 3 block^2 cost 16 or 32.
    small = [2 * -(-(k // 2) // block) + 1 for k in kernel]
    lanes = -(-3 * block**2 // 8) * 8
    cheaper = np.prod(small) * block**2 * lanes < np.prod(kernel) * 8 * block**2
    assert kinds(graph) == ["input", *(["conv", "shuffle"] if cheaper else ["shuffle", "conv"])]


def test_makegirlsmoes_last_convolution_becomes_5x5_with_12_channels():
    graph = rewrite(from_keras(generator("srresnet")))
    last = [node for node in graph.nodes if node.op == "conv"][-1]
    assert last.weights["kernel"].shape == (5, 5, 4 * 8, 12)


def test_convolutions_that_would_cost_more_stay():
    trained = from_keras(generator("modern"))
    graph = rewrite(trained)
    assert multiply_adds(graph) == multiply_adds(trained)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("stride", [2, 3])
def test_transposed_convolution(kernel, stride):
    given = keras.Input((3, 4, 2))
    x = layers.Conv2DTranspose(5, kernel, stride, padding="same")(given)
    model = shaken(keras.Model(given, x))
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 2)).astype(np.float32)
    expected, found, _, graph = both(model, x)
    np.testing.assert_allclose(found, expected, atol=EXACT)
    assert kinds(graph) == ["input", "conv", "shuffle"]
    taps = graph.nodes[1].weights["kernel"].shape[:2]
    assert taps == (-(-kernel // stride),) * 2  # none is wasted


def test_multiply_adds_of_a_4x4_stride_2_transposed_convolution():
    given = keras.Input((8, 8, 3))
    model = keras.Model(given, layers.Conv2DTranspose(5, 4, 2, padding="same")(given))
    trained = from_keras(model)
    assert multiply_adds(trained) == 8 * 8 * 16 * 3 * 5
    assert multiply_adds(rewrite(trained)) == 9 * 9 * 4 * 3 * 20


def test_batch_norm_behind_an_activation_stays_and_is_right():
    given = keras.Input((4, 4, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(given)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(2, 3, strides=2, padding="same")(x)
    x = layers.LeakyReLU(0.3)(x)
    model = shaken(keras.Model(given, x))
    x = np.random.default_rng(2).normal(size=(2, 4, 4, 3)).astype(np.float32)
    expected, found, _, graph = both(model, x)
    np.testing.assert_allclose(found, expected, atol=EXACT)
    assert "affine" in kinds(graph)


def test_a_result_that_is_used_twice_is_not_folded_away():
    given = keras.Input((4, 4, 3))
    x = layers.Conv2D(3, 3, padding="same")(given)
    x = layers.Add()([layers.BatchNormalization()(x), x])
    model = shaken(keras.Model(given, x))
    x = np.random.default_rng(2).normal(size=(2, 4, 4, 3)).astype(np.float32)
    expected, found, _, _ = both(model, x)
    np.testing.assert_allclose(found, expected, atol=EXACT)


def test_a_layer_without_a_step_is_kept():
    given = keras.Input((4, 4, 3))
    x = layers.Conv2D(3, 3, padding="same", activation="gelu")(given)
    x = layers.GroupNormalization(1)(x)
    model = shaken(keras.Model(given, x))
    x = np.random.default_rng(2).normal(size=(2, 4, 4, 3)).astype(np.float32)
    expected, found, _, graph = both(model, x)
    np.testing.assert_allclose(found, expected, atol=EXACT)
    assert kinds(graph) == ["input", "layer", "layer"]


def test_what_cannot_be_read():
    shared = layers.Dense(2)
    given = keras.Input((2,))
    with pytest.raises(ValueError, match="is called once. Received: 'dense.*called 2 times"):
        from_keras(keras.Model(given, shared(shared(given))))
    with pytest.raises(ValueError, match="has one output. Received: 2"):
        from_keras(keras.Model(given, [layers.Dense(2)(given), layers.Dense(3)(given)]))
    with pytest.raises(ValueError, match="Only functional Keras models"):
        from_keras(keras.Sequential([given, layers.Dense(1)]))
