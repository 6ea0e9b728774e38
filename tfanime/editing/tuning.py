"""Pivotal tuning: the weights of a generator, moved towards given images of given latents.

A latent says no more than what a generator has learnt to draw. Once the nearest latent of an image
is found, the weights go on from there (Roich et al. 2021, https://arxiv.org/abs/2106.05744). What
reads latents and labels stays as it is, and so do, nearly, other faces: labels, directions and
styles go on changing the tuned face as they change the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime.core.files import atomic_folder
from tfanime.editing.descent import BATCH, FEATURES
from tfanime.editing.distance import features_of, mean_squares
from tfanime.zoo.copies import save_copy
from tfanime.zoo.saved import Generator, load_generator

if TYPE_CHECKING:
    import keras

RATE, WARM = 2e-3, 5  # of Adam: it rises for so many steps, and falls along half a cosine
OTHERS, STAYS = 6, 2.0  # draws a step that shall stay as they were, and the weight of that


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
    """A copy of a generator's network, tuned to images `y`. With `x` what it draws from their
    latents, each step takes 16 of them at most, and goes down

        mean (x - y)^2 + mean (f(x) - f(y))^2 + 2 mean (x' - y')^2

    where f stands for the maps of a frozen network, and x' is what it draws from random inputs, for
    which the generator draws y'. `tuned_weights` says which weights move.

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
    """
    import keras
    import tensorflow as tf

    model = keras.models.clone_model(generator.model)
    model.set_weights(generator.model.get_weights())
    variables = tuned_weights(model)
    optimizer = keras.optimizers.Adam(RATE, beta_2=0.99)
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
    maps, warm = features_of(network, target), min(WARM, steps // 4)
    for i in range(steps):
        some = random.choice(len(target), min(BATCH, len(target)), replace=False)
        draws = random.choice(len(others_out), min(OTHERS, len(others_out)), replace=False)
        pairs = zip(inputs, others_in, strict=True)
        rows = [np.concatenate([own[some], other[draws]]) for own, other in pairs]
        parts = [rows, target[some], [x[some] for x in maps], others_out[draws]]
        rising = min(1.0, (i + 1) / (warm + 1))
        optimizer.learning_rate = RATE * rising * (1 + math.cos(math.pi * i / steps)) / 2
        step(*tf.nest.map_structure(tf.constant, parts))
        tick(1)
    return model


def tuned_weights(layer: keras.Layer) -> list[keras.Variable]:
    """The weights of a network, or of a layer, that tuning moves: those which training moves, but
    for layers that read latents, labels and texts."""
    import keras

    from tfanime.layers import ConditioningAugmentation

    if isinstance(layer, (keras.layers.Dense, ConditioningAugmentation)):
        return []
    if isinstance(layer, keras.Model):
        return [variable for inner in layer.layers for variable in tuned_weights(inner)]
    return layer.trainable_variables


def save_tuned(folder: Path, model: keras.Model, source: Generator) -> Generator:
    """Writes a tuned network as a model of its own, named after its folder, and loads it.

    Args:
        folder: a new one.
        model: of `tune`.
        source: the generator that was tuned.
    """
    with atomic_folder(folder) as temporary:
        save_copy(temporary, model, source, folder.name)
    return load_generator(folder)
