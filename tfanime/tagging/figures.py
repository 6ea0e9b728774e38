"""How often a tagger is right, on faces labelled by looking."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.core.files import read_json
from tfanime.core.labels import FACES, LabelSchema
from tfanime.tagging.calibration import calibration_error
from tfanime.tagging.tagger import Tagger

FIGURES = "figures.json"
ALL = "all"  # sets together


def figures_of(tagger: Tagger, images: np.ndarray, labels: np.ndarray) -> dict:
    """Figures of a tagger against labels.

    Args:
        images: `(n, H, W, 3)` uint8.
        labels: `(n, 37)` in the columns of `labels.FACES`, NaN where not known.

    Returns:
        `groups`: field to `accuracy`, `faces`, `calibration error`, `confusion` (true value to
        found value to count). `flags`: column to `precision`, `recall`, `f1` (None where nothing
        was found or there), `with it`, `faces`, `calibration error`. Attributes that the tagger
        does not know are left out.

    Raises:
        ValueError: for a tagger whose groups have other values.
    """
    probabilities = tagger.probabilities(images)
    labels_found = tagger.labels(images)
    groups, flags = {}, {}
    for field in FACES.fields:
        if field.name not in tagger.schema.slices():
            continue
        if tagger.schema.field(field.name).values != field.values:
            raise ValueError(
                f"A tagger's {field.name} has the values of `labels.FACES`: "
                f"{', '.join(field.values)}. Received: "
                f"{', '.join(tagger.schema.field(field.name).values)}."
            )
        place, own = FACES.slices()[field.name], tagger.schema.slices()[field.name]
        labelled = ~np.isnan(labels[:, place]).any(axis=1)
        if not labelled.any():
            continue
        y, p = labels[labelled, place], probabilities[labelled, own]
        if field.kind == "group":
            groups[field.name] = _group(field.values, y.argmax(axis=1), p)
        else:
            estimates = labels_found[labelled, own][:, 0] > 0.5
            flags[field.name] = scores(y[:, 0] > 0.5, estimates) | {
                "calibration error": round(calibration_error(p[:, 0], y[:, 0]), 4)
            }
    return {"groups": groups, "flags": flags}


def _group(values, truth: np.ndarray, p: np.ndarray) -> dict:
    estimates = p.argmax(axis=1)
    table = {
        value: {
            other: int(((truth == i) & (estimates == j)).sum())
            for j, other in enumerate(values)
            if ((truth == i) & (estimates == j)).any()
        }
        for i, value in enumerate(values)
        if (truth == i).any()
    }
    return {
        "accuracy": round(float((truth == estimates).mean()), 4),
        "faces": len(truth),
        "calibration error": round(calibration_error(p.max(axis=1), truth == estimates), 4),
        "confusion": table,
    }


def scores(truth: np.ndarray, estimates: np.ndarray) -> dict:
    """Precision, recall and F1 of one flag, both `(n,)` bool; None where there is nothing to divide
    by."""
    both, there, positives = int((truth & estimates).sum()), int(truth.sum()), int(estimates.sum())
    return {
        "precision": round(both / positives, 4) if positives else None,
        "recall": round(both / there, 4) if there else None,
        "f1": round(2 * both / (there + positives), 4) if there + positives else None,
        "with it": there,
        "faces": len(truth),
    }


@dataclass(frozen=True)
class Rates:
    """How a tagger reads one attribute.

    Args:
        precision: of the faces that it says have it, the share that do; None: it says so of none.
        recall: of the faces that have it, the share of which it says so.
        false_alarms: of the faces without it, the share of which it says so; None: not known.
        faces: those that have it.
    """

    precision: float | None
    recall: float
    false_alarms: float | None
    faces: int


def rates(figures: dict) -> dict[str, Rates]:
    """Of every column, `blue_hair` for example, of which there are faces in `figures_of`."""
    result = {}
    for name, group in figures["groups"].items():
        columns = dict(zip(FACES.field(name).values, FACES.field(name).columns, strict=True))
        rows = group["confusion"]
        total = sum(sum(row.values()) for row in rows.values())
        for value, row in rows.items():
            there, right = sum(row.values()), row.get(value, 0)
            positives = sum(other.get(value, 0) for other in rows.values())
            others = total - there
            result[columns[value]] = Rates(
                right / positives if positives else None,
                right / there,
                (positives - right) / others if others else None,
                there,
            )
    for column, flag in figures["flags"].items():
        if flag["recall"] is not None:
            result[column] = _rates_of_flag(flag)
    return result


def _rates_of_flag(flag: dict) -> Rates:
    there, precision = flag["with it"], flag["precision"]
    others, right = flag["faces"] - there, flag["recall"] * there
    if not others or precision == 0:  # how often it was wrong cannot be told from a precision of 0
        false_alarms = None
    else:
        false_alarms = 0.0 if precision is None else (right / precision - right) / others
    return Rates(precision, flag["recall"], false_alarms, there)


def recalls(figures: dict) -> dict[str, float]:
    """Recall of every column, see `rates`."""
    return {column: one.recall for column, one in rates(figures).items()}


def figures_in(folder: str | os.PathLike) -> dict[str, dict]:
    """What `figures_of` found on the faces kept for the end, by set and for `ALL`, in a folder that
    `train_tagger` wrote."""
    return read_json(Path(folder) / FIGURES)["sets"]


def table(sets: Mapping[str, dict], schema: LabelSchema = FACES) -> str:
    """Accuracy of groups and F1 of flags, a column a set, as a Markdown table."""
    lines = ["| | " + " | ".join(sets) + " |", "|---|" + "---|" * len(sets)]
    for field in schema.fields:
        kind, key = ("groups", "accuracy") if field.kind == "group" else ("flags", "f1")
        cells = []
        for figures in sets.values():
            value = figures[kind].get(field.name)
            if value is None or value[key] is None:
                cells.append("")
            elif field.kind == "flag":
                cells.append(f"{value[key]:.2f} ({value['with it']})")
            else:
                cells.append(f"{value[key]:.3f}")
        lines.append(f"| {field.name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
