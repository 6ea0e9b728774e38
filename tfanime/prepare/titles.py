"""What the editions of a title have in common, and a split that keeps them together."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

from tfanime.text.cut import without

# What a title has besides itself in its several editions.
_EDITION = re.compile(
    r"\b(?:the )?(?:movie|film|ova|ona|tv|specials?|recap|remake|remastered|edition|"
    r"(?:final|first|second|third|fourth|fifth|\d+(?:st|nd|rd|th)?) (?:season|cour|series|part)|"
    r"(?:season|cour|series|part|episode|vol|volume) (?:\d+|[ivx]+))\b"
)
_OPENING, _CLOSING = re.compile(r"[(\[{]"), re.compile(r"[)\]}]")
_NUMBER = re.compile(r"\s(?:\d+|[ivx]+)$")


def title_key(title: str) -> str:
    """What the editions of a title have in common.

    Brackets, what follows a colon or a dash, words such as `Season 2` or `The Movie` and numbers
    at the end are left out, so that titles rather fall together than apart.

    Example:
        >>> title_key("Cowboy Bebop: The Movie (2001)") == title_key("Cowboy Bebop")
        True
    """
    plain = unicodedata.normalize("NFKC", title).casefold()
    short = without(plain, _OPENING, _CLOSING)
    short = re.split(r":|\s[-–—~]\s?|\bvs\b", short)[0]
    short = re.sub(r"[^\w\s]", " ", short)
    short = " ".join(_EDITION.sub(" ", short).split())
    # "The Movie", "Film 12": nothing would be left
    return _NUMBER.sub("", short) or " ".join(re.sub(r"[^\w\s]", " ", plain).split()) or plain


def split_titles(
    titles: Mapping[str, str], test: float, moods: Mapping[str, str] | None = None
) -> set[str]:
    """The names whose title is on the test side.

    Titles are taken in the order of a hash, all names of one together, as long as no mood gets
    more than its share: the same names always give the same split, in whatever order they come.

    Args:
        titles: name of the image to its title.
        test: wanted share of the names, 0 for none.
        moods: name to its mood, each of which is split in the same proportion.

    Raises:
        ValueError: if a share is wanted of fewer than two titles.
    """
    if not test:
        return set()
    moods = moods or dict.fromkeys(titles, "")
    groups: dict[str, list[str]] = {}
    for name, title in titles.items():
        groups.setdefault(title_key(title), []).append(name)
    if len(groups) < 2:
        raise ValueError(
            f"A split by title needs two titles. Received: {len(groups)}. Use test=0 (--test 0)."
        )
    free = {m: round(test * n) for m, n in Counter(moods[name] for name in titles).items()}
    test_titles: set[str] = set()
    order = sorted(groups, key=lambda key: hashlib.sha256(key.encode()).digest())
    for key in order[:-1]:  # one title always is for training
        group = Counter(moods[name] for name in groups[key])
        if all(count <= free[mood] for mood, count in group.items()):
            free = {mood: room - group[mood] for mood, room in free.items()}
            test_titles.update(groups[key])
    return test_titles or set(groups[order[0]])
