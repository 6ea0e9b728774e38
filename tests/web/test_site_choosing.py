"""Choosing in the browser: the indices that a plain loop over Keras's scores finds, and nothing
that names an image moves."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pages import draw, same, seed_of, shown, until
from test_wander import settled

from tests import tiny_choosers
from tests.export.networks import GENERATED, LATENT, SCHEMA, generator, saved
from tfanime.core import seeds
from tfanime.core.labels import to_signed
from tfanime.zoo.chooser import RUN_OF, save_chooser

pytestmark = pytest.mark.slow

SIZE = GENERATED["modern"][2]
LOOKED = 64  # images of a seed that are scored here
SEEDS = (1, 2, 7)
BY_CHANCE = range(41, 49)
COUNTED = f"let seed = {BY_CHANCE[0]}; crypto.getRandomValues = (numbers) => numbers.fill(seed++);"
DRAWN = [
    *((seed, {}) for seed in (*SEEDS, *BY_CHANCE)),
    (2, {"hair": "red"}),
    (41, {"hair": "blue"}),
]
REJECTED = 0.8  # so many that runs of RUN_OF occur


class Twin:
    """The site's models in Keras: `girls` draws, and is judged."""

    def __init__(self):
        self.draws, self.judges = generator("modern"), tiny_choosers.chooser(*SIZE)
        scores = np.concatenate([self.scores(seed, **tags) for seed, tags in DRAWN])
        self.border = tiny_choosers.between(scores, REJECTED)

    def draw(self, seed: int, n: int = LOOKED, first: int = 0, **tags) -> np.ndarray:
        labels = to_signed(seeds.sample_labels(seed, n, SCHEMA, tags, first))
        z = seeds.latents(seed, n, LATENT, first)
        return np.asarray(self.draws([z, labels], training=False))

    def scores(self, seed: int, **tags) -> np.ndarray:
        return np.asarray(self.judges(self.draw(seed, **tags), training=False))[:, 0]

    def shown(self, seed: int, **tags) -> list[int]:
        """The indices that are shown, one after the other, as far as images are scored here."""
        scores, found, begin = self.scores(seed, **tags), [], 0
        while begin + RUN_OF <= LOOKED:
            run = range(begin, begin + RUN_OF)
            whole = [i for i in run if scores[i] <= self.border]
            found.append(whole[0] if whole else min(run, key=lambda i: scores[i]))
            begin = found[-1] + 1
        return found


@pytest.fixture(scope="module")
def twin() -> Twin:
    return Twin()


@pytest.fixture(scope="module")
def exported(twin, site, tmp_path_factory):
    import tfanime

    runs = tmp_path_factory.mktemp("runs")
    run = saved(runs / "girls")
    save_chooser(run, twin.judges, twin.border, {})
    return tfanime.export_web([run, saved(runs / "all")], runs / "site", "float32").path


@pytest.fixture
def folder(exported):
    """In the place of the tiny models' folder: a model with a chooser, and the same without."""
    return exported


CHOOSE = """async ([backend, requests]) => {
  const { Generator } = await import("./tfanime.js");
  const said = [];
  const found = {};
  for (const model of ["girls", "all"]) {
    const g = await Generator.load(".", {
      model, backend, onFallback: (...x) => said.push(x), onUnchosen: (x) => said.push(x),
    });
    found[model] = [];
    for (const request of requests) {
      const index = await g.choose(request);
      const { pixels } = await g.generate({ ...request, index });
      found[model].push({ index, pixels: [...pixels] });
      pixels.fill(0); // it is the caller's, and no picture that is drawn later
      const again = (await g.generate({ ...request, index })).pixels;
      if (again.some((x, i) => x !== found[model].at(-1).pixels[i])) said.push("drawn otherwise");
    }
  }
  return { found, said };
}"""


def test_the_border_lets_some_pass_and_runs_end(twin):
    """What the other tests rest on: images that pass, are passed over, and are the best of 8."""
    scores = {seed: twin.scores(seed) for seed in SEEDS}
    picked = [(seed, i) for seed in SEEDS for i in twin.shown(seed)]
    assert any(scores[seed][i] > twin.border for seed, i in picked)
    assert any(scores[seed][i] <= twin.border for seed, i in picked)
    assert any(twin.shown(seed)[0] for seed in SEEDS)
    off = np.abs(np.concatenate([twin.scores(seed, **tags) for seed, tags in DRAWN]) - twin.border)
    assert off.min() > 1e-4  # what browsers round


