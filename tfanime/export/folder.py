"""Exported folders: each takes the place of an earlier one of its kind, and of nothing else."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfanime.core import disk
from tfanime.core.files import atomic_folder, read_json

FORMAT = 1
MANIFEST = "tfanime.json"
WEB = "web"


def check_replaceable(out: Path, kind: str = WEB) -> None:
    """Raises ValueError unless `out` is new, empty or an earlier export of that kind."""
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
    """Yields a folder to write; on success it takes the place of `out`, whatever was there."""
    fresh, old = (out.with_name(f".{out.name}-{which}") for which in ("new", "old"))
    for left_over in (fresh, old):
        shutil.rmtree(left_over, ignore_errors=True)
    with atomic_folder(fresh) as folder:
        yield folder
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def gzipped(data: bytes) -> int:
    """How many bytes a host sends for `data` when it compresses well."""
    return len(gzip.compress(data, 9, mtime=0))
