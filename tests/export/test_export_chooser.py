"""The chooser in an exported folder: beside its generator, with the scores that Keras gives."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from networks import LATENT, SCHEMA, generator, saved, shaken

import tfanime
from tests import tiny_choosers
from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.evaluation.by_eye.chooser import WIDTHS
from tfanime.export.web import beside, tfjs
from tfanime.export.web.model import OF_SCORES
from tfanime.models import encoder
from tfanime.zoo.chooser import save_chooser

HEIGHT, WIDTH = 32, 48  # of "modern"
BORDER = 0.25
MODEL = tiny_choosers.chooser(HEIGHT, WIDTH)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def images(n: int) -> np.ndarray:
    labels = to_signed(seeds.sample_labels(5, n, SCHEMA))
    return np.asarray(generator("modern")([seeds.latents(5, n, LATENT), labels], training=False))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same generator exported without a chooser and with one."""
    folder = tmp_path_factory.mktemp("choosing")
    run = saved(folder / "girls")
    without = tfanime.export_web(run, folder / "without", "uint8", site=False)
    save_chooser(run, MODEL, BORDER, {})
    return without, tfanime.export_web(run, folder / "with", "uint8", site=False)


def entry(site) -> dict:
    [model] = json.loads((site.path / "tfanime.json").read_text())["models"]
    return model


def test_its_files_are_listed_and_named_by_their_content(both):
    _, site = both
    found = entry(site)["chooser"]
    assert found["border"] == BORDER
    assert found["graph"] == found["files"][0]["path"]
    for file in found["files"]:
        assert file["path"].startswith("models/girls/chooser/")
        data = (site.path / file["path"]).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        assert (len(data), digest) == (file["bytes"], file["sha256"])
        assert Path(file["path"]).stem.endswith(f"-{digest[:8]}")
    shards = sum(file["bytes"] for file in found["files"][1:])
    assert shards == found["weightBytes"] > 0
    there = {path for path in files(site.path) if "/chooser/" in path}
    assert there == {file["path"] for file in found["files"]}


def test_what_is_written_scores_as_keras_does(both):
    _, site = both
    found = entry(site)["chooser"]
    graph = site.path / found["graph"]
    (graph.parent / tfjs.MODEL).write_bytes(graph.read_bytes())
    artifact = tfjs.read(graph.parent)
    (graph.parent / tfjs.MODEL).unlink()
    assert artifact.inputs == found["inputs"] == {"pictures": "pictures:0"}
    drawn = images(16)
    scores = np.asarray(MODEL(drawn, training=False))
    assert np.std(scores) > 0.05
    exact = {"float16": 5e-3, "float32": 1e-4}[found["precision"]]
    np.testing.assert_allclose(artifact.function()(drawn), scores, atol=exact)


@pytest.mark.parametrize(
    ("wanted", "scale", "kind"),
    [("auto", 10, "float16"), ("float32", 10, "float32"), ("auto", 100, "float32")],
)
def test_weights_are_halved_where_scores_stay(tmp_path, wanted, scale, kind):
    """Rounded weights move large scores by more, and then stay as they are."""
    model = tiny_choosers.chooser(HEIGHT, WIDTH, scale)
    given = ("chooser", model, images(16), OF_SCORES, wanted, tfjs.convert)
    found = beside.write(tmp_path, "chooser", *given)
    assert found["precision"] == kind
    bytes_each = {"float16": 2, "float32": 4}[kind]
    assert (
        0 <= found["weightBytes"] - bytes_each * model.count_params() < 100
    )  # shapes are weights too


def test_the_network_that_is_trained_goes_along(tmp_path):
    """The one of `tfanime judge chooser`, with residual maps and batch norm, and its scores."""
    model = shaken(encoder.network(HEIGHT, WIDTH, 1, 0, WIDTHS))
    drawn = images(16)
    given = ("chooser", model, drawn, OF_SCORES, "float32", tfjs.convert)
    found = beside.write(tmp_path, "chooser", *given)
    graph = tmp_path / found["graph"]
    graph.rename(graph.with_name(tfjs.MODEL))
    scores = tfjs.read(graph.parent).function()(drawn)
    np.testing.assert_allclose(scores, model(drawn, training=False), atol=1e-4)


def test_sizes_count_it_and_the_card_says_so(both):
    without, site = both
    more = entry(site)["chooser"]["weightBytes"]
    assert site.models[0].weight_bytes == without.models[0].weight_bytes + more
    assert "are the chooser's" in (site.path / "models/girls/MODEL_CARD.md").read_text()


def test_all_else_stays_as_it_is(both):
    without, site = both
    assert "chooser" not in entry(without)
    plain = entry(site)
    del plain["chooser"]
    assert plain == entry(without)
    others = {"tfanime.json", "models/girls/MODEL_CARD.md"}
    before = {path: data for path, data in files(without.path).items() if path not in others}
    after = {path: data for path, data in files(site.path).items() if path not in others}
    assert before == {path: data for path, data in after.items() if "/chooser/" not in path}


def test_one_of_other_weights_stays_behind_with_a_note(tmp_path, capsys):
    run = saved(tmp_path / "girls")
    save_chooser(run, MODEL, BORDER, {})
    text = (run / "chooser.json").read_text()
    (run / "chooser.json").write_text(text.replace('"weights": "', '"weights": "0'))
    site = tfanime.export_web(run, tmp_path / "site", "float32", site=False)
    assert "chooser" not in entry(site)
    assert "other weights" in capsys.readouterr().err
