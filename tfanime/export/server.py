"""`tfanime web serve`: an exported folder at an address of this machine, to look at it."""

from __future__ import annotations

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"
PORT = 8000


class _Handler(SimpleHTTPRequestHandler):
    """Static files with the types that browsers insist on, never taken from a cache unasked."""

    # The machine's own table may say otherwise, or nothing.
    extensions_map = {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".mjs": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".json": "application/json; charset=utf-8",
        ".md": "text/plain; charset=utf-8",
        ".txt": "text/plain; charset=utf-8",
        ".ts": "text/plain; charset=utf-8",
        ".webmanifest": "application/manifest+json",
        ".wasm": "application/wasm",
        ".png": "image/png",
        ".ico": "image/x-icon",
        ".svg": "image/svg+xml",
        ".webp": "image/webp",
        "": "application/octet-stream",
    }

    def end_headers(self) -> None:
        # An export into the same folder shows at the next reload.
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def list_directory(self, path):
        self.send_error(404, "Not found")

    def log_message(self, format: str, *arguments) -> None:
        pass


def server(folder: str | os.PathLike, port: int = PORT) -> ThreadingHTTPServer:
    """A server that only this machine reaches; `serve_forever` runs it, `server_port` is where.

    Args:
        folder: what `tfanime export web` wrote.
        port: 0 for any that is free.

    Raises:
        ValueError: when there is no site in the folder.
        OSError: when the port is taken.
    """
    folder = Path(folder)
    if not (folder / "index.html").is_file():
        raise ValueError(
            "A folder to serve has an index.html. "
            f"Received: {os.fspath(folder)!r}. Write one with: tfanime export web RUN --out DIR"
        )
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, directory=os.fspath(folder)))
    except OSError as error:
        raise OSError(
            f"Port {port} of this machine cannot be used ({error.strerror}). Choose another with "
            "--port, or --port 0 for any that is free."
        ) from error
