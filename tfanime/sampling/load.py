"""`load`: a trained model of any kind."""

from __future__ import annotations

import os

from tfanime import zoo
from tfanime.tagging import Tagger, load_tagger
from tfanime.zoo.saved import UPSCALER, Generator, Upscaler, kind_of, load_generator, load_upscaler


def load(model: str | os.PathLike) -> Generator | Upscaler | Tagger:
    """Loads a trained model, whatever it is for.

    Args:
        model: a run folder, the name of a model that ships, or `hf://owner/name`, a model on the
            Hugging Face hub, which is fetched once (extra `hub`).

    Raises:
        FileNotFoundError, ValueError: as `load_generator`; `tfanime.zoo.hub.fetch` says what else.

    Example:
        >>> load("faces-64")  # doctest: +SKIP
    """
    folder = zoo.locate(model)
    if (folder / "tagger.keras").is_file():
        return load_tagger(folder)
    return load_upscaler(folder) if kind_of(folder) == UPSCALER else load_generator(folder)
