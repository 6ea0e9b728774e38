"""What others see of an exported site before they open it: Open Graph's card and address."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tfanime.core.files import atomic_path, write_text
from tfanime.core.images import to_uint8

CARD = "card.jpg"
TILE, COLUMNS, ROWS = 210, 6, 3  # 1260 x 630, the shape that previews have


def check_address(address: str | None) -> str | None:
    """The address of a site's folder, with a slash at its end.

    Raises:
        ValueError: for what is none.
    """
    if address is None:
        return None
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"[\s\"<>]", address):
        raise ValueError(
            "address is where the folder will be, such as https://example.org/faces/. "
            f"Received: {address!r}."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def write_card(folder: Path, pictures: np.ndarray) -> None:
    """Writes `card.jpg`: images side by side, cut to squares, the first again where they are too
    few.

    Args:
        pictures: `(n, H, W, 3)` float32 in [-1, 1].
    """
    from PIL import Image, ImageOps

    sheet = Image.new("RGB", (COLUMNS * TILE, ROWS * TILE))
    for i in range(COLUMNS * ROWS):
        picture = Image.fromarray(to_uint8(np.clip(pictures[i % len(pictures)], -1, 1)))
        tile = ImageOps.fit(picture, (TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (i % COLUMNS * TILE, i // COLUMNS * TILE))
    with atomic_path(folder / CARD) as temporary:
        sheet.save(temporary, "JPEG", quality=85)


def write_address(folder: Path, address: str) -> None:
    """Puts the site's address into its page: previews of links need whole ones."""
    page = folder / "index.html"
    html = page.read_text(encoding="utf-8")
    whole = escape(address, quote=True)
    addressed = html.replace(f'content="{CARD}"', f'content="{whole}{CARD}"')
    addressed = addressed.replace(
        "</title>", f'</title>\n    <meta property="og:url" content="{whole}" />'
    )
    write_text(page, addressed)
