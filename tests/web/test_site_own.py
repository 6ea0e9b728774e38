"""A visitor's own picture in the browser: what the encoder says of it is drawn, as NumPy finds it
again, and nothing of it leaves the page."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from urllib.parse import quote, unquote

import numpy as np
import pytest
from pages import draw, same, saved, shown, until
from PIL import Image
from test_visits import look
from test_wander import settled
from tiny import LATENT, SCHEMA, SIZE, Tiny, write_folder
from tiny_beside import tell

from tfanime.core import seeds
from tfanime.core.labels import to_signed

pytestmark = pytest.mark.slow

STEPS = 32  # of a latent in an address, for 1
RED, GREEN, WHITE = (200, 60, 40), (10, 250, 90), (255, 255, 255)


@pytest.fixture
def kernel(folder, tiny) -> np.ndarray:
    return tell(folder, tiny)


def file(image: Image.Image, name: str = "me.png") -> dict:
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": packed.getvalue()}


def blocks(width: int, height: int, *boxes: tuple) -> Image.Image:
    image = Image.new("RGB", (width, height), WHITE)
    for colour, box in boxes:
        image.paste(colour, box)
    return image


def said(kernel: np.ndarray, *colours: tuple[int, int, int]) -> tuple[np.ndarray, dict]:
    """Latent, in steps, and attributes of a picture of these colours in equal parts."""
    mean = np.mean(np.asarray(colours, float) / 127.5 - 1, axis=0)
    outputs = mean @ kernel
    row = 1 / (1 + np.exp(-outputs[LATENT:]))
    return np.rint(outputs[:LATENT] * STEPS).clip(-127, 127) / STEPS, SCHEMA.decode(row)


def latent_of(page) -> np.ndarray:
    text = re.search(r"[#&]latent=([\w-]+)", page.url).group(1)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return np.frombuffer(data, np.int8) / STEPS


def drawn(tiny: Tiny, latent: np.ndarray, tags: dict, seed: int = 7) -> np.ndarray:
    rows = to_signed(seeds.sample_labels(seed, 1, tiny.schema, tags))
    return tiny(latent[None].astype(np.float32), rows)[0]


def give(page, image: Image.Image) -> None:
    page.set_input_files("input[accept='image/*']", file(image))
    page.get_by_text("nearest face").wait_for()
    settled(page)


HIGH = blocks(40, 100, (RED, (0, 0, 40, 40)), (GREEN, (0, 40, 40, 100)))


def test_the_nearest_face_is_drawn(visit, kernel, tiny):
    """Of a high picture the top counts, of a wide one the middle."""
    page = visit("#model=tiny&seed=7")
    give(page, HIGH)
    latent, tags = said(kernel, RED)
    np.testing.assert_allclose(latent_of(page), latent, atol=1.01 / STEPS)
    assert f"hair={tags['hair']}" in page.url and f"smile={str(tags['smile']).lower()}" in page.url
    tags["year"] = float(re.search(r"year=([\d.]+)", page.url).group(1))
    assert same(shown(page), drawn(tiny, latent_of(page), tags))
    wide = blocks(90, 40, (GREEN, (25, 0, 65, 40)), (RED, (0, 0, 25, 40)))
    give(page, wide)
    # A browser that reduces a picture may look a little beyond the part that is asked for.
    np.testing.assert_allclose(latent_of(page), said(kernel, GREEN)[0], atol=0.2)
    image = Image.new("RGBA", (SIZE, SIZE), (0, 0, 0, 0))  # what shines through is white
    image.paste((*RED, 255), (0, 0, SIZE, SIZE // 2))
    give(page, image)
    np.testing.assert_allclose(latent_of(page), said(kernel, RED, WHITE)[0], atol=1.01 / STEPS)


def test_it_stays_while_all_else_changes_and_ends_with_another_seed(visit, kernel, tiny):
    page = visit("#model=tiny&seed=7")
    give(page, HIGH)
    own, before = latent_of(page), shown(page)
    other = "red" if "hair=blue" in page.url else "blue"
    page.get_by_role("radio", name=f"{other} hair").check()
    until(page, f"location.hash.includes('hair={other}')")
    settled(page)
    np.testing.assert_array_equal(latent_of(page), own)
    assert not same(shown(page), before / 127.5 - 1)
    draw(page)
    assert "latent" not in page.url
    page.go_back()
    until(page, "location.hash.includes('latent')")
    settled(page)  # until the page has read its address again, it sets the seed to that of it
    page.get_by_label("Seed", exact=True).fill("9")
    page.get_by_label("Seed", exact=True).press("Enter")
    until(page, "!location.hash.includes('latent')")


def test_an_address_and_a_file_say_all_of_it(visit, kernel, folder):
    page = visit("#model=tiny&seed=7")
    give(page, HIGH)
    again = visit("#" + page.url.split("#")[1])
    np.testing.assert_array_equal(shown(again), shown(page))
    page.get_by_text("Fine tuning", exact=True).click()
    kept = json.loads(saved(page, "Save settings"))
    assert kept["latent"] == re.search(r"latent=([\w-]+)", page.url).group(1)
    third = visit("#model=tiny&seed=1")
    third.get_by_text("Fine tuning", exact=True).click()
    data = {"name": "s.json", "mimeType": "application/json", "buffer": json.dumps(kept).encode()}
    third.set_input_files("input[accept*=json]", data)
    until(third, "location.hash.includes('latent')")
    settled(third)
    np.testing.assert_array_equal(shown(third), shown(page))


def test_what_cannot_be_used_is_refused_in_a_sentence(visit, kernel):
    page = visit("#model=tiny&seed=7")
    before, note = shown(page), page.locator(".note.bad")
    for wrong, rule in (("AAAA", "8 bytes in base64"), ("!!", "base64")):
        page.evaluate("text => { location.hash = `#seed=7&latent=${text}`; }", wrong)
        note.get_by_text(f"latent is {rule}. Received: ").wait_for()
    page.set_input_files(
        "input[accept='image/*']", {"name": "me.png", "mimeType": "image/png", "buffer": b"no"}
    )
    note.get_by_text("It is no picture that this browser reads.").wait_for()
    assert (shown(page) == before).all()


def test_an_encoder_that_cannot_be_fetched_is_asked_again(visit, server, kernel, folder):
    """Nothing of it is fetched before a picture is chosen."""
    server.changes = {"encoder": lambda data: None}
    visit.allowed.append("404")
    page = visit("#model=tiny&seed=7")
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    page.set_input_files("input[accept='image/*']", file(HIGH))
    note = page.locator(".note.bad")
    note.wait_for()
    assert "This picture cannot be used." in note.inner_text()
    server.changes = {}
    give(page, HIGH)
    np.testing.assert_allclose(latent_of(page), said(kernel, RED)[0], atol=1.01 / STEPS)
    assert asked and all(method == "GET" and "/encoder/" in url for method, url in asked)


@pytest.mark.parametrize("wish", ["draw", "Many"])
def test_what_is_wished_for_meanwhile_goes_first(visit, server, kernel, wish):
    """A picture that is still being read when something else is asked for changes nothing."""
    opened = threading.Event()
    server.changes = {"encoder": lambda data: opened.wait(20) and data}
    page = visit("#model=tiny&seed=7")
    page.set_input_files("input[accept='image/*']", file(HIGH))
    page.wait_for_timeout(300)
    if wish == "draw":
        page.get_by_role("button", name="Draw a new picture").click()
        until(page, "!location.hash.includes('seed=7&')")
    else:
        look(page, wish)
        page.wait_for_selector(".grid li:nth-child(8)")
    settled(page)
    before = page.url
    with page.expect_response(re.compile("encoder/shard")):
        opened.set()
    page.wait_for_timeout(500)
    assert page.url == before and "latent" not in before
    assert page.get_by_text("nearest face").count() == 0


def test_many_are_the_seeds_and_mixtures_have_a_latent(visit, kernel, tiny):
    page = visit("#model=tiny&seed=7&hair=blue")
    give(page, HIGH)
    own = latent_of(page)
    look(page, "Many")
    page.wait_for_selector(".grid li:nth-child(8)")
    tags = said(kernel, RED)[1]
    held = re.findall(r"(hair|eyes|smile|glasses|year)=([^&]*)", page.url)
    assert len(held) == len(tags)
    assert "latent" not in page.url
    look(page, "One")
    until(page, "location.hash.includes('latent')")
    first = page.url.split("#")[1]
    second = "model=tiny&seed=3&hair=red&eyes=blue&smile=true&glasses=false&year=2000"
    ends = "&".join(
        f"{slot}={quote(unquote(one), safe='')}" for slot, one in (("from", first), ("to", second))
    )
    mixed = visit(f"#model=tiny&seed=7&view=blend&{ends}")
    mixed.get_by_label("Mixture").fill("0.5")
    until(mixed, "/[#&]latent=/.test(location.hash)")
    settled(mixed)
    half = seeds.slerp(own.astype(np.float32), seeds.latents(3, 1, LATENT)[0], [0.5])[0]
    np.testing.assert_allclose(latent_of(mixed), half, atol=0.51 / STEPS + 1e-6)


def test_the_camera_takes_one_and_is_off_then(visit, kernel):
    """Nor is it on before, where nobody may use it, which is said."""
    watch = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.may = false;
    navigator.mediaDevices.getUserMedia = async (asked) => {
      if (!window.may) throw new Error("Permission denied");
      return (window.seen = await ask(asked));
    };"""
    page = visit("#model=tiny&seed=7", scripts=[watch])
    page.get_by_role("button", name="Camera").click()
    note = page.locator(".note.bad")
    note.wait_for()
    assert "The camera cannot be used. Permission denied" in note.inner_text()
    page.wait_for_selector("dialog.camera", state="detached")
    assert page.locator("dialog.camera").count() == 0
    page.evaluate("() => { window.may = true; }")
    page.get_by_role("button", name="Camera").click()
    page.wait_for_selector("dialog.camera .main:enabled")
    page.get_by_role("button", name="Take the picture").click()
    page.get_by_text("nearest face").wait_for()
    settled(page)
    assert latent_of(page).any()
    assert page.locator("dialog.camera").count() == 0
    ended = "window.seen.getTracks().every(({ readyState }) => readyState === 'ended')"
    until(page, ended)


