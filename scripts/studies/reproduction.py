"""What the four `reproduce_seed_*.py` share: figures measured once, and blocks of a report.

A script measures into a folder and shows what it found as named blocks of Markdown. The folder gets
`results.json` (what was measured, so that a second call only shows it), `section.md` and the
images. With `--report FILE` the blocks also go into FILE, each in place of what stands between
its two marks,

    <!-- b.precision -->
    <!-- end -->

and the images into `images/` beside FILE. What people wrote around the marks stays.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.files import atomic_path, read_json, write_json, write_text

PICTURES = "PICTURES/"  # stands in blocks for the folder of the images
LARGEST = 400_000  # bytes of an image
MARK = "<!-- {} -->"
END = "<!-- end -->"


class Notebook:
    """One seed's results.

    Args:
        seed: one letter; blocks are `a.name`, images `reproduction_a_name.webp`.
        out: folder for `results.json`, `section.md` and the images.
        report: Markdown file whose blocks are replaced, or None.
    """

    def __init__(self, seed: str, out: Path, report: Path | None = None):
        self.seed, self.out, self.report = seed, Path(out), report
        self.file = self.out / "results.json"
        self.stored: dict = read_json(self.file) if self.file.exists() else {}
        self.blocks: dict[str, str] = {}

    def once(self, name: str, measure: Callable[[], object], *what: object):
        """What `measure` returns, JSON-ready, computed again only when `what` has changed."""
        stamp = [str(one) for one in what]
        if self.stored.get(name, {}).get("of") != stamp:
            self.stored[name] = {"of": stamp, "found": measure()}
            write_json(self.file, self.stored)
        return self.stored[name]["found"]

    def picture(self, name: str, picture: np.ndarray | str | Path, caption: str) -> str:
        """Keeps an image of at most `LARGEST` bytes; returns the Markdown that shows it.

        Args:
            name: of the file, without ending.
            picture: `(H, W, 3)` uint8, or an image file.
            caption: text for those who do not see it.
        """
        if not isinstance(picture, np.ndarray):
            with Image.open(picture) as opened:
                picture = np.asarray(opened.convert("RGB"))
        file = self.out / f"reproduction_{self.seed}_{name}.webp"
        with atomic_path(file) as temporary:
            temporary.write_bytes(small_webp(picture))
        return f"![{caption}]({PICTURES}{file.name})"

    def block(self, name: str, *lines: str) -> None:
        self.blocks[f"{self.seed}.{name}"] = "\n".join(lines)

    def write(self) -> None:
        """Writes `section.md`, and the blocks and images of the report."""
        shown = [f"## {name}\n\n{text}\n" for name, text in self.blocks.items()]
        write_text(self.out / "section.md", "\n".join(shown).replace(PICTURES, ""))
        if self.report is not None:
            blocks = {name: x.replace(PICTURES, "images/") for name, x in self.blocks.items()}
            write_text(self.report, filled(self.report.read_text(encoding="utf-8"), blocks))
            for name in re.findall(rf"{PICTURES}([\w.]+)", "\n".join(self.blocks.values())):
                with atomic_path(self.report.parent / "images" / name) as temporary:
                    temporary.write_bytes((self.out / name).read_bytes())


def filled(report: str, blocks: dict[str, str]) -> str:
    """The report with the blocks in their places.

    Raises:
        ValueError: if the report has no place for a block.
    """
    for name, text in blocks.items():
        mark = MARK.format(name)
        parts = re.split(rf"{re.escape(mark)}\n(?s:.*?){re.escape(END)}", report)
        if len(parts) != 2:
            raise ValueError(
                f"A report has one place for each block, {mark!r} and below it {END!r}. "
                f"Received: {len(parts) - 1} of them."
            )
        report = f"{mark}\n{text}\n{END}".join(parts)
    return report


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; None is an empty cell, and numbers are shown with `number`."""
    cells = [[x if isinstance(x, str) else number(x) for x in row] for row in rows]
    lines = [list(columns), ["---"] * len(columns), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | int | None) -> str:
    """Three figures or so, as people write them."""
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if value else "0"


def small_webp(picture: np.ndarray) -> bytes:
    """`(H, W, 3)` uint8 as a WebP file of at most `LARGEST` bytes."""
    shown = Image.fromarray(picture)
    for quality in (80, 70, 60, 40):
        file = io.BytesIO()
        shown.save(file, "WEBP", quality=quality, method=6)
        if len(file.getvalue()) <= LARGEST:
            return file.getvalue()
    return small_webp(np.asarray(shown.resize((shown.width // 2, shown.height // 2))))


def rows_of(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Sets of images, each a row of a sheet; smaller ones are doubled until they fit."""
    from tfanime.core.images import grid

    side = max(one.shape[2] for one in pictures)
    same = [larger(one, side) for one in pictures]
    return grid(np.concatenate(same), columns=len(same[0]))


def larger(pictures: np.ndarray, side: int = 64) -> np.ndarray:
    """`(n, H, W, 3)` with every pixel repeated until the width is `side`; not below that."""
    times = max(1, side // pictures.shape[2])
    return pictures.repeat(times, axis=1).repeat(times, axis=2)


def parser(document: str, out: str) -> argparse.ArgumentParser:
    """With the options that all four scripts have."""
    made = argparse.ArgumentParser(description=document.splitlines()[0])
    made.add_argument("--out", type=Path, default=Path(out), help=f"default: {out}")
    made.add_argument("--report", type=Path, help="Markdown file whose blocks are replaced")
    made.add_argument("--mobilenet", metavar="FILE", help="MobileNetV2 as a TFLite file")
    return made


def call(made: argparse.ArgumentParser, work: Callable[[argparse.Namespace], None]) -> None:
    """Parses and works; a user's mistake is one sentence."""
    options = made.parse_args()
    try:
        work(options)
    except (ValueError, OSError) as error:
        made.error(str(error))


def extractors(mobilenet: str | None) -> list[str]:
    """The features to measure with: the tagger's, and MobileNetV2's where there is a file."""
    return ["tagger", *([f"mobilenet:{mobilenet}"] if mobilenet else [])]
