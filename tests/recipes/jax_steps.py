"""Run by test_jax.py in a process without TensorFlow: one step of every GAN in a folder, by JAX."""

import sys
from importlib.abc import MetaPathFinder
from pathlib import Path


class NoTensorFlow(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow'", name=name)
        return None


sys.meta_path.insert(0, NoTensorFlow())

import numpy as np  # noqa: E402

from tfanime.config import Config  # noqa: E402
from tfanime.files import read_json, write_json  # noqa: E402
from tfanime.gans import backend  # noqa: E402
from tfanime.labels import LabelSchema  # noqa: E402
from tfanime.training import checkpoint  # noqa: E402
from tfanime.training.build import build_gan  # noqa: E402

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
