"""How many modes each objective covers where the truth is known.

    python scripts/studies/toy_modes.py [--faces] [--seeds 0 1 2] [--only dragan wgan-gp] --out DIR

The default is a ring of 8 Gaussians (radius 2, sigma 0.02: Metz et al. 2017, section 3.1). A sample
is of high quality within 3 sigma of a centre; a mode is covered when at least 1% of the samples are
such samples of it (its fair share is 12.5%).

`--faces` stacks attributes as stacked MNIST stacks digits: one drawn face of 16 px in 4 colours of
hair x 4 of eyes x hat x glasses, 64 modes. An image belongs to the nearest of the 64; it is of
high quality when its RMS difference from it is below 0.1 on the scale -1 to 1; a mode is covered
when at least 0.2% of the samples are high-quality images of it (its fair share is 1.6%).

Every objective gets the same dense networks (SN: their spectral twins), batch, learning rate and
number of discriminator updates, hence of real samples; the optimiser's betas are those of its
paper. Samples are drawn from the averaged generator. Writes DIR/ring.md, DIR/ring.png or
DIR/faces.md, DIR/faces.png.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from matplotlib.figure import Figure

from tfanime import gans
from tfanime.core import seeds
from tfanime.core.files import atomic_path, write_text
from tfanime.core.images import save_grid, to_float, to_uint8
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn.faces import draw_face
from tfanime.gans import penalties
from tfanime.layers import SpectralDense

WIDTH = 128  # of the hidden layers
SAMPLES = 10_000
CHUNK = 500
LOOP = 100  # steps per call of the compiled function


@dataclass(frozen=True)
class Objective:
    """How to build one `GAN`."""

    kind: type[gans.GAN]
    options: dict = field(default_factory=dict)
    penalties: tuple[Callable, ...] = ()  # of the toy's weight
    spectral: bool = False
    betas: tuple[float, float] = (0.5, 0.999)


OBJECTIVES = {
    "minimax": Objective(gans.GAN, {"loss": "minimax"}),
    "non-saturating": Objective(gans.GAN),
    "lsgan": Objective(gans.LSGAN),
    # Clipped at the paper's 0.01 these small critics are flat, and the generator learns nothing.
    "wgan": Objective(gans.WGAN, {"weight_clip": 0.1}),
    "wgan-gp": Objective(gans.WGANGP, betas=(0.0, 0.9)),
    "dragan": Objective(gans.DRAGAN),
    "sn": Objective(gans.GAN, spectral=True, betas=(0.0, 0.9)),
    "hinge-sn": Objective(gans.HingeGAN, spectral=True, betas=(0.0, 0.9)),
    "r3gan": Objective(
        gans.GAN, {"loss": "relativistic"}, (penalties.r1, penalties.r2), betas=(0.0, 0.99)
    ),
}


@dataclass(frozen=True)
class Toy:
    """A distribution whose modes are known.

    Args:
        name: of the files.
        centres: `(modes, ...)` float32, one sample in the middle of each mode.
        sigma: standard deviation about the centres.
        reach: largest distance of a high-quality sample to its centre.
        distance: `(samples, centres) -> (n, modes)` distances.
        share: of the samples that must be high-quality samples of a mode to cover it.
        draw: writes the image: `(path, {objective: samples})`.
        penalty_weight: of WGAN-GP, DRAGAN and R3GAN.
        rate, batch, updates: learning rate, batch, discriminator updates.
    """

    name: str
    centres: np.ndarray
    sigma: float
    reach: float
    distance: Callable
    share: float
    draw: Callable
    penalty_weight: float
    rate: float
    batch: int
    updates: int


# ---- the ring ----------------------------------------------------------------------------------


def ring() -> Toy:
    angles = np.arange(8) * np.pi / 4
    centres = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    # A penalty of 10 is far too strong for such toys; 0.1 is customary.
    return Toy("ring", centres, 0.02, 0.06, euclidean, 0.01, draw_ring, 0.1, 1e-3, 256, 20_000)


def euclidean(samples, centres):
    return np.linalg.norm(samples[:, None] - centres, axis=-1)


def draw_ring(path: Path, drawn: dict[str, np.ndarray]) -> None:
    columns = 4
    rows = -(-len(drawn) // columns)
    figure = Figure(figsize=(3 * columns, 3.2 * rows), layout="constrained")
    all_axes = figure.subplots(rows, columns, squeeze=False).flat
    for axes, (name, samples) in itertools.zip_longest(all_axes, drawn.items(), fillvalue=("", [])):
        axes.axis("off")
        if not name:
            continue
        centres = ring().centres
        axes.plot(*samples[:2000].T, ",", color="tab:blue")
        axes.plot(*centres.T, "o", markersize=14, markerfacecolor="none", color="tab:orange")
        axes.set(title=name, xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=80)


# ---- the faces ---------------------------------------------------------------------------------


def faces() -> Toy:
    hair, eyes = ("blonde", "blue", "green", "red"), ("blue", "red", "green", "black")
    off = {field.name: False for field in MAKEGIRLSMOE.fields if field.kind == "flag"}
    centres = []
    for a, b, hat, glasses in itertools.product(hair, eyes, (False, True), (False, True)):
        tags = {"hair": a, "eyes": b, "hat": hat, "glasses": glasses, "long_hair": True}
        centres.append(draw_face(MAKEGIRLSMOE.encode(off | tags), seed=5, size=16))
    return Toy(
        "faces",
        to_float(np.stack(centres)),
        0.0,
        0.1,
        root_mean_square,
        0.002,
        draw_faces,
        1.0,
        1e-3,
        64,
        10_000,
    )


def root_mean_square(samples, centres):
    samples, centres = (x.reshape(len(x), -1) for x in (samples, centres))
    squares = (samples**2).mean(1)[:, None] + (centres**2).mean(1)
    return np.sqrt(np.maximum(squares - 2 * samples @ centres.T / samples.shape[1], 0))


def draw_faces(path: Path, drawn: dict[str, np.ndarray]) -> None:
    """The real 64 images' first 16, then a row of 16 an objective."""
    rows = [faces().centres[::4], *(samples[:16] for samples in drawn.values())]
    save_grid(path, to_uint8(np.concatenate(rows)), columns=16)


