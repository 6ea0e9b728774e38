"""An anime's own page on MyAnimeList."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfanime.collect import html as pages
from tfanime.collect.addresses import split
from tfanime.collect.myanimelist_record import (
    Record,
    anime_id,
    clean_synopsis,
    genre_links,
    image_links,
    is_adult,
    largest_poster,
    read_score,
    read_year,
)

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_OTHER = re.compile(r"topanime|anime\.php|/anime/[a-z]|/manga|/character|/people|/search")
_GENRE_LABELS = re.compile(r"^(explicit )?(genre|theme|demographic)s?$", re.I)
_HEADINGS = ["h1", "h2", "h3"]


def own_id(soup: BeautifulSoup, url: str) -> int | None:
    """The number of the anime whose own page this is, or None."""
    path = split(url).path if url else ""
    number = re.match(r"^/anime/(\d{1,9})(?:/|$)", path)
    if number:
        return int(number[1])
    own = anime_id(url) if url else None
    if own is not None:
        return own
    if _OTHER.search(path):
        return None
    for link in (
        pages.attribute(soup.find("link", rel="canonical"), "href"),
        pages.attribute(soup.find("meta", property="og:url"), "content"),
    ):
        own = anime_id(link)
        if own is not None:
            return own
    number = pages.attribute(soup.find("input", id="myinfo_anime_id"), "value")
    return int(number) if number.isdigit() and len(number) < 10 else None


def own_record(soup: BeautifulSoup, own: int, url: str) -> Record | None:
    """What the page says of its anime, number `own`; None if it has no title."""
    title = _title(soup)
    if not title:
        return None
    labels = _labels(soup)
    genres = _genres(soup, labels)
    rating = labels.get("rating")
    return Record(
        id=own,
        title=title,
        genres=genres,
        synopsis=_synopsis(soup),
        score=_score(soup, labels),
        year=_year(soup, labels),
        poster_url=_poster(soup, url),
        adult=is_adult(genres) or bool(rating and re.search(r"\bRx\b", rating[1])),
    )


def _title(soup: BeautifulSoup) -> str:
    for element in [*soup.find_all(attrs={"itemprop": "name"}), *soup.find_all("h1")]:
        inside_list = element.find_parent(attrs={"itemprop": "itemListElement"})
        if inside_list is not None:
            continue
        value = _text_without(element, r"title-english|title-inherit|header-right|float|ranked")
        if value:
            return value
    value = pages.clean_line(
        pages.attribute(soup.find("meta", property="og:title"), "content")
        or pages.text(soup.find("title"))
    )
    value = re.sub(r"\s*-\s*MyAnimeList\.net$", "", value)
    return "" if re.match(r"^(404|403|bad request|myanimelist)", value, re.I) else value


def _text_without(element: Tag, classes: str) -> str:
    """The element's text without parts of other meaning: a rank, an edit link, an English title."""
    parts = []
    for node in element.descendants:
        if type(node).__name__ != "NavigableString":
            continue
        skip = False
        for parent in node.parents:
            if parent is element:
                break
            named = pages.attribute(parent, "class") + " " + pages.attribute(parent, "style")
            skip = skip or parent.name in ("form", "select") or re.search(classes, named, re.I)
        if not skip:
            parts.append(str(node))
    return pages.clean_line(" ".join(parts))


def _labels(soup: BeautifulSoup) -> dict[str, tuple[Tag, str]]:
    """Label, lower case and without its colon -> the element around it and the text beside it."""
    labels: dict[str, tuple[Tag, str]] = {}
    texts: dict[int, str] = {}  # id() of an element -> its text: many labels may be in one
    for element in soup.find_all(["span", "b", "strong", "th", "dt", "td"]):
        if element.find(True) is not None:
            continue
        label = pages.text(element)
        if not 2 < len(label) < 30 or not label.endswith(":") or element.parent is None:
            continue
        name = label[:-1].strip().lower()
        if name not in labels:
            around = element.parent
            if id(around) not in texts:
                texts[id(around)] = pages.text(around)
            labels[name] = (around, texts[id(around)].partition(label)[2].strip())
    return labels


def _genres(soup: BeautifulSoup, labels: dict[str, tuple[Tag, str]]) -> tuple[str, ...]:
    names: list[str] = []
    for label, (around, _) in labels.items():
        if _GENRE_LABELS.match(label):
            names += genre_links(around)
    if not names:
        names = [pages.text(e) for e in soup.find_all(attrs={"itemprop": "genre"})]
    return tuple(dict.fromkeys(name for name in names if name))


def _score(soup: BeautifulSoup, labels: dict[str, tuple[Tag, str]]) -> float | None:
    for element in soup.find_all(attrs={"itemprop": "ratingValue"}):
        value = read_score(pages.attribute(element, "content") or pages.text(element))
        if value is not None:
            return value
    if "score" in labels:
        value = read_score(labels["score"][1])
        if value is not None:
            return value
    return read_score(pages.text(soup.find(attrs={"data-title": "score"})))


def _year(soup: BeautifulSoup, labels: dict[str, tuple[Tag, str]]) -> int | None:
    for label in ("aired", "premiered"):
        if label in labels:
            year = read_year(labels[label][1])
            if year is not None:
                return year
    return read_year(pages.text(soup.select_one("span.season")))


def _synopsis(soup: BeautifulSoup) -> str | None:
    for element in soup.find_all(attrs={"itemprop": "description"}):
        raw = pages.attribute(element, "content") or pages.paragraphs(element)
        if raw.strip():
            return clean_synopsis(raw)
    for heading in soup.find_all(["h2", "h3"]):
        if not pages.text(heading).lower().endswith("synopsis"):
            continue
        raw = ""
        for node in _outermost(heading).next_siblings:
            name = getattr(node, "name", None)
            if name in _HEADINGS or (name and node.find(_HEADINGS)):
                break
            if name == "br":
                raw += "\n"
            elif name is None:
                raw += str(node) if type(node).__name__ == "NavigableString" else ""
            else:
                raw += pages.paragraphs(node)
        if raw.strip():
            return clean_synopsis(raw)
    meta = pages.attribute(soup.find("meta", property="og:description"), "content")
    return clean_synopsis(meta)


def _outermost(heading: Tag) -> Tag:
    """The heading, or the box around it if nothing follows the heading inside."""
    while heading.parent is not None:
        if any(str(n).strip() if n.name is None else pages.text(n) for n in heading.next_siblings):
            break
        heading = heading.parent
    return heading


def _poster(soup: BeautifulSoup, url: str) -> str | None:
    for element in soup.find_all("img", attrs={"itemprop": "image"}):
        poster = largest_poster(image_links(element, url))
        if poster:
            return poster
    for element in soup.find_all("img"):
        link = element.find_parent("a")
        if link is not None and re.search(r"/pics/?$", pages.attribute(link, "href")):
            poster = largest_poster(image_links(element, url))
            if poster:
                return poster
    return largest_poster([pages.attribute(soup.find("meta", property="og:image"), "content")])
