"""Every operation that exports may hold, on every backend, against NumPy; and one they never do."""

from __future__ import annotations

import numpy as np
import pytest
from test_site import backends
from tiny import (
    CELLS,
    CHANNELS,
    LAST,
    ONCE,
    SCHEMA,
    SIZE,
    Tiny,
    node,
    text,
    texts,
    whole,
    write_folder,
)

pytestmark = pytest.mark.slow

MIDDLE = 24  # channels of the convolutions
LEAK = 0.1


def convolved(x: np.ndarray, kernel: np.ndarray, before: int, after: int) -> np.ndarray:
    x = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nyxcij,ijco->nyxo", windows, kernel)


def shuffled(x: np.ndarray, block: int) -> np.ndarray:
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, block, block, c // block**2).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, h * block, w * block, -1)


def doubled(x: np.ndarray, axis: int) -> np.ndarray:
    """Bilinear, from centre to centre: a new pixel is 3/4 its own and 1/4 its neighbour."""
    padded = np.pad(x, [(1, 1) if i == axis else (0, 0) for i in range(x.ndim)], mode="edge")
    size = x.shape[axis]
    lower, higher = (padded.take(range(start, start + size), axis) for start in (0, 2))
    pairs = np.stack((0.75 * x + 0.25 * lower, 0.75 * x + 0.25 * higher), axis + 1)
    return pairs.reshape(*x.shape[:axis], 2 * size, *x.shape[axis + 1 :])


def averaged(x: np.ndarray) -> np.ndarray:
    """Means over 2x2, padded at the end; what lies outside does not count."""
    for axis in (1, 2):
        after = x.take(range(1, x.shape[axis]), axis)
        last = x.take([-1], axis)
        x = (x + np.concatenate((after, last), axis)) / 2
    return x


