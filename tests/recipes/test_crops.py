"""scripts/studies/cut_crops.py: windows to train an upscaler with."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests import scripts
from tfanime.core.decode import read_image
from tfanime.core.images import save_image


def test_windows_are_parts_of_the_picture_that_show_something():
    script = scripts.load("studies/cut_crops")
    rng = np.random.default_rng(0)
    picture = np.full((60, 80, 3), 255, np.uint8)
    picture[:30, :30] = rng.integers(0, 256, (30, 30, 3))  # the rest is paper
    found = script.windows(picture, 16, 50, rng)
    assert len(found) == 50 and {one.shape for one in found} == {(16, 16, 3)}
    assert sum(one.std() > 0 for one in found) > 45
    everywhere = np.lib.stride_tricks.sliding_window_view(picture, (16, 16, 3)).reshape(-1, 768)
    assert all((everywhere == one.ravel()).all(1).any() for one in found[:5])
    small = script.windows(picture[:16, :16], 16, 50, rng)
    np.testing.assert_array_equal(small, picture[None, :16, :16])


def test_pictures_that_are_held_out_give_no_windows(tmp_path, monkeypatch):
    script = scripts.load("studies/cut_crops")
    rng = np.random.default_rng(1)
    for i in range(6):
        save_image(tmp_path / "in" / f"{i}.png", rng.integers(0, 256, (24, 24, 3), np.uint8))
    words = [tmp_path / "in", "--size", 16, "--each", 2, "--hold-out", 2, "--out", tmp_path / "out"]
    monkeypatch.setattr("sys.argv", ["cut_crops.py", *map(str, words)])
    script.main()
    held_out = {file.stem for file in (tmp_path / "out" / "held_out").iterdir()}
    cut = [file.stem.split("_")[0] for file in (tmp_path / "out" / "train").iterdir()]
    assert len(held_out) == 2 and len(cut) == 8 and not held_out & set(cut)
    for name in held_out:
        with Image.open(tmp_path / "in" / f"{name}.png") as given:
            np.testing.assert_array_equal(
                np.asarray(read_image(tmp_path / "out" / "held_out" / f"{name}.png")), given
            )
