"""The folder of a collection: records, images and a manifest, resumable at any moment.

    OUT/records.jsonl      one JSON object a line
    OUT/pictures/ID.EXT    exactly the images that the records name; folders and litter stay
    OUT/manifest.json      source, licence note, counts at every filter
    OUT/.collect/          what was fetched (answers.sqlite, pictures/) and the journal

The result is computed anew from what was fetched each time the command runs: after an
interruption, or when only a filter changed, nothing is fetched twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfanime.collect.answers import PICTURES, REFUSED, FetchError
from tfanime.collect.http import Client
from tfanime.core.files import atomic_path, is_litter, write_text
from tfanime.core.manifest import Manifest, Step

if TYPE_CHECKING:
    from PIL import Image

# The same bytes for so many entries are a tile that says "no picture", whatever it shows.
REPEATED = 4
# Tiles are nearly of one colour. Of 426 real posters none has less than 1.6 bits or more than 80 %
# of its pixels near the middle grey level, of 4,000 real faces none less than 3.2 bits or more
# than 43 %.
FLAT_BITS = 1.2
FLAT_SHARE = 0.92
LATER = "not reachable for now"
_ENDINGS = {
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG": "png",
    b"GIF8": "gif",
    b"RIFF": "webp",
    b"BM": "bmp",
    b"II*\0": "tif",
    b"MM\0*": "tif",
}


@dataclass(frozen=True)
class Picture:
    """An image that was fetched, or the reason why there is none.

    Args:
        file: its name in the store; empty if refused.
        sha256: of its bytes.
        width, height: in pixels.
        refused: why it is none; empty for a sound image.
    """

    file: str = ""
    sha256: str = ""
    width: int = 0
    height: int = 0
    refused: str = ""


class Collection:
    """A folder being collected into; use it as a context manager.

    Raises:
        ValueError: if `out` holds something else.
        RuntimeError: if another process collects into it.
    """

    def __init__(self, out: str | os.PathLike):
        self.out = Path(out)
        self.inner = self.out / ".collect"
        if self.out.is_dir() and any(self.out.iterdir()) and not self.inner.is_dir():
            raise ValueError(
                "A collection needs a new folder, or one that a collection began. "
                f"Received: {str(self.out)!r}, which holds something else. Use another folder."
            )
        self.store = self.inner / "pictures"
        self.store.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.inner / "lock.sqlite", self.out)
        self._journal = sqlite3.connect(self.inner / "journal.sqlite", isolation_level=None)
        self._journal.execute("PRAGMA journal_mode=WAL")
        self._journal.execute("PRAGMA synchronous=NORMAL")
        self._journal.execute(
            "CREATE TABLE IF NOT EXISTS pictures (name TEXT PRIMARY KEY, url TEXT NOT NULL, "
            "file TEXT, sha256 TEXT, width INTEGER, height INTEGER, refused TEXT)"
        )

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *error) -> None:
        self._journal.close()
        self._lock.close()

    # ---- images --------------------------------------------------------------------------

    def fetch_pictures(
        self, addresses: Sequence[tuple[str, str]], client: Client, progress: bool = True
    ) -> dict[str, Picture]:
        """Fetches each `(name, url)` that was not fetched before; name -> what came of it."""
        from tfanime.core.bars import progress_bar

        by_name = {}
        with progress_bar(addresses, desc="images", unit=" images", disable=not progress) as bar:
            for name, url in bar:
                by_name[name] = self._known(name, url) or self._fetch(name, url, client)
        return by_name

    def _known(self, name: str, url: str) -> Picture | None:
        row = self._journal.execute(
            "SELECT file, sha256, width, height, refused FROM pictures WHERE name = ? AND url = ?",
            (name, url),
        ).fetchone()
        if row is None:
            return None
        picture = Picture(*row)
        if picture.refused in {f"status {code}" for code in REFUSED}:
            return None  # noted by tfanime 0.1; such refusals pass
        return picture if picture.refused or (self.store / picture.file).is_file() else None

    def _fetch(self, name: str, url: str, client: Client) -> Picture:
        # Files are named by what they come from: one that was stored just before the process was
        # killed is found again, and not fetched again.
        stem = f"{safe_name(name)}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        copy = next(self.store.glob(f"{stem}.*"), None)
        if copy is not None:
            return self._remember(name, url, check(copy.read_bytes(), copy.name))
        try:
            body = client.get(url, PICTURES, keep=False).body
        except FetchError as error:
            if error.passing:
                return Picture(refused=LATER)  # not in the journal: another run tries again
            refusal = Picture(refused=error.reason)
            return self._remember(name, url, refusal) if error.asked else refusal
        picture = check(body, f"{stem}.{_ending(body)}")
        if not picture.refused:
            with atomic_path(self.store / picture.file) as temporary:
                temporary.write_bytes(body)
        return self._remember(name, url, picture)

    def _remember(self, name: str, url: str, picture: Picture) -> Picture:
        self._journal.execute(
            "INSERT OR REPLACE INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)",
            (name, url, *vars(picture).values()),
        )
        return picture

    # ---- the result ------------------------------------------------------------------------

    def finish(
        self,
        rows: Iterable[Mapping],
        pictures: Mapping[str, Picture],
        manifest: Manifest,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Writes the folder's visible part: all of it belongs together when this returns.

        Args:
            rows: records, each with the key `picture` (`pictures/NAME.EXT`) and a unique `id`.
            pictures: id of a row -> its image; rows without one have none.
            manifest: written last; only then are files removed that no record names.
            labels: column of `labels.csv` -> key of the rows; None for no such file.
        """
        visible = self.out / "pictures"
        visible.mkdir(exist_ok=True)
        lines, table, names = [], [["file", *(labels or {})]], set()
        for row in rows:
            row, picture = dict(row), pictures.get(str(row["id"]))
            if picture is not None:
                name = f"{safe_name(str(row['id']))}{Path(picture.file).suffix}"
                names.add(name)
                link(self.store / picture.file, visible / name)
                row |= {"picture": f"pictures/{name}", "sha256": picture.sha256}
                row |= {"width": picture.width, "height": picture.height}
                table.append([name, *(row[key] for key in (labels or {}).values())])
            lines.append(json.dumps(row, ensure_ascii=False))
        write_text(self.out / "records.jsonl", "".join(line + "\n" for line in lines))
        if labels is not None:
            write_csv(self.out / "labels.csv", table)
        manifest.write(self.out)
        for stale in visible.iterdir():
            # Network drives and file managers put folders (@eaDir) and notes among images.
            if stale.name not in names and stale.is_file() and not is_litter(stale.name):
                stale.unlink()


