"""Transitions between images: loops, methods, files, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from painter import DIM, SIZE, Painter
from PIL import Image

from tfanime.core import seeds
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.sampling.generate import generate
from tfanime.sampling.interpolate import DEFAULT_SEEDS, interpolate

# ---- interpolate -------------------------------------------------------------------------------


def test_a_loop_passes_through_the_seeds_own_pictures():
    made = interpolate(Painter(), seeds=[1, 2, 3], frames=5)
    assert len(made.images) == 15
    for k, seed in enumerate([1, 2, 3]):
        key = generate(Painter(), n=1, seed=seed)
        np.testing.assert_array_equal(made.latents[5 * k], key.latents[0])
        np.testing.assert_array_equal(made.labels[5 * k], key.labels[0])
        np.testing.assert_array_equal(made.images[5 * k], key.images[0])
    t = np.asarray([0, 0.2, 0.4, 0.6, 0.8])
    arc = seeds.slerp(made.latents[10], made.latents[0], t)  # the way back to the first
    np.testing.assert_array_equal(made.latents[10:], arc)


def test_methods():
    straight = interpolate(Painter(), seeds=[1, 2], frames=2, method="lerp").latents
    np.testing.assert_allclose(straight[1], (straight[0] + straight[2]) / 2, atol=1e-6)
    arc = interpolate(Painter(), seeds=[1, 2], frames=2).latents
    lengths = np.linalg.norm(arc, axis=1)
    np.testing.assert_allclose(lengths[1], (lengths[0] + lengths[2]) / 2, rtol=1e-5)


def test_between_tags_only_they_change():
    made = interpolate(Painter(), tags=[{"hair": "blue"}, {"hair": "red"}], frames=4)
    assert len(made.images) == 8
    assert (made.latents == seeds.latents(0, 1, DIM)).all()
    hair = MAKEGIRLSMOE.slices()["hair"]
    own = seeds.sample_labels(0, 1, MAKEGIRLSMOE)[0]
    assert (np.delete(made.labels, np.r_[hair], 1) == np.delete(own, np.r_[hair])).all()
    blue = made.labels[:, MAKEGIRLSMOE.columns.index("blue_hair")]
    np.testing.assert_allclose(blue, [1, 0.75, 0.5, 0.25, 0, 0.25, 0.5, 0.75], atol=1e-6)


def test_seeds_with_tags():
    one = interpolate(Painter(), seeds=[4, 5], tags={"hair": "green"}, frames=1)
    assert [t["hair"] for t in one.tags] == ["green", "green"]
    both = interpolate(Painter(), seeds=[4, 5], tags=[{"hair": "green"}, {}], frames=1)
    assert both.tags[0]["hair"] == "green"
    assert both.tags[1] == generate(Painter(), n=1, seed=5).tags[0]
    assert len(interpolate(Painter(), frames=1).images) == len(DEFAULT_SEEDS)


def test_truncation_scales_the_keys():
    whole, half = (interpolate(Painter(), frames=3, truncation=t).latents for t in (1, 0.5))
    np.testing.assert_array_equal(half, whole / 2)


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_animation_files(tmp_path, ending):
    out = tmp_path / f"loop.{ending}"
    interpolate(Painter(), seeds=[1, 2], frames=4, out=out, milliseconds=40)
    with Image.open(out) as animation:
        assert animation.n_frames == 8
        assert animation.info["loop"] == 0
        assert animation.size == (SIZE + 2, SIZE)


def test_a_sheets_rows_go_from_key_to_key(tmp_path):
    sheet = tmp_path / "sheet.png"
    made = interpolate(Painter(), seeds=[1, 2, 3], frames=4, grid=sheet)
    from tfanime.core.images import grid

    order = [0, 1, 2, 3, 4, 4, 5, 6, 7, 8]
    with Image.open(sheet) as picture:
        assert getattr(picture, "n_frames", 1) == 1
        np.testing.assert_array_equal(np.asarray(picture), grid(made.images[order], columns=5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": [1]}, "at least two seeds or two sets of tags"),
        ({"seeds": []}, "at least two"),
        ({"seeds": 7}, "at least two"),
        ({"tags": [{"hair": "red"}]}, "at least two"),
        ({"seeds": [1, 2, 3], "tags": [{}, {}]}, "3 seeds and 2 tags"),
        ({"seeds": [1, -2]}, "seed is a whole number"),
        ({"frames": 0}, "frames is a whole number.*Received: 0"),
        ({"frames": 2.5}, "frames is a whole number"),
        ({"frames": 10**9}, "10,000 at most"),
        ({"method": "cubic"}, "method is one of: slerp, lerp. Received: 'cubic'"),
        ({"milliseconds": 0}, "milliseconds is a number"),
        ({"truncation": -1}, "truncation is a number"),
        ({"out": "loop.avi"}, "out, an animation, ends in .gif, .png, .webp, .mp4.*'loop.avi'"),
        ({"grid": "sheet.gif"}, "grid, a sheet of images, ends in"),
        ({"tags": {"hare": "blue"}}, "Known: hair, "),
    ],
)
def test_interpolate_refusals(arguments, message):
    painter = Painter()
    with pytest.raises(ValueError, match=message):
        interpolate(painter, **arguments)
    assert not painter.batches
