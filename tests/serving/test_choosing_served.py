"""A served model with a chooser: the client shows what `tfanime.generate` shows."""

from __future__ import annotations

import shutil

import keras
import numpy as np
import pytest
from keras import layers
from tiny_models import HEIGHT, WIDTH, trace_only

import tfanime
from tfanime.export.serving.saved_model import export_saved_model
from tfanime.serving import Client
from tfanime.zoo.chooser import load_chooser, save_chooser
from tfanime.zoo.saved import load_generator


def brightness() -> keras.Model:
    """Scores an image by its mean, -1 to 1."""
    images = keras.Input((HEIGHT, WIDTH, 3))
    mean = layers.Dense(1)
    network = keras.Model(images, mean(layers.Flatten()(images)))
    size = HEIGHT * WIDTH * 3
    mean.set_weights([np.full((size, 1), 1 / size), np.zeros(1)])
    return network


@pytest.fixture(scope="module")
def run(runs, tmp_path_factory):
    """`girls`, with a chooser that rejects about half of its images."""
    folder = shutil.copytree(runs / "girls", tmp_path_factory.mktemp("choosy") / "girls")
    shown = tfanime.generate(folder, n=64, seed=1, choose=False).images
    border = float(np.median(shown.mean(axis=(1, 2, 3)) / 127.5 - 1))
    save_chooser(folder, brightness(), border, {})
    return folder


@pytest.fixture(scope="module")
def served(run, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        trace_only(patch, "generate", "generate_png", "describe")
        return export_saved_model(run, tmp_path_factory.mktemp("served") / "girls", most=10)


@pytest.fixture(scope="module")
def girls(served):
    from model_server import ModelServer

    with ModelServer(served.path.parents[1]) as server, Client(server.rest, "girls") as client:
        yield client


def test_what_is_passed_over_here_is_passed_over_there(girls, run):
    """A request gives 10 images, fewer than are looked at."""
    asked = dict(n=13, seed=3, tags={"hair": "blue"}, truncation=0.9, first=2)
    found, expected = girls.generate(**asked), tfanime.generate(run, **asked)
    np.testing.assert_array_equal(found.indices, expected.indices)
    assert found.indices[-1] >= 2 + 13, "some were passed over"
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_allclose(found.latents, expected.latents, rtol=0, atol=1e-6)
    assert np.abs(found.images.astype(int) - expected.images).max() <= 1


def test_every_index_is_drawn_where_it_is_asked_for(girls, run):
    asked = dict(n=5, seed=3, choose=False)
    found, expected = girls.generate(**asked), tfanime.generate(run, **asked)
    assert found.indices.tolist() == [0, 1, 2, 3, 4]
    assert np.abs(found.images.astype(int) - expected.images).max() <= 1


def test_scores_are_the_choosers(girls, run):
    """So programs that ask without `Client` can pass over images, too."""
    generator = load_generator(run)
    chooser = load_chooser(run, generator)
    inputs = {"seed": [3], "n": [4], "first": [0]}
    inputs = {name: np.asarray(value, np.int64) for name, value in inputs.items()}
    inputs |= {"truncation": np.ones(1, np.float32), "tags": np.asarray([b""], object)}
    answer = girls.predict("generate", inputs, ["scores", "pictures"])
    expected = chooser(answer["pictures"][0].astype(np.float32))
    np.testing.assert_allclose(answer["scores"][0], expected, rtol=0, atol=1e-5)
    assert girls.describe()["chooser"] == {"border": chooser.border}


def test_a_server_that_rejects_everything(girls, monkeypatch):
    """Of eight in a row the best is shown."""
    told, scores = girls._one, iter([0.9, 0.8, 0.7] + [0.9] * 13)

    def rejecting(signature, count, **row):
        part = told(signature, count, **row)
        return {**part, "scores": np.asarray([next(scores) for _ in range(count)], np.float32)}

    monkeypatch.setattr(girls, "_one", rejecting)
    monkeypatch.setitem(girls.describe(), "chooser", {"border": 0.5})
    assert girls.generate(n=2).indices.tolist() == [2, 3]


def test_choosing_needs_a_chooser(server):
    with Client(server.rest, "girls") as girls:
        with pytest.raises(ValueError, match="exported with a chooser"):
            girls.generate(n=1, choose=True)
        assert "chooser" not in girls.describe()
