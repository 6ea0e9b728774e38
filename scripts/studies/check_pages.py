"""Reads every saved page of a folder or archive and prints what was found on it.

    python scripts/studies/check_pages.py PAGES.tar.xz [MORE ...]

PAGES is a folder, .tar, .tar.gz, .tar.bz2 or .tar.xz of pages as they were saved. A manifest.csv
in it with the columns `file` and `url` tells their addresses; without it, a page's kind is told
from its content. One line a page: its records and how many of them have each field; then every
field that some pages could not fill, and why. Exit code 1 if a page could not be read at all.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tfanime.collect import getchu, myanimelist

GETCHU_FIELDS = ("title", "brand", "sellday", "link", "pictures")
KINDS = (  # the first whose pattern is in the address
    ("top", r"topanime"),
    ("search", r"anime\.php\?"),
    ("season", r"/anime/season"),
    ("genre", r"/anime/genre"),
    ("anime", r"/anime/\d"),
    ("month", r"month_title|/\d{4}_\d{2}\.html"),
    ("item", r"soft\.phtml"),
)
# What each kind of page does not say, whatever the parser does.
ABSENT = {
    ("search", "genres"): "result lists have no genres",
    ("search", "year"): "the plain result list has no dates; the advanced one has",
    ("top", "genres"): "the ranking has no genres",
    ("top", "synopsis"): "the ranking has no synopses",
    ("month", "pictures"): "characters are on the items' own pages",
}
REASONS = {
    "score": "N/A or 0.00 on the page: too few users",
    "synopsis": "the page says that there is none yet, or only who should write it",
    "year": "no date on the page",
    "genres": "no genre is listed on the page",
    "poster_url": "no picture, or the site's own tile for a missing one",
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="+", type=Path)
    failures = 0
    unfilled: dict[tuple[str, str, str], Counter] = defaultdict(Counter)
    for source in parser.parse_args(arguments).pages:
        pages = dict(members(source))
        addresses = known_addresses(pages)
        print(f"\n{source.name}\n\n| page | kind | records | fields filled | seconds |")
        print("|---|---|---|---|---|")
        for name in sorted(pages):
            url = addresses.get(Path(name).name, "")
            failures += not report(name, pages[name], url, unfilled)
    print("\n| fields that could not be filled | pages | records | why |\n|---|---|---|---|")
    for (kind, field, why), counts in sorted(unfilled.items()):
        print(f"| {kind}: {field} | {len(counts)} | {sum(counts.values()):,} | {why} |")
    return 1 if failures else 0


def members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every page and table; nothing is written to disk."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(source)), path.read_bytes()
        return
    with tarfile.open(source) as archive:
        for member in archive:
            if member.isfile():
                yield member.name, archive.extractfile(member).read()


def known_addresses(pages: dict[str, bytes]) -> dict[str, str]:
    """Takes manifest.csv out of `pages`: base name of a file -> its address."""
    addresses = {}
    for name in [name for name in pages if Path(name).name == "manifest.csv"]:
        table = io.StringIO(pages.pop(name).decode("utf-8-sig"), newline="")
        addresses |= {row["file"]: row["url"] for row in csv.DictReader(table)}
    return addresses


def report(name: str, page: bytes, url: str, unfilled: dict) -> bool:
    """Prints one page's line; False if it could not be read."""
    of_getchu = b"getchu" in page[:20_000].lower()
    kind = next((kind for kind, pattern in KINDS if re.search(pattern, url or name)), "?")
    fields = GETCHU_FIELDS if of_getchu else myanimelist.FIELDS
    began = time.perf_counter()
    try:
        records = (getchu if of_getchu else myanimelist).parse_page(page, url)
    except Exception as error:  # whatever it is, it is what this script looks for
        print(f"| {name} | {kind} | FAILED: {type(error).__name__}: {error} | | |")
        return False
    seconds = time.perf_counter() - began
    filled = {f: sum(getattr(r, f) not in (None, "", ()) for r in records) for f in fields}
    notes = [f"{field} {count}" for field, count in filled.items()]
    if not of_getchu:
        notes.append(f"adult {sum(r.adult for r in records)}")
        notes.append(f"synopsis cut {sum(r.cut for r in records)}")
    print(f"| {name} | {kind} | {len(records)} | {', '.join(notes)} | {seconds:.2f} |")
    for field, count in filled.items():
        if count < len(records):
            why = ABSENT.get((kind, field)) if not count else None
            why = why or REASONS.get(field, "not on the page")
            unfilled[kind, field, why][name] += len(records) - count
    return True


if __name__ == "__main__":
    sys.exit(main())
