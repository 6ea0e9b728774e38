"""MyAnimeList: records with posters to a folder; `myanimelist_pages` reads the pages."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

from tfanime.collect import tables
from tfanime.collect.answers import FetchError, unread
from tfanime.collect.folder import LATER, Collection, keep_pictures
from tfanime.collect.http import Client
from tfanime.collect.myanimelist_pages import parse_page
from tfanime.collect.myanimelist_record import (
    ADULT_GENRES,
    FIELDS,
    SITE,
    Record,
    anime_id,
    clean_synopsis,
    largest_poster,
)
from tfanime.core.manifest import Manifest, Step

__all__ = [
    "ADULT_GENRES",
    "FIELDS",
    "SITE",
    "Record",
    "anime_id",
    "clean_synopsis",
    "collect",
    "largest_poster",
    "parse_page",
]

HOSTS = ("myanimelist.net", "myanimelist.cdn-dena.com")
LICENCE = (
    "Posters and synopses belong to their owners, and MyAnimeList's terms apply: for private "
    "research only, not for redistribution."
)
NEEDED = ("genres", "synopsis")


def collect(
    out: str | os.PathLike,
    ids: str | os.PathLike | Iterable[int] = (),
    top: int = 0,
    popular: int = 0,
    seasons: Iterable[str] = (),
    years: Iterable[int] = (),
    genres: Iterable[int] = (),
    searches: Iterable[str] = (),
    from_year: int | None = None,
    to_year: int | None = None,
    most: int | None = None,
    adult: bool = False,
    needed: Iterable[str] = NEEDED,
    base_url: str = SITE,
    hosts: Iterable[str] = (),
    progress: bool = True,
    **client_options,
) -> Manifest:
    """Records and posters into a folder; continues where it was stopped.

    Args:
        out: the folder.
        ids: numbers of anime, or a CSV with a column id, MAL_ID, anime_id or uid.
        top: so many of the top list, which is by score.
        popular: so many of the list by popularity.
        seasons: such as `"2018/spring"`.
        years: all four seasons of each.
        genres: numbers of genres; all their pages.
        searches: words to search for; all pages of results.
        from_year, to_year: leave out what started before, or after; and whatever says no year.
        most: at most so many records.
        adult: keep adult entries as well.
        needed: fields without which an entry is incomplete and left out, besides its poster.
        base_url: another server with the same pages.
        hosts: names of further hosts that posters may come from.
        progress: show progress bars.
        client_options: `rate`, `contact`, `limits`, `refresh`: see `tfanime.collect.Client`.

    Returns:
        The manifest of what is there.

    Raises:
        ValueError: for arguments that cannot be.
        RuntimeError: if the site asks to be left alone for long, or is down: run it again later.
    """
    ids, bad, from_table = _ids(ids)
    lists = _lists(top, popular, [*seasons, *_seasons_of(years)], genres, searches)
    needed = tuple(needed)
    between = _Years(from_year, to_year)
    if not ids and not lists:
        raise ValueError(
            "Something must be asked for: ids, top, popular, seasons, years, genres or searches. "
            "Received: none."
        )
    if set(needed) - set(FIELDS):
        raise ValueError(f"needed are some of {', '.join(FIELDS)}. Received: {list(needed)}.")
    base_url = base_url.rstrip("/")
    own = () if base_url == SITE else (base_url,)
    with (
        Collection(out) as collection,
        Client(collection.inner, (*HOSTS, *hosts), own, **client_options) as client,
    ):
        entries = [*_read_lists(client, base_url, lists, progress), *(Record(i, "") for i in ids)]
        records = _joined(entries)
        steps = [
            Step("found", len(entries), {"rows without a number": bad} if bad else {}),
            Step.between("named once", entries, records, "named again"),
        ]
        if between.limited:
            # As far as the lists tell, before any page is asked for.
            rest = [record for record in records if between.holds(record.year, unknown=True)]
            steps.append(Step.between("of these years", records, rest, between.others))
            records, needed = rest, tuple(dict.fromkeys([*needed, "year"]))
        if most is not None:
            steps.append(Step.between("asked for", records, records[:most], "more than asked for"))
            records = records[:most]
        records, step = _read_details(client, base_url, records, needed, adult, progress)
        steps.append(step)
        records, step = _complete(records, needed, adult, between)
        steps.append(step)
        rows = {str(record.id): record for record in records}
        addresses = [(name, record.poster_url) for name, record in rows.items()]
        pictures = collection.fetch_pictures(addresses, client, progress)
        names, step = keep_pictures(list(rows), pictures)
        origins = [f"{len(ids)} ids{from_table}"] * bool(ids) + [one.told for one in lists]
        manifest = Manifest(
            name="MyAnimeList posters",
            source=f"{base_url} ({', '.join(origins)})",
            licence=LICENCE,
            steps=(*steps, step),
            settings={
                "adult": adult,
                "needed": list(needed),
                "from_year": from_year,
                "to_year": to_year,
                "most": most,
            },
        )
        collection.finish(
            (rows[name].to_json() for name in names), {n: pictures[n] for n in names}, manifest
        )
    return manifest


@dataclass(frozen=True)
class _List:
    """A list on the site: `path` with a place for the page's number, which begins with `first`
    and grows by `step`; 0 for a list of one page."""

    told: str
    path: str
    first: int = 0
    step: int = 0
    most: int | None = None


@dataclass(frozen=True)
class _Years:
    """The years that records are wanted of, both included; None: without an end."""

    first: int | None
    last: int | None

    def __post_init__(self):
        if None not in (self.first, self.last) and self.first > self.last:
            raise ValueError(
                f"from_year is at most to_year. Received: {self.first} and {self.last}."
            )

    @property
    def limited(self) -> bool:
        return self.first is not None or self.last is not None

    @property
    def others(self) -> str:
        """Why something is left out."""
        if self.first is None:
            return f"after {self.last}"
        return f"before {self.first}" + (f" or after {self.last}" if self.last else "")

    def holds(self, year: int | None, unknown: bool) -> bool:
        if year is None:
            return unknown
        return (self.first or year) <= year <= (self.last or year)


def _ids(source: str | os.PathLike | Iterable[int]) -> tuple[list[int], int, str]:
    """Ids, how many rows of a table have none, and what is told of the table."""
    if not isinstance(source, (str, os.PathLike)):
        ids = list(source)
        bad = [own for own in ids if not isinstance(own, int) or own < 1]
        if bad:
            raise ValueError(f"ids are whole numbers above 0. Received: {bad[0]!r}.")
        return ids, 0, ""
    table = tables.read_columns(source, {"id": ("id", "MAL_ID", "anime_id", "animeID", "uid")})
    ids, bad = tables.read_rows(
        table, lambda line, row: tables.number(row["id"], source, line, "the id")
    )
    return ids, bad, f" of {Path(source).name}"


def _seasons_of(years: Iterable[int]) -> list[str]:
    years = list(years)
    bad = [year for year in years if not isinstance(year, int) or not 1900 <= year <= 2100]
    if bad:
        raise ValueError(f"A year is a whole number such as 2018. Received: {bad[0]!r}.")
    return [f"{year}/{name}" for year in years for name in ("winter", "spring", "summer", "fall")]


def _lists(
    top: int,
    popular: int,
    seasons: Iterable[str],
    genres: Iterable[int],
    searches: Iterable[str],
) -> list[_List]:
    lists = [_List(f"top {top}", "/topanime.php?limit={}", 0, 50, top)] if top else []
    if popular:
        path = "/topanime.php?type=bypopularity&limit={}"
        lists.append(_List(f"{popular} most popular", path, 0, 50, popular))
    for season in seasons:
        if not re.fullmatch(r"\d{4}/(winter|spring|summer|fall)", season):
            raise ValueError(f"A season is written 2018/spring. Received: {season!r}.")
        lists.append(_List(f"season {season}", f"/anime/season/{season}"))
    for genre in genres:
        lists.append(_List(f"genre {int(genre)}", f"/anime/genre/{int(genre)}?page={{}}", 1, 1))
    for words in searches:
        query = quote_plus(words).replace("{", "%7B").replace("}", "%7D")
        lists.append(_List(f"search {words!r}", f"/anime.php?q={query}&show={{}}", 0, 50))
    return lists


def _read_lists(client: Client, base_url: str, lists: list[_List], progress: bool) -> list[Record]:
    """Everything that the lists name; a list ends with a page that says nothing new."""
    from tfanime.core.bars import progress_bar

    records: list[Record] = []
    with progress_bar(desc="lists", unit=" pages", disable=not progress) as bar:
        for one in lists:
            page, own = one.first, {}
            while one.most is None or len(own) < one.most:
                try:
                    url = base_url + one.path.format(page)
                    answer = client.get(url)
                except FetchError as error:
                    if not error.passing and own:
                        break  # one page after the last
                    raise unread(error) from error
                bar.update()
                new = {r.id: r for r in parse_page(answer.body, url) if r.id not in own}
                own |= new
                if not new or not one.step:
                    break
                page += one.step
            if not own:
                raise RuntimeError(
                    f"A list must name something. Received: none in {url}. Check it in a browser."
                )
            records += list(own.values())[: one.most]
    return records


def _joined(entries: Iterable[Record]) -> list[Record]:
    records: dict[int, Record] = {}
    for record in entries:
        earlier = records.get(record.id)
        records[record.id] = earlier.filled_from(record) if earlier else record
    return list(records.values())


def _read_details(
    client: Client,
    base_url: str,
    records: list[Record],
    needed: tuple[str, ...],
    adult: bool,
    progress: bool,
) -> tuple[list[Record], Step]:
    """Fills what the lists left open from the anime's own pages."""
    from tfanime.core.bars import progress_bar

    complete, dropped = [], Counter()
    with progress_bar(records, desc="pages", unit=" pages", disable=not progress) as bar:
        for record in bar:
            missing = [
                name for name in (*needed, "title", "poster_url") if not getattr(record, name)
            ]
            if (missing or record.cut) and (adult or not record.adult):
                try:
                    url = f"{base_url}/anime/{record.id}/"
                    entries = parse_page(client.get(url).body, url)
                except FetchError as error:
                    dropped[LATER if error.passing else error.reason] += 1
                    continue
                except ValueError:
                    dropped["too large"] += 1
                    continue
                if not entries:
                    dropped["not understood"] += 1
                    continue
                record = entries[0].filled_from(record)
            complete.append(record)
    return complete, Step("own pages", len(complete), dict(dropped))


def _complete(
    records: list[Record], needed: tuple[str, ...], adult: bool, between: _Years
) -> tuple[list[Record], Step]:
    complete, dropped = [], Counter()
    for record in records:
        missing = [name for name in (*needed, "poster_url") if getattr(record, name) in (None, ())]
        if record.adult and not adult:
            dropped["adult"] += 1
        elif missing:
            dropped[f"without {missing[0].removesuffix('_url')}"] += 1
        elif not between.holds(record.year, unknown=True):
            dropped[between.others] += 1
        else:
            complete.append(record)
    return complete, Step("complete", len(complete), dict(dropped))
