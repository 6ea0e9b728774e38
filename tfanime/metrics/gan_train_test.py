"""GAN-train and GAN-test (Shmelkov et al. 2018, https://arxiv.org/abs/1807.09499).

Can a classifier learn the classes from generated images (GAN-train: are they good and varied?),
and does one that learnt them from real images recognise the generated (GAN-test: do they obey
their labels?). Both are read beside a classifier of real images tested on other real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfanime.metrics.arrays import check_features

STEPS, RATE, DECAY = 400, 0.05, 1e-3
CLOSE = 0.05  # accuracies that differ by less are read as equal


@dataclass(frozen=True)
class GanTrainTest:
    """Accuracies of a dense softmax layer over frozen features.

    Args:
        real: trained on real, tested on other real images: the reference.
        gan_train: trained on generated, tested on the same real images.
        gan_test: trained on real, tested on generated images.
        chance: of always naming the commonest class of the real test images.
        fake_chance: the same of the generated ones.
        classes: names of the classes.
        count: images in the smallest of the sets.
    """

    real: float
    gan_train: float
    gan_test: float
    chance: float
    fake_chance: float
    classes: tuple[str, ...]
    count: int

    @property
    def reading(self) -> str:
        """The result in words, as the paper reads it, if the classifiers learnt anything: always
        naming the commonest class is right as often as that class comes."""
        if self.real <= self.chance + CLOSE:
            return (
                f"no reading: even real images get {self.real:.2f} at a chance of "
                f"{self.chance:.2f}; these features do not tell the classes apart"
            )
        train, test = self.gan_train - self.real, self.gan_test - self.real
        if abs(train) <= CLOSE and abs(test) <= CLOSE:
            return "ideal: generated images teach and show the classes as real ones do"
        if test > CLOSE and self.gan_test <= self.fake_chance + CLOSE:
            return (
                f"generated images are recognised in {self.gan_test:.2f} of the cases, no more "
                f"than their commonest class has, {self.fake_chance:.2f}: chance, not plainness"
            )
        if test > CLOSE and train < -CLOSE:
            return "generated images show their class too plainly: little variety within a class"
        if test > CLOSE:
            return "generated images show their class more plainly than real ones"
        if test < -CLOSE and train < -CLOSE:
            return "generated images neither show their class nor teach it as real ones do"
        if test < -CLOSE:
            return "generated images teach the classes, but many do not show their own"
        if train < -CLOSE:
            return "generated images show their class, but vary too little to teach it"
        return "generated images teach the classes better than real ones: check the labels"


def gan_train_test(
    real: tuple[np.ndarray, np.ndarray],
    held_out: tuple[np.ndarray, np.ndarray],
    fake: tuple[np.ndarray, np.ndarray],
    classes: tuple[str, ...],
) -> GanTrainTest:
    """GAN-train, GAN-test and the accuracy on real images.

    Args:
        real, held_out, fake: features `(n, d)` and classes `(n,)`, whole numbers from 0: real
            images to learn from, real ones to be tested on, and generated ones. Each set is cut
            to the size of the smallest, so that all classifiers see as many images.
        classes: names.

    Raises:
        ValueError: for no images, NaN, or classes without a name.
    """
    pairs = []
    for name, (x, y) in {"real": real, "held out": held_out, "generated": fake}.items():
        x = check_features(x, f"{name} features").astype(np.float64)
        y = np.asarray(y)
        if y.shape != (len(x),) or y.min() < 0 or y.max() >= len(classes):
            raise ValueError(
                f"{name} classes must be one number for each image, from 0 to "
                f"{len(classes) - 1}. Received: {y.shape} for {len(x)} images, "
                f"{y.min()} to {y.max()}."
            )
        pairs.append((x, y))
    count = min(len(y) for _, y in pairs)
    real, held_out, fake = ((x[:count], y[:count]) for x, y in pairs)
    from_real, from_fake = (dense_head(*pair, len(classes)) for pair in (real, fake))
    commonest, fake_commonest = (np.bincount(y).max() / count for _, y in (held_out, fake))
    return GanTrainTest(
        real=_accuracy(from_real, held_out),
        gan_train=_accuracy(from_fake, held_out),
        gan_test=_accuracy(from_real, fake),
        chance=float(commonest),
        fake_chance=float(fake_commonest),
        classes=tuple(classes),
        count=count,
    )


def dense_head(features: np.ndarray, classes: np.ndarray, count: int):
    """A softmax layer over standardised features, by Adam on all images at once.

    Args:
        features: `(n, d)` float64.
        classes: `(n,)` whole numbers below `count`.

    Returns:
        A function from features `(m, d)` to logits `(m, count)`.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    x = np.concatenate([(features - mean) / scale, np.ones((len(features), 1))], axis=1)
    target = np.eye(count)[classes]
    weights = np.zeros((x.shape[1], count))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        logits = x @ weights
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        odds /= odds.sum(axis=1, keepdims=True)
        slope = x.T @ (odds - target) / len(x) + DECAY * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.99 * second + 0.01 * slope**2
        weights -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)

    def logits_of(features: np.ndarray) -> np.ndarray:
        return (features - mean) / scale @ weights[:-1] + weights[-1]

    return logits_of


def _accuracy(head, pair: tuple[np.ndarray, np.ndarray]) -> float:
    features, classes = pair
    return float((head(features).argmax(axis=1) == classes).mean())
