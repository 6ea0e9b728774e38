"""Heads that read a discriminator's features."""

from __future__ import annotations

import keras
from keras import layers

from tfanime.models.common import NORMAL


def label_head(feature_dim: int, label_dim: int) -> keras.Model:
    """Features `(B, F)` to raw label outputs `(B, L)`, both float32: one dense layer (AC-GAN)."""
    features = keras.Input((feature_dim,), name="features", dtype="float32")
    outputs = layers.Dense(label_dim, dtype="float32", name="labels", **NORMAL)(features)
    return keras.Model(features, outputs, name="head")
