"""Illustration2Vec (Saito and Matsui 2015) as a tagger, for those who have its files.

`illustration2vec:FILE` names the tag network, converted to ONNX, Keras or TFLite, whose output is
one probability a tag. `tag_list.json`, the list of tags that comes with the network, lies beside.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfanime.core.files import read_json
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.metrics.extractor import Extractor
from tfanime.metrics.features import extract, load_extractor
from tfanime.tagging.tagger import Tagger

THRESHOLD = 0.25  # of flags, as MakeGirlsMoe's authors had it (Jin et al. 2017, section 3.2)

TAGS = "tag_list.json"


def load(file: str) -> Tagger:
    """The tagger in `file`, of the 34 attributes of MakeGirlsMoe.

    Raises:
        ValueError: if the file or its list of tags is missing, or a tag is not in the list.
    """
    path = Path(file)
    listed = path.parent / TAGS
    if not path.is_file() or not listed.is_file():
        raise ValueError(
            f"Illustration2Vec needs its network and, beside it, {TAGS}. Received: {file!r}, "
            f"{'without' if path.is_file() else 'no such file nor'} {TAGS}."
        )
    tags = list(read_json(listed))
    names = [column.replace("_", " ") for column in MAKEGIRLSMOE.columns]
    missing = [name for name in names if name not in tags]
    if missing:
        raise ValueError(f"{TAGS} must list all 34 attributes. It lacks: {', '.join(missing)}.")
    columns = [tags.index(name) for name in names]
    # A Keras or TFLite file gives its last layer only if asked.
    name = file if path.suffix.lower() == ".onnx" else f"{file}:output"
    network = load_extractor(f"illustration2vec:{name}")

    def compute(pictures: np.ndarray, progress: bool) -> np.ndarray:
        scores = extract(pictures, network, progress=progress)
        _check(scores, len(tags), network)
        return scores[:, columns].astype(np.float64)

    return Tagger(MAKEGIRLSMOE, compute, "illustration2vec", network.identity, THRESHOLD)


def _check(scores: np.ndarray, tags: int, network: Extractor) -> None:
    if scores.shape[1] != tags or scores.min() < 0 or scores.max() > 1:
        raise ValueError(
            f"The network's output must be {tags} probabilities, one a tag. Received: "
            f"{scores.shape[1]} values from {scores.min():.3g} to {scores.max():.3g} "
            f"({network.layer})."
        )
