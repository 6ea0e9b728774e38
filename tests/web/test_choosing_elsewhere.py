"""Choosing beside the single face: drafts and figures of posters, the transition of two by chance,
and what a metered connection is asked for."""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import unquote

import numpy as np
import pytest
from pages import same, shown, until
from poster_model import POSTERS, write_posters
from tiny import Tiny
from tiny_beside import dark, judge

from tfanime.core.images import to_uint8
from tfanime.posters.cutout import cut_out, faults

pytestmark = pytest.mark.slow

BORDER = -0.02  # two thirds are brighter
COUNTED = "let seed = 40; crypto.getRandomValues = (numbers) => numbers.fill(++seed);"


def test_drafts_are_whole(visit, folder):
    write_posters(folder)
    judge(folder, POSTERS, BORDER)
    expected = dark(POSTERS, BORDER, 11, 8)
    assert expected != list(range(8))
    page = visit("#seed=11&view=poster", wait=False)
    page.wait_for_selector(".drafts button:nth-child(8)")
    for place in (0, 3, 7):
        tile = shown(page, f".drafts button:nth-child({place + 1}) canvas")
        assert same(tile, POSTERS.draw(11, expected[place]))
    assert "index=" not in page.url


FIGURE = """async request => {
  const name = performance.getEntriesByType("resource").map(({ name }) => name)
    .find((name) => /\\/worker-[^/]*\\.js$/.test(name));
  const worker = new Worker(name, { type: "module" });
  const folder = new URL(".", location.href.split("#")[0]).href;
  const answer = await new Promise((resolve) => {
    worker.addEventListener("message", ({ data }) => "id" in data && resolve(data));
    worker.postMessage({ id: 1, method: "figure", args: [folder, undefined, "tiny", request] });
  });
  worker.terminate();
  if (answer.error) throw new Error(answer.error);
  return [...answer.result.data];
}"""


def test_figures_are_whole(visit, folder):
    faces, tags = Tiny(), {"hair": "blue"}
    write_posters(folder, faces)
    judge(folder, faces, BORDER)
    page = visit("#seed=11&model=tiny")
    found = np.reshape(page.evaluate(FIGURE, {"seed": 11, "tags": tags}), (16, 16, 4))
    indices = dark(faces, BORDER, 11, 16, tags)
    images = [to_uint8(faces.draw(11, index, tags)) for index in indices]
    best = int(np.argmin([faults(cut_out(image)) for image in images]))
    assert np.abs(found.astype(int) - cut_out(images[best]).astype(int)).max() <= 1


def test_two_by_chance_are_whole(visit, folder, tiny):
    judge(folder, tiny, BORDER)
    page = visit("#seed=1&model=tiny", scripts=[COUNTED])
    page.get_by_role("button", name="Blend").first.click()
    page.get_by_role("button", name="New pair").click()
    until(page, "/from=.*to=/.test(location.hash)")
    ends = [unquote(end) for end in re.findall(r"(?:from|to)=([^&]+)", page.url)]
    assert len(ends) == 2
    for end in ends:
        seed = int(re.search(r"seed=(\d+)", end)[1])
        index = int((re.search(r"index=(\d+)", end) or [0, 0])[1])
        assert [index] == dark(tiny, BORDER, seed, 1)


def test_a_face_of_many_keeps_its_index(visit, folder, tiny):
    """Its seed has been picked by chance; with another attribute its first face would be broken."""
    judge(folder, tiny, BORDER)
    seed, red = 41, {"hair": "red"}
    assert dark(tiny, BORDER, 1, 1) != [0]
    assert dark(tiny, BORDER, seed, 1) == [0] != dark(tiny, BORDER, seed, 1, red)
    picked = COUNTED.replace("++seed", str(seed))
    page = visit("#seed=1&model=tiny&view=many&count=2", wait=False, scripts=[picked])
    page.get_by_role("button", name="Draw again").click()
    until(page, f"location.hash.includes('seed={seed}')")
    page.get_by_role("button", name="Open picture 0:").click()
    until(page, "!location.hash.includes('view=')")
    page.get_by_role("radio", name="red hair").check()
    until(page, "location.hash.includes('hair=red')")
    assert "index=" not in page.url
    assert same(shown(page), tiny.draw(seed, 0, red))


def test_a_metered_connection_is_asked_for_the_chooser_too(visit, folder, tiny):
    judge(folder, tiny, BORDER, padding=bytes(1_500_000))
    metered = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    page = visit("#seed=2", wait=False, scripts=[metered])
    page.get_by_text("tiny is 1.5 MB.").wait_for()
    page.get_by_role("button", name="Download").click()
    assert same(shown(page), tiny.draw(2))


def test_a_graph_that_gives_no_score_shows_all(visit, folder, tiny):
    """Weights that are no numbers fail on every backend, which is said."""
    judge(folder, tiny, 1e30)
    shard = folder / "models/tiny/chooser/shard.bin"
    damaged = shard.read_bytes()[:8] + np.full(3, np.nan, "<f4").tobytes()
    assert len(damaged) == shard.stat().st_size
    path = folder / "tfanime.json"
    before = sha256(shard.read_bytes()).hexdigest()
    path.write_text(path.read_text().replace(before, sha256(damaged).hexdigest()))
    shard.write_bytes(damaged)
    page = visit(scripts=[COUNTED])
    page.get_by_text("Broken pictures cannot be told").wait_for()
    assert same(shown(page), tiny.draw(41))
