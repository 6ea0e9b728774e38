"""A disk that is full, read-only or broken: an error of its own.

It is no damaged archive, no bad picture and no broken model, and nothing goes on without what
could not be written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

# What is wrong with the disk, and what to do about it.
TROUBLES = {
    errno.ENOSPC: ("is full", "Make room there"),
    errno.EDQUOT: ("has no room left in your quota", "Make room there"),
    errno.EROFS: ("cannot be written to: it is mounted read-only", "Choose another folder"),
    errno.EIO: ("fails: it answers with an input/output error", "Check it, or use another one"),
}
# Libraries that say it in words alone: HDF5, TensorFlow's file systems, SQLite.
WORDS = {os.strerror(number): number for number in TROUBLES} | {
    "database or disk is full": errno.ENOSPC,
    "disk I/O error": errno.EIO,
}


class DiskError(OSError):
    """The disk is full, read-only or broken; the message names the place.

    Attributes:
        errno: one of `TROUBLES`.
    """

    def __init__(self, number: int, place: str | os.PathLike):
        what, advice = TROUBLES[number]
        super().__init__(f"The disk of {os.fspath(place)!r} {what}. {advice} and try again.")
        self.errno = number


def trouble(error: BaseException | None) -> int | None:
    """The number of a disk's trouble, if that is what an error, or one it arose from, is about."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in TROUBLES:
            return error.errno
        if (number := next((n for words, n in WORDS.items() if words in str(error)), None)) is None:
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        else:
            return number
    return None


def check(error: BaseException, place: str | os.PathLike) -> None:
    """Raises `DiskError` if a disk's trouble is what `error` is about; for where an error would
    otherwise be taken for damage."""
    if isinstance(error, DiskError):
        raise error
    number = trouble(error)
    if number is not None:
        raise DiskError(number, place) from error


@contextmanager
def checked(place: str | os.PathLike) -> Iterator[None]:
    """What goes wrong with the disk of `place` in here is a `DiskError`."""
    try:
        yield
    except Exception as error:
        check(error, place)
        raise