# ---- training and counting ---------------------------------------------------------------------


def networks(toy: Toy, spectral: bool):
    """Two dense networks with two hidden layers each."""
    shape = toy.centres.shape[1:]
    latents = x = keras.Input((16,))
    for _ in range(2):
        x = layers.Dense(WIDTH, activation="relu")(x)
    x = layers.Reshape(shape)(layers.Dense(math.prod(shape))(x))
    generator = keras.Model(latents, x)
    dense = SpectralDense if spectral else layers.Dense
    samples = keras.Input(shape)
    x = layers.Flatten()(samples)
    for _ in range(2):
        x = layers.LeakyReLU(negative_slope=0.2)(dense(WIDTH)(x))
    return generator, keras.Model(samples, dense(1)(x))


def real_samples(toy: Toy, count: int, seed: int) -> tf.data.Dataset:
    def batch(step):
        key = tf.stack([step, tf.constant(seed, tf.int64)])
        mode = tf.random.stateless_uniform((count,), key, 0, len(toy.centres), tf.int32)
        samples = tf.gather(toy.centres, mode)
        return samples + toy.sigma * tf.random.stateless_normal(tf.shape(samples), key + [0, 1])

    return tf.data.Dataset.counter().map(batch).prefetch(2)


def train(toy: Toy, objective: Objective, seed: int) -> np.ndarray:
    """Samples of the trained, averaged generator."""
    keras.utils.set_random_seed(seed)
    generator, discriminator = networks(toy, objective.spectral)
    half_life = 0.01 * toy.updates * toy.batch
    options = {"seed": seed, "ema_half_life": half_life, **objective.options}
    if objective.kind in (gans.WGANGP, gans.DRAGAN):
        options["penalty_weight"] = toy.penalty_weight
    if objective.penalties:
        options["penalty"] = [make(toy.penalty_weight) for make in objective.penalties]
    gan = objective.kind(generator, discriminator, **options)
    if objective.kind is gans.WGAN:  # the paper: no momentum, or the clipped critic is unstable
        optimizers = [keras.optimizers.RMSprop(toy.rate) for _ in range(2)]
    else:
        optimizers = [keras.optimizers.Adam(toy.rate, *objective.betas) for _ in range(2)]
    gan.compile(*optimizers, steps_per_execution=LOOP)
    data = real_samples(toy, toy.batch * gan.critic_steps, seed)
    steps = toy.updates // gan.critic_steps
    gan.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)
    z = seeds.latents(seed, SAMPLES, gan.latent_dim)
    parts = [np.asarray(gan(z[i : i + CHUNK])) for i in range(0, SAMPLES, CHUNK)]
    return np.concatenate(parts)


def count(toy: Toy, samples: np.ndarray) -> tuple[int, float]:
    """Modes covered, and the fraction of high-quality samples."""
    distances = toy.distance(samples, toy.centres)
    good = distances.min(axis=1) < toy.reach
    share = np.bincount(distances.argmin(axis=1)[good], minlength=len(toy.centres)) / len(samples)
    return int((share >= toy.share).sum()), float(good.mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", action="store_true", help="drawn faces instead of the ring")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)

    toy = faces() if arguments.faces else ring()
    modes = len(toy.centres)
    lines = [
        f"| objective | modes of {modes} | high quality | processor seconds |",
        "|---|---|---|---|",
    ]
    drawn = {}
    for name in arguments.only:
        started, covered, good = time.process_time(), [], []
        for seed in arguments.seeds:
            samples = train(toy, OBJECTIVES[name], seed)
            drawn.setdefault(name, samples)
            for figures, figure in zip((covered, good), count(toy, samples), strict=True):
                figures.append(figure)
        seconds = (time.process_time() - started) / len(arguments.seeds)
        shown = (", ".join(map(str, covered)), ", ".join(f"{100 * g:.0f}%" for g in good))
        lines.append(f"| {name} | {' | '.join(shown)} | {seconds:.0f} |")
        print(lines[-1], flush=True)
    write_text(arguments.out / f"{toy.name}.md", "\n".join(lines) + "\n")
    toy.draw(arguments.out / f"{toy.name}.png", drawn)


if __name__ == "__main__":
    main()
