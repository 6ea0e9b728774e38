"""Servers that misbehave, and requests that do, all on this machine's loopback."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from fuzz_common import damaged, hostile_value, peak, verdict, with_hostile_value

SECRET = b"nobody reads this"
LONG = 64 * 2**20  # bytes of an endless answer, after which the server gives up
MEMORY = 1000  # MiB
DEADLINE = 1.0  # seconds that a call of the client may take


@contextmanager
def served(answer: Callable[[bytes, socket.socket], None]) -> Iterator[str]:
    """The address of a server that leaves every connection to `answer`, with what was asked."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    stopped = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            asked = b""
            try:
                while b"\r\n\r\n" not in asked and len(asked) < 2**20:
                    if not (part := connection.recv(2**16)):
                        return
                    asked += part
                answer(asked, connection)
            except OSError:
                pass  # the other side had enough

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.close()


class Misbehaving:
    """Answers with a status, headers and a body that were made up for the case."""

    def __init__(self, random: Random, bodies: Callable[[], bytes]):
        self.random, self.bodies = random, bodies
        self.robots = b""
        self.choose()

    def choose(self) -> None:
        """What the next answers are like."""
        self.way = self.random.choice(
            (
                "whole",
                "whole",
                "whole",
                "moved",
                "cut",
                "drip",
                "endless",
                "bomb",
                "silent",
                "rubbish",
            )
        )
        self.status = self.random.choice((200, 200, 200, 204, 206, 301, 302, 304, 400, 401, 403)
                                         + (404, 429, 500, 503, 599, 999))  # fmt: skip
        self.body = self.bodies()
        self.where = self.random.choice(
            ("/", "//127.0.0.1:9/", "http://127.0.0.2:9/", "file:///etc/passwd", "\x1b[2J", "")
        )
        self.after = self.random.choice(("", "0", "1", "99999999999", "-1", "soon", "\x1b[2J"))

    def __call__(self, asked: bytes, connection: socket.socket) -> None:
        if asked.startswith(b"GET /robots.txt"):
            connection.sendall(_reply(200, self.robots, {"Content-Type": "text/plain"}))
            return
        headers = {"Content-Type": self.random.choice(("text/html", "application/json", "x", ""))}
        if self.after:
            headers["Retry-After"] = self.after
        if self.way == "moved":
            headers["Location"] = self.where
            connection.sendall(_reply(self.random.choice((301, 302, 307)), b"", headers))
        elif self.way == "silent":
            connection.recv(1)
        elif self.way == "rubbish":
            connection.sendall(self.random.randbytes(200))
        elif self.way == "cut":
            whole = _reply(200, self.body + b"x" * 500, headers)
            connection.sendall(whole[: self.random.randrange(len(whole))])
        elif self.way == "drip":
            for byte in _reply(200, self.body, headers)[:300]:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        elif self.way == "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
            for _ in range(LONG // 2**16):
                connection.sendall(b"x" * 2**16)
        elif self.way == "bomb":
            headers["Content-Encoding"] = "gzip"
            connection.sendall(_reply(200, gzip.compress(bytes(LONG)), headers))
        else:
            connection.sendall(_reply(self.status, self.body, headers))


def _reply(status: int, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


# ---- `tfanime collect` ---------------------------------------------------------------------------


def collectors(random: Random, folder: Path) -> Iterator[str]:
    from dataclasses import replace

    from tfanime.collect.answers import FetchError
    from tfanime.collect.http import Client
    from tfanime.collect.transport import Limits

    limits = replace(Limits(), size=2_000_000, silence=0.5, total=2.0, attempts=2, patience=0.05)
    pages = [b"<html><p>hello", b"<div>" * 5000, b"\xff" * 100, b"", b"<!--" * 5000]
    site = Misbehaving(random, lambda: damaged(random.choice(pages), random))
    number = 0
    with served(site) as address:
        while True:
            number += 1
            site.choose()
            site.robots = random.choice(
                (b"", b"User-agent: *\nDisallow: /secret\n", b"User-agent: *\nCrawl-delay: 0.1\n")
                + (b"\xff" * 100, b"User-agent: *\nCrawl-delay: -1\n", b"<html>", b"\0")
            )
            options = {"rate": 100, "limits": limits, "own": (address,)}

            def ask(number=number, options=options):
                where = folder / f"answers{number}"
                with Client(where, (), shared=folder / f"pace{number}", **options) as client:
                    client.get(f"{address}/page{number}")

            problem = verdict(ask, (FetchError, RuntimeError), slow=15)
            if not problem and peak() > MEMORY:
                problem = f"{peak():,} MiB of memory"
            yield problem and f"{site.way}, status {site.status}: {problem}"


# ---- model servers -------------------------------------------------------------------------------


def client(random: Random, folder: Path) -> Iterator[str]:
    from tfanime.serving import Client

    expected = (ValueError, ConnectionError, TimeoutError, LookupError, RuntimeError)
    site = Misbehaving(random, lambda: _prediction(random))
    with served(site) as address:
        while True:
            site.choose()
            call = random.choice((_ready, _describe, _generate, _predict))

            def ask(call=call):
                with Client(address, "faces", timeout=DEADLINE, attempts=1) as model:
                    call(model)

            problem = verdict(ask, expected, slow=3 * DEADLINE + 2)
            if not problem and peak() > MEMORY:
                problem = f"{peak():,} MiB of memory"
            yield problem and f"{site.way}, {call.__name__[1:]}: {problem}"


def _ready(model) -> None:
    _ = model.ready


def _describe(model) -> None:
    model.describe()
    _ = model.schema


def _generate(model) -> None:
    model.generate(n=2, seed=1)


def _predict(model) -> None:
    import numpy as np

    model.predict("generate_png", {"n": np.array([1])})


def _prediction(random: Random) -> bytes:
    """What a model server says, or something like it."""
    import base64

    about = {
        "schema": None,
        "height": 16,
        "width": 16,
        "latent_dim": 4,
        "limits": {"pictures": 8},
        "upscaler": None,
    }
    if random.random() < 0.7:
        about = with_hostile_value(about, random)
    text = base64.b64encode(json.dumps(about).encode()).decode()
    replies = [
        {"outputs": {"json": [{"b64": text}]}},
        {"outputs": [{"b64": text}]},
        {"model_version_status": [{"version": "1", "state": "AVAILABLE"}]},
        {"error": "\x1b[2J went wrong\n" * 99},
        hostile_value(random),
    ]
    stored = random.choice(replies)
    if random.random() < 0.5:
        stored = with_hostile_value(stored, random)
    data = json.dumps(stored).encode()
    return damaged(data, random) if random.random() < 0.2 else data


# ---- `tfanime web serve` -------------------------------------------------------------------------

PARTS = (
    "..", "%2e%2e", "..%2f", "%2e%2e%2f", "..\\", "%5c..", ".", "", "%00", "\0", "index.html",
    "secret.txt", "link.txt", "link", ".git", "config", "é", "%ff", "a" * 3000, "?", "#", "~", "C:",
)  # fmt: skip


def web(random: Random, folder: Path) -> Iterator[str]:
    from tfanime.export.web.server import server

    site = folder / "site"
    (site / ".git").mkdir(parents=True)
    (site / "index.html").write_text("<p>hello")
    for secret in (folder / "secret.txt", site / ".git" / "config"):
        secret.write_bytes(SECRET)
    os.symlink(folder / "secret.txt", site / "link.txt")
    os.symlink(folder, site / "link")
    running = server(site, 0)
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    port = running.server_port
    try:
        while True:
            asked = _request(random, port)
            reply = _exchange(port, asked)
            problem = ""
            if SECRET in reply:
                problem = "what is not for the public was served"
            elif not _alive(port):
                problem = "the server answers no more"
            yield problem and f"{asked[:80]!r}: {problem}"
    finally:
        running.shutdown()
        running.server_close()


def _request(random: Random, port: int) -> bytes:
    if random.random() < 0.1:
        return random.randbytes(random.choice((1, 100, 5000)))
    path = "/".join(random.choices(PARTS, k=random.randint(0, 6)))
    path = random.choice(("/", "//", f"http://127.0.0.1:{port}/", "")) + path
    method = random.choice(("GET", "GET", "GET", "HEAD", "POST", "get", "X" * 3000))
    host = random.choice((f"127.0.0.1:{port}", "localhost", "evil.example", "", "a\0b"))
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if random.random() < 0.3:
        lines.append(f"Range: bytes={random.choice(('0-', '-1', '9-1', '0-0,2-3', 'x'))}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _exchange(port: int, asked: bytes) -> bytes:
    """Everything that is answered within a second."""
    found = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(asked)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(2**16):
                found += part
    except OSError:
        pass  # it hung up, or says nothing to this
    return found


def _alive(port: int) -> bool:
    asked = f"GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    return b"hello" in _exchange(port, asked.encode())
