"""`imagine` for runs with attributes and without texts."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import cli
from tfanime.core.labels import Field, LabelSchema
from tfanime.sampling.words import narrowed
from tfanime.zoo.saved import save_generator

SCHEMA = LabelSchema(
    (
        Field("hair", "group", ("blonde", "blue", "pink"), (0.8, 0.1, 0.1)),
        Field("hat", "flag", (), (0.5,)),
        Field("ribbon", "flag", (), (0.5,)),
    )
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    latents, labels = keras.Input((4,)), keras.Input((SCHEMA.size,))
    # Of both inputs: Keras 3.12 refuses one that leads to no output.
    both = keras.layers.Concatenate()([latents, labels])
    x = keras.layers.Reshape((1, 1, 3))(keras.layers.Dense(3)(both))
    model = keras.Model([latents, labels], keras.layers.UpSampling2D(16)(x))
    folder = tmp_path_factory.mktemp("run")
    save_generator(folder, model, SCHEMA, "shown")
    return folder


def test_attributes_are_read_and_the_rest_is_said(run):
    found = tfanime.imagine("blue hair, no hat or ribbon, a red dragon", run, n=3, seed=5)
    for tags in found.pictures.tags:
        assert tags == {"hair": "blue", "hat": False, "ribbon": False}
    assert found.words.unknown == ("red dragon",)
    assert found.explanation() == (
        "drawn as: hair blue, no hat, no ribbon\nnot understood: red dragon"
    )
    same = tfanime.generate(run, 3, 5, {"hair": "blue", "hat": False, "ribbon": False})
    np.testing.assert_array_equal(found.images, same.images)


def test_of_several_colours_each_picture_gets_one(run):
    hair = [t["hair"] for t in tfanime.imagine("pink or blue hair", run, n=40).pictures.tags]
    assert set(hair) == {"pink", "blue"}
    found = tfanime.imagine("no blonde hair, with a hat", run, n=40)
    assert {t["hair"] for t in found.pictures.tags} == {"pink", "blue"}
    assert all(t["hat"] for t in found.pictures.tags)
    assert {t["ribbon"] for t in found.pictures.tags} == {True, False}
    assert found.explanation() == "drawn as: hair blue or pink, hat"
    # What is asked for outright goes before the text.
    found = tfanime.imagine("pink or blue hair", run, n=4, tags={"hair": "blonde"})
    assert {t["hair"] for t in found.pictures.tags} == {"blonde"}


def test_values_that_never_occur_are_drawn_evenly():
    schema = LabelSchema((Field("hair", "group", ("a", "b", "c"), (1.0, 0.0, 0.0)),))
    assert narrowed(schema, {"hair": ("b", "c")}).fields[0].frequencies == (0.0, 1.0, 1.0)
    assert narrowed(schema, {}).fields == schema.fields


def test_what_says_nothing_is_refused(run):
    with pytest.raises(ValueError, match="this run's attributes is needed: hair, hat, ribbon"):
        tfanime.imagine("a lonely swordsman", run)
    with pytest.raises(ValueError, match="'hair' is one of"):
        tfanime.imagine("blue hair", run, tags={"hair": "mauve"})


@pytest.mark.slow
def test_on_the_command_line(run, tmp_path):
    sheet = tmp_path / "sheet.png"
    words = ["imagine", "青い髪、帽子なし、龍", "--run", str(run), "--grid", str(sheet), "--n", "2"]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 0 and sheet.is_file()
    assert "drawn as: hair blue, no hat" in done.output and "not understood: 龍" in done.output
    done = CliRunner().invoke(cli.main, [*words[:1], "xyzzy", *words[2:]])
    assert done.exit_code == 1 and "this run's attributes" in done.stderr
