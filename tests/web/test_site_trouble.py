"""The site when something is wrong: no WebAssembly, no network, hostile addresses and folders."""

from __future__ import annotations

import json
import shutil

import pytest
from pages import ASKED, draw, reopened, same, seed_of, shown, tags_of, until
from tiny import Tiny, enlarge, write_folder

pytestmark = pytest.mark.slow


# ---- when things go wrong ----------------------------------------------------------------------


def test_without_wasm_another_backend_draws(visit, server, tiny):
    server.changes[r"\.wasm$"] = lambda data: None
    visit.allowed = ["404", "wasm"]
    page = visit("#seed=7&hair=blue&smile=true")
    assert page.locator(".status").get_attribute("data-backend") == "webgl"
    assert same(shown(page), tiny.draw(7, 0, ASKED))
    assert "wasm is not used" in page.locator(".note").inner_text()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("pixels.fill(0)", "it draws a single colour"),
        ("pixels.forEach((x, i) => { pixels[i] = -x; })", "it draws another picture"),
        ("pixels.fill(NaN)", "it draws numbers that are not finite"),
    ],
)
def test_a_backend_that_draws_wrongly_is_not_used(visit, server, tiny, fault, sentence):
    broken = f"""
      for (const name of ["readPixels", "getBufferSubData"]) {{
        const right = WebGL2RenderingContext.prototype[name];
        WebGL2RenderingContext.prototype[name] = function (...given) {{
          right.apply(this, given);
          const pixels = given.find((x) => x instanceof Float32Array);
          if (pixels) {fault};
        }};
      }}
    """
    server.changes[r"/worker-[^/]*\.js$"] = lambda data: broken.encode() + data
    page = visit("#seed=7&hair=blue&smile=true")
    page.get_by_text("Fine tuning").click()
    page.get_by_label("Compute with").select_option("webgl")
    page.get_by_text(f"webgl is not used: {sentence}").wait_for()
    page.wait_for_selector(".status[data-backend=wasm]")
    assert same(shown(page), tiny.draw(7, 0, ASKED))


def test_reload_without_network(visit, server, tiny):
    visit.allowed = ["ERR_", "Failed to (load|fetch)"]
    page = visit("#seed=7&hair=blue&smile=true", service_workers="allow")
    page.wait_for_selector(".status[data-offline=true]")
    server.down = True
    page.reload()
    assert same(shown(page), tiny.draw(7, 0, ASKED))
    draw(page)
    assert same(shown(page), tiny.draw(seed_of(page), 0, ASKED))


def test_second_visit_downloads_no_weights(visit, server):
    page = visit(service_workers="allow")
    page.wait_for_selector(".status[data-offline=true]")
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")
    assert [url for url in asked if "/models/" in url] == []


ASK = "name => fetch(name).then((answer) => answer.text(), () => 'nobody answers')"


def test_what_cannot_be_kept_is_shown(visit, server):
    full = b"Cache.prototype.put = () => Promise.reject(new Error('The disk is full.'));"
    server.changes[r"/sw\.js$"] = lambda data: full + data
    page = visit("#seed=7", service_workers="allow")
    until(page, "navigator.serviceWorker.controller !== null")
    card = page.evaluate(ASK, "models/tiny/MODEL_CARD.md")
    assert "A test model." in card


def test_sites_in_two_folders_keep_what_is_theirs(visit, server, folder, site, tiny):
    """One below the other. Neither keeps what else lies there; an update ends its own version."""
    visit.allowed = ["ERR_", "Failed to (load|fetch)"]
    other = Tiny("other", None, 2)
    shutil.copytree(site, folder / "other")
    write_folder(folder / "other", other)
    (folder / "theirs.txt").write_text("theirs")

    def version(name: bytes):
        return lambda data: data.replace(b'VERSION = "', b'VERSION = "' + name)

    def come(place: str) -> None:
        page.goto(server.address + place + "#seed=7")
        page.wait_for_selector(".status[data-offline=true]")
        home = f"{server.address}{place}sw.js"
        until(page, f"navigator.serviceWorker.controller?.scriptURL === '{home}'")

    server.changes[r"/other/sw\.js$"] = version(b"other")
    page = visit("#seed=7", service_workers="allow")
    for place in ("", "other/", ""):
        come(place)
    assert page.evaluate(ASK, "theirs.txt") == "theirs"
    server.down = True
    for place, model in (("other/", other), ("", tiny)):
        page.goto(server.address + place + "#seed=7")
        assert same(shown(page), model.draw(7))
    assert page.evaluate(ASK, "theirs.txt") == "nobody answers"
    server.down = False
    server.changes[r"^/sw\.js$"] = version(b"next")
    come("")
    kept = "(await caches.keys()).filter((name) => name.startsWith('tfanime-site'))"
    until(page, f"{kept}.map((name) => name.match(/ (next|other)/)?.[1]).join() === 'other,next'")


