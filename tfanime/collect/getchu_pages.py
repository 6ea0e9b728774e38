"""Monthly release lists and item pages of Getchu to items.

Pages are EUC-JP. Of an item's own page everything is read, of a list what it says of each item.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tfanime.collect import html as pages
from tfanime.collect.addresses import join, split

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

SITE = "http://www.getchu.com"
_DAY = re.compile(r"((?:19|20)\d\d)\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})")
_MONTH = re.compile(r"((?:19|20)\d\d)\s*[年/.-]\s*(\d{1,2})")
CHARACTER = re.compile(
    r"/brandnew/\d+/c(\d+)chara([a-z_]*)(\d+)([a-z_]*)\.(?:jpe?g|png|gif)$", re.I
)
_PRICE = re.compile(r"定価|価格|税込|税抜|￥|\d円|在庫|予約|カート")


@dataclass(frozen=True)
class Item:
    """One article: a game, mostly.

    Args:
        id: its number on the site.
        title: as displayed.
        brand: its maker; None if the page does not say.
        sellday: `"2014-12-05"`, or `"2014-12"` where only the month is known, or None.
        link: its page.
        pictures: addresses of its characters' images; only its own page has them.
    """

    id: int
    title: str
    brand: str | None
    sellday: str | None
    link: str
    pictures: tuple[str, ...] = ()

    @property
    def year(self) -> int | None:
        """Of release. Days far ahead stand for "not decided"."""
        year = int(self.sellday[:4]) if self.sellday else None
        return year if year and year <= date.today().year + 1 else None

    def to_json(self) -> dict:
        return {**asdict(self), "pictures": list(self.pictures), "year": self.year}


def parse_page(html: str | bytes, url: str = "") -> list[Item]:
    """Items of a monthly list, or the one item of its own page.

    Args:
        html: the page, bytes of EUC-JP (or of UTF-8 or Shift JIS, where it was saved so).
        url: its address; with it links are resolved.

    Returns:
        Items in the page's order, without repetitions and advertisements; none for other pages,
        the question for the visitor's age among them.

    Raises:
        ValueError: if it is too large to be a page of this site.
    """
    soup = pages.parse(html, japanese=True)
    own = item_id(url) if url else None
    if own is None:
        own = item_id(pages.attribute(soup.find("link", rel="canonical"), "href"))
    if own is None and soup.find(id="soft-title") is not None:
        own = _most_linked(soup)
    if own is not None:
        item = _own_page(soup, own, url)
        return [item] if item else []
    items: dict[int, Item] = {}
    for item in _listed(soup, url):
        items.setdefault(item.id, item)
    return list(items.values())


def item_id(link: str) -> int | None:
    """The number of the item whose page `link` leads to, or None."""
    parts = split(link)
    if not parts.path.endswith("soft.phtml"):
        return None
    number = parse_qs(parts.query).get("id", [""])[0].strip()
    return int(number) if re.fullmatch(r"\d{1,9}", number) else None


def _listed(soup: BeautifulSoup, url: str) -> Iterator[Item]:
    """Items below headings such as 2014年12月5日発売タイトル; links above the first one are
    advertisements. A list without days takes the month of its title."""
    headed = soup.find(string=_is_heading) is not None
    day = None if headed else _month(soup, url)
    links: dict[int, list[Tag]] = {}
    days: dict[int, str | None] = {}
    for node in soup.descendants:
        if headed and type(node).__name__ == "NavigableString" and _is_heading(node):
            day = read_day(str(node))
        elif getattr(node, "name", None) == "a" and day is not None:
            own = item_id(pages.attribute(node, "href"))
            if own is not None:
                links.setdefault(own, []).append(node)
                days.setdefault(own, day)
    for own, own_links in links.items():
        title = next((text for text in map(pages.text, own_links) if text), "")
        box = _box(own_links[0], own)
        title = title or pages.clean_line(pages.attribute(box.find("img", alt=True), "alt"))
        row_day = read_day(pages.text(box)) if box.name == "tr" else None
        if title:
            yield Item(
                own,
                title,
                _brand(box, own_links[-1], title),
                row_day or days[own],
                item_link(own, url),
            )


def _is_heading(text: str | None) -> bool:
    return bool(text) and len(text) < 60 and "発売" in text and _DAY.search(text) is not None


def read_day(text: str) -> str | None:
    match = _DAY.search(text)
    if not match:
        return None
    year, month, day = map(int, match.groups())
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return f"{year:04}-{month:02}" if 1 <= month <= 12 else None


def _month(soup: BeautifulSoup, url: str) -> str | None:
    query = parse_qs(split(url).query) if url else {}
    year, month = query.get("year", [""])[0], query.get("month", [""])[0]
    if year.isdigit() and month.isdigit() and 1 <= int(month) <= 12:
        return f"{int(year):04}-{int(month):02}"
    match = _MONTH.search(pages.text(soup.find("title")))
    return f"{match[1]}-{int(match[2]):02}" if match and 1 <= int(match[2]) <= 12 else None


def _box(link: Tag, own: int) -> Tag:
    """The largest element around a link that tells of no other item, within its row or block."""
    box = link
    for parent in link.parents:
        if parent.name in ("body", "html", "[document]", "ul", "tbody"):
            break
        # One by one: the first that tells of another item ends it, however many follow.
        links = (node for node in parent.descendants if node.name == "a")
        others = (item_id(pages.attribute(a, "href")) for a in links)
        if any(other not in (None, own) for other in others):
            break
        box = parent
    return box


def _brand(box: Tag, link: Tag, title: str) -> str | None:
    """A link to the brand; or else the text that follows the item's last link. Between its links
    there may be words about a bonus."""
    named = box.find("a", href=re.compile(r"brand", re.I))
    if named is not None and pages.text(named):
        return pages.text(named)
    for element in link.next_elements:
        if box not in element.parents:
            break
        if type(element).__name__ != "NavigableString" or link in element.parents:
            continue
        line = pages.clean_line(element)
        if line and line != title and not _PRICE.search(line) and not _DAY.search(line):
            return line
    return None


def item_link(own: int, url: str) -> str:
    return join(url or SITE, f"/soft.phtml?id={own}")


def _most_linked(soup: BeautifulSoup) -> int | None:
    """The item that most of the page's images belong to."""
    sources = (pages.attribute(image, "src") for image in soup.find_all("img"))
    numbers = Counter(
        int(m[1]) for m in (re.search(r"/brandnew/(\d{1,9})/", s) for s in sources) if m
    )
    return numbers.most_common(1)[0][0] if numbers else None


