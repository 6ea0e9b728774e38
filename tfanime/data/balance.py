"""How often an image is repeated, so that rare labels are seen often enough."""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import LabelSchema

MOST_REPEATS = 16  # of an image with a rare label


def repeats(labels: np.ndarray, schema: LabelSchema, share: float) -> np.ndarray:
    """How often each row is repeated so that every flag, and every value of a group, has at least
    a share of all rows: `(n,)` int, 1 to `MOST_REPEATS`.

    A label that a row shares with others counts for both, so weights are raised label by label
    until all are satisfied or at the limit.

    Args:
        labels: `(n, schema.size)`, 0/1 coding, NaN unknown.
        schema: of them.
        share: 0 to 1 exclusive.
    """
    slices = schema.slices()
    fields = [f for f in schema.fields if f.kind in ("group", "flag") and not f.free]
    columns = [i for f in fields for i in range(slices[f.name].start, slices[f.name].stop)]
    ones = labels[:, columns] == 1
    weights = np.ones(len(labels))
    for _ in range(100):
        shares = weights @ ones / weights.sum()
        rare = (shares > 0) & (shares < share)
        if not rare.any():
            break
        # The rarest label of a row says how much more of it is needed.
        factors = np.where(ones & rare, share / np.maximum(shares, 1e-9), 1.0).max(axis=1)
        weights = np.minimum(weights * factors, MOST_REPEATS)
    # Fractions are handed on from row to row, so that the sum stays right and nothing is random.
    ends = np.cumsum(weights)
    return np.maximum(np.diff(np.floor(ends), prepend=0).astype(int), 1)