def keep_pictures(names: Sequence[str], pictures: Mapping[str, Picture]) -> tuple[list[str], Step]:
    """Which names have an image of their own: placeholders and duplicates are left out.

    Returns:
        The names that stay, in order, and the step for the manifest.
    """
    times = Counter(pictures[name].sha256 for name in names if not pictures[name].refused)
    usable, dropped, digests = [], Counter(), set()
    for name in names:
        picture = pictures[name]
        if picture.refused:
            dropped[picture.refused] += 1
        elif times[picture.sha256] >= REPEATED:
            dropped["placeholder"] += 1
        elif picture.sha256 in digests:
            dropped["duplicate"] += 1
        else:
            digests.add(picture.sha256)
            usable.append(name)
    return usable, Step("pictures", len(usable), dict(dropped))


def check(body: bytes, file: str) -> Picture:
    """Decodes the bytes of an image; what is none, or a placeholder, is refused."""
    from tfanime.core.decode import read_image

    try:
        picture = read_image(body)
    except ValueError as error:
        return Picture(refused=str(error).partition(":")[0])
    if is_flat(picture):
        return Picture(refused="placeholder")
    return Picture(file, hashlib.sha256(body).hexdigest(), *picture.size)


def is_flat(picture: Image.Image) -> bool:
    """Whether an image is a tile that stands for a missing one: nearly of one grey level.

    Args:
        picture: mode RGB.
    """
    import numpy as np
    from PIL import Image

    small = picture.resize((48, 48), Image.Resampling.BOX).convert("L")
    levels = np.asarray(small, np.int16)
    share = np.bincount(levels.ravel() // 8, minlength=32) / levels.size
    share = share[share > 0]
    bits = -float(np.sum(share * np.log2(share)))
    near = float(np.mean(np.abs(levels - np.median(levels)) <= 10))
    return bits < FLAT_BITS or near > FLAT_SHARE


def safe_name(name: str) -> str:
    """`name` if it can be a file's name anywhere; names come from numbers on pages.

    Raises:
        ValueError: otherwise.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise ValueError(
            "The id of an image is letters, digits, - and _, at most 100 of them. "
            f"Received: {name[:100]!r}."
        )
    return name


def write_csv(path: str | os.PathLike, rows: Iterable[Sequence]) -> None:
    """A CSV that no spreadsheet takes for formulas: texts that begin like one get a leading '."""
    import csv

    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [_cell(cell) for cell in row] for row in rows
        )


def _cell(value) -> str:
    text = "" if value is None else str(value)
    formula = text[:1] in ("=", "+", "-", "@", "\t", "\r") and not isinstance(value, (int, float))
    return "'" + text if formula else text


def _ending(body: bytes) -> str:
    return next((ending for start, ending in _ENDINGS.items() if body.startswith(start)), "bin")


def link(source: Path, target: Path) -> None:
    """Makes `target` the same file as `source`: without a second copy where that is possible."""
    if target.exists() and os.path.samefile(source, target):
        return
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)


def _lock(path: Path, out: Path) -> sqlite3.Connection:
    """A lock that the operating system opens when its process ends, however it ends."""
    try:
        lock = sqlite3.connect(path, timeout=0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if "locked" not in str(error):
            raise OSError(
                f"A collection is kept in a folder that can be written. Received: {str(out)!r} "
                f"({error}). Make it writable, or use another one."
            ) from error
        lock.close()
        raise RuntimeError(
            f"One process at a time collects into a folder. Received: {str(out)!r}, into which "
            "another one is collecting."
        ) from error
    return lock
