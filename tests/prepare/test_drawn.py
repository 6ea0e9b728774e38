"""The drawn faces: reproducible, any size, and every label is in the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn import render
from tfanime.drawn.faces import draw_face, draw_faces, sample_labels
from tfanime.drawn.palette import EYES, HAIR

FLAGS = [field.name for field in MAKEGIRLSMOE.fields if field.kind == "flag"]
PLAIN = {"hair": "brown", "eyes": "blue", **dict.fromkeys(FLAGS, False)}


def encode(**tags):
    return MAKEGIRLSMOE.encode({**PLAIN, **tags})


def changed(a, b, threshold=30):
    """Where two pictures clearly differ, `(H, W)` bool."""
    return np.abs(a.astype(int) - b.astype(int)).max(axis=-1) > threshold


def dominant(pixels):
    """The colour most pixels `(n, 3)` have, give or take 16 levels."""
    _, inverse, counts = np.unique(pixels // 32, axis=0, return_inverse=True, return_counts=True)
    return pixels[inverse.ravel() == counts.argmax()].mean(axis=0)


def nearest(colour, palette):
    return min(palette, key=lambda name: np.square(np.subtract(palette[name], colour)).sum())


@pytest.mark.parametrize("size", [8, 32, 64, 96, 100, 128, 256])
def test_any_size(size):
    picture = draw_face(encode(), seed=3, size=size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8
    # The same face, whatever the size: reduced to 4 x 4 it has nearly the same colours.
    if size >= 32:
        reference = draw_face(encode(), seed=3, size=64)
        small, expected = (
            p.reshape(4, len(p) // 4, 4, len(p) // 4, 3).mean(axis=(1, 3))
            for p in (picture, reference)
        )
        assert np.abs(small - expected).max() < 8


def test_same_arguments_same_bytes():
    labels = sample_labels(1, seed=5)[0]
    assert draw_face(labels, 11).tobytes() == draw_face(labels, 11).tobytes()
    assert changed(draw_face(labels, 11), draw_face(labels, 12)).mean() > 0.05


def test_a_picture_does_not_depend_on_count_or_first():
    images, labels = draw_faces(7, size=32, seed=9)
    assert images.shape == (7, 32, 32, 3) and images.dtype == np.uint8
    assert labels.shape == (7, 34) and labels.dtype == np.float32
    later_images, later_labels = draw_faces(3, size=32, seed=9, first=4)
    np.testing.assert_array_equal(later_images, images[4:])
    np.testing.assert_array_equal(later_labels, labels[4:])
    given_images, _ = draw_faces(3, size=32, seed=9, first=4, labels=labels[4:])
    np.testing.assert_array_equal(given_images, images[4:])
    assert len({image.tobytes() for image in images}) == 7
    assert not np.array_equal(images, draw_faces(7, size=32, seed=10)[0])


def test_no_pictures():
    images, labels = draw_faces(0)
    assert images.shape == (0, 64, 64, 3) and labels.shape == (0, 34)


def test_progress_bar_changes_nothing(capsys):
    shown, _ = draw_faces(2, size=16, progress=True)
    np.testing.assert_array_equal(shown, draw_faces(2, size=16)[0])
    assert "drawing faces" in capsys.readouterr().err


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_shows_in_any_company(flag):
    column = MAKEGIRLSMOE.columns.index(flag)
    for seed, labels in enumerate(sample_labels(12, seed=21)):
        without, with_flag = labels.copy(), labels.copy()
        without[column], with_flag[column] = 0, 1
        different = changed(draw_face(without, seed), draw_face(with_flag, seed))
        assert different.sum() >= 12, f"{flag} is hidden in {MAKEGIRLSMOE.decode(labels)}"


def test_a_label_changes_nothing_but_what_it_says():
    for seed in range(5):
        closed, opened = (draw_face(encode(open_mouth=flag), seed) for flag in (False, True))
        rows, columns = np.nonzero((closed != opened).any(axis=-1))
        assert np.ptp(rows) < 12 and np.ptp(columns) < 16


@pytest.mark.parametrize("name", HAIR)
def test_hair_colour(name):
    other = "black" if name in ("white", "silver") else "white"
    for seed, labels in enumerate(sample_labels(5, seed=22)):
        where = MAKEGIRLSMOE.slices()
        # Hats and ribbons avoid the colour of the hair, so they would change with it.
        labels[where["hat"]] = labels[where["ribbon"]] = 0
        labels[where["hair"]] = encode(hair=name)[where["hair"]]
        picture = draw_face(labels, seed)
        labels[where["hair"]] = encode(hair=other)[where["hair"]]
        hair = changed(picture, draw_face(labels, seed), threshold=60)
        assert hair.mean() > 0.08
        assert nearest(dominant(picture[hair]), HAIR) == name


@pytest.mark.parametrize("name", EYES)
def test_eye_colour_in_both_eyes(name):
    other = "black" if name != "black" else "yellow"
    where = MAKEGIRLSMOE.slices()["eyes"]
    for seed, labels in enumerate(sample_labels(5, seed=23)):
        labels[where] = encode(eyes=name)[where]
        picture = draw_face(labels, seed, size=128)
        labels[where] = encode(eyes=other)[where]
        iris = changed(picture, draw_face(labels, seed, size=128))
        columns = np.nonzero(iris.any(axis=0))[0]
        middle = (columns[0] + columns[-1]) // 2
        for eye in (slice(None, middle), slice(middle, None)):
            assert iris[:, eye].sum() > 80
            assert nearest(dominant(picture[:, eye][iris[:, eye]]), EYES) == name


def test_named_colours_are_far_apart():
    for palette in (HAIR, EYES):
        colours = np.array(list(palette.values()), float)
        distances = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
        assert distances[np.triu_indices(len(colours), 1)].min() > 45


def test_all_flags_and_none_can_be_drawn():
    for hair in HAIR:
        for seed in range(6):
            draw_face(encode(hair=hair, **dict.fromkeys(FLAGS, True)), seed, size=16)


def test_sampled_labels_follow_the_prior():
    labels = sample_labels(4000, seed=1)
    where = MAKEGIRLSMOE.slices()
    assert labels[:, where["hair"]].sum(axis=1).tolist() == [1.0] * 4000
    np.testing.assert_allclose(labels[:, where["hair"]].mean(axis=0), 1 / 13, atol=0.02)
    np.testing.assert_allclose(labels[:, where["smile"]].mean(), 0.25, atol=0.03)
    empirical = sample_labels(4000, seed=1, prior="empirical")
    np.testing.assert_allclose(empirical[:, where["smile"]].mean(), 0.6, atol=0.03)
    np.testing.assert_array_equal(sample_labels(10, seed=1, first=90), labels[90:100])


def with_column(name, value):
    labels = encode()
    labels[MAKEGIRLSMOE.columns.index(name)] = value
    return labels


@pytest.mark.parametrize(
    "labels, message",
    [
        (np.zeros(33), "Received shape: \\(33,\\)"),
        (np.zeros((1, 34)), "Received shape: \\(1, 34\\)"),
        (np.zeros(34), "'hair' must be 1 for one of its 13 values"),
        (with_column("blue_hair", 1), "'hair' must be 1 for one of its 13 values"),
        (with_column("smile", np.nan), "'smile' must be 0 or 1"),
        (with_column("smile", -1), "'smile' must be 0 or 1"),
        (with_column("hat", 0.5), "'hat' must be 0 or 1"),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ValueError, match=message):
        draw_face(labels, 0)


def test_bad_labels_name_the_picture():
    labels = np.stack([encode(), with_column("hat", np.nan)])
    with pytest.raises(ValueError, match="image 11"):
        draw_faces(2, labels=labels, first=10)
    with pytest.raises(ValueError, match="each of the 3 images"):
        draw_faces(3, labels=labels)


@pytest.mark.parametrize("seed", [-1, 2**53, 0.5, "7"])
def test_bad_seed(seed):
    with pytest.raises(ValueError, match="whole number from 0 to 2\\*\\*53 - 1"):
        draw_face(encode(), seed)
    with pytest.raises(ValueError, match="whole number from 0 to 2\\*\\*53 - 1"):
        sample_labels(1, seed)


@pytest.mark.parametrize("size", [0, 7, 64.0, "64"])
def test_bad_size(size):
    with pytest.raises(ValueError, match="at least 8"):
        draw_faces(1, size=size)


def test_bad_range():
    with pytest.raises(ValueError, match="Received: -1 and 0"):
        draw_faces(-1)
    with pytest.raises(ValueError, match="Received: 1 and -2"):
        sample_labels(1, first=-2)
    with pytest.raises(ValueError, match="prior"):
        sample_labels(1, prior="uniform")


def test_largest_seed():
    assert draw_faces(1, size=16, seed=2**53 - 1)[0].shape == (1, 16, 16, 3)


def test_every_file_that_decides_pixels_is_in_the_version_of_the_drawing():
    files = {file.name for file in Path(render.__file__).parent.glob("*.py")}
    assert set(render.DRAWING) == files - {"__init__.py", "render.py"}
