"""What the site mixes two faces with, where a generator has styles."""

from __future__ import annotations

from tfanime.export.graph.graph import Node
from tfanime.export.web.tfjs import Artifact
from tfanime.models.mixing import style_groups
from tfanime.zoo.saved import Generator


def described(generator: Generator, artifact: Artifact) -> dict[str, list[str]]:
    """What the manifest says of a generator's styles: by group, the nodes of the graph that make
    scales and shifts of the style. A page takes what they give for one face, and draws another
    with it, so that the graph itself is that of any generator.

    Empty without styles, and where the official converter wrote the graph, which names its nodes
    otherwise.
    """
    names = {node["name"] for node in artifact.topology["node"]}
    groups = {
        group: [Node(layer, "dense").scope for layer in layers]
        for group, layers in style_groups(generator.model).items()
    }
    return groups if names.issuperset(sum(groups.values(), [])) else {}
