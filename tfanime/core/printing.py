"""Names, titles and messages of strangers, made fit for a terminal and for an image."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

# Controls (a terminal acts on some of them), formats (some turn the direction of writing round)
# and lone halves of surrogate pairs (which no encoding can write).
UNSEEN = ("Cc", "Cf", "Cs")


def plain(value: object) -> str:
    """`value` as text in one line, without what a terminal acts on.

    Example:
        >>> plain("a\\x1b[2J\\nb")
        'a[2J b'
    """
    return "".join(
        " " if character.isspace() else character
        for character in str(value)
        if character.isspace() or unicodedata.category(character) not in UNSEEN
    )


def caption(value: object) -> str:
    """`plain` text that matplotlib draws as it is: two `$` would make a formula."""
    return plain(value).replace("$", r"\$")


def near_miss(word: object, names: Iterable[object]) -> str:
    """` Did you mean 'x'?` for what is nearly one of `names`, else nothing.

    Example:
        >>> near_miss("chanels", ["channels", "depth"])
        " Did you mean 'channels'?"
    """
    spelt = {str(name).lower(): str(name) for name in names}
    matches = difflib.get_close_matches(str(word).lower(), spelt, n=1, cutoff=0.7)
    return f" Did you mean {spelt[matches[0]]!r}?" if matches else ""


def number(value: float | None) -> str:
    """Four figures or so, as people write them."""
    if value is None:
        return "–"
    if value != value or abs(value) == float("inf"):
        return "copies" if value > 0 else str(value)
    if abs(value) >= 100:
        return f"{value:,.1f}"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"
