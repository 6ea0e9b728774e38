from __future__ import annotations

import pytest

from tfanime.collect.http import Client


@pytest.fixture
def server():
    from bad_server import Server

    with Server() as running:
        yield running


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The pace that all processes share, but not with those of the user."""
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def open_client(server, tmp_path):
    """Opens clients of the server; they are closed at the end."""
    from bad_server import QUICK

    opened = []

    def open_one(folder="answers", hosts=(), **options):
        options = {"rate": 200, "limits": QUICK, "own": (server.url,), **options}
        opened.append(Client(tmp_path / folder, hosts, **options))
        return opened[-1]

    yield open_one
    for client in opened:
        client.close()
