"""The tiny BERT of `bert_twin`, converted once, and a cache of its own for every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bert_twin import make_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A folder with the checkpoint, and its weights."""
    folder = tmp_path_factory.mktemp("bert") / "model"
    return folder, make_checkpoint(folder)


@pytest.fixture(scope="session")
def pair(checkpoint, tmp_path_factory):
    from tfanime.text import convert

    return convert(checkpoint[0], tmp_path_factory.mktemp("hub") / "tiny")


@pytest.fixture
def converted_before(checkpoint, pair, monkeypatch):
    """What the encoder of a package becomes is what the same files became: converting them takes
    a second, and is what other tests are about."""
    from tfanime.text import offline

    def convert(files, out):
        assert files == checkpoint[0]
        return Path(shutil.copytree(pair, out))

    monkeypatch.setattr(offline, "convert", convert)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
