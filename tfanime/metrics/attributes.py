"""Attribute precision (Jin et al. 2017, table 2): does the generator draw what it is asked for?

Each attribute in turn is asked for, all others are drawn from the training set's frequencies, and
a tagger says on how many of the images it sees the attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tfanime.core.bars import progress_bar
from tfanime.core.labels import LabelSchema


class Judge(Protocol):
    """Who says what is on an image: a `tagging.Tagger`, for example."""

    schema: LabelSchema

    def labels(self, images: np.ndarray, /) -> np.ndarray:
        """`(n, H, W, 3)` uint8 to `(n, schema.size)` float32, each 0 or 1."""


@dataclass(frozen=True)
class AttributePrecision:
    """One attribute.

    Args:
        attribute: column name, such as `blue_hair`.
        precision: share of the images asked to have it on which the tagger sees it.
        count: images.
    """

    attribute: str
    precision: float
    count: int


def attribute_precision(
    draw: Callable[[dict[str, object], int], np.ndarray],
    schema: LabelSchema,
    tagger: Judge,
    progress: bool = False,
) -> list[AttributePrecision]:
    """Precision of every attribute that both the generator and the tagger know.

    Args:
        draw: from fixed tags and a seed to images `(n, H, W, 3)` uint8.
        schema: of the generator.
        tagger: who judges.
        progress: show a progress bar.

    Raises:
        ValueError: if they have no attribute in common.
    """
    pairs = [
        (column, {field.name: value})
        for field in schema.fields
        if field.kind in ("group", "flag")
        for column, value in zip(
            field.columns, field.values if field.kind == "group" else (True,), strict=True
        )
        if column in tagger.schema.columns
    ]
    if not pairs:
        raise ValueError(
            "Attribute precision needs attributes that the tagger knows. The generator has: "
            f"{', '.join(schema.columns)}; the tagger: {', '.join(tagger.schema.columns)}."
        )
    results = []
    for i, (column, tags) in enumerate(progress_bar(pairs, unit="attribute", disable=not progress)):
        labels = tagger.labels(draw(tags, i))
        hits = labels[:, tagger.schema.columns.index(column)] > 0.5
        results.append(AttributePrecision(column, float(hits.mean()), len(hits)))
    return results


def corrected(share: float, recall: float, false_alarms: float) -> float:
    """The share of images that have an attribute which a judge with known faults sees on `share`.

    It sees it on `recall` of the images that have it and on `false_alarms` of the others, so that
    share = p recall + (1 - p) false_alarms, which is solved for p (Rogan & Gladen 1978) and kept
    within 0 and 1.

    Example:
        >>> corrected(0.5, recall=0.8, false_alarms=0.2)
        0.5
    """
    return min(max((share - false_alarms) / (recall - false_alarms), 0.0), 1.0)
