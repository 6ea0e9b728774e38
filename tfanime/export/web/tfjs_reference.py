"""The same by the official converter, to compare with: the extra `tfjs-reference`.

tensorflowjs 4.22.0, of October 2024, is its last release. It pins TensorFlow to 2.19, and has no
Python beyond 3.12.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from types import ModuleType

import numpy as np

from tfanime.core.quiet import silenced_stderr
from tfanime.export.graph.graph import Graph, Node
from tfanime.export.web.tfjs import OUTPUT

# What tensorflowjs imports and the conversion of a graph never uses. tensorflow_decision_forests
# breaks with every other release of ydf, so it is never loaded; the others only need not be there.
NEVER = ("tensorflow_decision_forests",)
OPTIONAL = ("tensorflow_hub", "tf_keras", "jax", "jax.experimental", "jax.experimental.jax2tf")


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


def require() -> None:
    """Raises ImportError, which names the extra, when tensorflowjs cannot be used."""
    _converter()


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
            "converter='tensorflowjs' needs the package of that name, which could not be imported "
            f"({error}). Install it from a checkout: pip install '.[tfjs-reference]'. tfanime's "
            "own converter needs nothing."
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
