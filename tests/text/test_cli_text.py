from __future__ import annotations

import pytest
from click.testing import CliRunner

from tfanime import cli
from tfanime.text import offline


@pytest.fixture
def invoke():
    def run(*words):
        return CliRunner().invoke(cli.main, ["text", *map(str, words)], terminal_width=200)

    return run


@pytest.fixture
def table(tmp_path):
    lines = ["title,genres,synopsis"]
    for i in range(24):
        words, genre = [("red sword", "Action"), ("lone hair", "Comedy")][i % 2]
        lines.append(
            f"Story {'abcdefghijklmnopqrstuvwxyz'[i]},{genre},{words} {'moon ' * (i // 2)}"
        )
    path = tmp_path / "synopses.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_embed_probe_and_map(invoke, table, pair, tmp_path):
    out = tmp_path / "vectors"
    done = invoke("embed", table, "--column", "synopsis", "--out", out, "--encoder", pair)
    assert done.exit_code == 0 and "24 texts, 8 numbers each" in done.stdout
    done = invoke("probe", out)
    assert done.exit_code == 0 and "24 texts with genres" in done.stdout
    assert "majority class 50.0%" in done.stdout
    done = invoke("map", out, "--out", tmp_path / "map")
    assert done.exit_code == 0 and (tmp_path / "map" / "map.html").is_file()


def test_mistakes_get_a_sentence(invoke, table, pair, tmp_path):
    done = invoke("embed", table, "--column", "plot", "--out", tmp_path / "v", "--encoder", pair)
    assert done.exit_code == 1 and "Error: The texts are in a column" in done.stderr
    done = invoke("embed", table, "--column", "title", "--out", tmp_path / "v", "--encoder", "nil")
    assert done.exit_code == 1 and "An encoder is a TF-Hub address" in done.stderr
    done = invoke("probe", tmp_path)
    assert done.exit_code == 1 and "tfanime text embed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("converted_before")
def test_install(invoke, monkeypatch, checkpoint):
    monkeypatch.setattr(offline, "_packaged", lambda: checkpoint[0])
    monkeypatch.setattr(offline, "FILES", {})
    done = invoke("install")
    assert done.exit_code == 0 and str(offline.pair_folder()) in done.stdout


@pytest.mark.parametrize("verb", [[], ["install"], ["embed"], ["map"], ["probe"]])
def test_help_has_examples(invoke, verb):
    done = invoke(*verb, "--help")
    assert done.exit_code == 0 and "tfanime text" in done.stdout and "Examples:" in done.stdout
