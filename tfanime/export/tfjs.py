"""TF.js graph models: conversion by tensorflowjs, and reading back what it wrote.

A converted model is a `model.json` (the graph, and a manifest of weights) and shards of weight
bytes. Weights are stored as float32, float16 or uint8; a browser turns them into float32 when it
loads them.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tfanime._quiet import silenced_stderr
from tfanime.export.graph import Graph, Node
from tfanime.files import read_json

DTYPES = ("float32", "float16", "uint8")
MODEL = "model.json"
INPUTS = ("latents", "labels", "pictures")
OUTPUT = "output"

# What tensorflowjs imports and the conversion of a graph never uses. tensorflow_decision_forests
# breaks with every other release of ydf, so it is never loaded; the others only need not be there.
NEVER = ("tensorflow_decision_forests",)
OPTIONAL = ("tensorflow_hub", "tf_keras", "jax", "jax.experimental", "jax.experimental.jax2tf")


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
        ImportError: without tensorflowjs.
    """
    import tensorflow as tf

    converter = _converter()
    patterns: dict[str, list[str]] = {}
    for (name, key), dtype in dtypes.items():
        if dtype != "float32":
            patterns.setdefault(dtype, []).append(_pattern(graph.node(name), key))
    with tempfile.TemporaryDirectory() as temporary:
        module = _module(graph)
        tf.saved_model.save(module, temporary, signatures=module.draw)
        # It lists every signature, and TensorFlow 2.19 logs whatever its log level is.
        quiet = os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3"
        with silenced_stderr() if quiet else nullcontext(), redirect_stdout(io.StringIO()):
            converter.convert_tf_saved_model(
                temporary, str(folder), quantization_dtype_map=patterns or None
            )


def _pattern(node: Node, key: str) -> str:
    """Matches the name that a weight has in the converted graph.

    A constant is named by the operation that reads it.
    """
    reader = {"kernel": "MatMul/" if node.op == "dense" else "Conv2D/", "bias": "BiasAdd/"}
    return f"*/{node.scope}/{reader.get(key, '')}*"


def read(folder: Path) -> Artifact:
    """Reads a converted model back, its weights as a browser sees them."""
    model = read_json(folder / MODEL)
    weights: dict[str, Weight] = {}
    for group in model["weightsManifest"]:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        weights |= {weight.name: weight for weight in _unpacked(group["weights"], data)}
    signature = model["signature"]
    given = signature["inputs"]
    inputs = {name: given[name]["name"] for name in INPUTS if name in given}
    return Artifact(model["modelTopology"], weights, inputs, signature["outputs"][OUTPUT]["name"])


def require() -> None:
    """Raises ImportError, which names the extra, when tensorflowjs cannot be used."""
    _converter()


# ---- conversion ----------------------------------------------------------------------------------


def _converter() -> ModuleType:
    """tensorflowjs' converter of saved models."""
    name = "tensorflowjs.converters.tf_saved_model_conversion_v2"
    if name in sys.modules:
        return sys.modules[name]
    # They must not meet a stand-in: Keras looks whether there is a jax.
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    try:
        with _stand_ins():
            return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            "Exporting for the web needs tensorflowjs, which could not be imported "
            f'({error}). Install it with: pip install ".[web]" in a checkout'
        ) from error


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Puts empty modules in the place of what tensorflowjs imports without need."""
    absent = [name for name in OPTIONAL if name not in sys.modules and not _installed(name)]
    ours = [name for name in (*NEVER, *absent) if name not in sys.modules]
    for name in ours:
        sys.modules[name] = ModuleType(name)
        parent, _, child = name.rpartition(".")
        if parent in ours:
            setattr(sys.modules[parent], child, sys.modules[name])
    try:
        yield
    finally:
        for name in ours:
            sys.modules.pop(name, None)


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _module(graph: Graph):
    """The graph as a module that TensorFlow saves: a variable a weight, and `draw`."""
    import tensorflow as tf

    module = tf.Module()
    added = {name for node in graph.nodes if node.op == "add" for name in node.inputs}
    module.weights = {
        f"{node.scope}/{key}": tf.Variable(
            _kept(value) if key == "bias" and node.name in added else value,
            name=f"{node.scope}/{key}",
        )
        for node in graph.nodes
        for key, value in node.weights.items()
    }
    module.layers = [n.options["layer"] for n in graph.nodes if n.op == "layer"]
    shapes = graph.shapes()
    signature = [tf.TensorSpec((None, *shapes[name]), name=name) for name in graph.inputs]

    @tf.function(input_signature=signature)
    def draw(*inputs):
        weight = lambda node, key: module.weights[f"{node.scope}/{key}"]  # noqa: E731
        return {OUTPUT: graph(*inputs, weight=weight)}

    module.draw = draw
    return module


def _kept(bias: np.ndarray) -> np.ndarray:
    """A bias that the converter does not leave out for being zero: it would then take what is added
    behind the convolution for the bias, which draws nonsense or crashes."""
    return bias if bias.any() else np.full_like(bias, np.finfo(np.float32).tiny)


# ---- reading back --------------------------------------------------------------------------------


def _unpacked(manifest: list[Mapping], data: bytes) -> Iterator[Weight]:
    """The weights of a group, from its bytes (see tfjs' `decodeWeights`)."""
    place = 0
    for entry in manifest:
        shape, count = entry["shape"], int(np.prod(entry["shape"]))
        how = entry.get("quantization")
        stored = np.dtype(how["dtype"] if how else entry["dtype"]).newbyteorder("<")
        values = np.frombuffer(data, stored, count, place)
        place += count * stored.itemsize
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
