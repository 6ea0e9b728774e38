"""`tfanime export web` and `tfanime web serve`."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

import tfanime
from tfanime.export.graph.precision import Measured


@pytest.fixture
def calls(monkeypatch):
    """Replaces the export; what it was called with."""
    seen = []
    row = Measured("uint8", 4_460_000, 3_610_000, 35.8, 33.3)
    model = SimpleNamespace(
        name="girls", kind="generator", precision="uint8", psnr=35.8, table=(row,), kid=(0.1, 0.2)
    )

    def export(*arguments, **options):
        seen.append((arguments, options))
        return SimpleNamespace(models=(model,))

    monkeypatch.setitem(vars(tfanime), "export_web", export)
    return seen


@pytest.mark.parametrize("words", [["export"], ["export", "web"], ["web"], ["web", "serve"]])
def test_help_has_examples(invoke, words):
    result = invoke(*words, "--help")
    assert result.exit_code == 0 and f"  tfanime {words[0]} " in result.stdout


def test_export(invoke, calls, tmp_path):
    result = invoke("export", "web", tmp_path, tmp_path, "--out", "x", "--precision", "uint8")
    assert result.exit_code == 0, result.stderr
    [(arguments, options)] = calls
    assert arguments == ([tmp_path] * 2, "x")
    assert options == {
        "precision": "uint8",
        "site": True,
        "extractor": None,
        "upscaler": True,
        "address": None,
        "converter": "tfanime",
        "progress": True,
    }
    assert "uint8        4.46     3.61     35.8    33.3 <-" in result.stdout
    assert "KID: 0.10000 with float32, 0.20000 with these weights" in result.stdout
    assert "tfanime web serve x" in result.stdout
    assert "Warning: images of girls differ visibly" in result.stderr


def test_defaults_are_those_of_the_function(invoke, calls, tmp_path):
    from tfanime.export.web.export import export_web

    there = inspect.signature(export_web).parameters
    result = invoke("export", "web", tmp_path, "--out", "x")
    assert result.exit_code == 0, result.stderr
    for name, value in calls[0][1].items():
        assert name == "progress" or value == there[name].default


@pytest.mark.parametrize(
    "words",
    [
        ["export", "web", "--out", "x"],
        ["export", "web", "missing/", "--out", "x"],
        ["export", "web", "."],
        ["export", "web", ".", "--out", "x", "--precision", "int4"],
        ["web", "serve", "missing/"],
        ["web", "serve", ".", "--port", "70000"],
    ],
)
def test_wrong_usage_exits_with_2(invoke, calls, words):
    result = invoke(*words)
    assert result.exit_code == 2 and calls == []
    assert "Error: " in result.stderr and "Traceback" not in result.stderr


def test_serve_needs_a_site(invoke, tmp_path):
    result = invoke("web", "serve", tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: A folder to serve has an index.html.")
