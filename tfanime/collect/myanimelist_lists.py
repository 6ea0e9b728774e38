"""Pages of MyAnimeList with several anime: searches, rankings, seasons, genres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tfanime.collect import html as pages
from tfanime.collect.addresses import split
from tfanime.collect.myanimelist_record import (
    YEAR,
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

_SEASON = re.compile(r"/anime/season/(\d{4})\b")
_SHORT_DATE = re.compile(r"^[\d?]{2}-[\d?]{2}-(\d{2})$")
_READ_MORE = re.compile(r"^(read )?more\.*$", re.I)


def listed_records(soup: BeautifulSoup, url: str) -> Iterator[Record]:
    """A record for each part of the page that tells of one anime, in the page's order."""
    season = _SEASON.search(url) or _SEASON.search(
        pages.attribute(soup.find("link", rel="canonical"), "href")
    )
    heading = YEAR.search(pages.text(soup.find("title"))) if "/season" in url else None
    year = int(season[1]) if season else int(heading[1]) if heading else None
    headings: dict[int, list[str]] = {}  # id() of a table -> of its columns
    for own, links, card in _cards(soup):
        record = _card_record(own, links, card, url, year, headings)
        if record is not None:
            yield record


def _cards(soup: BeautifulSoup) -> Iterator[tuple[int, list[Tag], Tag]]:
    """Each listed anime: its number, the links to its page, and the largest part of the page
    that tells of no other anime."""
    links: dict[int, list[Tag]] = {}
    anime: dict[int, set[int]] = {}  # id() of an element -> the anime that are linked inside it
    for link in soup.find_all("a", href=True):
        own = anime_id(pages.attribute(link, "href"))
        if own is None or _is_elsewhere(link):
            continue
        links.setdefault(own, []).append(link)
        for parent in link.parents:
            anime.setdefault(id(parent), set()).add(own)
    for own, links_of_one in links.items():
        cards: dict[int, tuple[list[Tag], Tag]] = {}
        for link in links_of_one:
            card = _climb(link, anime)
            cards.setdefault(id(card), ([], card))[0].append(link)
        for links_of_card, card in cards.values():
            yield own, links_of_card, card


def _is_elsewhere(link: Tag) -> bool:
    """Whether a link belongs to a side bar, a menu or the rankings in the footer."""
    for parent in link.parents:
        named = f"{pages.attribute(parent, 'class')} {pages.attribute(parent, 'id')}"
        if parent.name in ("nav", "footer", "aside") or re.search(
            r"footer|sidebar|ranking-unit|header-menu|breadcrumb|\bwidget", named
        ):
            return True
    return False


def _climb(link: Tag, anime: dict[int, set[int]]) -> Tag:
    card = link
    for parent in link.parents:
        classes = parent.get("class") or []
        if "seasonal-anime" in classes or parent.name == "tr":
            return parent
        if parent.name in ("body", "html", "table", "tbody", "main", "[document]"):
            break
        if len(anime[id(parent)]) > 1 or parent.get("id") in ("content", "contentWrapper"):
            break
        card = parent
    return card


def _card_record(
    own: int,
    links: list[Tag],
    card: Tag,
    url: str,
    year: int | None,
    headings: dict[int, list[str]],
) -> Record | None:
    image = next((i for i in card.find_all("img") if largest_poster(image_links(i, url))), None)
    is_row, classes = card.name == "tr", card.get("class") or []
    if card.find("img") is None and not is_row and "seasonal-anime" not in classes:
        return None  # a link in running text
    title = _card_title(links, image)
    if not title:
        return None
    cells = _cells(card, headings) if is_row else {}
    genres = tuple(dict.fromkeys(genre_links(card)))
    rated = cells.get("rated", "")
    return Record(
        id=own,
        title=title,
        genres=genres,
        synopsis=_card_synopsis(card, links),
        score=_card_score(card, cells),
        year=_card_year(card, cells) or year,
        poster_url=largest_poster(image_links(image, url)) if image is not None else None,
        adult=is_adult(genres) or rated == "Rx" or "r18" in classes or "js-r18" in classes,
    )


def _card_title(links: list[Tag], image: Tag | None) -> str:
    for link in links:
        value = pages.text(link)
        if value and not _READ_MORE.match(value):
            return value
    alternative = re.sub(r"^Anime:\s*", "", pages.clean_line(pages.attribute(image, "alt")))
    if alternative:
        return alternative
    slug = split(pages.attribute(links[0], "href")).path.split("/")[3:4]
    return pages.clean_line(unquote(slug[0]).replace("_", " ")) if slug else ""


def _cells(row: Tag, headings: dict[int, list[str]]) -> dict[str, str]:
    """Texts of a row's cells by the headings of their columns, lower case.

    `headings` is filled: each table's are read once.
    """
    table = row.find_parent("table")
    first = table.find("tr") if table is not None else None
    if first is None or first is row:
        return {}
    if id(table) not in headings:
        cells = first.find_all(["td", "th"], recursive=False)
        headings[id(table)] = [pages.text(cell).lower() for cell in cells]
    names = headings[id(table)]
    values = [pages.text(cell) for cell in row.find_all(["td", "th"], recursive=False)]
    if len(names) != len(values):
        return {}
    return {name: value for name, value in zip(names, values, strict=True) if name}


def _card_synopsis(card: Tag, links: list[Tag]) -> str | None:
    own = card.find(attrs={"itemprop": "description"})
    own = (
        own
        or card.select_one(".preline")
        or card.select_one(".synopsis")
        or card.select_one(".pt4")
    )
    if own is None:
        return None
    raw = pages.paragraphs(own)
    for link in own.find_all("a"):
        if _READ_MORE.match(pages.text(link)):
            raw = raw.replace(link.get_text(), "")
    return clean_synopsis(raw)


def _card_score(card: Tag, cells: dict[str, str]) -> float | None:
    if "score" in cells:
        return read_score(cells["score"])
    for element in card.select('[itemprop="ratingValue"], .score-label, .js-score, .score'):
        value = read_score(pages.text(element))
        if value is not None:
            return value
    return None


def _card_year(card: Tag, cells: dict[str, str]) -> int | None:
    short = _SHORT_DATE.match(cells.get("start date", ""))
    if short:
        # Two digits: of the years that they may stand for, the latest that can be announced.
        year = 2000 + int(short[1])
        return year if year <= date.today().year + 5 else year - 100
    if "start date" in cells:
        return read_year(cells["start date"])
    stamp = re.match(r"((?:19|20)\d\d)\d{4}$", pages.text(card.select_one(".js-start_date")))
    if stamp:
        return int(stamp[1])
    for place in (".remain-time", ".information", ".info", ".prodsrc"):
        for element in card.select(place):
            year = read_year(pages.text(element))
            if year is not None:
                return year
    return None
