"""What there is to draw with: `tfanime models`, the attributes in `--help`, folders in the way."""

from __future__ import annotations

import json

import pytest

import tfanime
from tests.command_line import invoke
from tfanime import zoo
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema


def write_run(folder, schema=None, recipe="modern"):
    (folder / "checkpoints" / "step-000001200").mkdir(parents=True)
    (folder / "generator.keras").touch()
    stored = {"kind": "generator", "name": recipe, "latent_dim": 8, "height": 96, "width": 64}
    stored["schema"] = schema.to_json() if schema else None
    (folder / "generator.json").write_text(json.dumps(stored))
    (folder / "config.json").write_text(json.dumps({"config": {"recipe": recipe}}))


def test_what_ships_and_what_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "No runs in ." in invoke("models").stdout
    write_run(tmp_path / "runs" / "girls", MAKEGIRLSMOE)
    write_run(tmp_path / "runs" / "girls" / "best")
    write_run(tmp_path / "old", recipe="dcgan\x1b[2J")
    (tmp_path / "old" / "generator.json").write_text("{")
    result = invoke("models")
    assert result.exit_code == 0, result.output
    ships, runs = result.stdout.split("Runs in .\n")
    assert [line.split()[0] for line in ships.splitlines()[1:]] == zoo.names()
    assert [line.split() for line in runs.splitlines()] == [
        ["old", "damaged", "dcgan[2J,", "step", "1,200"],
        ["runs/girls", "draws", "64x96,", "34", "attributes", "modern,", "step", "1,200"],
    ]


def test_attributes_of_one():
    rows = dict(line.split(maxsplit=1) for line in invoke("models", "faces-64").stdout.splitlines())
    assert rows["--style"] == "bust, fan_art, game, television"
    assert rows["--open-mouth"] == "yes or no (--no-open-mouth)"


@pytest.mark.parametrize("verb", ["generate", "interpolate"])
def test_help_lists_the_attributes_of_the_model(tmp_path, verb):
    for words in ([verb, "faces-64", "--help"], [verb, "--n", "4", "faces-64", "-h"]):
        result = invoke(*words)
        assert result.exit_code == 0 and "Attributes of faces-64:" in result.stdout
        assert "--open-mouth" in result.stdout and "silver, white" in result.stdout
    write_run(tmp_path / "plain")
    assert "without labels" in invoke(verb, tmp_path / "plain", "--help").stdout
    assert f"{verb} MODEL --help lists" in invoke(verb, "--help").stdout


def test_an_attribute_called_like_an_option_of_the_verb(tmp_path, monkeypatch):
    """`--style` of imagine is a poster's, `--seed` every verb's."""
    write_run(tmp_path, LabelSchema((Field("seed", "flag"), Field("style", "group", ("a", "b")))))
    listed = invoke("imagine", "--run", tmp_path, "--help").stdout
    assert "--label-seed" in listed and "--label-style" in listed
    listed = invoke("generate", tmp_path, "--help").stdout
    assert "--label-seed" in listed and "--label-style" not in listed and "--style" in listed
    assert "(--label-no-seed)" in listed and "--no-seed" not in listed
    seen = {}
    monkeypatch.setattr(tfanime, "generate", lambda run, **given: seen.update(given))
    words = ["--seed", 5, "--label-seed", "--style", "b", "--grid", "x.png"]
    result = invoke("generate", tmp_path, *words)
    assert result.exit_code == 0, result.stderr
    assert (seen["seed"], seen["tags"]) == (5, {"seed": True, "style": "b"})
    assert invoke("generate", tmp_path, "--label-no-seed", "--grid", "x.png").exit_code == 0
    assert seen["tags"] == {"seed": False}


def test_a_folder_in_the_way_hides_no_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posters").mkdir()
    assert zoo.locate("posters") == zoo.path("posters")
    result = invoke("models", "posters")
    assert result.exit_code == 0 and "--horror" in result.stdout
    assert result.stderr == "posters is the model that ships; what is here is ./posters.\n"
    # A run of that name is meant, and ./posters is always the folder.
    write_run(tmp_path / "posters", MAKEGIRLSMOE)
    assert "--twintails" in invoke("models", "posters").stdout
    assert zoo.locate("./posters") == zoo.locate(tmp_path / "posters").relative_to(tmp_path)


def test_a_folder_in_the_way_can_be_meant(tmp_path, monkeypatch):
    from tfanime.cli.kinds import Run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "posters").mkdir()
    asked = Run().convert("./posters", None, None)
    assert zoo.locate(asked).samefile(tmp_path / "posters")
    assert zoo.locate("posters") == zoo.path("posters")
