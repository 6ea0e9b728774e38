"""A tiny generator in the exported form, written by hand, so that the site's tests need neither
TensorFlow nor its converter: a dense layer, a 3x3 convolution, depth to space, tanh."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np

from tfanime.core import seeds
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.zoo.directions import Direction

SCHEMA = LabelSchema(
    (
        Field("hair", "group", ("blonde", "blue", "red"), (0.5, 0.3, 0.2)),
        Field("eyes", "group", ("blue", "green"), (0.6, 0.4)),
        Field("smile", "flag", (), (0.6,)),
        Field("glasses", "flag", (), (0.1,)),
        Field("year", "value", (), tuple(np.linspace(0, 1, 17)), 1990, 2020),
    )
)
LATENT, SIZE, CELLS, CHANNELS, BLOCK = 8, 16, 4, 6, 4


class Tiny:
    """Weights, the network in NumPy, and the exported folder's files; pictures of `cells` rows and
    columns of BLOCK pixels."""

    def __init__(
        self,
        name: str = "tiny",
        schema: LabelSchema | None = SCHEMA,
        seed: int = 1,
        cells: tuple[int, int] = (CELLS, CELLS),
        upscaler: str | None = None,
        directions: list[Direction] | None = None,
        channels: int = CHANNELS,
    ):
        self.name, self.schema, self.cells, self.upscaler = name, schema, cells, upscaler
        self.channels = channels
        self.directions = directions or []
        self.height, self.width = (BLOCK * side for side in cells)
        random = np.random.default_rng(seed)
        inputs = LATENT + (schema.size if schema else 0)
        self.dense = random.normal(0, 0.4, (inputs, cells[0] * cells[1] * channels)).astype("<f4")
        kernel = random.normal(0, 0.25, (3, 3, channels, 3 * BLOCK**2))
        self.kernel = kernel.astype("<f4")

    def __call__(self, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        """`(n, LATENT)`, `(n, L)` in -1/+1 coding -> `(n, height, width, 3)` in [-1, 1]."""
        x = z if labels is None else np.concatenate((z, labels), axis=1)
        x = np.maximum(x @ self.dense, 0).reshape(-1, *self.cells, self.channels)
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        x = np.einsum("nyxcij,ijco->nyxo", windows, self.kernel)
        x = x.reshape(-1, *self.cells, BLOCK, BLOCK, 3).transpose(0, 1, 3, 2, 4, 5)
        return np.tanh(x.reshape(-1, self.height, self.width, 3))

    def draw(self, seed: int, index: int = 0, tags: dict | None = None) -> np.ndarray:
        """What tfanime.sampling.generate draws: `(height, width, 3)` float32 in [-1, 1]."""
        z = seeds.latents(seed, 1, LATENT, index)
        if self.schema is None:
            return self(z, None)[0]
        labels = to_signed(seeds.sample_labels(seed, 1, self.schema, tags, index))
        return self(z, labels)[0]

    def write(self, folder: Path) -> dict:
        """Writes the files below `folder`; returns the entry of tfanime.json."""
        constants = self._constants()
        manifest = {
            "modelTopology": {"node": self._nodes(), "library": {}, "versions": {}},
            "weightsManifest": [
                {
                    "paths": ["shard-1.bin"],
                    "weights": [
                        {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
                        for name, value in constants.items()
                    ],
                }
            ],
            "format": "graph-model",
        }
        shard = b"".join(value.tobytes() for value in constants.values())
        z = seeds.latents(3, 1, LATENT)
        labels = None
        if self.schema is not None:
            labels = to_signed(seeds.sample_labels(3, 1, self.schema))
        stored = np.rint((self(z, labels)[0] + 1) * 127.5).astype(np.uint8)
        at = f"models/{self.name}"
        contents = {
            f"{at}/model.json": json.dumps(manifest).encode(),
            f"{at}/shard-1.bin": shard,
            f"{at}/reference.bin": stored.tobytes(),
        }
        for path, data in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        (folder / at / "MODEL_CARD.md").write_text("# Tiny\n\nA test model.\n")
        return {
            "name": self.name,
            "kind": "generator",
            "graph": f"{at}/model.json",
            "precision": "float32",
            "weightBytes": len(shard),
            "files": [
                {"path": p, "bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()}
                for p, d in contents.items()
            ],
            "latentDim": LATENT,
            "height": self.height,
            "width": self.width,
            "inputs": {"latents": "latents:0", "labels": "labels:0" if self.schema else None},
            "output": "output:0",
            "schema": self.schema.to_json() if self.schema else None,
            "references": [
                {
                    "seed": 3,
                    "latent": base64.b64encode(z.astype("<f4").tobytes()).decode(),
                    "labels": None if labels is None else labels[0].tolist(),
                    "picture": f"{at}/reference.bin",
                    "offset": 0,
                }
            ],
            "tolerance": 0.02,
            "upscaler": self.upscaler,
            "directions": [
                {
                    "name": one.name,
                    "vector": base64.b64encode(one.vector.astype("<f4").tobytes()).decode(),
                    "changes": [[column, change] for column, change in one.changes.items()],
                }
                for one in self.directions
            ],
            "card": f"{at}/MODEL_CARD.md",
        }

    def _constants(self) -> dict[str, np.ndarray]:
        constants = {"dense": self.dense, "kernel": self.kernel}
        constants["shape"] = np.asarray([-1, *self.cells, self.channels], "<i4")
        if self.schema is not None:
            constants["axis"] = np.asarray(1, "<i4")
        return constants

    def _nodes(self) -> list[dict]:
        return [
            *self._inputs(),
            node("product", "MatMul", self._rows, "dense"),
            node("relu", "Relu", "product"),
            node("cells", "Reshape", "relu", "shape"),
            node("convolution", "Conv2D", "cells", "kernel", padding=text("SAME"), **ONCE),
            node("pixels", "DepthToSpace", "convolution", block_size={"i": str(BLOCK)}, **LAST),
            node("output", "Tanh", "pixels"),
        ]

    @property
    def _rows(self) -> str:
        return "latents" if self.schema is None else "rows"

    def _inputs(self) -> list[dict]:
        """What is given, the constants, and the rows that the first product takes."""
        nodes = [
            node(name, "Const", dtype=WHOLE if value.dtype.kind == "i" else FLOATS)
            for name, value in self._constants().items()
        ]
        nodes.append(node("latents", "Placeholder", dtype=FLOATS, shape=sides(-1, LATENT)))
        if self.schema is not None:
            shape = sides(-1, self.schema.size)
            nodes.append(node("labels", "Placeholder", dtype=FLOATS, shape=shape))
            nodes.append(node("rows", "ConcatV2", "latents", "labels", "axis", N={"i": "2"}))
        return nodes


# ---- nodes of a GraphDef, as JSON ----------------------------------------------------------------

FLOATS, WHOLE = {"type": "DT_FLOAT"}, {"type": "DT_INT32"}


def text(value: str) -> dict:
    return {"s": base64.b64encode(value.encode()).decode()}


def texts(*values: str) -> dict:
    return {"list": {"s": [text(value)["s"] for value in values]}}


def whole(*values: int) -> dict:
    return {"list": {"i": [str(value) for value in values]}}


def sides(*sizes: int) -> dict:
    return {"shape": {"dim": [{"size": str(size)} for size in sizes]}}


LAST = {"data_format": text("NHWC")}
ONCE = {"strides": whole(1, 1, 1, 1), "dilations": whole(1, 1, 1, 1), **LAST}


def node(name: str, op: str, *inputs: str, **attributes: dict) -> dict:
    return {"name": name, "op": op, "input": list(inputs), "attr": {"T": FLOATS, **attributes}}


def tiny_upscaler(folder: Path, height: int = SIZE, width: int = SIZE) -> dict:
    """Doubles each pixel of an image of this size: a resize and nothing else."""
    nodes = [
        {
            "name": "pictures",
            "op": "Placeholder",
            "attr": {
                "dtype": {"type": "DT_FLOAT"},
                "shape": {"shape": {"dim": [{"size": s} for s in ("1", "-1", "-1", "3")]}},
            },
        },
        {"name": "size", "op": "Const", "input": [], "attr": {"dtype": {"type": "DT_INT32"}}},
        {
            "name": "output",
            "op": "ResizeNearestNeighbor",
            "input": ["pictures", "size"],
            "attr": {"T": {"type": "DT_FLOAT"}, "align_corners": {"b": False}},
        },
    ]
    manifest = {
        "modelTopology": {"node": nodes, "library": {}, "versions": {}},
        "weightsManifest": [
            {
                "paths": ["shard.bin"],
                "weights": [{"name": "size", "shape": [2], "dtype": "int32"}],
            }
        ],
    }
    contents = {
        "models/double/model.json": json.dumps(manifest).encode(),
        "models/double/shard.bin": np.asarray([2 * height, 2 * width], "<i4").tobytes(),
    }
    for path, data in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return {
        "name": "double",
        "kind": "upscaler",
        "factor": 2,
        "graph": "models/double/model.json",
        "precision": "float32",
        "weightBytes": 8,
        "files": [
            {"path": p, "bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()}
            for p, d in contents.items()
        ],
        "inputs": {"pictures": "pictures"},
        "output": "output",
    }


def write_folder(folder: Path, *models: Tiny) -> None:
    """tfanime.json and everything that it names."""
    entries = [model.write(folder) for model in models]
    manifest = {"format": 1, "tfanime": "0", "models": entries}
    sharp = next((model for model in models if model.upscaler), models[0])
    manifest["upscalers"] = [tiny_upscaler(folder, sharp.height, sharp.width)]
    (folder / "tfanime.json").write_text(json.dumps(manifest))


def enlarge(folder, name: str, padding: bytes = bytes(1_500_000)) -> None:
    """A model of a site's folder gets a file more to download."""
    path = f"models/{name}/padding.bin"
    (folder / path).write_bytes(padding)
    manifest = json.loads((folder / "tfanime.json").read_text())
    (model,) = (model for model in manifest["models"] if model["name"] == name)
    digest = hashlib.sha256(padding).hexdigest()
    model["files"].append({"path": path, "bytes": len(padding), "sha256": digest})
    (folder / "tfanime.json").write_text(json.dumps(manifest))