def _own_page(soup: BeautifulSoup, own: int, url: str) -> Item | None:
    heading = soup.find(id="soft-title")
    if heading is not None:
        title = pages.clean_line("".join(heading.find_all(string=True, recursive=False)))
        title = title or pages.text(heading)
    else:
        title = re.sub(r"\s*[-|｜]\s*Getchu\.com.*$", "", pages.text(soup.find("title")))
        title = re.sub(r"\s*[(（][^()（）]*[)）]$", "", title)
    about_age = "年齢認証" in pages.text(soup.find("title")) or "年齢認証" in title
    if not title or about_age or re.fullmatch(r"(?i)getchu\.com.*", title):
        return None
    brand = pages.text(soup.find(id="brandsite")) or _beside(soup, "ブランド")
    day = read_day(pages.text(soup.find(id="tooltip-day"))) or read_day(
        _beside(soup, "発売日") or ""
    )
    return Item(own, title, brand or None, day, item_link(own, url), _characters(soup, own, url))


def _beside(soup: BeautifulSoup, label: str) -> str | None:
    for cell in soup.find_all(["td", "th", "dt"]):
        words = pages.text(cell).rstrip("：: ")
        if words == label:
            value = pages.text(cell.find_next_sibling(["td", "dd"]))
            if value:
                return re.sub(r"\s*[(（].*$", "", value) if label == "ブランド" else value
    return None


def _characters(soup: BeautifulSoup, own: int, url: str) -> tuple[str, ...]:
    """One address a character and kind of image, the full size where both sizes are named.

    `c123chara1.jpg` is a character's image, `c123charab1.jpg` the same one standing,
    `c123chara1_s.jpg` a thumbnail.
    """
    best: dict[tuple[str, str], tuple[bool, str]] = {}
    for element in soup.find_all(["img", "a"]):
        for name in ("href", "data-src", "data-original", "src"):
            link = pages.attribute(element, name)
            match = CHARACTER.search(link.partition("?")[0])
            if not match or int(match[1]) != own:
                continue
            full = "_s" not in (match[4] or "")
            address = join(url or item_link(own, ""), link)
            key = (match[2].strip("_"), match[3])
            if key not in best or (full and not best[key][0]):
                best[key] = (full, address)
    return tuple(address for _, address in best.values())
