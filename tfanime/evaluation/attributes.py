"""The metric `attributes`: is drawn what is asked for, and how far is its judge to be believed?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from tfanime import zoo
from tfanime.evaluation.measures import common_protocol
from tfanime.evaluation.report import Figure
from tfanime.evaluation.workbench import NotApplicable, Workbench
from tfanime.metrics import attribute_precision, corrected
from tfanime.tagging.figures import ALL, FIGURES, Rates, figures_in, rates, recalls

# A judge that reads an attribute hardly better than guessing, or was tried on few faces with it,
# says nothing that could be corrected: the division would blow its noise up.
TELLS, FACES = 0.5, 20


def attributes(bench: Workbench) -> list[Figure]:
    if not bench.subject.conditional:
        raise NotApplicable("it needs a generator that was trained with labels")
    settings = bench.settings

    def draw(tags: dict, i: int) -> np.ndarray:
        return bench.subject.asked(tags, settings.per_attribute, settings.seed + i)

    try:
        precisions = attribute_precision(draw, bench.schema, bench.tagger, settings.progress)
    except ValueError as error:
        raise NotApplicable(str(error)) from error
    protocol = common_protocol(bench) | {
        "tagger": bench.tagger.name,
        "pictures an attribute": settings.per_attribute,
        "attributes": len(precisions),
    }
    protocol.pop("counts")
    protocol["labels"] = "each attribute in turn asked for, the others from the model's prior"
    shares = {one.attribute: one.precision for one in precisions}
    details: dict = {"by attribute": shares}
    sets = judged_faces(settings.tagger)
    own = {name: recalls(one) for name, one in sets.items() if name != ALL}
    reading = "how often the tagger is right is not known"
    if sets:
        judge = {column: one for column, one in rates(sets[ALL]).items() if column in shares}
        fair = corrected_shares(shares, judge)
        details["tagger's recall on held-out pictures"] = own
        details["tagger on faces labelled by looking"] = {c: asdict(r) for c, r in judge.items()}
        details["corrected for the tagger"] = fair
        reading = told(shares, fair)
    mean = float(np.mean(list(shares.values())))
    floor = _own_recall(own, list(shares))
    count = settings.per_attribute * len(precisions)
    return [
        Figure(
            "attribute precision",
            mean,
            floor,
            "higher",
            protocol,
            reading=reading,
            details=details,
            count=count,
        )
    ]


def corrected_shares(shares: Mapping[str, float], judge: Mapping[str, Rates]) -> dict[str, float]:
    """Shares of images that have what was asked for, of the attributes that the judge can tell."""
    return {
        column: corrected(share, rate.recall, rate.false_alarms)
        for column, share in shares.items()
        for rate in [judge.get(column)]
        if rate is not None
        and rate.false_alarms is not None
        and rate.faces >= FACES
        and rate.recall - rate.false_alarms >= TELLS
    }


def told(shares: Mapping[str, float], fair: Mapping[str, float]) -> str:
    if not fair:
        return "the tagger tells none of these attributes well enough to correct for its mistakes"
    as_seen, as_is = (float(np.mean([x[column] for column in fair])) for x in (shares, fair))
    return (
        f"of the {len(fair)} of {len(shares)} attributes that the tagger tells well: {as_seen:.2f} "
        f"as it sees them, {as_is:.2f} corrected for its mistakes on faces labelled by looking"
    )


def judged_faces(tagger: str | None) -> dict[str, dict]:
    """Figures of a tagger on faces labelled by looking, by set; none where they are not known."""
    if tagger is not None and tagger.startswith("illustration2vec:"):
        return {}
    folder = zoo.locate(tagger or "tagger")
    return figures_in(folder) if (folder / FIGURES).is_file() else {}


def _own_recall(own: dict[str, dict[str, float]], columns: list[str]) -> float | None:
    """Mean over the attributes of the mean over the sets: what a perfect generator would get."""
    values = [
        np.mean([recall[column] for recall in own.values() if column in recall])
        for column in columns
        if any(column in recall for recall in own.values())
    ]
    return float(np.mean(values)) if values else None
