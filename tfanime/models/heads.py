"""Heads that read a discriminator's features."""

from __future__ import annotations

import keras
from keras import layers

from tfanime.layers import SpectralDense
from tfanime.layers.spectral import spectral_layers
from tfanime.models.common import NORMAL


def label_head(feature_dim: int, label_dim: int) -> keras.Model:
    """Features `(B, F)` to raw label outputs `(B, L)`, both float32: one dense layer (AC-GAN)."""
    features = keras.Input((feature_dim,), name="features", dtype="float32")
    outputs = layers.Dense(label_dim, dtype="float32", name="labels", **NORMAL)(features)
    return keras.Model(features, outputs, name="head")


def with_projection(discriminator: keras.Model, label_dim: int) -> keras.Model:
    """The discriminator plus how well labels and features agree (Miyato & Koyama 2018, eq. 3).

    `logits(x, y) = logits(x) + (V y) . features(x)`, V spectrally normalised where the
    discriminator is. A label that is not known (0) says nothing.

    Args:
        discriminator: from images to `{"logits", "features"}`.
        label_dim: length of the label vector, -1/+1 coding.

    Returns:
        `keras.Model` from `[images, labels]` to `{"logits", "features"}`, float32.

    Reference:
        [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637)
    """
    dense = SpectralDense if spectral_layers(discriminator) else layers.Dense
    labels = keras.Input((label_dim,), name="labels")
    outputs = discriminator.output
    width = outputs["features"].shape[-1]
    embed = dense(width, use_bias=False, dtype="float32", name="label_embedding", **NORMAL)
    agreement = layers.Dot(axes=-1, dtype="float32", name="agreement")(
        [embed(labels), outputs["features"]]
    )
    logits = layers.Add(dtype="float32", name="projected")([outputs["logits"], agreement])
    return keras.Model(
        [discriminator.input, labels],
        {"logits": logits, "features": outputs["features"]},
        name=discriminator.name,
    )
