"""Cutting the faces out of images, with everything that is left out counted and kept in view.

crops/0a1b2c3d4e5f.png    one crop a face; the name is a hash of source, place and size
crops.csv                 every face found: where, how sharp, kept or why not
labels.csv                labels of the images, one row a crop, where some were given
reject.txt                names of crops that are none; yours to edit, kept on every re-run
rejected/                 those crops, out of the way but not lost
sheets/, review.html      for finding them by eye, the doubtful ones first
journal.jsonl             what is done already, so that the same command continues
manifest.json             counts at every filter
"""

from __future__ import annotations

import csv
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from tfanime.core import disk
from tfanime.core.choices import BORDERS
from tfanime.core.files import atomic_path, write_csv
from tfanime.core.images import parse_size
from tfanime.core.manifest import UNKNOWN_LICENCE, Manifest, Step
from tfanime.prepare.check import Rejected, summary
from tfanime.prepare.detect import CascadeDetector, cascade_file
from tfanime.prepare.face_journal import REJECT, TABLE, Searched, begin
from tfanime.prepare.face_search import Detector, one_thread_each, search_all
from tfanime.prepare.review import Face, write_review
from tfanime.prepare.sources import open_source, pictures_in
from tfanime.prepare.table import Table, read_table
from tfanime.prepare.table_labels import finder

LABELS = "labels.csv"
VERSION = 2  # of what decides the crops
RANGES = {
    "zoom": (0.5, 4),
    "middle": (0, 1),
    "smallest": (1, 4096),
    "sharpness": (0, 1e9),
    "enlarge": (0.25, 8),
    "neighbours": (1, 1000),
}


@dataclass(frozen=True)
class FaceCrops:
    """What `crop_faces` made: the folder `crops`, how many are in it, and the manifest."""

    crops: Path
    count: int
    manifest: Manifest
    unusable: list[Rejected] = field(default_factory=list)


