"""Pieces that the networks share."""

from __future__ import annotations

import keras
from keras import layers

# DCGAN's initialisation (Radford et al. 2016, section 4), which the seeds keep. A description, not
# an initializer: one object gives every layer of a shape the same weights, whatever the seed.
NORMAL = {"kernel_initializer": {"class_name": "RandomNormal", "config": {"stddev": 0.02}}}
LEAK = 0.2


def halvings(height: int, width: int, smallest: int = 4) -> int:
    """How often both sides halve evenly while the smaller stays at least `smallest`.

    Raises:
        ValueError: when the picture is too small to halve at all.
    """
    times, sides = 0, (height, width)
    while not any(side % 2 for side in sides) and min(sides) // 2 >= smallest:
        sides, times = (sides[0] // 2, sides[1] // 2), times + 1
    if times < 2:
        raise ValueError(
            f"Both sides of a picture must be multiples of 4 and at least {smallest * 4}. "
            f"Received: {width}x{height}. Choose a size such as 64 or 64x96."
        )
    return times


def generator_inputs(latent_dim: int, label_dim: int):
    """Inputs of a generator, and the vector that its first layer takes."""
    latents = keras.Input((latent_dim,), name="latents")
    if not label_dim:
        return latents, latents
    labels = keras.Input((label_dim,), name="labels")
    return [latents, labels], layers.Concatenate(name="latents_and_labels")([latents, labels])


def picture_output(x):
    """The generator's last step: tanh in float32, whatever the compute precision."""
    return layers.Activation("tanh", dtype="float32", name="pictures")(x)


def discriminator_model(inputs, features, dense=layers.Dense, name: str = "discriminator"):
    """Closes a discriminator: `features (B, F)` to `{"logits", "features"}` in float32."""
    features = layers.Activation("linear", dtype="float32", name="features")(features)
    logits = dense(1, dtype="float32", name="logits", **NORMAL)(features)
    return keras.Model(inputs, {"logits": logits, "features": features}, name=name)


def label_maps(pictures, labels):
    """Labels `(B, L)` as constant maps behind the channels of `pictures` `(B, H, W, C)`."""
    height, width = pictures.shape[1:3]
    maps = layers.Reshape((1, 1, labels.shape[-1]), name="label_maps")(labels)
    maps = layers.UpSampling2D((height, width), name="label_maps_full")(maps)
    return layers.Concatenate(name="with_labels")([pictures, maps])
