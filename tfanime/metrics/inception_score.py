"""Inception Score (Salimans et al. 2016, https://arxiv.org/abs/1606.03498).

    IS = exp E_x KL( p(y|x) || p(y) )

High when each image is clearly of one class and all classes occur equally often.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tfanime.metrics.arrays import check_features

SPLITS = 10
SUM_TOLERANCE = 1e-3
PROBABILITY_SUMS = (0.25, 1.25)


@dataclass(frozen=True)
class InceptionScore:
    """Mean and standard deviation over the splits; from 1 to the number of classes."""

    mean: float
    std: float
    splits: int
    count: int


def posteriors_from_logits(logits: np.ndarray) -> np.ndarray:
    """Softmax in float64: `(n, classes)` logits to probabilities."""
    logits = check_features(logits, "logits").astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def posteriors_from_output(output: np.ndarray) -> np.ndarray:
    """A classifier's `(n, classes)` output, probabilities or logits, as probabilities in float64.

    They are probabilities when all are from 0 to 1 and every row's sum is between 0.25 and 1.25: of
    a network in 8 bits those below 1/512 are lost, which may be many.

    Raises:
        ValueError: if they are neither: of logits, some are negative, while those of features
            behind a rectifier, and of independent tags, never are.
    """
    sums = output.sum(axis=1, dtype=np.float64)
    low, high = PROBABILITY_SUMS
    if output.min() >= 0 and output.max() <= 1 and low < sums.min() and sums.max() < high:
        return output.astype(np.float64) / sums[:, None]
    if output.min() >= 0:
        raise ValueError(
            "An Inception Score needs probabilities or logits of classes. Received: "
            f"{output.shape[1]} values from {output.min():.4g} to {output.max():.4g}, with sums "
            f"from {sums.min():.4g} to {sums.max():.4g}: these are features, or tags of their own."
        )
    return posteriors_from_logits(output)


def inception_score_from_posteriors(
    posteriors: np.ndarray, splits: int = SPLITS, seed: int = 0
) -> InceptionScore:
    """Score of class posteriors, averaged over equal parts of the shuffled set.

    Shuffles like torch-fidelity with the same `seed` (its default is 2020).

    Args:
        posteriors: `(n, classes)`, at least 0, each row's sum 1.
        splits: parts, 1 to n. Small parts give low scores: state it with the number.
        seed: of the shuffling.

    Raises:
        ValueError: if rows are no probabilities, or fewer than `splits`.

    Example:
        >>> round(inception_score_from_posteriors(np.eye(5), splits=1).mean, 9)
        5.0
    """
    posteriors = check_features(posteriors, "posteriors").astype(np.float64)
    n = len(posteriors)
    if posteriors.min() < 0 or np.abs(posteriors.sum(axis=1) - 1).max() > SUM_TOLERANCE:
        raise ValueError(
            "Posteriors must be probabilities: each row not negative and with the sum 1. "
            f"Received: values from {posteriors.min():.4g} to {posteriors.max():.4g}, sums up to "
            f"{posteriors.sum(axis=1).max():.4g}. posteriors_from_logits converts from logits."
        )
    if not 1 <= splits <= n:
        raise ValueError(f"splits must be from 1 to the {n} images. Received: {splits}.")
    posteriors = posteriors[np.random.RandomState(seed).permutation(n)]
    scores = [_score(posteriors[i * n // splits : (i + 1) * n // splits]) for i in range(splits)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)), splits, n)


def inception_score_by_label(
    posteriors: np.ndarray,
    labels: Sequence[Hashable],
    size: int | None = None,
    seed: int = 0,
) -> dict[Hashable, InceptionScore]:
    """The score of each label's images.

    A score grows with the number of images that it is taken over, so that of a rare label and
    that of a common one are taken over as many: the images of each label are shuffled and fall
    into as many parts of `size` as there are, whose scores are averaged.

    Args:
        posteriors: see `inception_score_from_posteriors`.
        labels: of each row.
        size: images of a part; default: those of the rarest label.
        seed: of the shuffling.

    Raises:
        ValueError: as `inception_score_from_posteriors`; for labels of another number, or a size
            that a label has not.
    """
    labels = np.asarray(labels)
    if labels.shape != (len(posteriors),):
        raise ValueError(
            "labels must hold one label for each row of posteriors. "
            f"Received: {labels.shape} for {len(posteriors)} rows."
        )
    names, counts = np.unique(labels, return_counts=True)
    size = int(counts.min()) if size is None else size
    if not 1 <= size <= counts.min():
        raise ValueError(
            f"size is from 1 to the {counts.min()} images of the rarest label. Received: {size}."
        )
    scores = {}
    for label, count in zip(names.tolist(), counts.tolist(), strict=True):
        try:
            own = posteriors[labels == label][: count // size * size]
            scores[label] = inception_score_from_posteriors(own, count // size, seed)
        except ValueError as error:
            raise ValueError(f"Label {label!r}: {error}") from error
    return scores


def _score(posteriors: np.ndarray) -> float:
    marginal = posteriors.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = posteriors * (np.log(posteriors) - np.log(marginal))
    # 0 log 0 is 0.
    return float(np.exp(np.where(posteriors > 0, terms, 0).sum(axis=1).mean()))
