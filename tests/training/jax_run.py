"""Run by test_jax_run.py in a process where TensorFlow cannot be imported.

    python jax_run.py FOLDER PACKED

FOLDER holds `begun`, a run that TensorFlow has trained for two steps.
"""

import shutil
import sys
from pathlib import Path

import tests.quick_start  # noqa: F401
import tests.without_tensorflow  # noqa: F401  (before all that would import it)

# isort: split

import numpy as np

import tfanime
from tfanime.cli import main


def command(*words):
    """What `tfanime WORDS` does in a shell; its exit code."""
    try:
        main(list(map(str, words)), prog_name="tfanime")
    except SystemExit as end:
        return end.code or 0
    return 0


folder, packed = map(Path, sys.argv[1:])
small = ["--set", "generator.channels=4", "--set", "discriminator.channels=4", "--batch", "8"]
train = ["train", "dcgan-dragan", "--data", packed, *small, "--seed", "3"]
shutil.copytree(folder / "begun", folder / "continued")
assert command(*train, "--out", folder / "continued", "--steps", "4") == 0
assert command("generate", folder / "continued", "--n", "8", "--grid", folder / "sheet.png") == 0
faces = tfanime.generate(folder / "begun", n=8, seed=5, tags={"hair": "blue"})
loop = tfanime.interpolate(folder / "begun", seeds=[1, 2], frames=2)
np.savez(folder / "drawn.npz", faces=faces.images, loop=loop.images)
# The other way round: begun here.
data = tfanime.load_data(packed)
options = {"batch_size": 8, "generator": {"channels": 4}, "discriminator": {"channels": 4}}
run = tfanime.train(
    "dcgan-dragan", data, out=folder / "jax", steps=2, seed=3, progress=False, **options
)
assert (run.step, run.finished) == (2, True)
# What needs TensorFlow says so in a sentence.
assert command("export", "web", folder / "begun", "--out", folder / "site") == 1
assert command(*train, "--out", folder / "x", "--steps", "1", "--strategy", "mirrored") == 2
assert "tensorflow" not in sys.modules
