"""One training at a time in a run folder."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tfanime.core import disk

FILE = ".lock"
# What file systems without such locks answer; a run goes on without one there.
WITHOUT = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class FolderInUse(ValueError):
    """Another process trains in the folder; the message names it."""


@contextmanager
def locked(run: str | os.PathLike) -> Iterator[None]:
    """Holds the folder of a run, which is made if need be.

    The system ends the lock with the process, however that ends.

    Raises:
        FolderInUse: when another process, or another thread of this one, holds it.
        DiskError: when the disk is full, read-only or broken.
    """
    path = Path(run) / FILE
    new = not path.parent.exists()
    with disk.checked(run):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _held(path)
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()} on {platform.node()}")
        file.flush()
    try:
        yield
    finally:
        # In this order: who waits at the file sees that it is no more the one in the folder.
        with suppress(OSError):
            path.unlink()
        file.close()
        if new:
            with suppress(OSError):  # a run that was refused leaves no folder
                path.parent.rmdir()


def _held(path: Path):
    """The file, opened and locked."""
    while True:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 (it is held while training)
        try:
            _lock(file)
        except OSError as error:
            if error.errno in WITHOUT:
                return file
            file.seek(0)
            holder = file.read(200).strip() or "unknown"
            file.close()
            raise FolderInUse(
                f"One process trains in a folder at a time. Received: {str(path.parent)!r}, in "
                f"which process {holder} trains. Wait for it or stop it, or choose another --out."
            ) from None
        with suppress(OSError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its holder removed it in between


def _lock(file) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        file.seek(2**20)  # what is locked cannot be read there
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
