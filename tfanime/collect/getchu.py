"""Getchu: monthly release lists and item pages, and character pictures with their year.

Pages are EUC-JP. An item page is behind a question for the visitor's age; it is answered as the
site itself links it, by the query parameter `gc=gc`, and in no other way.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from tfanime.collect import html as pages
from tfanime.collect import tables
from tfanime.collect.addresses import join, split
from tfanime.collect.folder import LATER, Collection, keep_pictures
from tfanime.collect.http import Client, FetchError, unread
from tfanime.core.manifest import Manifest, Step

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

SITE = "http://www.getchu.com"
HOSTS = ("getchu.com",)
LICENCE = (
    "Character pictures belong to the makers of the games, and Getchu's terms apply: for private "
    "research only, not for redistribution."
)
# The query of Jin et al. 2017 (MakeGirlsMoe) to the SQL form of ErogameScape.
SQL = (
    "SELECT g.id, g.gamename, g.sellday, 'www.getchu.com/soft.phtml?id=' || g.comike as links "
    "FROM gamelist g WHERE g.comike is NOT NULL ORDER BY g.sellday"
)

_DAY = re.compile(r"((?:19|20)\d\d)\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})")
_MONTH = re.compile(r"((?:19|20)\d\d)\s*[年/.-]\s*(\d{1,2})")
_CHARACTER = re.compile(
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
        pictures: addresses of its characters' pictures; only its own page has them.
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


# ---- lists -------------------------------------------------------------------------------------


def _listed(soup: BeautifulSoup, url: str) -> Iterator[Item]:
    """Items below headings such as 2014年12月5日発売タイトル; links above the first one are
    advertisements. A list without days takes the month of its title."""
    headed = soup.find(string=_is_heading) is not None
    day = None if headed else _month(soup, url)
    links: dict[int, list[Tag]] = {}
    days: dict[int, str | None] = {}
    for node in soup.descendants:
        if headed and type(node).__name__ == "NavigableString" and _is_heading(node):
            day = _day(str(node))
        elif getattr(node, "name", None) == "a" and day is not None:
            own = item_id(pages.attribute(node, "href"))
            if own is not None:
                links.setdefault(own, []).append(node)
                days.setdefault(own, day)
    for own, found in links.items():
        title = next((text for text in map(pages.text, found) if text), "")
        box = _box(found[0], own)
        title = title or pages.clean_line(pages.attribute(box.find("img", alt=True), "alt"))
        row_day = _day(pages.text(box)) if box.name == "tr" else None
        if title:
            yield Item(
                own, title, _brand(box, found[-1], title), row_day or days[own], _link(own, url)
            )


def _is_heading(text: str | None) -> bool:
    return bool(text) and len(text) < 60 and "発売" in text and _DAY.search(text) is not None


def _day(text: str) -> str | None:
    match = _DAY.search(text)
    if not match:
        return None
    year, month, day = map(int, match.groups())
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return f"{year:04}-{month:02}" if 1 <= month <= 12 else None


def _month(soup: BeautifulSoup, url: str) -> str | None:
    asked = parse_qs(split(url).query) if url else {}
    year, month = asked.get("year", [""])[0], asked.get("month", [""])[0]
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


def _link(own: int, url: str) -> str:
    return join(url or SITE, f"/soft.phtml?id={own}")


# ---- an item's own page ------------------------------------------------------------------------


def _most_linked(soup: BeautifulSoup) -> int | None:
    """The item that most of the page's pictures belong to."""
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
    day = _day(pages.text(soup.find(id="tooltip-day"))) or _day(_beside(soup, "発売日") or "")
    return Item(own, title, brand or None, day, _link(own, url), _characters(soup, own, url))


def _beside(soup: BeautifulSoup, label: str) -> str | None:
    for cell in soup.find_all(["td", "th", "dt"]):
        words = pages.text(cell).rstrip("：: ")
        if words == label:
            value = pages.text(cell.find_next_sibling(["td", "dd"]))
            if value:
                return re.sub(r"\s*[(（].*$", "", value) if label == "ブランド" else value
    return None


def _characters(soup: BeautifulSoup, own: int, url: str) -> tuple[str, ...]:
    """One address a character and kind of picture, the full size where both sizes are named.

    `c123chara1.jpg` is a character's picture, `c123charab1.jpg` the same one standing,
    `c123chara1_s.jpg` a thumbnail.
    """
    best: dict[tuple[str, str], tuple[bool, str]] = {}
    for element in soup.find_all(["img", "a"]):
        for name in ("href", "data-src", "data-original", "src"):
            link = pages.attribute(element, name)
            match = _CHARACTER.search(link.partition("?")[0])
            if not match or int(match[1]) != own:
                continue
            full = "_s" not in (match[4] or "")
            address = join(url or _link(own, ""), link)
            key = (match[2].strip("_"), match[3])
            if key not in best or (full and not best[key][0]):
                best[key] = (full, address)
    return tuple(address for _, address in best.values())


# ---- collecting --------------------------------------------------------------------------------


