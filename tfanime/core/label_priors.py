"""Drawing labels from a prior: field by field from frequencies, or whole rows from examples.

The draw is specified with the seeds: its twins in JavaScript and in graphs repeat it number by
number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfanime.core.label_fields import Field


def draw_labels(
    fields: Sequence[Field],
    examples: np.ndarray | None,
    uniforms: np.ndarray,
    prior: str,
    fixed: np.ndarray | None,
) -> np.ndarray:
    """`LabelSchema.sample` of a schema with these fields and examples."""
    labels = np.empty((len(uniforms), sum(field.size for field in fields)), np.float32)
    start = 0
    for i, field in enumerate(fields):
        u, place = uniforms[:, i], slice(start, start + field.size)
        start += field.size
        if field.kind == "vector":
            labels[:, place] = 0.5  # the middle, where there are no examples
            continue
        frequencies = field.frequencies if prior == "empirical" else ()
        table = np.asarray(frequencies or field.default_frequencies(), np.float64)
        if field.kind == "group":
            # The total is added left to right, as its twins do. The last edge
            # is left out, so rounding cannot fall off the end.
            edges = np.cumsum(table / np.cumsum(table)[-1])[:-1]
            values = (u[:, None] >= edges[None, :]).sum(axis=1)
            labels[:, place] = np.eye(field.size, dtype=np.float32)[values]
        elif field.kind == "flag":
            labels[:, place] = (u < table[0])[:, None]
        else:
            labels[:, place] = np.interp(u, np.linspace(0, 1, len(table)), table)[:, None]
    fixed = None if fixed is None else np.broadcast_to(fixed, labels.shape)
    if examples is not None and (fixed is None or np.isnan(fixed).any()):
        rows = _draw_examples(examples, uniforms[:, len(fields) - 1], fixed)
        labels = np.where(np.isnan(rows), labels, rows)
    if fixed is not None:
        labels = np.where(np.isnan(fixed), labels, fixed).astype(np.float32)
    return labels


def _draw_examples(examples: np.ndarray, u: np.ndarray, fixed: np.ndarray | None) -> np.ndarray:
    """An example for each number of `u`, among those nearest to what is fixed."""
    if fixed is None or np.isnan(fixed).all():
        return examples[(u * len(examples)).astype(int)]
    labels = np.empty((len(u), examples.shape[1]), np.float32)
    for i, row in enumerate(fixed):
        mask = ~np.isnan(row)
        apart = np.nansum(np.abs(examples[:, mask] - row[mask]), axis=1)
        close = np.flatnonzero(apart <= apart.min() + 1e-6)
        labels[i] = examples[close[int(u[i] * len(close))]]
    return labels
