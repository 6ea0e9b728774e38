"""The tiny BERT of `bert_twin`, converted once, and a cache of its own for every test."""

from __future__ import annotations

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


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
