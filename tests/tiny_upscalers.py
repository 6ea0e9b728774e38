"""Upscalers and images to enlarge, for tests."""

from __future__ import annotations

import keras
import numpy as np

from tfanime.models import srgan


class Doubler:
    """A stand-in for a loaded upscaler: every pixel four times."""

    factor, margin, name = 2, 1, "doubler"

    def __init__(self):
        self.sizes = []

    def expect(self, calls):
        pass

    def __call__(self, pictures):
        self.sizes.append(pictures.shape[:3])
        return pictures.repeat(2, axis=1).repeat(2, axis=2)


def network(factor=2, **options):
    """With weights that are far from a plain enlargement."""
    keras.utils.set_random_seed(1)
    model = srgan.generator(32, 32, factor=factor, channels=4, blocks=2, **options)
    for variable in model.trainable_variables:
        noise = np.random.default_rng(0).normal(0, 0.15, variable.shape)
        variable.assign(variable + noise)
    return model


def shots(count=3, height=10, width=14, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)
