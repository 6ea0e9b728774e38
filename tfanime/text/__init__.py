"""Words to vectors: cleaning, BERT, embedded data sets, and what ties them to images.

    from tfanime import text

    words = text.clean_text("A <b>swordsman</b> under the moon")   # "swordsman moon"
    vectors = text.embed(["a lonely swordsman", "school comedy"])      # (2, 384) float32

Needs the extra `text`: `pip install '.[text]' in a checkout`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfanime.text.bert import TextEncoder
    from tfanime.text.clean import STEPS, clean_text
    from tfanime.text.conversion import convert
    from tfanime.text.embedding import Embedded, embed, embed_table
    from tfanime.text.genres import genre_text, split_genres
    from tfanime.text.offline import install

# Public name -> the module it lives in; loaded when first used, as TensorFlow takes seconds.
_FUNCTIONS = {
    "STEPS": "clean",
    "clean_text": "clean",
    "genre_text": "genres",
    "split_genres": "genres",
    "TextEncoder": "bert",
    "convert": "conversion",
    "install": "offline",
    "embed": "embedding",
    "embed_table": "embedding",
    "Embedded": "embedding",
}

__all__ = [
    "STEPS",
    "Embedded",
    "TextEncoder",
    "clean_text",
    "convert",
    "embed",
    "embed_table",
    "genre_text",
    "install",
    "split_genres",
]

if not TYPE_CHECKING:  # to a type checker every name would be one of ours

    def __getattr__(name: str):
        if name in _FUNCTIONS:
            return getattr(importlib.import_module(f"tfanime.text.{_FUNCTIONS[name]}"), name)
        raise AttributeError(f"module 'tfanime.text' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
