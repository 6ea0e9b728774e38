"""What tests read from a page of the site, and do to it."""

from __future__ import annotations

import json
import re

import numpy as np

from tfanime.core import images

ASKED = {"hair": "blue", "smile": True}


def shown(page, selector: str = ".frame:not(.busy) canvas") -> np.ndarray:
    """The canvas as `(H, W, 3)` whole numbers."""
    read = """selector => {
      const canvas = document.querySelector(selector);
      if (!canvas) return null;
      const { data, width, height } =
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return { pixels: [...data], width, height };
    }"""
    # A frame that was ready may be busy again by the time that it is read.
    while (found := page.evaluate(read, selector)) is None:
        page.wait_for_selector(selector)
    pixels = np.asarray(found["pixels"], int).reshape(found["height"], found["width"], 4)
    assert (pixels[..., 3] == 255).all()
    return pixels[..., :3]


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Equal but for a last bit that may round the other way."""
    expected = images.to_uint8(np.clip(expected, -1, 1)).astype(int)
    return found.shape == expected.shape and np.abs(found - expected).max() <= 1


def until(page, condition: str) -> None:
    """Waits for a JavaScript condition. Playwright's own waiting needs eval, which the site's
    policy forbids."""
    waiting = f"""async () => {{
      for (let i = 0; i < 6000; i++) {{
        if ({condition}) return true;
        await new Promise((soon) => setTimeout(soon, 10));
      }}
      return false;
    }}"""
    if not page.evaluate(waiting):
        raise AssertionError(f"never came true: {condition}")


def seed_of(page) -> int:
    return int(re.search(r"seed=(\d+)", page.url).group(1))


def tags_of(page) -> dict[str, str]:
    pairs = re.findall(r"[#&]([a-z_]+)=([^&]*)", page.url)
    return {name: value for name, value in pairs if name not in ("seed", "index", "model")}


def draw(page) -> None:
    page.get_by_role("button", name="Draw a new picture").click()
    page.wait_for_selector(".frame:not(.busy) canvas")


def saved(page, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return download.value.path().read_bytes()


def reopened(visit, folder, changes):
    """Yields one page, opened again for each change of the site's manifest, when it says what is
    wrong. It keeps no manifest, and every file under its hash."""
    file, page = folder / "tfanime.json", None
    whole = file.read_text()
    for change in changes:
        manifest = json.loads(whole)
        change(manifest)
        file.write_text(json.dumps(manifest))
        if page:
            page.reload()
        else:
            page = visit(wait=False)
        page.get_by_role("alert").wait_for()
        yield page


def kept(page, pictures: int, favourites: int = 0) -> None:
    """Waits until the browser's database has so many pictures: they are written a moment later than
    they are drawn."""
    count = """() => new Promise((done) => {
      const request = indexedDB.open("tfanime", 1);
      request.onupgradeneeded = () => request.transaction.abort(); // the page makes it
      request.onerror = () => done([]);
      request.onsuccess = () => {
        const { result } = request;
        const all = result.transaction("pictures").objectStore("pictures").getAll();
        all.onsuccess = () => {
          result.close();
          done([all.result.length, all.result.filter(({ favourite }) => favourite).length]);
        };
      };
    })"""
    for _ in range(600):
        if page.evaluate(count) == [pictures, favourites]:
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"never kept {pictures} pictures, {favourites} of them favourites")


def kept_before(page, *unknown: str) -> None:
    """The kept picture becomes one of an earlier version, which did not know these parts."""
    forget = """paths => new Promise((done) => {
      const request = indexedDB.open("tfanime", 1);
      request.onsuccess = () => {
        const store = request.result.transaction("pictures", "readwrite").objectStore("pictures");
        store.getAll().onsuccess = ({ target }) => {
          const [row] = target.result;
          for (const path of paths) {
            const names = path.split(".");
            const last = names.pop();
            delete names.reduce((part, name) => part[name], row)[last];
          }
          store.put(row).onsuccess = () => done();
        };
      };
    })"""
    page.evaluate(forget, list(unknown))
