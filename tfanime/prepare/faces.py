"""Cutting the faces out of pictures, with everything that is left out counted and kept in view.

crops/0a1b2c3d4e5f.png    one square a face; the name is a hash of source, place and size
crops.csv                 every face found: where, how sharp, kept or why not
reject.txt                names of crops that are none; yours to edit, kept on every re-run
rejected/                 those crops, out of the way but not lost
sheets/, review.html      for finding them by eye, the doubtful ones first
journal.jsonl             what is done already, so that the same command continues
manifest.json             counts at every filter
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core import disk, images
from tfanime.core.files import write_csv, write_text
from tfanime.core.manifest import UNKNOWN_LICENCE, Manifest, Step
from tfanime.prepare.check import Rejected, summary
from tfanime.prepare.detect import Box, CascadeDetector, cascade_file, opencv
from tfanime.prepare.review import Face, write_review
from tfanime.prepare.sources import AHEAD_BYTES, Source, open_source, pictures_in

# (H, W) uint8 grey picture to boxes in its pixels. A detector may have `sha256` to be told apart.
Detector = Callable[[np.ndarray], list[Box]]

BORDERS = ("reflect", "shift", "refuse")
DETECTION_SIDE = 2048  # larger pictures are searched reduced to it: minutes would be spent on one
SHARPNESS_SIDE = 128  # crops are reduced to it, so that sharpness does not depend on resolution
JOURNAL, TABLE, REJECT = "journal.jsonl", "crops.csv", "reject.txt"
REJECT_NOTE = """\
# Crops that are no faces, one name a line, with or without .png. review.html helps to find them.
# Run the same command again after editing; this file is never overwritten.
"""
VERSION = 1  # of what decides the crops


@dataclass(frozen=True)
class Searched:
    """One picture that was searched; `problem` says why it could not be."""

    file: str
    sha256: str
    faces: tuple[Face, ...] = ()
    problem: str = ""

    def kept(self) -> list[Face]:
        return [face for face in self.faces if face.state == "kept"]


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
    licence: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
    detector: Detector | None = None,
) -> FaceCrops:
    """Finds faces and writes them as square crops. The CLI's `tfanime prepare faces`.

    Stopped at any moment, the same call continues; so it does after pictures were added. A crop
    named in `reject.txt` is moved to `rejected/`, and back when its line is gone.

    Args:
        source: a folder, zip, tar or CSV of paths, as for `pack`; also one that `tfanime collect`
            wrote.
        out: folder to write. One that has other settings is refused.
        cascade: file of the cascade; by default fetched once, see `detect.cascade_file`.
        zoom: side of the crop per side of the detected box. MakeGirlsMoe took 1.5.
        border: crops that reach over the edge of the picture are filled by mirroring
            (`"reflect"`), moved into the picture and made smaller if need be (`"shift"`), or left
            out (`"refuse"`).
        smallest: leave out crops with fewer pixels a side.
        sharpness: leave out crops with a smaller variance of the Laplacian (see `sharpness` in
            this module); 0 keeps all.
        enlarge: search the picture enlarged so many times: 2 finds faces of half the size, and
            takes four times as long. Crops are cut from the picture as it is.
        neighbours: see `detect.CascadeDetector`.
        licence: note for the manifest; by default that of the source's own manifest.
        overwrite: begin anew where `out` has other settings. `reject.txt` stays.
        progress: show a progress bar.
        detector: used instead of the cascade.

    Raises:
        ValueError: for wrong arguments, an `out` that holds something else, or no picture at all.
        ImportError: without OpenCV.
        OSError: if the cascade has to be fetched and cannot be.
    """
    source, out = Path(source), Path(out)
    _check(zoom, border, smallest, sharpness, enlarge, neighbours)
    with open_source(pictures_in(source)) as opened, _one_thread_each(detector):
        if detector is None:
            detector = CascadeDetector(cascade_file(cascade), neighbours)
        settings = {
            "zoom": float(zoom),
            "border": border,
            "smallest": smallest,
            "sharpness": float(sharpness),
            "enlarge": float(enlarge),
            "neighbours": neighbours,
            "detector": getattr(detector, "sha256", type(detector).__name__),
            "version": VERSION,
        }
        known = _begin(out, settings, overwrite)
        with disk.checked(out):
            done = _search_all(opened, out, settings, known, detector, progress)
        unusable = [*opened.rejected]
    if not done and not unusable:
        raise ValueError(f"Faces are found in pictures. Received: {str(source)!r}, without any.")
    unusable += [Rejected.because(one.file, one.problem) for one in done if one.problem]
    rejected, strangers = _sort_out(out, done)
    manifest = _manifest(source, settings, done, unusable, rejected, licence)
    _write_table(out / TABLE, done, rejected)
    write_review(out, [(one.file, face) for one in done for face in one.kept()], rejected)
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


def sharpness(crop: np.ndarray) -> float:
    """Variance of the Laplacian (4 neighbours) of the grey crop, reduced to 128 pixels a side if
    it is larger. Blurred and enlarged pictures have little of it.

    Args:
        crop: `(H, W, 3)` uint8.
    """
    grey = Image.fromarray(crop).convert("L")
    grey.thumbnail((SHARPNESS_SIDE, SHARPNESS_SIDE), Image.Resampling.BOX)
    x = np.asarray(grey, np.float64)
    if min(x.shape) < 3:
        return 0.0
    inner = x[1:-1, 1:-1]
    return float(np.var(x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4 * inner))


def cut(picture: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """The square `(side, side, 3)` of `picture` `(H, W, 3)`, mirrored where it leaves the edges."""
    height, width = picture.shape[:2]
    rows = _mirrored(np.arange(top, top + side), height)
    columns = _mirrored(np.arange(left, left + side), width)
    return picture[rows[:, None], columns]


# ---- searching -----------------------------------------------------------------------------------


def _check(
    zoom: float, border: str, smallest: int, sharpest: float, enlarge: float, neighbours: int
) -> None:
    if border not in BORDERS:
        raise ValueError(f"border is one of {', '.join(BORDERS)}. Received: {border!r}.")
    for name, value, low, high in (
        ("zoom", zoom, 0.5, 4),
        ("smallest", smallest, 1, 4096),
        ("sharpness", sharpest, 0, 1e9),
        ("enlarge", enlarge, 0.25, 8),
        ("neighbours", neighbours, 1, 1000),
    ):
        if not low <= value <= high:
            raise ValueError(f"{name} is a number from {low} to {high:g}. Received: {value!r}.")


@contextmanager
def _one_thread_each(detector: Detector | None) -> Iterator[None]:
    """OpenCV splits one picture among cores; a picture a core is faster and always the same."""
    if detector is not None:
        yield
        return
    cv2 = opencv()
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _search_all(
    source: Source,
    out: Path,
    settings: dict,
    known: dict[str, Searched],
    detector: Detector,
    progress: bool,
) -> list[Searched]:
    """Every picture of `source` in order; those in `known` are not searched again."""
    from tfanime.core.bars import progress_bar

    def work(name: str, data: bytes | ValueError) -> tuple[Searched, dict[str, bytes]]:
        if isinstance(data, ValueError):
            return Searched(name, "", problem=str(data)), {}
        digest = hashlib.sha256(data).hexdigest()
        before = known.get(name)
        if before is not None and before.sha256 == digest and _all_there(out, before):
            return before, {}
        try:
            with images.opened_image(data) as picture:
                faces, crops = _search(name, picture, detector, settings)
        except ValueError as error:
            return Searched(name, digest, problem=str(error)), {}
        return Searched(name, digest, tuple(faces)), crops

    done, found, ahead, part = [], 0, 0, out / ".part.png"
    workers = os.cpu_count() or 1
    waiting: deque = deque()
    with (
        open(out / JOURNAL, "a", encoding="utf-8") as journal,
        ThreadPoolExecutor(workers) as pool,
        progress_bar(
            total=len(source.names), desc="faces", unit=" pictures", disable=not progress
        ) as bar,
    ):

        def finish() -> None:
            nonlocal found, ahead
            future, size = waiting.popleft()
            one, crops = future.result()
            ahead -= size
            for name, data in crops.items():
                # Not atomic_path: waiting for the disk at every crop would take most of the time.
                # After a power cut an empty file is noticed, and its picture searched again.
                part.write_bytes(data)
                part.replace(out / "crops" / f"{name}.png")
            if known.get(one.file) != one:
                journal.write(json.dumps(asdict(one)) + "\n")
                journal.flush()
            done.append(one)
            found += len(one.kept())
            bar.update()
            bar.set_postfix_str(f"{found:,} faces", refresh=False)

        try:
            for name in source.names:
                try:
                    data = source.read(name)
                except ValueError as error:
                    data = error
                size = 0 if isinstance(data, ValueError) else len(data)
                waiting.append((pool.submit(work, name, data), size))
                ahead += size
                while len(waiting) > 4 * workers or (waiting and ahead > AHEAD_BYTES):
                    finish()
            while waiting:
                finish()
        finally:
            part.unlink(missing_ok=True)
            for future, _ in waiting:
                future.cancel()
    return done


def find_faces(picture: Image.Image, detector: Detector, zoom: float = 1.5) -> list[Face]:
    """The faces of one picture as `crop_faces` finds them, none left out: `left`, `top` and `side`
    of the square that is cut, around a detected box of side `box`."""
    settings = {"zoom": zoom, "border": "reflect", "smallest": 1, "sharpness": 0.0, "enlarge": 1.0}
    return _search("", picture, detector, settings)[0]


def _search(
    name: str, picture: Image.Image, detector: Detector, settings: dict
) -> tuple[list[Face], dict[str, bytes]]:
    """The faces of one picture, and the PNG files of those that are kept."""
    scale = min(settings["enlarge"], DETECTION_SIDE / max(picture.size))
    size = [max(1, round(side * scale)) for side in picture.size]
    grey = picture.convert("L")
    if scale != 1:
        grey = grey.resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(picture)
    faces, crops = [], {}
    for box in detector(np.asarray(grey)):
        middle = ((box.left + box.side / 2) / scale, (box.top + box.side / 2) / scale)
        side = max(1, round(box.side * settings["zoom"] / scale))
        left, top = (round(place - side / 2) for place in middle)
        limits = (picture.width - side, picture.height - side)
        inside = 0 <= left <= limits[0] and 0 <= top <= limits[1]
        if settings["border"] == "shift" and not inside:
            side = min(side, *picture.size)
            left = min(max(left, 0), picture.width - side)
            top = min(max(top, 0), picture.height - side)
        crop = cut(pixels, left, top, side)
        sharp = round(sharpness(crop), 2)
        state = "kept"
        if settings["border"] == "refuse" and not inside:
            state = "at the border"
        elif side < settings["smallest"]:
            state = "too small"
        elif sharp < settings["sharpness"]:
            state = "not sharp"
        title = hashlib.sha256(f"{name}\0{left},{top},{side}".encode()).hexdigest()[:12]
        face = Face(title, left, top, side, round(box.side / scale), box.votes, sharp, state)
        faces.append(face)
        if state == "kept":
            crops[title] = _png(crop)
    return faces, crops


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Places on an endless line to 0..length - 1, mirrored at both ends: `... 2 1 0 1 2 ...`."""
    period = max(1, 2 * (length - 1))
    places = places % period
    return np.minimum(places, period - places) if length > 1 else np.zeros_like(places)