def test_a_picture_may_be_dropped_or_pasted(visit, kernel):
    page = visit("#model=tiny&seed=7")
    come = """async ([kind, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "me.png", { type: "image/png" }));
      const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: data, cancelable: true, bubbles: true })
        : new DragEvent("drop", { dataTransfer: data, cancelable: true, bubbles: true });
      document.querySelector("main, body").dispatchEvent(event);
    }"""
    # A cell of a table is copied as text, with a picture of it.
    page.evaluate(
        come.replace("return", "").replace(
            "const event", 'data.setData("text/plain", "cell"); const event'
        ),
        ["paste", list(file(HIGH)["buffer"])],
    )
    page.wait_for_timeout(500)
    assert "latent" not in page.url
    for kind, colour in (("drop", RED), ("paste", GREEN)):
        image = file(blocks(SIZE, SIZE, (colour, (0, 0, SIZE, SIZE))))
        page.evaluate(come, [kind, list(image["buffer"])])
        wanted = said(kernel, colour)[0]
        until(page, "location.hash.includes('latent')")
        for _ in range(200):
            if np.allclose(latent_of(page), wanted, atol=1.01 / STEPS):
                break
            page.wait_for_timeout(30)
        np.testing.assert_allclose(latent_of(page), wanted, atol=1.01 / STEPS)


