"""Genre tags as words and as text."""

from __future__ import annotations

import re
from collections.abc import Iterable


def split_genres(cell: str | Iterable[str] | None) -> tuple[str, ...]:
    """The tags of a cell such as `"Action, Slice of Life"` or `"Action|Drama"`, none twice.

    Example:
        >>> split_genres("Action, Slice of Life,Action")
        ('Action', 'Slice of Life')
    """
    words = re.split(r"[|,;]", cell) if isinstance(cell, str) else list(cell or ())
    tags = (" ".join(str(word).split()) for word in words)
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def genre_text(genres: str | Iterable[str] | None) -> str:
    """Tags as the text that a BERT reads, in lower case: the poster study's first scenario.

    A BERT preprocessor makes them tokens between [CLS] and [SEP], as it does of any text. They are
    not cleaned: "slice of life" would lose its "of".

    Example:
        >>> genre_text("Action|Slice of Life")
        'action, slice of life'
    """
    return ", ".join(split_genres(genres)).lower()
