"""The mood of a poster, light or heavy, by its genres.

The rule follows the poster study (light-hearted: fantasy, comedy, school, slice of life;
heavy-hearted: action, drama, horror, thriller): of the first three tags of a poster, are more of
the light or more of the heavy list? As many of both is a tie, none of either is unknown; such
posters are left out, kept without a class, or a tie is decided by the first tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tfanime.core.labels import Field, LabelSchema
from tfanime.prepare.check import Rejected
from tfanime.prepare.poster_records import Poster

LIGHT = ("fantasy", "comedy", "school", "slice of life")
HEAVY = ("action", "drama", "horror", "thriller", "suspense")  # the site's new name of thriller
MOOD = LabelSchema((Field("mood", "group", ("light", "heavy")),))


def decide(
    matched: Mapping[str, Poster],
    light: Sequence[str],
    heavy: Sequence[str],
    leading: int,
    undecided: str,
) -> tuple[dict[str, str], list[Rejected]]:
    """The mood of every image that is kept, and those that are not for want of one."""
    moods, left_out = {}, []
    for name, poster in matched.items():
        tags = poster.texts["genres"]
        mood = mood_of(tags, light, heavy, leading)
        if mood == "tie" and undecided == "first":
            telling = [tag for tag in tags if genre_word(tag) in (*light, *heavy)]
            mood = mood_of(telling, light, heavy, leading=1)
        if mood in ("tie", "unknown") and undecided != "unknown":
            detail = poster.get("genres") or "no genres"
            left_out.append(Rejected(name, f"mood {mood}", detail, poster.row))
        else:
            moods[name] = mood if mood in ("light", "heavy") else "unknown"
    return moods, left_out


def mood_of(
    genres: Iterable[str],
    light: Sequence[str] = LIGHT,
    heavy: Sequence[str] = HEAVY,
    leading: int = 3,
) -> str:
    """`"light"`, `"heavy"`, `"tie"` or `"unknown"` by the first `leading` genres.

    Example:
        >>> mood_of(["Action", "Comedy", "School", "Drama"])
        'light'
    """
    words = [genre_word(genre) for genre in genres][:leading]
    votes = sum(word in light for word in words) - sum(word in heavy for word in words)
    if votes:
        return "light" if votes > 0 else "heavy"
    return "tie" if any(word in light for word in words) else "unknown"


def genre_word(genre: str) -> str:
    """A genre in lower case, without signs: how two spellings of one are compared."""
    return " ".join(re.sub(r"[\W_]+", " ", genre).casefold().split())


def genre_words(genres: Sequence[str]) -> list[str]:
    """The different `genre_word` of a list of genres, sorted."""
    return sorted({genre_word(genre) for genre in genres} - {""})
