"""Do vectors of texts carry the genre? Nearest neighbours and a linear probe, against chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0)
FOLDS = 5


def unit(vectors: np.ndarray) -> np.ndarray:
    """`(n, D)` rows of length 1; a row of zeros stays. Scalar products are then cosines."""
    vectors = np.asarray(vectors, np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def nearest(vectors: np.ndarray, queries: np.ndarray | None = None, k: int = 1) -> np.ndarray:
    """Indices `(m, k)` of the rows of `vectors` with the greatest cosine, best first.

    Without `queries` every row looks for others than itself.
    """
    bank = unit(vectors)
    scores = (bank if queries is None else unit(queries)) @ bank.T
    if queries is None:
        np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def neighbour_agreement(
    vectors: np.ndarray, genres: Sequence[Sequence[str]], groups: Sequence[str] | None = None
) -> dict[str, float]:
    """How often the nearest other text has a genre in common, and how often any other has.

    Args:
        vectors: `(n, D)`.
        genres: the tags of each text.
        groups: what may not be neighbours, since it tells the same story: texts of one group.

    Returns:
        `first`: the share whose nearest neighbour has the same first genre; `first_chance`: the
        same of a neighbour drawn at random; `shared`, `shared_chance`: has at least one genre in
        common; `overlap`, `overlap_chance`: mean of genres in common over genres of either.
    """
    sets = [frozenset(tags) for tags in genres]
    groups = [str(i) for i in range(len(sets))] if groups is None else list(groups)
    allowed = np.array(groups)[:, None] != np.array(groups)[None, :]
    names = sorted(frozenset().union(*sets))
    flags = np.array([[name in tags for name in names] for tags in sets], np.float64)
    common = flags @ flags.T
    either = flags.sum(1)[:, None] + flags.sum(1)[None, :] - common
    first = np.array([next(iter(tags), "") for tags in genres])
    agreement = {
        "first": (first[:, None] == first[None, :]).astype(float),
        "shared": (common > 0).astype(float),
        "overlap": common / np.maximum(either, 1),
    }
    bank = unit(vectors)
    scores = np.where(allowed, bank @ bank.T, -np.inf)
    usable = allowed.any(axis=1)
    if not usable.any():
        raise ValueError("Neighbours need texts of two titles at least. Received: one title.")
    nearest_one = scores.argmax(axis=1)
    shares = {}
    for name, matrix in agreement.items():
        hits = matrix[np.arange(len(sets)), nearest_one][usable]
        chance = (matrix * allowed).sum(1)[usable] / allowed.sum(1)[usable]
        shares |= {name: float(hits.mean()), f"{name}_chance": float(chance.mean())}
    return shares


def linear_probe(
    vectors: np.ndarray, classes: Sequence[str], groups: Sequence[str] | None = None, seed: int = 0
) -> dict[str, float]:
    """Accuracy of ridge regression on the classes, by cross-validation, and the majority's.

    The strength of the ridge is chosen within the training part alone.

    Args:
        vectors: `(n, D)`.
        classes: one name a text.
        groups: texts of one group are on one side of every split.
        seed: of the splits.

    Returns:
        `accuracy` and its standard error `error`, `balanced` (mean over the classes), `majority`
        (share of the most frequent class) and `count`.
    """
    names = sorted(set(classes))
    if len(names) < 2:
        raise ValueError(f"A probe tells two classes or more apart. Received: {names}.")
    truth = np.array([names.index(name) for name in classes])
    titles = len(truth) if groups is None else len(set(groups))
    if titles < FOLDS:
        raise ValueError(f"A probe needs {FOLDS} different titles at least. Received: {titles}.")
    part = _folds(len(truth), groups, seed)
    vectors = unit(vectors)
    guess = np.empty(len(truth), int)
    for fold in range(FOLDS):
        train, test = part != fold, part == fold
        inner = part[train] == (fold + 1) % FOLDS
        x, y = vectors[train], truth[train]
        scores = [
            (_ridge(x[~inner], y[~inner], x[inner], ridge, len(names)) == y[inner]).mean()
            for ridge in RIDGES
        ]
        guess[test] = _ridge(x, y, vectors[test], RIDGES[int(np.argmax(scores))], len(names))
    right = guess == truth
    return {
        "accuracy": float(right.mean()),
        "error": float(np.sqrt(right.mean() * (1 - right.mean()) / len(right))),
        "balanced": float(np.mean([right[truth == i].mean() for i in range(len(names))])),
        "majority": max(Counter(classes).values()) / len(truth),
        "count": float(len(truth)),
    }


def _folds(count: int, groups: Sequence[str] | None, seed: int) -> np.ndarray:
    groups = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    return order[groups] % FOLDS


def _ridge(x, y, queries, strength: float, classes: int) -> np.ndarray:
    """The class whose -1/+1 target is predicted highest."""
    mean = x.mean(0)
    target = 2.0 * np.eye(classes)[y] - 1.0
    centred = x - mean
    gram = centred.T @ centred + strength * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (target - target.mean(0)))
    return ((queries - mean) @ weights + target.mean(0)).argmax(axis=1)
