"""What zips and tars list, within limits: members by their names, and where their bytes are.

A compressed tar, which cannot be read in any order, is unpacked once into a temporary file without
a name.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from tfanime.core import disk
from tfanime.core.files import is_litter
from tfanime.prepare.check import Rejected

FILE_LIMIT = 256 * 2**20  # bytes of one image file, unpacked
# Bytes that a compressed tar may unpack to: so many times its own size, and some more. Images are
# compressed already; BMPs of drawings shrink to a tenth.
EXPANSION, SLACK = 32, 128 * 2**20
HEADER_LIMIT = 2**20  # bytes of a long name in a tar
XZ_MEMORY = 256 * 2**20  # `xz -9` needs a quarter
BLOCK = 2**18


def readable(name: str) -> str:
    """Names may hold bytes that are no text (from another encoding); JSON cannot."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def opened_zip(path: Path) -> zipfile.ZipFile:
    """A zip whose list of files can be read; ValueError if it cannot."""
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # in many ways
        disk.check(error, path)
        raise ValueError(
            f"A zip has a list of its files at its end. Received: {str(path)!r}, whose list is "
            f"damaged ({first_line(error)}). Fetch it again, or repair it with `zip -FF`."
        ) from error


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


def is_tar(path: Path) -> bool:
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


def tar_index(
    path: Path, file: BinaryIO, scratch: BinaryIO, rejected: list[Rejected]
) -> tuple[dict[str, tuple[BinaryIO, int, int]], bool]:
    """Where each member's bytes are: a file, their first one and how many; and whether the archive
    is whole.

    Those of a compressed tar are copied into `scratch`, unless they are too many for an image.
    """
    most = EXPANSION * os.stat(path).st_size + SLACK
    stream = _stream(path, file)
    opener = stream is not file
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
                name = take_member(members, rejected, member.name, member, link)
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


def count_files(path: Path, enough: int) -> int:
    """How many files a tar holds; no further than `enough` of them, so that little of a large one
    is read and nothing is written."""
    count, total, most = 0, 0, EXPANSION * os.stat(path).st_size + SLACK
    header = type("Member", (_Member,), {})
    with open(path, "rb") as file:
        stream = _stream(path, file)
        mode = "r:" if stream is file else "r|"
        try:
            with tarfile.open(fileobj=stream, mode=mode, tarinfo=header, bufsize=BLOCK) as archive:
                for member in archive:
                    count += member.isfile() and not is_litter(member.name)
                    if stream is not file:
                        total += member.size
                        _check_total(path, total, most)
                    if count >= enough:
                        break
        except (tarfile.TarError, OSError) as error:
            disk.check(error, path)
    return count


def _stream(path: Path, file: BinaryIO) -> BinaryIO | _Unpacked:
    """What a tar consists of, unpacked if it is compressed: then it can only be read on."""
    start = file.read(8)
    file.seek(0)
    opener = next((o for signature, o in DECOMPRESSORS if start.startswith(signature)), None)
    return _Unpacked(opener(file), path) if opener else file


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


def take_member(
    where: dict, rejected: list[Rejected], name: str, member: object, link: bool
) -> str | None:
    """Accepts a member of an archive and returns its tidy name, or lists why not."""
    if is_litter(name):
        return None
    parts = re.split(r"[/\\]", name)
    title = readable(name)
    if link:
        rejected.append(Rejected(title, "link", "links in archives are not followed"))
    elif name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts:
        rejected.append(Rejected(title, "points outside", "refused, nothing was read"))
    elif not _tidy(title):
        rejected.append(Rejected(title, "not a picture", "a member without a name"))
    elif _tidy(title) in where:
        rejected.append(Rejected(title, "duplicate", "an earlier member has the same name"))
    else:
        where[_tidy(title)] = member
        return _tidy(title)
    return None


def _tidy(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def first_line(error: BaseException) -> str:
    """What an error says, in one line without a full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def check_bytes(size: int) -> None:
    """Raises ValueError for a file of more than `FILE_LIMIT` bytes."""
    if size > FILE_LIMIT:
        raise ValueError(f"too large: {size:,} bytes, at most {FILE_LIMIT:,} are read")
