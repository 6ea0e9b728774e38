"""Networks that stand beside a generator's weights, for browsers: its chooser, which tells broken
images from whole ones, and its encoder, which tells latent and labels of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfanime.export.graph import parity, precision
from tfanime.export.graph.graph import Graph, from_keras
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.web import bundle, tfjs
from tfanime.export.web.check import check_artifact

if TYPE_CHECKING:
    import keras

INPUT = "pictures"


def write(
    folder: Path,
    place: str,
    name: str,
    model: keras.Model,
    images: np.ndarray,
    change: float,
    wanted: str,
    convert: Callable,
) -> dict:
    """Writes the network into `folder / place`, in 16 bits where that leaves what it says alone.

    Args:
        name: `"chooser"` or `"encoder"`.
        model: from images `(B, H, W, 3)` float32 in [-1, 1] to numbers `(B, n)`.
        images: `(n, H, W, 3)` float32 in [-1, 1], what the generator draws.
        change: of these numbers, by which storing weights in 16 bits may move them at most.
        wanted: precision of the export; `"float32"` holds for this network too.
        convert: writes the graph, see `tfjs.convert`.

    Returns:
        The network's entry in the manifest: files and graph.

    Raises:
        RuntimeError: when what was written says something else than the trained network.
    """
    said = np.concatenate(
        [np.asarray(model(images[i : i + 1], training=False)) for i in range(len(images))]
    )
    graph = rewrite(_fed_by(from_keras(model), INPUT))
    few = [images[: precision.CHUNK]]
    parity.close(np.asarray(graph(*few)), said[: precision.CHUNK], f"the {name} as rewritten")
    plan = precision.plan(graph, "float32" if wanted == "float32" else "float16")
    found = precision.draw(plan.graph, [images], plan.weights())
    if not float(np.abs(found - said).max()) <= change:
        plan = precision.plan(graph, "float32")
    home = folder / place
    convert(plan.graph, home, plan.dtypes)
    artifact = tfjs.read(home)
    check_artifact(artifact, plan.graph, plan.weights(), few)
    path = bundle.finish(home)
    shards = bundle.shards(path)
    return {
        "name": name,
        "graph": path.relative_to(folder).as_posix(),
        "precision": plan.precision,
        "weightBytes": sum(shard.stat().st_size for shard in shards),
        "files": bundle.described([path, *shards], folder),
        "inputs": dict(artifact.inputs),
        "output": artifact.output,
    }


def _fed_by(graph: Graph, name: str) -> Graph:
    """The same graph with another name of its input."""
    [old] = graph.inputs
    names = {old: name}
    nodes = tuple(
        replace(
            node,
            name=names.get(node.name, node.name),
            inputs=tuple(names.get(of, of) for of in node.inputs),
        )
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes, inputs=(name,))
