"""Are the files that were written for browsers the model that was to be written?"""

from __future__ import annotations

import numpy as np

from tfanime.export.graph.graph import Graph
from tfanime.export.graph.parity import close
from tfanime.export.web.tfjs import Artifact

FORBIDDEN = ("Conv2DBackpropInput",)


def check_artifact(
    artifact: Artifact,
    graph: Graph,
    weights: dict[tuple[str, str], np.ndarray],
    inputs: list[np.ndarray],
) -> float:
    """The converted files, read back, against the graph with the weights that were to be stored.

    Returns:
        The largest difference.

    Raises:
        RuntimeError: when it is more than rounding, or the model has operations that browsers
            compute badly.
    """
    forbidden = sorted(set(artifact.operations) & set(FORBIDDEN))
    if forbidden:
        raise RuntimeError(
            "A model for the web has no transposed convolutions, which browsers compute badly. "
            f"Received: {', '.join(forbidden)}. tfanime rewrites those with padding='same' and "
            "equal strides of at least 2; use such layers."
        )
    expected = np.asarray(graph(*inputs, weight=lambda node, key: weights[node.name, key]))
    order = [inputs[graph.inputs.index(name)] for name in artifact.inputs]
    return close(artifact.function()(*order), expected, "the converted model")
