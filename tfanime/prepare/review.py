"""For looking through crops by eye: contact sheets, and a page on which bad crops are clicked.

Both show the faces that few windows of the detector agreed on first: what is no face is nearly
always among them.
"""

from __future__ import annotations

import html
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from tfanime.core.files import write_text
from tfanime.core.images import save_image

TILE, CAPTION, COLUMNS, ROWS = 96, 14, 10, 8


@dataclass(frozen=True)
class Face:
    """One face that was found.

    Args:
        crop: name of its file, without `.png`; also given to those that are not kept.
        left, top, side, height: what is cut, in pixels of the image; `side` is its width.
        box: side of the detector's own box, before zooming out.
        votes: see `detect.Box`.
        sharpness: see `sharpness`.
        state: `"kept"`, `"at the border"`, `"too small"`, `"not sharp"` or `"cut already"`: two
            faces that fill their image give the same crop.
    """

    crop: str
    left: int
    top: int
    side: int
    height: int
    box: int
    votes: int
    sharpness: float
    state: str = "kept"


PAGE = """\
<!doctype html>
<meta charset="utf-8">
<title>Review of face crops</title>
<style>
body {{ font: 14px sans-serif; margin: 1em }}
img {{ width: 96px; margin: 2px; cursor: pointer }}
img.bad {{ outline: 3px solid #c00; opacity: .4 }}
aside {{ position: sticky; top: 0; background: #fff; padding: .5em 0 }}
</style>
<aside>
<b>{count} crops, the doubtful ones first.</b> Click what is no face,
<button>save reject.txt</button> in this folder, and run the same command again.
Rejected: <span></span>
</aside>
<main>
{tiles}
</main>
<script>
const bad = () => [...document.querySelectorAll("img.bad")].map(one => one.id);
const show = () => document.querySelector("span").textContent = bad().length;
document.querySelector("main").onclick = event => {{
  if (event.target.id) event.target.classList.toggle("bad");
  show();
}};
document.querySelector("button").onclick = () => {{
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bad().map(name => name + "\\n").join("")]));
  link.download = "reject.txt";
  link.click();
}};
show();
</script>
"""


def write_review(
    out: str | os.PathLike, faces: Iterable[tuple[str, Face]], rejected: set[str]
) -> None:
    """Writes `sheets/` and `review.html` into `out`.

    Args:
        out: the folder, with the crops in `crops/` and those of `rejected` in `rejected/`.
        faces: the name of the image and the face, of every crop.
        rejected: names of the crops that are rejected; the page shows them crossed out, the
            sheets leave them out.
    """
    out = Path(out)
    doubtful = sorted(faces, key=lambda pair: (pair[1].votes, pair[1].crop))
    tiles = "\n".join(_tile(file, face, face.crop in rejected) for file, face in doubtful)
    write_text(out / "review.html", PAGE.format(count=f"{len(doubtful):,}", tiles=tiles))
    shutil.rmtree(out / "sheets", ignore_errors=True)
    names = [face.crop for _, face in doubtful if face.crop not in rejected]
    each = COLUMNS * ROWS
    for start in range(0, len(names), each):
        sheet = contact_sheet(out / "crops", names[start : start + each])
        save_image(out / "sheets" / f"{start // each:04d}.png", sheet)


def contact_sheet(crops: Path, names: Sequence[str]) -> np.ndarray:
    """Crops of one folder side by side with their names below: `(h, w, 3)` uint8."""
    rows = -(-len(names) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (TILE + 4), rows * (TILE + CAPTION + 4)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, name in enumerate(names):
        left, top = i % COLUMNS * (TILE + 4) + 2, i // COLUMNS * (TILE + CAPTION + 4) + 2
        with Image.open(crops / f"{name}.png") as crop:
            sheet.paste(ImageOps.contain(crop, (TILE, TILE), Image.Resampling.LANCZOS), (left, top))
        draw.text((left, top + TILE), name, fill="black", font=font)
    return np.asarray(sheet)


def _tile(file: str, face: Face, rejected: bool) -> str:
    place = "rejected" if rejected else "crops"
    title = html.escape(f"{file}: {face.votes} votes, sharpness {face.sharpness:g}", quote=True)
    mark = ' class="bad"' if rejected else ""
    return (
        f'<img id="{face.crop}"{mark} src="{place}/{face.crop}.png" title="{title}" '
        'loading="lazy" alt="">'
    )
