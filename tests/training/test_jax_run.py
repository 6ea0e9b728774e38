"""Runs under KERAS_BACKEND=jax without TensorFlow; what one backend began the other continues."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import arrays_of

import tfanime
from tests import jax_process
from tfanime.training.checkpoint import checkpoints

HERE = Path(__file__).parent
OPTIONS = {
    "batch_size": 8,
    "seed": 3,
    "generator": {"channels": 4},
    "discriminator": {"channels": 4},
    "progress": False,
}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("eager")]


def train(packed, out, steps):
    return tfanime.train("dcgan-dragan", packed, out=out, steps=steps, **OPTIONS)


@pytest.fixture(scope="module")
def folder(eager, packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backends")
    train(packed, folder / "begun", 2)
    done = subprocess.run(
        [sys.executable, HERE / "jax_run.py", folder, packed],
        env={
            **os.environ,
            **jax_process.environment(folder / "compiled"),
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": str(HERE.parents[1]),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    (folder / "said").write_text(done.stderr)
    return folder


def newest(run):
    return arrays_of(checkpoints(run)[-1])


def assert_close(mine, theirs):
    assert mine.keys() == theirs.keys()
    assert mine["gan/0000"] == theirs["gan/0000"] == 4
    for key in mine:
        np.testing.assert_allclose(mine[key], theirs[key], rtol=0, atol=1e-4, err_msg=key)


def test_jax_continues_what_tensorflow_began(folder, packed):
    shutil.copytree(folder / "begun", folder / "here")
    train(packed, folder / "here", 4)
    assert_close(newest(folder / "here"), newest(folder / "continued"))


def test_tensorflow_continues_what_jax_began(folder, packed):
    shutil.copytree(folder / "jax", folder / "jax-continued")
    run = train(packed, folder / "jax-continued", 4)
    assert (run.step, run.finished) == (4, True)
    assert all(np.isfinite(array).all() for array in newest(run.path).values())


def test_both_draw_the_same_pictures(folder):
    mine = tfanime.generate(folder / "begun", n=8, seed=5, tags={"hair": "blue"}).images
    loop = tfanime.interpolate(folder / "begun", seeds=[1, 2], frames=2).images
    with np.load(folder / "drawn.npz") as drawn:
        for one, other in ((mine, drawn["faces"]), (loop, drawn["loop"])):
            assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


def test_a_run_is_whole_without_tensorflow(folder):
    names = {file.name for file in (folder / "jax").iterdir()}
    assert names >= {"config.json", "report.md", "final.png", "samples", "checkpoints"}
    assert "tensorboard" not in names
    with Image.open(folder / "sheet.png") as sheet:
        sheet.load()


def test_what_needs_tensorflow_says_so(folder):
    said = (folder / "said").read_text()
    assert "TensorBoard's files need TensorFlow" in said
    assert "strategy is 'auto' or 'none'. Received: 'mirrored'" in said
    assert "This needs TensorFlow, which is not installed" in said and "Traceback" not in said
