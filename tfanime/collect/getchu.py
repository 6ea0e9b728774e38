"""Getchu: character images with their release years to a folder; `getchu_pages` reads the pages.

An item page is behind a question for the visitor's age; it is answered as the site itself links
it, by the query parameter `gc=gc`, and in no other way.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tfanime.collect import html as pages
from tfanime.collect import tables
from tfanime.collect.answers import FetchError, unread
from tfanime.collect.folder import LATER, Collection, keep_pictures
from tfanime.collect.getchu_pages import (
    CHARACTER,
    SITE,
    Item,
    item_id,
    item_link,
    parse_page,
    read_day,
)
from tfanime.collect.http import Client
from tfanime.core.manifest import Manifest, Step

__all__ = ["HOSTS", "SITE", "SQL", "Item", "collect", "item_id", "parse_page"]

HOSTS = ("getchu.com",)
LICENCE = (
    "Character images belong to the makers of the games, and Getchu's terms apply: for private "
    "research only, not for redistribution."
)
# The query of Jin et al. 2017 (MakeGirlsMoe) to the SQL form of ErogameScape.
SQL = (
    "SELECT g.id, g.gamename, g.sellday, 'www.getchu.com/soft.phtml?id=' || g.comike as links "
    "FROM gamelist g WHERE g.comike is NOT NULL ORDER BY g.sellday"
)


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
    """Character images and their release years into a folder; continues where it was stopped.

    Args:
        out: the folder.
        table: a CSV with the columns id, gamename, sellday and links: the answer to `SQL`.
        months: such as `"2014-12"`: the games of the site's monthly lists.
        from_year: leave out what was released before.
        most: at most so many items.
        base_url: another server with the same pages.
        hosts: names of further hosts that images may come from.
        progress: show progress bars.
        client_options: `rate`, `contact`, `limits`, `refresh`: see `tfanime.collect.Client`.

    Returns:
        The manifest of what is there; `labels.csv` has the year of each image.

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
        entries = [*listed, *_read_months(client, base_url, months)]
        items = list({item.id: item for item in reversed(entries)}.values())[::-1]
        steps = [Step("found", len(entries), {"rows without a link": bad} if bad else {})]
        again = len(entries) - len(items)
        steps.append(Step("named once", len(items), {"named again": again} if again else {}))
        items, step = _released(items, from_year)
        steps.append(step)
        if most is not None:
            surplus = len(items) - len(items[:most])
            items = items[:most]
            steps.append(
                Step("asked for", len(items), {"more than asked for": surplus} if surplus else {})
            )
        items, step = _read_items(client, base_url, items, progress)
        steps.append(step)
        rows = {row["id"]: row for item in items for row in _rows(item)}
        addresses = [(name, row["picture_url"]) for name, row in rows.items()]
        pictures = collection.fetch_pictures(addresses, client, progress)
        names, step = keep_pictures(list(rows), pictures)
        # An item has several images, so that counting begins anew.
        step = Step("pictures of those items", step.kept, step.dropped, of_each=True)
        origins = [f"{len(listed)} of {Path(table).name}"] if table is not None else []
        manifest = Manifest(
            name="Getchu characters",
            source=f"{base_url} ({', '.join([*origins, *months])})",
            licence=LICENCE,
            steps=(*steps, step),
            settings={"from_year": from_year, "most": most},
        )
        collection.finish(
            (rows[name] for name in names),
            {name: pictures[name] for name in names},
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
        return Item(own, title, None, read_day(row["sellday"]), item_link(own, ""))

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
    released, dropped = [], Counter()
    for item in items:
        if item.year is None:
            dropped["without sell day"] += 1
        elif from_year is not None and item.year < from_year:
            dropped[f"before {from_year}"] += 1
        else:
            released.append(item)
    return released, Step("released", len(released), dict(dropped))


def _read_items(
    client: Client, base_url: str, items: list[Item], progress: bool
) -> tuple[list[Item], Step]:
    from tfanime.core.bars import progress_bar

    full, dropped = [], Counter()
    with progress_bar(items, desc="items", unit=" pages", disable=not progress) as bar:
        for item in bar:
            url = f"{base_url}/soft.phtml?id={item.id}&gc=gc"
            try:
                entries = parse_page(client.get(url).body, url)
            except FetchError as error:
                dropped[LATER if error.passing else error.reason] += 1
                continue
            except ValueError:
                dropped["too large"] += 1
                continue
            if not entries:
                dropped["not understood"] += 1
            elif not entries[0].pictures:
                dropped["without characters"] += 1
            else:
                page = entries[0]
                day = item.sellday or page.sellday
                full.append(
                    Item(
                        item.id, page.title, page.brand, day, item_link(item.id, ""), page.pictures
                    )
                )
    return full, Step("items with characters", len(full), dict(dropped))


def _rows(item: Item) -> Iterator[dict]:
    for address in item.pictures:
        match = CHARACTER.search(address.partition("?")[0])
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
