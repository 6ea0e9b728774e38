"""Where pictures come from: a folder tree, a zip, a tar, or a CSV of paths.

Nothing is ever extracted: members of archives are read in memory, and those that point outside
or are links are refused by name.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tfanime.prepare.check import Rejected
from tfanime.prepare.table import read_table

FILE_LIMIT = 256 * 2**20  # bytes of one picture file, unpacked
AHEAD_BYTES = 128 * 2**20  # of files that are read before they are decoded
DECOMPRESSORS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")


# What systems leave among pictures without being asked; nobody means it as a picture.
LITTER = (".ds_store", "thumbs.db", "desktop.ini", ".directory", "__macosx", "@eadir")


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
        raise ValueError(f"Pictures must exist. Received: {str(path)!r}, which does not.")
    if path.is_dir():
        return "folder"
    if path.suffix.lower() == ".csv":
        return "csv"
    if zipfile.is_zipfile(path):
        return "zip"
    if path.is_file() and tarfile.is_tarfile(path):
        return "tar"
    raise ValueError(
        "Pictures come as a folder, a .zip, a .tar (also .gz, .bz2, .xz) or a .csv with a column "
        f"'file'. Received: {str(path)!r}, which is none of these or a damaged archive."
    )


def pictures_in(path: Path) -> Path:
    """The pictures of a folder that `tfanime collect` or `tfanime prepare faces` wrote; any other
    path as it is."""
    for table, pictures in (("records.jsonl", "pictures"), ("crops.csv", "crops")):
        if (path / table).is_file() and (path / pictures).is_dir():
            return path / pictures
    return path


def fingerprint(path: str | os.PathLike) -> str:
    """SHA-256 that changes when the pictures at `path` change.

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
            seen = file.stat()
            line = f"{os.path.relpath(file, path)}\0{seen.st_size}\0{seen.st_mtime_ns}\n"
        except OSError:
            line = f"{os.path.relpath(file, path)}\0missing\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def natural(name: str) -> tuple:
    """Sort key that compares numbers as numbers."""
    parts = re.split(r"([0-9]+)", name.lower())
    parts[1::2] = [(len(number.lstrip("0")), number.lstrip("0")) for number in parts[1::2]]
    return tuple(parts), name


def readable(name: str) -> str:
    """Names may hold bytes that are no text (from another encoding); JSON cannot."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# ---- the four kinds ----------------------------------------------------------------------------


def _walk(root: Path) -> list[tuple[str, str]]:
    """`(relative path, "file" | "folder" | "link" | "other")` of everything under `root`."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not _is_litter(name)]
        files = [name for name in files if not _is_litter(name)]
        for name in folders:
            full = os.path.join(folder, name)
            found.append((full, "link" if os.path.islink(full) else "folder"))
        for name in files:
            full = os.path.join(folder, name)
            # A link to a picture is a picture; a broken one fails when it is read. A pipe or
            # a device would block for ever.
            regular = os.path.isfile(full) or not os.path.exists(full)
            found.append((full, "file" if regular else "other"))
    return sorted((os.path.relpath(full, root), kind) for full, kind in found)


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
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):
            raise ValueError("not a picture: not a regular file")
        _check_bytes(seen.st_size)
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from error


@contextmanager
def _zip(path: Path) -> Iterator[Source]:
    with zipfile.ZipFile(path) as archive:
        where: dict[str, zipfile.ZipInfo] = {}
        rejected = []
        for info in archive.infolist():
            link = stat.S_ISLNK(info.external_attr >> 16)
            if not info.is_dir():
                _take(where, rejected, info.filename, info, link)

        def read(name: str) -> bytes:
            _check_bytes(where[name].file_size)
            try:
                return archive.read(where[name])
            except RuntimeError as error:  # what zipfile raises for a password
                raise ValueError("cannot be read: encrypted") from error
            except (
                zipfile.BadZipFile,
                NotImplementedError,
                zlib.error,
                OSError,
                EOFError,
            ) as error:
                raise ValueError(f"damaged: {error}") from error

        yield Source(list(where), read, rejected)


@contextmanager
def _tar(path: Path) -> Iterator[Source]:
    rejected = []
    with open(path, "rb") as file, tempfile.TemporaryFile() as scratch:
        stream, whole = _uncompressed(file, scratch)
        where: dict[str, tarfile.TarInfo] = {}
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            try:
                for member in archive:
                    link = member.issym() or member.islnk()
                    if member.isfile() or link:
                        _take(where, rejected, member.name, member, link)
                    elif not member.isdir():
                        detail = "a pipe or device"
                        rejected.append(Rejected(readable(member.name), "not a picture", detail))
                # tarfile stops at a damaged header without a word; a whole archive ends in zeros.
                stream.seek(archive.offset)
                whole = whole and stream.read(512) == bytes(512)
            except tarfile.TarError:
                whole = False
            if not whole:
                detail = "the archive ends early, what followed is lost"
                rejected.append(Rejected(path.name, "damaged", detail))

            def read(name: str) -> bytes:
                _check_bytes(where[name].size)
                try:
                    with archive.extractfile(where[name]) as member:
                        data = member.read()
                except (tarfile.TarError, OSError) as error:
                    raise ValueError(f"damaged: {error}") from error
                if len(data) < where[name].size:
                    raise ValueError("damaged: the archive ends inside this file")
                return data

            yield Source(list(where), read, rejected)


def _uncompressed(file: BinaryIO, scratch: BinaryIO) -> tuple[BinaryIO, bool]:
    """A tar that can be read in any order, and whether it is whole: a compressed one is unpacked
    into `scratch` first."""
    start = file.read(8)
    file.seek(0)
    for signature, opener in DECOMPRESSORS:
        if start.startswith(signature):
            whole = True
            try:
                with opener(file) as packed:
                    while block := packed.read1(2**16):
                        scratch.write(block)
            except (EOFError, OSError, zlib.error, lzma.LZMAError):
                whole = False
            scratch.seek(0)
            return scratch, whole
    return file, True


def _is_litter(name: str) -> bool:
    """`name` is a path; macOS puts `._NAME` beside NAME where it cannot store its notes."""
    return any(part.lower() in LITTER or part.startswith("._") for part in re.split(r"[/\\]", name))


def _take(where: dict, rejected: list[Rejected], name: str, member: object, link: bool) -> None:
    """Accepts a member of an archive, or lists why not."""
    if _is_litter(name):
        return
    parts = re.split(r"[/\\]", name)
    shown = readable(name)
    if link:
        rejected.append(Rejected(shown, "link", "links in archives are not followed"))
    elif name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts:
        rejected.append(Rejected(shown, "points outside", "refused, nothing was read"))
    elif _tidy(shown) in where:
        rejected.append(Rejected(shown, "duplicate", "an earlier member has the same name"))
    else:
        where[_tidy(shown)] = member


def _tidy(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _check_bytes(size: int) -> None:
    if size > FILE_LIMIT:
        raise ValueError(f"too large: {size:,} bytes, at most {FILE_LIMIT:,} are read")
