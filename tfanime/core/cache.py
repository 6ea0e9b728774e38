"""The user's cache folder, and what to say when it cannot be written."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "TFANIME_CACHE"


def cache_folder(folder: str | os.PathLike | None = None) -> Path:
    """`folder`, or `$TFANIME_CACHE`, or `~/.cache/tfanime`."""
    return Path(folder or os.environ.get(VARIABLE) or "~/.cache/tfanime").expanduser()


@contextmanager
def writing(folder: str | os.PathLike) -> Iterator[None]:
    """Whatever stops a file of the cache from being written becomes one sentence.

    Args:
        folder: the cache, or a folder in it.

    Raises:
        OSError: it names the folder and the variable that chooses another one.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise OSError(
            f"The cache must be a folder that can be written. Received: {os.fspath(folder)!r} "
            f"({reason}). Make it writable, or set {VARIABLE} to a folder that is."
        ) from error


def check_cache(folder: str | os.PathLike) -> None:
    """Makes the folder and a file in it, before something that takes long is to be kept there.

    Raises:
        OSError: as `writing`.
    """
    with writing(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
