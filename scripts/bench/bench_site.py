"""How an exported site starts, draws and follows a finger, several exports in turns.

    python scripts/bench/bench_site.py SITE... [--visits 5] [--seconds 4]

First visits of headless Chromium, from this machine: milliseconds to the first image, what the
page's own thread and the worker computed until then, and the page's longest task: by the clock, as
the browser reports those of more than 50 ms (`longtask`), and by what it computed. Then Explore,
dragged over for some seconds: images a second, and what one costs. Last, drawing alone in WASM,
the least of 20 times. Times of the processor (cpu) hold on a busy machine too; a task of more than
50 ms is felt. Needs playwright and Debian's chromium.
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
from pathlib import Path

from tfanime.export.web.server import server

FIRST = "first-picture"
THREADS = {"CrRendererMain": "page", "DedicatedWorker thread": "worker"}
# Chromium shows the microtasks that follow a task beside it.
TASKS = ("ThreadControllerImpl::RunTask", "RunTask", "BlinkScheduler_PerformMicrotaskCheckpoint")
TRACED = ["-*", "toplevel", "blink.user_timing", "__metadata"]
WATCH = """
  window.long = [0];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.long.push(duration);
  }).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (document.querySelector(".frame canvas")) {
      performance.mark("first-picture");
      console.log("first-picture");
    } else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const put = CanvasRenderingContext2D.prototype.putImageData;
  window.widths = [];
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...place) {
    if (this.canvas.closest(".map")) window.widths.push(image.width);
    put.call(this, image, ...place);
  };
"""
DRAG = """seconds => new Promise((done) => {
  const map = document.querySelector(".map");
  const { x, y, width, height } = map.getBoundingClientRect();
  map.setPointerCapture = () => {}; // there is no real pointer
  const move = (type, dx, dy) => map.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 1, clientX: x + width * (0.5 + dx), clientY: y + height * (0.5 + dy),
  }));
  move("pointerdown", 0, 0);
  window.widths = [];
  performance.mark("drag");
  const start = performance.now();
  const step = () => {
    const angle = (performance.now() - start) / 700;
    if (angle * 700 > seconds * 1000) {
      move("pointerup", 0, 0);
      return done(window.widths);
    }
    move("pointermove", 0.4 * Math.cos(angle), 0.4 * Math.sin(angle));
    requestAnimationFrame(step);
  };
  step();
})"""
DRAW = """async () => {
  const { Generator } = await import("./tfanime.js");
  const generator = await Generator.load(".", { backend: "wasm" });
  let least = Infinity;
  for (let i = 0; i < 21; i++) {
    const start = performance.now();
    await generator.generate({ seed: 7 });
    if (i) least = Math.min(least, performance.now() - start);
  }
  return least;
}"""


def spent(path: Path, until_first: bool) -> dict[str, tuple[float, float]]:
    """Processor time of all tasks and of the longest, by thread, in ms. Only of the process that
    set a mark: the browser has pages of its own."""
    events = json.loads(path.read_text())["traceEvents"]
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    mark = next(e for e in events if e["name"] in (FIRST, "drag"))
    end = mark["ts"] if until_first else float("inf")
    found = {name: (0.0, 0.0) for name in THREADS.values()}
    ends: dict[tuple, float] = {}
    ours = [e for e in events if e["pid"] == mark["pid"] and e["ts"] < end]
    tasks = [e for e in ours if e["name"] in TASKS and e["ph"] == "X"]
    for event in sorted(tasks, key=lambda e: (e["ts"], -e["dur"])):
        place = event["pid"], event["tid"]
        thread = THREADS.get(names.get(place))
        if thread is None or event["ts"] < ends.get(place, 0):
            continue  # another thread, or part of the task before
        ends[place] = event["ts"] + event["dur"]
        whole, longest = found[thread]
        cpu = event.get("tdur", 0) / 1000
        found[thread] = whole + cpu, max(longest, cpu)
    return found


class Browser:
    def __init__(self, driver, trace: Path):
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        self.browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        self.trace = trace

    def open(self):
        """A page of a browser that has never been here."""
        page = self.browser.new_context(locale="en-US").new_page()
        page.set_default_timeout(300_000)
        page.add_init_script(WATCH)
        return page

    def traced(self, page, work, until_first: bool = False):
        self.browser.start_tracing(page=page, path=self.trace, categories=TRACED)
        result = work()
        self.browser.stop_tracing()
        return result, spent(self.trace, until_first)

    def visit(self, address: str) -> dict[str, float]:
        page = self.open()

        def work():
            # Waiting for an element would compute in the page while it starts.
            with page.expect_console_message(lambda message: message.text == FIRST):
                page.goto(address + "#seed=7", wait_until="commit")
            page.wait_for_timeout(300)
            return page.evaluate(
                f"[performance.getEntriesByName('{FIRST}')[0].startTime, Math.max(...long)]"
            )

        (first, longest), cpu = self.traced(page, work, until_first=True)
        page.context.close()
        return {
            "first picture, ms": first,
            "longest task above 50 ms, else 0": longest,
            "page until then, ms cpu": cpu["page"][0],
            "its longest task, ms cpu": cpu["page"][1],
            "worker until then, ms cpu": cpu["worker"][0],
        }

    def drag(self, address: str, seconds: float) -> dict[str, float]:
        page = self.open()
        page.goto(address + "#seed=7&view=explore")
        page.wait_for_selector(".around .tile:last-child canvas")
        page.wait_for_timeout(3000)  # what is enlarged first
        widths, cpu = self.traced(page, lambda: page.evaluate(DRAG, seconds))
        page.context.close()
        count = max(1, len(widths))
        return {
            "dragging, pictures/s": len(widths) / seconds,
            "page, ms cpu a picture": cpu["page"][0] / count,
            "worker, ms cpu a picture": cpu["worker"][0] / count,
        }

    def draw(self, address: str) -> dict[str, float]:
        page = self.open()
        page.goto(address + "example.html")
        least = page.evaluate(DRAW)
        page.context.close()
        return {"drawing in WASM, least ms": least}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sites", type=Path, nargs="+", metavar="SITE")
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    found: dict[Path, dict[str, list[float]]] = {site: {} for site in arguments.sites}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = Browser(driver, Path(folder) / "trace.json")
        running = {site: server(site, 0) for site in arguments.sites}
        for one in running.values():
            threading.Thread(target=one.serve_forever, daemon=True).start()
        for _ in range(arguments.visits):
            for site, one in running.items():
                address = f"http://127.0.0.1:{one.server_port}/"
                figures = browser.visit(address)
                figures |= browser.drag(address, arguments.seconds)
                figures |= browser.draw(address)
                for name, value in figures.items():
                    found[site].setdefault(name, []).append(value)
        browser.browser.close()
        for one in running.values():
            one.shutdown()
    print(f"median (least to most) of {arguments.visits}, load average {os.getloadavg()[0]:.1f}")
    for site, figures in found.items():
        print(f"\n{site}")
        for name, values in figures.items():
            middle = statistics.median(values)
            print(f"{name:<28}{middle:10.1f}  ({min(values):.1f} to {max(values):.1f})")


if __name__ == "__main__":
    main()
