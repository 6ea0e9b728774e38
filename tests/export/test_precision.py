"""How many bits weights get: the arithmetic, and the choice."""

from __future__ import annotations

import numpy as np
import pytest
from networks import generator, inputs

from tfanime.export.graph import precision
from tfanime.export.graph.graph import from_keras
from tfanime.export.graph.quantisation import shortened
from tfanime.export.graph.rewrite import rewrite


def none(count):
    pass


@pytest.fixture(scope="module")
def drawn():
    """A rewritten graph, inputs, and what it draws."""
    model = generator("srresnet")
    graph, given = rewrite(from_keras(model)), inputs(model, 16)
    return graph, given, precision.draw(graph, given)


def test_float16_is_ieees():
    values = np.float32([1 / 3, 70000, 1e-9])
    stored, seen = precision.quantised(values, "float16")
    assert stored.dtype == np.float16 and seen.dtype == np.float32
    np.testing.assert_array_equal(seen, [1365 / 4096, np.inf, 0])


def test_fourteen_bits_are_float16_rounded_to_eight_bits_behind_the_point():
    given = [1, 1 + 2**-8, 1 + 3 * 2**-10, -1 / 3, 2047 / 1024, 0, 6e-8]
    expected = [1, 1 + 2**-8, 1 + 2**-8, -1364 / 4096, 2, 0, 0]
    np.testing.assert_array_equal(shortened(np.float32(given)), np.float32(expected))


def test_kernels_that_get_no_8_bits_use_14_of_16(drawn):
    graph, *_ = drawn
    eight = precision.kernels(graph)[:1]
    plans = {name: precision.plan(graph, name, eight) for name in ("mixed", "float16")}
    for name, plan in plans.items():
        stored = {names: data for names, data, _ in plan.stored() if names[1] == "kernel"}
        used = {
            names: data.view(np.uint16) % 4 for names, data in stored.items() if data.itemsize == 2
        }
        assert len(used) == len(stored) - (name == "mixed")
        assert any(bits.any() for bits in used.values()) == (name == "float16")
    for node in graph.nodes:  # the graph itself stays
        for key, values in node.weights.items():
            if node.name not in eight:
                expected = shortened(values) if key == "kernel" else values
                np.testing.assert_array_equal(
                    plans["mixed"].graph.node(node.name).weights[key], expected
                )


def test_eight_bits_are_256_steps_with_zero_among_them():
    values = np.float32([-1, 0, 0.02, 4.1])
    stored, seen = precision.quantised(values, "uint8")
    step = 5.1 / 255  # 0.02
    np.testing.assert_array_equal(stored, [0, 50, 51, 255])
    np.testing.assert_allclose(seen, (stored.astype(float) - 50) * step, atol=1e-7)
    assert seen[1] == 0
    # Without zero in the range its ends are exact.
    stored, seen = precision.quantised(np.float32([1, 2]), "uint8")
    np.testing.assert_array_equal(stored, [0, 255])
    np.testing.assert_allclose(seen, [1, 2], atol=1e-7)
    stored, seen = precision.quantised(np.float32([3, 3]), "uint8")
    np.testing.assert_array_equal(seen, [3, 3])


def test_decibel():
    # An error of one step of an 8-bit picture everywhere: 20 log10(255) = 48.13 dB.
    assert precision.decibel((2 / 255) ** 2) == pytest.approx(48.13, abs=0.01)
    assert precision.decibel(0.0) == np.inf and precision.decibel(np.nan) == -np.inf


def test_errors_are_of_each_picture_and_clipped():
    a, b = np.zeros((2, 4, 4, 3), np.float32), np.zeros((2, 4, 4, 3), np.float32)
    b[0], b[1] = 0.5, 3
    np.testing.assert_allclose(precision.errors(a, b), [0.25, 1])


@pytest.mark.parametrize("power", [0.25, 1.0])
def test_scaled_columns_draw_the_same(drawn, power):
    graph, given, pictures = drawn
    scaled = precision.scaled(graph, "fc_bn", power)
    kernel = scaled.node("fc_bn").weights["kernel"]
    before = np.abs(graph.node("fc_bn").weights["kernel"]).max(axis=0)
    np.testing.assert_allclose(np.abs(kernel).max(axis=0), before ** (1 - power), rtol=2e-3)
    np.testing.assert_allclose(precision.draw(scaled, given), pictures, atol=1e-5)
    [step] = [node for node in scaled.nodes if node.op == "scale"]
    values = step.weights["scale"]
    np.testing.assert_array_equal(values, values.astype(np.float16))  # stored without loss
    convolution = next(node.name for node in graph.nodes if node.op == "conv")
    assert precision.scaled(graph, convolution) is graph


def test_a_column_of_zeros_stays():
    model = generator("srresnet")
    graph, given = rewrite(from_keras(model)), inputs(model)
    graph.node("fc_bn").weights["kernel"][:, 3] = 0
    expected = precision.draw(graph, given)
    scaled = precision.scaled(graph, "fc_bn")
    np.testing.assert_allclose(precision.draw(scaled, given), expected, atol=1e-5)


def test_plans_store_what_they_say(drawn):
    graph, _, _ = drawn
    names = precision.kernels(graph)
    weights = sum(w.size for node in graph.nodes for w in node.weights.values())
    big = sum(graph.node(name).weights["kernel"].size for name in names)
    scale = graph.node("fc_bn").weights["bias"].size  # the step behind the dense layer

    def size(plan):
        return sum(stored.nbytes for _, stored, _ in plan.stored())

    assert size(precision.plan(graph, "float32")) == 4 * weights
    assert size(precision.plan(graph, "float16")) == 2 * weights
    assert size(precision.plan(graph, "uint8")) == 2 * weights - big + 2 * scale
    dense = graph.node("fc_bn").weights["kernel"].size
    mixed = precision.plan(graph, "mixed", ["fc_bn"])
    assert size(mixed) == 2 * weights - dense + 2 * scale
    assert precision.plan(graph, "mixed").weights().keys() == {
        (node.name, key) for node in graph.nodes for key in node.weights
    }


def test_fewer_bits_are_smaller_and_worse(drawn):
    graph, given, pictures = drawn
    rows = [
        precision.measure(precision.plan(graph, name), given, pictures, none)
        for name in ("float32", "float16", "uint8")
    ]
    assert rows[0].psnr == np.inf and rows[0].psnr > rows[1].psnr > rows[2].psnr
    assert rows[0].gzip_bytes > rows[1].gzip_bytes > rows[2].gzip_bytes
    assert all(row.worst <= row.psnr for row in rows)
    assert rows[1].invisible and rows[1].psnr > 60


def test_eight_bits_go_where_they_do_least_harm(drawn, monkeypatch):
    graph, given, pictures = drawn
    monkeypatch.setattr(precision, "INVISIBLE", 42.5)
    chosen = precision.choose_eight(graph, given, pictures, none)
    assert chosen and len(chosen) < len(precision.kernels(graph))
    # Alone, each stays below the threshold; a threshold that nothing meets leaves none.
    for name in chosen:
        plan = precision.plan(graph, "mixed", [name])
        assert precision.measure(plan, given, pictures, none).psnr > 40
    monkeypatch.setattr(precision, "INVISIBLE", 200.0)
    assert precision.choose_eight(graph, given, pictures, none) == []
