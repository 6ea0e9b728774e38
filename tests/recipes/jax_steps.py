"""Run by test_jax.py in a process without TensorFlow: one step of every GAN in a folder, by JAX."""

import sys
from pathlib import Path

import tests.quick_start  # noqa: F401
import tests.without_tensorflow  # noqa: F401  (before all that would import it)

# isort: split

import jax
import numpy as np

from tfanime.core.files import read_json, write_json
from tfanime.core.labels import LabelSchema
from tfanime.gans import backend
from tfanime.recipes.config import Config
from tfanime.training import checkpoint
from tfanime.training.build import build_gan


def nothing(*_, shape, dtype, **__):
    return np.zeros(shape, dtype)


# Weights come from checkpoints. To draw them first would compile a program for every shape.
jax.random.uniform = jax.random.normal = jax.random.truncated_normal = nothing

for folder in sorted(Path(sys.argv[1]).iterdir()):
    described = read_json(folder / "config.json")
    gan = build_gan(
        Config.from_json(described["config"]), LabelSchema.from_json(described["labels"])
    )
    checkpoint.restore(gan, checkpoint.checkpoints(folder)[-1])
    with np.load(folder / "batch.npz") as stored:
        batch = dict(stored)
    step = backend.compiled(gan)
    logs = step(batch)
    write_json(folder / "jax.json", {name: float(value) for name, value in logs.items()})
    np.savez(folder / "jax.npz", **checkpoint.arrays_of(gan))
assert "tensorflow" not in sys.modules
