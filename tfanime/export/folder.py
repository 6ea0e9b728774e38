"""Exported folders: each takes the place of an earlier one of its kind, and of nothing else.

What has come into such a folder since, a repository or a host's settings, stays there.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfanime.core import disk
from tfanime.core.files import atomic_folder, check_not_current, read_json, write_json

FORMAT = 1
MANIFEST = "tfanime.json"
WEB = "web"
WRITTEN = "written"  # in the manifest: what an export has put into its folder


def check_replaceable(out: Path, kind: str = WEB) -> None:
    """Raises ValueError unless `out` is new, empty or an earlier export of that kind."""
    check_not_current(out)
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        manifest = read_json(out / MANIFEST)
        ours = manifest["format"] == FORMAT and manifest.get("kind", WEB) == kind
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        disk.check(error, out)
        ours = False
    if not ours:
        raise ValueError(
            "An export goes into a new folder, or takes the place of an earlier export. Received: "
            f"{os.fspath(out)!r}, which holds something else. Choose another folder."
        )


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Yields a folder to write; on success it takes the place of an earlier export at `out`."""
    fresh, old = (out.with_name(f".{out.name}-{which}") for which in ("new", "old"))
    shutil.rmtree(fresh, ignore_errors=True)
    if old.exists():  # a run ended between the lines below
        _put_away(old, out)
    with atomic_folder(fresh) as folder:
        yield folder
        written = sorted(entry.name for entry in folder.iterdir())
        write_json(folder / MANIFEST, {**read_json(folder / MANIFEST), WRITTEN: written})
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    if old.exists():
        _put_away(old, out)


def _put_away(old: Path, out: Path) -> None:
    """Removes an export that `out` took the place of; what it has not written moves there."""
    if not out.exists():
        old.rename(out)
        return
    # Exports before 0.2 have no list: of these all stays that the new one has no place for.
    written = read_json(old / MANIFEST).get(WRITTEN, ()) if (old / MANIFEST).exists() else ()
    for entry in old.iterdir():
        if entry.name not in written and not (out / entry.name).exists():
            entry.rename(out / entry.name)
    shutil.rmtree(old, ignore_errors=True)


def gzipped(data: bytes) -> int:
    """How many bytes a host sends for `data` when it compresses well."""
    return len(gzip.compress(data, 9, mtime=0))
