"""How many bits the weights of a web model get: measured, not assumed.

tfjs stores a tensor as float32, as float16, or in 8 bits: 256 equal steps from its smallest to its
largest value. Eight bits can ruin a network, and which tensors bear them differs from model to
model. So each way is tried on the images of many seeds, and the smallest download is taken whose
images cannot be told from those of the original.

The threshold is a PSNR of 48 dB over all images: a mean error of one step of an 8-bit image,
which is the smallest change a screen can show and below what eyes notice.

A dense layer behind which batch norm was folded has columns of very different size, and one step
size serves none of them. `scaled` divides each column by its largest weight and multiplies what
comes out behind the activation: one multiplication a number, and exact, since for s > 0
relu(s u) = s relu(u). It brings the dense layer of MakeGirlsMoe's generator, 60 % of its weights,
from 39 to 49 dB. Columns of one size also compress worse, so that `uint8`, whose error is that of
its convolutions anyway, goes a quarter of the way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfanime.export.folder import gzipped
from tfanime.export.graph.graph import Graph, Node
from tfanime.export.graph.quantisation import quantised, shortened

PRECISIONS = ("float32", "float16", "mixed", "uint8")
INVISIBLE = 48.0  # dB
SEEDS = 64
PROBES = 4  # images that judge a single tensor
CHUNK = 8
# Errors of tensors, measured on few images, add up roughly: the choice begins beyond the threshold,
# and what turns out to be too much is taken back.
MARGIN = 1.3
# Functions with f(s u) = s f(u) for s > 0.
HOMOGENEOUS = ("relu", "leaky_relu", "prelu")
# The power of a column's largest weight that it is divided by.
POWER = {"mixed": 1.0, "uint8": 0.25}

Inputs = Sequence[np.ndarray]
Dtypes = Mapping[tuple[str, str], str]


@dataclass(frozen=True, eq=False)
class Plan:
    """A graph and how its weights are stored.

    Args:
        precision: a row of `PRECISIONS`.
        graph: with the steps that the 8-bit weights need.
        dtypes: `"float32"`, `"float16"` or `"uint8"` of every weight, by the names of the step
            and the weight.
    """

    precision: str
    graph: Graph
    dtypes: Dtypes

    def stored(self) -> Iterator[tuple[tuple[str, str], np.ndarray, np.ndarray]]:
        """Every weight: its names, what is stored, and what a browser makes of it (float32)."""
        for node in self.graph.nodes:
            for key, value in node.weights.items():
                yield (node.name, key), *quantised(value, self.dtypes[node.name, key])

    def weights(self) -> dict[tuple[str, str], np.ndarray]:
        """What a browser computes with."""
        return {names: values for names, _, values in self.stored()}


@dataclass(frozen=True)
class Measured:
    """What a plan costs and how true its images are.

    Args:
        precision: a row of `PRECISIONS`.
        weight_bytes, gzip_bytes: of all weights, plain and compressed.
        psnr: of all images against float32, in dB; inf for equal ones.
        worst: of the worst image.
    """

    precision: str
    weight_bytes: int
    gzip_bytes: int
    psnr: float
    worst: float

    @property
    def invisible(self) -> bool:
        return self.psnr >= INVISIBLE


def errors(pictures: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Mean squared error of each image, `(n,)` float64.

    Args:
        images, reference: `(n, H, W, 3)` float32; what lies outside [-1, 1] is clipped, as
            where images are made.
    """
    pictures, reference = (np.clip(x, -1, 1).astype(np.float64) for x in (pictures, reference))
    return ((pictures - reference) ** 2).mean(axis=(1, 2, 3))


def decibel(error: float) -> float:
    """Peak signal-to-noise ratio of a mean squared error, for values in [-1, 1]."""
    if not np.isfinite(error):
        return -np.inf
    return float(10 * np.log10(4 / error)) if error else np.inf


# ---- plans ---------------------------------------------------------------------------------------


def plan(graph: Graph, precision: str, eight: Collection[str] = ()) -> Plan:
    """A plan of one kind.

    Args:
        graph: rewritten.
        precision: a row of `PRECISIONS`.
        eight: for `"mixed"`: the steps whose kernels get 8 bits.
    """
    if precision == "uint8":
        eight = kernels(graph)
    elif precision != "mixed":
        eight = ()
    for name in eight:
        graph = scaled(graph, name, POWER[precision])
    if precision == "mixed":
        nodes = tuple(_short(node, node.name in eight) for node in graph.nodes)
        graph = replace(graph, nodes=nodes)
    rest = "float32" if precision == "float32" else "float16"
    dtypes = {
        (node.name, key): "uint8" if key == "kernel" and node.name in eight else rest
        for node in graph.nodes
        for key in node.weights
    }
    return Plan(precision, graph, dtypes)


