"""TF.js graph models: written from our own graph, and read back.

A graph model is a `model.json` (the graph, and a manifest of weights) and shards of weight bytes.
Weights are stored as float32, float16 or uint8; a browser turns them into float32 when it loads
them. `tfjs_reference` has the official converter write the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfanime.core.files import read_json, write_json
from tfanime.export.graph.graph import Graph, Shape
from tfanime.export.graph.quantisation import eight_bits, quantised
from tfanime.export.web.tfjs_nodes import nodes_of
from tfanime.version import __version__

DTYPES = ("float32", "float16", "uint8")
MODEL = "model.json"
INPUTS = ("latents", "labels", "pictures")
OUTPUT = "output"
SHARD = 4 * 2**20  # bytes of a file, as the official converter has it


@dataclass(frozen=True, eq=False)
class Weight:
    """A tensor of a converted model.

    Args:
        name: of the constant in the graph.
        values: as a browser sees them: float32, or whatever type it had.
        dtype: how it is stored: a row of `DTYPES`, or its own type such as `"int32"`.
    """

    name: str
    values: np.ndarray
    dtype: str


@dataclass(frozen=True, eq=False)
class Artifact:
    """A converted model in memory.

    Args:
        topology: the graph, as JSON of a TensorFlow GraphDef without the values of its constants.
        weights: by name.
        inputs: the names of the graph's inputs, by what they are.
        output: the name of the graph's output.
    """

    topology: Mapping[str, Any]
    weights: Mapping[str, Weight]
    inputs: Mapping[str, str]
    output: str

    @property
    def operations(self) -> list[str]:
        """The type of every operation of the graph, constants left out."""
        return [node["op"] for node in self.topology["node"] if node["op"] != "Const"]

    def function(self) -> Callable[..., np.ndarray]:
        """The model as TensorFlow computes it, from arrays in the order of `inputs` to an array.

        Nothing of our graph goes in: it is built of the converted file alone, as a browser does.
        """
        return _function(self)


def convert(graph: Graph, folder: Path, dtypes: Mapping[tuple[str, str], str]) -> None:
    """Writes `graph` as a TF.js graph model.

    Args:
        graph: rewritten for inference.
        folder: to write; created.
        dtypes: how to store weights, one of `DTYPES` by the names of the step and the weight. A
            weight that is not named is stored as float32.

    Raises:
        ValueError: for a step that has no operation in TensorFlow.js.
    """
    nodes = nodes_of(graph)
    entries, parts = [], []
    for name, values in nodes.constants.items():
        coded, entry = _packed(values, dtypes.get(nodes.weights.get(name), values.dtype.name))
        entries.append({"name": name, "shape": list(values.shape), **entry})
        parts.append(np.ascontiguousarray(coded, coded.dtype.newbyteorder("<")).tobytes())
    data = b"".join(parts)
    shards = [data[i : i + SHARD] for i in range(0, len(data), SHARD)] or [b""]
    paths = [f"group1-shard{i}of{len(shards)}.bin" for i in range(1, len(shards) + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    for path, shard in zip(paths, shards, strict=True):
        (folder / path).write_bytes(shard)
    shapes = graph.shapes()
    signature = {
        "inputs": {name: _tensor(nodes.ends[name], shapes[name]) for name in graph.inputs},
        "outputs": {OUTPUT: _tensor(nodes.ends[graph.output], shapes[graph.output])},
    }
    model = {
        "format": "graph-model",
        "generatedBy": f"tfanime {__version__}",
        "convertedBy": f"tfanime {__version__}",
        "signature": signature,
        "modelTopology": {"node": nodes.topology, "library": {}, "versions": {}},
        "weightsManifest": [{"paths": paths, "weights": entries}],
    }
    write_json(folder / MODEL, model)


def _tensor(node: str, shape: Shape) -> dict:
    return {
        "name": f"{node}:0",
        "dtype": "DT_FLOAT",
        "tensorShape": {"dim": [{"size": str(-1 if s is None else s)} for s in (None, *shape)]},
    }


def _packed(values: np.ndarray, dtype: str) -> tuple[np.ndarray, dict]:
    """A constant as it is stored, and what the manifest says of it."""
    entry = {"dtype": values.dtype.name}
    if dtype == values.dtype.name:
        return values, entry
    how = {"dtype": dtype, "original_dtype": values.dtype.name}
    if dtype == "float16":
        return quantised(values, dtype)[0], entry | {"quantization": how}
    steps, low, step = eight_bits(values)
    return steps, entry | {"quantization": how | {"min": low, "scale": step}}


def read(folder: Path) -> Artifact:
    """Reads a converted model back, its weights as a browser sees them."""
    model = read_json(folder / MODEL)
    weights: dict[str, Weight] = {}
    for group in model["weightsManifest"]:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        weights |= {weight.name: weight for weight in _unpacked(group["weights"], data)}
    signature = model["signature"]
    entries = signature["inputs"]
    inputs = {name: entries[name]["name"] for name in INPUTS if name in entries}
    return Artifact(model["modelTopology"], weights, inputs, signature["outputs"][OUTPUT]["name"])


# ---- reading back --------------------------------------------------------------------------------


def _unpacked(manifest: list[Mapping], data: bytes) -> Iterator[Weight]:
    """The weights of a group, from its bytes (see tfjs' `decodeWeights`)."""
    place = 0
    for entry in manifest:
        shape, count = entry["shape"], int(np.prod(entry["shape"]))
        how = entry.get("quantization")
        dtype = np.dtype(how["dtype"] if how else entry["dtype"]).newbyteorder("<")
        values = np.frombuffer(data, dtype, count, place)
        place += count * dtype.itemsize
        if how and "scale" in how:
            # In double precision and then rounded, as JavaScript computes it.
            values = values * how["scale"] + how["min"]
        values = values.astype(entry["dtype"]).reshape(shape)
        yield Weight(entry["name"], values, how["dtype"] if how else entry["dtype"])


def _function(artifact: Artifact) -> Callable[..., np.ndarray]:
    import tensorflow as tf
    from google.protobuf import json_format

    definition = json_format.ParseDict(dict(artifact.topology), tf.compat.v1.GraphDef())
    for node in definition.node:
        if node.op == "Const":
            value = artifact.weights[node.name].values
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    _spell_out_prelu(definition)
    names = [*artifact.inputs.values(), artifact.output]

    def rebuilt():
        return tf.graph_util.import_graph_def(definition, name="", return_elements=names)

    wrapped = tf.compat.v1.wrap_function(rebuilt, [])
    tensors = [wrapped.graph.get_tensor_by_name(name) for name in names]
    pruned = wrapped.prune(tensors[:-1], tensors[-1])
    return lambda *inputs: np.asarray(pruned(*map(tf.constant, inputs)))


def _spell_out_prelu(definition) -> None:
    """Prelu is an operation of tfjs alone: `relu(x) + alpha * (x - relu(x))` in its place."""
    for node in list(definition.node):
        fused = node.attr["fused_ops"].list.s if node.op == "_FusedConv2D" else []
        if node.op != "Prelu" and b"Prelu" not in fused:
            continue
        *inputs, alpha = node.input
        if node.op == "_FusedConv2D":
            linear = definition.node.add()
            linear.CopyFrom(node)
            linear.name = f"{node.name}/linear"
            linear.input[:] = inputs
            linear.attr["num_args"].i -= 1
            del linear.attr["TArgs"].list.type[1:]
            linear.attr["fused_ops"].list.s.remove(b"Prelu")
            inputs = [linear.name]
        [x] = inputs

        def add(name, op, *inputs, node=node):
            new = definition.node.add(name=f"{node.name}/{name}", op=op, input=inputs)
            new.attr["T"].type = 1  # float32
            return new.name

        positive = add("positive", "Relu", x)
        negative = add("scaled", "Mul", add("negative", "Sub", x, positive), alpha)
        node.op = "AddV2"
        node.input[:] = [positive, negative]
        node.attr.clear()
        node.attr["T"].type = 1