def test_a_model_without_an_encoder_asks_for_no_picture(visit, folder):
    write_folder(folder, Tiny(), Tiny("plain", None, 2))
    page = visit("#model=tiny&seed=7")
    assert page.get_by_role("button", name="Your picture").count() == 0
    assert page.get_by_role("button", name="Camera").count() == 0


def test_the_module_encodes_too(visit, kernel):
    page = visit("#model=tiny&seed=7")
    found = page.evaluate(
        """async (size) => {
          const { Generator } = await import("./tfanime.js");
          const generator = await Generator.load(".", { model: "tiny", backend: "wasm" });
          const image = new ImageData(size, size);
          for (let i = 0; i < image.data.length; i++) image.data[i] = [200, 60, 40, 255][i % 4];
          const { latent, tags } = await generator.encode(image);
          const wrong = await generator.encode(new ImageData(3, 5)).catch(({ message }) => message);
          generator.dispose();
          return { latent: [...latent], tags, wrong };
        }""",
        SIZE,
    )
    latent, tags = said(kernel, RED)
    np.testing.assert_allclose(found["latent"], latent, atol=0.51 / STEPS)
    assert {name: found["tags"][name] for name in ("hair", "eyes", "smile", "glasses")} == {
        name: tags[name] for name in ("hair", "eyes", "smile", "glasses")
    }
    assert found["wrong"] == 'A picture to encode is 16x16 pixels. Received: "3x5".'
