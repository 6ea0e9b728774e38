"""Finding a tagger: the one that ships, a folder, or illustration2vec."""

from __future__ import annotations

import os

import numpy as np

from tfanime import zoo
from tfanime.core.files import read_json
from tfanime.core.labels import LabelSchema
from tfanime.tagging.tagger import LABELS, WEIGHTS, Tagger, probabilities_of, thresholds_of


def load_tagger(spec: str | os.PathLike | None = None) -> Tagger:
    """A tagger.

    Args:
        spec: None for the one that ships; a folder written by `train_tagger`, `hf://owner/name`; or
            `illustration2vec:FILE`, see `tfanime.tagging.illustration2vec`.

    Raises:
        ValueError: if it is none of these.
        ImportError: if an ONNX file is given and onnxruntime is missing.
    """
    from tfanime.metrics.features import extract, load_extractor

    text = "" if spec is None else os.fspath(spec)
    if text.startswith("illustration2vec:"):
        from tfanime.tagging.illustration2vec import load

        return load(text.partition(":")[2])
    folder = zoo.locate(text or "tagger")
    if not (folder / WEIGHTS).is_file() or not (folder / LABELS).is_file():
        raise ValueError(
            f"A tagger is a folder with {WEIGHTS} and {LABELS}, or illustration2vec:FILE. "
            f"Received: {text!r}. Leave it out for the one that ships."
        )
    document = read_json(folder / LABELS)
    schema = LabelSchema.from_json(document)
    network = load_extractor(f"{folder / WEIGHTS}:output")

    def compute(pictures: np.ndarray, progress: bool) -> np.ndarray:
        return probabilities_of(extract(pictures, network, progress=progress), schema)

    threshold = thresholds_of(document, schema)
    return Tagger(schema, compute, folder.name, network.identity, threshold)
