"""`tfanime web serve`: types, headers, and what it does not give away."""

from __future__ import annotations

import http.client
import threading

import pytest

from tfanime.export.server import server


@pytest.fixture
def ask(tmp_path):
    """Asks a running server for a path; `(status, headers, body)`."""
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    for name in ("index.html", "a.js", "b.wasm", "c.bin", "m.webmanifest", "x.json", "p.png"):
        (site / name).write_text(name)
    (tmp_path / "secret.txt").write_text("secret")
    running = server(site, port=0)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()

    def get(path):
        connection = http.client.HTTPConnection("127.0.0.1", running.server_port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    yield get
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/a.js", "text/javascript; charset=utf-8"),
        ("/b.wasm", "application/wasm"),
        ("/c.bin", "application/octet-stream"),
        ("/m.webmanifest", "application/manifest+json"),
        ("/x.json?y=1", "application/json; charset=utf-8"),
        ("/p.png", "image/png"),
    ],
)
def test_types(ask, path, kind):
    status, headers, body = ask(path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert headers["Cache-Control"] == "no-cache"
    assert body.decode() == (path.split("?")[0].strip("/") or "index.html")


@pytest.mark.parametrize("path", ["/missing", "/assets/", "/../secret.txt", "/%2e%2e/secret.txt"])
def test_nothing_else(ask, path):
    status, _, body = ask(path)
    assert status == 404 and b"secret" not in body


def test_only_this_machine(tmp_path):
    (tmp_path / "index.html").write_text("")
    with server(tmp_path, 0) as running:
        assert running.server_address[0] == "127.0.0.1"
        with pytest.raises(OSError, match=f"Port {running.server_port} .* cannot be used"):
            server(tmp_path, running.server_port).server_close()


def test_a_folder_without_a_site(tmp_path):
    with pytest.raises(ValueError, match="has an index.html"):
        server(tmp_path)
