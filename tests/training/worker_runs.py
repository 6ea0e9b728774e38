"""Run by test_workers.py, once a worker: trains several settings after each other.

    python worker_runs.py FOLDER STEPS NAME...

With TF_CONFIG it is one of several workers; with REPLICAS=2 this process has two devices.
"""

import hashlib
import os
import signal
import sys
from pathlib import Path

import tests.quick_start  # noqa: F401  (before all that imports TensorFlow)

# isort: split

import numpy as np

import tfanime
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.training import checkpoint, samples, trainer

TINY = {
    "batch_size": 8,
    "latent_dim": 8,
    "generator": {"channels": 4},
    "discriminator": {"channels": 4},
    "flip": False,
}
# Without batch norm: the batch's mean loss does not depend on how the batch is divided.
PLAIN = {"optimizer": "sgd", "g_lr": 0.01, "d_lr": 0.01, "beta_1": 0.0, "lr_decay_start": None}
SYNCHRONISED = {"sync_batch_norm": True}
NONE = {"generator": {"channels": 4, "normalisation": "none"}}
SETTINGS = {
    "dcgan-dragan-sgd": ("dcgan-dragan", {**PLAIN, **NONE}),
    "wgan-gp-sgd": ("wgan-gp", {**PLAIN, **NONE, "critic_steps": 2}),
    "dcgan-dragan-adam": ("dcgan-dragan", SYNCHRONISED),
    "wgan-gp-adam": ("wgan-gp", {**SYNCHRONISED, "critic_steps": 2}),
    "own-statistics": ("dcgan-dragan", {}),
    "killed": ("dcgan-dragan", SYNCHRONISED),
}


def data(size=16, count=64):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, size, size, 3), np.uint8)
    labels = random.integers(0, 2, (count, MAKEGIRLSMOE.size)).astype(np.float32)
    return tfanime.from_arrays(images, labels, MAKEGIRLSMOE)


def run(folder, name, steps, **options):
    recipe, changes = SETTINGS[name]
    options = {"checkpoint_every": 2, "tensorboard": False, "progress": False, **options}
    return tfanime.train(
        recipe, data(), out=Path(folder) / name, steps=steps, **{**TINY, **changes}, **options
    )


def record(folder, worker, die_at=None):
    """Notes the weights that this worker compares with the others at every checkpoint."""
    compared = checkpoint.digest

    def digest(arrays):
        found = hashlib.sha256(b"".join(arrays[key].tobytes() for key in sorted(arrays)))
        with (Path(folder) / f"worker{worker}.txt").open("a") as file:
            file.write(f"{arrays['gan/0000']} {found.hexdigest()}\n")
        if die_at is not None and arrays["gan/0000"] == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return compared(arrays)

    checkpoint.digest = digest


def main():
    folder, steps, *names = sys.argv[1:]
    # Drawing takes longer than such training.
    trainer.draw_curves, samples.COUNT = lambda run: None, 16
    strategy = "multiworker"
    if os.environ.get("REPLICAS"):
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        devices = [tf.config.LogicalDeviceConfiguration()] * int(os.environ["REPLICAS"])
        tf.config.set_logical_device_configuration(cpu, devices)
        strategy = "mirrored"
    else:
        import json

        index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        dies = index == 1 and os.environ.get("DIE_AT")
        record(folder, index, int(dies) if dies else None)
    if strategy == "mirrored":  # the first is continued
        run(folder, names[0], int(steps) // 2, strategy=strategy)
    for name in names:
        run(folder, name, int(steps), strategy=strategy)


if __name__ == "__main__":
    main()
