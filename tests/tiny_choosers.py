"""A small chooser of random weights, for tests of what draws with one."""

from __future__ import annotations

import keras
import numpy as np

from tests.export.networks import shaken


def chooser(height: int, width: int, scale: float = 10) -> keras.Model:
    """Of the layers that choosers have; `scale` of the last weights spreads its scores."""
    layers = keras.layers
    image = keras.Input((height, width, 3))
    x = layers.AveragePooling2D(2)(image)
    for strides in (1, 2):
        x = layers.Conv2D(4, 3, strides=strides, padding="same")(x)
        x = layers.LeakyReLU(0.2)(x)
    model = shaken(keras.Model(image, layers.Dense(1)(layers.Flatten()(x))), seed=3)
    model.layers[-1].kernel.assign(scale * model.layers[-1].kernel)
    return model


def between(scores: np.ndarray, rejected: float) -> float:
    """A border that rejects about this part of images with these scores, and is far from each."""
    scores = np.sort(scores)
    gaps = np.diff(scores)
    places = np.abs(np.arange(1, len(scores)) / len(scores) - (1 - rejected)) < 0.05
    i = int(np.argmax(gaps * places))
    return float(scores[i] + gaps[i] / 2)
