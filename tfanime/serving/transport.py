"""TensorFlow Serving's two ways in: REST, which needs requests, and gRPC, which needs its messages.

Both turn a signature's name and arrays into arrays. Whatever goes wrong is one of: `ValueError`
(the server refused what was asked), `LookupError` (it has no such model), `TimeoutError`,
`ConnectionError` (no server there, or a busy one) or `RuntimeError`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import numpy as np

Arrays = dict[str, np.ndarray]
# An assertion in a graph, as TensorFlow reports it.
ASSERTION = re.compile(r"assertion failed: \[(.*?)\]", re.S)
LONGEST = 500  # characters of a server's message that are passed on
MESSAGE_BYTES = 256 * 2**20  # gRPC refuses more than 4 MiB otherwise
BUSY = (429, 502, 503, 504)
EXTRA = 'pip install "tfanime[serve]"'


class Transport(Protocol):
    """What `Client` needs of a way to the server."""

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> Arrays:
        """One call; `outputs` names those that are wanted, none: all."""

    def states(self) -> dict[int, str]:
        """Version to state: `"AVAILABLE"` is the one that answers."""

    def close(self) -> None: ...


def connect(address: str, model: str, version: int | None, timeout: float) -> Transport:
    """The transport for `http://`, `https://`, `grpc://` or `grpcs://` (with TLS)."""
    kinds = {"http": Rest, "https": Rest, "grpc": Grpc, "grpcs": Grpc}
    kind = kinds.get(urlsplit(address).scheme)
    if kind is None or not urlsplit(address).netloc:
        raise ValueError(
            "The address of a model server is http://HOST:PORT (REST, port 8501 by default) or "
            f"grpc://HOST:PORT (gRPC, port 8500); https and grpcs with TLS. Received: {address!r}."
        )
    return kind(address, model, version, timeout)


class Rest:
    """`POST /v1/models/NAME[/versions/N]:predict` in column format.

    Args:
        address: `http://HOST:PORT` or `https://HOST:PORT`.
        model: its name.
        version: None: the newest.
        timeout: seconds to connect, and seconds between two pieces of an answer.
    """

    def __init__(self, address: str, model: str, version: int | None, timeout: float):
        requests = _imported("requests")
        self._errors = requests.exceptions
        self._session = requests.Session()
        self._address, self._timeout = address.rstrip("/"), timeout
        self._path = f"/v1/models/{quote(model, safe='')}"
        if version is not None:
            self._path += f"/versions/{version}"

    def predict(self, signature, inputs, outputs=()) -> Arrays:
        body = {
            "signature_name": signature,
            "inputs": {name: _to_json(value) for name, value in inputs.items()},
        }
        answer = self._call("POST", ":predict", data=json.dumps(body))
        found = answer.get("outputs")
        if not isinstance(found, dict):
            # A single output comes without its name.
            found = {(outputs or ("output",))[0]: found}
        return {name: _from_json(v) for name, v in found.items() if not outputs or name in outputs}

    def states(self) -> dict[int, str]:
        answer = self._call("GET", "")
        return {int(s["version"]): s["state"] for s in answer["model_version_status"]}

    def close(self) -> None:
        self._session.close()

    def _call(self, method: str, verb: str, **options) -> dict:
        url, errors = self._address + self._path + verb, self._errors
        try:
            response = self._session.request(method, url, timeout=self._timeout, **options)
        except errors.Timeout as error:
            raise TimeoutError(_late(self._address, self._timeout)) from error
        except errors.ConnectionError as error:
            raise ConnectionError(_nobody(self._address)) from error
        except errors.RequestException as error:
            raise RuntimeError(f"{self._address} cannot be asked: {_short(str(error))}") from error
        try:
            answer = response.json()
        except ValueError:
            answer = {"error": response.text or response.reason}
        if response.ok and "error" not in answer:
            return answer
        message = str(answer.get("error", response.reason))
        if response.status_code in BUSY:
            raise ConnectionError(_busy(self._address, message))
        if response.status_code == 404:
            raise LookupError(_absent(self._address, self._path, message))
        if response.status_code == 400:
            raise ValueError(_refusal(message))
        raise RuntimeError(f"{self._address} failed ({response.status_code}): {_short(message)}")


class Grpc:
    """`tensorflow.serving.PredictionService`.

    Args:
        address: `grpc://HOST:PORT`, or `grpcs://HOST:PORT` with TLS.
        model, version, timeout: see `Rest`; the timeout is of a whole call.
    """

    def __init__(self, address: str, model: str, version: int | None, timeout: float):
        self._grpc = grpc = _imported("grpc")
        self._messages = _imported("tensorflow_serving.apis.predict_pb2")
        self._status = _imported("tensorflow_serving.apis.get_model_status_pb2")
        predictions = _imported("tensorflow_serving.apis.prediction_service_pb2_grpc")
        models = _imported("tensorflow_serving.apis.model_service_pb2_grpc")
        place = urlsplit(address)
        sizes = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
        options = [(size, MESSAGE_BYTES) for size in sizes]
        if place.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(place.netloc, credentials, options)
        else:
            self._channel = grpc.insecure_channel(place.netloc, options)
        self._predictions = predictions.PredictionServiceStub(self._channel)
        self._models = models.ModelServiceStub(self._channel)
        self._address, self._model, self._version = address, model, version
        self._timeout = timeout

    def predict(self, signature, inputs, outputs=()) -> Arrays:
        import tensorflow as tf

        request = self._messages.PredictRequest(output_filter=outputs)
        self._name(request.model_spec)
        request.model_spec.signature_name = signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self._predictions.Predict, request)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def states(self) -> dict[int, str]:
        request = self._status.GetModelStatusRequest()
        self._name(request.model_spec)
        answer = self._call(self._models.GetModelStatus, request)
        state = self._status.ModelVersionStatus.State
        return {s.version: state.Name(s.state) for s in answer.model_version_status}

    def close(self) -> None:
        self._channel.close()

    def _name(self, spec) -> None:
        spec.name = self._model
        if self._version is not None:
            spec.version.value = self._version

    def _call(self, method, request):
        codes = self._grpc.StatusCode
        try:
            return method(request, timeout=self._timeout)
        except self._grpc.RpcError as error:
            code, message = error.code(), error.details() or ""
            if code == codes.DEADLINE_EXCEEDED:
                raise TimeoutError(_late(self._address, self._timeout)) from error
            if code == codes.UNAVAILABLE:
                nobody = "connect" in message.lower()
                said = _nobody(self._address) if nobody else _busy(self._address, message)
                raise ConnectionError(said) from error
            if code == codes.RESOURCE_EXHAUSTED:
                raise ConnectionError(_busy(self._address, message)) from error
            if code == codes.NOT_FOUND:
                raise LookupError(_absent(self._address, self._model, message)) from error
            if code in (codes.INVALID_ARGUMENT, codes.OUT_OF_RANGE):
                raise ValueError(_refusal(message)) from error
            failed = f"{self._address} failed ({code.name}): {_short(message)}"
            raise RuntimeError(failed) from error


# ---- JSON ----------------------------------------------------------------------------------------


def _to_json(value: np.ndarray) -> Any:
    """Nested lists; bytes as `{"b64": ...}`."""
    value = np.asarray(value)
    if value.dtype != object and value.dtype.kind not in "SU":
        return value.tolist()
    encoded = [
        {"b64": base64.b64encode(x if isinstance(x, bytes) else str(x).encode()).decode()}
        for x in value.ravel().tolist()
    ]
    return np.asarray(encoded, object).reshape(value.shape).tolist()


def _from_json(value: Any) -> np.ndarray:
    """Numbers to float32 or int64, `{"b64": ...}` and text to an object array of bytes."""
    first = value
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, (dict, str)):
        found = np.asarray(value)
        return found.astype(np.float32) if found.dtype.kind == "f" else found
    texts = np.asarray(value, object)
    found = np.empty(texts.shape, object)
    # One by one: NumPy's own bytes would lose zeros at their ends.
    for place, text in np.ndenumerate(texts):
        found[place] = base64.b64decode(text["b64"]) if isinstance(text, dict) else text.encode()
    return found


# ---- messages ------------------------------------------------------------------------------------


def _refusal(message: str) -> str:
    """The sentence of an assertion in the graph, or the server's own words."""
    found = ASSERTION.search(message)
    return found[1].replace("\\'", "'").replace('\\"', '"') if found else _short(message)


def _nobody(address: str) -> str:
    return (
        f"No model server answers at {address}. Start one (docs/serving.md), or give the address "
        "of one that runs."
    )


def _busy(address: str, message: str) -> str:
    return f"The model server at {address} is not ready or too busy: {_short(message)}"


def _late(address: str, timeout: float) -> str:
    return (
        f"The model server at {address} did not answer within {timeout:g} s. Ask for fewer "
        "pictures at a time, or allow more with timeout."
    )


def _absent(address: str, what: str, message: str) -> str:
    return f"The model server at {address} has no such model: {_short(message or what)}"


def _short(message: str) -> str:
    plain = " ".join(message.split())
    return plain if len(plain) <= LONGEST else plain[:LONGEST] + "..."


def _imported(name: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Asking a model server needs packages that are not here ({error}). Install them "
            f"with: {EXTRA}"
        ) from error