def test_metered_connections_are_asked_first(visit, folder, tiny):
    enlarge(folder, "tiny")
    metered = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    page = visit("#seed=2", wait=False, scripts=[metered])
    page.get_by_text("tiny is 1.5 MB.").wait_for()
    page.get_by_role("button", name="Download").click()
    assert same(shown(page), tiny.draw(2))


ADDRESSES = {  # no two of one sentence after each other, so that each is seen to come
    "#hair=<img src=x onerror=alert(1)>": "hair is one of blonde, blue, red",
    "#seed=-1": "seed is a whole number",
    "#nonsense=1": "An attribute is one of",
    "#seed=1e99": "seed is a whole number",
    "#__proto__=1&constructor=2": "An attribute is one of",
    "#model=../../etc": "model is one of tiny, plain",
    "#slider.blue_hair=9": "blue_hair is a number from -1 to 1",
    "#%%%=%E0%A4%A": "An attribute is one of",
}


def test_hostile_addresses(visit):
    first, *others = ADDRESSES
    page = visit(first)
    assert ADDRESSES[first] in page.locator(".note.bad").inner_text()
    assert tags_of(page) == {}
    picture = shown(page)
    for fragment in others:
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        sentence = json.dumps(ADDRESSES[fragment])
        until(page, f"document.querySelector('.note.bad').innerText.includes({sentence})")
        assert (shown(page) == picture).all() and page.locator("main img").count() == 0
    draw(page)
    assert tags_of(page) == {}


SETTINGS = [
    "not json",
    "[]",
    "null",
    '{"format": "other"}',
    '{"format": "tfanime-settings-1", "seed": 1e300}',
    '{"format": "tfanime-settings-1", "tags": {"hair": "<script>alert(1)</script>"}}',
    '{"format": "tfanime-settings-1", "tags": {"__proto__": {"x": 1}, "toString": true}}',
    '{"format": "tfanime-settings-1", "sliders": {"blue_hair": "1"}}',
    '{"format": "tfanime-settings-1", "vary": 7}',
    " " * 1_000_001,
]


def test_hostile_settings_change_nothing(visit, tmp_path):
    page = visit("#seed=21&hair=red")
    before = shown(page), page.url
    file = tmp_path / "settings.json"
    for text in SETTINGS:
        file.write_text(text)
        page.set_input_files("input[type=file]", file)
        page.get_by_text("nothing was changed").wait_for()
        assert (shown(page) == before[0]).all() and page.url == before[1]
        page.locator(".note button").click()
        page.wait_for_selector(".note", state="detached")


def changed(key: str, value: object):
    def change(manifest: dict) -> None:
        manifest["models"][0][key] = value

    return change


def foreign_file(manifest: dict) -> None:
    manifest["models"][0]["files"][0]["path"] = "https://example.com/model.json"
    manifest["models"][0]["graph"] = "https://example.com/model.json"


def climbing_file(manifest: dict) -> None:
    manifest["models"][0]["files"][1]["path"] = "models/../../secret.bin"


def wrong_hash(manifest: dict) -> None:
    manifest["models"][0]["files"][1]["sha256"] = "0" * 64


def shorter_file(manifest: dict) -> None:
    manifest["models"][0]["files"][1]["bytes"] -= 4


FOLDERS = [
    (changed("latentDim", 1e9), "models[0].latentDim is a whole number from 1 to 65536"),
    (changed("name", "<img src=x onerror=alert(1)>" * 20), "models[0].name is text of at"),
    (changed("files", "all"), "models[0].files is a list"),
    (changed("leastTruncation", 2), "models[0].leastTruncation is a number from 0 to 1"),
    (changed("references", []), "models[0].references is one or more"),
    (changed("schema", {"fields": [{"name": 1}]}), "models[0].schema.fields[0].name is text"),
    (changed("chooser", "all"), "models[0].chooser is an object"),
    (changed("chooser", {"inputs": {}}), "models[0].chooser.files is a list"),
    (changed("output", "nowhere"), "tiny cannot be drawn in this browser"),
    (foreign_file, "is a relative path in the exported folder"),
    (climbing_file, "is a relative path in the exported folder"),
    (wrong_hash, "is not the file that tfanime.json describes"),
    (shorter_file, "is not the file that tfanime.json describes"),
    (lambda manifest: manifest.clear(), "tfanime.json: format is 1"),
]


def test_hostile_folders(visit, folder):
    pages = reopened(visit, folder, [change for change, _ in FOLDERS])
    for (_, sentence), page in zip(FOLDERS, pages, strict=True):
        assert sentence in page.get_by_role("alert").inner_text()
        assert page.locator("main img").count() == 0


def test_a_graph_that_is_no_graph(visit, folder, tiny, monkeypatch):
    monkeypatch.setattr(Tiny, "_nodes", lambda self: [{"name": "x", "op": "Evil"}])
    write_folder(folder, tiny)
    page = visit(wait=False)
    page.get_by_role("alert").wait_for()
    assert "tiny cannot be drawn in this browser" in page.get_by_role("alert").inner_text()
