"""A web server on this machine that misbehaves on purpose, and notes who asked for what, when."""

from __future__ import annotations

import functools
import gzip
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

for name in ("requests_cache", "tenacity", "protego"):
    pytest.importorskip(name, reason="collecting needs tfanime[data]")

from tfanime.collect.transport import Limits  # noqa: E402

QUICK = Limits(size=2_000_000, silence=0.5, total=1.0, attempts=3, patience=0.05)


@dataclass
class Reply:
    """What a route gives. `send` takes the handler over completely."""

    body: bytes = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: dict = field(default_factory=dict)
    send: Callable | None = None


class Server:
    """Routes are functions of (number of the request for this path, headers) -> Reply."""

    def __init__(self):
        self.routes: dict[str, Callable[[int, dict], Reply]] = {}
        self.fallback: Callable[[str, int], Reply] | None = None
        self.log: list[tuple[float, str]] = []  # (time, path with query)
        self.headers: list[dict] = []
        self._lock, self._counts = threading.Lock(), {}
        self._stop = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Or each body waits 40 ms, until the client has acknowledged the headers before it.
            disable_nagle_algorithm = True

            def do_GET(self):
                outer._answer(self)

            def log_message(self, *arguments):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request, address):
                pass  # clients that were killed

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def page(self, path: str, reply: Reply | bytes) -> str:
        """A route that always gives the same; returns its address."""
        reply = Reply(reply) if isinstance(reply, bytes) else reply
        self.routes[path] = lambda number, headers: reply
        return self.url + path

    def asked(self, *without: str) -> list[str]:
        return [path for _, path in self.log if path not in without]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        now, path = time.time(), handler.path
        with self._lock:
            number = self._counts[path] = self._counts.get(path, 0) + 1
            self.log.append((now, path))
            self.headers.append(dict(handler.headers))
        route = self.routes.get(path)
        if route is not None:
            reply = route(number, dict(handler.headers))
        elif self.fallback is not None:
            reply = self.fallback(path, number)
        else:
            reply = Reply(b"not here", status=404, kind="text/plain")
        if reply.send is not None:
            handler.close_connection = True
            reply.send(handler, self._stop)
            return
        handler.send_response(reply.status)
        headers = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body))}
        for name, value in {**headers, **reply.headers}.items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)


# ---- bad manners -------------------------------------------------------------------------------


def truncated(body: bytes, kind: str = "text/html") -> Reply:
    def send(handler, stop):
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])

    return Reply(send=send)


def endless(seconds_between: float = 0.01, piece: bytes = b"<p>more</p>") -> Reply:
    """A body without an end; with pieces of a few bytes it is a slow one."""

    def send(handler, stop):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        while not stop.wait(seconds_between):
            handler.wfile.write(piece)

    return Reply(send=send)


def endless_headers() -> Reply:
    def send(handler, stop):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not stop.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return Reply(send=send)


def silent() -> Reply:
    return Reply(send=lambda handler, stop: stop.wait(30))


def hung_up() -> Reply:
    return Reply(send=lambda handler, stop: None)


@functools.cache
def bomb(megabytes: int) -> Reply:
    """A few kilobytes that unpack to many megabytes; packing as many takes a while."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9) as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return Reply(buffer.getvalue(), headers={"Content-Encoding": "gzip"})


def moved(target: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": target})


def busy(status: int = 503, after: str | None = None) -> Reply:
    return Reply(b"later", status=status, headers={"Retry-After": after} if after else {})


# ---- things to serve ---------------------------------------------------------------------------


def picture(seed: int, form: str = "JPEG", size: tuple[int, int] = (48, 64)) -> bytes:
    """A small picture that no other seed gives."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (8, 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(buffer, form)
    return buffer.getvalue()


def flat_picture(form: str = "PNG", grey: int = 225) -> bytes:
    """The grey tile that sites show where a picture is missing."""
    image = Image.new("RGB", (225, 318), (grey,) * 3)
    image.paste((grey - 20,) * 3, (100, 140, 125, 180))
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()
