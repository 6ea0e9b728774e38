"""ONNX models as feature extractors, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfanime.metrics.tflite import pooled


class Network:
    """Runs an ONNX model of images, channels first or last. Safe in threads.

    Args:
        path: an .onnx file.
        layer: name of an output; None takes the first.
        pixel_range: what the model expects for pixels 0 and 255.

    Attributes:
        height, width: of its input.
        layer: the output's name.

    Raises:
        ImportError: without onnxruntime.
        ValueError: if the file is no model of images, or has no such output.
    """

    def __init__(self, path: Path, layer: str | None, pixel_range: tuple[float, float]):
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError('ONNX files need: pip install ".[onnx]" in a checkout') from error
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # a wrong file fails anywhere inside the parser
            raise ValueError(f"{path} is no ONNX model ({error}).") from error
        entry = self._session.get_inputs()[0]
        shape = list(entry.shape)
        self._first = len(shape) == 4 and shape[1] == 3 and shape[3] != 3
        sides = shape[2:] if self._first else shape[1:3]
        if (
            len(shape) != 4
            or 3 not in (shape[1], shape[3])
            or not all(isinstance(side, int) for side in sides)
        ):
            raise ValueError(
                "An extractor takes images of a known size with three channels. "
                f"Received: {path.name}, a model for {shape}."
            )
        outputs = [output.name for output in self._session.get_outputs()]
        if layer is not None and layer not in outputs:
            raise ValueError(
                f"{path.name} has no output {layer!r}. It has: {', '.join(outputs)}. Other layers "
                "of an ONNX file must be made outputs when it is converted."
            )
        self.layer = layer or outputs[0]
        self.height, self.width = sides
        self._entry, self._range = entry.name, pixel_range
        self._one = shape[0] == 1  # a fixed batch takes one image at a time

    def __call__(self, pictures: np.ndarray) -> np.ndarray:
        """`(b, height, width, 3)` float32 in 0..255 to `(b, d)` float32."""
        low, high = self._range
        x = pictures.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if self._first else x
        parts = [x[i : i + 1] for i in range(len(x))] if self._one else [x]
        outputs = [self._session.run([self.layer], {self._entry: part})[0] for part in parts]
        features = np.concatenate(outputs)
        if self._first and features.ndim == 4:
            features = features.transpose(0, 2, 3, 1)
        return pooled(features)
