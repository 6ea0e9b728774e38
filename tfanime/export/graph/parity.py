"""Does a converted model draw what the trained one draws? Nothing is exported that does not."""

from __future__ import annotations

import numpy as np

from tfanime.export.graph.graph import Graph

FLOAT32 = 1e-4  # of values in [-1, 1]: rounding, summed over a deep network


def check_rewrite(graph: Graph, inputs: list[np.ndarray], pictures: np.ndarray) -> float:
    """The rewritten graph against Keras.

    Args:
        inputs: `(n, ...)` arrays in the order of the graph's.
        pictures: `(n, H, W, 3)` float32, what Keras makes of them.

    Returns:
        The largest difference.

    Raises:
        RuntimeError: when it is more than rounding.
    """
    return close(np.asarray(graph(*inputs)), pictures, "the graph rewritten for the web")


def check_converted(pictures: np.ndarray, expected: np.ndarray, what: str) -> float:
    """Images of what was written, run by its own runtime, against Keras's.

    Returns:
        The largest difference.

    Raises:
        RuntimeError: when it is more than rounding.
    """
    return close(pictures, expected, what)


def close(pictures: np.ndarray, expected: np.ndarray, what: str) -> float:
    same = pictures.shape == expected.shape
    difference = float(np.abs(pictures - expected).max()) if same else np.inf
    if not difference <= FLOAT32:
        raise RuntimeError(
            f"Results of {what} may differ from the trained model's by {FLOAT32:g} at most. "
            f"Received: {difference:.2g}. Nothing was written; this is an error in tfanime or "
            "TensorFlow, please report it with the run's config.json."
        )
    return difference
