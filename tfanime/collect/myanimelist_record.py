"""A record of an anime, and how its parts are read wherever on MyAnimeList's pages they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tfanime.collect import html as pages
from tfanime.collect.addresses import join, split
from tfanime.text.clean import says_nothing

if TYPE_CHECKING:
    from bs4 import Tag

SITE = "https://myanimelist.net"
ADULT_GENRES = frozenset({"Hentai", "Erotica"})
FIELDS = ("title", "genres", "synopsis", "score", "year", "poster_url")

_ANIME = re.compile(r"^/anime/(\d{1,9})(?:/[^/]*)?/?$")
_GENRE = re.compile(r"/anime/genre/\d+|[?&]genre(?:\[\]|%5B%5D)=\d+", re.I)
_DATED = re.compile(r"\b[A-Z][a-z]{2,8}\.? (?:[\d?]{1,2}, )?((?:19|20)\d\d)\b")
# Not part of a number with commas, such as 1,364,588 members.
YEAR = re.compile(r"(?<!\d)(?<!\d,)((?:19|20)\d\d)(?!,?\d)")
# "? to 2001" tells an end and no beginning.
_UNKNOWN_START = re.compile(r"(?:\?|\bunknown|\bnot available)\s*(?:to\b|[-–—])\s.*$", re.I | re.S)
_POSTER = re.compile(r"/images/anime/(.+?)([a-z]?)(\.(?:jpe?g|png|webp|gif))$", re.I)
_NO_POSTER = re.compile(r"questionmark|/qm_|na_series|na\.gif|apple-touch-icon|no_?image", re.I)
_NO_SYNOPSIS = re.compile(r"^\W*(no synopsis|synopsis (is )?(not|un)\s?available)\b.{0,250}$", re.I)
# The site's description of itself, which stands for or before a synopsis in its metadata.
_ABOUT_SITE = re.compile(
    r"^\W*looking for information on the (?:anime|manga|character|person)\b"
    r".*?(?:find out more (?:with|at|on) MyAnimeList\b[^.]*\.?|$)\s*",
    re.I | re.S,
)
_NOTE = re.compile(
    r"\s*[(\[]\s*(?:sources?\b|written by\b|adapted from\b|translated by\b|edited by\b|"
    r"from (?:ANN|AniDB|MAL|Wikipedia|the official)\b)[^\n]*$",
    re.I,
)


@dataclass(frozen=True)
class Record:
    """One anime, as far as a page tells.

    Args:
        id: its number on the site.
        title: as displayed.
        genres: names of its genres, themes and demographics, in the page's order.
        synopsis: cleaned text, paragraphs separated by an empty line; None if there is none.
        score: mean of the users' scores, 1 to 10; None if there are too few.
        year: in which it started.
        poster_url: the largest variant that the page names.
        adult: one of the genres Hentai and Erotica, or rated Rx, or marked R18.
    """

    id: int
    title: str
    genres: tuple[str, ...] = ()
    synopsis: str | None = None
    score: float | None = None
    year: int | None = None
    poster_url: str | None = None
    adult: bool = False

    @property
    def cut(self) -> bool:
        """Whether the synopsis is only a beginning, as on search pages."""
        return bool(self.synopsis) and self.synopsis.endswith(("...", "…"))

    def to_json(self) -> dict:
        return {**asdict(self), "genres": list(self.genres)}

    def filled_from(self, other: Record) -> Record:
        """This record with what it lacks taken from `other`, which is about the same anime."""
        synopsis = self.synopsis
        if other.synopsis and (not synopsis or (self.cut and not other.cut)):
            synopsis = other.synopsis
        return replace(
            self,
            title=self.title or other.title,
            genres=self.genres or other.genres,
            synopsis=synopsis,
            score=self.score if self.score is not None else other.score,
            year=self.year or other.year,
            poster_url=self.poster_url or other.poster_url,
            adult=self.adult or other.adult,
        )


def anime_id(link: str) -> int | None:
    """The number of the anime whose own page `link` leads to, or None."""
    parts = split(link)
    match = _ANIME.match(parts.path)
    if match:
        return int(match[1])
    if parts.path.endswith("/anime.php"):
        numbers = parse_qs(parts.query).get("id", [""])
        if numbers[0].isdigit() and len(numbers[0]) < 10:
            return int(numbers[0])
    return None


def clean_synopsis(raw: str) -> str | None:
    """Without notes on who wrote it and where it came from; None for "there is none"."""
    raw = _ABOUT_SITE.sub("", raw)
    lines = [pages.clean_line(line) for line in raw.replace("\r", "\n").split("\n")]
    synopsis = "\n".join(_NOTE.sub("", line) for line in lines)
    synopsis = re.sub(r"\n{2,}", "\n\n", synopsis).strip()
    if not synopsis or _NO_SYNOPSIS.match(synopsis.replace("\n", " ")) or says_nothing(synopsis):
        return None
    return synopsis


def largest_poster(links: Iterable[str]) -> str | None:
    """Of several addresses of one poster the largest, without the site's scaling.

    `/r/50x70/images/anime/6/73245.jpg?s=...` is a scaled `/images/anime/6/73245.jpg`; `t` and `v`
    before the ending are small variants, `l` is a large one.
    """
    best: tuple[int, str] | None = None
    for link in links:
        if not link or _NO_POSTER.search(link):
            continue
        parts = split(link)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            continue
        path = re.sub(r"^/r/\d+x\d+(?=/)", "", parts.path)
        match = _POSTER.search(path)
        if not match:
            continue
        name, suffix, ending = match.groups()
        if suffix in ("t", "v"):
            path, suffix = path[: match.start()] + f"/images/anime/{name}{ending}", ""
        rank = 1 if suffix == "l" else 0
        if best is None or rank > best[0]:
            best = (rank, f"{parts.scheme}://{parts.netloc}{path}")
    return best[1] if best else None


def genre_links(element: Tag) -> list[str]:
    """Names of the genres that are linked inside an element."""
    links = element.find_all("a", href=_GENRE)
    return [name for name in map(pages.text, links) if name and len(name) < 40]


def read_score(value: str) -> float | None:
    """The score at the beginning of `value`; None for N/A and 0.00, which means "none yet"."""
    match = re.match(r"\s*(\d{1,2}(?:\.\d{1,2})?)(?![\d,])", value)
    number = float(match[1]) if match else 0.0
    return number if 1 <= number <= 10 else None


def read_year(value: str) -> int | None:
    """The year in which what `value` dates began, or None."""
    value = _UNKNOWN_START.sub("", value)
    match = _DATED.search(value) or YEAR.search(value)
    return int(match[1]) if match else None


def image_links(image: Tag, url: str) -> Iterator[str]:
    """Every address that an `img` names, in full."""
    for name in ("data-src", "src", "data-image"):
        if image.get(name):
            yield join(url or SITE, pages.attribute(image, name))
    for name in ("data-srcset", "srcset"):
        for part in pages.attribute(image, name).split(","):
            if part.strip():
                yield join(url or SITE, part.split()[0])


def is_adult(genres: Iterable[str]) -> bool:
    return not ADULT_GENRES.isdisjoint(genres)
