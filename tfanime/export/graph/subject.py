"""A trained model as what is exported: its graph, and images that it draws from known inputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.export.graph import precision
from tfanime.export.graph.graph import Graph, from_keras
from tfanime.zoo.saved import GENERATOR, UPSCALER, Generator, load_generator, load_upscaler

MEASURED_SEED = 0  # its first pictures are compared
UPSCALED = 8  # pictures that judge an upscaler


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
    inputs = drawn_inputs(generator, MEASURED_SEED, precision.SEEDS)
    pictures = by_keras(generator.model, inputs)
    return Subject(from_keras(generator.model), GENERATOR, inputs, pictures, generator)


def upscaler_subject(run: Path, pictures: np.ndarray) -> Subject:
    upscaler = load_upscaler(run)
    inputs = [pictures[:UPSCALED]]
    large = by_keras(upscaler.model, inputs)
    return Subject(from_keras(upscaler.model), UPSCALER, inputs, large, factor=upscaler.factor)


def drawn_inputs(generator: Generator, seed: int, n: int) -> list[np.ndarray]:
    inputs = [seeds.latents(seed, n, generator.latent_dim)]
    if generator.schema is not None:
        inputs.append(to_signed(seeds.sample_labels(seed, n, generator.schema)))
    return inputs


def by_keras(model, inputs: list[np.ndarray]) -> np.ndarray:
    step = precision.CHUNK
    parts = [[x[i : i + step] for x in inputs] for i in range(0, len(inputs[0]), step)]
    drawn = [model(part if len(part) > 1 else part[0], training=False) for part in parts]
    return np.concatenate([np.asarray(part, np.float32) for part in drawn])
