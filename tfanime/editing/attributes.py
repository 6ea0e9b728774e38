"""Directions of attributes: what the latents have to do with what a tagger sees.

Reference: [Shen et al., 2020](https://arxiv.org/abs/1907.10786) (InterFaceGAN)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Of the sum of squares of a standard normal latent; labels of a group, which have one sum, need
# some too.
RIDGE, LABEL_RIDGE = 0.05, 1e-3
HELD_OUT = 4  # every fourth image is kept aside, to see whether a direction holds
CERTAIN = 8.0  # logits beyond are all the same to a tagger


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities to logits, at most 8 in size; float64 of any shape."""
    p = np.asarray(probabilities, np.float64)
    least = 1 / (1 + np.exp(CERTAIN))
    p = np.clip(p, least, 1 - least)
    return np.log(p) - np.log1p(-p)


def regress(
    latents: np.ndarray, signed: np.ndarray | None, logits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each attribute's logit changes by along each latent, the labels being as they are.

    Ridge regression on latents and labels together, so that what labels do is left to them. It is
    linear, where InterFaceGAN separates two classes: rare attributes, of which none of the images
    is certain, have logits all the same.

    Args:
        latents: `(n, dim)`, n well above `dim` plus the labels.
        signed: `(n, L)` labels, -1/+1 coding, or None.
        logits: `(n, A)`.

    Returns:
        Gradients `(A, dim)` float64, and the correlations `(A,)`, on every fourth image, which the
        regression for them has not seen, of the logits less what labels say with what latents say.
    """
    z = np.asarray(latents, np.float64)
    labels = np.zeros((len(z), 0)) if signed is None else np.asarray(signed, np.float64)
    y = np.asarray(logits, np.float64)
    aside = np.arange(len(z)) % HELD_OUT == 0
    weights, others, middle = ridge(z[~aside], labels[~aside], y[~aside])
    rest = y[aside] - labels[aside] @ others - middle
    predictions = z[aside] @ weights
    rest, predictions = (x - x.mean(axis=0) for x in (rest, predictions))
    spread = np.sqrt((rest**2).sum(axis=0) * (predictions**2).sum(axis=0))
    fits = (rest * predictions).sum(axis=0) / np.maximum(spread, 1e-12)
    return ridge(z, labels, y)[0].T, fits


def ridge(
    z: np.ndarray, labels: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ridge regression of `y` `(n, A)` on latents `(n, dim)` and labels `(n, L)` together.

    Returns:
        Weights of latents `(dim, A)` and of labels `(L, A)`, and the constants `(A,)`, float64.
    """
    x = np.concatenate([z, labels], axis=1)
    centre, middle = x.mean(axis=0), y.mean(axis=0)
    x, dim = x - centre, z.shape[1]
    ridge = np.repeat([RIDGE, LABEL_RIDGE], [dim, labels.shape[1]])
    weights = np.linalg.solve(x.T @ x + len(x) * np.diag(ridge), x.T @ (y - middle))
    return weights[:dim], weights[dim:], middle - centre @ weights


def orthogonal(gradient: np.ndarray, others: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """A gradient `(dim,)` without what it shares with others `(k, dim)` (InterFaceGAN's conditional
    manipulation), of length 1: to first order, a step along it leaves those as they are."""
    rest = np.asarray(gradient, np.float64)
    if len(others):
        basis = np.linalg.qr(np.asarray(others, np.float64).T)[0]
        rest = rest - basis @ (basis.T @ rest)
    return rest / max(float(np.linalg.norm(rest)), 1e-12)
