"""Directions in tfanime.json: what was stored with the model, or nothing."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from networks import LATENT, saved

from tfanime.export.web.directions import described
from tfanime.zoo.directions import FILE, Direction, store_directions
from tfanime.zoo.saved import load_generator

UP = np.asarray([0.6, 0, -0.8, 0, 0], np.float32)
FOUND = [
    Direction("smile", "tagger", UP, {"smile": 0.02, "blush": -0.01}, 0.9, 0.4),
    Direction("pca-1", "pca", -UP),
]


@pytest.fixture
def run(tmp_path):
    return saved(tmp_path / "run")


def test_they_are_written_as_they_are_stored(run):
    assert described(load_generator(run)) == []
    store_directions(run, FOUND, {})
    first, second = described(load_generator(run))
    assert first["name"] == "smile" and second["name"] == "pca-1"
    assert first["changes"] == [["smile", 0.02], ["blush", -0.01]] and second["changes"] == []
    vector = np.frombuffer(base64.b64decode(first["vector"]), "<f4")
    assert vector.shape == (LATENT,) and vector.tolist() == UP.tolist()


def test_those_of_other_weights_stay_behind_with_a_note(run, capsys):
    store_directions(run, FOUND, {})
    text = (run / FILE).read_text()
    (run / FILE).write_text(text.replace('"weights": "', '"weights": "0'))
    assert described(load_generator(run)) == []
    said = capsys.readouterr().err
    assert "the site gets no directions" in said and "other weights" in said
    assert "tfanime directions" in said
