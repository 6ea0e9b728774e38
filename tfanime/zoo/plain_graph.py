"""`PlainGraph`: a network as a TensorFlow graph that computes what eager execution computes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

# Calls of one shape before its graph is built, which takes as long as about ten calls save. That of
# a generator is built at once: of so many layers, an eager call takes three times as long as the
# graph's, and the first as long as building it.
EAGER_CALLS = 4


class PlainGraph:
    """Calls a network: eagerly at first, and through a graph where it is called again and again.

    TensorFlow rewrites a graph before it runs it (Grappler: operations are fused, constants
    folded), and fused operations round differently. Image i of a seed would then depend on how many
    are drawn. So the graph runs as it was traced, to the last bit like eager execution, at the
    speed of `keras.Model.predict`. Under JAX every call is eager.

    Args:
        model: takes one array or several and returns one; its weights may change between calls.
        eager_calls: of one shape, before its graph is built.
    """

    def __init__(self, model: keras.Model, eager_calls: int = EAGER_CALLS):
        self._model = model
        self._eager_calls = eager_calls
        self._calls: Counter[tuple] = Counter()
        self._graphs: dict[tuple, Any] = {}

    def expect(self, calls: int) -> None:
        """Says how many calls of one shape follow: of many, the first builds the graph."""
        if calls > EAGER_CALLS:
            self._eager_calls = 0

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        """Returns what the model returns in inference, float32.

        Args:
            inputs: float32 arrays, one for each input of the model.
        """
        import keras

        inputs = tuple(np.asarray(x, np.float32) for x in inputs)
        shapes = tuple(x.shape for x in inputs)
        self._calls[shapes] += 1
        if keras.backend.backend() != "tensorflow" or self._calls[shapes] <= self._eager_calls:
            return np.asarray(self._compute(*inputs), np.float32)
        return self._run(shapes, inputs)

    def _compute(self, *inputs: Any) -> Any:
        return self._model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)

    def _run(self, shapes: tuple, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
        import tensorflow as tf

        # tf.compat.v1 has it too, and takes long to import.
        from tensorflow.core.protobuf.config_pb2 import ConfigProto

        if shapes not in self._graphs:
            specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
            traced = tf.function(self._compute, autograph=False)
            self._graphs[shapes] = traced.get_concrete_function(*specs)
        graph = self._graphs[shapes]
        settings = ConfigProto()
        settings.graph_options.rewrite_options.disable_meta_optimizer = True
        [drawn] = tf.raw_ops.StatefulPartitionedCall(
            args=[*(tf.constant(x) for x in inputs), *graph.captured_inputs],
            Tout=[graph.outputs[0].dtype],
            f=graph,
            config_proto=settings.SerializeToString(),
        )
        return np.asarray(drawn, np.float32)