def crop_faces(
    source: str | os.PathLike,
    out: str | os.PathLike,
    cascade: str | os.PathLike | None = None,
    zoom: float = 1.5,
    border: str = "reflect",
    smallest: int = 64,
    sharpness: float = 0.0,
    enlarge: float = 1.0,
    neighbours: int = 5,
    shape: int | str | tuple[int, int] = "1x1",
    middle: float = 0.5,
    labels: str | os.PathLike | None = None,
    licence: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
    detector: Detector | None = None,
) -> FaceCrops:
    """Finds faces and writes them as crops, squares by default. The CLI's `tfanime prepare faces`.

    Stopped at any moment, the same call continues; so it does after images were added. A crop
    named in `reject.txt` is moved to `rejected/`, and back when its line is gone.

    Args:
        source: a folder, zip, tar or CSV of paths, as for `pack`; also one that `tfanime collect`
            wrote.
        out: folder to write. One that has other settings is refused.
        cascade: file of the cascade; by default fetched once, see `detect.cascade_file`.
        zoom: width of the crop per side of the detected box. MakeGirlsMoe took 1.5.
        border: crops that reach over the edge of the image are filled by mirroring
            (`"reflect"`), moved into the image and made smaller if need be (`"shift"`), or left
            out (`"refuse"`).
        smallest: leave out crops whose shorter side has fewer pixels.
        sharpness: leave out crops with a smaller variance of the Laplacian (see `sharpness` in
            this module); 0 keeps all.
        enlarge: search the image enlarged so many times: 2 finds faces of half the size, and
            takes four times as long. Crops are cut from the image as it is.
        neighbours: see `detect.CascadeDetector`.
        shape: of the crop, `"2x3"` (WIDTHxHEIGHT) or (height, width): only their ratio counts.
        middle: how far down the crop the middle of the box is, 0 (top) to 1.
        labels: CSV of labels of the images; `labels.csv` has them for the crops.
        licence: note for the manifest; by default that of the source's own manifest.
        overwrite: begin anew where `out` has other settings. `reject.txt` stays.
        progress: show a progress bar.
        detector: used instead of the cascade.

    Raises:
        ValueError: for wrong arguments, an `out` that holds something else, or no image at all.
        ImportError: without OpenCV.
        OSError: if the cascade has to be fetched and cannot be.
    """
    source, out = Path(source), Path(out)
    _check(
        border, zoom=zoom, middle=middle, smallest=smallest, sharpness=sharpness, enlarge=enlarge,
        neighbours=neighbours,
    )  # fmt: skip
    height, width = parse_size(shape)
    common = math.gcd(height, width)
    table = None if labels is None else read_table(labels)
    with open_source(pictures_in(source)) as opened, one_thread_each(detector):
        if detector is None:
            detector = CascadeDetector(cascade_file(cascade), neighbours)
        settings = {
            "zoom": float(zoom),
            "shape": [width // common, height // common],
            "middle": float(middle),
            "border": border,
            "smallest": smallest,
            "sharpness": float(sharpness),
            "enlarge": float(enlarge),
            "neighbours": neighbours,
            "detector": getattr(detector, "sha256", type(detector).__name__),
            "version": VERSION,
        }
        before = begin(out, settings, overwrite)
        with disk.checked(out):
            searches = search_all(opened, out, settings, before, detector, progress)
        unusable = [*opened.rejected]
    if not searches and not unusable:
        raise ValueError(f"Faces are found in images. Received: {str(source)!r}, without any.")
    unusable += [Rejected.because(one.file, one.problem) for one in searches if one.problem]
    rejected, strangers = _sort_out(out, searches)
    manifest = _manifest(source, settings, searches, unusable, rejected, licence)
    _write_table(out / TABLE, searches, rejected)
    if table is None:
        (out / LABELS).unlink(missing_ok=True)
    else:
        _write_labels(out / LABELS, table, searches, rejected)
    write_review(out, [(one.file, face) for one in searches for face in one.kept()], rejected)
    manifest.write(out)
    for line in summary(unusable):
        print(f"left out, {line}", file=sys.stderr)
    if strangers:
        print(
            f"{out / REJECT} names {len(strangers):,} crops that are not here "
            f"({', '.join(sorted(strangers)[:3])}{', ...' if len(strangers) > 3 else ''})",
            file=sys.stderr,
        )
    return FaceCrops(out / "crops", manifest.count, manifest, unusable)


def _check(border: str, **numbers: float) -> None:
    if border not in BORDERS:
        raise ValueError(f"border is one of {', '.join(BORDERS)}. Received: {border!r}.")
    for name, value in numbers.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{name} is a number from {low} to {high:g}. Received: {value!r}.")


def _sort_out(out: Path, searches: list[Searched]) -> tuple[set[str], set[str]]:
    """Moves crops where they belong: those of `reject.txt` to `rejected/`, the others back.

    Crops of images that are gone from the source are deleted.

    Returns:
        The names of the rejected crops, and the names in `reject.txt` that are no crops.
    """
    listed = read_rejects(out / REJECT)
    crops = {face.crop for one in searches for face in one.kept()}
    for place, other, move in (
        ("crops", "rejected", listed),
        ("rejected", "crops", crops - listed),
    ):
        for path in (out / place).glob("*.png"):
            if path.stem not in crops:
                path.unlink()
            elif path.stem in move:
                path.replace(out / other / path.name)
    return listed & crops, listed - {face.crop for one in searches for face in one.faces}


def read_rejects(path: Path) -> set[str]:
    """The names in a reject list: one a line, `.png` or not, `#` begins a comment."""
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    names = (line.split("#")[0].strip() for line in text.splitlines())
    return {Path(name).name.removesuffix(".png").lower() for name in names if name}


def _manifest(
    source: Path,
    settings: dict,
    searches: list[Searched],
    unusable: list[Rejected],
    rejected: set[str],
    licence: str | None,
) -> Manifest:
    name, before = source.resolve().name, Manifest.find(source)
    usable = [one for one in searches if not one.problem]

    def state(face: Face) -> str:
        return "rejected by hand" if face.crop in rejected else face.state

    faces = [face for one in searches for face in one.faces]
    return Manifest(
        name=f"faces in {name}",
        source=name,
        licence=licence or (before.licence if before else UNKNOWN_LICENCE),
        steps=(
            Step("pictures", len(usable), dict(Counter(one.reason for one in unusable))),
            _step("pictures searched", usable, lambda one: "" if one.faces else "no face found"),
            _step("faces", faces, lambda face: state(face).replace("kept", ""), of_each=True),
        ),
        settings=settings,
        earlier=before,
    )


def _step(name: str, things: Sequence, problem: Callable[..., str], of_each: bool = False) -> Step:
    """Counts `things` by what `problem` says of each; those of which it says nothing are kept."""
    dropped = Counter(map(problem, things))
    return Step(name, dropped.pop("", 0), dict(dropped), of_each)


def _write_table(path: Path, searches: list[Searched], rejected: set[str]) -> None:
    columns = [one.name for one in fields(Face)]
    columns.insert(1, "source")
    rows = []
    for one in searches:
        for face in one.faces:
            row = asdict(face) | {"source": one.file}
            row["state"] = "rejected by hand" if face.crop in rejected else face.state
            rows.append([row[column] for column in columns])
    write_csv(path, [columns, *rows])


def _write_labels(path: Path, table: Table, searches: list[Searched], rejected: set[str]) -> None:
    """The rows of the images for the crops that are kept; images without a row are told."""
    crops = {
        one.file: [face.crop for face in one.kept() if face.crop not in rejected]
        for one in searches
    }
    find, named = finder(list(crops)), set()
    # As the table has it, and not guarded against spreadsheets: it is read again by `pack`.
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", *table.columns])
        for cell, cells in zip(table.files, table.cells, strict=True):
            images = find(cell)
            named.update(images)
            writer.writerows([f"{crop}.png", *cells] for image in images for crop in crops[image])
    for line in summary(table.rejected):
        print(f"labels left out, {line}", file=sys.stderr)
    if missing := sorted(image for image, kept in crops.items() if kept and image not in named):
        print(
            f"no labels for the crops of {len(missing):,} images ({missing[0]}"
            f"{', ...' if len(missing) > 1 else ''}): the table has no row of them",
            file=sys.stderr,
        )
