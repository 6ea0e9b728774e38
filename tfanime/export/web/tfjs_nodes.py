"""The steps of a graph as operations of TensorFlow.js, in the form that its graph models have.

A graph model names TensorFlow's operations, with their attributes in protobuf's JSON: 64-bit
integers as strings, bytes in base64. Convolutions and dense layers take their bias and a rectifier
behind them along (`_FusedConv2D`, `_FusedMatMul`), as TensorFlow's own optimiser would have it:
browsers then write a map once instead of three times.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfanime.export.graph.graph import Graph, Node

TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32"}
T = {"type": "DT_FLOAT"}
FUSED = {"relu": "Relu", "leaky_relu": "LeakyRelu", "prelu": "Prelu"}
PLAIN = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}
IN_TURN = {"add": "AddV2", "multiply": "Mul"}
RESIZED = {"nearest": "ResizeNearestNeighbor", "bilinear": "ResizeBilinear"}


@dataclass
class Nodes:
    """What is written of a graph.

    Args:
        topology: nodes in protobuf's JSON, in an order in which they can be computed.
        constants: arrays by name: float32 weights, int32 shapes.
        weights: of a float32 constant: the names of its step and of its weight there.
        ends: of a step: the node that has its result.
        names: of all nodes.
    """

    topology: list[dict] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    weights: dict[str, tuple[str, str]] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def add(self, name: str, op: str, inputs: Sequence[str], **attributes) -> str:
        while name in self.names:
            name += "_"
        self.names.add(name)
        node = {"name": name, "op": op, "attr": attributes}
        self.topology.append(node | ({"input": list(inputs)} if inputs else {}))
        return name

    def constant(self, name: str, values) -> str:
        values = np.asarray(values)
        kind = {"type": TYPES[values.dtype.name]}
        tensor = {"dtype": kind["type"], "tensorShape": _dimensions(values.shape)}
        name = self.add(name, "Const", (), dtype=kind, value={"tensor": tensor})
        self.constants[name] = values
        return name

    def numbers(self, name: str, *values: int) -> str:
        return self.constant(name, np.asarray(values, np.int32))

    def weight(self, node: Node, key: str) -> str:
        # Batch norms that were not folded have scales in double precision.
        values = np.asarray(node.weights[key], np.float32)
        name = self.constant(f"{node.scope}/{key}", values)
        self.weights[name] = node.name, key
        return name


def nodes_of(graph: Graph) -> Nodes:
    """All operations of a graph.

    Args:
        graph: rewritten for inference.

    Raises:
        ValueError: for a step that has no such operation.
    """
    nodes, shapes = Nodes(), graph.shapes()
    fused: set[str] = set()
    for node in graph.nodes:
        if node.name in fused:
            continue
        if node.op not in WRITERS:
            layer = node.options.get("layer")
            raise ValueError(
                "tfanime writes the layers of its own networks for browsers. Received: "
                f"{node.name!r}, a {type(layer).__name__ if layer else node.op}. Convert it with "
                "converter='tensorflowjs' (--converter tensorflowjs, extra tfjs-reference)."
            )
        users = graph.users(node.name)
        behind = users[0] if len(users) == 1 and graph.output != node.name else None
        rectifier = WRITERS[node.op](nodes, node, behind, shapes)
        if rectifier is not None:
            fused.add(rectifier.name)
            nodes.ends[rectifier.name] = nodes.ends[node.name]
    return nodes


# ---- protobuf's JSON -----------------------------------------------------------------------------


def _bytes(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _text(text: str) -> dict:
    return {"s": _bytes(text)}


def _texts(*texts: str) -> dict:
    return {"list": {"s": [_bytes(text) for text in texts]}}


def _whole(number: int) -> dict:
    return {"i": str(number)}


def _wholes(*numbers: int) -> dict:
    return {"list": {"i": [str(number) for number in numbers]}}


def _dimensions(shape: Sequence[int | None]) -> dict:
    return {"dim": [{"size": str(-1 if side is None else side)} for side in shape]}


# ---- operations ----------------------------------------------------------------------------------
# A writer adds the nodes of a step, and returns the step behind it that it took along, or None.


def _input(nodes: Nodes, node: Node, behind, shapes) -> None:
    shape = _dimensions((None, *node.options["shape"]))
    nodes.ends[node.name] = nodes.add(
        node.scope, "Placeholder", (), dtype=T, shape={"shape": shape}
    )


def _dense(nodes: Nodes, node: Node, behind: Node | None, shapes) -> Node | None:
    flags = {"transpose_a": {"b": False}, "transpose_b": {"b": False}}
    return _with_bias(nodes, node, behind, "_FusedMatMul", ("relu", "leaky_relu"), flags)


def _conv(nodes: Nodes, node: Node, behind: Node | None, shapes) -> Node | None:
    padding = node.options["padding"]
    named = isinstance(padding, str)
    around = [] if named else [0, 0, *np.ravel(padding).tolist(), 0, 0]
    options = {
        "strides": _wholes(1, *node.options["strides"], 1),
        "dilations": _wholes(1, 1, 1, 1),
        "padding": _text(padding.upper() if named else "EXPLICIT"),
        "explicit_paddings": _wholes(*around),
        "data_format": _text("NHWC"),
    }
    return _with_bias(nodes, node, behind, "_FusedConv2D", tuple(FUSED), options)


def _with_bias(nodes, node, behind, op: str, rectifiers, options: dict) -> Node | None:
    inputs = [*_ends(nodes, node), nodes.weight(node, "kernel"), nodes.weight(node, "bias")]
    operations, rectifier = ["BiasAdd"], None
    if behind is not None and behind.op in rectifiers:
        rectifier = behind
        operations.append(FUSED[behind.op])
        if behind.op == "prelu":
            inputs.append(nodes.weight(behind, "alpha"))
    options |= {
        "T": T,
        "fused_ops": _texts(*operations),
        "num_args": _whole(len(inputs) - 2),
        **({"TArgs": {"list": {"type": ["DT_FLOAT"] * (len(inputs) - 2)}}} if "Conv" in op else {}),
        "epsilon": {"f": 0.0},
        "leakyrelu_alpha": {"f": behind.options["slope"] if "LeakyRelu" in operations else 0.2},
    }
    nodes.ends[node.name] = nodes.add(node.scope, op, inputs, **options)
    return rectifier


def _affine(nodes: Nodes, node: Node, behind, shapes) -> None:
    scaled = _scale(nodes, node, behind, shapes)
    nodes.ends[node.name] = nodes.add(
        f"{node.scope}/shifted", "AddV2", [scaled, nodes.weight(node, "shift")], T=T
    )


def _scale(nodes: Nodes, node: Node, behind, shapes) -> str:
    inputs = [*_ends(nodes, node), nodes.weight(node, "scale")]
    nodes.ends[node.name] = nodes.add(node.scope, "Mul", inputs, T=T)
    return nodes.ends[node.name]


def _prelu(nodes: Nodes, node: Node, behind, shapes) -> None:
    inputs = [*_ends(nodes, node), nodes.weight(node, "alpha")]
    nodes.ends[node.name] = nodes.add(node.scope, "Prelu", inputs, T=T)


def _leaky_relu(nodes: Nodes, node: Node, behind, shapes) -> None:
    slope = {"f": node.options["slope"]}
    nodes.ends[node.name] = nodes.add(node.scope, "LeakyRelu", _ends(nodes, node), T=T, alpha=slope)


def _plain(nodes: Nodes, node: Node, behind, shapes) -> None:
    nodes.ends[node.name] = nodes.add(node.scope, PLAIN[node.op], _ends(nodes, node), T=T)


def _in_turn(nodes: Nodes, node: Node, behind, shapes) -> None:
    end, *others = _ends(nodes, node)
    for i, other in enumerate(others):
        name = f"{node.scope}/{i}" if i else node.scope
        end = nodes.add(name, IN_TURN[node.op], [end, other], T=T)
    nodes.ends[node.name] = end


def _concat(nodes: Nodes, node: Node, behind, shapes) -> None:
    inputs = _ends(nodes, node)
    axis = nodes.constant(f"{node.scope}/axis", np.int32(len(shapes[node.name])))
    nodes.ends[node.name] = nodes.add(
        node.scope,
        "ConcatV2",
        [*inputs, axis],
        T=T,
        N=_whole(len(inputs)),
        Tidx={"type": "DT_INT32"},
    )


def _reshape(nodes: Nodes, node: Node, behind, shapes) -> None:
    shape = nodes.numbers(f"{node.scope}/shape", -1, *node.options["shape"])
    nodes.ends[node.name] = nodes.add(
        node.scope, "Reshape", [*_ends(nodes, node), shape], T=T, Tshape={"type": "DT_INT32"}
    )


def _mirror(nodes: Nodes, node: Node, behind, shapes) -> None:
    axis = nodes.numbers(f"{node.scope}/axis", 2)
    nodes.ends[node.name] = nodes.add(
        node.scope, "ReverseV2", [*_ends(nodes, node), axis], T=T, Tidx={"type": "DT_INT32"}
    )


def _mean(nodes: Nodes, node: Node, behind, shapes) -> None:
    options = node.options
    nodes.ends[node.name] = nodes.add(
        node.scope,
        "AvgPool",
        _ends(nodes, node),
        T=T,
        ksize=_wholes(1, *options["pool_size"], 1),
        strides=_wholes(1, *options["strides"], 1),
        padding=_text(options["padding"].upper()),
        data_format=_text("NHWC"),
    )


def _shuffle(nodes: Nodes, node: Node, behind, shapes) -> None:
    block, crop = node.options["block"], node.options["crop"]
    x = nodes.add(
        node.scope,
        "DepthToSpace",
        _ends(nodes, node),
        T=T,
        block_size=_whole(block),
        data_format=_text("NHWC"),
    )
    if crop:
        shape, name = shapes[node.name], f"{node.scope}/cropped"
        if None in shape:
            ends = [
                nodes.numbers(f"{name}/{end}", 0, value, value, 0)
                for end, value in (("begin", crop), ("end", crop - block))
            ]
            steps = nodes.numbers(f"{name}/strides", 1, 1, 1, 1)
            masks = {"begin_mask": 9, "end_mask": 9}  # rows and channels: all of them
            others = dict.fromkeys(("ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
            numbers = {mask: _whole(bits) for mask, bits in (masks | others).items()}
            index = {"type": "DT_INT32"}
            x = nodes.add(name, "StridedSlice", [x, *ends, steps], T=T, Index=index, **numbers)
        else:
            begin = nodes.numbers(f"{name}/begin", 0, crop, crop, 0)
            size = nodes.numbers(f"{name}/size", -1, *shape)
            x = nodes.add(name, "Slice", [x, begin, size], T=T, Index={"type": "DT_INT32"})
    nodes.ends[node.name] = x


def _resize(nodes: Nodes, node: Node, behind, shapes) -> None:
    [x], shape, factor = _ends(nodes, node), shapes[node.name], node.options["factor"]
    if None in shape:
        whole = {"type": "DT_INT32"}
        sides = nodes.add(f"{node.scope}/shape", "Shape", [x], T=T, out_type=whole)
        ends = [
            nodes.numbers(f"{node.scope}/{end}", i)
            for end, i in (("begin", 1), ("end", 3), ("strides", 1))
        ]
        masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        part = nodes.add(
            f"{node.scope}/sides",
            "StridedSlice",
            [sides, *ends],
            T=whole,
            Index=whole,
            **{mask: _whole(0) for mask in masks},
        )
        times = nodes.constant(f"{node.scope}/factor", np.int32(factor))
        size = nodes.add(f"{node.scope}/size", "Mul", [part, times], T=whole)
    else:
        size = nodes.numbers(f"{node.scope}/size", *shape[:2])
    nodes.ends[node.name] = nodes.add(
        node.scope,
        RESIZED[node.options["method"]],
        [x, size],
        T=T,
        align_corners={"b": False},
        half_pixel_centers={"b": True},
    )


def _ends(nodes: Nodes, node: Node) -> list[str]:
    return [nodes.ends[name] for name in node.inputs]


def _scaled(nodes: Nodes, node: Node, behind, shapes) -> None:
    _scale(nodes, node, behind, shapes)


Writer = Callable[[Nodes, Node, "Node | None", dict[str, Any]], "Node | None"]
WRITERS: dict[str, Writer] = {
    "input": _input,
    "dense": _dense,
    "conv": _conv,
    "affine": _affine,
    "scale": _scaled,
    "prelu": _prelu,
    "leaky_relu": _leaky_relu,
    **dict.fromkeys(PLAIN, _plain),
    **dict.fromkeys(IN_TURN, _in_turn),
    "concat": _concat,
    "reshape": _reshape,
    "mean": _mean,
    "shuffle": _shuffle,
    "mirror": _mirror,
    "resize": _resize,
}
