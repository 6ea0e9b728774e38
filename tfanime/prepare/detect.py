"""Finding anime faces in an image with nagadomi's LBP cascade, as MakeGirlsMoe's dataset did.

The cascade (https://github.com/nagadomi/lbpcascade_animeface, MIT) is fetched once, at a pinned
commit and with a pinned SHA-256, into the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import numpy as np

from tfanime.core.cache import cache_folder, check_cache
from tfanime.core.files import atomic_path

CASCADE_URL = (
    "https://raw.githubusercontent.com/nagadomi/lbpcascade_animeface/"
    "4433ab1ae1166ea75acfe99eb0f18709dac329a0/lbpcascade_animeface.xml"
)
CASCADE_SHA256 = "9376d30ac38db6bda2a68b88b3b76bbd7e6aa33af47f7f5c76bc88ca75f1ce30"
CASCADE_BYTES = 2**20  # more than it has; a longer answer is something else
# The cascade's project recommends these.
SCALE_STEP, WINDOW = 1.1, 24


@dataclass(frozen=True, order=True)
class Box:
    """A square of an image, in pixels from its upper left corner.

    Args:
        left, top, side: where. The square may reach over the edges.
        votes: how many overlapping windows agreed; few votes mean a doubtful face.
    """

    left: int
    top: int
    side: int
    votes: int = 0


class CascadeDetector:
    """Finds faces with a cascade file of OpenCV. May be called from several threads.

    Args:
        cascade: the file.
        neighbours: how many overlapping windows must agree; more find fewer faces and fewer
            things that are none.

    Raises:
        ImportError: without OpenCV, or with OpenCV 5, which no longer has cascades.
        ValueError: if the file is no cascade.
    """

    def __init__(self, cascade: str | os.PathLike, neighbours: int = 5):
        self.cascade, self.neighbours = Path(cascade), neighbours
        self.sha256 = hashlib.sha256(self.cascade.read_bytes()).hexdigest()
        self._own = threading.local()  # a classifier keeps buffers of the image it works on
        self._own.classifier = self._load()

    def __call__(self, grey: np.ndarray) -> list[Box]:
        """Faces in `grey` `(H, W)` uint8, from the upper left to the lower right."""
        cv2 = opencv()
        if not hasattr(self._own, "classifier"):
            self._own.classifier = self._load()
        if min(grey.shape) < WINDOW:
            return []
        boxes, votes = self._own.classifier.detectMultiScale2(
            cv2.equalizeHist(np.ascontiguousarray(grey)),
            scaleFactor=SCALE_STEP,
            minNeighbors=self.neighbours,
            minSize=(WINDOW, WINDOW),
        )
        return sorted(
            (_square(box, int(count)) for box, count in zip(boxes, np.ravel(votes), strict=True)),
            key=lambda box: (box.top, box.left, box.side),
        )

    def _load(self):
        cv2 = opencv()
        try:
            classifier = cv2.CascadeClassifier(str(self.cascade))
        except (cv2.error, SystemError) as error:  # by what the file is
            raise _no_cascade(self.cascade) from error
        if classifier.empty():
            raise _no_cascade(self.cascade)
        return classifier


def cascade_file(file: str | os.PathLike | None = None) -> Path:
    """Where the cascade lies: `file`, or the cache, into which it is fetched if need be.

    Raises:
        ValueError: if `file` is no file.
        OSError: if it has to be fetched and cannot be, or is not the pinned file.
    """
    if file is not None:
        if not Path(file).is_file():
            raise ValueError(f"A cascade is an XML file. Received: {str(file)!r}, which is none.")
        return Path(file)
    cache = cache_folder()
    path = cache / "lbpcascade_animeface.xml"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == CASCADE_SHA256:
        return path
    check_cache(cache)
    advice = f"Download {CASCADE_URL} yourself and pass it with cascade (--cascade FILE)."
    try:
        with urlopen(CASCADE_URL, timeout=30) as answer:
            data = answer.read(CASCADE_BYTES)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise OSError(
            f"The face cascade is fetched once, and could not be: {reason}. {advice}"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != CASCADE_SHA256:
        raise OSError(
            f"The face cascade must have the SHA-256 {CASCADE_SHA256}. Received {len(data):,} "
            f"bytes with {digest}. {advice}"
        )
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    return path


def opencv() -> ModuleType:
    """The module cv2, with cascades in it."""
    try:
        import cv2
    except ImportError as error:
        raise ImportError(
            'Finding faces needs OpenCV. Install it with: pip install ".[data]" in a checkout'
        ) from error
    if not hasattr(cv2, "CascadeClassifier"):
        raise ImportError(
            f"Finding faces needs OpenCV 4: cascades are gone from {cv2.__version__}. Install it "
            'with: pip install ".[data]" in a checkout'
        )
    return cv2


def _square(box: Sequence[int], votes: int) -> Box:
    """A found rectangle `(left, top, width, height)` as a square around the same middle."""
    left, top, width, height = (int(n) for n in box)
    side = max(width, height)
    return Box(left - (side - width) // 2, top - (side - height) // 2, side, votes)


def _no_cascade(path: Path) -> ValueError:
    return ValueError(
        f"A cascade is an XML file that OpenCV wrote. Received: {str(path)!r}, which OpenCV "
        "cannot read as one."
    )
