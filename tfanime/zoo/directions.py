"""Directions in the latent space of a saved generator: `directions.json`, beside its weights.

`tfanime directions` finds them (`tfanime.editing`), `generate --move` follows them. They belong to
the weights they were found for: the file says which, and others refuse it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfanime.core import bounds
from tfanime.core.files import write_json

FILE = "directions.json"
WEIGHTS = "generator.keras"
KINDS = ("tagger", "sefa", "pca")
MOST = 1000  # directions of a file
FIND = "Find them: tfanime directions {}"


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction, and what a step along it was measured to do.

    Args:
        name: what it is called by: `smile`, `sefa-1`, `pca-1`.
        kind: `"tagger"` (an attribute), `"sefa"` or `"pca"`.
        vector: `(latent_dim,)` float32 of length 1. A step of 1 is one standard deviation of the
            latents.
        changes: column of the tagger to the change of its probability a step, -1 to 1, of those
            that surely change, the largest first.
        stays: share of the attributes, 0 to 1, that the tagger reads alike six steps away to
            either side; None: not measured.
        fit: correlation, -1 to 1, on images kept aside, of the attribute's logit with what the
            direction says of it; None for the other kinds.
    """

    name: str
    kind: str
    vector: np.ndarray
    changes: Mapping[str, float] = field(default_factory=dict)
    stays: float | None = None
    fit: float | None = None


def weights_digest(folder: str | os.PathLike) -> str:
    """SHA-256 of a saved generator's weights, in hexadecimal."""
    return hashlib.sha256((Path(folder) / WEIGHTS).read_bytes()).hexdigest()


def store_directions(
    folder: str | os.PathLike,
    directions: Iterable[Direction],
    measured: Mapping[str, object],
    weights: str | None = None,
) -> Path:
    """Writes `directions.json` beside a generator's weights.

    Args:
        folder: of the saved generator.
        directions: of different names.
        measured: how they were found, as JSON has it: seeds, counts, the tagger.
        weights: `weights_digest` of those that they are of; None: of those that are there.
    """
    listed = [
        {
            "name": one.name,
            "kind": one.kind,
            "vector": base64.b64encode(np.asarray(one.vector, "<f4").tobytes()).decode(),
            "changes": [[column, round(float(x), 5)] for column, x in one.changes.items()],
            "stays": None if one.stays is None else round(float(one.stays), 4),
            "fit": None if one.fit is None else round(float(one.fit), 4),
        }
        for one in directions
    ]
    path = Path(folder) / FILE
    weights = weights or weights_digest(folder)
    document = {"weights": weights, "measured": dict(measured), "directions": listed}
    write_json(path, document)
    return path


def carry_directions(source: str | os.PathLike, folder: str | os.PathLike) -> None:
    """Copies the directions of a saved generator to one that was tuned from it, if it has any that
    are its own.

    They lead where they led, as long as the weights are near; what they change was measured before,
    and the copy says for which weights.
    """
    document = own_document(source)
    if document is not None:
        measured = {"measured": document.get("measured"), "with": document["weights"]}
        changed = {"weights": weights_digest(folder), "measured": measured}
        write_json(Path(folder) / FILE, document | changed)


def own_document(folder: str | os.PathLike) -> dict | None:
    """The file of directions of a saved generator; None if it has none, or one of other weights.

    Raises:
        ValueError: for a damaged file.
    """
    path = Path(folder) / FILE
    document = bounds.read_object(path) if path.is_file() else {}
    return document if document.get("weights") == weights_digest(folder) else None


def load_directions(folder: str | os.PathLike, latent_dim: int) -> dict[str, Direction]:
    """The directions of a saved generator by name, in the order of the file.

    Args:
        folder: of the saved generator.
        latent_dim: length of its latents.

    Raises:
        ValueError: where there are none, they were found for other weights, or the file is damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise ValueError(
            f"Moves need directions, and {os.fspath(folder)!r} has none. {FIND.format(folder)}"
        )
    document = bounds.read_object(path)
    if document.get("weights") != weights_digest(folder):
        raise ValueError(
            f"{str(path)!r} was found for other weights than those beside it, and leads elsewhere "
            f"with these. {FIND.format(folder)}"
        )
    listed = document.get("directions")
    try:
        if not isinstance(listed, list) or len(listed) > MOST:
            raise ValueError("it lists no directions")
        directions = [_direction(one, latent_dim) for one in listed]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise bounds.damaged(path, error) from error
    return {one.name: one for one in directions}


def _direction(document: dict, latent_dim: int) -> Direction:
    name, kind = document["name"], document["kind"]
    vector = np.frombuffer(base64.b64decode(document["vector"], validate=True), "<f4")
    right = vector.shape == (latent_dim,) and np.isfinite(vector).all()
    if not isinstance(name, str) or kind not in KINDS or not right:
        raise ValueError(f"{name!r} is no direction of {latent_dim} numbers")
    changes = {str(column): float(x) for column, x in document["changes"]}
    return Direction(
        name, kind, vector.astype(np.float32), changes, document["stays"], document["fit"]
    )
