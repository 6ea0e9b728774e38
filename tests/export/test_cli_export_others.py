"""`tfanime export saved-model`, `litert`, `onnx` and `all`."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace

import pytest

import tfanime
from tfanime.export import everything
from tfanime.export.files import portable
from tfanime.export.graph.precision import Measured
from tfanime.export.serving import saved_model

ROW = Measured("litert", 4_460_000, 3_610_000, 95.8, 93.3)
CONVERTED = SimpleNamespace(
    path=Path("x/model.tflite"), kind="litert", difference=2e-6, table=(ROW,)
)
SAVED = SimpleNamespace(
    path=Path("x/girls/3"),
    weight_bytes=2_500_000,
    difference=1e-6,
    signatures=("describe", "generate"),
)
SITE = SimpleNamespace(path=Path("x/web"), models=(SimpleNamespace(name="girls"),))
RESULTS = {
    "export_saved_model": SAVED,
    "export_litert": CONVERTED,
    "export_onnx": CONVERTED,
    "export_all": SimpleNamespace(
        web=SITE, served=SAVED, litert=CONVERTED, onnx=CONVERTED, lacking={}
    ),
}
FUNCTIONS = {
    "saved-model": saved_model.export_saved_model,
    "litert": portable.export_litert,
    "onnx": portable.export_onnx,
    "all": everything.export_all,
}


@pytest.fixture
def calls(monkeypatch):
    """Replaces the exports; what they were called with."""
    seen = []

    def stand_in(name):
        def called(*arguments, **options):
            seen.append((name, arguments, options))
            return RESULTS[name]

        return called

    for name in RESULTS:
        monkeypatch.setitem(vars(tfanime), name, stand_in(name))
    return seen


@pytest.mark.parametrize("verb", FUNCTIONS)
def test_help_has_examples_and_defaults_are_those_of_the_function(invoke, calls, tmp_path, verb):
    result = invoke("export", verb, "--help")
    assert result.exit_code == 0 and f"  tfanime export {verb} runs/girls" in result.stdout
    result = invoke("export", verb, tmp_path, "--out", "x")
    assert result.exit_code == 0, result.stderr
    [(name, arguments, options)] = calls
    assert name == f"export_{verb.replace('-', '_')}" and arguments == (tmp_path, "x")
    there = inspect.signature(FUNCTIONS[verb]).parameters
    for key, value in options.items():
        assert key == "progress" or value == there[key].default


def test_saved_model(invoke, calls, tmp_path):
    words = ["--version", 3, "--most", 8, "--upscaler", tmp_path]
    result = invoke("export", "saved-model", tmp_path, "--out", "x/girls", *words)
    assert calls[0][2] == {
        "version": 3,
        "most": 8,
        "upscaler": tmp_path,
        "trust_encoder": False,
    }
    assert "x/girls/3: 2.50 MB of weights, images differ by 1.0e-06 at most" in result.stdout
    assert "signatures: describe, generate" in result.stdout


def test_reports(invoke, calls, tmp_path):
    result = invoke("export", "litert", tmp_path, "--out", "x")
    assert "x/model.tflite: images differ by 2.0e-06 at most" in result.stdout
    assert "litert       4.46     3.61     95.8    93.3 <-" in result.stdout
    result = invoke("export", "all", tmp_path, "--no-site", "--out", "x")
    assert "x/girls/3: images differ" in result.stdout and "x/web: girls" in result.stdout
    assert calls[1][2] == {
        "upscaler": None,
        "site": False,
        "progress": True,
        "trust_encoder": False,
    }


@pytest.mark.parametrize(
    "words",
    [
        ["saved-model", ".", "--out", "x", "--most", "0"],
        ["saved-model", ".", "--out", "x", "--version", "0"],
        ["saved-model", "missing/", "--out", "x"],
        ["litert", "."],
        ["onnx", "missing/", "--out", "x"],
        ["all", ".", ".", "--out", "x"],
    ],
)
def test_wrong_usage_exits_with_2(invoke, calls, words):
    result = invoke("export", *words)
    assert result.exit_code == 2 and calls == []
    assert "Error: " in result.stderr and "Traceback" not in result.stderr


def test_everything_goes_into_one_folder(monkeypatch, tmp_path):
    seen = []
    for name in ("litert", "onnx", "saved_model", "web"):
        monkeypatch.setattr(
            everything,
            f"export_{name}",
            lambda *args, name=name, **options: seen.append((name, *args)),
        )
    everything.export_all(tmp_path / "my run", tmp_path, upscaler=tmp_path / "up")
    assert seen == [
        ("litert", tmp_path / "my run", tmp_path / "litert"),
        ("onnx", tmp_path / "my run", tmp_path / "onnx"),
        ("saved_model", tmp_path / "my run", tmp_path / "serving" / "my-run"),
        ("web", [tmp_path / "my run", tmp_path / "up"], tmp_path / "web"),
    ]


def test_what_lacks_packages_is_left_out_and_named(monkeypatch, tmp_path):
    def without(*args, **options):
        raise ImportError('Exporting to ONNX needs tf2onnx: pip install ".[onnx]" in a checkout')

    for name, result in (("litert", CONVERTED), ("saved_model", SAVED), ("web", SITE)):
        monkeypatch.setattr(everything, f"export_{name}", lambda *a, r=result, **o: r)
    monkeypatch.setattr(everything, "export_onnx", without)
    made = everything.export_all(tmp_path, tmp_path)
    assert (made.litert, made.onnx, made.served, made.web) == (CONVERTED, None, SAVED, SITE)
    assert list(made.lacking) == ["onnx"]


def test_the_exit_code_says_that_something_is_lacking(invoke, monkeypatch, tmp_path):
    made = SimpleNamespace(
        web=None, served=SAVED, litert=CONVERTED, onnx=None, lacking={"onnx": "No o.", "web": "No."}
    )
    monkeypatch.setitem(vars(tfanime), "export_all", lambda *a, **o: made)
    result = invoke("export", "all", tmp_path, "--out", "x")
    assert result.exit_code == 1
    assert result.stderr == "Not written: onnx/. No o.\nNot written: web/. No.\n"
    assert result.stdout.count("images differ") == 2
