"""Times drawing: in process beside `keras.Model.predict`, the command beside an import of Keras.

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
from functools import partial
from statistics import median

import tfanime
from tfanime import zoo
from tfanime.sampling import upscale
from tfanime.zoo.chooser import has_chooser
from tfanime.zoo.saved import Generator, load_generator

IMPORT = (sys.executable, "-c", "from tfanime.core import lean; lean.install(); import keras")
COMMAND = (sys.executable, "-m", "tfanime", "generate")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=zoo.DEFAULT)
    parser.add_argument("--n", type=int, default=256, help="images of a round, in process")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    generator = load_generator(options.model)
    print(f"{options.n} images of {options.model}, as they are drawn, after a first round:")
    report(rounds(in_process(generator, options.n, "none"), options.rounds))
    upscaler = upscale.chosen(generator, None)
    if upscaler is not None:
        print(f"and enlarged by {upscaler.name}, {options.n // 8} images:")
        report(rounds(in_process(generator, options.n // 8, upscaler), options.rounds))
    with tempfile.TemporaryDirectory() as folder:
        command = (*COMMAND, options.model, "--n", "16", "--grid", f"{folder}/sheet.png")
        ways = {
            "import keras, lean": partial(started, IMPORT),
            "tfanime generate --n 16": partial(started, command),
            "the same, --no-choose": partial(started, (*command, "--no-choose")),
        }
        print("processes from start to end:")
        report(rounds(ways, options.rounds))


def in_process(generator: Generator, n: int, upscaler: object) -> dict[str, Callable]:
    """Keras's way and ours of drawing the same images."""
    drawn = tfanime.generate(generator, n=n, upscale="none", choose=False)
    inputs = [drawn.latents]
    if drawn.labels is not None:
        inputs.append(2 * drawn.labels - 1)

    def predict():
        images = generator.model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
        return images if upscaler == "none" else upscaler.model.predict(images, verbose=0)

    ours = partial(tfanime.generate, generator, n=n, upscale=upscaler)
    ways = {"model.predict": predict, "tfanime.generate": partial(ours, choose=False)}
    return ways | ({"chosen ones": ours} if has_chooser(generator.folder) else {})


def started(words: tuple[str, ...]) -> None:
    subprocess.run(words, check=True, capture_output=True)


def report(seconds: dict[str, list[tuple[float, float]]]) -> None:
    """A line a way: medians, and the ratio of its wall time to that of the first."""
    base = median(wall for wall, _ in next(iter(seconds.values())))
    for name, pairs in seconds.items():
        wall, processor = (median(column) for column in zip(*pairs, strict=True))
        print(f"  {name:24} {wall:6.2f} s, {processor:6.2f} s of processors, {wall / base:.2f} x")


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
