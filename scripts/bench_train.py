"""Training speed: ours beside the plain Keras way of writing the same GAN, in one run.

    python scripts/bench_train.py [--recipes dcgan makegirlsmoe] [--size 64] [--rounds 5]

Every recipe, with the 34 labels of MakeGirlsMoe where it takes labels. Both train the same networks
with the same losses on the same batch; the plain way is that of the Keras examples: sample, update
the discriminator, sample again, draw again, update the generator, with `jit_compile=False` (XLA
would slow it down further on a CPU). Rounds alternate between the two, so a machine that drifts
slows both; images/s are medians over rounds. Peak memory is that of a process of its own for each.
`M/picture` is the least work a step needs: multiplications and additions of the convolutions and
dense layers, with a backward pass counted twice a forward.

Then `bench_ways.py`: TensorFlow in one process, on two logical devices and in two processes, JAX,
and the input pipeline alone, for the first of the recipes. `--recipes` without any: only that.
`--work` measures nothing: it prints what each recipe has to compute and to keep at that size.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import tfanime  # noqa: F401  (keeps TensorFlow's start-up noise off the terminal)

# isort: split
import keras
import tensorflow as tf
from keras import ops

from tfanime import recipes
from tfanime.gans import losses
from tfanime.labels import MAKEGIRLSMOE
from tfanime.layers.spectral import spectral_layers
from tfanime.training.build import build_gan
from tfanime.training.checkpoint import state_of

PRECISIONS = ("float32", "mixed_bfloat16")


class RandomNoise:
    """The random numbers of the Keras examples, which no seed brings back."""

    def __init__(self, count):
        self.count = count

    def normal(self, shape):
        return keras.random.normal((self.count, *shape))

    def uniform(self, shape):
        return keras.random.uniform((self.count, *shape))


class PlainGAN(keras.Model):
    """The same objective as `gan`, written as the Keras examples write a GAN.

    Networks and loss functions are ours; the order of the work is theirs: for every update sample
    anew, draw anew, take the gradient, apply it.
    """

    def __init__(self, gan):
        super().__init__()
        self.gan = gan
        self.steps = tf.Variable(0, dtype=tf.int64)

    def train_step(self, batch):
        gan = self.gan
        rows = batch["images"].shape[0] // gan.critic_steps
        for i in range(gan.critic_steps):
            part = {key: value[i * rows : (i + 1) * rows] for key, value in batch.items()}
            d_loss = self.update_discriminator(part, RandomNoise(rows))
        g_loss = self.update_generator(part, RandomNoise(rows))
        self.steps.assign_add(1)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def update_discriminator(self, batch, noise):
        gan, real, condition = self.gan, batch["images"], batch.get("condition")
        fakes = self.draw(real, condition, noise)
        for layer in spectral_layers(gan.discriminator):
            layer.power_step()
        with tf.GradientTape() as tape:
            on_real = self.judge(self.augmented(real, noise), batch.get("labels"))
            on_fake = self.judge(self.augmented(fakes, noise), condition)
            loss = gan.adversarial_weight * gan.loss_pair.discriminator(
                on_real["logits"], on_fake["logits"]
            )
            if gan.head:
                loss += gan.head_weight * self.label_loss(on_fake, condition)
                if gan.head_on_real:
                    loss += gan.head_weight * self.label_loss(on_real, batch["labels"])
            if gan.penalty:
                loss += self.penalty(real, fakes, batch.get("labels"), noise)
        self.descend(gan.d_optimizer, tape, loss, gan.discriminator_variables)
        if gan.weight_clip:
            for variable in gan.discriminator_variables:
                variable.assign(ops.clip(variable, -gan.weight_clip, gan.weight_clip))
        return loss

    def update_generator(self, batch, noise):
        gan, condition = self.gan, batch.get("condition")
        with tf.GradientTape() as tape:
            fakes = self.draw(batch["images"], condition, noise)
            on_fake = self.judge(self.augmented(fakes, noise), condition)
            loss = gan.adversarial_weight * gan.loss_pair.generator(on_fake["logits"])
            if gan.head:
                loss += gan.head_weight * self.label_loss(on_fake, condition)
        self.descend(gan.g_optimizer, tape, loss, gan.generator_variables)
        return loss

    def draw(self, real, condition, noise):
        gan = self.gan
        return gan.generator(gan._generator_inputs(real, condition, noise), training=True)

    def augmented(self, pictures, noise):
        return self.gan.augment(pictures, noise) if self.gan.augment else pictures

    def judge(self, pictures, labels):
        gan = self.gan
        inputs = [pictures, labels] if gan.conditional_discriminator else pictures
        outputs = gan.discriminator(inputs, training=True)
        return {**outputs, "labels": gan.head(outputs["features"])} if gan.head else outputs

    def label_loss(self, outputs, labels):
        gan = self.gan
        return losses.label_loss(
            outputs["labels"], labels, gan.schema, gan.multilabel, gan.vector_loss
        )

    def penalty(self, real, fakes, labels, noise):
        penalty = self.gan.penalty

        def value():
            points = penalty.points(real, fakes, noise)
            with tf.GradientTape() as tape:
                tape.watch(points)
                total = ops.sum(self.judge(points, labels)["logits"])
            return penalty.weight * penalty.every * penalty.value(tape.gradient(total, points))

        if penalty.every == 1:
            return value()
        return tf.cond(self.steps % penalty.every == 0, value, lambda: tf.zeros(()))

    def descend(self, optimizer, tape, loss, variables):
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)


def build(recipe, size, precision, plain):
    """The compiled step of one of the two, and a batch for it."""
    config = recipes.get(recipe).override(image_size=size, precision=precision)
    conditional = config.conditioning != "none"
    gan = build_gan(config, MAKEGIRLSMOE if conditional else None)
    rows = config.batch_size * config.critic_steps
    batch = {"images": tf.random.uniform((rows, size, size, 3), -1, 1)}
    if conditional:
        signs = tf.sign(tf.random.normal((rows, MAKEGIRLSMOE.size)))
        batch |= {"labels": signs, "condition": signs}
    model = PlainGAN(gan) if plain else gan
    return tf.function(model.train_step, autograph=False), batch, rows, gan


def seconds_of(step, batch, steps):
    started = time.perf_counter()
    for _ in range(steps):
        logs = step(batch)
    float(next(iter(logs.values())))
    return (time.perf_counter() - started) / steps


def operations(gan, rows):
    """Multiply-adds of one step, in billions, counted from the layers' shapes."""

    def forward(model):
        total = 0
        for layer in model._flatten_layers():
            kernel = getattr(layer, "kernel", None)
            if kernel is None:
                continue
            # A transposed convolution applies its kernel at every input position.
            shape = layer.input.shape if "Transpose" in type(layer).__name__ else layer.output.shape
            places = 1
            for extent in shape[1:-1]:
                places *= extent
            weights = 1
            for extent in kernel.shape:
                weights *= extent
            total += places * weights
        return total

    generator, discriminator = forward(gan.generator), forward(gan.discriminator)
    # A backward pass costs two forward ones, or one where only the pictures need a gradient.
    # A penalty: forward, gradient with respect to the pictures, and the backward pass of both.
    penalty = 6 * discriminator / gan.penalty.every if gan.penalty else 0
    if gan.updates == "simultaneous":
        # Pictures forward once; real and generated pictures forward and backward, and the
        # gradient that the generator receives.
        return rows * (3 * generator + 7 * discriminator + penalty) / 1e9
    # Every critic step draws and judges; the last one's pictures are judged again.
    draws = 3 * generator / gan.critic_steps + generator * (1 - 1 / gan.critic_steps)
    judged = 6 * discriminator + 2 * discriminator / gan.critic_steps
    return rows * (draws + judged + penalty) / 1e9


