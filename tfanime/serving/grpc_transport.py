"""TensorFlow Serving's gRPC; needs its messages."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

import numpy as np

from tfanime.serving.replies import (
    READ,
    Arrays,
    BadAnswer,
    busy_server,
    checked_array,
    import_extra,
    late_answer,
    no_model,
    no_server,
    one_line,
    refusal_of,
    too_large,
    wanted_outputs,
)

MESSAGE_BYTES = 256 * 2**20  # gRPC sends no more than 4 MiB otherwise


class Grpc:
    """`tensorflow.serving.PredictionService`.

    Args:
        address: `grpc://HOST:PORT`, or `grpcs://HOST:PORT` with TLS.
        model, version, timeout, most_bytes: see `Rest`.
    """

    def __init__(
        self, address: str, model: str, version: int | None, timeout: float, most_bytes: int
    ):
        self._grpc = grpc = import_extra("grpc")
        self._messages = import_extra("tensorflow_serving.apis.predict_pb2")
        self._status = import_extra("tensorflow_serving.apis.get_model_status_pb2")
        predictions = import_extra("tensorflow_serving.apis.prediction_service_pb2_grpc")
        models = import_extra("tensorflow_serving.apis.model_service_pb2_grpc")
        place = urlsplit(address)
        options = [
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
        ]
        if place.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(place.netloc, credentials, options)
        else:
            self._channel = grpc.insecure_channel(place.netloc, options)
        self._predictions = predictions.PredictionServiceStub(self._channel)
        self._models = models.ModelServiceStub(self._channel)
        self._address, self._model, self._version = address, model, version
        self._timeout, self._most_bytes = timeout, most_bytes

    def predict(self, signature, inputs, outputs=(), seconds=None) -> Arrays:
        import tensorflow as tf

        request = self._messages.PredictRequest(output_filter=outputs)
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self._predictions.Predict, request, seconds)

        def array(value) -> np.ndarray:
            # One stored number may stand for all of a shape.
            shape = [dimension.size for dimension in value.tensor_shape.dim]
            if min(shape, default=0) < 0 or 8 * math.prod(shape) > 2 * self._most_bytes:
                raise ValueError(f"shape {shape}")
            return tf.make_ndarray(value)

        values = wanted_outputs(self._address, dict(answer.outputs), outputs)
        return {
            name: checked_array(self._address, name, lambda value=value: array(value))
            for name, value in values.items()
        }

    def states(self) -> dict[int, str]:
        request = self._status.GetModelStatusRequest()
        self._name(request.model_spec)
        answer = self._call(self._models.GetModelStatus, request, None)
        state = self._status.ModelVersionStatus.State
        try:
            return {s.version: state.Name(s.state) for s in answer.model_version_status}
        except ValueError as error:
            raise BadAnswer(self._address, f"an unknown state ({error})") from error

    def close(self) -> None:
        self._channel.close()

    def _name(self, spec) -> None:
        spec.name = self._model
        if self._version is not None:
            spec.version.value = self._version

    def _call(self, method, request, seconds: float | None):
        codes = self._grpc.StatusCode
        try:
            return method(request, timeout=seconds or self._timeout)
        except self._grpc.RpcError as error:
            code, message = error.code(), (error.details() or "")[:READ]
            if code == codes.DEADLINE_EXCEEDED:
                raise TimeoutError(late_answer(self._address, self._timeout)) from error
            if code == codes.UNAVAILABLE:
                if "connect" in message.lower():
                    raise ConnectionError(no_server(self._address)) from error
                raise ConnectionError(busy_server(self._address, message)) from error
            if code == codes.RESOURCE_EXHAUSTED and "larger than max" in message:
                raise BadAnswer(self._address, too_large(self._most_bytes)) from error
            if code == codes.RESOURCE_EXHAUSTED:
                raise ConnectionError(busy_server(self._address, message)) from error
            if code == codes.NOT_FOUND:
                raise LookupError(no_model(self._address, self._model, message)) from error
            if code in (codes.INVALID_ARGUMENT, codes.OUT_OF_RANGE):
                raise ValueError(refusal_of(message)) from error
            failed = f"{self._address} failed ({code.name}): {one_line(message)}"
            raise RuntimeError(failed) from error
