"""Any page of MyAnimeList to records.

Pages are read by what their parts mean (schema.org properties, labels such as "Genres:", links to
/anime/ID and /anime/genre/ID, headings of columns) and not by one path through one layout, since
the layout changed several times. What a page does not say is None or empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from tfanime.collect import html as pages
from tfanime.collect.addresses import join, split
from tfanime.text.clean import says_nothing

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

SITE = "https://myanimelist.net"
ADULT_GENRES = frozenset({"Hentai", "Erotica"})
FIELDS = ("title", "genres", "synopsis", "score", "year", "poster_url")

_ANIME = re.compile(r"^/anime/(\d{1,9})(?:/[^/]*)?/?$")
_GENRE = re.compile(r"/anime/genre/\d+|[?&]genre(?:\[\]|%5B%5D)=\d+", re.I)
_OTHER = re.compile(r"topanime|anime\.php|/anime/[a-z]|/manga|/character|/people|/search")
_SEASON = re.compile(r"/anime/season/(\d{4})\b")
_GENRE_LABELS = re.compile(r"^(explicit )?(genre|theme|demographic)s?$", re.I)
_DATED = re.compile(r"\b[A-Z][a-z]{2,8}\.? (?:[\d?]{1,2}, )?((?:19|20)\d\d)\b")
# Not part of a number with commas, such as 1,364,588 members.
_YEAR = re.compile(r"(?<!\d)(?<!\d,)((?:19|20)\d\d)(?!,?\d)")
# "? to 2001" tells an end and no beginning.
_UNKNOWN_START = re.compile(r"(?:\?|\bunknown|\bnot available)\s*(?:to\b|[-–—])\s.*$", re.I | re.S)
_SHORT_DATE = re.compile(r"^[\d?]{2}-[\d?]{2}-(\d{2})$")
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
_HEADINGS = ["h1", "h2", "h3"]
_READ_MORE = re.compile(r"^(read )?more\.*$", re.I)


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


def parse_page(html: str | bytes, url: str = "") -> list[Record]:
    """Records of a search, top, season, genre or anime page, old or new.

    Args:
        html: the page.
        url: its address; with it, links are resolved and the page's kind is certain.

    Returns:
        One record for an anime's own page, one for each anime of a list in the page's order (the
        parts of one that is listed twice are joined), none for any other page.

    Raises:
        ValueError: if it is too large to be a page of this site.
    """
    soup = pages.parse(html)
    own = _own_id(soup, url)
    if own is not None:
        record = _detail(soup, own, url)
        if record is not None:
            return [record]
    found: dict[int, Record] = {}
    for record in _listed(soup, url):
        earlier = found.get(record.id)
        found[record.id] = earlier.filled_from(record) if earlier else record
    return list(found.values())


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
    kept = "\n".join(_NOTE.sub("", line) for line in lines)
    kept = re.sub(r"\n{2,}", "\n\n", kept).strip()
    if not kept or _NO_SYNOPSIS.match(kept.replace("\n", " ")) or says_nothing(kept):
        return None
    return kept


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


# ---- an anime's own page -----------------------------------------------------------------------


def _own_id(soup: BeautifulSoup, url: str) -> int | None:
    path = split(url).path if url else ""
    found = re.match(r"^/anime/(\d{1,9})(?:/|$)", path)
    if found:
        return int(found[1])
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


def _detail(soup: BeautifulSoup, own: int, url: str) -> Record | None:
    title = _detail_title(soup)
    if not title:
        return None
    labels = _labels(soup)
    genres = _detail_genres(soup, labels)
    rating = labels.get("rating")
    return Record(
        id=own,
        title=title,
        genres=genres,
        synopsis=_detail_synopsis(soup),
        score=_detail_score(soup, labels),
        year=_detail_year(soup, labels),
        poster_url=_detail_poster(soup, url),
        adult=_is_adult(genres) or bool(rating and re.search(r"\bRx\b", rating[1])),
    )


def _detail_title(soup: BeautifulSoup) -> str:
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
    found: dict[str, tuple[Tag, str]] = {}
    texts: dict[int, str] = {}  # id() of an element -> its text: many labels may be in one
    for element in soup.find_all(["span", "b", "strong", "th", "dt", "td"]):
        if element.find(True) is not None:
            continue
        label = pages.text(element)
        if not 2 < len(label) < 30 or not label.endswith(":") or element.parent is None:
            continue
        name = label[:-1].strip().lower()
        if name not in found:
            around = element.parent
            if id(around) not in texts:
                texts[id(around)] = pages.text(around)
            found[name] = (around, texts[id(around)].partition(label)[2].strip())
    return found


def _detail_genres(soup: BeautifulSoup, labels: dict[str, tuple[Tag, str]]) -> tuple[str, ...]:
    names: list[str] = []
    for label, (around, _) in labels.items():
        if _GENRE_LABELS.match(label):
            names += _genre_links(around)
    if not names:
        names = [pages.text(e) for e in soup.find_all(attrs={"itemprop": "genre"})]
    return tuple(dict.fromkeys(name for name in names if name))


def _genre_links(element: Tag) -> list[str]:
    links = element.find_all("a", href=_GENRE)
    return [name for name in map(pages.text, links) if name and len(name) < 40]


def _detail_score(soup: BeautifulSoup, labels: dict[str, tuple[Tag, str]]) -> float | None:
    for element in soup.find_all(attrs={"itemprop": "ratingValue"}):
        value = _score(pages.attribute(element, "content") or pages.text(element))
        if value is not None:
            return value
    if "score" in labels:
        value = _score(labels["score"][1])
        if value is not None:
            return value
    return _score(pages.text(soup.find(attrs={"data-title": "score"})))


def _score(value: str) -> float | None:
    """The score at the beginning of `value`; None for N/A and 0.00, which means "none yet"."""
    match = re.match(r"\s*(\d{1,2}(?:\.\d{1,2})?)(?![\d,])", value)
    number = float(match[1]) if match else 0.0
    return number if 1 <= number <= 10 else None


def _detail_year(soup: BeautifulSoup, labels: dict[str, tuple[Tag, str]]) -> int | None:
    for label in ("aired", "premiered"):
        if label in labels:
            year = _year(labels[label][1])
            if year is not None:
                return year
    return _year(pages.text(soup.select_one("span.season")))


def _year(value: str) -> int | None:
    value = _UNKNOWN_START.sub("", value)
    match = _DATED.search(value) or _YEAR.search(value)
    return int(match[1]) if match else None


def _detail_synopsis(soup: BeautifulSoup) -> str | None:
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


def _detail_poster(soup: BeautifulSoup, url: str) -> str | None:
    for element in soup.find_all("img", attrs={"itemprop": "image"}):
        poster = largest_poster(_image_links(element, url))
        if poster:
            return poster
    for element in soup.find_all("img"):
        link = element.find_parent("a")
        if link is not None and re.search(r"/pics/?$", pages.attribute(link, "href")):
            poster = largest_poster(_image_links(element, url))
            if poster:
                return poster
    return largest_poster([pages.attribute(soup.find("meta", property="og:image"), "content")])


def _image_links(image: Tag, url: str) -> Iterator[str]:
    for name in ("data-src", "src", "data-image"):
        if image.get(name):
            yield join(url or SITE, pages.attribute(image, name))
    for name in ("data-srcset", "srcset"):
        for part in pages.attribute(image, name).split(","):
            if part.strip():
                yield join(url or SITE, part.split()[0])


def _is_adult(genres: Iterable[str]) -> bool:
    return not ADULT_GENRES.isdisjoint(genres)


# ---- lists -------------------------------------------------------------------------------------


def _listed(soup: BeautifulSoup, url: str) -> Iterator[Record]:
    season = _SEASON.search(url) or _SEASON.search(
        pages.attribute(soup.find("link", rel="canonical"), "href")
    )
    heading = _YEAR.search(pages.text(soup.find("title"))) if "/season" in url else None
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
    told: dict[int, set[int]] = {}  # id() of an element -> the anime that are linked inside it
    for link in soup.find_all("a", href=True):
        own = anime_id(pages.attribute(link, "href"))
        if own is None or _is_elsewhere(link):
            continue
        links.setdefault(own, []).append(link)
        for parent in link.parents:
            told.setdefault(id(parent), set()).add(own)
    for own, found in links.items():
        cards: dict[int, tuple[list[Tag], Tag]] = {}
        for link in found:
            card = _climb(link, told)
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


def _climb(link: Tag, told: dict[int, set[int]]) -> Tag:
    card = link
    for parent in link.parents:
        classes = parent.get("class") or []
        if "seasonal-anime" in classes or parent.name == "tr":
            return parent
        if parent.name in ("body", "html", "table", "tbody", "main", "[document]"):
            break
        if len(told[id(parent)]) > 1 or parent.get("id") in ("content", "contentWrapper"):
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
    image = next((i for i in card.find_all("img") if largest_poster(_image_links(i, url))), None)
    is_row, classes = card.name == "tr", card.get("class") or []
    if card.find("img") is None and not is_row and "seasonal-anime" not in classes:
        return None  # a link in running text
    title = _card_title(links, image)
    if not title:
        return None
    cells = _cells(card, headings) if is_row else {}
    genres = tuple(dict.fromkeys(_genre_links(card)))
    rated = cells.get("rated", "")
    return Record(
        id=own,
        title=title,
        genres=genres,
        synopsis=_card_synopsis(card, links),
        score=_card_score(card, cells),
        year=_card_year(card, cells) or year,
        poster_url=largest_poster(_image_links(image, url)) if image is not None else None,
        adult=_is_adult(genres) or rated == "Rx" or "r18" in classes or "js-r18" in classes,
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
        return _score(cells["score"])
    for element in card.select('[itemprop="ratingValue"], .score-label, .js-score, .score'):
        value = _score(pages.text(element))
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
        return _year(cells["start date"])
    stamp = re.match(r"((?:19|20)\d\d)\d{4}$", pages.text(card.select_one(".js-start_date")))
    if stamp:
        return int(stamp[1])
    for place in (".remain-time", ".information", ".info", ".prodsrc"):
        for element in card.select(place):
            year = _year(pages.text(element))
            if year is not None:
                return year
    return None
