"""A frozen network to look through where the one that ships would take most of a test's time."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import keras
from keras import layers

PLACE = tempfile.TemporaryDirectory(prefix="tfanime-tests-")  # removed when the process ends


@functools.cache
def features_file() -> str:
    """Its .keras file: from pictures of 64x64 to maps of 4 channels at 1/2 to 1/16 of that, like
    the tagger's."""
    x = pictures = keras.Input((64, 64, 3), dtype="float32")
    for i in range(4):
        kernel = keras.initializers.HeNormal(seed=i)
        x = layers.Conv2D(4, 3, 2, "same", kernel_initializer=kernel, dtype="float32")(x)
        x = layers.ReLU(dtype="float32")(x)
    file = Path(PLACE.name) / "features.keras"
    keras.Model(pictures, x, name="twin").save(file)
    return str(file)


def through_it() -> dict:
    """Options of a discriminator that looks through it, at the two smallest maps: each of four has
    layers of its own, which tests of tests/models/test_projected.py look at."""
    return {"features": features_file(), "scales": [8, 16], "channels": 4}
