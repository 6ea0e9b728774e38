"""A small generator whose pictures are known functions of latents and labels, and a tagger that
reads them."""

from __future__ import annotations

import functools

import numpy as np

from tfanime.core.labels import Field, LabelSchema
from tfanime.tagging import Tagger

DIM, SIZE = 6, 16
SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue")), Field("hat", "flag")))
SEEN = LabelSchema((*SCHEMA.fields, Field("smile", "flag"), Field("grin", "flag")))


def network():
    """Red follows the hair, green latent 0, blue latent 1 and the hat; all pixels are alike."""
    import keras

    z, labels = keras.Input((DIM,), name="latents"), keras.Input((SCHEMA.size,), name="labels")
    x = keras.layers.Concatenate()([z, labels])
    first = keras.layers.Dense(3, use_bias=False)
    x = keras.layers.BatchNormalization(epsilon=0.0)(first(x))
    x = keras.layers.Reshape((1, 1, 3))(x)
    x = keras.layers.UpSampling2D(SIZE)(x)
    x = keras.layers.Activation("tanh")(x)
    kernel = np.zeros((DIM + SCHEMA.size, 3), np.float32)
    kernel[DIM], kernel[0, 1], kernel[1, 2], kernel[DIM + 2, 2] = [0.5, 0, 0], 0.3, 0.2, 0.1
    first.set_weights([kernel])
    return keras.Model([z, labels], x)


@functools.cache
def feature_network(_, height: int, width: int):
    """In place of `distance.feature_network`, whose gradient takes seconds to trace: what it sees
    are means over two and four pixels, and what a few random filters find in them."""
    import keras

    pictures, maps = keras.Input((height, width, 3)), []
    for i, side in enumerate((2, 4)):
        x = keras.layers.AveragePooling2D(side)(pictures)
        draw = keras.initializers.Orthogonal(seed=i)
        x = keras.layers.Conv2D(8, 1, kernel_initializer=draw, bias_initializer="ones")(x)
        maps.append(keras.layers.UnitNormalization(axis=-1)(x))
    return keras.Model(pictures, [keras.layers.Rescaling(8**0.5)(x) for x in maps])


def tagger() -> Tagger:
    """Hair by red, a hat by blue, a smile by green; of a grin it is never more than one in a
    thousand sure, the more the greener."""

    def compute(images, progress):
        red, green, blue = images.mean(axis=(1, 2)).T / 127.5 - 1
        smile = _sigmoid(4 * green)
        columns = [red > 0, red <= 0, _sigmoid(4 * blue), smile, 0.001 * smile]
        return np.stack(columns, axis=1).astype(np.float64)

    return Tagger(SEEN, compute, "stand-in", "stand-in")


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))
