"""Steering: latents with which a generator fails are led to where it draws well.

Two plain layers in front of a generator move its latents `z`, given its labels `y`:

    z' = z + relu([z, y] A + b) C

Each of the hidden numbers is a plane in the space of latents and labels, beyond which latents are
pushed along a line of their own. The way is continuous, so that paths between two latents stay
unbroken, and is followed by every backend, since it is a part of the network. Where it leads is
learnt by `tfanime.evaluation.by_eye.steer`.
"""

from __future__ import annotations

import keras
from keras import layers

from tfanime.models.common import copied, like_inputs

ALL, PLANES, POSITIVE, STEP, STEERED = NAMES = (
    "steer_all",
    "steer_score",
    "steer_relu",
    "steer_step",
    "steered",
)


def steered(generator: keras.Model, hidden: int) -> keras.Model:
    """A generator with steering in front, which moves nothing before it is trained.

    Args:
        generator: a functional network of latents `(B, dim)`, or of those and labels `(B, L)` in
            -1/+1 coding. One that is steered already is steered anew.
        hidden: planes, at least 1.

    Returns:
        A network with the same inputs, output and name. Weights are copied.
    """
    inputs = like_inputs(generator)
    z = steering(inputs, hidden)
    return keras.Model(inputs, _behind(generator, [z, *inputs[1:]]), name=generator.name)


def steering(inputs: list, hidden: int) -> keras.KerasTensor:
    """Moved latents `(B, dim)` of latents and, where there are, labels; float32, and not trained
    with the network behind it."""
    dim = int(inputs[0].shape[-1])
    fixed = {"dtype": "float32", "trainable": False}
    x = layers.Concatenate(name=ALL, dtype="float32")(inputs) if len(inputs) > 1 else inputs[0]
    x = layers.Dense(hidden, name=PLANES, **fixed)(x)
    x = layers.ReLU(name=POSITIVE, dtype="float32")(x)
    x = layers.Dense(dim, use_bias=False, kernel_initializer="zeros", name=STEP, **fixed)(x)
    return layers.Add(name=STEERED, dtype="float32")([inputs[0], x])


def unsteered(generator: keras.Model) -> keras.Model:
    """The network behind the steering, its weights copied; the generator itself if it has none."""
    if not is_steered(generator):
        return generator
    inputs = like_inputs(generator)
    return keras.Model(inputs, _behind(generator, inputs), name=generator.name)


def _behind(generator: keras.Model, inputs: list) -> keras.KerasTensor:
    """The output of copies of a generator's layers behind any steering, on these inputs."""
    latents, *labels = generator.inputs
    start = generator.get_layer(STEERED).output if is_steered(generator) else latents
    pairs = zip([start, *labels], inputs, strict=True)
    return copied(generator, {id(x): y for x, y in pairs})[id(generator.outputs[0])]


def is_steered(generator: keras.Model) -> bool:
    return any(layer.name == STEERED for layer in generator.layers)
