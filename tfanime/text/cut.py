"""Cutting out what stands between two marks, in time that grows with the text alone."""

from __future__ import annotations

import re


def without(text: str, opening: re.Pattern, closing: re.Pattern) -> str:
    """`text` with a space for each part from an `opening` to the next `closing`.

    A pattern of both, `opening.*?closing`, would search the rest of the text anew for each opening
    that is never closed.

    Example:
        >>> without("a (b) c", re.compile(r"\\("), re.compile(r"\\)"))
        'a   c'
    """
    parts, place = [], 0
    while (start := opening.search(text, place)) and (end := closing.search(text, start.end())):
        parts += [text[place : start.start()], " "]
        place = end.end()
    return "".join(parts) + text[place:]
