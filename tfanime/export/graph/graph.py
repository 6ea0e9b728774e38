"""A network as a short list of steps that can be rewritten: what `rewrite` works on.

A `Graph` is read from a functional Keras model and runs as plain TensorFlow. Its steps are those
of inference: batch norm is one scale and shift a channel. A Keras layer that has no step of its
own is kept as it is (`layer`), which the rewrite then leaves alone.

| op | inputs, weights and options |
|---|---|
| `input` | `shape` without the batch; None for a free side |
| `dense` | `kernel (I, O)`, `bias (O,)` |
| `conv` | `kernel (h, w, I, O)`, `bias (O,)`; `strides`; `padding`: `"same"`, `"valid"` or pixels before and after, `((top, bottom), (left, right))` |
| `conv_transpose` | `kernel (h, w, O, I)`, `bias (O,)`; `strides`; padding is always `"same"` |
| `affine` | `scale (C,)`, `shift (C,)` |
| `scale` | `scale (C,)`: what `precision` puts behind a dense layer |
| `prelu` | `alpha (C,)` |
| `leaky_relu` | `slope` |
| `relu`, `tanh`, `sigmoid`, `concat` | |
| `add`, `multiply` | of maps alike, or of maps and of one number per channel and image, `(1, 1, C)` |
| `reshape` | `shape` without the batch |
| `shuffle` | depth to space by `block`, then `crop` lines off the top and left, `block - crop` off the bottom and right (none when `crop` is 0) |
| `mirror` | left and right change places |
| `mean` | over windows of `pool_size`; `strides`; `padding`: `"same"` leaves out what lies outside |
| `resize` | enlarged by `factor`; `method`: `"nearest"` or `"bilinear"` |
| `layer` | `layer`, a Keras layer |
"""  # noqa: E501

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

Shape = tuple  # without the batch; None for a side of any length

# Steps that treat every number alike, or all numbers of a channel alike.
POINTWISE = ("relu", "leaky_relu", "prelu", "tanh", "sigmoid", "affine")
ACTIVATIONS = ("relu", "tanh", "sigmoid")
RESIZES = ("nearest", "bilinear")


@dataclass(frozen=True, eq=False)
class Node:
    """One step.

    Args:
        name: unique in its graph.
        op: a row of the table above.
        inputs: names of the steps whose results it takes.
        weights: arrays by name, float32; scale and shift are float64 until they are folded.
        options: whatever else the operation needs.
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """The name as TensorFlow takes it."""
        return "step_" * (not self.name[:1].isalnum()) + re.sub(
            r"[^\w.-]", "_", self.name, flags=re.A
        )


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps in an order in which they can be computed, from `inputs` to `output` (names)."""

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    output: str

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def users(self, name: str) -> list[Node]:
        """The steps that take the result of `name`."""
        return [node for node in self.nodes if name in node.inputs]

    def shapes(self) -> dict[str, Shape]:
        """The shape of every result, without the batch."""
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            shapes[node.name] = _shape(node, [shapes[name] for name in node.inputs])
        return shapes

    def __call__(self, *inputs, weight: Callable[[Node, str], Any] | None = None):
        """Computes the output with TensorFlow.

        Args:
            inputs: `(B, ...)` float32 tensors or arrays, in the order of `self.inputs`.
            weight: from a step and the name of its weight to what is used in its place.

        Returns:
            `(B, ...)` float32 tensor.
        """
        import tensorflow as tf

        weight = weight or (lambda node, key: node.weights[key])
        tensors = {
            name: tf.convert_to_tensor(x) for name, x in zip(self.inputs, inputs, strict=True)
        }
        shapes = self.shapes()
        for node in self.nodes:
            if node.op != "input":
                arguments = [tensors[name] for name in node.inputs]
                with tf.name_scope(node.scope):
                    tensors[node.name] = _compute(node, arguments, shapes[node.name], weight)
        return tensors[self.output]


# ---- from Keras ----------------------------------------------------------------------------------


def from_keras(model: keras.Model) -> Graph:
    """Reads a functional Keras model.

    Args:
        model: built of layers with one output each, each called once.

    Raises:
        ValueError: for a model of another kind.
    """
    config = model.get_config()
    if not config.get("output_layers"):
        raise ValueError(
            "Only functional Keras models can be rewritten for the web. Received: "
            f"{type(model).__name__} {model.name!r}."
        )
    nodes: list[Node] = []
    ends: dict[str, str] = {}  # a layer's name to the step that ends it
    for layer_config in config["layers"]:
        name, calls = layer_config["name"], layer_config["inbound_nodes"]
        if len(calls) > 1:
            raise ValueError(
                f"A layer of a model for the web is called once. Received: {name!r}, called "
                f"{len(calls)} times."
            )
        inputs = tuple(ends[of] for of in _tensors(calls))
        steps = _steps(model.get_layer(name), inputs)
        nodes += steps
        ends[name] = steps[-1].name
    outputs = _references(config["output_layers"])
    if len(outputs) != 1:
        raise ValueError(f"A generator has one output. Received: {len(outputs)}.")
    inputs = tuple(_references(config["input_layers"]))
    return Graph(tuple(nodes), inputs, ends[outputs[0]])


