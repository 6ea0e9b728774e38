"""Whether the network behind a figure had a part in what it judges.

A generator that was trained through a network draws what that network likes, and one whose labels
a network wrote obeys that network: its figures flatter. So do, less, those of networks that learnt
from the same images or labels. Figures of pixels alone have no network to flatter.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfanime import zoo
from tfanime.core.files import read_json
from tfanime.data import PackedDataset
from tfanime.evaluation.report import Figure
from tfanime.metrics.features import path_and_layer
from tfanime.zoo.saved import steered_by

# What networks learnt from, by their own names or those inside files of `tfanime features`.
FAMILIES = {
    "tagger": "labels of faces",
    "lite0": "ImageNet",
    "mobilenet": "ImageNet",
    "mobilenetv2": "ImageNet",
    "inception": "ImageNet",
    "mobilenet_imagenet": "ImageNet",
    "mobilenet_nsfwjs": "the images of nsfwjs",
    "drawings": "the images of nsfwjs",
    "illustration2vec": "Danbooru's tags",
}
LABELLED, INSIDE = "labelled its data", "was inside the run's discriminator"
LED = "led its steering"
ESTIMATED = "estimated by "
MOST_STARTS = 20  # runs that began with others' weights, one after the other


@dataclass(frozen=True)
class Part:
    """A network that had a part in a run.

    Args:
        name: as the run, or the data, name it.
        role: `INSIDE`, `LABELLED` or `LED`.
    """

    name: str
    role: str


def parts_of(run: Path | None, data: PackedDataset) -> tuple[Part, ...] | None:
    """The networks that had a part in a run or saved model; None where that is not known.

    Those of the runs that it began with (`start`) are among them. What labelled the images is
    in `config.json`, or, for runs older than that, in `data`, if these are what it learnt from.
    What led the steering of a model had a part in all that keeps its steering.
    """
    parts, led = [], [] if run is None else [Part(name, LED) for name in steered_by(run)]
    for _ in range(MOST_STARTS):
        if run is None or not (run / "config.json").is_file():
            return None
        document = read_json(run / "config.json")
        config = document["config"]
        if config["recipe"] == "custom":
            return None  # networks of the user's own, which may hold any other
        parts += [Part(name, INSIDE) for name in looked_through(document)]
        labels_from = document.get("labels_from")
        if labels_from is None and document["data"]["sha256"] == data.sha256:
            labels_from = data.labels_from
        if labels_from and labels_from.startswith(ESTIMATED) and config["conditioning"] != "none":
            parts.append(Part(labels_from.removeprefix(ESTIMATED), LABELLED))
        if config.get("start") is None:
            return tuple(dict.fromkeys(parts + led))
        run = zoo.locate(config["start"])
        if config.get("steering"):
            led += [Part(name, LED) for name in steered_by(run)]
    return None


def looked_through(document: Mapping[str, Any]) -> list[str]:
    """The frozen networks of a `config.json`: of either discriminator, or, of what ships, all that
    were there in training."""
    config, second = document["config"], document["config"].get("projected") or {}
    features = [config["discriminator"].get("features", []), second.get("features", [])]
    if "looked_through" in document:
        features = [document["looked_through"]]
    return [name for one in features for name in ([one] if isinstance(one, str) else one)]


def judged(figure: Figure, judge: str | None, parts: Sequence[Part] | None) -> Figure:
    """The figure with what its network, `judge`, had to do with the run.

    Args:
        judge: an extractor's name or path, or `tagger` and the like; None: only pixels count.
        parts: from `parts_of`.
    """
    if judge is None:
        return replace(figure, judge="pixels alone", independent=True)
    name, family = _short(judge), _family(judge)
    if parts is None:
        unknown = f"{name}; which networks had a part in the images is not known"
        return replace(figure, judge=unknown, independent=None)
    same = [part for part in parts if _short(part.name) == name]
    if same:
        roles = " and ".join(dict.fromkeys(part.role for part in same))
        return replace(figure, judge=f"{name}, which {roles}", independent=False)
    related = [part for part in parts if family and _family(part.name) == family]
    if related:
        other = related[0]
        text = f"{name}, which learnt from {family} as {_short(other.name)} did, which {other.role}"
        return replace(figure, judge=text, independent=False)
    strangers = [part for part in parts if not (family and _family(part.name))]
    if strangers:
        text = f"{name}; whether it learnt from the same as {_short(strangers[0].name)}, which "
        return replace(figure, judge=f"{text}{strangers[0].role}, is not known", independent=None)
    learnt = f" (learnt from {family})" if family else ""
    return replace(figure, judge=f"{name}{learnt}, which had no part in the run", independent=True)


def _short(name: str) -> str:
    """`lite0@2` and `drawings:/somewhere/FILE` by their names, a file by its own."""
    base = name.partition("@")[0].partition(":")[0]
    return base if base in FAMILIES else _file(name).name


def _file(name: str) -> Path:
    """Of `FILE` or `FILE:LAYER`."""
    return Path(name) if Path(name).exists() else path_and_layer(name)[0]


def _family(name: str) -> str | None:
    """What a network learnt from, if that is known."""
    if _short(name) in FAMILIES:
        return FAMILIES[_short(name)]
    path = _file(name)
    if path.suffix == ".keras":
        return FAMILIES.get(_name_inside(path))
    # Else a folder of a tagger.
    return None if path.suffix else FAMILIES["tagger"]


def _name_inside(file: os.PathLike) -> str | None:
    """The name of a stored model, without loading it."""
    try:
        with zipfile.ZipFile(file) as parts:
            return json.loads(parts.read("config.json"))["config"]["name"]
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile):
        return None
