"""How often each label occurs, for people to read."""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import Field, LabelSchema
from tfanime.core.printing import plain


def label_counts(schema: LabelSchema, labels: np.ndarray) -> list[tuple[str, str]]:
    """The name of every label but vectors, and how many images have each of its values, the
    commonest first: `("hair", "blue 12, red 8; unknown 3")`.

    Args:
        labels: `(n, schema.size)`, 0/1 coding, NaN unknown.
    """
    where = schema.slices()
    return [
        (plain(field.name), _counted(field, np.asarray(labels)[:, where[field.name]]))
        for field in schema.fields
        if field.kind != "vector"
    ]


def _counted(field: Field, part: np.ndarray) -> str:
    labelled = part[~np.isnan(part).any(axis=1)]
    if field.kind == "value":
        span = labelled.min(initial=1.0), labelled.max(initial=0.0)
        ends = [f"{field.low + x * (field.high - field.low):g}" for x in span]
        counts = [f"{ends[0]} to {ends[1]} {len(labelled):,}"] if len(labelled) else []
    else:
        ones = labelled.sum(axis=0).round().astype(int).tolist()
        if field.kind == "flag":
            names, ones = ("yes", "no"), [ones[0], len(labelled) - ones[0]]
        else:
            names = field.values
            order = sorted(range(len(names)), key=lambda i: (-ones[i], i))
            names, ones = [names[i] for i in order], [ones[i] for i in order]
        counts = [f"{plain(name)} {count:,}" for name, count in zip(names, ones, strict=True)]
    unknown = len(part) - len(labelled)
    return "; ".join(filter(None, [", ".join(counts), f"unknown {unknown:,}" if unknown else ""]))
