"""Reading saved or fetched pages: bytes to a tree, elements to clean text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tfanime.core.printing import plain

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

# The largest real page that we saw has 0.7 MB; a tree takes about 20 times the page's size.
PAGE_LIMIT = 10_000_000
# Of which the largest real page has 8,400, and none lies deeper than 24. An element costs 2 kB and
# 60 us, and depth costs more: who asks for what is around every element walks it for each.
ELEMENTS_LIMIT, DEPTH_LIMIT = 60_000, 200
_ELEMENT = re.compile(r"<[A-Za-z]")
_JAPANESE = ("euc_jp", "euc_jis_2004", "cp932")


def decode(page: str | bytes, japanese: bool = False) -> str:
    """The text of a page, whatever its encoding; what cannot be decoded becomes U+FFFD.

    Args:
        page: the page; a `str` is only checked.
        japanese: try EUC-JP (with the characters that vendors added) before giving up; Shift JIS
            if the page says so.

    Raises:
        ValueError: if the page is larger than any real one.
    """
    if not isinstance(page, (str, bytes, bytearray, memoryview)):
        raise ValueError(f"A page is text or bytes. Received: {type(page).__name__}.")
    if len(page) > PAGE_LIMIT:
        raise ValueError(
            f"A page has at most {PAGE_LIMIT:,} bytes. Received: {len(page):,}. "
            "It is no page of this site; leave it out."
        )
    if isinstance(page, str):
        return page.replace("\0", "")
    page = bytes(page)
    return _decode_bytes(page, japanese).replace("\0", "").removeprefix("\ufeff")


def _decode_bytes(page: bytes, japanese: bool) -> str:
    try:
        return page.decode("utf-8")  # other encodings of real text are hardly ever valid UTF-8
    except UnicodeDecodeError:
        if not japanese:
            return page.decode("utf-8", "replace")
    encodings = _JAPANESE
    if re.search(rb"charset=[\"']?(shift_jis|x-sjis|windows-31j)", page[:4096], re.I):
        encodings = ("cp932",)
    for encoding in encodings:
        try:
            return page.decode(encoding)
        except UnicodeDecodeError:
            continue
    # A page with a few broken bytes: the encoding that breaks least.
    texts = (page.decode(encoding, "replace") for encoding in encodings)
    return min(texts, key=lambda text: text.count("\ufffd"))


def parse(page: str | bytes, japanese: bool = False) -> BeautifulSoup:
    """The tree of a page, without scripts, styles and comments' contents.

    Raises:
        ImportError: without the `data` extra.
        ValueError: as in `decode`, and for more elements than any real page has.
    """
    try:
        import lxml  # noqa: F401
        from bs4 import BeautifulSoup
    except ImportError as error:
        raise ImportError(
            'Reading pages needs beautifulsoup4 and lxml: pip install ".[data]" in a checkout'
        ) from error
    content = decode(page, japanese)
    elements = sum(1 for _ in _ELEMENT.finditer(content))
    if elements > ELEMENTS_LIMIT:
        raise ValueError(
            f"A page has at most {ELEMENTS_LIMIT:,} elements. Received: {elements:,}. "
            "It is no page of this site; leave it out."
        )
    soup = BeautifulSoup(content, "lxml")
    depths = {id(soup): 0}
    for element in soup.find_all(True):
        depth = depths[id(element)] = depths[id(element.parent)] + 1
        if depth > DEPTH_LIMIT:
            raise ValueError(
                f"The elements of a page lie at most {DEPTH_LIMIT} deep in each other. Received: "
                "one deeper. It is no page of this site; leave it out."
            )
    for element in soup(["script", "style", "template", "noscript"]):
        element.decompose()
    return soup


def text(element: Tag | None) -> str:
    """The text of an element in one line, without control characters."""
    return clean_line(element.get_text(" ")) if element is not None else ""


def paragraphs(element: Tag) -> str:
    """The text of an element; `<br>` and `<p>` break lines."""
    parts: list[str] = []
    for node in element.descendants:
        if getattr(node, "name", None) in ("br", "p", "div"):
            parts.append("\n")
        elif isinstance(node, str) and type(node).__name__ == "NavigableString":
            parts.append(node)
    return "".join(parts)


def clean_line(value: str) -> str:
    """One line: no control or formatting characters, single spaces."""
    return " ".join(plain(value).split())


def attribute(element: Tag | None, name: str) -> str:
    """An attribute as text; empty if it is missing."""
    if element is None:
        return ""
    value = element.get(name) or ""
    return " ".join(value) if isinstance(value, list) else str(value)
