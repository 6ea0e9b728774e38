"""`tfanime web serve`: an exported folder at an address of this machine, to look at it.

Nothing but the files of the folder is given away: no hidden ones, none that a link leads to
elsewhere, and none to a page of another site.
"""

from __future__ import annotations

import os
import re
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

HOST = "127.0.0.1"
PORT = 8000
# A page of elsewhere can have its own name lead to this machine, and read what is served here.
NAMES = {HOST, "localhost"}
IDLE = 15  # seconds without a byte, after which a connection is closed
PIECE = 2**16
# That of the site's own page, for whatever else lies in the folder and for the
# worker, to which the page's own does not apply.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "style-src 'self'; img-src 'self' blob:; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A page that shares nothing with others may use threads that share memory. Its worker and the
# threads need the second header too, so it is on every file. Sites that were exported before there
# were threads do without: what browsers have kept of them lacks it, and would not start.
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


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

    protocol_version = "HTTP/1.1"
    # Headers and body are two packets. By itself TCP sends the second when the first has been
    # acknowledged, which takes 40 ms a file.
    disable_nagle_algorithm = True
    timeout = IDLE

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # nothing here reads what follows
        name = (self.headers.get("Host") or "").rpartition("@")[2]
        if re.sub(r":\d*$", "", name).lower() not in NAMES:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return False
        return True

    def do_GET(self) -> None:
        self._left = 0
        super().do_GET()

    def send_head(self) -> BinaryIO | None:
        """Sends all but the body; the file to send, open at its place."""
        path = re.split(r"[?#]", self.path, maxsplit=1)[0]
        parts = [part for part in unquote(path).split("/") if part]
        try:
            file = self._find(parts, folder=path.endswith("/"))
            if file is None:
                return None
            stat = os.stat(file)
            opened = open(file, "rb")  # noqa: SIM115  # the caller closes it
        except (OSError, ValueError):  # ValueError: a name with a zero in it
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        try:
            self._describe(opened, file, stat)
        except BaseException:
            opened.close()
            raise
        return opened

    def _find(self, parts: list[str], folder: bool) -> str | None:
        """The file that a path leads to; None where something else was answered.

        Args:
            parts: of the path.
            folder: whether it names a folder.

        Raises:
            OSError, ValueError: where there is none, or one that is not for everybody.
        """
        if any(part.startswith(".") or re.search(r"[\\:]", part) for part in parts):
            raise ValueError("a hidden file, or a way out")
        home = os.path.realpath(self.directory)
        file = os.path.realpath(os.path.join(home, *parts))
        within = os.path.relpath(file, home).split(os.sep)
        if file != home and any(part.startswith(".") for part in within):
            raise ValueError("a link that leads out of the folder, or to a hidden file")
        if not os.path.isdir(file):
            if folder or not os.path.isfile(file):  # a pipe would block for ever
                raise ValueError("no file, or no folder")
            return file
        if not folder:
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)
            self.send_header("Location", "/" + "/".join(map(quote, parts)) + "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return self._find([*parts, "index.html"], folder=False)

    def _describe(self, opened: BinaryIO, file: str, stat: os.stat_result) -> None:
        changed = formatdate(stat.st_mtime, usegmt=True)
        status, start, end = HTTPStatus.OK, 0, stat.st_size
        if self.headers.get("If-Modified-Since") == changed:
            status, end = HTTPStatus.NOT_MODIFIED, 0
        elif "Range" in self.headers and self.headers.get("If-Range", changed) == changed:
            status, start, end = _part(self.headers["Range"], stat.st_size)
        self.send_response(status)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", self.guess_type(file))
            self.send_header("Content-Length", str(end - start))
            self.send_header("Accept-Ranges", "bytes")
        if status == HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{stat.st_size}")
        elif status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.send_header("Content-Range", f"bytes */{stat.st_size}")
        self.send_header("Last-Modified", changed)
        self.end_headers()
        opened.seek(start)
        self._left = end - start

    def copyfile(self, source: BinaryIO, outputfile: BinaryIO) -> None:
        """As much as was announced, also of a file that grows or shrinks meanwhile."""
        while self._left and (piece := source.read(min(PIECE, self._left))):
            outputfile.write(piece)
            self._left -= len(piece)
        if self._left:
            self.close_connection = True

    def end_headers(self) -> None:
        # An export into the same folder shows at the next reload.
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", POLICY)
        if any(Path(self.directory, "assets").glob("helper-*.js")):
            for name, value in ISOLATED.items():
                self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *arguments) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address) -> None:
        """A browser that closes a connection early is not worth a traceback."""


def _part(header: str, size: int) -> tuple[HTTPStatus, int, int]:
    """Status, start and end of the part of a file that a `Range` asks for; of several parts, and of
    what is no range, the whole file, as RFC 9110 allows."""
    match = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", header.strip())
    if not match or match[1] == match[2] == "":
        return HTTPStatus.OK, 0, size
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
        if match[2] and int(match[2]) < start:
            return HTTPStatus.OK, 0, size
    if start >= end:
        return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, 0
    return HTTPStatus.PARTIAL_CONTENT, start, end


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
        return _Server((HOST, port), partial(_Handler, directory=os.fspath(folder)))
    except OSError as error:
        raise OSError(
            f"Port {port} of this machine cannot be used ({error.strerror}). Choose another with "
            "--port, or --port 0 for any that is free."
        ) from error