def compare(recipe, size, precision, rounds, steps):
    ours, batch, rows, gan = build(recipe, size, precision, plain=False)
    plain, *_ = build(recipe, size, precision, plain=True)
    for step in (ours, plain):
        seconds_of(step, batch, 2)
    times = [
        (seconds_of(ours, batch, steps), seconds_of(plain, batch, steps)) for _ in range(rounds)
    ]
    mine, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    memory = [peak_memory(recipe, size, precision, plain) for plain in (False, True)]
    work = operations(gan, rows)
    print(
        f"{recipe:<14} {precision:<15} {rows / mine:9.1f} {rows / theirs:9.1f} {ratio:8.2f}x "
        f"{memory[0]:8.0f} {memory[1]:8.0f} {work / rows * 1e3:11.0f} {work / mine:8.0f}",
        flush=True,
    )


def count(recipe, size):
    """Prints what a recipe computes and keeps; takes no step."""
    config = recipes.get(recipe).override(image_size=size)
    gan = build_gan(config, MAKEGIRLSMOE if config.conditioning != "none" else None)
    rows = config.batch_size * config.critic_steps
    trained = gan.generator_variables + gan.discriminator_variables
    kept = state_of(gan).values()
    parameters, numbers = (sum(math.prod(v.shape) for v in vs) for vs in (trained, kept))
    # An upscaler takes pictures of any size.
    fixed = None not in gan.generator.inputs[0].shape[1:]
    work = f"{operations(gan, rows) / rows * 1e3:.0f}" if fixed else "-"
    print(f"{recipe:<14} {work:>9} {parameters / 1e6:9.2f} {numbers * 4 / 2**20:9.1f}", flush=True)


def own_peak():
    """MiB of this process at most. Not getrusage: its figure is inherited from the parent."""
    with open("/proc/self/status", encoding="ascii") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return kib / 1024


def peak_memory(recipe, size, precision, plain):
    """MiB of a fresh process that takes three steps."""
    command = [sys.executable, __file__, "--memory", recipe, str(size), precision, str(int(plain))]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="*", default=recipes.names())
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="per round")
    parser.add_argument("--work", action="store_true", help="only count, without measuring")
    parser.add_argument("--memory", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        recipe, size, precision, plain = arguments.memory
        step, batch, *_ = build(recipe, int(size), precision, plain == "1")
        seconds_of(step, batch, 3)
        print(own_peak())
        return
    if arguments.work:
        print(f"{arguments.size} px: multiply-adds a picture (millions), trained parameters")
        print("(millions), MiB of a checkpoint: weights, average and both optimisers\n")
        for recipe in arguments.recipes:
            count(recipe, arguments.size)
        return
    if arguments.recipes:
        header(arguments)
    for recipe in arguments.recipes:
        for precision in arguments.precisions:
            compare(recipe, arguments.size, precision, arguments.rounds, arguments.steps)
    words = ["--recipe", (arguments.recipes or ["dcgan"])[0], "--size", str(arguments.size)]
    words += ["--rounds", str(arguments.rounds), "--steps", str(arguments.steps)]
    # Its processes choose their backends before anything is imported.
    subprocess.run([sys.executable, Path(__file__).with_name("bench_ways.py"), *words], check=True)


def header(arguments):
    print(f"{arguments.size} px, images/s (median of {arguments.rounds} rounds), peak MiB,")
    print("multiply-adds a picture (millions), multiply-adds a second (billions)\n")
    print(
        f"{'recipe':<14} {'precision':<15} {'ours':>9} {'plain':>9} {'ratio':>9} "
        f"{'MiB':>8} {'plain':>8} {'M/picture':>11} {'G/s':>8}"
    )


if __name__ == "__main__":
    main()
