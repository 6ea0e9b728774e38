"""Searching images for faces: boxes, what is cut around them, and how sharp that is."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.decode import opened_image
from tfanime.prepare.detect import Box, opencv
from tfanime.prepare.face_journal import JOURNAL, Searched, all_there
from tfanime.prepare.review import Face
from tfanime.prepare.sources import AHEAD_BYTES, Source

# (H, W) uint8 grey image to boxes in its pixels. A detector may have `sha256` to be told apart.
Detector = Callable[[np.ndarray], list[Box]]

DETECTION_SIDE = 2048  # larger images are searched reduced to it: minutes would be spent on one
SQUARE = {"shape": [1, 1], "middle": 0.5}  # the face in the middle of a square
SHARPNESS_SIDE = 128  # crops are reduced to it, so that sharpness does not depend on resolution


def sharpness(crop: np.ndarray) -> float:
    """Variance of the Laplacian (4 neighbours) of the grey crop, reduced to 128 pixels a side if
    it is larger. Blurred and enlarged images have little of it.

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


def cut(picture: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """The part `(height, width, 3)` of `picture` `(H, W, 3)`, mirrored where it leaves the
    edges."""
    rows = _mirrored(np.arange(top, top + height), picture.shape[0])
    columns = _mirrored(np.arange(left, left + width), picture.shape[1])
    return picture[rows[:, None], columns]


@contextmanager
def one_thread_each(detector: Detector | None) -> Iterator[None]:
    """OpenCV splits one image among cores; an image a core is faster and always the same."""
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


def search_all(
    source: Source,
    out: Path,
    settings: dict,
    journalled: dict[str, Searched],
    detector: Detector,
    progress: bool,
) -> list[Searched]:
    """Every image of `source` in order; those in `journalled` are not searched again."""
    from tfanime.core.bars import progress_bar

    def work(name: str, data: bytes | ValueError) -> tuple[Searched, dict[str, bytes]]:
        if isinstance(data, ValueError):
            return Searched(name, "", problem=str(data)), {}
        digest = hashlib.sha256(data).hexdigest()
        before = journalled.get(name)
        if before is not None and before.sha256 == digest and all_there(out, before):
            return before, {}
        try:
            with opened_image(data) as picture:
                faces, crops = _search(name, picture, detector, settings)
        except ValueError as error:
            return Searched(name, digest, problem=str(error)), {}
        return Searched(name, digest, tuple(faces)), crops

    searches, count, ahead, part = [], 0, 0, out / ".part.png"
    workers = os.cpu_count() or 1
    waiting: deque = deque()
    with (
        open(out / JOURNAL, "a", encoding="utf-8") as journal,
        ThreadPoolExecutor(workers) as pool,
        progress_bar(
            total=len(source.names), desc="faces", unit=" images", disable=not progress
        ) as bar,
    ):

        def finish() -> None:
            nonlocal count, ahead
            future, size = waiting.popleft()
            one, crops = future.result()
            ahead -= size
            for name, data in crops.items():
                # Not atomic_path: waiting for the disk at every crop would take most of the time.
                # After a power cut an empty file is noticed, and its image searched again.
                part.write_bytes(data)
                part.replace(out / "crops" / f"{name}.png")
            if journalled.get(one.file) != one:
                journal.write(json.dumps(asdict(one)) + "\n")
                journal.flush()
            searches.append(one)
            count += len(one.kept())
            bar.update()
            bar.set_postfix_str(f"{count:,} faces", refresh=False)

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
    return searches


def find_faces(picture: Image.Image, detector: Detector, zoom: float = 1.5) -> list[Face]:
    """The faces of one image as `crop_faces` finds them, none left out: `left`, `top` and `side`
    of the square that is cut, around a detected box of side `box`."""
    settings = SQUARE | {"zoom": zoom, "border": "reflect", "enlarge": 1.0}
    settings |= {"smallest": 1, "sharpness": 0.0}
    return _search("", picture, detector, settings)[0]


def _search(
    name: str, picture: Image.Image, detector: Detector, settings: dict
) -> tuple[list[Face], dict[str, bytes]]:
    """The faces of one image, and the PNG files of those that are kept."""
    scale = min(settings["enlarge"], DETECTION_SIDE / max(picture.size))
    size = [max(1, round(side * scale)) for side in picture.size]
    grey = picture.convert("L")
    if scale != 1:
        grey = grey.resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(picture)
    faces, crops = [], {}
    for box in detector(np.asarray(grey)):
        left, top, width, height, inside = _window(box, scale, picture.size, settings)
        crop = cut(pixels, left, top, width, height)
        sharp = round(sharpness(crop), 2)
        place = f"{left},{top},{width}" + (f",{height}" if height != width else "")
        title = hashlib.sha256(f"{name}\0{place}".encode()).hexdigest()[:12]
        state = "kept"
        if settings["border"] == "refuse" and not inside:
            state = "at the border"
        elif min(width, height) < settings["smallest"]:
            state = "too small"
        elif sharp < settings["sharpness"]:
            state = "not sharp"
        elif title in crops:
            state = "cut already"
        found = round(box.side / scale)
        face = Face(title, left, top, width, height, found, box.votes, sharp, state)
        faces.append(face)
        if state == "kept":
            crops[title] = _png(crop)
    return faces, crops


def _window(
    box: Box, scale: float, size: tuple[int, int], settings: dict
) -> tuple[int, int, int, int, bool]:
    """Left, top, width and height of what is cut around a box, and whether it was inside the image
    of `size` (width, height) by itself. `scale` is that of the image that was searched."""
    across, down = settings["shape"]
    shift = settings["border"] == "shift"
    asked = width = max(1, round(box.side * settings["zoom"] / scale))
    if shift:
        width = max(1, min(width, size[0], size[1] * across // down))
    height = max(1, round(width * down / across))
    left = round((box.left + box.side / 2) / scale - width / 2)
    top = round((box.top + box.side / 2) / scale - height * settings["middle"])
    inside = 0 <= left <= size[0] - width and 0 <= top <= size[1] - height and width == asked
    if shift:
        left = min(max(left, 0), size[0] - width)
        top = min(max(top, 0), size[1] - height)
    return left, top, width, height, inside


def _mirrored(places: np.ndarray, length: int) -> np.ndarray:
    """Places on an endless line to 0..length - 1, mirrored at both ends: `... 2 1 0 1 2 ...`."""
    period = max(1, 2 * (length - 1))
    places = places % period
    return np.minimum(places, period - places) if length > 1 else np.zeros_like(places)


def _png(crop: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, "PNG")
    return buffer.getvalue()
