"""A SavedModel as TensorFlow Serving runs it: a session, fed by the names in its signatures.

`tf.saved_model.load` checks shapes and types in Python before anything is computed. The server is
C++ and does not; what reaches the graph there reaches it here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.config_pb2 import CallableOptions

# The function behind it, without the notice that tf.saved_model.load is there.
_load = tf.__internal__.decorator.unwrap(tf.compat.v1.saved_model.loader.load)[1]


class Session:
    """A version folder, loaded.

    Args:
        folder: with `saved_model.pb`.

    Attributes:
        signatures: name to `SignatureDef`.
    """

    def __init__(self, folder: str | os.PathLike):
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            meta = _load(self._session, ["serve"], os.fspath(folder))
        self.signatures = dict(meta.signature_def)
        self._callables = {}

    def close(self) -> None:
        self._callables.clear()
        self._session.close()

    def __call__(
        self, signature: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Computes outputs of a signature; none named: all.

        Raises:
            ValueError: for an unknown signature, input or output, or an input that is missing.
            tf.errors.OpError: for whatever the graph refuses.
        """
        if signature not in self.signatures:
            raise ValueError(f"Serving signature name: {signature!r} not found in signatures.")
        entry = self.signatures[signature]
        if set(inputs) != set(entry.inputs):
            raise ValueError(
                f"Inputs are: {', '.join(sorted(entry.inputs))}. Received: "
                f"{', '.join(sorted(inputs)) or 'none'}."
            )
        names = list(outputs) or sorted(entry.outputs)
        if not set(names) <= set(entry.outputs):
            raise ValueError(
                f"Outputs are: {', '.join(sorted(entry.outputs))}. Received: {', '.join(names)}."
            )
        order = sorted(inputs)
        call = self._callable(
            tuple(entry.inputs[name].name for name in order),
            tuple(entry.outputs[name].name for name in names),
        )
        return dict(zip(names, call(*(inputs[name] for name in order)), strict=True))

    def _callable(self, feeds: tuple[str, ...], fetches: tuple[str, ...]):
        # Not session.run, which compares shapes in Python.
        if (feeds, fetches) not in self._callables:
            options = CallableOptions(feed=feeds, fetch=fetches)
            call = self._session._make_callable_from_options(options)
            self._callables[feeds, fetches] = call
        return self._callables[feeds, fetches]