def collect(
    out: str | os.PathLike,
    table: str | os.PathLike | None = None,
    months: Iterable[str] = (),
    from_year: int | None = None,
    most: int | None = None,
    base_url: str = SITE,
    hosts: Iterable[str] = (),
    progress: bool = True,
    **client_options,
) -> Manifest:
    """Character pictures and their release years into a folder; continues where it was stopped.

    Args:
        out: the folder.
        table: a CSV with the columns id, gamename, sellday and links: the answer to `SQL`.
        months: such as `"2014-12"`: the games of the site's monthly lists.
        from_year: leave out what was released before.
        most: at most so many items.
        base_url: another server with the same pages.
        hosts: names of further hosts that pictures may come from.
        progress: show progress bars.
        client_options: `rate`, `contact`, `limits`, `refresh`: see `tfanime.collect.Client`.

    Returns:
        The manifest of what is there; `labels.csv` has the year of each picture.

    Raises:
        ValueError: for arguments that cannot be.
        RuntimeError: if the site asks to be left alone for long, or is down: run it again later.
    """
    months = [_checked_month(month) for month in months]
    listed, bad = _from_table(table) if table is not None else ([], 0)
    if not listed and not months:
        raise ValueError(
            "Something must be asked for: a table with rows, or months. Received: none. "
            "`tfanime collect getchu --sql` prints the query that gives the table."
        )
    base_url = base_url.rstrip("/")
    own = () if base_url == SITE else (base_url,)
    with (
        Collection(out) as collection,
        Client(collection.inner, (*HOSTS, *hosts), own, **client_options) as client,
    ):
        found = [*listed, *_read_months(client, base_url, months)]
        items = list({item.id: item for item in reversed(found)}.values())[::-1]
        steps = [Step("found", len(found), {"rows without a link": bad} if bad else {})]
        again = len(found) - len(items)
        steps.append(Step("named once", len(items), {"named again": again} if again else {}))
        items, step = _released(items, from_year)
        steps.append(step)
        if most is not None:
            left = len(items) - len(items[:most])
            items = items[:most]
            steps.append(
                Step("asked for", len(items), {"more than asked for": left} if left else {})
            )
        items, step = _read_items(client, base_url, items, progress)
        steps.append(step)
        rows = {row["id"]: row for item in items for row in _rows(item)}
        wanted = [(name, row["picture_url"]) for name, row in rows.items()]
        pictures = collection.fetch_pictures(wanted, client, progress)
        kept, step = keep_pictures(list(rows), pictures)
        # An item has several pictures, so that counting begins anew.
        step = Step("pictures of those items", step.kept, step.dropped, of_each=True)
        asked = [f"{len(listed)} of {Path(table).name}"] if table is not None else []
        manifest = Manifest(
            name="Getchu characters",
            source=f"{base_url} ({', '.join([*asked, *months])})",
            licence=LICENCE,
            steps=(*steps, step),
            settings={"from_year": from_year, "most": most},
        )
        collection.finish(
            (rows[name] for name in kept),
            {name: pictures[name] for name in kept},
            manifest,
            labels={"year": "year"},
        )
    return manifest


def _checked_month(month: str) -> str:
    match = re.fullmatch(r"((?:19|20)\d\d)-(0[1-9]|1[0-2])", month)
    if not match:
        raise ValueError(f"A month is written 2014-12. Received: {month!r}.")
    return month


def _from_table(path: str | os.PathLike) -> tuple[list[Item], int]:
    """The items of a table, and how many of its rows lead to none."""
    columns = {
        "link": ("links", "link"),
        "title": ("gamename", "name", "title"),
        "sellday": ("sellday", "sell day", "sell_day"),
    }

    def item(line: int, row: dict[str, str]) -> Item:
        link = row["link"] if "//" in row["link"] else f"http://{row['link']}"
        own = item_id(link)
        if own is None:
            raise ValueError(
                f"{path}, line {line}: the link leads to soft.phtml?id=NUMBER. "
                f"Received: {row['link'][:80]!r}. Mend or remove the row."
            )
        title = pages.clean_line(row["title"])
        return Item(own, title, None, _day(row["sellday"]), _link(own, ""))

    return tables.read_rows(tables.read_columns(path, columns), item)


def _read_months(client: Client, base_url: str, months: list[str]) -> list[Item]:
    items: list[Item] = []
    for month in months:
        year, number = month.split("-")
        url = f"{base_url}/all/month_title.html?genre=pc_soft&gage=&year={year}&month={number}"
        try:
            answer = client.get(f"{url}&gc=gc")
        except FetchError as error:
            raise unread(error) from error
        items += parse_page(answer.body, url)
    return items


def _released(items: list[Item], from_year: int | None) -> tuple[list[Item], Step]:
    kept, dropped = [], Counter()
    for item in items:
        if item.year is None:
            dropped["without sell day"] += 1
        elif from_year is not None and item.year < from_year:
            dropped[f"before {from_year}"] += 1
        else:
            kept.append(item)
    return kept, Step("released", len(kept), dict(dropped))


def _read_items(
    client: Client, base_url: str, items: list[Item], progress: bool
) -> tuple[list[Item], Step]:
    from tfanime.core.bars import progress_bar

    kept, dropped = [], Counter()
    with progress_bar(items, desc="items", unit=" pages", disable=not progress) as bar:
        for item in bar:
            url = f"{base_url}/soft.phtml?id={item.id}&gc=gc"
            try:
                told = parse_page(client.get(url).body, url)
            except FetchError as error:
                dropped[LATER if error.passing else error.reason] += 1
                continue
            except ValueError:
                dropped["too large"] += 1
                continue
            if not told:
                dropped["not understood"] += 1
            elif not told[0].pictures:
                dropped["without characters"] += 1
            else:
                page = told[0]
                day = item.sellday or page.sellday
                kept.append(
                    Item(item.id, page.title, page.brand, day, _link(item.id, ""), page.pictures)
                )
    return kept, Step("items with characters", len(kept), dict(dropped))


def _rows(item: Item) -> Iterator[dict]:
    for address in item.pictures:
        match = _CHARACTER.search(address.partition("?")[0])
        kind = (match[2] + match[3]).strip("_").replace("_", "-")
        yield {
            "id": f"{item.id}-{kind}",
            "item": item.id,
            "title": item.title,
            "brand": item.brand,
            "sellday": item.sellday,
            "year": item.year,
            "picture_url": address,
        }
