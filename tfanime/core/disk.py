"""A disk that is full, read-only or broken: an error of its own.

It is no damaged archive, no bad image and no broken model, and nothing goes on without what
could not be written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
        place: the file or folder.
    """

    def __init__(self, number: int, place: str | os.PathLike):
        what, advice = TROUBLES[number]
        super().__init__(f"The disk of {os.fspath(place)!r} {what}. {advice} and try again.")
        self.errno, self.place = number, os.fspath(place)


def trouble(error: BaseException | None) -> int | None:
    """The number of a disk's trouble, if that is what an error, or one it arose from, is about."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in TROUBLES:
            return one.errno
        number = next((number for words, number in WORDS.items() if words in str(one)), None)
        if number is not None:
            return number
    return None


def as_disk_error(error: BaseException, place: str | os.PathLike) -> DiskError | None:
    """`error` as a `DiskError`, if a disk's trouble is what it is about.

    Args:
        error: what was raised.
        place: the file or folder that was read or written, where no error that this one arose from
            knows it better.
    """
    # What `place` is called while it is being written says nothing to anybody.
    temporary = [f"{os.sep}.{name}~" for name in (Path(place).name, Path(place).stem)]
    for one in _chain(error):
        if isinstance(one, DiskError) and not any(name in one.place for name in temporary):
            return one
    number = trouble(error)
    return None if number is None else DiskError(number, place)


def check(error: BaseException, place: str | os.PathLike) -> None:
    """Raises `DiskError` if a disk's trouble is what `error` is about; for where an error would
    otherwise be taken for damage."""
    disk_error = as_disk_error(error, place)
    if disk_error is error:
        raise error
    if disk_error is not None:
        raise disk_error from error


@contextmanager
def checked(place: str | os.PathLike) -> Iterator[None]:
    """What goes wrong with the disk of `place` in here is a `DiskError`."""
    try:
        yield
    except Exception as error:
        check(error, place)
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it arose from."""
    ids: set[int] = set()
    while error is not None and id(error) not in ids:
        ids.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
