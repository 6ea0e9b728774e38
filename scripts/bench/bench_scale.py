#!/usr/bin/env python
"""Memory of preparing a set in parts, and of training on one in object storage, by its size.

    python scripts/bench/bench_scale.py
    python scripts/bench/bench_scale.py --faces 1000000 --per-part 10000 --times 1 \\
        --size 32 --engine ray --steps 1000

The faces are drawn into a set at a `file://` address, which is read as object storage is, by
ranges. To be a large set without drawing all of it, the last set's manifest can name the same
shards many times (`--times`): to all that reads it, these are other images. Each step is a process
of its own, whose resident memory is read from the kernel; with `--engine ray` (extra `parallel`)
that of its workers is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ENGINES = ("none", "ray")


def prepare(out: str, faces: int, per_part: int, size: int, engine: int) -> dict:
    from tfanime.prepare.parallel import prepare_parallel

    start = time.perf_counter()
    prepare_parallel(f"drawn:{faces}", out, size, ENGINES[engine], per_part, progress=False)
    return {"seconds": time.perf_counter() - start}


def repeat(folder: Path, out: Path, times: int) -> None:
    """The set so many times over, with links to the same images."""
    import numpy as np

    out.mkdir()
    manifest = json.loads((folder / "dataset.json").read_text())
    for shard in manifest["shards"]:
        os.link(folder / shard["file"], out / shard["file"])
    manifest["shards"] *= times
    manifest["count"] *= times
    np.save(out / "labels.npy", np.tile(np.load(folder / "labels.npy"), (times, 1)))
    (out / "dataset.json").write_text(json.dumps(manifest))


def batches(address: str, steps: int) -> dict:
    """Memory after a tenth of the steps, and after all of them; without TensorFlow."""
    import tfanime

    data = tfanime.load_data(address)
    found, start = {"images": data.count}, time.perf_counter()
    for step, _ in zip(range(steps), data.batches(64, seed=1, flip=True), strict=False):
        if step + 1 in (steps // 10, steps):
            found[f"MB after {step + 1}"] = resident()
    found["images/s"] = steps * 64 / (time.perf_counter() - start)
    return found


def train(address: str, steps: int) -> dict:
    """Memory of a training of small networks when each tenth of its batches has been read."""
    import tfanime

    data = tfanime.load_data(address)
    found, read = {"images": data.count}, data.batches
    marks = {1, *(tenth * steps // 10 for tenth in range(1, 11))}

    def watched(*arguments, **options):
        for number, batch in enumerate(read(*arguments, **options), 1):
            if number in marks:
                found[f"MB after {number}"] = resident()
            yield batch

    data.batches = watched
    small = {"name": "dcgan", "channels": 8}
    with tempfile.TemporaryDirectory() as temporary:
        tfanime.train(
            "dcgan",
            data,
            out=Path(temporary) / "run",
            steps=steps,
            image_size=(data.height, data.width),
            batch_size=64,
            generator=small,
            discriminator=small,
            tensorboard=False,
            progress=False,
            sample_every=10**6,
            checkpoint_every=max(1, steps // 10),
        )
    return found


def resident() -> float:
    """Megabytes of this process's own in memory now: pages of files are not counted."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1000


def step(verb: str, *arguments: object) -> dict:
    words = [sys.executable, __file__, "--step", verb, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, nargs="+", default=[500, 2000], help="of each set")
    parser.add_argument("--per-part", type=int, default=250)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--engine", choices=ENGINES, default="none")
    parser.add_argument("--times", type=int, nargs="+", default=[10, 500])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        verb, address, *numbers = options.step
        done = {"prepare": prepare, "batches": batches, "train": train}[verb]
        found = done(address, *map(int, numbers))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(json.dumps({k: round(v, 1) for k, v in found.items()} | {"peak MB": round(peak)}))
        return
    scratch = Path(tempfile.mkdtemp(prefix="bench_scale_"))
    os.environ["TFANIME_CACHE"] = str(scratch / "cache")
    how = (options.per_part, options.size, ENGINES.index(options.engine))
    try:
        for faces in options.faces:
            out = scratch / f"faces-{faces}"
            said = step("prepare", out, faces, *how)
            print(f"preparing {faces} in parts of {options.per_part}:", said, flush=True)
        for times in options.times:
            repeat(scratch / f"faces-{options.faces[-1]}", scratch / f"{times}", times)
            address = f"file://{scratch}/{times}"
            print("batches:", step("batches", address, 10 * options.steps), flush=True)
            print("training:", step("train", address, options.steps), flush=True)
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
