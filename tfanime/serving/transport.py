"""TensorFlow Serving's two ways in: REST, which needs requests, and gRPC, which needs its messages.

Both turn a signature's name and arrays into arrays. Whatever goes wrong is one of: `ValueError`
(the server refused what was asked), `LookupError` (it has no such model), `TimeoutError`,
`ConnectionError` (no server there, or a busy one), `BadAnswer` (what is there is no model server,
or means harm) or another `RuntimeError`. Answers are limited in size and, as a whole, in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import numpy as np

from tfanime.serving.grpc_transport import Grpc
from tfanime.serving.replies import Arrays
from tfanime.serving.rest_transport import Rest

ANSWER_BYTES = 64 * 2**20


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
