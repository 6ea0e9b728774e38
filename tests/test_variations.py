"""Images near others: varied, by name, by sliders."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from painter import DIM, Painter

from tfanime.core import seeds
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.sampling.generate import generate

# ---- fine tuning, docs/seeds.md, section 5 ------------------------------------------------------


def test_vary_goes_along_the_arc_to_another_seed():
    made = generate(Painter(), n=3, seed=7, first=4, truncation=0.5, vary=0.25, vary_seed=9)
    ends = (seeds.latents(seed, 3, DIM, 4) / 2 for seed in (7, 9))
    for z, a, b in zip(made.latents, *ends, strict=True):
        la, lb = np.linalg.norm(a), np.linalg.norm(b)
        angle = math.acos(np.dot(a / la, b / lb))
        direction = math.sin(0.75 * angle) * a / la + math.sin(0.25 * angle) * b / lb
        expected = (0.75 * la + 0.25 * lb) * direction / math.sin(angle)
        np.testing.assert_allclose(z, expected, atol=1e-5)
    plain = generate(Painter(), n=3, seed=7, first=4, truncation=0.5)
    np.testing.assert_array_equal(made.labels, plain.labels)
    same = generate(Painter(), n=3, seed=7, first=4, truncation=0.5, vary=0, vary_seed=9)
    np.testing.assert_array_equal(same.images, plain.images)
    whole = generate(Painter(), n=1, seed=7, vary=1, vary_seed=9)
    np.testing.assert_allclose(whole.latents, seeds.latents(9, 1, DIM), atol=1e-6)


def test_steps_follow_each_other():
    made = generate(Painter(), n=2, seed=7, first=3, vary=[0.25, 0, 0.5], vary_seed=[9, 1, (5, 8)])
    for i, z in enumerate(made.latents):
        a, b = (seeds.latents(seed, 1, DIM, 3 + i)[0] for seed in (7, 9))
        there = seeds.slerp(a, b, np.asarray([0.25]))[0]
        end = seeds.latents(5, 1, DIM, 8)[0]  # of its own index, whichever picture is drawn
        expected = seeds.slerp(there, end, np.asarray([0.5]))[0]
        np.testing.assert_allclose(z, expected, atol=1e-6)
    # Two parts of one arc are an arc.
    twice = generate(Painter(), n=1, seed=7, vary=[0.5, 0.5], vary_seed=[9, 9])
    once = generate(Painter(), n=1, seed=7, vary=0.75, vary_seed=9)
    np.testing.assert_allclose(twice.latents, once.latents, atol=1e-5)


def test_a_name_stands_for_a_seed():
    named = generate(Painter(), n=2, name=" Ada ")
    assert named.seed == seeds.seed_of("Ada")
    np.testing.assert_array_equal(named.latents, seeds.latents(named.seed, 2, DIM))


def test_sliders_replace_columns_of_what_the_network_is_fed(tmp_path):
    painter = Painter()
    sliders = {"blue_hair": 0.25, "smile": -1, "hat": 0}
    made = generate(painter, 2, 7, {"smile": True}, sliders=sliders, vary=0.5, out=tmp_path)
    fed = painter.labels[0][:2]
    expected = seeds.sample_labels(7, 2, MAKEGIRLSMOE, {"smile": True}) * 2 - 1
    for name, x in sliders.items():
        expected[:, MAKEGIRLSMOE.columns.index(name)] = x
    np.testing.assert_array_equal(fed, expected)
    np.testing.assert_array_equal(made.labels, (expected + 1) / 2)
    assert [tags["smile"] for tags in made.tags] == [False, False]
    listed = json.loads((tmp_path / "generated.json").read_text())["pictures"]
    for entry in listed.values():
        assert (entry["vary"], entry["vary_seed"], entry["sliders"]) == (0.5, 0, sliders)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vary": 1.5}, "vary is a number from 0 to 1. Received: 1.5"),
        ({"vary": float("nan")}, "vary is a number from 0 to 1"),
        ({"vary": "much"}, "vary is a number from 0 to 1"),
        ({"vary": 0.5, "vary_seed": -1}, "seed is a whole number"),
        ({"vary": [0.5, 1.5], "vary_seed": [1, 2]}, "vary is a number from 0 to 1. Received: 1.5"),
        ({"vary": [0.5, 0.5], "vary_seed": [1]}, "as long as that of vary, 2. Received: .1."),
        ({"vary": [0.5, 0.5], "vary_seed": 1}, "as long as that of vary, 2. Received: 1"),
        ({"vary": [0.1] * 17, "vary_seed": [1] * 17}, "vary is 16 steps at most. Received: 17"),
        ({"vary": [0.5], "vary_seed": [(1, -1)]}, "index of the first image, is a whole number"),
        ({"seed": 3, "name": "Ada"}, "a seed or a name. Received: seed 3, name 'Ada'"),
        ({"name": " "}, "A name is text of one sign or more. Received: ' '"),
        ({"name": 7}, "A name is text of one sign or more. Received: 7"),
        ({"sliders": {"blue": 0.5}}, "A slider is one of .* blonde_hair.* Received: 'blue'"),
        ({"sliders": {"smile": 2}}, "The slider 'smile' is a number from -1 to 1. Received: 2"),
        ({"sliders": {"smile": "much"}}, "is a number from -1 to 1. Received: 'much'"),
    ],
)
def test_refusals_of_fine_tuning(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(Painter(), n=1, **arguments)


def test_sliders_need_labels():
    with pytest.raises(ValueError, match="label columns: it has none. Received: 'smile'"):
        generate(Painter(schema=None), n=1, sliders={"smile": 1})
