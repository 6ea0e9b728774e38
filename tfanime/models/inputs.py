"""The inputs of a generator, up to the vector that its first layer takes."""

from __future__ import annotations

from dataclasses import dataclass

import keras
from keras import layers

from tfanime.layers import ConditioningAugmentation
from tfanime.models.common import embedded
from tfanime.models.steering import steering


@dataclass(frozen=True)
class Entry:
    """How latents and labels enter a generator; by default they are concatenated.

    Args:
        vector_size: how many of the label columns, the last ones, are the vector of a text.
        augmentation: numbers of the sample that stands for that vector, see
            `layers.ConditioningAugmentation`; 0: the vector itself.
        embedding: the other labels (without augmentation: all) become as many numbers, by a linear
            layer; 0: they stay as they are.
        steering: planes of the `steering` of latents, which is not trained; 0: none.
    """

    vector_size: int = 0
    augmentation: int = 0
    embedding: int = 0
    steering: int = 0


def generator_inputs(latent_dim: int, label_dim: int, entry: Entry | None = None):
    """Inputs of a generator, and the vector that its first layer takes.

    With conditioning augmentation there are as many more latents as it has numbers.
    """
    entry = entry or Entry()
    latents = keras.Input((latent_dim + entry.augmentation,), name="latents")
    inputs = [latents]
    if label_dim:
        inputs.append(keras.Input((label_dim,), name="labels"))
    z = steering(inputs, entry.steering) if entry.steering else latents
    if not label_dim:
        return latents, z
    labels = inputs[1]
    if entry.augmentation:
        layer = ConditioningAugmentation(entry.vector_size, entry.augmentation, name="augmented")
        joined = layer(z, labels)
        if entry.embedding and label_dim > entry.vector_size:
            x = embedded(labels[:, : -entry.vector_size], entry.embedding)
            sample = joined[:, -entry.augmentation :]
            joined = [joined[:, :latent_dim], x, sample]
            joined = layers.Concatenate(name="latents_and_labels")(joined)
        return inputs, joined
    x = embedded(labels, entry.embedding) if entry.embedding else labels
    return inputs, layers.Concatenate(name="latents_and_labels")([z, x])
