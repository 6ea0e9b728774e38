"""`Tagger`: images in, attributes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfanime.core.labels import LabelSchema
from tfanime.metrics.inception_score import posteriors_from_logits

THRESHOLD = 0.5  # of a flag for which none was chosen
WEIGHTS, LABELS = "tagger.keras", "labels.json"


@dataclass(frozen=True)
class Tagger:
    """Estimates labels.

    Args:
        schema: what the columns mean: groups and flags.
        compute: images `(n, H, W, 3)` uint8 of any size, and whether to show a progress bar, to
            probabilities `(n, schema.size)` float64: of a group's values, with the sum 1, and of
            each flag.
        name: for people and protocols.
        identity: changes whenever the answers could.
        threshold: from which probability a flag counts as set: one number, or `(schema.size,)`,
            one a column, of which those of groups mean nothing.
    """

    schema: LabelSchema
    compute: Callable[[np.ndarray, bool], np.ndarray]
    name: str
    identity: str
    threshold: float | np.ndarray = THRESHOLD

    def probabilities(self, pictures: np.ndarray, progress: bool = False) -> np.ndarray:
        """`(n, H, W, 3)` uint8 to `(n, schema.size)` float64."""
        return self.compute(pictures, progress)

    def labels(self, pictures: np.ndarray, progress: bool = False) -> np.ndarray:
        """`(n, H, W, 3)` uint8 to `(n, schema.size)` float32, each 0 or 1."""
        return decide(self.probabilities(pictures, progress), self.schema, self.threshold)

    def tags(self, pictures: np.ndarray) -> list[dict[str, object]]:
        """The labels in words, one dictionary an image."""
        return [self.schema.decode(row) for row in self.labels(pictures)]


def decide(
    probabilities: np.ndarray,
    schema: LabelSchema,
    threshold: float | Sequence[float] | np.ndarray = THRESHOLD,
) -> np.ndarray:
    """Probabilities `(n, L)` to labels `(n, L)` float32: a group's most probable value, and every
    flag whose probability is at least `threshold`, one number or one a column."""
    thresholds = np.broadcast_to(threshold, (schema.size,))
    labels = np.zeros(probabilities.shape, np.float32)
    for field in schema.fields:
        columns = schema.slices()[field.name]
        part = probabilities[:, columns]
        if field.kind == "group":
            labels[:, columns] = np.eye(field.size, dtype=np.float32)[part.argmax(axis=1)]
        else:
            labels[:, columns] = part >= thresholds[columns]
    return labels


def probabilities_of(logits: np.ndarray, schema: LabelSchema) -> np.ndarray:
    """Logits `(n, L)` to probabilities `(n, L)` float64: softmax within a group, else sigmoid."""
    result = np.empty(logits.shape, np.float64)
    for field in schema.fields:
        columns = schema.slices()[field.name]
        part = np.asarray(logits[:, columns], np.float64)
        if field.kind == "group":
            result[:, columns] = posteriors_from_logits(part)
        else:
            result[:, columns] = np.exp(-np.logaddexp(0, -part))
    return result


def thresholds_of(document: dict, schema: LabelSchema) -> float | np.ndarray:
    """What `labels.json` says: `threshold`, one for all flags, or `thresholds`, one a flag."""
    if "thresholds" not in document:
        return document["threshold"]
    return np.array([document["thresholds"].get(column, THRESHOLD) for column in schema.columns])
