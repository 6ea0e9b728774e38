"""`Face`: a place in the latent space of a model, with its labels, and the file that keeps faces.

`tfanime invert` finds the places of images, `generate --face` draws from them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core import bounds
from tfanime.core.files import write_json
from tfanime.zoo.directions import weights_digest

if TYPE_CHECKING:
    from tfanime.zoo.saved import Generator

FORMAT = "tfanime faces 1"


@dataclass(frozen=True, eq=False)
class Face:
    """What a model draws a face from.

    Args:
        model: the model's name.
        weights: SHA-256 of its weights (`zoo.directions.weights_digest`); None: not saved ones.
        latent: `(latent_dim,)` float32.
        columns: names of the label columns; empty for a model without labels.
        labels: `(len(columns),)` float32, 0/1 coding.
        picture: the name of the image that it stands for, or empty.
        psnr: of what is drawn against that image, in dB; None: not measured.
        distance: the same by features, see `editing.distance`.
        draws_distance: the least such distance among the random draws that it was sought from.
    """

    model: str
    weights: str | None
    latent: np.ndarray
    columns: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    picture: str = ""
    psnr: float | None = None
    distance: float | None = None
    draws_distance: float | None = None

    def to_json(self) -> dict[str, object]:
        """As JSON has it; float32 comes back to the bit."""
        labels = {} if self.labels is None else zip(self.columns, self.labels, strict=True)
        return {
            "model": self.model,
            "weights": self.weights,
            "latent": [float(x) for x in self.latent],
            "labels": [[column, float(x)] for column, x in labels],
            "picture": self.picture,
            "psnr": self.psnr,
            "distance": self.distance,
            "draws_distance": self.draws_distance,
        }

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Face:
        labels = [(str(column), float(x)) for column, x in entry["labels"]]
        latent = np.asarray([float(x) for x in entry["latent"]], np.float32)
        figures = [entry[name] for name in ("psnr", "distance", "draws_distance")]
        values = [*latent, *(x for _, x in labels), *(x for x in figures if x is not None)]
        texts = [entry["model"], entry["picture"], entry["weights"] or ""]
        if not all(isinstance(text, str) for text in texts) or not all(map(isfinite, values)):
            raise ValueError("a face has a model, finite numbers and the name of an image")
        columns = tuple(column for column, _ in labels)
        row = np.asarray([x for _, x in labels], np.float32) if labels else None
        model, picture = entry["model"], entry["picture"]
        return cls(model, entry["weights"], latent, columns, row, picture, *figures)


def save_faces(path: str | os.PathLike, faces: Sequence[Face]) -> None:
    """Writes faces to a JSON file."""
    write_json(path, {"format": FORMAT, "faces": [face.to_json() for face in faces]})


def load_faces(path: str | os.PathLike) -> list[Face]:
    """The faces of a file that `save_faces` wrote, one at least.

    Raises:
        ValueError: for another file; the message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"A face is a file of `tfanime invert PICTURE --out FACE.json`. Received: "
            f"{os.fspath(path)!r}, which does not exist."
        )
    try:
        document = bounds.read_object(path)
        if document.get("format") != FORMAT or not document.get("faces"):
            raise ValueError(f"its format is not {FORMAT!r}")
        return [Face.from_json(one) for one in document["faces"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{os.fspath(path)!r} holds no faces ({str(error).rstrip('.')}). Make it with: "
            "tfanime invert PICTURE --out FACE.json"
        ) from error


def faces_of(face: Any) -> list[Face]:
    """A face, several, or the file of some, as a list."""
    if isinstance(face, Face):
        return [face]
    if isinstance(face, (str, os.PathLike)):
        return load_faces(face)
    faces = list(face) if isinstance(face, Sequence) else []
    if not faces or not all(isinstance(one, Face) for one in faces):
        raise ValueError(
            "face is a file of `tfanime invert`, what `tfanime.invert` returns, or a list of such. "
            f"Received: {type(face).__name__}."
        )
    return faces


def check_faces(faces: Sequence[Face], generator: Generator) -> None:
    """Raises ValueError for faces that another model, or another training of it, was asked for."""
    folder = getattr(generator, "folder", None)
    digest = None if folder is None else weights_digest(folder)
    columns = () if generator.schema is None else tuple(generator.schema.columns)
    for i, face in enumerate(faces):
        fits = face.latent.shape == (generator.latent_dim,) and face.columns == columns
        if not fits or face.weights != digest:
            other = "" if face.model != generator.name else " with other weights"
            raise ValueError(
                f"A face is drawn by the model that it was found for. Received: face {i} of "
                f"{face.model!r}{other}, drawn with {generator.name!r}. Invert the image again "
                "with that model."
            )


def stacked(faces: Sequence[Face]) -> tuple[np.ndarray, np.ndarray | None]:
    """Latents `(n, latent_dim)` and labels `(n, L)` in 0/1 coding, or None without labels."""
    rows = [face.labels for face in faces if face.labels is not None]
    latents = np.stack([face.latent for face in faces])
    return latents, np.stack(rows) if rows else None
