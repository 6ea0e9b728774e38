"""How the site starts: what is fetched before what, and what is shown meanwhile."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
from pages import draw, same, seed_of, shown, until
from test_visits import look
from test_wander import settled
from tiny import Tiny, enlarge, write_folder

from tests import scripts

pytestmark = pytest.mark.slow


def imported(site, first: str) -> dict[str, str]:
    """A script of the built site and all that it imports before it runs, by name."""
    found, waiting = {}, [first]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = (site / name).read_text()
            waiting += [f"assets/{other}" for other in IMPORTED.findall(found[name])]
    return found


IMPORTED = re.compile(r"""(?:import|from)\s*["'`]\./([\w.-]+\.js)["'`]""")
TENSORFLOW = "WASM_HAS_SIMD_SUPPORT"  # a setting of it, which stands in what uses it


def test_the_frame_of_the_page_waits_for_no_script(visit, folder):
    """It is HTML, and what scripts make of it stands where it stood, however wide."""
    write_folder(folder, Tiny())
    still = visit(wait=False, java_script_enabled=False)
    drawn = visit("#seed=1")
    for width in (1280, 390):
        for page in (still, drawn):
            page.set_viewport_size({"width": width, "height": 800})
        for part in ("header img", "h1", ".stage"):
            boxes = [page.locator(part).bounding_box() for page in (still, drawn)]
            before, after = ([box["x"], box["y"]] for box in boxes)
            assert before == pytest.approx(after, abs=2), (width, part)
        assert still.locator(".stage .shimmer").bounding_box()["height"] > 200


def test_the_choice_of_languages_needs_no_fonts_of_theirs(visit):
    """Looking for fonts stops the page: the names are measured when they are looked at."""
    page = visit("#seed=1")
    choice = page.locator("header .language")
    wide = choice.bounding_box()["width"]
    choice.evaluate("choice => { choice.options[1].text = '日本語'.repeat(9) }")
    assert choice.bounding_box()["width"] == wide


def test_starting_takes_little_of_the_pages_thread(chromium, server, tmp_path):
    """Each of its tasks computes for less than 50 ms, whatever it waits for: less than 12 were
    measured. Time of the processor, which other work on the machine hardly changes."""
    bench = scripts.load("bench/bench_site")
    context = chromium.new_context(locale="en-US")
    page = context.new_page()
    page.add_init_script(bench.WATCH)
    trace = tmp_path / "trace.json"
    chromium.start_tracing(page=page, path=trace, categories=bench.TRACED)
    with page.expect_console_message(lambda message: message.text == bench.FIRST, timeout=120_000):
        page.goto(server.address + "#seed=7", wait_until="commit")
    chromium.stop_tracing()
    context.close()
    whole, longest = bench.spent(trace, until_first=True)["page"]
    assert 0 < longest < 50 and longest < whole


def test_only_the_worker_loads_tensorflow(site):
    html = (site / "index.html").read_text()
    [entry] = re.findall(r'<script[^>]*src="\./([^"]+)"', html)
    at_once = re.findall(r'rel="modulepreload"[^>]*href="\./([^"]+)"', html)
    [page] = [name for name in at_once if "/page-" in name]
    of_page = {**imported(site, entry), **imported(site, page)}
    assert set(at_once) == set(of_page) - {entry}
    assert not [name for name, source in of_page.items() if TENSORFLOW in source]
    [worker] = re.findall(r"worker-[\w-]+\.js", of_page[entry])
    of_worker = imported(site, f"assets/{worker}")
    assert [name for name, source in of_worker.items() if TENSORFLOW in source]


def test_webassembly_is_asked_for_before_the_page_has_its_code(visit, server, tiny):
    asked = threading.Event()
    in_time = []
    server.changes[r"\.wasm$"] = lambda data: asked.set() or data
    server.changes[r"/page-[^/]*\.js$"] = lambda data: in_time.append(asked.wait(60)) or data
    page = visit("#seed=7")
    assert in_time == [True]
    assert same(shown(page), tiny.draw(7))


WATCH = """
  window.blank = [];
  window.told = [];
  const look = () => {
    const root = document.getElementById("root");
    if (root && !document.querySelector(".frame canvas")) {
      const waits = [...document.querySelectorAll("progress, .shimmer")];
      const seen = (element) => element.checkVisibility() && element.clientWidth > 0;
      if (!waits.some(seen)) window.blank.push(root.innerHTML);
      const bar = document.querySelector(".opening progress[value]");
      if (bar) window.told.push(bar.value);
    }
    setTimeout(look, 10);
  };
  addEventListener("DOMContentLoaded", look);
"""


def test_progress_is_seen_on_a_slow_line(visit, server, folder, tiny):
    """3.2 Mbit/s: 400 kB/s, from the first byte to the picture."""
    enlarge(folder, "tiny", np.random.default_rng(0).bytes(400_000))
    server.pace = 400_000
    page = visit("#seed=7", scripts=[WATCH])
    assert same(shown(page), tiny.draw(7))
    told = page.evaluate("told")
    assert page.evaluate("blank") == []
    assert told == sorted(told) and len(set(told)) > 3


def test_a_picture_does_not_wait_for_the_disk(visit, server, tiny):
    never = b"Cache.prototype.put = () => new Promise(() => {});"
    server.changes[r"/worker-[^/]*\.js$"] = lambda data: never + data
    page = visit("#seed=7", service_workers="allow")
    assert same(shown(page), tiny.draw(7))
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    draw(page)  # although what is kept has been asked for meanwhile
    assert same(shown(page), tiny.draw(seed_of(page)))


def test_sliders_of_attributes_are_made_when_they_are_looked_at(visit):
    page = visit("#seed=7")
    assert page.locator(".sliders").count() == 0
    page.get_by_text("Fine tuning").click()
    page.get_by_text("A slider for every attribute").click()
    page.get_by_label("glasses", exact=True).wait_for()


HELD = """
  const later = window.setTimeout;
  window.resting = [];
  window.setTimeout = (work, ms, ...given) =>
    ms === 250 ? -window.resting.push(work) : later(work, ms, ...given);
  const draw = CanvasRenderingContext2D.prototype.putImageData;
  window.widths = [];
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...place) {
    if (this.canvas.closest(".map")) window.widths.push(image.width);
    draw.call(this, image, ...place);
  };
"""


def test_pictures_stay_small_while_a_finger_drags(visit, folder):
    """Enlarging takes longer than drawing: it waits until the finger rests (250 ms)."""
    sharp = Tiny("sharp", upscaler="double")
    write_folder(folder, sharp)
    page = visit("#model=sharp&seed=7", scripts=[HELD])
    look(page, "Explore")
    page.wait_for_selector(".around .tile:nth-child(9) canvas")
    until(page, "document.querySelector('.map canvas').width === 32")
    page.evaluate("widths.length = 0")
    box = page.locator(".frame.map").bounding_box()
    x, y = (box[side] + box[length] / 2 for side, length in (("x", "width"), ("y", "height")))
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(1, 20):
        page.mouse.move(x + 4 * i, y + 2 * i)
        page.wait_for_timeout(20)
    until(page, "widths.length > 2")
    page.wait_for_timeout(400)
    assert set(page.evaluate("widths")) == {16}
    page.mouse.up()
    page.evaluate("resting.at(-1)()")
    until(page, "document.querySelector('.map canvas').width === 32")
    settled(page)
