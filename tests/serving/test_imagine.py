"""Words in, pictures out, on a server: a tiny BERT inside the graph."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("tensorflow_text")
from tiny_models import shaken  # noqa: E402

import tfanime  # noqa: E402
from tests.text.bert_twin import make_checkpoint  # noqa: E402
from tfanime.core.files import write_json  # noqa: E402
from tfanime.core.labels import Field, LabelSchema  # noqa: E402
from tfanime.data.writer import Writer  # noqa: E402
from tfanime.export.serving.saved_model import export_saved_model  # noqa: E402
from tfanime.models import GENERATORS  # noqa: E402
from tfanime.serving import Client  # noqa: E402
from tfanime.text import convert  # noqa: E402
from tfanime.text.attach import attach  # noqa: E402
from tfanime.text.vector_cache import KeptTexts, keep_texts  # noqa: E402
from tfanime.zoo.saved import save_generator  # noqa: E402


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that was trained with two texts, as far as its folder tells."""
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    make_checkpoint(tmp_path / "model")
    pair = convert(tmp_path / "model", tmp_path / "pair")
    folder = tmp_path / "data"
    folder.mkdir()
    writer = Writer(folder, 16, 16)
    for i in range(24):
        writer.add(np.full((16, 16, 3), i, np.uint8))
    labels = np.float32([[1, 0]] * 12 + [[0, 1]] * 12)
    write_json(folder / "files.json", [f"{i}.png" for i in range(24)])
    writer.finish(labels, LabelSchema((Field("mood", "group", ("light", "heavy")),)))
    rows = [{"title": f"T{i}", "plot": "red moon" if i < 12 else "lone sword"} for i in range(24)]
    (folder / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    data = attach(folder, "plot", size=6, encoder=pair, progress=False)
    model = GENERATORS["dcgan"](16, 16, 3, data.schema.size, channels=4)
    save_generator(tmp_path / "run", shaken(model), data.schema, "posters")
    keep_texts(data, data, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow
@pytest.mark.usefixtures("encoders_once")
def test_imagine(run, tmp_path):
    from model_server import ModelServer

    saved = export_saved_model(run, tmp_path / "serving" / "posters", most=4, trust_encoder=True)
    assert "imagine" in saved.signatures
    code = KeptTexts.open(run).described
    given = {"plot": code.encode(["red moon"], trust_encoder=True)[0], "mood": "light"}
    expected = tfanime.generate(run, n=5, seed=7, tags=given)
    with ModelServer(tmp_path / "serving") as server:
        for address in (server.rest, server.grpc):
            with Client(address, "posters") as client:
                asked = {"n": 5, "seed": 7, "tags": {"mood": "light"}}
                found = client.imagine("The <b>red</b> moon!", **asked)
                np.testing.assert_allclose(found.labels, expected.labels, atol=1e-5)
                assert np.abs(found.images.astype(int) - expected.images).max() <= 1
                with pytest.raises(ValueError, match="A text that says something"):
                    client.imagine("  ")
