"""Names, titles and messages of strangers, made fit for a terminal and for a picture."""

from __future__ import annotations

import unicodedata

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
