"""GAN-train and GAN-test on classes whose accuracies are known."""

import dataclasses

import numpy as np
import pytest

from tfanime.metrics import gan_train_test
from tfanime.metrics.gan_train_test import GanTrainTest

CLASSES = ("a", "b", "c")


def clusters(seed, spread=0.1, count=300, centres=None):
    random = np.random.default_rng(seed)
    classes = np.arange(count) % 3
    centres = np.eye(3) * 4 if centres is None else centres
    return centres[classes] + random.normal(0, spread, (count, 3)), classes


def test_the_same_clusters_are_ideal():
    found = gan_train_test(clusters(0), clusters(1), clusters(2), CLASSES)
    assert (found.real, found.gan_train, found.gan_test) == (1, 1, 1)
    assert found.chance == pytest.approx(1 / 3) and found.count == 300
    assert found.reading.startswith("ideal")


def test_labels_that_are_not_obeyed():
    features, classes = clusters(2)
    found = gan_train_test(clusters(0), clusters(1), (features, (classes + 1) % 3), CLASSES)
    assert (found.gan_train, found.gan_test) == (0, 0)
    assert found.reading.startswith("generated images neither show their class")


def test_too_plain_pictures_show_more_than_they_teach():
    # Real classes overlap; generated ones are single points on one side of the true centres.
    real, held_out = clusters(0, spread=3.0), clusters(1, spread=3.0)
    points = clusters(2, spread=1e-3, centres=np.eye(3) * 9 + [3, 0, 0])
    found = gan_train_test(real, held_out, points, CLASSES)
    assert found.gan_test > found.real + 0.05
    assert "plainly" in found.reading


def test_sets_are_cut_to_the_smallest():
    features, classes = clusters(2)
    found = gan_train_test(clusters(0), clusters(1), (features[:30], classes[:30]), CLASSES)
    assert found.count == 30


def test_classes_without_a_name():
    features, classes = clusters(0)
    with pytest.raises(ValueError, match="generated classes must be .* 0 to 2. Received: .*1 to 3"):
        gan_train_test((features, classes), (features, classes), (features, classes + 1), CLASSES)


def two_classes(seed, share, signal, count=400):
    """Classes of which the first has that share; the first number tells them apart by `signal`."""
    random = np.random.default_rng(seed)
    classes = (np.arange(count) >= share * count).astype(int)
    features = random.normal(0, 1, (count, 2))
    features[:, 0] += signal * classes
    return features, classes


def test_accuracies_at_chance_are_not_read_as_plainness():
    """Nothing can be learnt and two thirds are of one class: 0.66 is no sign of anything."""
    real, held_out = two_classes(0, 0.5, 0.0), two_classes(1, 0.5, 0.0)
    found = gan_train_test(real, held_out, two_classes(2, 2 / 3, 0.0), ("light", "heavy"))
    assert found.chance == 0.5 and found.fake_chance == pytest.approx(2 / 3, abs=0.01)
    assert found.reading.startswith("no reading") and "at a chance of 0.50" in found.reading


def test_one_class_generated_nearly_always_is_not_plainness():
    """Real pictures tell the classes apart in 0.7 of the cases; nine in ten generated ones are of
    the class that a classifier names for them anyway."""
    found = GanTrainTest(0.70, 0.60, 0.88, 0.5, 0.9, ("light", "heavy"), 100)
    assert "chance, not plainness" in found.reading
    plain = dataclasses.replace(found, fake_chance=0.5)
    assert "too plainly" in plain.reading
