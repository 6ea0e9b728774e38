"""Probabilities that are true on average, and from which of them a flag counts."""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import FACES, LabelSchema

NEWTON_STEPS = 30
BINS = 15


def fitted(logits: np.ndarray, labels: np.ndarray, schema: LabelSchema = FACES):
    """A temperature for each group (Guo et al. 2017), slope and offset for each flag (Platt 1999).

    Args:
        logits: `(n, L)` of faces that were not trained on.
        labels: `(n, L)`, NaN where not known.

    Returns:
        `(scale (L,), offset (L,))` float64: `scale * logits + offset` are the calibrated logits.
    """
    scale, offset = np.ones(schema.size), np.zeros(schema.size)
    for field in schema.fields:
        columns = schema.slices()[field.name]
        labelled = ~np.isnan(labels[:, columns]).any(axis=1)
        x = logits[labelled, columns].astype(np.float64)
        y = labels[labelled, columns].astype(np.float64)
        if field.kind == "flag" and 0 < y.sum() < len(y):
            scale[columns], offset[columns] = _newton(_flag_slopes, x[:, 0], y[:, 0], (1.0, 0.0))
        elif field.kind == "group" and len(y):
            (scale[columns],) = _newton(_group_slopes, x, y, (1.0,))
    return scale, offset


def _newton(slopes, x, y, start) -> np.ndarray:
    """The least of a convex loss; steps are halved while they make it larger."""
    at = np.array(start, np.float64)
    loss, slope, bend = slopes(x, y, at)
    for _ in range(NEWTON_STEPS):
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(at)), slope)
        share = 1.0
        while share > 1e-6 and slopes(x, y, at - share * step)[0] > loss:
            share /= 2
        at = at - share * step
        loss, slope, bend = slopes(x, y, at)
        if np.abs(share * step).max() < 1e-9:
            break
    return at


def _flag_slopes(x, y, at):
    """Mean cross-entropy of `sigmoid(a x + b)`, its gradient and its second derivatives."""
    z = at[0] * x + at[1]
    p = 1 / (1 + np.exp(-z))
    inputs = np.stack([x, np.ones_like(x)])
    loss = (np.logaddexp(0, z) - y * z).mean()
    return loss, inputs @ (p - y) / len(x), (inputs * p * (1 - p)) @ inputs.T / len(x)


def _group_slopes(x, y, at):
    """The same of `softmax(a x)`."""
    z = at[0] * x
    top = np.logaddexp.reduce(z, axis=1, keepdims=True)
    p = np.exp(z - top)
    mean = (p * x).sum(axis=1)
    loss = (top[:, 0] - (z * y).sum(axis=1)).mean()
    slope = (mean - (x * y).sum(axis=1)).mean()
    bend = ((p * x**2).sum(axis=1) - mean**2).mean()
    return loss, np.array([slope]), np.array([[bend]])


def best_threshold(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """From which probability a flag counts, so that F1 is best: half-way to the next lower one.

    Args:
        probabilities: `(n,)`.
        truth: `(n,)` bool; 0.5 is returned if nothing is true.
    """
    if not truth.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    p, hits = probabilities[order], np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(p) + 1) + truth.sum())
    # Only where the next one differs can a threshold stand.
    stands = np.append(p[1:] < p[:-1], True)
    at = int(np.argmax(np.where(stands, f1, -1)))
    below = p[at + 1] if at + 1 < len(p) else 0.0
    return float((p[at] + below) / 2)


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error (Guo et al. 2017, eq. 3), 15 bins of equal width.

    Args:
        confidence: `(n,)` in 0..1.
        correct: `(n,)` 0 or 1: what came true.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs((confidence[bins == b] - correct[bins == b]).sum())
        for b in range(BINS)
        if (bins == b).any()
    ]
    return float(sum(gaps) / len(confidence))