def _references(entry) -> list[str]:
    """`["name", 0, 0]` or a list of such to names; Keras writes both."""
    return [entry[0]] if isinstance(entry[0], str) else [of[0] for of in entry]


def _tensors(entry) -> list[str]:
    """The layers whose results a layer is called with, in order."""
    if isinstance(entry, Mapping):
        if entry.get("class_name") == "__keras_tensor__":
            return [entry["config"]["keras_history"][0]]
        entry = entry.values()
    if isinstance(entry, (str, bytes)) or not isinstance(entry, Iterable):
        return []
    return [name for part in entry for name in _tensors(part)]


def _steps(layer, inputs: tuple[str, ...]) -> list[Node]:
    """A layer as steps; its activation is a step of its own."""
    kind, config = type(layer).__name__, layer.get_config()
    if type(layer).__module__.split(".")[0] not in ("keras", "tfanime"):
        kind = "foreign"
    node = _step(kind, layer, config, inputs)
    if node is None:
        return [Node(layer.name, "layer", inputs, {}, {"layer": layer})]
    activation = config.get("activation", "linear") if node.op != "input" else "linear"
    if kind in ("Activation",) or activation == "linear":
        return [node]
    if activation not in ACTIVATIONS:
        return [Node(layer.name, "layer", inputs, {}, {"layer": layer})]
    return [node, Node(f"{layer.name}_{activation}", activation, (node.name,))]


def _step(kind: str, layer, config: Mapping, inputs: tuple[str, ...]) -> Node | None:
    """The step of a layer without its activation; None when there is none for it."""

    def step(op, weights=None, **options):
        return Node(layer.name, op, inputs, weights or {}, options)

    def kernel_and_bias(outputs: int):
        bias = layer.bias if config["use_bias"] else np.zeros(outputs)
        return {"kernel": _array(layer.kernel), "bias": _array(bias)}

    plain = (
        config.get("data_format", "channels_last") == "channels_last"
        and config.get("groups", 1) == 1
        and set(np.ravel(config.get("dilation_rate", 1))) == {1}
    )
    if kind == "InputLayer":
        return step("input", shape=tuple(config["batch_shape"][1:]))
    if kind == "Dense" and len(layer.kernel.shape) == 2 and len(layer.input.shape) == 2:
        return step("dense", kernel_and_bias(config["units"]))
    if kind == "Conv2D" and plain and config["padding"] in ("same", "valid"):
        options = {"strides": tuple(config["strides"]), "padding": config["padding"]}
        return step("conv", kernel_and_bias(config["filters"]), **options)
    if kind == "Conv2DTranspose" and plain and config["padding"] == "same":
        if config.get("output_padding") is None:
            weights = kernel_and_bias(config["filters"])
            return step("conv_transpose", weights, strides=tuple(config["strides"]))
    elif kind == "BatchNormalization" and config["axis"] in (-1, len(layer.input.shape) - 1):
        return step("affine", _scale_and_shift(layer))
    elif kind == "Rescaling" and np.ndim(config["scale"]) == np.ndim(config["offset"]) == 0:
        every = np.ones(layer.output.shape[-1])
        return step("affine", {"scale": config["scale"] * every, "shift": config["offset"] * every})
    elif kind == "ReLU" and not any(
        (config["max_value"], config["negative_slope"], config["threshold"])
    ):
        return step("relu")
    elif kind == "LeakyReLU":
        return step("leaky_relu", slope=float(config["negative_slope"]))
    elif kind == "PReLU" and all(side == 1 for side in layer.alpha.shape[:-1]):
        return step("prelu", {"alpha": _array(layer.alpha).reshape(-1)})
    elif kind == "Activation" and config["activation"] in ACTIVATIONS:
        return step(config["activation"])
    elif kind in ("Add", "Multiply"):
        return step(kind.lower())
    elif kind == "Concatenate" and config["axis"] in (-1, len(layer.output.shape) - 1):
        return step("concat")
    elif kind in ("Reshape", "Flatten") and None not in layer.output.shape[1:]:
        return step("reshape", shape=tuple(layer.output.shape[1:]))
    elif kind == "AveragePooling2D" and plain:
        options = {name: config[name] for name in ("pool_size", "strides", "padding")}
        return step("mean", **options)
    elif kind == "Mirror":
        return step("mirror")
    elif kind == "PixelShuffle":
        return step("shuffle", block=layer.block_size, crop=0)
    elif kind == "UpSampling2D" and plain and len(set(config["size"])) == 1:
        method = config["interpolation"]
        return (
            step("resize", factor=config["size"][0], method=method) if method in RESIZES else None
        )
    return None


def _array(weight, dtype=np.float32) -> np.ndarray:
    return np.asarray(weight, dtype)