def _png(crop: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "PNG")
    return buffer.getvalue()


# ---- continuing ----------------------------------------------------------------------------------


def _begin(out: Path, settings: dict, overwrite: bool) -> dict[str, Searched]:
    """Makes `out` ready; returns what its journal says is done."""
    journal = out / JOURNAL
    if out.exists() and not out.is_dir():
        raise ValueError(f"Faces are written into a folder. Received: {str(out)!r}, a file.")
    known: dict[str, Searched] = {}
    if journal.is_file():
        stored, known = _read_journal(journal)
        if stored != settings:
            changed = ", ".join(
                f"{key} {stored.get(key)!r}, now {settings.get(key)!r}"
                for key in sorted({*stored, *settings})
                if stored.get(key) != settings.get(key)
            )
            if not overwrite:
                raise ValueError(
                    f"A folder of faces has one set of settings. Received: {str(out)!r}, made with "
                    f"others: {changed}. Use overwrite=True (--overwrite), or another folder."
                )
            for name in ("crops", "rejected", "sheets"):
                shutil.rmtree(out / name, ignore_errors=True)
            known = {}
    elif out.exists() and any(entry.name != REJECT for entry in out.iterdir()):
        raise ValueError(
            f"The folder for faces must be new. Received: {str(out)!r}, which holds something "
            "else. Use another folder."
        )
    for name in ("crops", "rejected"):
        (out / name).mkdir(parents=True, exist_ok=True)
    if not (out / REJECT).exists():
        write_text(out / REJECT, REJECT_NOTE)
    # Anew, so that it neither grows with every run nor keeps a line that was cut by a crash.
    lines = [settings, *(asdict(one) for one in known.values())]
    write_text(journal, "".join(json.dumps(line) + "\n" for line in lines))
    return known


