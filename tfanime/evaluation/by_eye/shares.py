"""What a filled form says of each model: shares of images with their intervals."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tfanime.core.files import write_json, write_text
from tfanime.evaluation.by_eye.form import read_form, read_key
from tfanime.evaluation.by_eye.questions import BROKEN, FORM, OTHER_WORDS

Z = 1.959963984540054  # 97.5 % of a normal distribution lie below


@dataclass(frozen=True)
class Share:
    """A share of images, with its 95 % interval (Wilson 1927).

    Args:
        share, low, high: 0 to 1.
        images: of which it is the share.
    """

    share: float
    low: float
    high: float
    images: int


@dataclass(frozen=True)
class ByEye:
    """What a judge saw on the images of one model.

    Args:
        model: as it was named.
        images: of the model.
        broken: share with flag X or Z.
        mean: mean of `attributes`; None for a model that was asked for none.
        fields: mean over the values of `hair` and `eyes`, where the model has them.
        attributes: column, such as `blue_hair` -> share of the images asked to have it that do.
    """

    model: str
    images: int
    broken: Share
    mean: Share | None
    fields: Mapping[str, Share]
    attributes: Mapping[str, Share]


def score(folder: str | os.PathLike, form: str | os.PathLike | None = None) -> list[ByEye]:
    """What the filled form says of each model; written into the folder too, as `by_eye.json` and
    `by_eye.md`.

    An image shows what it was asked for if the judge wrote that word or letter, broken or not.

    Args:
        folder: what `sheets` wrote.
        form: the filled form; default: `form.csv` of the folder.

    Raises:
        ValueError: for a folder without a key, or a form that is not filled as the rules say; the
            message names row and cell.
    """
    folder = Path(folder)
    key = read_key(folder)
    answers = read_form(Path(form) if form else folder / FORM, key)
    results = [_of_model(model, key, answers) for model in key["models"]]
    report = {"models": [asdict(one) for one in results], "protocol": key["protocol"]}
    write_json(folder / "by_eye.json", report)
    write_text(folder / "by_eye.md", table(results))
    return results


def table(results: Sequence[ByEye]) -> str:
    """Markdown: a row a model, and, where attributes were asked for, a row an attribute."""
    columns = list(dict.fromkeys(column for one in results for column in one.attributes))
    fields = [name for name in OTHER_WORDS if any(name in one.fields for one in results)]
    rows = [["model", "images", "broken", *(["mean of attributes"] if columns else []), *fields]]
    for one in results:
        mean = f"{_cell(one.mean)} of {len(one.attributes)}" if one.mean else ""
        of_fields = [_cell(one.fields.get(name)) for name in fields]
        head = [one.model, f"{one.images:,}", _cell(one.broken)]
        rows.append(head + ([mean] if columns else []) + of_fields)
    text = _markdown(rows)
    if columns:
        rows = [["asked for", *(one.model for one in results)]]
        for column in columns:
            cells = [_cell(one.attributes.get(column), counted=True) for one in results]
            rows.append([column, *cells])
        text += "\n" + _markdown(rows)
    return (
        text + "\nShares of images, with 95 % intervals (Wilson); broken: flags X and Z. "
        "Judged blind, by eye.\n"
    )


def wilson(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share of `count` images (Wilson 1927).

    Example:
        >>> [round(limit, 4) for limit in wilson(8 / 10, 10)]
        [0.4902, 0.9433]
    """
    square = Z * Z / count
    centre = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def _of_model(model: str, key: dict, answers: Mapping[tuple[int, int], Mapping]) -> ByEye:
    images = [entry for entry in key["images"] if entry["model"] == model]
    images.sort(key=lambda entry: entry["seed"])  # the order of the schema
    broken, by_column = [], {}
    for entry in images:
        answer = answers[entry["sheet"], entry["n"]]
        broken.append(bool(set(answer["flags"]) & set(BROKEN)))
        if entry["attribute"] is not None:
            ((name, value),) = entry["asked"].items()
            right = (
                answer[name] == str(value).lower()
                if name in key["words"]
                else key["letters"][name] in answer["flags"]
            )
            by_column.setdefault(entry["attribute"], (name, []))[1].append(right)
    attributes = {column: _share(hits) for column, (_, hits) in by_column.items()}
    fields = {
        name: _mean([attributes[column] for column, (of, _) in by_column.items() if of == name])
        for name in key["words"]
        if any(of == name for of, _ in by_column.values())
    }
    mean = _mean(list(attributes.values())) if attributes else None
    return ByEye(model, len(images), _share(broken), mean, fields, attributes)


def _share(hits: Sequence[bool]) -> Share:
    share = float(np.mean(hits))
    return Share(share, *wilson(share, len(hits)), len(hits))


def _mean(shares: Sequence[Share]) -> Share:
    """Each attribute counts the same. Where they have unequal numbers of images, the interval is
    that of as many images as have, with equal weights, the same variance (Kish's effective size).
    """
    share = float(np.mean([one.share for one in shares]))
    effective = len(shares) ** 2 / sum(1 / one.images for one in shares)
    return Share(share, *wilson(share, effective), sum(one.images for one in shares))


def _cell(share: Share | None, counted: bool = False) -> str:
    if share is None:
        return ""
    text = f"{share.share:.2f} [{share.low:.2f}, {share.high:.2f}]"
    return f"{text} of {share.images}" if counted else text


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"
