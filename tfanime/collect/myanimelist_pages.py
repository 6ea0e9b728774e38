"""Any page of MyAnimeList to records.

Pages are read by what their parts mean (schema.org properties, labels such as "Genres:", links to
/anime/ID and /anime/genre/ID, headings of columns) and not by one path through one layout, since
the layout changed several times. What a page does not say is None or empty.
`myanimelist_anime` reads an anime's own page, `myanimelist_lists` every page with several.
"""

from __future__ import annotations

from tfanime.collect import html as pages
from tfanime.collect.myanimelist_anime import own_id, own_record
from tfanime.collect.myanimelist_lists import listed_records
from tfanime.collect.myanimelist_record import Record


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
    own = own_id(soup, url)
    if own is not None:
        record = own_record(soup, own, url)
        if record is not None:
            return [record]
    records: dict[int, Record] = {}
    for record in listed_records(soup, url):
        earlier = records.get(record.id)
        records[record.id] = earlier.filled_from(record) if earlier else record
    return list(records.values())
