from __future__ import annotations

import numpy as np
import pytest

from tfanime.text.probe import linear_probe, nearest, neighbour_agreement, unit


def test_nearest_by_cosine():
    vectors = np.array([[1.0, 0], [10, 1], [0, 3], [-1, 0]])
    assert nearest(vectors)[:, 0].tolist() == [1, 0, 1, 2]
    assert nearest(vectors, np.array([[0, 0.1]]), k=2).tolist() == [[2, 1]]
    np.testing.assert_allclose(np.linalg.norm(unit(vectors), axis=1), 1)
    assert not unit(np.zeros((1, 2))).any()


def test_agreement_by_hand():
    vectors = [[1, 0], [1, 0.1], [0, 1], [0.1, 1]]
    genres = [["A", "B"], ["A"], ["C"], ["B", "C"]]
    found = neighbour_agreement(np.array(vectors, float), genres)
    # Neighbours: 0-1 and 2-3. Pairs in common: 01, 23, 03.
    assert found["first"] == 0.5 and found["first_chance"] == pytest.approx(2 / 12)
    assert found["shared"] == 1.0 and found["shared_chance"] == pytest.approx(6 / 12)
    assert found["overlap"] == pytest.approx((1 / 2 + 1 / 2 + 1 / 2 + 1 / 2) / 4)
    # 01: 1/2, 03: 1/3, 23: 1/2, each counted from both ends, of three others each.
    assert found["overlap_chance"] == pytest.approx(2 * (1 / 2 + 1 / 3 + 1 / 2) / 12)


def test_texts_of_one_group_are_no_neighbours():
    vectors = np.array([[1, 0], [1, 0], [0.9, 0.1], [0, 1]])
    genres = [["A"], ["A"], ["B"], ["A"]]
    found = neighbour_agreement(vectors, genres, groups=["x", "x", "y", "z"])
    assert found["first"] == 0.0  # 0 and 1 find 2, 2 finds 0, 3 finds 2
    assert found["first_chance"] == pytest.approx((1 / 2 + 1 / 2 + 0 + 2 / 3) / 4)


def test_the_probe_finds_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    classes = ["light"] * 120 + ["heavy"] * 80
    noise = rng.normal(size=(200, 10))
    found = linear_probe(noise, classes)
    assert found["majority"] == 0.6 and found["count"] == 200
    assert abs(found["balanced"] - 0.5) < 0.12
    signal = noise + np.eye(10)[0] * np.where(np.array(classes) == "light", 3, -3)[:, None]
    found = linear_probe(signal, classes)
    assert found["accuracy"] > 0.95 and found["balanced"] > 0.95
    assert found["error"] == pytest.approx(
        np.sqrt(found["accuracy"] * (1 - found["accuracy"]) / 200)
    )


def test_copies_are_kept_on_one_side():
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(60, 40)), 2, axis=0)
    classes = np.repeat(rng.permutation(["light"] * 30 + ["heavy"] * 30), 2)
    groups = [str(i) for i in np.repeat(np.arange(60), 2)]
    assert linear_probe(vectors, classes, groups)["accuracy"] < 0.72
    with pytest.raises(ValueError, match="two classes"):
        linear_probe(vectors, ["light"] * 120)


def test_too_few_texts_are_refused_without_a_warning():
    vectors = np.eye(4)
    with pytest.raises(ValueError, match="5 different titles at least. Received: 4"):
        linear_probe(vectors, ["light", "heavy", "light", "heavy"])
    with pytest.raises(ValueError, match="5 different titles at least. Received: 2"):
        linear_probe(np.eye(6), ["light", "heavy"] * 3, list("aabbbb"))
    with pytest.raises(ValueError, match="two titles"):
        neighbour_agreement(vectors, [["a"]] * 4, ["same"] * 4)
