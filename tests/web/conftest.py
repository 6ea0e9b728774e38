"""A built site with tiny models, a server that can misbehave, and headless Chromium."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny import Tiny, write_folder

from tfanime.export.web.server import ISOLATED

TYPES = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
# Without a graphics card each frame of a page would be put together by SwiftShader, which takes as
# long as all that the pages do. WebGL and WebGPU are still SwiftShader's.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu-compositing",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    # A camera that shows a clock, and nobody is asked whether it may.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


# Without windows and what belongs to them a page takes half of the computing.
BROWSERS = ("chromium-headless-shell", "chromium")


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder on a free port. `changes` alters what it sends; `down` lets nobody in; `pace`
    is how many bytes a second its line carries; `isolated` sends what threads need."""

    daemon_threads = True

    def __init__(self, folder: Path):
        self.down = False
        self.isolated = False
        self.pace: float | None = None
        self.line = threading.Lock()
        self.changes: dict[str, Callable[[bytes], bytes | None]] = {}
        handler = functools.partial(Handler, directory=str(folder))
        super().__init__(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server_port}/"
        # Looked at as often, `shutdown` ends soon.
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        """A browser that closes a connection early is not worth a traceback."""


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}

    def do_GET(self):
        if self.server.down:
            self.close_connection = True
            return
        for pattern, change in self.server.changes.items():
            if re.search(pattern, self.path):
                changed = change(Path(self.translate_path(self.path)).read_bytes())
                if changed is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", self.guess_type(self.path))
                self.send_header("Content-Length", str(len(changed)))
                self.end_headers()
                self.wfile.write(changed)
                return
        super().do_GET()

    def copyfile(self, source, outputfile):
        if self.server.pace is None:
            return super().copyfile(source, outputfile)
        while piece := source.read(4096):
            with self.server.line:
                time.sleep(len(piece) / self.server.pace)
            outputfile.write(piece)

    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        for name, value in ISOLATED.items() if self.server.isolated else ():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def site() -> Path:
    from tfanime.export.web.site import built_site

    try:
        return built_site()
    except ImportError as error:
        pytest.skip(f"the site cannot be built: {error}")


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture
def folder(site: Path, tiny: Tiny, tmp_path: Path) -> Path:
    out = tmp_path / "site"
    shutil.copytree(site, out)
    write_folder(out, tiny, Tiny("plain", None, 2))
    return out


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    yield server
    server.shutdown()
    server.server_close()


def often(wait):
    """Playwright looks for an element at once, after 20, 70, 170 and 270 ms, and from then on every
    half second. Where it may wait for less than half a second, it looks every 50 ms."""
    from playwright.sync_api import TimeoutError

    @functools.wraps(wait)
    def waiting(*given, **named):
        for _ in range(240):
            with contextlib.suppress(TimeoutError):
                return wait(*given, **named, timeout=490)
        return wait(*given, **named, timeout=490)  # says what it waited for

    return waiting


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="the browser tests need: pip install playwright"
    )
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        package = BROWSERS[0]
        pytest.skip(f"the browser tests need Chromium: apt install {package}, or CHROMIUM=/path")
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as driver:
        for kind, name in (playwright.Page, "wait_for_selector"), (playwright.Locator, "wait_for"):
            patch.setattr(kind, name, often(getattr(kind, name)))
        browser = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


USUAL = {
    "viewport": {"width": 1280, "height": 800},
    "locale": "en-US",
    "service_workers": "block",
}


def context_of(chromium, **options):
    context = chromium.new_context(**{**USUAL, **options})
    context.set_default_timeout(120_000)
    return context


@pytest.fixture(scope="session")
def pool() -> list:
    """Contexts with the usual options at which nobody looks. To open one, with the first page that
    it has, takes as long as all that the site does then. They have no service workers, which would
    stay alive."""
    return []


@contextlib.contextmanager
def borrowed(chromium, pool: list, origin: str):
    """A context in which no other page is open, and that afterwards has forgotten the origin, which
    each test has of its own."""
    if pool:
        context = pool.pop()
    else:
        context = context_of(chromium)
        context.new_page()  # stays, and with it what pages share
    yield context
    first, *others = context.pages
    for page in others:
        page.close()
    screen = context.new_cdp_session(first)
    screen.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    screen.detach()
    pool.append(context)


@pytest.fixture
def visit(chromium, pool, server: Server):
    """`visit("#seed=7")` opens the site as somebody who has not been there, and returns a
    Playwright page. At the end, no request may have left the site's origin, and nothing may have
    been written to the console as an error, except what the test puts into `visit.allowed`.

    A first visit installs a service worker, which fetches all files of the site once more. Tests
    that are about it, or about how all looks, ask for `service_workers="allow"`."""

    errors, foreign = [], []

    def open_page(fragment: str = "", path: str = "", wait: bool = True, **options):
        scripts = options.pop("scripts", [])
        if set(options) <= {"viewport"}:
            context = stack.enter_context(borrowed(chromium, pool, server.address))
        else:
            context = context_of(chromium, **options)
            stack.callback(context.close)
        page = context.new_page()
        if "viewport" in options:
            page.set_viewport_size(options["viewport"])
        for script in scripts:
            page.add_init_script(script)
        context.on("request", outside)
        stack.callback(context.remove_listener, "request", outside)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(server.address + path + fragment)
        if wait:
            page.wait_for_selector(".frame:not(.busy) canvas")
        return page

    def outside(request) -> None:
        if not request.url.startswith((server.address, "blob:", "data:")):
            foreign.append(request.url)

    open_page.allowed = []
    with contextlib.ExitStack() as stack:
        yield open_page
    assert foreign == []
    allowed = "|".join(open_page.allowed)
    assert [e for e in errors if not (allowed and re.search(allowed, e))] == []
