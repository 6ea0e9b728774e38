"""What every network that turns images into features looks like to a metric."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PIXEL_RANGE = (-1.0, 1.0)


@dataclass(frozen=True)
class Extractor:
    """A network that turns images into features.

    Args:
        name: for people and protocols.
        layer: whose values the features are.
        identity: changes whenever the features could: of file contents, layer and range.
        height, width: what images are resized to.
        compute: `(b, height, width, 3)` float32 in 0..255 to `(b, d)` float32; called from
            several threads.
    """

    name: str
    layer: str
    identity: str
    height: int
    width: int
    compute: Callable[[np.ndarray], np.ndarray]


def existing_file(path: str | os.PathLike) -> Path:
    """The path of an extractor's file; ValueError where there is none."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"An extractor's file must exist. Received: {str(path)!r}.")
    return path


def file_digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
