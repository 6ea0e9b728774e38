"""JAX's step is TensorFlow's, from one checkpoint, batch and noise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import jax_process
from tests.recipes.representatives import NAMES, batch_of, config_of, schema_of
from tfanime.core.files import read_json, write_json
from tfanime.training import checkpoint
from tfanime.training.build import build_gan

ROOT = Path(__file__).parents[2]
PRECISE = 1e-4
NAMED = [name for name in NAMES if name != "dcgan-dragan"]  # which test_jax_run.py trains by both
# Adam makes steps of one size out of gradients of any size, and enlarges rounding. Two updates of
# the critic: each is compiled.
MORE = {
    "wgan-gp": {"critic_steps": 2, "optimizer": "sgd", "beta_1": 0.0, "g_lr": 1e-4, "d_lr": 1e-4}
}


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    """A folder a recipe: a checkpoint after one step, a batch, and the next step by both."""
    root = tmp_path_factory.mktemp("steps")
    for name in NAMED:
        schema, config = schema_of(name), config_of(name, **MORE.get(name, {}))
        first, data = (batch_of(name, config, seed=seed) for seed in (1, 2))
        gan = build_gan(config, schema)
        gan.train_step(first)
        folder = root / name
        checkpoint.save(gan, folder, {})
        write_json(folder / "config.json", {"config": config.to_json(), "labels": schema.to_json()})
        np.savez(folder / "batch.npz", **{key: value.numpy() for key, value in data.items()})
        logs = gan.train_step(data)
        write_json(folder / "tensorflow.json", {key: float(value) for key, value in logs.items()})
        np.savez(folder / "tensorflow.npz", **checkpoint.arrays_of(gan))
    keras.mixed_precision.set_global_policy("float32")
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "jax_steps.py", root],
        env={
            **os.environ,
            **jax_process.environment(),
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return root


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.slow
def test_one_step_agrees(stepped, name):
    mine, theirs = (read_json(stepped / name / f"{kind}.json") for kind in ("tensorflow", "jax"))
    assert mine.keys() == theirs.keys()
    for key in mine:
        # The gradient of a penalty of gradients enlarges rounding most.
        rel = (50 if name == "wgan-gp" else 10) * PRECISE if key.endswith("grad_norm") else PRECISE
        assert theirs[key] == pytest.approx(mine[key], rel=rel, abs=PRECISE), key
    mine, theirs = (np.load(stepped / name / f"{kind}.npz") for kind in ("tensorflow", "jax"))
    with mine, theirs:
        assert mine.files == theirs.files
        for key in mine.files:
            atol = PRECISE
            if "optimizer" in key:  # moments are as large as gradients and their squares
                atol += 5e-3 * np.abs(mine[key]).max(initial=0)
            np.testing.assert_allclose(theirs[key], mine[key], rtol=0, atol=atol, err_msg=key)
