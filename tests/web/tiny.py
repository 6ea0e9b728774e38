"""A tiny generator in the exported form, written by hand, so that the site's tests need neither
TensorFlow nor its converter: a dense layer, a 3x3 convolution, depth to space, tanh."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np

from tfanime import latent
from tfanime.labels import Field, LabelSchema, to_signed

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
    """Weights, the network in NumPy, and the exported folder's files."""

    def __init__(self, name: str = "tiny", schema: LabelSchema | None = SCHEMA, seed: int = 1):
        self.name, self.schema = name, schema
        random = np.random.default_rng(seed)
        inputs = LATENT + (schema.size if schema else 0)
        self.dense = random.normal(0, 0.4, (inputs, CELLS * CELLS * CHANNELS)).astype("<f4")
        kernel = random.normal(0, 0.25, (3, 3, CHANNELS, 3 * BLOCK**2))
        self.kernel = kernel.astype("<f4")

    def __call__(self, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        """`(n, LATENT)`, `(n, L)` in -1/+1 coding -> `(n, SIZE, SIZE, 3)` in [-1, 1]."""
        x = z if labels is None else np.concatenate((z, labels), axis=1)
        x = np.maximum(x @ self.dense, 0).reshape(-1, CELLS, CELLS, CHANNELS)
        x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        x = np.einsum("nyxcij,ijco->nyxo", windows, self.kernel)
        x = x.reshape(-1, CELLS, CELLS, BLOCK, BLOCK, 3).transpose(0, 1, 3, 2, 4, 5)
        return np.tanh(x.reshape(-1, SIZE, SIZE, 3))

    def draw(self, seed: int, index: int = 0, tags: dict | None = None) -> np.ndarray:
        """What tfanime.generation draws: `(SIZE, SIZE, 3)` float32 in [-1, 1]."""
        z = latent.latents(seed, 1, LATENT, index)
        if self.schema is None:
            return self(z, None)[0]
        labels = to_signed(latent.sample_labels(seed, 1, self.schema, tags, index))
        return self(z, labels)[0]

    def write(self, folder: Path) -> dict:
        """Writes the files below `folder`; returns the entry of tfanime.json."""
        weights = {"dense": self.dense, "kernel": self.kernel}
        shape = np.asarray([-1, CELLS, CELLS, CHANNELS], "<i4")
        manifest = {
            "modelTopology": self._graph(),
            "weightsManifest": [
                {
                    "paths": ["shard-1.bin"],
                    "weights": [
                        *(
                            {"name": n, "shape": list(w.shape), "dtype": "float32"}
                            for n, w in weights.items()
                        ),
                        {"name": "shape", "shape": [4], "dtype": "int32"},
                    ],
                }
            ],
            "format": "graph-model",
        }
        if self.schema is not None:
            axis = {"name": "axis", "shape": [], "dtype": "int32"}
            manifest["weightsManifest"][0]["weights"].append(axis)
        shard = b"".join(w.tobytes() for w in weights.values()) + shape.tobytes()
        shard += np.asarray(1, "<i4").tobytes() if self.schema else b""
        z = latent.latents(3, 1, LATENT)
        labels = None
        if self.schema is not None:
            labels = to_signed(latent.sample_labels(3, 1, self.schema))
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
            "height": SIZE,
            "width": SIZE,
            "inputs": {"latents": "latents", "labels": "labels" if self.schema else None},
            "output": "output",
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
            "card": f"{at}/MODEL_CARD.md",
        }

    def _graph(self) -> dict:
        def shape(*sizes: int) -> dict:
            return {"shape": {"dim": [{"size": str(size)} for size in sizes]}}

        def text(value: str) -> dict:
            return {"s": base64.b64encode(value.encode()).decode()}

        floats, whole = {"type": "DT_FLOAT"}, {"type": "DT_INT32"}
        ones = {"list": {"i": ["1", "1", "1", "1"]}}

        def node(name: str, op: str, *inputs: str, **attributes: dict) -> dict:
            return {"name": name, "op": op, "input": list(inputs), "attr": attributes}

        nodes = [
            node("latents", "Placeholder", dtype=floats, shape=shape(-1, LATENT)),
            node("dense", "Const", dtype=floats),
            node("kernel", "Const", dtype=floats),
            node("shape", "Const", dtype=whole),
        ]
        rows = "latents"
        if self.schema is not None:
            rows = "rows"
            nodes += [
                node("labels", "Placeholder", dtype=floats, shape=shape(-1, self.schema.size)),
                node("axis", "Const", dtype=whole),
                node("rows", "ConcatV2", "latents", "labels", "axis", T=floats, N={"i": "2"}),
            ]
        nodes += [
            node("product", "MatMul", rows, "dense", T=floats),
            node("relu", "Relu", "product", T=floats),
            node("cells", "Reshape", "relu", "shape", T=floats, Tshape=whole),
            node(
                "convolution",
                "Conv2D",
                "cells",
                "kernel",
                T=floats,
                strides=ones,
                dilations=ones,
                padding=text("SAME"),
                data_format=text("NHWC"),
            ),
            node(
                "pixels",
                "DepthToSpace",
                "convolution",
                T=floats,
                block_size={"i": str(BLOCK)},
                data_format=text("NHWC"),
            ),
            node("output", "Tanh", "pixels", T=floats),
        ]
        return {"node": nodes, "library": {}, "versions": {}}


def tiny_upscaler(folder: Path) -> dict:
    """Doubles each pixel: a resize and nothing else."""
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
        "models/double/shard.bin": np.asarray([2 * SIZE] * 2, "<i4").tobytes(),
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
    manifest["upscalers"] = [tiny_upscaler(folder)]
    (folder / "tfanime.json").write_text(json.dumps(manifest))
