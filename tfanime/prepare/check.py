"""Deciding whether one file becomes an image of the set, and saying why not.

A refusal is a `ValueError` whose message reads `"REASON: detail"`; `Rejected` keeps the two
apart, so that a list can be summed up by reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tfanime.core import images
from tfanime.core.decode import opened_image
from tfanime.core.printing import plain

HASH_SIDE = 16  # rows and columns of the perceptual hash, one bit each
# Images whose hashes differ in at most this many bits are near duplicates. On real faces of
# 64x64, recompressing at quality 60 or passing through 48x48 changes 21 bits or fewer in 99 % of
# cases, and pairs up to 40 bits apart that we looked at were still the same drawing.
NEAR_BITS = 24
_BITS_OF_BYTE = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)


@dataclass(frozen=True)
class Rejected:
    """One file or one line of a label table that is left out.

    Args:
        file: name of the image, or of the archive or table the trouble is in.
        reason: a few words shared by all such cases, for example `"damaged"`.
        detail: what exactly was found.
        row: line of the table, counted from 1 with the header, where there is one.
    """

    file: str
    reason: str
    detail: str = ""
    row: int | None = None

    @classmethod
    def because(cls, file: str, error: ValueError | str, row: int | None = None) -> Rejected:
        """From an error that reads `"REASON: detail"`."""
        reason, _, detail = str(error).partition(": ")
        return cls(file, reason, detail, row)

    def __str__(self) -> str:
        where = self.file if self.row is None else f"{self.file} (line {self.row})"
        return plain(f"{where}: {self.reason}" + (f": {self.detail}" if self.detail else ""))

    def to_json(self) -> dict:
        document = {
            "file": self.file,
            "reason": self.reason,
            "detail": self.detail,
            "row": self.row,
        }
        return {key: value for key, value in document.items() if value not in ("", None)}


def summary(rejected: Iterable[Rejected]) -> list[str]:
    """One line a reason, the commonest first: `"damaged: 3 (a.png, b.png, c.png)"`."""
    reasons: dict[str, list[Rejected]] = {}
    for one in rejected:
        reasons.setdefault(one.reason, []).append(one)
    lines = []
    for reason, files in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        named = ", ".join(f.file if f.row is None else f"{f.file} line {f.row}" for f in files[:3])
        more = ", ..." if len(files) > 3 else ""
        lines.append(plain(f"{reason}: {len(files):,} ({named}{more})"))
    return lines


def check_picture(
    data: bytes,
    height: int,
    width: int,
    mode: str = "crop",
    focus: tuple[float, float] = (0.5, 0.5),
    smallest: int = 0,
) -> np.ndarray:
    """Decodes, checks and fits the bytes of one file.

    Args:
        data: the whole file.
        height, width, mode, focus: as in `images.fit`.
        smallest: images whose shorter side has fewer pixels are refused.

    Returns:
        `(height, width, 3)` uint8.

    Raises:
        ValueError: `"REASON: detail"`.
    """
    with opened_image(data) as picture:
        if min(picture.size) < smallest:
            raise ValueError(
                f"too small: {picture.width} x {picture.height}, at least {smallest} wanted"
            )
        return np.asarray(images.fit(picture, height, width, mode, focus))


def difference_hash(picture: np.ndarray) -> np.ndarray:
    """Perceptual hash: is each cell of a 16 x 17 grey thumbnail darker than its right neighbour?

    It survives recompression, resizing and changes of brightness or contrast.

    Args:
        picture: `(H, W, 3)` uint8.

    Returns:
        `(4,)` uint64, 256 bits.
    """
    grey = Image.fromarray(picture).convert("L")
    small = grey.resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    values = np.asarray(small, np.int16)
    return np.packbits(values[:, 1:] > values[:, :-1]).view(np.uint64)


def differing_bits(hashes: np.ndarray, code: np.ndarray) -> np.ndarray:
    """In how many bits each column of `hashes` (4, n) uint64 differs from `code` (4,): `(n,)`."""
    differing = np.ascontiguousarray(hashes ^ code[:, None])
    if hasattr(np, "bitwise_count"):  # NumPy 2
        return np.bitwise_count(differing).sum(axis=0, dtype=np.int64)
    counts = _BITS_OF_BYTE[differing.view(np.uint8)]
    return counts.reshape(*differing.shape, 8).sum(axis=(0, 2), dtype=np.int64)


class Duplicates:
    """Remembers the images kept so far and recognises them when they come again.

    Exact duplicates are compared by the SHA-256 of the fitted pixels: two files that would be
    stored as the same bytes are one training image, whatever they were stored in.

    Args:
        near: also recognise near duplicates, by `difference_hash`.
        bits: largest number of differing bits of a near duplicate.
    """

    def __init__(self, near: bool = False, bits: int = NEAR_BITS):
        self.near, self.bits = near, bits
        self._names: list[str] = []
        self._digests: dict[bytes, str] = {}
        self._hashes = np.empty((4, 1024), np.uint64)  # columns: summing rows is fast

    def check(self, name: str, picture: np.ndarray) -> None:
        """Remembers `picture` `(H, W, 3)` uint8 under `name`, or raises ValueError naming the
        earlier file that it repeats."""
        digest = hashlib.sha256(np.ascontiguousarray(picture)).digest()
        if digest in self._digests:
            raise ValueError(f"duplicate: same pixels as {self._digests[digest]}")
        if self.near:
            self._check_near(picture)
        self._digests[digest] = name
        self._names.append(name)

    def _check_near(self, picture: np.ndarray) -> None:
        count, code = len(self._names), difference_hash(picture)
        if count:
            differing = differing_bits(self._hashes[:, :count], code)
            closest = int(differing.argmin())
            if differing[closest] <= self.bits:
                raise ValueError(
                    f"near duplicate: {differing[closest]} of {HASH_SIDE**2} hash bits away "
                    f"from {self._names[closest]}"
                )
        if count == self._hashes.shape[1]:
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)], axis=1)
        self._hashes[:, count] = code
