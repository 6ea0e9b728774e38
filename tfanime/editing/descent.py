"""Descent in the latent space of a generator, to what draws given images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tfanime.editing.distance import mean_squares
from tfanime.zoo.saved import Generator

BATCH = 16  # images that are sought, or tuned to, together
RATE = 0.12  # of Adam at the start; it falls to 0 along half a cosine
BETA_1, BETA_2, EPSILON = 0.9, 0.99, 1e-8
FEATURES = 1.0  # weight of the distance of features; pixels have 1
LIKELY = 0.2  # weight of the latents' length


def check_backend() -> None:
    """Raises ValueError where Keras does not compute with TensorFlow."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Inversion takes gradients with TensorFlow. Received: Keras with "
            f"{keras.backend.backend()}. Run it with KERAS_BACKEND=tensorflow."
        )


class Objective:
    """How far drawn images are from given ones, and the gradient with respect to the latents:

        mean (x - y)^2 + mean (f(x) - f(y))^2 + 0.2 (|z|^2 / dim - 1)^2

    with x drawn from z, y given, both in [-1, 1], and f the maps of a frozen network. The last
    part keeps latents at the length that drawn ones have, near the root of `dim`, where the
    generator has learnt; in any direction they are as likely.

    Args:
        generator: a loaded one.
        network: of `distance.feature_network`.
    """

    def __init__(self, generator: Generator, network: Any):
        check_backend()
        import tensorflow as tf

        model, dim = generator.model, generator.latent_dim

        def draw(z, signed):
            return model([z, signed] if len(model.inputs) == 2 else z, training=False)

        @tf.function(jit_compile=False, reduce_retracing=True)
        def step(z, signed, target, maps):
            with tf.GradientTape() as tape:
                tape.watch(z)
                pictures = draw(z, signed)
                pixels = tf.reduce_mean(tf.square(pictures - target), axis=(1, 2, 3))
                far = mean_squares(network(pictures, training=False), maps)
                length = tf.reduce_sum(tf.square(z), axis=1) / dim
                total = pixels + FEATURES * far + LIKELY * tf.square(length - 1)
            return total, tape.gradient(total, z)

        self._step, self._tensor = step, tf.constant

    def __call__(
        self,
        latents: np.ndarray,
        signed: np.ndarray | None,
        target: np.ndarray,
        maps: list[np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """`(n,)` values and `(n, latent_dim)` gradients.

        Args:
            latents: `(n, latent_dim)` float32.
            signed: `(n, L)` float32, -1/+1 coding, or None.
            target: `(n, H, W, 3)` float32 in [-1, 1].
            maps: of `target`, `distance.features_of`.
        """
        rows = np.zeros((len(latents), 0), np.float32) if signed is None else signed
        inputs = [latents, rows.astype(np.float32), target]
        values, gradient = self._step(*map(self._tensor, inputs), list(map(self._tensor, maps)))
        return values.numpy(), gradient.numpy()


def descend(value_and_gradient, latents: np.ndarray, steps: int) -> Iterator[np.ndarray]:
    """Yields, after each step of Adam, the best latents so far `(n, dim)`, row by row.

    Args:
        value_and_gradient: from `(n, dim)` to `(n,)` values and `(n, dim)` gradients.
        latents: `(n, dim)` float32 to start from.
        steps: at least 1.

    Reference: [Kingma and Ba, 2015](https://arxiv.org/abs/1412.6980)
    """
    z = best = np.array(latents, np.float32)
    least = np.full(len(z), np.inf)
    mean = square = np.zeros(z.shape)
    for i in range(steps + 1):
        values, gradient = value_and_gradient(z)
        better = values < least
        best, least = np.where(better[:, None], z, best), np.where(better, values, least)
        if i:
            yield best
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * gradient.astype(np.float64) ** 2
        rate = RATE * (1 + np.cos(np.pi * i / max(steps, 1))) / 2
        way = mean / (1 - BETA_1 ** (i + 1))
        way = way / (np.sqrt(square / (1 - BETA_2 ** (i + 1))) + EPSILON)
        z = (z - rate * way).astype(np.float32)
