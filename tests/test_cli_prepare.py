"""`tfanime prepare` and its stages: what they accept and pass on."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import cli, zoo
from tfanime.core.files import read_json
from tfanime.core.images import save_image
from tfanime.core.manifest import Manifest, Step

MANIFEST = Manifest(
    "faces in x",
    "x",
    "none",
    (Step("pictures", 9, {"damaged": 1}), Step("faces", 1200, {"too small": 4}, of_each=True)),
    settings={"posters": {"train, light": 7}},
)


@pytest.fixture
def invoke():
    def run(*words):
        return CliRunner().invoke(cli.main, [str(word) for word in words], terminal_width=200)

    return run


@pytest.fixture
def calls(monkeypatch):
    """Replaces the functions behind the verbs; `calls[name]` is what each was called with."""
    seen = {}

    class Packed(SimpleNamespace):
        def __len__(self):
            return 1234

    results = {
        "pack": Packed(width=64, height=96, schema=None),
        "estimate_tags": Packed(width=64, height=64, schema=None),
        "crop_faces": SimpleNamespace(manifest=MANIFEST, crops=Path("out/crops")),
        "pack_posters": MANIFEST,
    }
    for name, result in results.items():

        def called(*arguments, name=name, result=result, **options):
            seen[name] = (arguments, options)
            return result

        monkeypatch.setitem(vars(tfanime), name, called)
    return seen


FUNCTIONS = {
    "faces": ("tfanime.prepare.faces", "crop_faces"),
    "tags": ("tfanime.tagging.tags", "estimate_tags"),
    "posters": ("tfanime.prepare.posters", "pack_posters"),
}


@pytest.mark.parametrize("stage", FUNCTIONS)
def test_help_has_examples(invoke, stage):
    for flag in ("--help", "-h"):
        result = invoke("prepare", stage, flag)
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: main prepare {stage} [OPTIONS] ")
        assert f"  tfanime prepare {stage} " in result.stdout
    assert f"\n  {stage} " in invoke("prepare", "--help").stdout


@pytest.mark.parametrize("stage", FUNCTIONS)
def test_the_bare_word_is_a_stage_and_a_path_is_a_folder(
    invoke, calls, stage, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / stage).mkdir()
    for path in (f"{stage}/", f"./{stage}", tmp_path / stage):
        result = invoke("prepare", path, "--out", "packed")
        assert result.exit_code == 0, result.stderr
        assert calls.pop("pack")[0] == (str(path), "packed") and not calls
    result = invoke("prepare", stage, stage, "--out", "x")
    assert result.exit_code == 0, result.stderr
    assert list(calls) == [FUNCTIONS[stage][1]]
    assert calls.popitem()[1][0] == (stage, "x")
    assert invoke("prepare", "--out", "packed", stage).exit_code == 0
    assert calls["pack"][0] == (stage, "packed")


@pytest.mark.parametrize("stage", FUNCTIONS)
def test_defaults_are_those_of_the_function(invoke, calls, stage, tmp_path):
    module, name = FUNCTIONS[stage]
    function = getattr(__import__(module, fromlist=[name]), name)
    there = inspect.signature(function).parameters
    assert invoke("prepare", stage, tmp_path, "--out", "x").exit_code == 0
    given = calls[name][1]
    for option, value in given.items():
        default = there[option].default
        expected = (default, default) if stage == "posters" and option == "size" else default
        assert value == expected, option
    # Everything but what only Python can give has an option.
    assert set(there) - set(given) <= {"source", "records", "out", "progress", "detector"}


def test_faces(invoke, calls, tmp_path):
    words = "--enlarge 2 --smallest 48 --border refuse --neighbours 3 --licence CC-BY"
    result = invoke("prepare", "faces", tmp_path, "--out", "out", *words.split())
    assert result.exit_code == 0, result.stderr
    options = calls["crop_faces"][1]
    assert (options["enlarge"], options["smallest"], options["border"]) == (2, 48, "refuse")
    assert (options["neighbours"], options["licence"]) == (3, "CC-BY")
    assert result.stdout.splitlines() == [
        "       10  pictures",
        "       -1    damaged",
        "    1,204  faces",
        "       -4    too small",
        "    1,200  kept",
        "Look at: out/review.html",
        "Pack with: tfanime prepare out/crops --size 64 --out packed/",
        "Or with attributes: tfanime prepare tags out --size 64 --out packed/",
    ]


def test_tags(invoke, calls, tmp_path):
    words = "--tagger illustration2vec:a.onnx --size 96 --threshold 0.3 --no-tsne"
    result = invoke("prepare", "tags", tmp_path, "--out", "out", *words.split())
    assert result.exit_code == 0, result.stderr
    options = calls["estimate_tags"][1]
    assert options["tagger"] == "illustration2vec:a.onnx" and options["size"] == (96, 96)
    assert options["threshold"] == 0.3 and options["tsne"] is False
    assert "out: 1,234 images of 64x64\n" in result.stdout


def test_posters(invoke, calls, tmp_path):
    words = ["--size", "64x96", "--light", "comedy, slice of life", "--heavy", "drama"]
    words += ["--need", "title,synopsis", "--undecided", "first", "--test", "0"]
    result = invoke("prepare", "posters", tmp_path, "--out", "out", *words)
    assert result.exit_code == 0, result.stderr
    options = calls["pack_posters"][1]
    assert options["size"] == (96, 64)
    assert options["light"] == ("comedy", "slice of life") and options["heavy"] == ("drama",)
    assert options["need"] == ("title", "synopsis") and options["test"] == 0
    assert "        7  train, light\n" in result.stdout
    assert "train cdcgan-sn --data out/train --minutes 60 --out" in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["faces"],
        ["faces", "missing/", "--out", "x"],
        ["faces", ".", "--out", "x", "--border", "black"],
        ["faces", ".", "--out", "x", "--zoom", "9"],
        ["tags", ".", "--out", "x", "--size", "big"],
        ["posters", ".", "--out", "x", "--test", "1"],
        ["posters", ".", "--out", "x", "--undecided", "guess"],
    ],
)
def test_wrong_usage_exits_with_2(invoke, calls, words):
    result = invoke("prepare", *words)
    assert result.exit_code == 2 and "Error: " in result.stderr and calls == {}


@pytest.mark.parametrize(
    ("size", "count", "begins"),
    [(64, 1234, True), (128, 30, True), (96, 30, False), (64, 9000, False)],
)
def test_the_command_that_is_suggested_fits(invoke, monkeypatch, tmp_path, size, count, begins):
    class Packed(SimpleNamespace):
        def __len__(self):
            return count

    packed = Packed(width=size, height=size, schema=None)
    monkeypatch.setitem(vars(tfanime), "pack", lambda *arguments, **options: packed)
    said = invoke("prepare", tmp_path, "--out", "set").stdout.splitlines()
    assert said[1].startswith("Train with: tfanime train modern --data set --minutes 60")
    assert len(said) == 2 + begins
    if begins:
        model = said[2].removeprefix("Or begin with what ").split()[0]
        assert f"tfanime train --from {model} set --minutes 30 --out" in said[2]
        described = read_json(zoo.path(model) / "generator.json")
        assert (described["width"], described["height"]) == (size, size)


def test_the_attributes_that_were_made_are_said(invoke, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(6):
        save_image(tmp_path / "in" / f"{i}.png", rng.integers(0, 256, (16, 16, 3), np.uint8))
    rows = "".join(f"{i}.png,{'pink' if i < 4 else 'blue'},{i % 2}\n" for i in range(6))
    (tmp_path / "labels.csv").write_text(f"file,hair,smile\n{rows}")
    words = ("--labels", tmp_path / "labels.csv", "--size", 16, "--out", tmp_path / "set")
    result = invoke("prepare", tmp_path / "in", *words)
    assert result.exit_code == 0, result.stderr
    assert "\n  hair: pink 4, blue 2\n" in result.stdout and "\n  smile: " in result.stdout


def test_a_batch_is_no_larger_than_the_data():
    from tfanime.cli.prepare import training_command

    assert "--data set --batch 9 --minutes" in training_command("set", 9)
    assert "--batch" not in training_command("set", 16)
