"""The files of one model in an exported folder, named by their content, and their description.

A name that contains the hash of the file can be cached for ever: a changed file has another name.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tfanime.core.files import read_json
from tfanime.export.web.tfjs import MODEL

HASH = 8  # characters of the SHA-256 in a file's name


def finish(folder: Path) -> Path:
    """Renames the files that the converter wrote in `folder` to names with their hash.

    Returns:
        The path of the graph.
    """
    model = read_json(folder / MODEL)
    number = 0
    for group in model["weightsManifest"]:
        renamed = []
        for path in group["paths"]:
            renamed.append(_hashed(folder / path, f"shard-{number}").name)
            number += 1
        group["paths"] = renamed
    # Sorted: protobuf writes its maps in any order, and the same model is to have the same name.
    text = json.dumps(model, separators=(",", ":"), sort_keys=True)
    (folder / MODEL).write_text(text, encoding="utf-8")
    return _hashed(folder / MODEL, "model")


def shards(graph: Path) -> list[Path]:
    """The weight files of a graph, in order."""
    groups = read_json(graph)["weightsManifest"]
    return [graph.parent / path for group in groups for path in group["paths"]]


def write_hashed(folder: Path, stem: str, ending: str, data: bytes) -> Path:
    path = folder / f"{stem}{ending}"
    path.write_bytes(data)
    return _hashed(path, stem)


def described(files: Iterable[Path], root: Path) -> list[dict]:
    """Path, length and SHA-256 of every file."""
    return [
        {
            "path": path.relative_to(root).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]


def encoded(values: np.ndarray) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def _hashed(path: Path, stem: str) -> Path:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:HASH]
    return path.rename(path.with_name(f"{stem}-{digest}{path.suffix}"))
