"""The encoder in an exported folder: beside its generator, and it says what Keras says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from networks import LATENT, SCHEMA, generator, saved, shaken

import tfanime
from tfanime.core import seeds
from tfanime.core.files import write_json
from tfanime.core.labels import to_signed
from tfanime.export.web import tfjs
from tfanime.models import encoder
from tfanime.zoo.directions import weights_digest

HEIGHT, WIDTH = 32, 48  # of "modern"


def entry(site) -> dict:
    [model] = json.loads((site.path / "tfanime.json").read_text())["models"]
    return model


@pytest.fixture(scope="module")
def network():
    return shaken(encoder.network(HEIGHT, WIDTH, LATENT, SCHEMA.size, (8, 8, 16, 16)))


@pytest.fixture(scope="module")
def run(tmp_path_factory, network):
    folder = saved(tmp_path_factory.mktemp("encoded") / "girls")
    network.save(folder / "encoder.keras")
    write_json(folder / "encoder.json", {"weights": weights_digest(folder)})
    return folder


@pytest.fixture(scope="module")
def site(run, tmp_path_factory):
    return tfanime.export_web(run, tmp_path_factory.mktemp("site") / "girls", "uint8", site=False)


def test_what_is_written_says_what_keras_says(site, network):
    found = entry(site)["encoder"]
    graph = site.path / found["graph"]
    (graph.parent / tfjs.MODEL).write_bytes(graph.read_bytes())
    artifact = tfjs.read(graph.parent)
    assert artifact.inputs == found["inputs"] == {"pictures": "pictures:0"}
    labels = to_signed(seeds.sample_labels(5, 16, SCHEMA))
    images = np.asarray(generator("modern")([seeds.latents(5, 16, LATENT), labels], training=False))
    wanted = np.asarray(network(images, training=False))
    assert wanted.shape == (16, LATENT + SCHEMA.size) and np.std(wanted, axis=0).min() > 1e-3
    exact = {"float16": 0.05, "float32": 1e-3}[found["precision"]]
    np.testing.assert_allclose(artifact.function()(images), wanted, atol=exact)


def test_sizes_do_not_count_it_and_the_card_says_so(site):
    model = entry(site)
    assert site.models[0].weight_bytes == model["weightBytes"]
    assert all("/encoder/" in file["path"] for file in model["encoder"]["files"])
    assert not any("/encoder/" in file["path"] for file in model["files"])
    card = (site.path / "models/girls/MODEL_CARD.md").read_text()
    assert "is fetched when a visitor opens a picture of their own" in card


def test_one_of_other_weights_stays_behind_with_a_note(tmp_path, network, capsys):
    folder = saved(tmp_path / "girls")
    network.save(folder / "encoder.keras")
    write_json(folder / "encoder.json", {"weights": "0" * 64})
    site = tfanime.export_web(folder, tmp_path / "site", "float32", site=False)
    assert "encoder" not in entry(site)
    assert "Note: pages read no pictures of visitors. " in capsys.readouterr().err
