"""Training speed: ours beside the plain Keras way of writing the same GAN, in one run.

    python scripts/bench/bench_train.py [--recipes dcgan makegirlsmoe] [--size 64] [--rounds 5]

Every recipe, with the 34 labels of MakeGirlsMoe where it takes labels. Both train the same networks
with the same losses on the same batch; the plain way is that of the Keras examples: sample, update
the discriminator, sample again, draw again, update the generator, with `jit_compile=False` (XLA
would slow it down further on a CPU). It keeps no average of the generator. Where a recipe
updates both networks simultaneously (`makegirlsmoe`, `dcgan-dragan`, `modern`), plain Keras has no
such step and does the same in turn. `projected` has no plain counterpart and is measured alone,
with its second discriminator, which is asked in every second step, at work from the first one on.
Rounds alternate between the two, so a machine that drifts slows both; images/s are medians over
rounds. Peak memory is that of a process of its own for each.

`M/picture` is what a step has to compute: multiply-adds of convolutions and dense layers, with a
backward pass counted twice a forward; see `operations`.

`--processor-time` counts the seconds that the cores worked for the step, divided by their number:
what can be measured where other work has its share of them. It leaves out waiting.

`--torch PYTHON` measures only `dcgan`: ours, plain Keras, and the same networks, losses and steps
in PyTorch (`torch_dcgan.py`: channels last, autocast), run by that Python, which has torch. Rounds
go through the three in this order.

Then `bench_ways.py`: TensorFlow in one process, on two logical devices and in two processes, JAX,
and the input pipeline alone, for the first of the recipes. `--measure time` leaves out memory and
these. `--work` measures nothing: it prints what a recipe has to compute and to keep at that size.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import tfanime  # noqa: F401  (keeps TensorFlow's start-up noise off the terminal)

# isort: split
import tensorflow as tf
from multiply_adds import operations
from plain_gan import PlainGAN

from tfanime import recipes
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.training.build import build_gan
from tfanime.training.checkpoint import state_of

PRECISIONS = ("float32", "mixed_bfloat16")
MEASURED = ("time", "memory", "ways")
ROUND = 64  # images of a round's step at least; recipes with small batches take more steps


class Case(NamedTuple):
    """What is trained; no batch means the recipe's."""

    recipe: str
    size: int
    precision: str = "float32"
    batch: int | None = None


def resolved(case):
    settings = {} if case.batch is None else {"batch_size": case.batch}
    config = recipes.get(case.recipe)
    if config.projected is not None:
        settings["projected_weight"] = config.projected_weight.end
    return config.override(image_size=case.size, precision=case.precision, **settings)


def ways(case):
    """Whether plain Keras takes the step, of each way that there is."""
    return (False, True) if recipes.get(case.recipe).projected is None else (False,)


def build(case, plain):
    """The compiled step of one of the two, a batch for it, its images, and the GAN."""
    config, size = resolved(case), case.size
    conditional = config.conditioning != "none"
    gan = build_gan(config, MAKEGIRLSMOE if conditional else None)
    rows = config.batch_size * config.critic_steps
    batch = {"images": tf.random.uniform((rows, size, size, 3), -1, 1)}
    if conditional:
        signs = tf.sign(tf.random.normal((rows, MAKEGIRLSMOE.size)))
        batch |= {"labels": signs, "condition": signs}
    model = PlainGAN(gan) if plain else gan
    return tf.function(model.train_step, autograph=False), batch, rows, gan


def processor_time():
    """Seconds that all cores would have taken if this process had them for itself."""
    return time.process_time() / len(os.sched_getaffinity(0))


def seconds_of(step, batch, steps, clock=time.perf_counter):
    started = clock()
    for _ in range(steps):
        logs = step(batch)
    float(next(iter(logs.values())))
    return (clock() - started) / steps


