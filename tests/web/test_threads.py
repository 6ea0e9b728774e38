"""Threads on pages that are cross-origin isolated, one thread elsewhere, and the same images."""

from __future__ import annotations

import numpy as np
import pytest
from pages import draw, same, seed_of, shown
from test_graph import convolved, shuffled
from test_served import served
from tiny import BLOCK, ONCE, Tiny, node, text, texts

pytestmark = pytest.mark.slow

CORES = "Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 3 })"
DRAW = """async () => {
  const { Generator } = await import("./tfanime.js");
  const failed = [];
  const onFallback = (name, why) => failed.push(`${name}: ${why}`);
  const g = await Generator.load(".", { backend: "wasm", onFallback });
  const pictures = [];
  // Other threads start in their own time.
  for (let threads = 0, tries = 0; threads !== WANTED && tries < 600; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    threads = (await g.generate({ seed: 7 })).threads;
  }
  for (const seed of [7, 8, 9]) pictures.push(await g.generate({ seed }));
  const pixels = pictures.map((picture) => [...picture.pixels]);
  return { pixels, threads: pictures.map(({ threads }) => threads), failed };
}"""


class Large(Tiny):
    """Its convolution is worth several threads."""

    def __init__(self):
        super().__init__("large", cells=(32, 32), channels=8)
        self.bias = np.linspace(-0.5, 0.5, self.kernel.shape[-1], dtype="<f4")

    def __call__(self, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        x = np.maximum(np.concatenate((z, labels), axis=1) @ self.dense, 0)
        x = x.reshape(-1, *self.cells, self.channels)
        return np.tanh(shuffled(convolved(x, self.kernel, 1, 1) + self.bias, BLOCK))

    def _constants(self) -> dict[str, np.ndarray]:
        return super()._constants() | {"bias": self.bias}

    def _nodes(self) -> list[dict]:
        inputs = ("cells", "kernel", "bias")
        fused = {"fused_ops": texts("BiasAdd"), "padding": text("SAME"), **ONCE}
        convolution = node("convolution", "_FusedConv2D", *inputs, **fused)
        nodes = super()._nodes()
        return [convolution if n["name"] == "convolution" else n for n in nodes]


@pytest.fixture
def tiny():
    return Large()


def drawn(visit, tiny, wanted: int, **options) -> list[list[float]]:
    page = visit(path="example.html", wait=False, **options)
    found = page.evaluate(DRAW.replace("WANTED", str(wanted)))
    assert (found["failed"], found["threads"]) == ([], [wanted] * 3)
    for seed, pixels in zip((7, 8, 9), found["pixels"], strict=True):
        np.testing.assert_allclose(pixels, tiny.draw(seed).ravel(), atol=1e-4)
    return found["pixels"]


def test_every_number_of_threads_draws_the_same(visit, server, folder, tiny):
    alone = drawn(visit, tiny, 1, scripts=[CORES])
    with served(folder) as isolated:
        server.address = isolated
        assert drawn(visit, tiny, 3, scripts=[CORES]) == alone
        assert drawn(visit, tiny, 1, scripts=[CORES.replace("3", "1")]) == alone


def status(page, threads: int) -> str:
    """What the page says of how it draws, once so many threads do."""
    for _ in range(100):
        draw(page)
        if page.locator(".status").get_attribute("data-threads") == str(threads):
            break
    return page.locator(".status").inner_text().split(" · ")[0]


def test_the_page_says_how_many_threads_draw(visit, server):
    page = visit()
    assert page.evaluate("crossOriginIsolated") is False
    assert status(page, 1) == "WASM"
    server.isolated = True
    page = visit()
    assert page.evaluate("crossOriginIsolated") is True
    cores = min(4, page.evaluate("navigator.hardwareConcurrency"))
    assert status(page, cores) == (f"WASM ×{cores}" if cores > 1 else "WASM")
    assert same(shown(page), Large().draw(seed_of(page)))


def test_threads_that_do_not_start_are_not_waited_for(visit, server, tiny):
    server.isolated = True
    server.changes["/helper-"] = lambda _: None
    visit.allowed.append("404")
    drawn(visit, tiny, 1, scripts=[CORES])


def test_a_page_kept_from_before_its_host_isolated_it(visit, server):
    page = visit(service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready")
    page.reload()  # now what it loads is kept
    page.wait_for_selector(".frame:not(.busy) canvas")
    server.isolated = True
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")
    assert page.evaluate("crossOriginIsolated") is True
