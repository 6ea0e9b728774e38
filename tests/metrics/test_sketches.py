"""Nearest pictures by sketches: the same answers as comparing all with all."""

from __future__ import annotations

import numpy as np
import pytest
from samples import pictures

from tfanime.drawn.faces import draw_faces
from tfanime.metrics import nearest_neighbour_accuracy, sketches


def smooth(count, height, width, seed=0):
    """Waves of random colours, unlike each other, without detail."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16
    a, b, c = random.uniform(-1, 1, (3, count, 3, 1, 1))
    waves = 128 + 100 * np.sin(a * y + b * x + 3 * c)
    return np.moveaxis(waves, 1, 3).astype(np.uint8)


def squared_distances(everything):
    rows = everything.reshape(len(everything), -1).astype(np.int64)
    return np.array([np.square(rows - row).sum(axis=1) for row in rows])


def check(real, fake):
    """The smaller of the two distances, and which kind it is, against whole numbers."""
    found = sketches.nearest(real, fake)
    distances = squared_distances(np.concatenate([real, fake])).astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    n = len(real)
    expected = np.stack([distances[:, :n].min(axis=1), distances[:, n:].min(axis=1)], axis=1)
    np.testing.assert_array_equal(found.min(axis=1), expected.min(axis=1))
    signs = [np.sign(x[:, 0] - x[:, 1]) for x in (found, expected)]
    np.testing.assert_array_equal(*signs)


@pytest.fixture
def always(monkeypatch):
    """However little is ruled out."""
    monkeypatch.setattr(sketches, "WORTH", 0)


def one_pixel_off(x):
    y = x.copy()
    y[np.arange(len(y)), 3, 5, 1] ^= 1
    return y


@pytest.mark.parametrize("rows", [512, 16])
@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (pictures(40, 24), pictures(40, 24, seed=1)),
        (smooth(50, 32, 32), smooth(50, 32, 32, seed=1)),
        (smooth(30, 19, 37), smooth(30, 19, 37, seed=1)),  # no multiples of 8
        (smooth(30, 3, 5), smooth(30, 3, 5, seed=1)),
        (smooth(30, 32, 32), smooth(30, 32, 32)),  # copies: ties of both kinds
        (smooth(30, 32, 32), one_pixel_off(smooth(30, 32, 32))),
        (smooth(30, 32, 32).repeat(3, axis=0), smooth(90, 32, 32, seed=1)),
        (pictures(40, 24) // 128 * 255, pictures(40, 24, seed=1) // 128 * 255),  # extremes
        (draw_faces(60, size=32)[0], draw_faces(60, size=32, seed=1)[0]),
        (pictures(2, 8), pictures(2, 8, seed=1)),
    ],
    ids=[
        "noise",
        "smooth",
        "odd",
        "tiny",
        "copies",
        "pixel",
        "repeated",
        "extremes",
        "faces",
        "two",
    ],
)
def test_is_what_comparing_all_with_all_finds(real, fake, rows, always, monkeypatch):
    monkeypatch.setattr(sketches, "ROWS", rows)
    check(real, fake)


@pytest.mark.parametrize("x", [pictures(30, 20), smooth(30, 24, 40), draw_faces(30, size=32)[0]])
def test_sketches_are_no_further_apart_than_pictures(x):
    sketch = sketches.sketches(x).astype(np.float64)
    bounds = np.square(sketch[:, None] - sketch[None]).sum(axis=2)
    distances = squared_distances(x)
    assert (bounds <= distances * (1 + 1e-5) + 1e-2).all()
    # The lengths of what is left complete the coordinates: nothing of a picture is lost.
    whole = np.square(x.astype(np.float64) - 128).reshape(len(x), -1).sum(axis=1)
    np.testing.assert_allclose(np.square(sketch).sum(axis=1), whole, rtol=1e-5)


def test_what_a_sketch_tells_of_flat_pictures_is_everything():
    """Grey 128 + k is k / sqrt(12) * 12 for each 2x2 pixels, no colour, and nothing left."""
    (found,) = sketches.sketches(np.full((1, 16, 8, 3), 128 + 10, np.uint8))
    brightness, rest = found[: 8 * 4], found[8 * 4 :]
    np.testing.assert_allclose(brightness, 10 * np.sqrt(12), rtol=1e-6)
    np.testing.assert_allclose(rest, 0, atol=1e-3)
    assert rest.shape == (2 + 2 + 2,)


def test_little_is_ruled_out_of_noise_and_much_of_faces():
    assert sketches.nearest(pictures(100, 16), pictures(100, 16, seed=1)) is None
    faces = smooth(600, 16, 16)
    assert sketches.nearest(faces[:300], faces[300:]) is not None


def test_the_accuracy_does_not_depend_on_the_way(monkeypatch):
    real, fake = smooth(300, 16, 16), smooth(300, 16, 16, seed=1)
    fake[:100] = real[:100]
    assert sketches.nearest(real, fake) is not None
    found = nearest_neighbour_accuracy(real, fake)
    monkeypatch.setattr(sketches, "nearest", lambda real, fake: None)
    assert nearest_neighbour_accuracy(real, fake) == found
    assert found.accuracy < 0.6
