"""Directions out of a generator alone: of its first layer's weights, and of its early features.

References:
    [Shen and Zhou, 2021](https://arxiv.org/abs/2007.06600) (SeFa)
    [Härkönen et al., 2020](https://arxiv.org/abs/2004.02546) (GANSpace)
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from tfanime.models.steering import unsteered

if TYPE_CHECKING:
    import keras

    from tfanime.zoo.saved import Generator

CHUNK = 64  # latents a network call


def sefa(weights: np.ndarray, count: int) -> np.ndarray:
    """The directions that change the values of an affine layer most: eigenvectors of `W W^T`.

    With values `y = z W + b`, a step along n changes them by `n W`, whose squared length
    `n W W^T n^T` is largest, among unit vectors, for the first eigenvector (SeFa, equation 5).

    Args:
        weights: `(latent_dim, F)`, a row a latent.
        count: how many, at most `latent_dim`.

    Returns:
        `(count, latent_dim)` float64, orthonormal, by falling eigenvalue; of each, the number of
        the largest size is positive.
    """
    weights = np.asarray(weights, np.float64)
    return _signed(np.linalg.eigh(weights @ weights.T)[1].T[::-1][:count])


def feature_pca(features: np.ndarray, latents: np.ndarray, count: int) -> np.ndarray:
    """The directions that lead along the principal components of features (GANSpace, equation 4).

    Latents are regressed on each component's coordinate: `u_k = sum_i x_ik z_i / sum_i x_ik^2`.

    Args:
        features: `(n, F)`, of n draws; centred here.
        latents: `(n, latent_dim)` that they were drawn from.
        count: how many, less than n.

    Returns:
        `(count, latent_dim)` float64 of length 1, by falling variance; signs as in `sefa`.
    """
    x = np.asarray(features, np.float64)
    x = x - x.mean(axis=0)
    # There are more features than draws: the small one of the two matrices of products.
    values, vectors = np.linalg.eigh(x @ x.T)
    coordinates = vectors[:, ::-1][:, :count] * np.sqrt(np.maximum(values[::-1][:count], 0))
    z = np.asarray(latents, np.float64)
    ways = coordinates.T @ (z - z.mean(axis=0))
    return _signed(ways / np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-12))


def without_labels(features: np.ndarray, signed: np.ndarray | None) -> np.ndarray:
    """Features `(n, F)` less what is affine in the labels `(n, L)`; the rest is the latents'."""
    if signed is None:
        return features
    design = np.concatenate([np.ones((len(signed), 1)), signed], axis=1)
    # Columns of a group have one sum: the shortest of many solutions.
    return features - design @ np.linalg.lstsq(design, features, rcond=None)[0]


def first_map(generator: Generator) -> np.ndarray:
    """`(latent_dim, F)` float64: what each latent adds to the values of the first layer that it
    meets behind any steering, batch norm included, which is a scale where a generator draws.

    Raises:
        ValueError: for a generator whose first layer is not affine.
    """
    generator = dataclasses.replace(generator, model=unsteered(generator.model))
    output = _first_output(generator)
    dim = generator.latent_dim
    zero, unit = np.zeros((1, dim), np.float32), np.eye(dim, dtype=np.float32)
    base = _values(generator, output, zero)
    ahead, behind = (_values(generator, output, sign * unit) - base for sign in (1, -1))
    if not np.allclose(ahead, -behind, atol=1e-3 * max(np.abs(ahead).max(), 1e-12)):
        raise ValueError(
            f"SeFa needs a generator whose first layer is affine. Received: {generator.name!r}, "
            "whose first layer has an activation. Leave it out: sefa=0 (--sefa 0)."
        )
    return (ahead - behind) / 2


def early_features(
    generator: Generator, latents: np.ndarray, signed: np.ndarray | None
) -> np.ndarray:
    """`(n, F)` float32: the last map of the second size that a generator goes through, of 8x8 for
    one that begins at 4x4.

    Args:
        generator: a loaded one.
        latents: `(n, latent_dim)` float32.
        signed: `(n, L)` float32, -1/+1 coding; None for a generator without labels.
    """
    return _values(generator, _early_output(generator.model), latents, signed).astype(np.float32)


def _first_output(generator: Generator):
    """The output of the first layer with a kernel that latents reach."""
    import keras

    layers = generator.model.layers
    some = np.ones((1, generator.latent_dim), np.float32)
    for layer in (one for one in layers if hasattr(one, "kernel")):
        if not np.array_equal(*(_values(generator, layer.output, x) for x in (some, 0 * some))):
            norms = (one for one in layers if isinstance(one, keras.layers.BatchNormalization))
            return next((n.output for n in norms if n.input is layer.output), layer.output)
    raise ValueError(
        f"SeFa needs a generator with a layer of weights. Received: {generator.name!r}, in which "
        "latents meet none. Leave it out: sefa=0 (--sefa 0)."
    )


def _early_output(model: keras.Model):
    maps = [layer.output for layer in model.layers if _is_map(layer.output)]
    sides = sorted({x.shape[1] for x in maps})
    side = sides[min(1, len(sides) - 1)] if sides else None
    return next((x for x in reversed(maps) if x.shape[1] == side), model.outputs[0])


def _is_map(x) -> bool:
    return len(getattr(x, "shape", ())) == 4


def _values(
    generator: Generator, output, latents: np.ndarray, signed: np.ndarray | None = None
) -> np.ndarray:
    """Values `(n, F)` float64 of a tensor in a generator; labels are 0 if none are given."""
    import keras

    model = generator.model
    part = keras.Model(model.inputs, output)
    parts = []
    for start in range(0, len(latents), CHUNK):
        z = latents[start : start + CHUNK].astype(np.float32)
        inputs = [z]
        if len(model.inputs) == 2:
            size = int(model.inputs[1].shape[-1])
            rows = np.zeros((len(z), size)) if signed is None else signed[start : start + CHUNK]
            inputs.append(rows.astype(np.float32))
        values = part(inputs, training=False)
        parts.append(np.asarray(values, np.float64).reshape(len(z), -1))
    return np.concatenate(parts)


def _signed(directions: np.ndarray) -> np.ndarray:
    """Eigenvectors have no sign of their own: the largest number of each becomes positive."""
    largest = np.abs(directions).argmax(axis=1)[:, None]
    return directions * np.where(np.take_along_axis(directions, largest, 1) < 0, -1, 1)
