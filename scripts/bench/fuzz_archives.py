"""Archives: members that point outside, links, devices, doubles, bombs, and damage."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from fuzz_common import damaged, peak, verdict
from PIL import Image

from tfanime.prepare.pack import pack

SECRET = b"nobody reads this"
MEMORY = 2000  # MiB
BOMB = 300 * 2**20  # bytes of zeros in one member: more than an image's file may have
NAMES = (
    "../out.png", "a/../../out.png", "/tmp/tfanime-fuzz-out.png", "C:\\out.png", "..\\out.png",
    "a//b.png", "./a.png", "a.png/", "a\0b.png", "\x1b[2J.png", "a\nb.png", "x" * 300 + ".png",
    "dataset.json", "__MACOSX/._a.png", ".DS_Store", "\udcff.png", "con.png", "",
)  # fmt: skip


def run(random: Random, folder: Path) -> Iterator[str]:
    secret = folder / "secret.png"
    secret.write_bytes(SECRET)
    good = {f"{i}.png": _picture(i) for i in range(3)}
    tried = 0
    while True:
        tried += 1
        inside = folder / "inside"
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        kind = random.choice(("zip", "tar", "tar.gz", "tar.xz"))
        path = inside / f"set.{kind}"
        bomb = random.random() < 0.05
        many = random.random() < 0.05
        (_zip if kind == "zip" else _tar)(path, good, random, secret, bomb, many)
        sound = random.random() < 0.6
        if not sound:
            path.write_bytes(damaged(path.read_bytes(), random))
        before = _all(folder)
        problem = verdict(
            lambda path=path, sound=sound: _pack(path, path.parent / "out", sound), slow=60
        )
        shutil.rmtree(inside / "out", ignore_errors=True)
        appeared = sorted(_all(folder) - before)
        if not problem and appeared:
            problem = f"files appeared: {appeared[:3]}"
        if not problem and peak() > MEMORY:
            problem = f"{peak():,} MiB of memory"
        yield problem and f"{kind}{', a bomb' * bomb}{', many' * many}: {problem}"


def _pack(path: Path, out: Path, sound: bool) -> None:
    data = pack(path, out, size=8, progress=False)
    if sound and len(data) < 3:
        raise AssertionError(f"{len(data)} of the 3 sound pictures")
    for file in out.iterdir():
        if SECRET in file.read_bytes():
            raise AssertionError("a link was followed")


def _all(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*")} | {
        name for name in ("/tmp/tfanime-fuzz-out.png", "/tmp/out.png") if os.path.exists(name)
    }


def _picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def _members(good: dict, random: Random, many: bool) -> list[tuple[str, bytes]]:
    found = [(random.choice(NAMES), random.choice((b"", b"x", _picture(9)))) for _ in range(6)]
    if many:
        found += [(f"many/{i}", b"") for i in range(20_000)]
    found += list(good.items())
    random.shuffle(found)
    return found


def _zip(path: Path, good: dict, random: Random, secret: Path, bomb: bool, many: bool) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _members(good, random, many):
            info = zipfile.ZipInfo("placeholder")
            info.filename = name.encode("utf-8", "replace").decode()  # ZipInfo would tidy it
            archive.writestr(info, data)
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(secret))
        if bomb:
            with archive.open("bomb.png", "w", force_zip64=True) as member:
                for _ in range(BOMB // 2**20):
                    member.write(bytes(2**20))


def _tar(path: Path, good: dict, random: Random, secret: Path, bomb: bool, many: bool) -> None:
    packing = path.suffix.removeprefix(".").replace("tar", "")
    with tarfile.open(path, f"w:{packing}") as archive:
        for name, data in _members(good, random, many):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"special{kind.decode()}.png")
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        if bomb:
            info = tarfile.TarInfo("bomb.png")
            info.size = BOMB
            archive.addfile(info, _Zeros(BOMB))


class _Zeros(io.RawIOBase):
    def __init__(self, size: int):
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.left)
        buffer[:count] = bytes(count)
        self.left -= count
        return count