def test_the_module_chooses_what_a_loop_over_keras_chooses(visit, twin):
    page = visit(path="example.html", wait=False)
    requests = [{"seed": seed} for seed in SEEDS]
    # What is tuned is the same image.
    tuned = {"vary": {"seed": 3, "strength": 1}, "labels": [1, -1, 1], "truncation": 1}
    requests += [{"seed": 2, "tags": {"hair": "red"}}, {"seed": 7, **tuned}]
    expected = [twin.shown(r["seed"], **r.get("tags", {}))[0] for r in requests]
    for backend in ("wasm", "cpu"):
        answer = page.evaluate(CHOOSE, [backend, requests])
        assert answer["said"] == []
        girls, everything = answer["found"]["girls"], answer["found"]["all"]
        assert [one["index"] for one in girls] == expected
        assert [one["index"] for one in everything] == [0] * len(requests)
        for request, one in zip(requests[:4], girls, strict=False):
            drawn = twin.draw(request["seed"], 1, one["index"], **request.get("tags", {}))
            np.testing.assert_allclose(one["pixels"], drawn.ravel(), atol=1e-4)


def index_of(page) -> int:
    found = re.search(r"[#&]index=(\d+)", page.url)
    return int(found[1]) if found else 0


def test_new_faces_are_whole_and_their_addresses_name_them(visit, twin):
    page = visit(scripts=[COUNTED])
    assert seed_of(page) in BY_CHANCE
    for _ in range(3):
        seed, index = seed_of(page), index_of(page)
        assert index == twin.shown(seed)[0]
        assert same(shown(page), twin.draw(seed, 1, index)[0])
        draw(page)
        until(page, f"!location.hash.includes('seed={seed}')")
    other = visit(page.url[page.url.index("#") :])
    assert (shown(other) == shown(page)).all()
    assert index_of(other) == index_of(page)


def test_what_names_a_face_draws_it_however_broken(visit, twin):
    """An address, the box of seeds, and an attribute of the face that is shown."""
    seed = next(seed for seed in SEEDS if twin.shown(seed)[0])
    page = visit(f"#model=girls&seed={seed}")
    assert same(shown(page), twin.draw(seed, 1)[0])
    page.get_by_role("radio", name="red hair").check()
    until(page, "location.hash.includes('hair=red')")
    settled(page)
    assert index_of(page) == 0 and same(shown(page), twin.draw(seed, 1, hair="red")[0])
    page.get_by_role("button", name="Keep this seed").click()
    draw(page)
    assert index_of(page) == 0 and seed_of(page) == seed


def test_an_attribute_of_a_new_face_leaves_its_index(visit, twin):
    page = visit("#hair=blue", scripts=[COUNTED])
    seed, index = seed_of(page), index_of(page)
    assert index == twin.shown(seed, hair="blue")[0]
    page.get_by_role("radio", name="red hair").check()
    until(page, "location.hash.includes('hair=red')")
    settled(page)
    assert (seed_of(page), index_of(page)) == (seed, index)
    assert same(shown(page), twin.draw(seed, 1, index, hair="red")[0])


def test_many_are_the_whole_ones_in_turn(visit, twin):
    page = visit("#model=girls&seed=2&view=many&count=5", wait=False)
    page.wait_for_selector(".grid li:nth-child(5)")
    expected = twin.shown(2)
    for place in range(5):
        tile = shown(page, f".grid li:nth-child({place + 1}) canvas")
        assert same(tile, twin.draw(2, 1, expected[place])[0])
    page.get_by_label("How many").fill("2")
    until(page, "document.querySelectorAll('.grid li').length === 2")
    page.get_by_label("How many").fill("7")
    page.wait_for_selector(".grid li:nth-child(7)")
    assert same(shown(page, ".grid li:nth-child(7) canvas"), twin.draw(2, 1, expected[6])[0])
    page.get_by_role("button", name=f"Open picture {expected[3]}:").click()
    assert index_of(page) == expected[3]
    page.get_by_role("button", name="Many").click()
    page.wait_for_selector(".grid li:nth-child(7)")
    assert page.locator(".grid li").count() == 7  # those that are there


def test_without_the_chooser_everything_is_shown(visit, server, twin):
    """Its file is not there: the page says so once, and draws."""
    server.changes["/chooser/shard"] = lambda _: None
    visit.allowed = ["404"]
    page = visit(scripts=[COUNTED])
    assert index_of(page) == 0 and same(shown(page), twin.draw(seed_of(page), 1)[0])
    assert page.locator(".note.bad p").inner_text().startswith("Broken pictures cannot be told")
    page.get_by_role("button", name="Close").click()
    draw(page)
    assert index_of(page) == 0 and page.locator(".note.bad").count() == 0


def test_a_model_without_a_chooser_shows_all(visit, twin):
    page = visit("#model=all")
    for _ in range(2):
        assert index_of(page) == 0 and same(shown(page), twin.draw(seed_of(page), 1)[0])
        draw(page)


def test_it_is_there_for_a_visit_without_network(visit, server, twin):
    visit.allowed = ["ERR_", "Failed to (load|fetch)"]
    page = visit(service_workers="allow", scripts=[COUNTED])
    until(page, "document.querySelector('.status').dataset.offline === 'true'")
    server.down = True
    page.reload()
    page.wait_for_selector(".frame:not(.busy) canvas")
    seed = seed_of(page)
    draw(page)
    until(page, f"!location.hash.includes('seed={seed}')")
    assert index_of(page) == twin.shown(seed_of(page))[0]
