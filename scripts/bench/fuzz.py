"""Hostile input of every class, for a given time, with counts.

    python scripts/bench/fuzz.py --seconds 30 --only images,tables --seed 0

Prints, for each class, how many cases were tried and how many were bad, and the first bad ones.
A case is good if it works, or fails with one clear sentence, in little time and memory; what
exactly is in the file of the class. Everything stays on this machine: servers listen on its
loopback. The time of a class starts with its first case, when what it needs is made; that case
is tried however long it takes. The exit code is 1 if any case was bad. docs/reliability.md has
the counts of the last run.

    images         damaged images of every format and mode
    tables         tables of labels in every encoding, with cells of every kind; dataset.json
    archives       members that point outside, links, devices, bombs, damage
    runs           run folders of strangers, drawn from: code, sizes, paths, damage
    checkpoints    a training goes on after its files were damaged
    kills          kill -9 at any moment, then the same command: equal bits
    imagine        texts, and a run that names its own text encoder
    collectors     sites that misbehave, through the client of `tfanime collect`
    client         model servers that misbehave
    web            requests to `tfanime web serve` for what is not in its folder
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

# Class to its module and function: `function(random, folder)` yields "" for a good case, and for
# a bad one what is wrong.
CLASSES = {
    "images": ("fuzz_images", "run"),
    "tables": ("fuzz_tables", "run"),
    "archives": ("fuzz_archives", "run"),
    "runs": ("fuzz_runs", "runs"),
    "checkpoints": ("fuzz_training", "checkpoints"),
    "kills": ("fuzz_training", "kills"),
    "imagine": ("fuzz_texts", "run"),
    "collectors": ("fuzz_network", "collectors"),
    "client": ("fuzz_network", "client"),
    "web": ("fuzz_network", "web"),
}
SHOWN, LONGEST = 5, 300  # bad cases of a class, and characters of each


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30, help="for each class")
    parser.add_argument("--only", help=f"some of: {', '.join(CLASSES)}")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(CLASSES)
    if unknown := sorted(set(names) - set(CLASSES)):
        parser.error(f"--only takes some of: {', '.join(CLASSES)}. Received: {unknown[0]}.")
    print(f"seed {options.seed}, {options.seconds:g} s a class\n", flush=True)
    print("| class | tried | bad | s |\n|---|---|---|---|", flush=True)
    bad = {}
    for name in names:
        tried, bad[name], seconds = attack(name, options.seconds, options.seed)
        print(f"| {name} | {tried:,} | {len(bad[name]):,} | {seconds:.0f} |", flush=True)
    for name, problems in bad.items():
        different = list(dict.fromkeys(problems))
        for problem in different[:SHOWN]:
            print(f"\n{name}: {problem[:LONGEST]}", end="")
        if len(different) > SHOWN:
            print(f"\n{name}: and {len(different) - SHOWN} others", end="")
    print()
    return int(any(bad.values()))


def attack(name: str, seconds: float, seed: int) -> tuple[int, list[str], float]:
    """How many cases of a class were tried, what was wrong with the bad ones, and the time."""
    module, function = CLASSES[name]
    begun, started, tried, bad = time.monotonic(), None, 0, []
    with tempfile.TemporaryDirectory(prefix="tfanime-fuzz-") as folder:
        # Not the user's cache, whatever a class makes it hold.
        os.environ["TFANIME_CACHE"] = str(Path(folder) / "cache")
        work = Path(folder) / "work"
        work.mkdir()
        cases = getattr(importlib.import_module(module), function)(Random(seed), work)
        with silent():
            for problem in cases:
                tried += 1
                bad += [problem] if problem else []
                started = started or time.monotonic()
                if time.monotonic() - started > seconds:
                    break
            cases.close()
    return tried, bad, time.monotonic() - begun


@contextmanager
def silent() -> Iterator[None]:
    """Nothing is written to stderr, by libraries in C neither; libtiff tells what it dislikes."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
