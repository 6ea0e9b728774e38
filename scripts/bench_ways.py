"""Ways to run one training: backends, devices, processes; images/s of each, in one run.

    python scripts/bench_ways.py [--recipe dcgan] [--size 64] [--batch 64] [--rounds 5]

Every way trains the same recipe with the same global batch in processes of its own, through the
loop of `tfanime.train` (data, step, figures of every step read back), and waits while the others
are measured. Rounds go through all ways in turn, so a machine that drifts slows all; images/s are
medians, ratios the medians of each round's ratio to one TensorFlow process. On one machine more
processes or devices share the same cores: what is shown is what dividing costs, not what more
machines bring. The last line is the input pipeline alone. `python scripts/bench_train.py` ends
with this table.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import time

# Name, backend, logical devices, processes.
WAYS = {
    "TensorFlow, one process": ("tensorflow", 1, 1),
    "TensorFlow, two logical devices": ("tensorflow", 2, 1),
    "TensorFlow, two processes": ("tensorflow", 1, 2),
    "JAX, one process": ("jax", 1, 1),
}


class Way:
    """The processes of one way; they wait until they are told to take steps."""

    def __init__(self, name, options):
        backend, devices, processes = WAYS[name]
        environment = {**os.environ, "KERAS_BACKEND": backend, "BENCH_DEVICES": str(devices)}
        environments = [environment]
        if processes > 1:
            from tfanime.training import cluster

            workers = cluster.local(processes)
            environments = [
                {**environment, "TF_CONFIG": cluster.config(workers, i)} for i in range(processes)
            ]
        command = [sys.executable, __file__, "--serve", *options_of(options)]
        pipe = subprocess.PIPE
        self.processes = [
            subprocess.Popen(command, env=one, stdin=pipe, stdout=pipe, text=True)
            for one in environments
        ]

    def seconds(self, steps):
        """For so many steps; of several processes the slowest counts."""
        for process in self.processes:
            print(steps, file=process.stdin, flush=True)
        answers = [process.stdout.readline() for process in self.processes]
        if not all(answers):
            raise SystemExit("A process ended; its error is above.")
        return max(map(float, answers))

    def memory(self):
        """MiB at most, of all processes together."""
        for process in self.processes:
            print(0, file=process.stdin, flush=True)
        return sum(float(process.stdout.readline()) for process in self.processes)

    def close(self):
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait()


def serve(options):
    """Takes as many steps as each line of the input says, and prints the seconds they took."""
    import numpy as np

    import tfanime
    from tfanime import recipes
    from tfanime.labels import MAKEGIRLSMOE
    from tfanime.training import devices
    from tfanime.training.build import build_gan

    count = int(os.environ["BENCH_DEVICES"])
    strategy = "auto"
    if count > 1:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * count
        tf.config.set_logical_device_configuration(cpu, logical)
        strategy = "mirrored"
    config = recipes.get(options.recipe).override(
        image_size=options.size, batch_size=options.batch, precision=options.precision
    )
    place = devices.make(strategy, config.batch_size)
    with place.scope():
        gan = build_gan(config, MAKEGIRLSMOE if config.conditioning != "none" else None)
    random = np.random.default_rng(0)
    rows = 4 * config.batch_size * config.critic_steps
    images = random.integers(0, 256, (rows, options.size, options.size, 3), np.uint8)
    labels = random.integers(0, 2, (rows, MAKEGIRLSMOE.size)).astype(np.float32)
    data = tfanime.from_arrays(images, labels, MAKEGIRLSMOE)
    step = place.step_function(gan)
    batches = place.batches(data, config.batch_size * config.critic_steps, flip=True)
    for line in sys.stdin:
        steps = int(line)
        if not steps:
            print(own_peak(), flush=True)
            continue
        started = time.perf_counter()
        for batch in itertools.islice(batches, steps):
            step(batch, [0, 0])
        print(time.perf_counter() - started, flush=True)


def own_peak():
    """MiB of this process at most. Not getrusage: its figure is inherited from the parent."""
    with open("/proc/self/status", encoding="ascii") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return kib / 1024


def pipeline(options):
    """Images/s of the batches alone, as training takes them."""
    import numpy as np

    import tfanime
    from tfanime.images import to_float

    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2000, options.size, options.size, 3), np.uint8)
    batches = tfanime.from_arrays(images).batches(options.batch, flip=True)
    started, count = time.perf_counter(), 0
    while time.perf_counter() < started + 1:
        to_float(next(batches)["images"])
        count += options.batch
    return count / (time.perf_counter() - started)


def compare(options):
    """Prints the table."""
    from tfanime import recipes

    config = recipes.get(options.recipe)
    pictures = options.batch * config.critic_steps * options.steps
    ways = {name: Way(name, options) for name in WAYS}
    for way in ways.values():
        way.seconds(1)  # the first step compiles
    rounds = [
        {name: pictures / way.seconds(options.steps) for name, way in ways.items()}
        for _ in range(options.rounds)
    ]
    first = next(iter(WAYS))
    print(
        f"\n{options.recipe}, {options.size} px, batch {options.batch}, {options.precision}: "
        f"images/s (median of {options.rounds} rounds of {options.steps} steps), peak MiB\n"
    )
    for name, way in ways.items():
        rate = statistics.median(one[name] for one in rounds)
        ratio = statistics.median(one[name] / one[first] for one in rounds)
        print(f"{name:<34} {rate:9.1f} {ratio:8.2f}x {way.memory():8.0f}")
    for way in ways.values():
        way.close()
    print(f"{'input pipeline alone':<34} {pipeline(options):9.0f}", flush=True)


def add_options(parser):
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="per round")


def options_of(options):
    names = ("recipe", "size", "batch", "precision", "rounds", "steps")
    return [word for name in names for word in (f"--{name}", str(getattr(options, name)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    serve(options) if options.serve else compare(options)


if __name__ == "__main__":
    main()
