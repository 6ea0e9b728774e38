"""What is misspelt: refused in one sentence that says what was probably meant, and before
TensorFlow is imported."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import tfanime
from tests.command_line import invoke
from tfanime import models, zoo
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.core.printing import near_miss
from tfanime.recipes.network_options import DECIDED, network_names, network_options

TRAIN = ["train", "dcgan", "--data", "drawn", "--steps", 2, "--out", "x"]


def test_near_miss():
    assert near_miss("PINK", ["blue", "Pink"]) == " Did you mean 'Pink'?"
    assert near_miss("xyz", ["blue", "pink"]) == near_miss("blue", []) == ""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["generate", "face-64", "--grid", "x.png"], "faces-64"),
        (["generate", "faces-64", "--hairs", "pink", "--grid", "x.png"], "hair"),
        (["generate", "faces-64", "--hair", "pnik", "--grid", "x.png"], "pink"),
        (["generate", "faces-64", "--grdi", "x.png", "--out", "x"], "grid"),
        (["imagine", "a storm", "--run", "poster", "--grid", "x.png"], "posters"),
        (["train", "modem", "--data", "drawn", "--out", "x"], "modern"),
        ([*TRAIN, "--set", "g_lrr=1"], "g_lr"),
        ([*TRAIN, "--set", "optimizer=adm"], "adam"),
        ([*TRAIN, "--set", "generator.chanels=32"], "channels"),
        ([*TRAIN, "--set", "discriminator=moderm"], "modern"),
        (["sweep", *TRAIN[1:], "--grid", "seed=1,2", "--set", "g_lrr=1"], "g_lr"),
    ],
)
def test_what_was_meant_is_said(tmp_path, monkeypatch, words, meant):
    monkeypatch.chdir(tmp_path)
    result = invoke(*words)
    assert result.exit_code == 2, result.output
    assert f"Did you mean {meant!r}?" in result.stderr and "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_only_what_is_wrong_is_accused():
    said = invoke(*TRAIN, "--set", "generator.chanels=32", "--set", "generator.depth=3").stderr
    assert "does not take these options: chanels. It takes: channels, depth" in said


def test_python_says_it_too():
    with pytest.raises(ValueError, match="Did you mean 'faces-64'?"):
        zoo.path("face-64")
    with pytest.raises(OSError, match="Did you mean 'faces-64'?"):
        tfanime.generate("face-64")
    with pytest.raises(ValueError, match="Did you mean 'modern'?"):
        tfanime.recipes.get("modrn")
    with pytest.raises(ValueError, match="Did you mean 'open_mouth'?"):
        MAKEGIRLSMOE.encode({"open-mouth": True})


def test_capitals_do_not_matter():
    encode = MAKEGIRLSMOE.encode
    assert encode({"hair": "Pink"}).tobytes() == encode({"hair": "pink"}).tobytes()
    both = tfanime.LabelSchema((tfanime.Field("class", "group", ("a", "A")),))
    assert [list(both.encode({"class": word})) for word in "aA"] == [[1, 0], [0, 1]]


def test_a_tagger_is_no_generator(tmp_path):
    said = invoke("generate", "tagger", "--grid", tmp_path / "x.png").stderr
    assert "a tagger: `tfanime prepare tags`" in said and "no model of that name" not in said


@pytest.mark.parametrize(
    ("role", "known"),
    [
        ("generator", {**models.GENERATORS, **models.UPSCALERS}),
        ("discriminator", models.DISCRIMINATORS),
    ],
)
def test_options_are_those_of_the_functions(role, known):
    assert network_names(role) == tuple(known)
    for name, function in known.items():
        there = inspect.signature(function).parameters.values()
        usual = {p.name: None if p.default is p.empty else p.default for p in there}
        found = network_options(role, name)
        assert list(found) == [name for name in usual if name not in DECIDED]
        # What is no plain value, such as a constant's name, is not read.
        assert all(value in (usual[name], None) for name, value in found.items())


def test_settings_are_refused_before_tensorflow_is_imported(tmp_path):
    lines = [
        [*TRAIN, "--set", "generator.chanels=32"],
        [*TRAIN, "--set", "g_lr=-1"],
        ["train", "dcgan", "--data", "drawn", "--out", "x"],
        ["generate", "--grid", "x.tiff"],
        ["interpolate", "--out", "x.tiff"],
        ["imagine", "a storm", "--run", "posters", "--grid", "x.tiff"],
        ["evaluate", "faces-64", "--against", "drawn", "--metrics", "fdi", "--out", "x"],
    ]
    code = (
        "import sys\nfrom tfanime.cli import main\n"
        f"for words in {[[str(word) for word in line] for line in lines]}:\n"
        "    try:\n        main(words)\n"
        "    except SystemExit as end:\n        print(end.code)\n"
        "print({'tensorflow', 'keras'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["2"] * len(lines) + ["set()"], run.stderr


def test_metrics_are_those_that_there_are():
    from tfanime.registries import METRICS

    assert all(callable(METRICS.get(name)) for name in METRICS.built_in)


def test_a_text_is_no_file_name(tmp_path):
    result = invoke("imagine", "xyzzy " * 250, "--run", "posters", "--grid", tmp_path / "x.png")
    assert result.exit_code == 1 and "A text that says something about" in result.stderr
    assert len(result.stderr) < 500
    result = invoke("generate", "x" * 5000, "--grid", tmp_path / "x.png")
    assert result.exit_code == 2 and "does not exist" in result.stderr
