"""Pivotal tuning: the weights of a generator, moved until it draws given images from given latents.

A latent says no more than what a generator has learnt to draw. Once the nearest latent of an image
is found, the weights go the rest of the way (Roich et al. 2021, https://arxiv.org/abs/2106.05744).
What reads latents and labels stays as it is, and so do, nearly, other faces: labels, directions and
styles go on changing the tuned face as they change the others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.editing.distance import features_of, mean_squares
from tfanime.zoo.directions import carry_directions
from tfanime.zoo.saved import (
    Generator,
    load_generator,
    save_generator,
    steered_by,
    store_steering,
    store_upscaler,
)

if TYPE_CHECKING:
    import keras

RATE, WARM = 2e-3, 5  # of Adam: it rises for so many steps, then falls to 0 along half a cosine
FEATURES = 1.0  # weight of the distance of features; pixels have 1
OTHERS, STAYS = 6, 2.0  # draws a step that shall stay as they were, and the weight of that
BATCH = 16  # images a step, at most


def tune(
    generator: Generator,
    inputs: list[np.ndarray],
    target: np.ndarray,
    network: Any,
    others: tuple[list[np.ndarray], np.ndarray],
    steps: int,
    tick: Callable[[float], object],
    seed: int = 0,
) -> keras.Model:
    """A copy of a generator's network that draws the images `x` near `y`: it minimises

        mean (x - y)^2 + mean (f(x) - f(y))^2 + 2 mean (x' - y')^2

    over all weights but those of dense layers, with f the maps of a frozen network, and x' what it
    draws from random inputs, for which the generator draws y'.

    Args:
        generator: a loaded one.
        inputs: latents `(n, latent_dim)` float32 and, if the network takes them, labels `(n, L)` in
            -1/+1 coding.
        target: `(n, H, W, 3)` float32 in [-1, 1].
        network: of `distance.feature_network`.
        others: inputs of random draws, and what the generator draws from them, float32.
        steps: at least 1.
        tick: called after each.
        seed: of the order of images and draws.

    Raises:
        ValueError: for a generator of dense layers only.
    """
    import keras
    import tensorflow as tf

    model, variables = _copied(generator)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=RATE, warmup_steps=WARM)
    optimizer = keras.optimizers.Adam(rate, beta_2=0.99)
    optimizer.build(variables)

    @tf.function(jit_compile=False, reduce_retracing=True)
    def step(inputs, target, maps, kept):
        count = tf.shape(target)[0]
        with tf.GradientTape() as tape:
            images = model(inputs if len(inputs) > 1 else inputs[0], training=False)
            x, rest = images[:count], images[count:]
            far = tf.reduce_mean(mean_squares(network(x, training=False), maps))
            stays = tf.reduce_mean(tf.square(rest - kept))
            total = tf.reduce_mean(tf.square(x - target)) + FEATURES * far + STAYS * stays
        optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))

    random, (others_in, others_out) = np.random.default_rng(seed), others
    maps, count = features_of(network, target), min(BATCH, len(target))
    for _ in range(steps):
        some = random.choice(len(target), count, replace=False)
        draws = random.choice(len(others_out), OTHERS, replace=False)
        pairs = zip(inputs, others_in, strict=True)
        rows = [np.concatenate([own[some], other[draws]]) for own, other in pairs]
        parts = [rows, target[some], [x[some] for x in maps], others_out[draws]]
        step(*tf.nest.map_structure(tf.constant, parts))
        tick(1)
    return model


def save_tuned(folder: Path, model: keras.Model, source: Generator, features: str) -> Generator:
    """Writes a tuned network as a model of its own, named after its folder, and loads it.

    Args:
        folder: a new one.
        model: of `tune`.
        source: the generator that was tuned. Its directions and its upscaler go along.
        features: name of the network that the images were compared through.
    """
    folder.mkdir(parents=True)
    save_generator(folder, model, source.schema, folder.name)
    store_upscaler(folder, source.upscaler)
    followed = () if source.folder is None else steered_by(source.folder)
    store_steering(folder, tuple(dict.fromkeys((*followed, features))))
    if source.folder is not None:
        carry_directions(source.folder, folder)
    return load_generator(folder)


def _copied(generator: Generator) -> tuple[keras.Model, list]:
    """A copy of the network, and the weights of it that are tuned."""
    import keras

    copy = keras.models.clone_model(generator.model)
    copy.set_weights(generator.model.get_weights())
    for layer in copy.layers:
        layer.trainable = not isinstance(layer, keras.layers.Dense)
    if not copy.trainable_variables:
        raise ValueError(
            "Tuning moves the weights of convolutions. Received: "
            f"{generator.name!r}, which has dense layers only."
        )
    return copy, copy.trainable_variables
