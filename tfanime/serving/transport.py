"""TensorFlow Serving's two ways in: REST, which needs requests, and gRPC, which needs its messages.

Both turn a signature's name and arrays into arrays. Whatever goes wrong is one of: `ValueError`
(the server refused what was asked), `LookupError` (it has no such model), `TimeoutError`,
`ConnectionError` (no server there, or a busy one), `BadAnswer` (what is there is no model server,
or means harm) or another `RuntimeError`. Answers are limited in size and, as a whole, in time.
"""

from __future__ import annotations

import base64
import json
import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import numpy as np

from tfanime.core.printing import plain

Arrays = dict[str, np.ndarray]
# An assertion in a graph, as TensorFlow reports it.
ASSERTION = re.compile(r"assertion failed: \[(.*?)\]", re.S)
LONGEST = 500  # characters of a server's message that are passed on
READ = 20_000  # and of which an assertion's sentence is looked for
MESSAGE_BYTES = 256 * 2**20  # gRPC sends no more than 4 MiB otherwise
ANSWER_BYTES = 64 * 2**20
PIECE = 2**16
BUSY = (429, 502, 503, 504)
EXTRA = 'pip install ".[serve]" in a checkout'


class BadAnswer(RuntimeError):
    """What a server answered is not what a model of `tfanime export saved-model` answers.

    Args:
        address: of the server.
        what: what is wrong with the answer.
    """

    def __init__(self, address: str, what: str):
        super().__init__(
            f"The server at {address} does not answer as a model of `tfanime export saved-model` "
            f"does: {_short(what)}. Check the address and the model's name."
        )


class Transport(Protocol):
    """What `Client` needs of a way to the server."""

    def predict(
        self,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] = (),
        seconds: float | None = None,
    ) -> Arrays:
        """One call.

        Args:
            signature: its name.
            inputs: name to array.
            outputs: names of those that are wanted, all of which are there; none: whatever comes.
            seconds: until the answer is there whole; None: the timeout.
        """

    def states(self) -> dict[int, str]:
        """Version to state: `"AVAILABLE"` is the one that answers."""

    def close(self) -> None: ...


def connect(
    address: str, model: str, version: int | None, timeout: float, most_bytes: int
) -> Transport:
    """The transport for `http://`, `https://`, `grpc://` or `grpcs://` (with TLS)."""
    kinds = {"http": Rest, "https": Rest, "grpc": Grpc, "grpcs": Grpc}
    try:
        place = urlsplit(address)
        kind = kinds.get(place.scheme) if place.hostname and place.port != 0 else None
    except ValueError:  # a port that is none
        kind = None
    if kind is None:
        raise ValueError(
            "The address of a model server is http://HOST:PORT (REST, port 8501 by default) or "
            f"grpc://HOST:PORT (gRPC, port 8500); https and grpcs with TLS. Received: {address!r}."
        )
    return kind(address, model, version, timeout, most_bytes)


class Rest:
    """`POST /v1/models/NAME[/versions/N]:predict` in column format.

    Args:
        address: `http://HOST:PORT` or `https://HOST:PORT`. Redirects are not followed.
        model: its name.
        version: None: the newest.
        timeout: seconds that a call may take, from connecting to the last byte.
        most_bytes: of an answer after decompression.
    """

    def __init__(
        self, address: str, model: str, version: int | None, timeout: float, most_bytes: int
    ):
        requests = _imported("requests")
        from tfanime.core.deadline import pools

        watched = pools(lambda: self._running.deadline)

        class Adapter(requests.adapters.HTTPAdapter):
            def init_poolmanager(self, *arguments, **options):
                super().init_poolmanager(*arguments, **options)
                self.poolmanager.pool_classes_by_scheme = watched

            def proxy_manager_for(self, *arguments, **options):
                manager = super().proxy_manager_for(*arguments, **options)
                manager.pool_classes_by_scheme = watched
                return manager

        self._errors = requests.exceptions
        self._session = requests.Session()
        self._running = threading.local()  # the deadline of each thread's call
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, Adapter())
        self._address, self._timeout = address.rstrip("/"), timeout
        self._most_bytes = most_bytes
        self._path = f"/v1/models/{quote(model, safe='')}"
        if version is not None:
            self._path += f"/versions/{version}"

    def predict(self, signature, inputs, outputs=(), seconds=None) -> Arrays:
        body = {
            "signature_name": signature,
            "inputs": {name: _to_json(value) for name, value in inputs.items()},
        }
        answer = self._call("POST", ":predict", seconds, data=json.dumps(body))
        if "outputs" not in answer:
            raise BadAnswer(self._address, "it has no outputs")
        found = answer["outputs"]
        if not isinstance(found, dict):
            # A single output comes without its name.
            found = {(outputs or ("output",))[0]: found}
        return {
            name: _array(self._address, name, lambda value=value: _from_json(value))
            for name, value in _wanted(self._address, found, outputs).items()
        }

    def states(self) -> dict[int, str]:
        answer = self._call("GET", "", None)
        try:
            return {int(s["version"]): str(s["state"]) for s in answer["model_version_status"]}
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(self._address, "it has no model_version_status") from error

    def close(self) -> None:
        self._session.close()

    def _call(self, method: str, verb: str, seconds: float | None, **options) -> dict:
        status, reason, body = self._answer(method, verb, seconds or self._timeout, options)
        if 300 <= status < 400:
            raise BadAnswer(self._address, f"it leads elsewhere ({status}), and is not followed")
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            if 200 <= status < 300:
                raise BadAnswer(self._address, f"no JSON ({error})") from error
            answer = {"error": body[:READ].decode("utf-8", "replace") or reason}
        if not isinstance(answer, dict):
            raise BadAnswer(self._address, f"its JSON is no object ({type(answer).__name__})")
        if 200 <= status < 300 and "error" not in answer:
            return answer
        message = str(answer.get("error") or reason)[:READ]
        if status in BUSY:
            raise ConnectionError(_busy(self._address, message))
        if status == 404:
            raise LookupError(_absent(self._address, self._path, message))
        if status == 400:
            raise ValueError(_refusal(message))
        raise RuntimeError(f"{self._address} failed ({status}): {_short(message)}")

    def _answer(
        self, method: str, verb: str, seconds: float, options: dict
    ) -> tuple[int, str, bytes]:
        """Status, its words, and the body."""
        from tfanime.core.deadline import Deadline

        url, errors = self._address + self._path + verb, self._errors
        options |= {"timeout": seconds, "stream": True, "allow_redirects": False}
        deadline = self._running.deadline = Deadline(seconds)
        deadline.start()
        body = bytearray()
        try:
            with self._session.request(method, url, **options) as response:
                for piece in response.iter_content(PIECE):
                    body += piece
                    if len(body) > self._most_bytes:
                        raise BadAnswer(self._address, _large(self._most_bytes))
        except (errors.RequestException, OSError, UnicodeError) as error:
            late = isinstance(error, (errors.Timeout, TimeoutError)) or "timed out" in str(error)
            if deadline.passed or late:
                raise TimeoutError(_late(self._address, self._timeout)) from error
            if isinstance(error, errors.ChunkedEncodingError):
                raise ConnectionError(_busy(self._address, "the answer breaks off")) from error
            if isinstance(error, errors.ContentDecodingError):
                raise BadAnswer(self._address, f"it cannot be unpacked ({error})") from error
            if isinstance(error, (errors.ConnectionError, ConnectionError)):
                raise ConnectionError(_nobody(self._address)) from error
            raise RuntimeError(f"{self._address} cannot be asked: {_short(str(error))}") from error
        finally:
            deadline.close()
        if deadline.passed:  # a body without a length ends where the socket was shut
            raise TimeoutError(_late(self._address, self._timeout))
        return response.status_code, str(response.reason or ""), bytes(body)


