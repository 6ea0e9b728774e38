"""Ways to run one training: backends, devices, processes; images/s of each, in one run.

    python scripts/bench/bench_ways.py [--recipe dcgan] [--size 64] [--batch 64] [--rounds 5]
    python scripts/bench/bench_ways.py --settings [--recipe modern --batch 16]

Every way trains the same recipe with the same global batch in processes of its own, through the
loop of `tfanime.train` (data, step, figures of every step read back), and waits while the others
are measured. Rounds go through all ways in turn, so a machine that drifts slows all; images/s are
medians, ratios the medians of each round's ratio to one TensorFlow process. On one machine more
processes or devices share the same cores: what is shown is what dividing costs, not what more
machines bring. The last line is the input pipeline alone. `bench_train.py` ends with this table.

`--settings` compares settings of one process instead: precision, gradient accumulation, XLA,
TensorFlow's graph optimiser, and Keras's `fit` with one and with eight steps an execution.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Way:
    """One way to train; what is not said is as `tfanime.train` does it."""

    backend: str = "tensorflow"
    devices: int = 1  # logical ones, in a process
    processes: int = 1
    config: dict = field(default_factory=dict)
    xla: bool = False
    optimised: bool = False  # by TensorFlow's graph optimiser
    fit: int = 0  # steps an execution of Keras's `fit`; 0: our loop


PLACES = {
    "TensorFlow, one process": Way(),
    "TensorFlow, two logical devices": Way(devices=2),
    "TensorFlow, two processes": Way(processes=2),
    "JAX, one process": Way(backend="jax"),
}
SETTINGS = {
    "as it is": Way(),
    "mixed_bfloat16": Way(config={"precision": "mixed_bfloat16"}),
    "accumulation=2": Way(config={"accumulation": 2}),
    "accumulation=4": Way(config={"accumulation": 4}),
    "graph optimiser on": Way(optimised=True),
    "XLA": Way(xla=True),
    "GAN.fit": Way(fit=1),
    "GAN.fit, steps_per_execution=8": Way(fit=8),
}
WAYS = PLACES | SETTINGS


class Processes:
    """The processes of one way; they wait until they are told to take steps."""

    def __init__(self, name, options):
        way = WAYS[name]
        environment, processes = {**os.environ, "KERAS_BACKEND": way.backend}, way.processes
        environments = [environment]
        if processes > 1:
            from tfanime.training import cluster

            workers = cluster.local(processes)
            environments = [
                {**environment, "TF_CONFIG": cluster.config(workers, i)} for i in range(processes)
            ]
        command = [sys.executable, __file__, "--serve", name, *options_of(options)]
        pipe = subprocess.PIPE
        self.worked = options.processor_time
        self.processes = [
            subprocess.Popen(command, env=one, stdin=pipe, stdout=pipe, text=True)
            for one in environments
        ]

    def seconds(self, steps):
        """For so many steps; of several processes the slowest counts, or all their work."""
        for process in self.processes:
            print(steps, file=process.stdin, flush=True)
        answers = [process.stdout.readline() for process in self.processes]
        if not all(answers):
            raise SystemExit("A process ended; its error is above.")
        wall, worked = zip(*(map(float, answer.split()) for answer in answers), strict=True)
        return sum(worked) / len(os.sched_getaffinity(0)) if self.worked else max(wall)

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
    """Takes as many steps as each line of the input says, and prints the seconds they took, by the
    clock and of all cores together."""
    take = steps_of(WAYS[options.serve], options)
    for line in sys.stdin:
        steps = int(line)
        if not steps:
            print(own_peak(), flush=True)
            continue
        started, before = time.perf_counter(), time.process_time()
        take(steps)
        print(time.perf_counter() - started, time.process_time() - before, flush=True)


def steps_of(way, options):
    """A function that takes a number of steps."""
    import numpy as np

    import tfanime
    from tfanime import recipes
    from tfanime.core.labels import MAKEGIRLSMOE
    from tfanime.training import strategies
    from tfanime.training.build import build_gan

    strategy = "auto"
    if way.devices > 1:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * way.devices
        tf.config.set_logical_device_configuration(cpu, logical)
        strategy = "mirrored"
    settings = {"batch_size": options.batch, "precision": options.precision, **way.config}
    config = recipes.get(options.recipe).override(image_size=options.size, **settings)
    place = strategies.make(strategy, config.batch_size)
    with place.scope():
        gan = build_gan(config, MAKEGIRLSMOE if config.conditioning != "none" else None)
    random = np.random.default_rng(0)
    batch_size = config.batch_size * config.critic_steps
    rows = 4 * batch_size
    images = random.integers(0, 256, (rows, options.size, options.size, 3), np.uint8)
    labels = random.integers(0, 2, (rows, MAKEGIRLSMOE.size)).astype(np.float32)
    data = tfanime.from_arrays(images, labels, MAKEGIRLSMOE)
    if way.fit:
        return fitting(gan, data, batch_size, way.fit)
    step = place.step_function(gan)
    if way.optimised or way.xla:
        step = otherwise(gan, way)
    batches = place.batches(data, batch_size, flip=True)

    def take(steps):
        for batch in itertools.islice(batches, steps):
            step(batch, [0, 0])

    return take


def otherwise(gan, way):
    """The compiled step, with what `tfanime.train` leaves out on a CPU."""
    import tensorflow as tf

    if way.optimised:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    step = tf.function(gan.train_step, autograph=False, jit_compile=way.xla)
    return lambda batch, said: {name: float(value) for name, value in step(batch).items()}


def fitting(gan, data, batch_size, at_once):
    """Keras's own loop; `steps` are rounded up to whole executions."""
    gan.compile(gan.g_optimizer, gan.d_optimizer, steps_per_execution=at_once)
    dataset = data.tf_dataset(batch_size)
    return lambda steps: gan.fit(dataset, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False)


def own_peak():
    """MiB of this process at most. Not getrusage: its figure is inherited from the parent."""
    with open("/proc/self/status", encoding="ascii") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return kib / 1024


def pipeline(options):
    """Images/s of the batches alone, as training takes them."""
    import numpy as np

    import tfanime
    from tfanime.core.images import to_float

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
    chosen = SETTINGS if options.settings else PLACES
    if options.settings:
        options.steps += -options.steps % 8  # whole executions of `fit`
    pictures = options.batch * config.critic_steps * options.steps
    ways = {name: Processes(name, options) for name in chosen}
    for name, way in ways.items():
        way.seconds(max(1, WAYS[name].fit))  # the first step compiles
    rounds = [
        {name: pictures / way.seconds(options.steps) for name, way in ways.items()}
        for _ in range(options.rounds)
    ]
    first = next(iter(chosen))
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
    if not options.settings:
        print(f"{'input pipeline alone':<34} {pipeline(options):9.0f}", flush=True)


def add_options(parser):
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="per round")
    parser.add_argument("--processor-time", action="store_true", help="see bench_train.py")


def options_of(options):
    names = ("recipe", "size", "batch", "precision", "rounds", "steps")
    return [word for name in names for word in (f"--{name}", str(getattr(options, name)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument("--settings", action="store_true", help="settings of one process")
    parser.add_argument("--serve", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    serve(options) if options.serve else compare(options)


if __name__ == "__main__":
    main()
