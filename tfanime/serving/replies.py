"""What a model server's replies are turned into: arrays, or an error that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from tfanime.core.printing import plain

Arrays = dict[str, np.ndarray]
# An assertion in a graph, as TensorFlow reports it.
ASSERTION = re.compile(r"assertion failed: \[(.*?)\]", re.S)
LONGEST = 500  # characters of a server's message that are passed on
READ = 20_000  # and of which an assertion's sentence is looked for
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
            f"does: {one_line(what)}. Check the address and the model's name."
        )


def wanted_outputs(
    address: str, values: Mapping[str, Any], outputs: Sequence[str]
) -> dict[str, Any]:
    """The outputs that were asked for, in that order."""
    missing = [name for name in outputs if name not in values]
    if missing:
        raise BadAnswer(address, f"it has no output {missing[0]!r}")
    return {name: values[name] for name in outputs or values}


def checked_array(address: str, name: str, read: Callable[[], np.ndarray]) -> np.ndarray:
    """What `read` makes of an output; `BadAnswer` if that is no array."""
    try:
        array = read()
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise BadAnswer(address, f"its output {name!r} is no array ({error})") from error
    if array.dtype.kind not in "biufO":
        raise BadAnswer(address, f"its output {name!r} is of no known type ({array.dtype})")
    return array


def refusal_of(message: str) -> str:
    """The sentence of an assertion in the graph, or the server's own words."""
    match = ASSERTION.search(message)
    text = match[1].replace("\\'", "'").replace('\\"', '"') if match else message
    return one_line(text)


def no_server(address: str) -> str:
    return (
        f"No model server answers at {address}. Start one (documentation, Serving), or give the "
        "address of one that runs."
    )


def busy_server(address: str, message: str) -> str:
    return f"The model server at {address} is not ready or too busy: {one_line(message)}"


def late_answer(address: str, timeout: float) -> str:
    return (
        f"The model server at {address} did not answer within {timeout:g} s. Ask for fewer "
        "images at a time, or allow more with timeout."
    )


def no_model(address: str, what: str, message: str) -> str:
    return f"The model server at {address} has no such model: {one_line(message or what)}"


def too_large(most_bytes: int) -> str:
    return (
        f"it has more than {most_bytes:,} bytes (most_bytes of Client); ask for fewer images at "
        "a time if that many are expected"
    )


def one_line(message: str) -> str:
    """A server's words in one line, of limited length and without what a terminal acts on."""
    text = " ".join(plain(message[:READ]).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def import_extra(name: str) -> ModuleType:
    """A package that only those who ask a server need; ImportError says how to install it."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Asking a model server needs packages that are not here ({error}). Install them "
            f"with: {EXTRA}"
        ) from error
