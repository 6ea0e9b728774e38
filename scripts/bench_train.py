"""Training speed: ours beside the plain Keras way of writing the same GAN, in one run.

    python scripts/bench_train.py [--recipes dcgan makegirlsmoe] [--size 64] [--rounds 5]

Both train the same networks with the same losses on the same batch; the plain way is that of the
Keras examples: sample, update the discriminator, sample again, draw again, update the generator,
with `jit_compile=False` (XLA would slow it down further on a CPU). Rounds alternate between the
two, so a machine that drifts slows both; images/s are medians over rounds. Peak memory is that
of a process of its own for each. `operations` is the least work a step needs: multiplications
and additions of the convolutions and dense layers, with a backward pass counted twice a forward.
"""

import argparse
import statistics
import subprocess
import sys
import time

import tfanime  # noqa: F401  (keeps TensorFlow's start-up noise off the terminal)

# isort: split
import keras
import tensorflow as tf
from keras import ops

from tfanime import recipes
from tfanime.gans import losses
from tfanime.labels import MAKEGIRLSMOE
from tfanime.training.build import build_gan

PRECISIONS = ("float32", "mixed_bfloat16")


class PlainGAN(keras.Model):
    """The same objective as `gan`, written as the Keras examples write a GAN."""

    def __init__(self, gan):
        super().__init__()
        self.gan = gan

    def generate(self, condition, count):
        latents = keras.random.normal((count, self.gan.latent_dim))
        inputs = [latents, condition] if self.gan.conditional_generator else latents
        return self.gan.generator(inputs, training=True)

    def judge(self, pictures):
        outputs = self.gan.discriminator(pictures, training=True)
        labels = self.gan.head(outputs["features"]) if self.gan.head else None
        return outputs["logits"], labels

    def label_loss(self, outputs, labels):
        return losses.label_loss(outputs, labels, self.gan.schema, self.gan.multilabel)

    def train_step(self, batch):
        gan, real, condition = self.gan, batch["images"], batch.get("condition")
        count = real.shape[0]
        fakes = self.generate(condition, count)
        variables = gan.discriminator_variables
        with tf.GradientTape() as tape:
            real_logits, real_labels = self.judge(real)
            fake_logits, fake_labels = self.judge(fakes)
            d_loss = gan.adversarial_weight * gan.loss_pair.discriminator(real_logits, fake_logits)
            if gan.head:
                d_loss += self.label_loss(real_labels, batch["labels"])
                d_loss += self.label_loss(fake_labels, condition)
            if gan.penalty:
                points = real + 0.5 * ops.std(real) * keras.random.normal(real.shape)
                with tf.GradientTape() as inner:
                    inner.watch(points)
                    total = ops.sum(self.judge(points)[0])
                norms = ops.norm(ops.reshape(inner.gradient(total, points), (count, -1)), axis=-1)
                d_loss += gan.penalty.weight * ops.mean((norms - 1) ** 2)
        gan.d_optimizer.apply(tape.gradient(d_loss, [v.value for v in variables]), variables)

        variables = gan.generator_variables
        with tf.GradientTape() as tape:
            logits, labels = self.judge(self.generate(condition, count))
            g_loss = gan.adversarial_weight * gan.loss_pair.generator(logits)
            if gan.head:
                g_loss += self.label_loss(labels, condition)
        gan.g_optimizer.apply(tape.gradient(g_loss, [v.value for v in variables]), variables)
        return {"d_loss": d_loss, "g_loss": g_loss}


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
    # Generator: forward and backward. Discriminator: real and generated pictures forward and
    # backward, then the gradient that the generator receives.
    fakes_again = 1 if gan.updates == "alternating" else 0
    step = 3 * generator + (2 * 3 + 1 + fakes_again) * discriminator
    if gan.penalty:
        # Forward, gradient with respect to the pictures, and the backward pass of both.
        step += 6 * discriminator / gan.penalty.every
    return rows * step / 1e9


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
    parser.add_argument("--recipes", nargs="+", default=["dcgan", "makegirlsmoe"])
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="per round")
    parser.add_argument("--memory", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory:
        recipe, size, precision, plain = arguments.memory
        step, batch, *_ = build(recipe, int(size), precision, plain == "1")
        seconds_of(step, batch, 3)
        print(own_peak())
        return
    print(f"{arguments.size} px, images/s (median of {arguments.rounds} rounds), peak MiB,")
    print("multiply-adds a picture (millions), multiply-adds a second (billions)\n")
    print(
        f"{'recipe':<14} {'precision':<15} {'ours':>9} {'plain':>9} {'ratio':>9} "
        f"{'MiB':>8} {'plain':>8} {'M/picture':>11} {'G/s':>8}"
    )
    for recipe in arguments.recipes:
        for precision in arguments.precisions:
            compare(recipe, arguments.size, precision, arguments.rounds, arguments.steps)


if __name__ == "__main__":
    main()
