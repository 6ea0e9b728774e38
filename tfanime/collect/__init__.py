"""Collecting images and texts politely: MyAnimeList, Getchu, Danbooru-like boards.

    from tfanime.collect import myanimelist

    records = myanimelist.parse_page(html, url)             # any saved page
    myanimelist.collect("posters/", seasons=["2018/spring"], contact="me@example.org")

Every collection is a folder of `records.jsonl`, `pictures/` and `manifest.json`. The parts are
loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfanime.collect import danbooru, getchu, myanimelist
    from tfanime.collect.answers import FetchError
    from tfanime.collect.http import Client
    from tfanime.collect.myanimelist import Record

__all__ = ["Client", "FetchError", "Record", "danbooru", "getchu", "myanimelist"]

_MODULES = ("danbooru", "getchu", "myanimelist")
_NAMES = {
    "Client": "tfanime.collect.http",
    "FetchError": "tfanime.collect.answers",
    "Record": "tfanime.collect.myanimelist",
}


if not TYPE_CHECKING:  # to a type checker every name would be one of ours

    def __getattr__(name: str):
        if name in _MODULES:
            return importlib.import_module(f"tfanime.collect.{name}")
        if name in _NAMES:
            return getattr(importlib.import_module(_NAMES[name]), name)
        raise AttributeError(f"module 'tfanime.collect' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
