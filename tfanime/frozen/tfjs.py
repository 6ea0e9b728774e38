"""Layers models of TensorFlow.js: their arrays, and what their layers compute.

Such a model is a `model.json` (the layers as Keras 2 described them, and what the files of weights
hold) beside these files; or, as npm packages bundle it, `model.min.js` with the same as a literal
of JavaScript, beside files with the weights in base64.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from keras import layers

# A literal: text, name, what minifiers make of true and false, number, mark.
TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|[A-Za-z_$][\w$]*|![01]|-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[][{}:,]'
)
WORDS = {"!0": "true", "!1": "false", "true": "true", "false": "false", "null": "null"}
# Of each layer: what of its description decides what it computes.
ARGUMENTS = {
    "Activation": ("activation",),
    "Add": (),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "BatchNormalization": ("axis", "epsilon", "center", "scale"),
    "Concatenate": ("axis",),
    "Conv2D": (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "dilation_rate",
        "activation",
        "use_bias",
    ),
    "Dense": ("units", "activation", "use_bias"),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "activation", "use_bias"),
    "Dropout": ("rate",),
    "Flatten": (),
    "GlobalAveragePooling2D": (),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "ReLU": ("max_value",),
    "ZeroPadding2D": ("padding",),
}


def read_layers_model(path: str | os.PathLike) -> tuple[dict, dict[str, np.ndarray]]:
    """The description of a layers model, as Keras 2 had it, and its arrays by name, float32.

    Args:
        path: its `model.json`, or `model.min.js` of an npm package.

    Raises:
        ValueError: for another kind of model, or weights that are missing.
    """
    path = Path(path)
    bundled = path.suffix == ".js"
    try:
        content = path.read_text()
        model = _literal(content) if bundled else json.loads(content)
        topology = model["modelTopology"]
        config = topology.get("model_config", topology)["config"]
        arrays = {}
        for group in model["weightsManifest"]:
            parts = [_part(path.parent / name, bundled) for name in group["paths"]]
            arrays |= _arrays(b"".join(parts), group["weights"])
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(
            "A network of TensorFlow.js is the model.json or model.min.js of a layers model, "
            f"beside its weights. Received: {str(path)!r} ({error})."
        ) from error
    return config, arrays


def layer_outputs(config: dict, arrays: dict[str, np.ndarray], pictures) -> dict:
    """What every layer of a network makes of images, by the layer's name.

    Args:
        config: from `read_layers_model`, as are `arrays`.
        pictures: a Keras tensor `(B, H, W, 3)` in the network's own range, of any size that its
            layers take.

    Raises:
        ValueError: for a kind of layer that is not known here, or an array that is missing.
    """
    tensors = {}
    for spec in config["layers"]:
        kind, options, name = spec["class_name"], spec["config"], spec["config"]["name"]
        if kind == "InputLayer":
            tensors[name] = pictures
            continue
        if kind not in ARGUMENTS:
            raise ValueError(
                f"A layer of TensorFlow.js is one of: {', '.join(ARGUMENTS)}. "
                f"Received: {kind!r} ({name!r})."
            )
        layer = getattr(layers, kind)(name=name, **{key: options[key] for key in ARGUMENTS[kind]})
        (node,) = spec["inbound_nodes"]
        sources = [tensors[source] for source, *_ in node]
        tensors[name] = layer(sources if len(sources) > 1 else sources[0])
        give(layer, arrays)
    return tensors


def give(layer: layers.Layer, arrays: dict[str, np.ndarray]) -> None:
    """The layer's weights from `layer/weight`.

    Raises:
        ValueError: for an array that is missing.
    """
    for variable in layer.weights:
        name = variable.name
        if isinstance(layer, layers.DepthwiseConv2D) and name == "kernel":
            name = "depthwise_kernel"  # as Keras 2 called it
        if f"{layer.name}/{name}" not in arrays:
            raise ValueError(
                "A file of weights has an array for each weight of the network. "
                f"Missing: {layer.name}/{name}."
            )
        variable.assign(arrays[f"{layer.name}/{name}"])


def _arrays(data: bytes, entries: list[dict]) -> dict[str, np.ndarray]:
    arrays, offset = {}, 0
    for entry in entries:
        coded = entry.get("quantization") or {}
        dtype = np.dtype(coded.get("dtype", entry["dtype"]))
        array = np.frombuffer(data, dtype, math.prod(entry["shape"]), offset)
        offset += array.nbytes
        array = array.reshape(entry["shape"]).astype(np.float32)
        arrays[entry["name"]] = array * coded.get("scale", 1) + coded.get("min", 0)
    return arrays


def _part(file: Path, bundled: bool) -> bytes:
    if not bundled:
        return file.read_bytes()
    coded = re.search(r'\.exports="([A-Za-z0-9+/=]*)"', file.with_suffix(".min.js").read_text())
    if coded is None:
        raise ValueError(f"no base64 in {file.name}.min.js")
    return base64.b64decode(coded[1])


def _literal(content: str) -> Any:
    """The object that the innermost module of a bundle exports, minified JavaScript, as JSON."""
    at, depth, words = content.rindex(".exports={") + len(".exports="), 0, []
    while depth or not words:
        token = TOKEN.match(content, at)
        if token is None:
            raise ValueError(f"no literal of JavaScript at character {at}")
        word, at = token[0], token.end()
        depth += (word in ("{", "[")) - (word in ("}", "]"))
        words.append(_word(word, content[at : at + 1] == ":"))
    return json.loads("".join(words))


def _word(word: str, key: bool) -> str:
    """A token of JavaScript as JSON has it."""
    if key:
        return word if word[0] == '"' else json.dumps(word)
    if word in WORDS:
        return WORDS[word]
    if word[0] in '"[]{}:,':
        return word
    return word if re.fullmatch(r"-?\d+", word) else repr(float(word))
