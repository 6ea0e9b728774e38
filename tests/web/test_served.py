"""The site as `tfanime web serve` serves it: its policy, its ranges, its types in a browser."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from tfanime.export.web.server import server as serving

pytestmark = pytest.mark.slow


@contextmanager
def served(folder):
    """Its address."""
    running = serving(folder, 0)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def server(folder):
    """In the place of the test's own."""
    with served(folder) as address:
        yield SimpleNamespace(address=address)


DRAW = """async backend => {
  const { Generator } = await import("./tfanime.js");
  const failed = [];
  const onFallback = (name, why) => failed.push(`${name}: ${why}`);
  const g = await Generator.load(".", { backend, onFallback });
  const picture = await g.generate({ seed: 7 });
  return { backend: picture.backend, size: picture.pixels.length, failed };
}"""


def test_the_page_draws_and_keeps_itself(visit):
    """Pictures come from the worker, to which the header's policy applies."""
    page = visit("#seed=7", service_workers="allow")
    assert page.locator(".frame canvas").count() == 1
    worker = "navigator.serviceWorker.ready.then(found => found.active.scriptURL)"
    assert page.evaluate(worker).endswith("/sw.js")
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")


def test_the_module_draws_under_the_policy(visit):
    page = visit(path="example.html", wait=False)
    for backend in ("wasm", "webgl", "cpu"):
        answer = page.evaluate(DRAW, backend)
        assert answer["size"] > 0 and answer["failed"] == [] and answer["backend"] == backend


def test_nothing_from_elsewhere_runs(visit):
    page = visit(path="example.html", wait=False)
    visit.allowed.append("Content Security Policy")
    assert page.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'refused')") == (
        "refused"
    )
