"""LiteRT and ONNX files: run by their own runtimes they draw the trained model's pictures."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import tensorflow as tf
from networks import SCHEMA, generator, inputs, saved, saved_upscaler

import tfanime
from tests.test_package import run_python
from tfanime.export.files import portable
from tfanime.export.graph import parity

KINDS = {"litert": tfanime.export_litert, "onnx": tfanime.export_onnx}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("portable") / "girls", "modern")


def drawn(path, given: dict[str, np.ndarray]) -> np.ndarray:
    """What the file draws, without anything of ours."""
    if path.suffix == ".onnx":
        onnxruntime = pytest.importorskip("onnxruntime")
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(["pictures"], given)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runner = tf.lite.Interpreter(str(path)).get_signature_runner()
    return runner(**given)["pictures"]


@pytest.mark.parametrize("kind", KINDS)
def test_files(kind, run, tmp_path):
    if kind == "onnx":
        pytest.importorskip("tf2onnx")
    made = KINDS[kind](run, tmp_path / "out")
    names = ("latents", "labels")
    for n in (1, 3):  # any batch
        given = inputs(generator("modern"), n)
        expected = np.asarray(generator("modern")(given, training=False))
        found = drawn(made.path, dict(zip(names, given, strict=True)))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert made.difference <= parity.FLOAT32
    [row] = made.table
    assert row.weight_bytes == made.path.stat().st_size and row.psnr > 90
    manifest = json.loads((tmp_path / "out" / "tfanime.json").read_text())
    assert manifest["inputs"] == list(names) and manifest["model"] == made.path.name
    assert manifest["schema"] == json.loads(json.dumps(SCHEMA.to_json()))
    assert f"| **{kind}** |" in (tmp_path / "out" / "MODEL_CARD.md").read_text()


@pytest.mark.slow
def test_neither_tensorflow_nor_litert_says_anything_by_itself(run, tmp_path):
    """In a process of a user's: while TensorFlow starts, looks for devices and computes. LiteRT
    writes to file descriptor 2, whatever the log level is."""
    code = (
        "import tfanime, keras, tensorflow; tensorflow.config.list_physical_devices()\n"
        f"tfanime.export_litert({str(run)!r}, {str(tmp_path / 'out')!r})"
    )
    done = run_python(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "srresnet_wide", "r3gan"])
def test_other_networks(name, tmp_path):
    run = saved(tmp_path / "run", name, labelled=False)
    assert tfanime.export_litert(run, tmp_path / "out").difference <= parity.FLOAT32


def test_an_earlier_export_is_replaced_and_nothing_else(run, tmp_path, monkeypatch):
    monkeypatch.setattr(portable, "_to_litert", lambda graph: b"file")
    monkeypatch.setattr(portable, "_litert", lambda data, graph: lambda given: graph(*given))
    out = tmp_path / "out"
    tfanime.export_litert(run, out)
    (out / "model.tflite").rename(out / "old")
    manifest = json.loads((out / "tfanime.json").read_text())
    (out / "tfanime.json").write_text(json.dumps(manifest | {"written": ["old", "tfanime.json"]}))
    tfanime.export_litert(run, out)
    assert not (out / "old").exists()
    manifest = json.loads((out / "tfanime.json").read_text())
    assert manifest["written"] == sorted(entry.name for entry in out.iterdir())
    for other in ("onnx", None):
        manifest = {k: v for k, v in (manifest | {"kind": other}).items() if v}
        (out / "tfanime.json").write_text(json.dumps(manifest))
        with pytest.raises(ValueError, match="holds something else"):
            tfanime.export_litert(run, out)


def test_a_file_that_draws_something_else_is_not_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr(portable, "_litert", lambda data, graph: lambda g: graph(*g) + 2e-4)
    with pytest.raises(RuntimeError, match="the file for litert .* by 0.0001 at most"):
        tfanime.export_litert(run, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_upscalers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="A run of a generator is needed"):
        tfanime.export_litert(saved_upscaler(tmp_path / "run"), tmp_path / "out")


def test_without_the_extra(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[onnx\]" in a checkout'):
        tfanime.export_onnx(run, tmp_path / "out")
