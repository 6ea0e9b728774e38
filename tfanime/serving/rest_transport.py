"""TensorFlow Serving's REST: JSON over HTTP; needs requests."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any
from urllib.parse import quote

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

PIECE = 2**16
BUSY = (429, 502, 503, 504)


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
        requests = import_extra("requests")
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
        values = answer["outputs"]
        if not isinstance(values, dict):
            # A single output comes without its name.
            values = {(outputs or ("output",))[0]: values}
        return {
            name: checked_array(self._address, name, lambda value=value: _from_json(value))
            for name, value in wanted_outputs(self._address, values, outputs).items()
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
            raise ConnectionError(busy_server(self._address, message))
        if status == 404:
            raise LookupError(no_model(self._address, self._path, message))
        if status == 400:
            raise ValueError(refusal_of(message))
        raise RuntimeError(f"{self._address} failed ({status}): {one_line(message)}")

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
                        raise BadAnswer(self._address, too_large(self._most_bytes))
        except (errors.RequestException, OSError, UnicodeError) as error:
            late = isinstance(error, (errors.Timeout, TimeoutError)) or "timed out" in str(error)
            if deadline.passed or late:
                raise TimeoutError(late_answer(self._address, self._timeout)) from error
            if isinstance(error, errors.ChunkedEncodingError):
                raise ConnectionError(
                    busy_server(self._address, "the answer breaks off")
                ) from error
            if isinstance(error, errors.ContentDecodingError):
                raise BadAnswer(self._address, f"it cannot be unpacked ({error})") from error
            if isinstance(error, (errors.ConnectionError, ConnectionError)):
                raise ConnectionError(no_server(self._address)) from error
            raise RuntimeError(
                f"{self._address} cannot be asked: {one_line(str(error))}"
            ) from error
        finally:
            deadline.close()
        if deadline.passed:  # a body without a length ends where the socket was shut
            raise TimeoutError(late_answer(self._address, self._timeout))
        return response.status_code, str(response.reason or ""), bytes(body)


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
        numbers = np.asarray(value)
        if numbers.dtype == object:
            raise ValueError("values of several kinds")
        with np.errstate(over="ignore"):  # it is infinite then, which those who use it look for
            return numbers.astype(np.float32) if numbers.dtype.kind == "f" else numbers
    texts = np.asarray(value, object)
    contents = np.empty(texts.shape, object)
    # One by one: NumPy's own bytes would lose zeros at their ends.
    for place, text in np.ndenumerate(texts):
        packed = text["b64"] if isinstance(text, dict) else None
        contents[place] = base64.b64decode(packed) if packed is not None else text.encode()
    return contents
