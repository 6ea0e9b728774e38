"""Networks beside a model in the exported form, written by hand: they see a picture's mean colour.
A chooser scores its mean, so that bright ones are broken; an encoder multiplies it by a matrix."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from tiny import FLOATS, LAST, LATENT, WHOLE, Tiny, node, sides, text, whole


def judge(folder: Path, model: Tiny, border: float, padding: bytes = b"") -> None:
    """The model of a written folder gets a chooser; `padding`: a file more to download."""
    write_beside(folder, model, "chooser", np.full((3, 1), 1 / 3), padding, border=border)


def tell(folder: Path, model: Tiny) -> np.ndarray:
    """The model of a written folder gets an encoder: `(3, LATENT + L)`, which mean colours are
    multiplied by."""
    labels = model.schema.size if model.schema else 0
    kernel = np.random.default_rng(4).normal(0, 1, (3, LATENT + labels)).astype("<f4")
    write_beside(folder, model, "encoder", kernel)
    return kernel


def write_beside(
    folder: Path, model: Tiny, name: str, kernel: np.ndarray, padding: bytes = b"", **more: float
) -> None:
    at = f"models/{model.name}/{name}"
    size = {of: whole(1, model.height, model.width, 1) for of in ("ksize", "strides")}
    shape = sides(-1, model.height, model.width, 3)
    constants = {"shape": np.asarray([-1, 3], "<i4"), "kernel": kernel.astype("<f4")}
    nodes = [
        node("pictures", "Placeholder", dtype=FLOATS, shape=shape),
        node("mean", "AvgPool", "pictures", padding=text("VALID"), **size, **LAST),
        node("shape", "Const", dtype=WHOLE),
        node("kernel", "Const", dtype=FLOATS),
        node("colours", "Reshape", "mean", "shape"),
        node("said", "MatMul", "colours", "kernel"),
    ]
    weights = [
        {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
        for name, value in constants.items()
    ]
    graph = {
        "modelTopology": {"node": nodes, "library": {}, "versions": {}},
        "weightsManifest": [{"paths": ["shard.bin"], "weights": weights}],
    }
    contents = {
        f"{at}/model.json": json.dumps(graph).encode(),
        f"{at}/shard.bin": b"".join(value.tobytes() for value in constants.values()),
        **({f"{at}/padding.bin": padding} if padding else {}),
    }
    (folder / at).mkdir(exist_ok=True)
    for path, data in contents.items():
        (folder / path).write_bytes(data)
    manifest = json.loads((folder / "tfanime.json").read_text())
    (entry,) = (entry for entry in manifest["models"] if entry["name"] == model.name)
    entry[name] = {
        "name": name,
        "graph": f"{at}/model.json",
        "precision": "float32",
        "weightBytes": len(contents[f"{at}/shard.bin"]),
        "files": [
            {"path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in contents.items()
        ],
        "inputs": {"pictures": "pictures:0"},
        "output": "said:0",
        **more,
    }
    (folder / "tfanime.json").write_text(json.dumps(manifest))


def dark(model: Tiny, border: float, seed: int, n: int, tags: dict | None = None) -> list[int]:
    """The first `n` indices of a seed that are shown."""
    found, begin = [], 0
    while len(found) < n:
        scores = [float(model.draw(seed, begin + i, tags).mean()) for i in range(8)]
        passed = [i for i, score in enumerate(scores) if score <= border]
        found.append(begin + (passed[0] if passed else int(np.argmin(scores))))
        begin = found[-1] + 1
    return found
