"""TFLite models as feature extractors: any tensor of the graph, not only its output."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tfanime.core import disk, litert

WEIGHTED = ("CONV_2D", "FULLY_CONNECTED")


def features_model(path: Path, layer: str | None) -> tuple[bytes, str]:
    """The part of a model that computes its features.

    An interpreter may overwrite every tensor but the outputs, so the wanted tensor is made the
    only output and what follows it is cut off.

    Args:
        path: a .tflite file.
        layer: name of the tensor, or "output"; None takes what a classifier's logits are
            computed from, or the output of a model that does not end in logits.

    Returns:
        The model as bytes, and the name of the tensor.

    Raises:
        ValueError: if the file is no TFLite model or has no such tensor.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    try:
        model = flatbuffer_utils.read_model(str(path))
        graph = model.subgraphs[0]
        names = [tensor.name.decode() for tensor in graph.tensors]
    except OSError as error:
        disk.check(error, path)
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # a wrong file fails anywhere inside the parser
        raise ValueError(f"{path} is no TFLite model ({error}).") from error
    if layer is None:
        tensor = _classifier_features(model)
    elif layer == "output":
        tensor = graph.outputs[0]
    elif layer in names:
        tensor = names.index(layer)
    else:
        computed = [names[i] for operator in graph.operators for i in operator.outputs]
        raise ValueError(
            f"{path.name} has no tensor {layer!r}. The last ones: {', '.join(computed[-5:])}."
        )
    producers = [i for i, operator in enumerate(graph.operators) if tensor in operator.outputs]
    if not producers:
        raise ValueError(
            f"{layer!r} of {path.name} is an input or a weight. Name a tensor it computes."
        )
    graph.operators = graph.operators[: producers[-1] + 1]
    graph.outputs = [tensor]
    model.signatureDefs = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model)), names[tensor]


def _classifier_features(model) -> int:
    """Index of the tensor that the logits layer reads, else of the output."""
    from tensorflow.lite.tools import flatbuffer_utils

    graph = model.subgraphs[0]
    for operator in reversed(graph.operators):
        name = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        if name in WEIGHTED:
            # A convolution is a logits layer when its input is pooled to one pixel.
            source = operator.inputs[0]
            shape = list(graph.tensors[source].shape)
            pooled = name == "FULLY_CONNECTED" or shape[1:3] == [1, 1]
            return source if pooled else graph.outputs[0]
    return graph.outputs[0]


class Network:
    """Runs a TFLite model that takes one image and gives one vector. Safe in threads.

    One image at a time and a thread each is as fast as batches with inner threads, works for
    graphs whose batch is fixed, and makes features independent of their neighbours.

    Args:
        content: a model, as bytes.
        pixel_range: what a model with float input expects for pixels 0 and 255.

    Attributes:
        height, width: of its input.
    """

    def __init__(self, content: bytes, pixel_range: tuple[float, float]):
        self._content = content
        self._local = threading.local()
        entry = self._interpreter().get_input_details()[0]
        shape = [int(side) for side in entry["shape"]]
        if len(shape) != 4 or shape[-1] != 3 or min(shape) < 1:
            raise ValueError(
                f"An extractor takes images (1, height, width, 3). Received a model for {shape}."
            )
        self.height, self.width = shape[1:3]
        self._enter = _entry(entry["dtype"], pixel_range)

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """`(b, height, width, 3)` float32 in 0..255 to `(b, d)` float32."""
        interpreter = self._interpreter()
        entry, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        rows = []
        for picture in self._enter(pictures):
            interpreter.set_tensor(entry["index"], picture[None])
            interpreter.invoke()
            rows.append(_dequantised(interpreter.get_tensor(exit_["index"]), exit_))
        return pooled(np.concatenate(rows))

    def _interpreter(self):
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = litert.interpreter(self._content, threads=1)
            self._local.interpreter.allocate_tensors()
        return self._local.interpreter


def pooled(features: np.ndarray) -> np.ndarray:
    """`(b, ...)` to `(b, d)` float32; feature maps `(b, h, w, d)` are averaged over their area."""
    if features.ndim == 4:
        features = features.mean(axis=(1, 2), dtype=np.float64)
    return features.reshape(len(features), -1).astype(np.float32)


def _entry(dtype: type, pixel_range: tuple[float, float]) -> Callable[[np.ndarray], np.ndarray]:
    """From float pixels in 0..255 to what the model takes."""
    low, high = pixel_range
    if dtype == np.float32:
        return lambda x: x * np.float32((high - low) / 255) + np.float32(low)
    if dtype == np.uint8:
        return lambda x: np.rint(x).astype(np.uint8)
    if dtype == np.int8:
        return lambda x: (np.rint(x) - 128).astype(np.int8)
    raise ValueError(f"An extractor takes float32, uint8 or int8. Received: {np.dtype(dtype)}.")


def _dequantised(values: np.ndarray, details: dict) -> np.ndarray:
    scale, zero = details["quantization"]
    if values.dtype.kind == "f" or scale == 0:
        return values.astype(np.float32)
    return (values.astype(np.float32) - np.float32(zero)) * np.float32(scale)
