"""Type set in a box: lines that fit, justified or centred, and vertical Japanese.

Sizes are found by measuring, so that a line never leaves its box. Everything is laid out first, as
`Line`s in pixels, and drawn later on a mask of the final size: type is as sharp as the poster.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from tfanime.posters.calm import Box
from tfanime.posters.faces import Face

SMALLEST = 4  # pixels
LONGEST = 1 / 22  # of the width: a word that would have to be set smaller is broken
MOST_WORDS = 9  # up to which all ways of breaking lines are tried
UNEVEN = 2.2  # a justified line is at most so many times as large as another
SMALL_CAPITALS = 0.66  # of the size of capitals
# Characters that lie on their side in vertical Japanese, and those that move to the upper right.
TURNED = frozenset("ー〜～…‥—–-=「」『』（）()［］【】：:")
RAISED = frozenset("、。，．ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ")


@dataclass(frozen=True)
class Line:
    """A run of text of one size.

    Args:
        text: what it says.
        x, baseline: where its pen starts, in pixels.
        size: of the type, in pixels.
        tracking: added between letters, in parts of the size.
        turned: whether it lies on its side, a quarter turn clockwise about its box.
    """

    face: Face
    text: str
    x: float
    baseline: float
    size: int
    tracking: float = 0.0
    turned: bool = False

    @property
    def width(self) -> float:
        return self.face.width(self.text, self.tracking) * self.size

    def ink(self) -> Box:
        """The pixels that it may touch."""
        left, top, right, bottom = self.face.at(self.size).getbbox(self.text, anchor="ls")
        more = self.tracking * self.size * max(0, len(self.text) - 1)
        if self.turned:
            size = self.size
            return _box(self.x - 1, self.baseline - size, self.x + size + 1, self.baseline + 1)
        x, y = self.x, self.baseline
        return _box(x + left - 1, y + top - 1, x + right + more + 2, y + bottom + 1)

    def draw(self, mask: Image.Image) -> None:
        """Writes it on a mask (mode L)."""
        if not self.turned:
            self.face.draw(mask, self.text, self.x, self.baseline, self.size, self.tracking)
            return
        cell = Image.new("L", (self.size, self.size))
        self.face.draw(cell, self.text, 0, round(0.88 * self.size), self.size, 0)
        cell = cell.transpose(Image.Transpose.ROTATE_270)
        corner = (round(self.x), round(self.baseline - self.size))
        mask.paste(255, (*corner, corner[0] + self.size, corner[1] + self.size), cell)


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)


def extent(lines: Iterable[Line]) -> Box:
    """The box around all that lines may touch."""
    boxes = [line.ink() for line in lines]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def moved(lines: Iterable[Line], right: float, down: float) -> list[Line]:
    return [replace(line, x=line.x + right, baseline=line.baseline + down) for line in lines]


# ---- titles --------------------------------------------------------------------------------------


def block(
    text: str,
    face: Face,
    width: int,
    height: int,
    tracking: float = 0.0,
    justified: bool = False,
    largest: float = math.inf,
    gap: float = 0.2,
) -> list[Line]:
    """Lines in a box of `width` x `height` at (0, 0), as large as they can be, at its top.

    Args:
        text: words; a line break may come at any space.
        tracking: in parts of the size.
        justified: every line is made as wide as the box, by its size; else all have one size and
            are centred.
        largest: size of the type, in pixels, above which no line goes.
        gap: between lines, in parts of the height of a capital.
    """
    best: tuple[float, list[str], list[float]] | None = None
    for rows in _broken(_short(text.split(), face, width, tracking)):
        widths = [face.width(row, tracking) for row in rows]
        if justified:
            sizes = [width / w for w in widths]
            sizes = [min(size, UNEVEN * min(sizes), largest) for size in sizes]
        else:
            sizes = [min(largest, *(width / w for w in widths))] * len(rows)
        tall = face.capitals * (sum(sizes) + gap * sum(sizes[1:]))
        shrunk = min(1.0, height / tall)
        sizes = [size * shrunk for size in sizes]
        filled = sum(size * size * w for size, w in zip(sizes, widths, strict=True))
        if best is None or filled > 1.001 * best[0]:
            best = filled, rows, sizes
    assert best is not None
    _, rows, sizes = best
    for _ in range(200):  # accents and descenders stand out of the box of capitals
        lines = _stacked(rows, face, width, sizes, tracking, gap)
        left, top, right, bottom = extent(lines)
        if (right - left <= width and bottom - top <= height) or max(sizes) <= SMALLEST:
            break
        sizes = [0.99 * size for size in sizes]
    return moved(lines, max(0, -left), -top)


def _short(words: Sequence[str], face: Face, width: int, tracking: float) -> list[str]:
    """Words, those that are too long for a line in parts."""
    room = 1 / LONGEST
    parts = []
    for word in words:
        count = math.ceil(face.width(word, tracking) / room)
        step = math.ceil(len(word) / count)
        parts += [word[i : i + step] for i in range(0, len(word), step)]
    return parts


def _broken(words: Sequence[str]) -> Iterable[list[str]]:
    """Ways to break words into lines; of many words, those of lines of even length."""
    if len(words) <= MOST_WORDS:
        for count in range(len(words)):
            for cuts in itertools.combinations(range(1, len(words)), count):
                ends = [0, *cuts, len(words)]
                pairs = zip(ends, ends[1:], strict=False)
                yield [" ".join(words[a:b]) for a, b in pairs]
        return
    for count in range(2, min(len(words), 9) + 1):
        yield even(words, count)


def even(words: Sequence[str], count: int) -> list[str]:
    """Words in `count` lines or fewer, of about as many letters each."""
    total = sum(map(len, words)) + len(words) - 1
    lines, line = [], ""
    for word in words:
        longer = f"{line} {word}".strip()
        if line and len(lines) < count - 1 and len(longer) - len(word) / 2 > total / count:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _stacked(
    rows: Sequence[str], face: Face, width: int, sizes: Sequence[float], tracking: float, gap: float
) -> list[Line]:
    lines, y = [], 0.0
    for i, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        whole = max(SMALLEST, math.floor(size))
        y += face.capitals * size * (1 if i == 0 else 1 + gap)
        x = (width - face.width(row, tracking) * whole) / 2
        lines.append(Line(face, row, x, y, whole, tracking))
    return lines


def column(text: str, face: Face, width: int, height: int, largest: float) -> list[Line]:
    """Vertical Japanese in a box of `width` x `height` at (0, 0): columns from right to left, as
    large as they can be, at its right."""
    words, letters = text.split(), text.replace(" ", "")
    ways = [["".join(words)], words] + [
        [letters[i : i + n] for i in range(0, len(letters), n)]
        for n in {math.ceil(len(letters) / k) for k in range(1, 9)}
    ]
    best: tuple[float, list[str]] = (0.0, [letters])
    for ways_columns in ways:
        longest = max(map(len, ways_columns))
        size = min(largest, height / longest, width / (1.25 * len(ways_columns) - 0.25))
        if size > 1.001 * best[0]:
            best = size, ways_columns
    size = max(SMALLEST, math.floor(0.97 * best[0]))
    lines = []
    for i, letters in enumerate(best[1]):
        left = width - size * (1 + 1.25 * i)
        for j, letter in enumerate(letters):
            lift = 0.12 * size if letter in RAISED else 0.0
            inset = (size - face.width(letter) * size) / 2
            turned = letter in TURNED
            x = left + (0 if turned else inset + lift)
            baseline = size * (j + (1.0 if turned else 0.88)) - lift
            lines.append(Line(face, letter, x, baseline, size, 0.0, turned))
    return lines


# ---- credits -------------------------------------------------------------------------------------


def credits(text: str, face: Face, width: int, height: int, size: float) -> list[Line]:
    """The credits of a film poster, centred in a box of `width` x `height` at (0, 0), at its top.

    All is set in capitals: a word that is typed with a capital is a name and set large, one in
    small letters ("directed by") in small capitals.

    Args:
        size: of the type in pixels, made smaller until all fits.
    """
    while True:
        rows = _wrapped(text, face, width, size)
        lines = _credit_lines(rows, face, width, size)
        left, top, right, bottom = extent(lines)
        fits = bottom - top <= height and right - left <= width
        if fits or size <= SMALLEST:
            return moved(lines, 0, -top)
        size = max(SMALLEST, 0.94 * size)


TRACKING = 0.02  # of credits
SPACE, APART = 0.28, 0.75  # between words, and between one credit and the next, in parts of a size


def units(text: str) -> list[list[str]]:
    """Words of each credit: one begins at a small word that follows a name, "directed by"."""
    groups: list[list[str]] = [[]]
    for word in text.split():
        if groups[-1] and word[:1].islower() and not groups[-1][-1][:1].islower():
            groups.append([])
        groups[-1].append(word)
    return groups


def _width(credit: Sequence[str], face: Face, size: float) -> float:
    pieces = _pieces(credit, face, size)
    return sum(w for *_, w in pieces) + SPACE * size * (len(pieces) - 1)


def _pieces(words: Sequence[str], face: Face, size: float) -> list[tuple[str, int, float]]:
    """Text, size and width of each word of credits."""
    pieces = []
    for word in words:
        small = word[:1].islower()
        whole = max(4, math.floor(size * (SMALL_CAPITALS if small else 1)))
        text = _capitals(word, face)
        pieces.append((text, whole, face.width(text, TRACKING) * whole))
    return pieces


def _capitals(word: str, face: Face) -> str:
    upper = word.upper()
    return word if face.missing(upper) else upper


def _wrapped(text: str, face: Face, width: int, size: float) -> list[list[list[str]]]:
    """Credits in as few lines as the width allows, of about equal length; one that is wider than
    a line is broken at its words."""
    credits: list[list[str]] = []
    words = " ".join(_short(text.split(), face, width, TRACKING))
    for credit in units(words):
        wide = _width(credit, face, size) > width
        credits += [[word] for word in credit] if wide else [credit]
    widths = [_width(credit, face, size) for credit in credits]
    total = sum(widths) + APART * size * (len(credits) - 1)
    target = total / max(1, math.ceil(total / (0.96 * width)))
    rows: list[list[list[str]]] = [[]]
    filled = 0.0
    for credit, w in zip(credits, widths, strict=True):
        longer = filled + (APART * size if rows[-1] else 0) + w
        if rows[-1] and (longer > width or longer - w / 2 > target):
            rows.append([])
            longer = w
        rows[-1].append(credit)
        filled = longer
    return rows


def _credit_lines(
    rows: Sequence[Sequence[Sequence[str]]], face: Face, width: int, size: float
) -> list[Line]:
    lines = []
    for i, row in enumerate(rows):
        total = sum(_width(credit, face, size) for credit in row)
        x = (width - total - APART * size * (len(row) - 1)) / 2
        baseline = face.capitals * size * (1 + 1.5 * i)
        for credit in row:
            for text, whole, w in _pieces(credit, face, size):
                lines.append(Line(face, text, x, baseline, whole, TRACKING))
                x += w + SPACE * size
            x += (APART - SPACE) * size
    return lines
