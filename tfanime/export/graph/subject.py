"""A trained model as what is exported: its graph, and images that it draws from known inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.export.graph import precision
from tfanime.export.graph.graph import Graph, from_keras
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.saved import GENERATOR, UPSCALER, Generator, load_generator, load_upscaler

MEASURED_SEED = 0  # its first images are compared
UPSCALED = 8  # images that judge an upscaler


@dataclass(frozen=True, eq=False)
class Subject:
    """A trained model and what it draws.

    Args:
        graph: as trained.
        kind: `"generator"` or `"upscaler"`.
        inputs: `(n, ...)` arrays in the order of the graph's inputs.
        pictures: `(n, H, W, 3)` float32, what Keras draws from them.
        generator: None for an upscaler.
        factor: of an upscaler, else 1.
    """

    graph: Graph
    kind: str
    inputs: list[np.ndarray]
    pictures: np.ndarray
    generator: Generator | None = None
    factor: int = 1


def generator_subject(run: Path) -> Subject:
    generator = load_generator(run)
    if generator.schema is not None and generator.schema.vector_size:
        raise ValueError(
            "A web page draws from attributes, and has no BERT to read texts with. Received: "
            f"{str(run)!r}, which is conditioned on texts. Train one with condition_on=... without "
            "them, or draw with `tfanime imagine`."
        )
    sampler = Sampler(generator)
    inputs = sampler.inputs(MEASURED_SEED, precision.SEEDS)
    pictures = sampler.values(*inputs)
    return Subject(from_keras(generator.model), GENERATOR, inputs, pictures, generator)


def upscaler_subject(run: Path, pictures: np.ndarray) -> Subject:
    upscaler = load_upscaler(run)
    inputs = [pictures[:UPSCALED]]
    # One at a time: enlarged images take much memory.
    large = np.concatenate([upscaler.model(one[None], training=False) for one in inputs[0]])
    return Subject(from_keras(upscaler.model), UPSCALER, inputs, large, factor=upscaler.factor)