class Grpc:
    """`tensorflow.serving.PredictionService`.

    Args:
        address: `grpc://HOST:PORT`, or `grpcs://HOST:PORT` with TLS.
        model, version, timeout, most_bytes: see `Rest`.
    """

    def __init__(
        self, address: str, model: str, version: int | None, timeout: float, most_bytes: int
    ):
        self._grpc = grpc = _imported("grpc")
        self._messages = _imported("tensorflow_serving.apis.predict_pb2")
        self._status = _imported("tensorflow_serving.apis.get_model_status_pb2")
        predictions = _imported("tensorflow_serving.apis.prediction_service_pb2_grpc")
        models = _imported("tensorflow_serving.apis.model_service_pb2_grpc")
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

        found = _wanted(self._address, dict(answer.outputs), outputs)
        return {
            name: _array(self._address, name, lambda value=value: array(value))
            for name, value in found.items()
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
                raise TimeoutError(_late(self._address, self._timeout)) from error
            if code == codes.UNAVAILABLE:
                nobody = "connect" in message.lower()
                said = _nobody(self._address) if nobody else _busy(self._address, message)
                raise ConnectionError(said) from error
            if code == codes.RESOURCE_EXHAUSTED and "larger than max" in message:
                raise BadAnswer(self._address, _large(self._most_bytes)) from error
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
        if found.dtype == object:
            raise ValueError("values of several kinds")
        with np.errstate(over="ignore"):  # it is infinite then, which those who use it look for
            return found.astype(np.float32) if found.dtype.kind == "f" else found
    texts = np.asarray(value, object)
    found = np.empty(texts.shape, object)
    # One by one: NumPy's own bytes would lose zeros at their ends.
    for place, text in np.ndenumerate(texts):
        packed = text["b64"] if isinstance(text, dict) else None
        found[place] = base64.b64decode(packed) if packed is not None else text.encode()
    return found


def _wanted(address: str, found: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
    """The outputs that were asked for, in that order."""
    missing = [name for name in outputs if name not in found]
    if missing:
        raise BadAnswer(address, f"it has no output {missing[0]!r}")
    return {name: found[name] for name in outputs or found}


def _array(address: str, name: str, read: Callable[[], np.ndarray]) -> np.ndarray:
    try:
        found = read()
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise BadAnswer(address, f"its output {name!r} is no array ({error})") from error
    if found.dtype.kind not in "biufO":
        raise BadAnswer(address, f"its output {name!r} is of no known type ({found.dtype})")
    return found


# ---- messages ------------------------------------------------------------------------------------


def _refusal(message: str) -> str:
    """The sentence of an assertion in the graph, or the server's own words."""
    found = ASSERTION.search(message)
    said = found[1].replace("\\'", "'").replace('\\"', '"') if found else message
    return _short(said)


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


def _large(most_bytes: int) -> str:
    return (
        f"it has more than {most_bytes:,} bytes (most_bytes of Client); ask for fewer pictures at "
        "a time if that many are expected"
    )


def _short(message: str) -> str:
    """A server's words in one line, of limited length and without what a terminal acts on."""
    said = " ".join(plain(message[:READ]).split())
    return said if len(said) <= LONGEST else said[:LONGEST] + "..."


def _imported(name: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Asking a model server needs packages that are not here ({error}). Install them "
            f"with: {EXTRA}"
        ) from error