def _short(node: Node, eight: bool) -> Node:
    """A step whose kernel, where it is stored in 16 bits, uses 14 of them."""
    if eight or "kernel" not in node.weights:
        return node
    return replace(node, weights={**node.weights, "kernel": shortened(node.weights["kernel"])})


def kernels(graph: Graph) -> list[str]:
    """The steps with a kernel."""
    return [node.name for node in graph.nodes if "kernel" in node.weights]


def scaled(graph: Graph, name: str, power: float = 1.0) -> Graph:
    """Divides the columns of a dense layer and undoes it behind its activation.

    Args:
        name: of a step; another than a dense layer stays as it is.
        power: of a column's largest weight, which it is divided by: 1 makes all columns alike.
    """
    node = graph.node(name)
    if node.op != "dense":
        return graph
    kernel = node.weights["kernel"].astype(np.float64)
    # Rounded before it is used, so that storing it in 16 bits loses nothing.
    scale = (np.abs(kernel).max(axis=0) ** power).astype(np.float16).astype(np.float64)
    scale[~((scale > 0) & np.isfinite(scale))] = 1
    weights = {
        "kernel": (kernel / scale).astype(np.float32),
        "bias": (node.weights["bias"] / scale).astype(np.float32),
    }
    users = graph.users(name)
    last = users[0] if len(users) == 1 and users[0].op in HOMOGENEOUS else node
    undo = Node(f"{last.name}_scaled", "scale", (last.name,), {"scale": scale.astype(np.float32)})
    nodes = []
    for one in graph.nodes:
        inputs = tuple(undo.name if of == last.name else of for of in one.inputs)
        new = replace(one, weights=weights if one is node else one.weights, inputs=inputs)
        nodes += [new, undo] if one is last else [new]
    output = undo.name if graph.output == last.name else graph.output
    return replace(graph, nodes=tuple(nodes), output=output)


# ---- measuring -----------------------------------------------------------------------------------


def draw(
    graph: Graph,
    inputs: Inputs,
    weights: Mapping[tuple[str, str], np.ndarray] | None = None,
    tick: Callable[[int], object] = lambda count: None,
) -> np.ndarray:
    """What a graph makes of inputs `(n, ...)`, a few at a time.

    Args:
        weights: used in the place of the graph's.
        tick: told how many are done, again and again.
    """
    weight = None if weights is None else lambda node, key: weights[node.name, key]
    parts = []
    for start in range(0, len(inputs[0]), CHUNK):
        part = [x[start : start + CHUNK] for x in inputs]
        parts.append(np.asarray(graph(*part, weight=weight)))
        tick(len(part[0]))
    return np.concatenate(parts)


def measure(
    one: Plan, inputs: Inputs, reference: np.ndarray, tick: Callable[[int], object]
) -> Measured:
    """Sizes and images of a plan; `reference`: what the trained model draws from `inputs`."""
    parts = [(names, data, values) for names, data, values in one.stored()]
    data = b"".join(np.ascontiguousarray(data).tobytes() for _, data, _ in parts)
    weights = {names: values for names, _, values in parts}
    differences = errors(draw(one.graph, inputs, weights, tick), reference)
    return Measured(
        one.precision,
        len(data),
        gzipped(data),
        decibel(differences.mean()),
        decibel(differences.max()),
    )


def choose_eight(
    graph: Graph, inputs: Inputs, reference: np.ndarray, tick: Callable[[int], object]
) -> list[str]:
    """The kernels that bear 8 bits: as many bytes as the threshold allows.

    Each kernel is tried alone on a few images. Those that do the least harm for the bytes that
    they save are taken first, as long as the errors of all together stay below the threshold.
    """
    few = [x[:PROBES] for x in inputs]
    budget = MARGIN * 4 / 10 ** (INVISIBLE / 10)
    harm: dict[str, float] = {}
    for name in kernels(graph):
        alone = scaled(graph, name, POWER["mixed"])
        weights = {(n.name, key): w for n in alone.nodes for key, w in n.weights.items()}
        weights[name, "kernel"] = quantised(weights[name, "kernel"], "uint8")[1]
        harm[name] = errors(draw(alone, few, weights), reference[:PROBES]).mean()
        tick(PROBES)
    layers, spent = [], 0.0
    for name in sorted(harm, key=lambda name: harm[name] / graph.node(name).weights["kernel"].size):
        if spent + harm[name] <= budget:
            layers.append(name)
            spent += harm[name]
    return layers
