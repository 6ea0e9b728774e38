"""What tells broken images from whole ones, where a generator has it: its network for browsers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfanime.export.graph import parity, precision
from tfanime.export.graph.graph import Graph, from_keras
from tfanime.export.graph.rewrite import rewrite
from tfanime.export.web import bundle, tfjs
from tfanime.export.web.check import check_artifact
from tfanime.zoo.chooser import Chooser

INPUT = "pictures"
CHANGE = 0.005  # of a score by storing weights in 16 bits; scores are about 0 to 1


def write(
    folder: Path, place: str, chooser: Chooser, images: np.ndarray, wanted: str, convert: Callable
) -> dict:
    """Writes the network into `folder / place`, in 16 bits where that leaves its scores alone.

    Args:
        images: `(n, H, W, 3)` float32 in [-1, 1], what the generator draws.
        wanted: precision of the export; `"float32"` holds for this network too.
        convert: writes the graph, see `tfjs.convert`.

    Returns:
        The chooser's entry in the manifest: files and graph, and the border of its scores.

    Raises:
        RuntimeError: when what was written scores otherwise than the trained network.
    """
    scores = np.concatenate([chooser(images[i : i + 1]) for i in range(len(images))])[:, None]
    graph = rewrite(_fed_by(from_keras(chooser.model), INPUT))
    few = [images[: precision.CHUNK]]
    parity.close(np.asarray(graph(*few)), scores[: precision.CHUNK], "the chooser as rewritten")
    plan = precision.plan(graph, "float32" if wanted == "float32" else "float16")
    found = precision.draw(plan.graph, [images], plan.weights())
    if not float(np.abs(found - scores).max()) <= CHANGE:
        plan = precision.plan(graph, "float32")
    home = folder / place
    convert(plan.graph, home, plan.dtypes)
    artifact = tfjs.read(home)
    check_artifact(artifact, plan.graph, plan.weights(), few)
    path = bundle.finish(home)
    shards = bundle.shards(path)
    return {
        "name": "chooser",
        "graph": path.relative_to(folder).as_posix(),
        "precision": plan.precision,
        "weightBytes": sum(shard.stat().st_size for shard in shards),
        "files": bundle.described([path, *shards], folder),
        "inputs": dict(artifact.inputs),
        "output": artifact.output,
        "border": chooser.border,
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