def _scale_and_shift(layer) -> dict[str, np.ndarray]:
    """Batch norm at inference: `gamma (x - mean) / sqrt(variance + epsilon) + beta`."""
    # Float64 until the last moment: folded into a kernel they are rounded once.
    mean, variance = (_array(w, np.float64) for w in (layer.moving_mean, layer.moving_variance))
    scale = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        scale = scale * _array(layer.gamma, np.float64)
    shift = -mean * scale
    if layer.center:
        shift = shift + _array(layer.beta, np.float64)
    return {"scale": scale, "shift": shift}


# ---- shapes and values ---------------------------------------------------------------------------


def _times(side: int | None, factor: int) -> int | None:
    return None if side is None else side * factor


def _shape(node: Node, shapes: list[Shape]) -> Shape:
    options = node.options
    if node.op in ("input", "reshape"):
        return options["shape"]
    if node.op == "dense":
        return (node.weights["kernel"].shape[1],)
    if node.op == "concat":
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))
    if node.op == "layer":
        return tuple(options["layer"].output.shape[1:])
    if node.op in ("add", "multiply"):
        return max(shapes, key=lambda shape: np.prod([side or 64 for side in shape]))
    if node.op in (*POINTWISE, "scale", "mirror"):
        return shapes[0]
    height, width, channels = shapes[0]
    if node.op == "conv":
        kernel, strides = node.weights["kernel"].shape, options["strides"]
        padding, named = options["padding"], isinstance(options["padding"], str)
        sides = (
            _convolved(side, kernel[axis], strides[axis], padding if named else padding[axis])
            for axis, side in enumerate((height, width))
        )
        return (*sides, kernel[3])
    if node.op == "mean":
        sides = zip((height, width), options["pool_size"], options["strides"], strict=True)
        return (*(_convolved(*side, options["padding"]) for side in sides), channels)
    if node.op == "conv_transpose":
        rows, columns = options["strides"]
        return (_times(height, rows), _times(width, columns), node.weights["kernel"].shape[2])
    if node.op == "resize":
        return (_times(height, options["factor"]), _times(width, options["factor"]), channels)
    block = options["block"]
    if options["crop"]:
        height, width = (None if side is None else side - 1 for side in (height, width))
    return (_times(height, block), _times(width, block), channels // block**2)


def _convolved(side: int | None, kernel: int, stride: int, padding) -> int | None:
    if side is None:
        return None
    if padding == "same":
        return -(-side // stride)
    around = 0 if padding == "valid" else sum(padding)
    return (side + around - kernel) // stride + 1


def _compute(node: Node, inputs: list, shape: Shape, weight: Callable[[Node, str], Any]):
    import tensorflow as tf

    x, options = inputs[0], node.options
    if node.op == "dense":
        return tf.nn.bias_add(tf.linalg.matmul(x, weight(node, "kernel")), weight(node, "bias"))
    if node.op == "conv":
        padding = options["padding"]
        padding = padding.upper() if isinstance(padding, str) else [(0, 0), *padding, (0, 0)]
        x = tf.nn.conv2d(x, weight(node, "kernel"), options["strides"], padding)
        return tf.nn.bias_add(x, weight(node, "bias"))
    if node.op == "conv_transpose":
        rows, columns = options["strides"]
        sides = tf.shape(x)
        size = [sides[0], sides[1] * rows, sides[2] * columns, shape[-1]]
        x = tf.nn.conv2d_transpose(x, weight(node, "kernel"), size, (rows, columns), "SAME")
        return tf.nn.bias_add(x, weight(node, "bias"))
    if node.op == "affine":
        scale, shift = (tf.cast(weight(node, key), x.dtype) for key in ("scale", "shift"))
        return x * scale + shift
    if node.op == "scale":
        return x * weight(node, "scale")
    if node.op == "prelu":
        # Written as the converter looks for it, to make one operation of it.
        return tf.nn.relu(x) + -weight(node, "alpha") * tf.nn.relu(-x)
    if node.op == "leaky_relu":
        return tf.nn.leaky_relu(x, options["slope"])
    if node.op in ACTIVATIONS:
        return getattr(tf.math if node.op != "relu" else tf.nn, node.op)(x)
    if node.op == "add":
        return sum(inputs[1:], start=x)
    if node.op == "multiply":
        return math.prod(inputs[1:], start=x)
    if node.op == "concat":
        return tf.concat(inputs, axis=-1)
    if node.op == "reshape":
        return tf.reshape(x, (-1, *shape))
    if node.op == "mirror":
        return tf.reverse(x, (2,))
    if node.op == "mean":
        padding = options["padding"].upper()
        return tf.nn.avg_pool2d(x, options["pool_size"], options["strides"], padding)
    if node.op == "shuffle":
        return _shuffled(x, options["block"], options["crop"], shape)
    if node.op == "resize":
        return tf.image.resize(x, tf.shape(x)[1:3] * options["factor"], options["method"])
    return options["layer"](*([inputs] if len(inputs) > 1 else inputs), training=False)


def _shuffled(x, block: int, crop: int, shape: Shape):
    import tensorflow as tf

    x = tf.nn.depth_to_space(x, block)
    if not crop:
        return x
    if None in shape:
        return x[:, crop : crop - block, crop : crop - block, :]
    return tf.slice(x, (0, crop, crop, 0), (-1, *shape))
