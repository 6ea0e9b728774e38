"""Times drawing: in process beside `keras.Model.predict`, and the command from start to end.

    python scripts/bench/bench_draw.py
    python scripts/bench/bench_draw.py --model runs/girls --n 512 --rounds 5

Rounds alternate between the ways, so that other work on the machine meets all of them; the figure
of each is its median. Wall time says what a user waits for, processor time what it costs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

import tfanime
from tfanime.zoo.saved import load_generator

COMMAND = (sys.executable, "-m", "tfanime", "generate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="busts-64")
    parser.add_argument("--n", type=int, default=256, help="images of a round, in process")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    generator = load_generator(options.model)
    drawn = tfanime.generate(generator, n=options.n, upscale="none")
    inputs = [drawn.latents]
    if drawn.labels is not None:
        inputs.append(2 * drawn.labels - 1)
    inputs = inputs if len(inputs) > 1 else inputs[0]
    ways = {
        "model.predict": lambda: generator.model.predict(inputs, verbose=0),
        "tfanime.generate": lambda: tfanime.generate(generator, n=options.n, upscale="none"),
    }
    seconds = rounds(ways, options.rounds)
    base = median(wall for wall, _ in seconds["model.predict"])
    print(f"{options.n} images of {options.model}, as they are drawn, after a first round:")
    for name, pairs in seconds.items():
        wall, processor = (median(column) for column in zip(*pairs, strict=True))
        print(f"  {name:18} {wall:6.2f} s, {processor:6.2f} s of processors, {wall / base:.2f} x")
    with tempfile.TemporaryDirectory() as folder:
        command = (*COMMAND, options.model, "--n", "16", "--out", f"{folder}/out")
        draw = {"command": lambda: subprocess.run(command, check=True, capture_output=True)}
        pairs = rounds(draw, options.rounds)["command"]
    wall, processor = (median(column) for column in zip(*pairs, strict=True))
    print(f"tfanime generate {options.model} --n 16: {wall:.2f} s, {processor:.2f} s of processors")


def rounds(ways: dict[str, Callable], count: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds, wall and processor, of each way in each of `count` rounds; a first one is left out,
    in which graphs are built."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for number in range(count + 1):
        for name, way in ways.items():
            pair = timed(way)
            if number:
                found[name].append(pair)
    return found


def timed(way: Callable) -> tuple[float, float]:
    """Wall and processor seconds of a call, with those of the processes that it starts."""
    start, used = time.perf_counter(), processor_time()
    way()
    return time.perf_counter() - start, processor_time() - used


def processor_time() -> float:
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in parts)


if __name__ == "__main__":
    main()
