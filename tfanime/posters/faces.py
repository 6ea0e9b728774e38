"""The faces that type is set in: four that ship, all under the SIL Open Font License, and files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parent / "fonts"
SHIPPED = {
    "bold": "BebasNeue.ttf",  # narrow capitals, for action
    "classic": "Cinzel.ttf",  # Roman capitals, for romance
    "credits": "LeagueGothic.ttf",  # the narrow type of credits
    "kana": "DelaGothicOne.ttf",  # heavy; Latin letters and kana
}
KANJI = ("matplotlib_fontja", "fonts/ipaexg.ttf")  # of the extra "kanji": IPAex Gothic
MEASURED = 200  # pixels: the size that widths are measured at
JAPANESE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


@dataclass(frozen=True)
class Face:
    """A font file, and how wide and high what it writes is, in parts of its size."""

    path: str

    @cached_property
    def characters(self) -> frozenset[int]:
        """The code points that it has a glyph for."""
        from fontTools.ttLib import TTFont

        with TTFont(self.path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())

    @cached_property
    def capitals(self) -> float:
        """The height of a capital letter, or of a kana where there is none."""
        letter = "H" if ord("H") in self.characters else "ア"
        return -self.at(MEASURED).getbbox(letter, anchor="ls")[1] / MEASURED

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        return _loaded(self.path, size)

    def advances(self, text: str) -> list[float]:
        """How far the pen moves after each character, kerning included, in parts of the size."""
        font = self.at(MEASURED)
        pairs = zip(text, text[1:], strict=False)
        kerned = [font.getlength(a + b) - font.getlength(b) for a, b in pairs]
        return [x / MEASURED for x in [*kerned, font.getlength(text[-1:])]]

    def width(self, text: str, tracking: float = 0.0) -> float:
        """Of a line, in parts of its size; `tracking` is added between letters."""
        return sum(self.advances(text)) + tracking * max(0, len(text) - 1)

    def missing(self, text: str) -> str:
        """The characters that it lacks, each once."""
        lacks = (c for c in text if not c.isspace() and ord(c) not in self.characters)
        return "".join(dict.fromkeys(lacks))

    def draw(
        self, mask: Image.Image, text: str, x: float, baseline: float, size: int, tracking: float
    ) -> None:
        """Writes a line on a mask (mode L), its left end at `x`."""
        pen, font = ImageDraw.Draw(mask), self.at(size)
        for letter, step in zip(text, self.advances(text), strict=True):
            pen.text((x, baseline), letter, fill=255, font=font, anchor="ls")
            x += (step + tracking) * size


@lru_cache(maxsize=64)
def _loaded(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


@lru_cache(maxsize=8)
def _face(path: str) -> Face:
    return Face(path)


def face(name: str | os.PathLike) -> Face:
    """A face that ships, by name, or that of a font file.

    Raises:
        ValueError: for a name that does not ship, or a file that is no font.
    """
    if name in SHIPPED:
        return _face(str(FOLDER / SHIPPED[str(name)]))
    path = os.fspath(name)
    if not os.path.isfile(path):
        raise ValueError(
            f"A font is one of {', '.join(SHIPPED)}, or a font file (.ttf, .otf). "
            f"Received: {path!r}, which is no file."
        )
    try:
        typeface = _face(path)
        typeface.at(12), typeface.characters  # noqa: B018 - reads the file
    except Exception as error:
        raise ValueError(f"A font is a .ttf or .otf file. Received: {path!r} ({error}).") from None
    return typeface


def is_japanese(text: str) -> bool:
    return JAPANESE.search(text) is not None


def _with_kanji() -> Face | None:
    """The face of the extra "kanji", if it is installed; the package itself is not imported."""
    package, file = KANJI
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        if os.path.isfile(path := os.path.join(folder, file)):
            return _face(path)
    return None


def face_for(text: str, font: str | os.PathLike | None, usual: str) -> Face:
    """The face for a text: the one that is wanted, or else `kana` for Japanese and `usual` for the
    rest.

    Raises:
        ValueError: if it lacks a character.
    """
    name = font or ("kana" if is_japanese(text) else usual)
    typeface = face(name)
    lacks, japanese = typeface.missing(text), is_japanese(text)
    if lacks and font is None and japanese:
        other = _with_kanji()
        if other is not None and not other.missing(text):
            return other
    if lacks:
        raise ValueError(
            f"The font must have every character of the text. Received: {text!r}, and "
            f"{os.path.basename(typeface.path)} lacks {lacks!r}. Give a font file that has them: "
            "--font FILE (font=FILE)."
            + (" For kanji, or: pip install '.[kanji]' in a checkout." if japanese else "")
        )
    return typeface
