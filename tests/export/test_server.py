"""`tfanime web serve`: types, headers, and what it does not give away."""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
from pathlib import Path

import pytest

from tfanime.export.web import server as module
from tfanime.export.web.server import POLICY, server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ask(tmp_path, capfd):
    """Asks a running server for a path; `(status, headers, body)`. It prints nothing."""
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    for name in ("index.html", "a.js", "b.wasm", "c.bin", "m.webmanifest", "x.json", "p.png"):
        (site / name).write_text(name)
    (tmp_path / "secret.txt").write_text("secret")
    running = server(site, port=0)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()

    def get(path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", running.server_port, timeout=10)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, answer.headers, body

    get.port, get.site = running.server_port, site
    yield get
    running.shutdown()
    thread.join()
    running.server_close()
    assert capfd.readouterr() == ("", "")


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


OUTSIDE = ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt"]
HIDDEN = ["/.git/config", "/%2egit/config", "/assets/.env", "/assets/../.env"]
LINKS = ["/link.txt", "/out/secret.txt", "/out/", "/config.txt", "/pipe"]
STRANGE = [
    "/missing",
    "/assets/",
    "/%00",
    "/a.js%00",
    "/a.js/",
    "/" + "a" * 5000,
    "//[",
    "/%ff%fe",
]


@pytest.mark.parametrize("path", [*OUTSIDE, *HIDDEN, *LINKS, *STRANGE])
def test_nothing_else(ask, path):
    site = ask.site
    (site / ".git").mkdir()
    for name in (".git/config", ".env", "assets/.env"):
        (site / name).write_text("secret")
    (site / "link.txt").symlink_to(site.parent / "secret.txt")
    (site / "out").symlink_to(site.parent)
    (site / "config.txt").symlink_to(site / ".git" / "config")
    os.mkfifo(site / "pipe")
    (site.parent / "index.html").write_text("secret")
    status, _, body = ask(path)
    assert status == 404 and b"secret" not in body


def test_links_inside_the_folder_are_followed(ask):
    (ask.site / "b.js").symlink_to(ask.site / "a.js")
    assert ask("/b.js")[::2] == (200, b"a.js")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:9", "LOCALHOST"])
def test_own_names(ask, host):
    assert ask("/a.js", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.x", "", "x:1:2"],
)
def test_names_that_others_let_lead_here(ask, host):
    status, _, body = ask("/a.js", Host=host)
    assert status == 421 and b"a.js" not in body


@pytest.mark.parametrize(
    ("asked", "status", "part", "where"),
    [
        ("bytes=0-2", 206, b"012", "bytes 0-2/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("bytes=a-b", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=" + "9" * 400 + "-", 200, b"0123456789", None),
    ],
)
def test_parts_of_files(ask, asked, status, part, where):
    (ask.site / "ten.bin").write_bytes(b"0123456789")
    found, headers, body = ask("/ten.bin", Range=asked)
    assert (found, body, headers["Content-Range"]) == (status, part, where)
    assert headers["Content-Length"] == str(len(part))
    assert ask("/ten.bin", Range=asked, If_Range="yesterday")[::2] == (200, b"0123456789")
    assert ask("/ten.bin", method="HEAD", Range=asked)[::2] == (status, b"")


def test_what_has_not_changed_is_not_sent_again(ask):
    changed = ask("/a.js")[1]["Last-Modified"]
    assert ask("/a.js", If_Modified_Since=changed)[::2] == (304, b"")
    assert ask("/a.js", If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT")[0] == 200


def test_folders_have_a_slash_at_their_end(ask):
    (ask.site / "more").mkdir()
    (ask.site / "more" / "index.html").write_text("more")
    status, headers, _ = ask("//more")
    assert (status, headers["Location"]) == (301, "/more/")
    assert ask("/more/")[::2] == (200, b"more")


@pytest.mark.parametrize("path", ["/", "/a.js", "/missing"])
def test_the_policy_is_that_of_the_page(ask, path):
    page = (ROOT / "web_export" / "index.html").read_text(encoding="utf-8")
    own = re.search(r'Security-Policy"\s+content="(.*?)"', page)[1]
    assert f"{own}; frame-ancestors 'none'" == POLICY == ask(path)[1]["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/a.js", "/missing"])
def test_sites_that_have_threads_may_use_them(ask, path):
    """An earlier one, kept without these headers by a browser, would not start with them."""
    names = ("Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy")
    assert [ask(path)[1][name] for name in names] == [None, None]
    (ask.site / "assets" / "helper-1a2b.js").write_text("")
    assert [ask(path)[1][name] for name in names] == ["same-origin", "require-corp"]


def test_idle_connections_are_closed(ask, monkeypatch):
    monkeypatch.setattr(module._Handler, "timeout", 0.05)
    idle = [socket.create_connection(("127.0.0.1", ask.port), timeout=30) for _ in range(20)]
    idle[0].sendall(b"GET / HTTP/1.1\r\nHost: local")  # and never ends
    idle[1].sendall(b"GET /a.js HTTP/1.1\r\nHost: localhost\r\n\r\n")  # and keeps it open
    for connection in idle:
        with connection:
            while connection.recv(1000):
                pass


def test_bodies_do_not_wait_until_headers_are_acknowledged(ask, monkeypatch):
    undelayed = []

    def do_GET(handler):
        undelayed.append(handler.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        usual(handler)

    usual = module._Handler.do_GET
    monkeypatch.setattr(module._Handler, "do_GET", do_GET)
    assert ask("/a.js")[2] == b"a.js" and all(undelayed) and undelayed


def test_several_requests_of_a_connection(ask):
    connection = http.client.HTTPConnection("127.0.0.1", ask.port, timeout=10)
    for path, body in (("/a.js", b"a.js"), ("/", b"index.html"), ("/c.bin", b"c.bin")):
        connection.request("GET", path)
        assert connection.getresponse().read() == body
    connection.close()


def test_a_body_is_no_request(ask):
    smuggled = b"GET /a.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", ask.port), timeout=10) as connection:
        head = f"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(smuggled)}\r\n\r\n"
        connection.sendall(head.encode() + smuggled)
        answer = b""
        try:
            while piece := connection.recv(1000):
                answer += piece
        except ConnectionResetError:
            pass
    assert answer.count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize(
    "request_", [b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01"]
)
def test_what_is_no_request(ask, request_):
    with socket.create_connection(("127.0.0.1", ask.port), timeout=10) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1000):
            pass
    assert ask("/a.js")[0] == 200


def test_only_this_machine(tmp_path):
    (tmp_path / "index.html").write_text("")
    with server(tmp_path, 0) as running:
        assert running.server_address[0] == "127.0.0.1"
        with pytest.raises(OSError, match=f"Port {running.server_port} .* cannot be used"):
            server(tmp_path, running.server_port).server_close()


def test_a_folder_without_a_site(tmp_path):
    with pytest.raises(ValueError, match="has an index.html"):
        server(tmp_path)
