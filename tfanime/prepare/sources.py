"""Where pictures come from: a folder tree, a zip, a tar, or a CSV of paths.

Nothing is ever extracted under its own name: members of archives are read in memory, and those that
point outside or are links are refused by name. A compressed tar, which cannot be read in any order,
is unpacked once into a temporary file without a name, within limits.
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

from tfanime.core import disk
from tfanime.prepare.check import Rejected
from tfanime.prepare.table import read_table

FILE_LIMIT = 256 * 2**20  # bytes of one picture file, unpacked
AHEAD_BYTES = 128 * 2**20  # of files that are read before they are decoded
# Bytes that a compressed tar may unpack to: so many times its own size, and some more. Pictures are
# compressed already; BMPs of drawings shrink to a tenth.
EXPANSION, SLACK = 32, 128 * 2**20
ENCRYPTED = 1  # flag of a member of a zip
HEADER_LIMIT = 2**20  # bytes of a long name in a tar
XZ_MEMORY = 256 * 2**20  # `xz -9` needs a quarter
BLOCK = 2**18
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
    if path.is_file() and _is_tar(path):
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
        disk.check(error, path)
        raise ValueError(f"cannot be read: {error.strerror or error}") from error


@contextmanager
def _zip(path: Path) -> Iterator[Source]:
    with _opened(path) as archive:
        where: dict[str, zipfile.ZipInfo] = {}
        rejected = []
        for info in archive.infolist():
            link = stat.S_ISLNK(info.external_attr >> 16)
            if not info.filename.endswith("/"):  # a folder
                _take(where, rejected, info.filename, info, link)

        def read(name: str) -> bytes:
            _check_bytes(where[name].file_size)
            try:
                return archive.read(where[name])
            except Exception as error:  # zipfile fails in many ways on damaged archives
                disk.check(error, path)
                if where[name].flag_bits & ENCRYPTED:
                    raise ValueError("cannot be read: encrypted") from error
                raise ValueError(f"damaged: {_first_line(error)}") from error

        yield Source(list(where), read, rejected)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # in many ways
        disk.check(error, path)
        raise ValueError(
            f"A zip has a list of its files at its end. Received: {str(path)!r}, whose list is "
            f"damaged ({_first_line(error)}). Fetch it again, or repair it with `zip -FF`."
        ) from error


@contextmanager
def _tar(path: Path) -> Iterator[Source]:
    rejected: list[Rejected] = []
    with open(path, "rb") as file, tempfile.TemporaryFile() as scratch:
        where, whole = _index(path, file, scratch, rejected)
        if not whole:
            detail = "the archive ends early, what followed is lost"
            rejected.append(Rejected(path.name, "damaged", detail))

        def read(name: str) -> bytes:
            held, start, size = where[name]
            _check_bytes(size)
            with disk.checked(path if held is file else tempfile.gettempdir()):
                held.seek(start)
                data = held.read(size)
            if len(data) < size:
                raise ValueError("damaged: the archive ends inside this file")
            return data

        yield Source(list(where), read, rejected)


class _Member(tarfile.TarInfo):
    """An entry of a tar. Python's reader takes a long name of any length, and stops at a damaged
    header without a word."""

    last = b""  # header that was read; a subclass of its own for every archive

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        cls.last = bytes(buf)
        member = super().frombuf(buf, encoding, errors)
        plain = member.isfile() or member.isdir() or member.issym() or member.islnk()
        if not plain and member.size > HEADER_LIMIT:
            raise tarfile.InvalidHeaderError("a long name without an end")
        return member


def _is_tar(path: Path) -> bool:
    """As `tarfile.is_tarfile` says, which reads a long name of any length."""
    try:
        with tarfile.open(path, tarinfo=type("Member", (_Member,), {})):
            return True
    except tarfile.TarError:
        return False


class _Unpacked:
    """The stream inside a compressed tar; one that is cut or damaged ends early."""

    def __init__(self, packed, path: Path):
        self.packed, self.path, self.whole = packed, path, True

    def read(self, size: int) -> bytes:
        try:
            return self.packed.read1(size) if self.whole else b""
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            disk.check(error, self.path)
            self.whole = False
            return b""


class _Xz:
    """What `lzma.open` reads, with a limit on the memory that a file may ask for."""

    def __init__(self, file: BinaryIO):
        self.file = file
        self._begin()

    def _begin(self) -> None:
        self.decoder = lzma.LZMADecompressor(memlimit=XZ_MEMORY)

    def read1(self, size: int) -> bytes:
        while True:
            data = b""
            if self.decoder.eof:  # another stream, or padding, may follow
                data = (self.decoder.unused_data or self.file.read(BLOCK)).lstrip(b"\0")
                if not data:
                    return b""
                self._begin()
            elif self.decoder.needs_input and not (data := self.file.read(BLOCK)):
                raise EOFError
            if unpacked := self.decoder.decompress(data, size):
                return unpacked


DECOMPRESSORS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", _Xz))


def _index(
    path: Path, file: BinaryIO, scratch: BinaryIO, rejected: list[Rejected]
) -> tuple[dict[str, tuple[BinaryIO, int, int]], bool]:
    """Where each member's bytes are: a file, their first one and how many; and whether the archive
    is whole.

    Those of a compressed tar are copied into `scratch`, unless they are too many for a picture.
    """
    most = EXPANSION * os.stat(path).st_size + SLACK
    start = file.read(8)
    file.seek(0)
    opener = next((o for signature, o in DECOMPRESSORS if start.startswith(signature)), None)
    stream = _Unpacked(opener(file), path) if opener else file
    members: dict[str, tarfile.TarInfo] = {}
    where: dict[str, tuple[BinaryIO, int, int]] = {}
    header = type("Member", (_Member,), {})
    mode = "r|" if opener else "r:"
    try:
        with tarfile.open(fileobj=stream, mode=mode, tarinfo=header, bufsize=BLOCK) as archive:
            for member in archive:
                link = member.issym() or member.islnk()
                if not member.isfile() and not link:
                    if not member.isdir():
                        detail = "a pipe or device"
                        rejected.append(Rejected(readable(member.name), "not a picture", detail))
                    continue
                name = _take(members, rejected, member.name, member, link)
                if name is None:
                    continue
                where[name] = file, member.offset_data, member.size
                if (opener or member.issparse()) and member.size <= FILE_LIMIT:
                    # Entered before it is copied, so that one that is cut has a name.
                    where[name] = scratch, scratch.tell(), member.size
                    _check_total(path, scratch.tell() + member.size, most)
                    with archive.extractfile(member) as data:
                        _copy(data, scratch)
        whole = header.last == bytes(512)
    except (tarfile.TarError, OSError) as error:
        disk.check(error, path)
        whole = False
    return where, whole and (stream is file or stream.whole)


def _is_litter(name: str) -> bool:
    """`name` is a path; macOS puts `._NAME` beside NAME where it cannot store its notes."""
    return any(part.lower() in LITTER or part.startswith("._") for part in re.split(r"[/\\]", name))


def _copy(data: BinaryIO, scratch: BinaryIO) -> None:
    while block := data.read(BLOCK):
        with disk.checked(tempfile.gettempdir()):
            scratch.write(block)
    with disk.checked(tempfile.gettempdir()):
        scratch.flush()


def _check_total(path: Path, total: int, most: int) -> None:
    if total > most:
        raise ValueError(
            f"An archive unpacks to at most {EXPANSION} times its size and {SLACK:,} bytes more. "
            f"Received: {str(path)!r}, of which more than {most:,} bytes would be unpacked. Unpack "
            "it yourself, and give the folder."
        )


def _take(
    where: dict, rejected: list[Rejected], name: str, member: object, link: bool
) -> str | None:
    """Accepts a member of an archive and returns its tidy name, or lists why not."""
    if _is_litter(name):
        return None
    parts = re.split(r"[/\\]", name)
    shown = readable(name)
    if link:
        rejected.append(Rejected(shown, "link", "links in archives are not followed"))
    elif name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts:
        rejected.append(Rejected(shown, "points outside", "refused, nothing was read"))
    elif not _tidy(shown):
        rejected.append(Rejected(shown, "not a picture", "a member without a name"))
    elif _tidy(shown) in where:
        rejected.append(Rejected(shown, "duplicate", "an earlier member has the same name"))
    else:
        where[_tidy(shown)] = member
        return _tidy(shown)
    return None


def _tidy(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _check_bytes(size: int) -> None:
    if size > FILE_LIMIT:
        raise ValueError(f"too large: {size:,} bytes, at most {FILE_LIMIT:,} are read")
