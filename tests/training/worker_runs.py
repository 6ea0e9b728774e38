"""Run by test_workers.py: trains several settings after each other, in processes of their own.

    python worker_runs.py

Each line of the standard input is `{"folder": ..., "names": [...], "environments": [{...}, ...]}`.
It starts a process for every environment, and is answered by `{"folder": ..., "codes": [...]}`,
their exit codes, when all have ended; other lines may come meanwhile. Their errors are in
FOLDER/said0.txt, said1.txt. With TF_CONFIG a process is one of several workers, with REPLICAS=2 it
has two devices. They are forked from one that has imported TensorFlow, and done nothing with it:
importing takes as long as training.
"""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import tests.quick_start  # noqa: F401  (before all that imports TensorFlow)

# isort: split

import numpy as np

import tfanime
from tfanime.core.labels import MAKEGIRLSMOE, LabelSchema
from tfanime.training import checkpoint, samples, trainer

# A group and a flag: every field has operations of its own, which take long to trace for two
# devices. The weight is that of all of MakeGirlsMoe's.
SCHEMA = LabelSchema((MAKEGIRLSMOE.field("hair"), MAKEGIRLSMOE.field("smile")))
WEIGHT = {"adversarial_weight": MAKEGIRLSMOE.size}
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
    "dcgan-dragan-sgd": ("dcgan-dragan", {**PLAIN, **NONE, **WEIGHT}),
    "wgan-gp-sgd": ("wgan-gp", {**PLAIN, **NONE, "critic_steps": 2}),
    "dcgan-dragan-adam": ("dcgan-dragan", {**SYNCHRONISED, **WEIGHT}),
    "wgan-gp-adam": ("wgan-gp", {**SYNCHRONISED, "critic_steps": 2}),
    "own-statistics": ("dcgan-dragan", WEIGHT),
    "killed": ("dcgan-dragan", {**SYNCHRONISED, **WEIGHT}),
}
STEPS = 4
WAIT = 600  # seconds; a lost worker is noticed within a few


def data(size=16, count=64):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, size, size, 3), np.uint8)
    labels = random.integers(0, 2, (count, SCHEMA.size)).astype(np.float32)
    return tfanime.from_arrays(images, labels, SCHEMA)


def run(folder, name, steps=STEPS, **options):
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


def train(folder, names):
    # Drawing takes longer than such training.
    trainer.draw_curves, samples.COUNT = lambda run: None, 16
    if os.environ.get("REPLICAS"):
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        devices = [tf.config.LogicalDeviceConfiguration()] * int(os.environ["REPLICAS"])
        tf.config.set_logical_device_configuration(cpu, devices)
        strategy = "mirrored"
        run(folder, names[0], STEPS // 2, strategy=strategy)  # which is continued
    else:
        from tensorflow.python.distribute.collective_all_reduce_strategy import (
            CollectiveAllReduceExtended,
        )

        # Seconds between two looks at the others. By itself TensorFlow waits for half a minute.
        CollectiveAllReduceExtended._check_health_interval = 1
        strategy = "multiworker"
        index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        dies = index == 1 and os.environ.get("DIE_AT")
        record(folder, index, int(dies) if dies else None)
    for name in names:
        run(folder, name, strategy=strategy)


def main():
    for line in sys.stdin:
        if os.fork():
            continue
        job, children = json.loads(line), []
        for i, environment in enumerate(job["environments"]):
            child = os.fork()
            if not child:  # from here on a process like any other
                signal.alarm(WAIT)
                os.environ.update(environment)
                said = f"{job['folder']}/said{i}.txt"
                for stream, path in ((sys.stdout, os.devnull), (sys.stderr, said)):
                    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                    os.dup2(handle, stream.fileno())
                return train(job["folder"], job["names"])
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(json.dumps({"folder": job["folder"], "codes": codes}), flush=True)
        return


if __name__ == "__main__":
    main()
