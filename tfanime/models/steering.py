"""Steering: latents with which a generator fails are led to where it draws well.

Whether an image will be broken can be told in part from its latents `z` and labels `y` alone, by a
linear score

    s(z, y) = z u + y v + b,

positive where it probably will. Two plain layers in front of a generator lead those latents across
the plane `s = 0`, straight and as far to the other side:

    z' = z - (1 + depth) max(s, 0) u / (u u)        so that s(z', y) = -depth s(z, y)

With a depth of 1 that is a reflection: it keeps lengths measured from the plane, is continuous, so
that paths between two latents stay unbroken, and is followed by every backend, since it is a part
of the network.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

ALL, SCORE, POSITIVE, STEP, STEERED = NAMES = (
    "steer_all",
    "steer_score",
    "steer_relu",
    "steer_step",
    "steered",
)


def steered(
    generator: keras.Model, latent: np.ndarray, labels: np.ndarray, bias: float, depth: float = 1.0
) -> keras.Model:
    """A generator with steering in front.

    Args:
        generator: a functional network of latents `(B, dim)`, or of those and labels `(B, L)` in
            -1/+1 coding. One that is steered already is steered anew.
        latent: `(dim,)`: u.
        labels: `(L,)`: v; `(0,)` for a generator without labels.
        bias: b.
        depth: how far behind the plane a latent ends, in parts of how far before it was; 0 leaves
            it on the plane, 1 reflects.

    Returns:
        A network with the same inputs, output and name; weights are copied.

    Raises:
        ValueError: when u is zero, or u and v do not fit the inputs.
    """
    u, v = np.asarray(latent, np.float64), np.asarray(labels, np.float64)
    sizes = [int(x.shape[-1]) for x in generator.inputs]
    if [len(u), *([len(v)] if len(v) else [])] != sizes or not u.any():
        raise ValueError(
            "Steering needs a direction among latents that is not zero, and a number for each "
            f"label. Received: {len(u)} and {len(v)} numbers for inputs of {sizes}, "
            f"of length {np.linalg.norm(u):g}."
        )
    inputs = _inputs(generator)
    x = layers.Concatenate(name=ALL)(inputs) if len(v) else inputs[0]
    score = layers.Dense(1, name=SCORE, trainable=False)
    step = layers.Dense(len(u), use_bias=False, name=STEP, trainable=False)
    x = step(layers.ReLU(name=POSITIVE)(score(x)))
    z = layers.Add(name=STEERED)([inputs[0], x])
    score.set_weights([np.concatenate([u, v])[:, None], np.array([bias])])
    step.set_weights([-(1 + depth) * (u / (u @ u))[None]])
    return keras.Model(inputs, _copied(generator, [z, *inputs[1:]]), name=generator.name)


def unsteered(generator: keras.Model) -> keras.Model:
    """The network behind the steering, its weights copied; the generator itself if it has none."""
    if not is_steered(generator):
        return generator
    inputs = _inputs(generator)
    return keras.Model(inputs, _copied(generator, inputs), name=generator.name)


def _inputs(generator: keras.Model) -> list:
    return [keras.Input(x.shape[1:], name=x.name, dtype=x.dtype) for x in generator.inputs]


def _copied(generator: keras.Model, inputs: list) -> keras.KerasTensor:
    """The output of copies of a generator's layers behind any steering, on these inputs.

    Copies, since layers that two networks share cannot be saved.
    """
    given = [generator.get_layer(STEERED).output] if is_steered(generator) else generator.inputs[:1]
    known = {id(x): y for x, y in zip([*given, *generator.inputs[1:]], inputs, strict=True)}
    for layer in generator.layers:
        if isinstance(layer, layers.InputLayer) or layer.name in NAMES:
            continue
        taken = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
        found = [known[id(x)] for x in taken]
        copy = type(layer).from_config(layer.get_config())
        known[id(layer.output)] = copy(found if len(found) > 1 else found[0])
        copy.set_weights(layer.get_weights())
    return known[id(generator.outputs[0])]


def is_steered(generator: keras.Model) -> bool:
    return any(layer.name == STEERED for layer in generator.layers)
