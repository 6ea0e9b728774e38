"""Where images come from: a folder tree, a zip, a tar, or a CSV of paths.

Nothing is ever extracted under its own name: members of archives are read in memory, and those
that point outside or are links are refused by name (`archives`).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tfanime.core import disk
from tfanime.core.files import is_litter
from tfanime.prepare import archives
from tfanime.prepare.archives import (
    check_bytes,
    first_line,
    is_tar,
    opened_zip,
    readable,
    take_member,
    tar_index,
)
from tfanime.prepare.check import Rejected
from tfanime.prepare.table import read_table

AHEAD_BYTES = 128 * 2**20  # of files that are read before they are decoded
ENCRYPTED = 1  # flag of a member of a zip
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


@dataclass
class Source:
    """Named files in natural order (`2.png` before `10.png`).

    Args:
        names: readable names, with `/` between folders.
        read: from a name to the bytes of the file; raises `ValueError("REASON: detail")`.
        rejected: what was refused by its name or kind alone.
        rows: of a CSV of paths, the line that each name stands in.
    """

    names: list[str]
    read: Callable[[str], bytes]
    rejected: list[Rejected] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


@contextmanager
def open_source(path: str | os.PathLike) -> Iterator[Source]:
    """Opens whatever `path` is.

    Raises:
        ValueError: if it does not exist or is none of the four kinds.
    """
    path = Path(path)
    kind = source_kind(path)
    with {"folder": _folder, "csv": _csv, "zip": _zip, "tar": _tar}[kind](path) as source:
        source.names.sort(key=natural)
        yield source


def source_kind(path: Path) -> str:
    """`"folder"`, `"csv"`, `"zip"` or `"tar"` (compressed or not)."""
    if not path.exists():
        raise ValueError(f"Images must exist. Received: {str(path)!r}, which does not.")
    if path.is_dir():
        return "folder"
    if path.suffix.lower() == ".csv":
        return "csv"
    if zipfile.is_zipfile(path):
        return "zip"
    if path.is_file() and is_tar(path):
        return "tar"
    raise ValueError(
        "Images come as a folder, a .zip, a .tar (also .gz, .bz2, .xz) or a .csv with a column "
        f"'file'. Received: {str(path)!r}, which is none of these or a damaged archive."
    )


def count_files(path: Path, enough: int) -> int:
    """How many files `path` holds that may be images; of a tar no further than `enough`."""
    if source_kind(path) == "tar":
        return archives.count_files(path, enough)
    with open_source(path) as source:
        return len(source.names)


def pictures_in(path: Path) -> Path:
    """The images of a folder that `tfanime collect` or `tfanime prepare faces` wrote; any other
    path as it is."""
    for table, pictures in (("records.jsonl", "pictures"), ("crops.csv", "crops")):
        if (path / table).is_file() and (path / pictures).is_dir():
            return path / pictures
    return path


def fingerprint(path: str | os.PathLike) -> str:
    """SHA-256 that changes when the images at `path` change.

    An archive is hashed whole. Of a folder, names, sizes and times of change are: to read every
    file would take as long as to pack it.
    """
    path = Path(path)
    if path.is_dir():
        files, digest = [path / name for name, _ in _walk(path)], hashlib.sha256()
    else:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while block := file.read(2**20):
                digest.update(block)
        files = []
        if source_kind(path) == "csv":
            files = [path.parent / name for name in read_table(path).files]
    for file in files:
        try:
            status = file.stat()
            line = f"{os.path.relpath(file, path)}\0{status.st_size}\0{status.st_mtime_ns}\n"
        except OSError as error:
            disk.check(error, file)
            line = f"{os.path.relpath(file, path)}\0missing\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def natural(name: str) -> tuple:
    """Sort key that compares numbers as numbers."""
    parts = re.split(r"([0-9]+)", name.lower())
    parts[1::2] = [(len(number.lstrip("0")), number.lstrip("0")) for number in parts[1::2]]
    return tuple(parts), name


def _walk(root: Path) -> list[tuple[str, str]]:
    """`(relative path, "file" | "folder" | "link" | "other")` of everything under `root`."""
    entries = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not is_litter(name)]
        files = [name for name in files if not is_litter(name)]
        for name in folders:
            full = os.path.join(folder, name)
            entries.append((full, "link" if os.path.islink(full) else "folder"))
        for name in files:
            full = os.path.join(folder, name)
            # A link to an image is an image; a broken one fails when it is read. A pipe or
            # a device would block for ever.
            regular = os.path.isfile(full) or not os.path.exists(full)
            entries.append((full, "file" if regular else "other"))
    return sorted((os.path.relpath(full, root), kind) for full, kind in entries)


@contextmanager
def _folder(root: Path) -> Iterator[Source]:
    where: dict[str, Path] = {}
    rejected = []
    for relative, kind in _walk(root):
        name = readable(relative.replace(os.sep, "/"))
        if kind == "file":
            where[name] = root / relative
        elif kind == "folder":
            if relative.lower().endswith(PICTURE_ENDINGS):
                rejected.append(Rejected(name, "not a picture", "a folder"))
        elif kind == "link":
            rejected.append(Rejected(name, "link", "to a folder, not followed"))
        else:
            rejected.append(Rejected(name, "not a picture", "a pipe, socket or device"))
    yield Source(list(where), lambda name: _read_file(where[name]), rejected)


@contextmanager
def _csv(path: Path) -> Iterator[Source]:
    table = read_table(path)
    rows = dict(zip(reversed(table.files), reversed(table.rows), strict=True))  # first one wins

    def read(name: str) -> bytes:
        return _read_file(path.parent / name)

    yield Source(list(rows), read, rows=rows)  # bad rows are listed when its labels are read


def _read_file(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a picture: not a regular file")
        check_bytes(status.st_size)
        return path.read_bytes()
    except OSError as error:
        disk.check(error, path)
        raise ValueError(f"cannot be read: {error.strerror or error}") from error


@contextmanager
def _zip(path: Path) -> Iterator[Source]:
    with opened_zip(path) as archive:
        where: dict[str, zipfile.ZipInfo] = {}
        rejected = []
        for info in archive.infolist():
            link = stat.S_ISLNK(info.external_attr >> 16)
            if not info.filename.endswith("/"):  # a folder
                take_member(where, rejected, info.filename, info, link)

        def read(name: str) -> bytes:
            check_bytes(where[name].file_size)
            try:
                return archive.read(where[name])
            except Exception as error:  # zipfile fails in many ways on damaged archives
                disk.check(error, path)
                if where[name].flag_bits & ENCRYPTED:
                    raise ValueError("cannot be read: encrypted") from error
                raise ValueError(f"damaged: {first_line(error)}") from error

        yield Source(list(where), read, rejected)


@contextmanager
def _tar(path: Path) -> Iterator[Source]:
    rejected: list[Rejected] = []
    with open(path, "rb") as file, tempfile.TemporaryFile() as scratch:
        where, whole = tar_index(path, file, scratch, rejected)
        if not whole:
            detail = "the archive ends early, what followed is lost"
            rejected.append(Rejected(path.name, "damaged", detail))

        def read(name: str) -> bytes:
            archive, start, size = where[name]
            check_bytes(size)
            with disk.checked(path if archive is file else tempfile.gettempdir()):
                archive.seek(start)
                data = archive.read(size)
            if len(data) < size:
                raise ValueError("damaged: the archive ends inside this file")
            return data

        yield Source(list(where), read, rejected)