def _read_journal(path: Path) -> tuple[dict, dict[str, Searched]]:
    """The settings and the pictures that are done. A line that a crash cut is not done."""
    settings: dict = {}
    known = {}
    with open(path, encoding="utf-8", errors="replace") as lines:
        for i, line in enumerate(lines):
            try:
                stored = json.loads(line)
                if i == 0:
                    settings = dict(stored)
                else:
                    faces = tuple(Face(**face) for face in stored.pop("faces"))
                    one = Searched(faces=faces, **stored)
                    known[one.file] = one
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
    return settings, known


def _all_there(out: Path, one: Searched) -> bool:
    def there(name: str) -> bool:
        places = (out / place / f"{name}.png" for place in ("crops", "rejected"))
        return any(path.is_file() and path.stat().st_size for path in places)

    return all(there(face.crop) for face in one.kept())


# ---- what is kept, and the files that say so -----------------------------------------------------


def _sort_out(out: Path, done: list[Searched]) -> tuple[set[str], set[str]]:
    """Moves crops where they belong: those of `reject.txt` to `rejected/`, the others back.

    Crops of pictures that are gone from the source are deleted.

    Returns:
        The names of the rejected crops, and the names in `reject.txt` that are no crops.
    """
    listed = read_rejects(out / REJECT)
    wanted = {face.crop for one in done for face in one.kept()}
    for place, other, move in (
        ("crops", "rejected", listed),
        ("rejected", "crops", wanted - listed),
    ):
        for path in (out / place).glob("*.png"):
            if path.stem not in wanted:
                path.unlink()
            elif path.stem in move:
                path.replace(out / other / path.name)
    return listed & wanted, listed - {face.crop for one in done for face in one.faces}


def read_rejects(path: Path) -> set[str]:
    """The names in a reject list: one a line, `.png` or not, `#` begins a comment."""
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    names = (line.split("#")[0].strip() for line in text.splitlines())
    return {Path(name).name.removesuffix(".png").lower() for name in names if name}


def _manifest(
    source: Path,
    settings: dict,
    done: list[Searched],
    unusable: list[Rejected],
    rejected: set[str],
    licence: str | None,
) -> Manifest:
    name, before = source.resolve().name, Manifest.find(source)
    usable = [one for one in done if not one.problem]

    def state(face: Face) -> str:
        return "rejected by hand" if face.crop in rejected else face.state

    faces = [face for one in done for face in one.faces]
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


def _write_table(path: Path, done: list[Searched], rejected: set[str]) -> None:
    columns = ("crop", "source", "left", "top", "side", "box", "votes", "sharpness", "state")
    rows = []
    for one in done:
        for face in one.faces:
            row = asdict(face) | {"source": one.file}
            row["state"] = "rejected by hand" if face.crop in rejected else face.state
            rows.append([row[column] for column in columns])
    write_csv(path, [columns, *rows])