def leaky(x: np.ndarray, slope: float | np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


class Everything(Tiny):
    """All that graph.ts computes and the tiny model does not need."""

    def __init__(self):
        super().__init__("everything", SCHEMA, 3)
        random = np.random.default_rng(4)

        def normal(*shape: int, scale: float = 0.3) -> np.ndarray:
            return random.normal(0, scale, shape).astype("<f4")

        self.extra = {
            "bias0": normal(CELLS * CELLS * CHANNELS),
            "kernel1": normal(2, 2, CHANNELS, MIDDLE),
            "bias1": normal(MIDDLE),
            "kernel2": normal(3, 3, MIDDLE, MIDDLE, scale=0.1),
            "bias2": normal(MIDDLE),
            "alpha2": normal(MIDDLE),
            "factor": normal(MIDDLE, scale=1),
            "bias3": normal(MIDDLE),
            "alpha3": normal(MIDDLE // 4),
        }

    def __call__(self, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        e = self.extra
        x = np.maximum(np.concatenate((z, labels), axis=1) @ self.dense + e["bias0"], 0)
        x = x.reshape(-1, CELLS, CELLS, CHANNELS)
        first = leaky(convolved(x, e["kernel1"], 1, 0) + e["bias1"], LEAK)
        x = leaky(convolved(first, e["kernel2"], 1, 1) + e["bias2"], e["alpha2"])
        x = shuffled((x - first) * e["factor"] + e["bias3"], 2)[:, :, ::-1]
        x = leaky(leaky(averaged(doubled(doubled(x, 1), 2)), LEAK), e["alpha3"])
        return np.tanh(x[..., :3] + 1 / (1 + np.exp(-x[..., 3:])))

    def _constants(self) -> dict[str, np.ndarray]:
        whole_ones = {
            "one": [1],
            "three": [3],
            "two": 2,
            "columns": [2],
            "start": [0, 0, 0, 0],
            "half": [0, 0, 0, 3],
            "size": [1, SIZE, SIZE, 3],
        }
        constants = {name: np.asarray(value, "<i4") for name, value in whole_ones.items()}
        return super()._constants() | self.extra | constants

    def _nodes(self) -> list[dict]:
        def fused(name: str, op: str, *inputs: str, activation: str, **attributes: dict) -> dict:
            ops = texts("BiasAdd", activation)
            extra = {"num_args": {"i": str(len(inputs) - 2)}, "leakyrelu_alpha": {"f": LEAK}}
            return node(name, op, *inputs, fused_ops=ops, **extra, **attributes)

        before = {"padding": text("EXPLICIT"), "explicit_paddings": whole(0, 0, 1, 0, 1, 0, 0, 0)}
        same = {"padding": text("SAME")}
        nodes = [
            *self._inputs(),
            fused("fc", "_FusedMatMul", "rows", "dense", "bias0", activation="Relu"),
            node("cells", "Reshape", "fc", "shape"),
            fused(
                "conv1",
                "_FusedConv2D",
                *("cells", "kernel1", "bias1"),
                activation="LeakyRelu",
                **ONCE,
                **before,
            ),
            fused(
                "conv2",
                "_FusedConv2D",
                *("conv1", "kernel2", "bias2", "alpha2"),
                activation="Prelu",
                **ONCE,
                **same,
            ),
            node("less", "Sub", "conv2", "conv1"),
            node("scaled", "Mul", "less", "factor"),
            node("moved", "BiasAdd", "scaled", "bias3"),
            node("shuffled", "DepthToSpace", "moved", block_size={"i": "2"}, **LAST),
            node("cells2", "ReverseV2", "shuffled", "columns"),
            node("sides", "Shape", "cells2"),
            node("rectangle", "StridedSlice", "sides", "one", "three", "one"),
            node("twice", "Mul", "rectangle", "two"),
            node("large", "ResizeBilinear", "cells2", "twice", half_pixel_centers={"b": True}),
            node("means", "AvgPool", "large", ksize=whole(1, 2, 2, 1), **same, **ONCE),
            node("leaky", "LeakyRelu", "means", alpha={"f": LEAK}),
            node("prelu", "Prelu", "leaky", "alpha3"),
            node("left", "Slice", "prelu", "start", "size"),
            node("right", "Slice", "prelu", "half", "size"),
            node("between", "Sigmoid", "right"),
            node("both", "AddV2", "left", "between"),
            node("tanh", "Tanh", "both"),
            node("output", "Identity", "tanh"),
        ]
        # Converters write nodes in any order.
        return nodes[::-1]


class Unusual(Tiny):
    """Ends with an operation that exports of recipes never have."""

    def __call__(self, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        return np.abs(super().__call__(z, labels))

    def _nodes(self) -> list[dict]:
        *nodes, last = super()._nodes()
        return [*nodes, {**last, "name": "tanh"}, node("output", "Abs", "tanh")]


DRAW = """async backend => {
  const { Generator } = await import("./tfanime.js");
  const failed = [];
  const onFallback = (name, why) => failed.push(`${name}: ${why}`);
  const g = await Generator.load(".", { backend, onFallback });
  const pictures = [];
  for (const seed of [7, 8]) pictures.push([...(await g.generate({ seed })).pixels]);
  return { pictures, backend: g.backend, failed };
}"""


@pytest.mark.parametrize("kind", [Everything, Unusual])
def test_graphs_compute_what_numpy_does(visit, folder, kind):
    model = Everything() if kind is Everything else Unusual("unusual")
    write_folder(folder, model)
    page = visit(path="example.html", wait=False)
    for backend in backends(page):
        found = page.evaluate(DRAW, backend)
        assert (found["backend"], found["failed"]) == (backend, [])
        if backend == "wasm":  # the first: only unusual graphs download the converter
            urls = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
            assert len([url for url in urls if "/converted-" in url]) == (kind is Unusual)
        for seed, pixels in zip((7, 8), found["pictures"], strict=True):
            expected = model.draw(seed).ravel()
            np.testing.assert_allclose(pixels, expected, atol=1e-4, err_msg=backend)


def test_a_graph_that_runs_in_a_circle_is_refused(visit, folder):
    class Circle(Tiny):
        def _nodes(self) -> list[dict]:
            nodes = super()._nodes()
            return [{**n, "input": ["output"]} if n["name"] == "relu" else n for n in nodes]

    write_folder(folder, Circle())
    page = visit(wait=False)
    page.get_by_role("alert").wait_for()
    assert "An input is a step that comes before" in page.get_by_role("alert").inner_text()
