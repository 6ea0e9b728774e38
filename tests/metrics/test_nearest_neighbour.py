from __future__ import annotations

import numpy as np
import pytest
from samples import gaussian, pictures

from tfanime.metrics import (
    arrays,
    nearest_neighbour_accuracy,
    nearest_neighbour_accuracy_by_label,
    nearest_training,
)
from tfanime.metrics.nearest_neighbour import NearestNeighbour, psnr


def by_loops(real, fake):
    """Leave-one-out 1-NN by PSNR as one would write it down, for sets without ties."""
    everything = np.concatenate([real, fake]).astype(np.float64)
    right = []
    for i, one in enumerate(everything):
        # Ranked by PSNR; the picture itself, of infinite PSNR, is left out.
        ratio = psnr(np.square(everything - one).reshape(len(everything), -1).mean(axis=1))
        ratio[i] = -np.inf
        right.append((i < len(real)) == (ratio.argmax() < len(real)))
    return np.mean(right), np.mean(right[: len(real)]), np.mean(right[len(real) :])


@pytest.mark.parametrize("tile", [1024, 16])
def test_is_what_loops_find(tile, monkeypatch):
    monkeypatch.setattr(arrays, "TILE", tile)
    # 20 x 20 x 3 = 1200 columns: more than one exact product.
    real, fake = pictures(40, 20, seed=1) // 2, pictures(40, 20, seed=2)
    fake[::2] //= 2
    found = nearest_neighbour_accuracy(real, fake)
    assert (found.accuracy, found.real_accuracy, found.fake_accuracy) == by_loops(real, fake)
    features = [x.reshape(40, -1).astype(np.float32) for x in (real, fake)]
    assert nearest_neighbour_accuracy(*features) == found


def test_distances_of_pixels_are_exact():
    # Extremes: the largest sums that a product of 1024 columns can reach.
    a = np.concatenate([np.zeros((2, 5000)), np.full((2, 5000), 255)]).astype(np.uint8)
    a = np.concatenate([a, pictures(9, 50)[:, :, :, 0].reshape(9, -1).repeat(2, axis=1)])
    whole = a.astype(np.int64)
    expected = np.square(whole[:, None] - whole[None]).sum(axis=2)
    ((_, _, tile),) = arrays.distance_tiles(a)
    np.testing.assert_array_equal(tile, expected)


def test_copies_are_recognised():
    real = pictures(30)
    found = nearest_neighbour_accuracy(real, real[::-1])
    assert found.accuracy == 0
    assert found.reading.startswith("copying")


def test_disjoint_sets_are_separable():
    found = nearest_neighbour_accuracy(pictures(20) // 8, 255 - pictures(20, seed=1) // 8)
    assert found == NearestNeighbour(1.0, 1.0, 1.0, 20)
    assert found.reading.startswith("clearly separable")


def test_one_distribution_is_ideal():
    found = nearest_neighbour_accuracy(gaussian(500, 0, 1, 4), gaussian(500, 0, 2, 4))
    assert found.accuracy == pytest.approx(0.5, abs=0.05)
    assert found.reading.startswith("ideal")


def test_ties_count_half():
    same = np.zeros((4, 2, 2, 3), np.uint8)
    assert nearest_neighbour_accuracy(same, same).accuracy == 0.5


def test_collapse_among_real_pictures_is_told():
    text = NearestNeighbour(0.5, 0.1, 0.9, 10).reading
    assert "collapse" in text
    assert "collapse" not in NearestNeighbour(0.5, 0.5, 0.5, 10).reading
    assert "only part of them" in NearestNeighbour(0.5, 0.9, 0.1, 10).reading


def test_by_label():
    real, fake = pictures(12), pictures(12, seed=1)
    fake[:4] = real[:4]
    real_labels, fake_labels = ["a"] * 4 + ["b"] * 8, ["a"] * 4 + ["b"] * 6 + ["c"] * 2
    found = nearest_neighbour_accuracy_by_label(real, fake, real_labels, fake_labels)
    assert list(found) == ["a", "b"]
    assert (found["a"].accuracy, found["a"].count) == (0, 4)
    assert found["b"] == nearest_neighbour_accuracy(real[4:10], fake[4:10])
    with pytest.raises(ValueError, match=r"\(1,\) for 12 real"):
        nearest_neighbour_accuracy_by_label(real, fake, ["a"], fake_labels)


@pytest.mark.parametrize("tile", [1024, 8])
def test_nearest_training_pictures(tile, monkeypatch):
    monkeypatch.setattr(arrays, "TILE", tile)
    real = pictures(30)
    fake = real[[7, 3, 29, 7]].copy()
    fake[1, 0, 0, 0] ^= 16
    indices, ratio = nearest_training(fake, real, neighbours=3)
    assert indices.shape == ratio.shape == (4, 3)
    assert indices[:, 0].tolist() == [7, 3, 29, 7]
    assert ratio[:, 0].tolist() == [np.inf, psnr(16**2 / (16 * 16 * 3)), np.inf, np.inf]
    assert (np.diff(ratio[:, 1:], axis=1) <= 0).all()
    rows = [x.reshape(len(x), -1).astype(np.float32) for x in (fake, real)]
    by_features, distances = nearest_training(*rows, neighbours=3)
    np.testing.assert_array_equal(by_features, indices)
    assert distances[1, 0] == pytest.approx(16)


def test_the_first_of_equal_training_pictures_is_named(monkeypatch):
    monkeypatch.setattr(arrays, "TILE", 2)
    real = np.zeros((5, 4, 4, 3), np.uint8)
    assert nearest_training(real[:1], real, neighbours=5)[0].tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (pictures(1), pictures(1), "at least 2 images. Received: 1"),
        (pictures(3), pictures(4), "3 real and 4 generated"),
        (pictures(3), pictures(3, 8), "the same size"),
        (pictures(3), pictures(3) / 255.0, "generated images must be .* uint8"),
        (np.zeros((3, 4)), np.full((3, 4), np.nan), "finite"),
    ],
)
def test_wrong_sets_are_named(real, fake, words):
    with pytest.raises(ValueError, match=words):
        nearest_neighbour_accuracy(real, fake)


def test_wrong_neighbours_are_named():
    with pytest.raises(ValueError, match="from 1 to the 3 training images. Received: 4"):
        nearest_training(pictures(1), pictures(3), neighbours=4)
