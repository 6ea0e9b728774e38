"""A model server for tests: TensorFlow Serving's gRPC services and REST API over a SavedModel.

Like the real one it loads a version folder into a session and feeds tensors by the names in the
signature. It follows the API's documentation, https://www.tensorflow.org/tfx/serving/api_rest:
rows and columns, base64 in and out, status, metadata, errors as JSON.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tfanime.export.serving.session import Session

SUFFIX = "_bytes"
PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata|:predict)?")
HTTP = {grpc.StatusCode.INVALID_ARGUMENT: 400, grpc.StatusCode.NOT_FOUND: 404}
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Failure(Exception):
    """A status and what the server says about it."""

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code, self.message = code, message


class Version(Session):
    """A version folder; whatever goes wrong is a `Failure`."""

    def predict(self, name: str, inputs: dict[str, np.ndarray], wanted=()) -> dict:
        try:
            return self(name or "serving_default", inputs, wanted)
        except ValueError as error:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        except tf.errors.OpError as error:
            raise Failure(CODES[error.error_code], error.message) from error

    def signature(self, name: str):
        if (name or "serving_default") not in self.signatures:
            raise Failure(
                grpc.StatusCode.INVALID_ARGUMENT, f"Serving signature name: {name!r} not found"
            )
        return self.signatures[name or "serving_default"]


class ModelServer:
    """Serves `DIR/NAME/N`, on two free ports of this machine.

    Attributes:
        rest, grpc: addresses as `tfanime.serving.Client` takes them.
        failures: what the next calls fail with, `(status, message)` each; consumed.
        delay: seconds that every call takes longer.
        calls: how many came.
    """

    def __init__(self, folder: Path):
        self.models = {
            home.name: {int(v.name): Version(v) for v in home.iterdir() if v.name.isdecimal()}
            for home in Path(folder).iterdir()
            if home.is_dir()
        }
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.delay, self.calls = 0.0, 0
        self._lock = threading.Lock()

    def __enter__(self):
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4))
        services = _Services(self)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(services, self._grpc)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(services, self._grpc)
        port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("H", (_Handler,), {"server_": self})
        )
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()
        self.grpc = f"grpc://127.0.0.1:{port}"
        self.rest = f"http://127.0.0.1:{self._http.server_port}"
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        self._grpc.stop(None).wait()
        for versions in self.models.values():
            for version in versions.values():
                version.close()

    def begin(self) -> None:
        """What every prediction starts with."""
        with self._lock:
            self.calls += 1
            failure = self.failures.pop(0) if self.failures else None
        time.sleep(self.delay)
        if failure:
            raise Failure(*failure)

    def version(self, name: str, number: int | None) -> tuple[int, Version]:
        versions = self.models.get(name, {})
        number = number or max(versions, default=0)
        if number not in versions:
            raise Failure(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {name}/{number}"
            )
        return number, versions[number]


class _Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    def __init__(self, server: ModelServer):
        self.server = server

    def Predict(self, request, context):
        return self._answer(context, self._predict, request)

    def GetModelStatus(self, request, context):
        return self._answer(context, self._status, request)

    def GetModelMetadata(self, request, context):
        return self._answer(context, self._metadata, request)

    def _answer(self, context, method, request):
        try:
            return method(request)
        except Failure as failure:
            context.abort(failure.code, failure.message)

    def _found(self, spec):
        number = spec.version.value if spec.HasField("version") else None
        return self.server.version(spec.name, number)

    def _predict(self, request):
        self.server.begin()
        number, version = self._found(request.model_spec)
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        name = request.model_spec.signature_name
        outputs = version.predict(name, inputs, request.output_filter)
        answer = predict_pb2.PredictResponse(model_spec=request.model_spec)
        answer.model_spec.version.value = number
        for key, value in outputs.items():
            answer.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return answer

    def _status(self, request):
        number, _ = self._found(request.model_spec)
        answer = get_model_status_pb2.GetModelStatusResponse()
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        answer.model_version_status.add(version=number, state=available)
        return answer

    def _metadata(self, request):
        number, version = self._found(request.model_spec)
        answer = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=request.model_spec)
        answer.model_spec.version.value = number
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in version.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
        answer.metadata["signature_def"].Pack(signatures)
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_: ModelServer

    def do_GET(self):
        self._answer(self._get)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self._post, body)

    def log_message(self, *_):
        pass

    def _answer(self, method, *arguments):
        try:
            matched = PATH.fullmatch(self.path)
            if not matched:
                raise Failure(grpc.StatusCode.INVALID_ARGUMENT, f"Malformed request: {self.path}")
            name, number, verb = matched.groups()
            code, answer = 200, method(name, number and int(number), verb, *arguments)
        except Failure as failure:
            unavailable = failure.code == grpc.StatusCode.UNAVAILABLE
            code = 503 if unavailable else HTTP.get(failure.code, 500)
            answer = {"error": failure.message}
        data = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _get(self, name, number, verb):
        found, version = self.server_.version(name, number)
        if verb == "/metadata":
            signatures = {
                key: json_format.MessageToDict(value, preserving_proto_field_name=True)
                for key, value in version.signatures.items()
            }
            return {
                "model_spec": {"name": name, "signature_name": "", "version": str(found)},
                "metadata": {"signature_def": {"signature_def": signatures}},
            }
        status = {"error_code": "OK", "error_message": ""}
        state = {"version": str(found), "state": "AVAILABLE", "status": status}
        return {"model_version_status": [state]}

    def _post(self, name, number, verb, body):
        self.server_.begin()
        _, version = self.server_.version(name, number)
        try:
            asked = json.loads(body)
            signature = version.signature(asked.get("signature_name", ""))
            inputs, rows = _read(asked, signature)
        except (ValueError, TypeError, LookupError, OverflowError) as error:
            message = f"JSON Value: not as wanted: {error}"
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, message) from error
        outputs = version.predict(asked.get("signature_name", ""), inputs)
        plain = {key: _written(key, value.tolist()) for key, value in outputs.items()}
        if not rows:
            return {"outputs": plain if len(plain) > 1 else next(iter(plain.values()))}
        if len(plain) == 1:
            return {"predictions": next(iter(plain.values()))}
        names, columns = list(plain), zip(*plain.values(), strict=True)
        return {"predictions": [dict(zip(names, row, strict=True)) for row in columns]}


def _read(asked, signature) -> tuple[dict[str, np.ndarray], bool]:
    if "instances" in asked:
        rows = asked["instances"]
        if len(signature.inputs) == 1 and not isinstance(rows[0], dict):
            [name] = signature.inputs
            rows = [{name: row} for row in rows]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
    else:
        columns = asked["inputs"]
        if len(signature.inputs) == 1 and not isinstance(columns, dict):
            columns = {next(iter(signature.inputs)): columns}
    inputs = {}
    for name, values in columns.items():
        dtype = tf.as_dtype(signature.inputs[name].dtype)
        if dtype == tf.string:
            inputs[name] = np.asarray(_decoded(values), object)
            continue
        array = np.asarray(values)
        if dtype.is_integer and array.dtype.kind not in "iu":
            raise ValueError(f"{name} is not of type {dtype.name}")
        inputs[name] = array.astype(dtype.as_numpy_dtype)
    return inputs, "instances" in asked


def _decoded(value):
    if isinstance(value, list):
        return [_decoded(x) for x in value]
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()


def _written(name, value):
    if isinstance(value, list):
        return [_written(name, x) for x in value]
    if not isinstance(value, bytes):
        return value
    if name.endswith(SUFFIX):
        return {"b64": base64.b64encode(value).decode()}
    return value.decode()