class Torch:
    """`torch_dcgan.py` in a process of its own, as a step like ours."""

    def __init__(self, python, case, rows, clock):
        script = Path(__file__).with_name("torch_dcgan.py")
        kind = "processor" if clock is processor_time else "wall"
        words = [python, script, *map(str, (case.size, rows, case.precision, kind))]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def seconds_of(self, steps):
        print(steps, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def compare_with_torch(python, case, rounds, steps, clock):
    """Prints a row: images/s of ours, plain Keras and PyTorch, in turn."""
    ours, batch, rows, gan = build(case, plain=False)
    plain, *_ = build(case, plain=True)
    theirs, work = Torch(python, case, rows, clock), operations(gan, rows)

    def take(count):
        first = [seconds_of(step, batch, count, clock) for step in (ours, plain)]
        return (*first, theirs.seconds_of(count))

    take(2)
    times = [take(steps) for _ in range(rounds)]
    theirs.process.communicate()
    mine, *others = (statistics.median(column) for column in zip(*times, strict=True))
    figures = [f"{rows / mine:.1f}"]
    for i, other in enumerate(others, 1):
        ratio = statistics.median(one[i] / one[0] for one in times)
        figures += [f"{rows / other:.1f}", f"{ratio:.2f}x"]
    row(case.recipe, case.precision, *figures, f"{work / mine:.0f}")


def compare(case, rounds, steps, measured, clock):
    """Prints a row: images/s and peak memory of each way, as far as `measured` says."""
    rates, memory, second = (["-"] * 3), ["-"] * 2, "-"
    ours, batch, rows, gan = build(case, plain=False)
    work = operations(gan, rows)
    if "time" in measured:
        taken = [ours, *(build(case, plain=True)[0] for plain in ways(case) if plain)]
        for step in taken:
            seconds_of(step, batch, 2)
        steps *= max(1, ROUND // rows)
        times = [
            tuple(seconds_of(step, batch, steps, clock) for step in taken) for _ in range(rounds)
        ]
        medians = [statistics.median(column) for column in zip(*times, strict=True)]
        rates[: len(medians)] = [f"{rows / seconds:.1f}" for seconds in medians]
        if len(medians) > 1:
            rates[2] = f"{statistics.median(b / a for a, b in times):.2f}x"
        second = f"{work / medians[0]:.0f}"
    if "memory" in measured:
        peaks = [f"{peak_memory(case, plain):.0f}" for plain in ways(case)]
        memory[: len(peaks)] = peaks
    row(case.recipe, case.precision, *rates, *memory, f"{work / rows * 1e3:.0f}", second)


def row(recipe, precision, *figures):
    print(f"{recipe:<14} {precision:<15}", *(f"{figure:>9}" for figure in figures), flush=True)


def count(case):
    """Prints what a recipe computes and keeps; takes no step."""
    config = resolved(case)
    gan = build_gan(config, MAKEGIRLSMOE if config.conditioning != "none" else None)
    rows = config.batch_size * config.critic_steps
    trained = gan.generator_variables + gan.discriminator_variables
    kept = state_of(gan).values()
    parameters, numbers = (sum(math.prod(v.shape) for v in vs) for vs in (trained, kept))
    work = operations(gan, rows) / rows * 1e3
    print(
        f"{case.recipe:<14} {work:9.0f} {parameters / 1e6:9.2f} {numbers * 4 / 2**20:9.1f}",
        flush=True,
    )


def own_peak():
    """MiB of this process at most. Not getrusage: its figure is inherited from the parent."""
    with open("/proc/self/status", encoding="ascii") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return kib / 1024


def peak_memory(case, plain):
    """MiB of a fresh process that takes three steps."""
    command = [sys.executable, __file__, "--memory", *map(str, (*case, int(plain)))]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_memory(recipe, size, precision, batch, plain):
    """What `peak_memory` runs; takes the words of the command line."""
    case = Case(recipe, int(size), precision, None if batch == "None" else int(batch))
    step, batch, *_ = build(case, plain == "1")
    seconds_of(step, batch, 3)
    print(own_peak())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="*", default=recipes.names())
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, help="images; default: the recipe's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--steps", type=int, default=2, help=f"per round, of {ROUND} images at least"
    )
    parser.add_argument(
        "--measure", nargs="+", choices=MEASURED, default=MEASURED, help="default: all"
    )
    parser.add_argument(
        "--processor-time", action="store_true", help="for a machine that others use as well"
    )
    parser.add_argument("--work", action="store_true", help="only count, without measuring")
    parser.add_argument("--torch", metavar="PYTHON", help="one that has torch; see above")
    parser.add_argument("--memory", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        measure_memory(*arguments.memory)
        return
    if arguments.work:
        print(f"{arguments.size} px: multiply-adds a picture (millions), trained parameters")
        print("(millions), MiB of a checkpoint: weights, average and both optimisers\n")
        for recipe in arguments.recipes:
            count(Case(recipe, arguments.size))
        return
    rounds, steps, measured = arguments.rounds, arguments.steps, arguments.measure
    clock = processor_time if arguments.processor_time else time.perf_counter
    if arguments.torch:
        print(f"{arguments.size} px, images/s (median of {rounds} rounds)\n")
        row("recipe", "precision", "ours", "plain", "ratio", "PyTorch", "ratio", "G/s")
        for precision in arguments.precisions:
            case = Case("dcgan", arguments.size, precision, arguments.batch)
            compare_with_torch(arguments.torch, case, rounds, steps, clock)
        return
    if arguments.recipes and set(measured) - {"ways"}:
        header(arguments)
        for recipe in arguments.recipes:
            for precision in arguments.precisions:
                case = Case(recipe, arguments.size, precision, arguments.batch)
                compare(case, rounds, steps, measured, clock)
    if "ways" in measured:
        words = ["--recipe", (arguments.recipes or ["dcgan"])[0], "--size", str(arguments.size)]
        words += ["--rounds", str(rounds), "--steps", str(steps)]
        words += ["--processor-time"] if arguments.processor_time else []
        # Its processes choose their backends before anything is imported.
        script = Path(__file__).with_name("bench_ways.py")
        subprocess.run([sys.executable, script, *words], check=True)


def header(arguments):
    print(f"{arguments.size} px, images/s (median of {arguments.rounds} rounds), peak MiB,")
    print("multiply-adds a picture (millions), multiply-adds a second (billions)\n")
    row("recipe", "precision", "ours", "plain", "ratio", "MiB", "plain", "M/picture", "G/s")


if __name__ == "__main__":
    main()
