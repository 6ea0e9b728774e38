"""Requests that a server answers by itself when it has loaded a model, before any user's.

The first call of a TensorFlow graph is many times slower than the next. TensorFlow Serving replays
`assets.extra/tf_serving_warmup_requests`: a TFRecord file of `PredictionLog` messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

FILE = "tf_serving_warmup_requests"


def require() -> None:
    """Raises ImportError, which names the extra, without the messages' package."""
    try:
        from tensorflow_serving.apis import prediction_log_pb2  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Exporting for TensorFlow Serving needs its messages, which could not be imported "
            f'({error}). Install them with: pip install ".[serve]" in a checkout'
        ) from error


def requests(signatures: Mapping, model: str):
    """Yields one small `PredictRequest` a signature.

    Args:
        signatures: name to concrete function, as saved.
        model: its name on the server.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    for name, function in sorted(signatures.items()):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        request.model_spec.signature_name = name
        for spec in function.structured_input_signature[1].values():
            value = _smallest(spec)
            request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(value, spec.dtype))
        yield request


def write(path: Path, signatures: Mapping, model: str) -> None:
    """Writes the file."""
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests(signatures, model):
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def _smallest(spec):
    """A valid value of one row: a request for one image."""
    import tensorflow as tf

    shape = [1 if side is None else side for side in spec.shape]
    if spec.name == "pictures":
        shape = [1, 32, 32, 3]
    if spec.dtype == tf.string:
        return np.full(shape, b"moon" if spec.name == "text" else b"")
    value = 1 if spec.name in ("n", "frames", "truncation") else 0
    return np.full(shape, value, spec.dtype.as_numpy_dtype)
