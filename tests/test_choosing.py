"""Choosing: which images of a seed are shown, and that they stay what the seed draws."""

import json
import re
import shutil

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers

from tests.editing.tiny_editing import SCHEMA, network
from tfanime.cli import main
from tfanime.evaluation import subject
from tfanime.sampling.generate import generate
from tfanime.zoo import beside, chooser, hub, saved
from tfanime.zoo.chooser import RUN_OF, load_chooser, save_chooser


def judge(border, height=8, width=8):
    """A chooser that rejects images whose mean, -1 to 1, is above a border."""
    images = keras.Input((height, width, 3))
    last = layers.Dense(1)
    model = keras.Model(images, last(layers.Flatten()(images)))
    last.set_weights([np.full((height * width * 3, 1), 1 / (height * width * 3)), np.zeros(1)])
    return model, border


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain") / "tiny"
    saved.save_generator(folder, network(), SCHEMA, "tiny")
    return folder


@pytest.fixture(scope="module")
def middle(plain):
    """A border that rejects about half of the images."""
    return float(np.median(means(generate(plain, 64, 5, choose=False).images)))


@pytest.fixture(scope="module")
def choosy(plain, middle, tmp_path_factory):
    """A model whose chooser rejects about half of its images."""
    folder = shutil.copytree(plain, tmp_path_factory.mktemp("choosy") / "tiny")
    generator = saved.load_generator(folder)
    save_chooser(folder, *judge(middle, generator.height, generator.width), {})
    return folder


@pytest.fixture
def tiny(choosy, tmp_path):
    """A copy of it, which a test may change."""
    return shutil.copytree(choosy, tmp_path / "tiny")


def means(images):
    return images.astype(float).mean(axis=(1, 2, 3)) / 127.5 - 1


def shown(scores, border, n, first=0):
    """The rule of docs/seeds.md, written once more."""
    found, start = [], first
    while len(found) < n:
        run = list(range(start, start + RUN_OF))
        good = [i for i in run if scores[i] <= border]
        found.append(good[0] if good else min(run, key=lambda i: scores[i]))
        start = found[-1] + 1
    return found


@pytest.mark.parametrize("first", [0, 3, 16])
def test_the_whole_images_of_a_seed_are_shown_as_the_seed_draws_them(tiny, middle, first):
    every = generate(tiny, 80, 5, choose=False)
    some = generate(tiny, 12, 5, first=first)
    assert some.indices.tolist() == shown(means(every.images), middle, 12, first)
    np.testing.assert_array_equal(some.images, every.images[some.indices])
    np.testing.assert_array_equal(some.latents, every.latents[some.indices])
    np.testing.assert_array_equal(some.labels, every.labels[some.indices])
    assert generate(tiny, 5, 5, first=first).indices.tolist() == some.indices[:5].tolist()
    onward = generate(tiny, 7, 5, first=int(some.indices[4]) + 1)
    assert onward.indices.tolist() == some.indices[5:].tolist()


def test_of_a_run_of_rejected_ones_the_best_is_shown(tiny):
    generator = saved.load_generator(tiny)
    save_chooser(tiny, judge(0, generator.height, generator.width)[0], -2.0, {})
    scores = means(generate(tiny, 6 * RUN_OF, 5, choose=False).images)
    best = shown(scores, -2.0, 5)
    assert best[0] == np.argmin(scores[:RUN_OF])
    found = generate(tiny, 5, 5).indices.tolist()
    assert found == best
    assert generate(tiny, 2, 5, first=found[2] + 1).indices.tolist() == found[3:]


def test_attributes_are_asked_for_before_images_are_looked_at(tiny, middle):
    tags = {"hat": True}
    every = generate(tiny, 80, 5, tags, choose=False)
    some = generate(tiny, 8, 5, tags)
    assert some.indices.tolist() == shown(means(every.images), middle, 8)
    assert all(tags["hat"] for tags in some.tags)


@pytest.mark.parametrize(
    "tuning",
    [
        {"vary": 0.4, "vary_seed": 9},
        {"vary": [0.3], "vary_seed": [(9, 2)]},
        {"sliders": {"hat": 0.3}},
    ],
)
def test_fine_tuning_shows_the_same_ones(tiny, tuning):
    every = generate(tiny, 80, 5, choose=False, **tuning)
    some, untuned = generate(tiny, 8, 5, **tuning), generate(tiny, 8, 5)
    assert some.indices.tolist() == untuned.indices.tolist()
    np.testing.assert_array_equal(some.images, every.images[some.indices])
    np.testing.assert_array_equal(some.latents, every.latents[some.indices])
    np.testing.assert_array_equal(some.labels, every.labels[some.indices])


def test_what_is_measured_is_not_chosen(tiny, monkeypatch):
    monkeypatch.setattr(subject, "CHUNK", 16)
    found = np.concatenate([images for images, _ in subject.Generator(tiny).chunks(40, 5)])
    np.testing.assert_array_equal(found, generate(tiny, 40, 5, choose=False).images)


def test_files_say_which_images_they_are(tiny, tmp_path):
    some = generate(tiny, 4, 5, out=tmp_path / "out")
    entries = json.loads((tmp_path / "out" / "generated.json").read_text())["pictures"]
    assert list(entries) == [f"seed5_{i:06d}.png" for i in some.indices]
    assert [entry["index"] for entry in entries.values()] == some.indices.tolist()
    some.save(tmp_path / "saved")
    names = sorted(path.name for path in (tmp_path / "saved").iterdir())
    assert names == sorted(entries)


def test_what_was_drawn_before_an_interruption_is_kept(tiny, tmp_path, monkeypatch):
    shown = generate(tiny, 12, 5).indices.tolist()
    calls = []

    def stops(self, images, call=chooser.Chooser.__call__):
        calls.append(len(images))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return call(self, images)

    monkeypatch.setattr(chooser.Chooser, "__call__", stops)
    with pytest.raises(KeyboardInterrupt):
        generate(tiny, 12, 5, out=tmp_path / "out")
    entries = json.loads((tmp_path / "out" / "generated.json").read_text())["pictures"]
    kept = [entry["index"] for entry in entries.values()]
    assert kept and kept == shown[: len(kept)] and kept[-1] < 8
    assert all((tmp_path / "out" / name).is_file() for name in entries)


def test_every_image_is_drawn_on_request_and_without_a_chooser(tiny, plain, tmp_path):
    assert generate(plain, 6, 5).indices.tolist() == list(range(6))
    line = f"generate {tiny} --n 6 --seed 5 --no-choose --out {tmp_path / 'all'}"
    assert CliRunner().invoke(main, line).exit_code == 0
    names = sorted(path.name for path in (tmp_path / "all").glob("*.png"))
    assert names == [f"seed5_{i:06d}.png" for i in range(6)]


def test_rows_of_labels_are_not_chosen_from(tiny):
    rows = np.zeros((3, SCHEMA.size), np.float32)
    assert generate(tiny, 3, 5, labels=rows).indices.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="choose takes images of a seed.*Received: labels"):
        generate(tiny, 3, 5, labels=rows, choose=True)


def test_choosing_needs_a_chooser(plain):
    with pytest.raises(ValueError, match="has none. Train it: tfanime judge chooser DIR --model"):
        generate(plain, 1, choose=True)


def test_weights_trained_since_are_drawn_with_a_note(tiny, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beside, "weights_digest", lambda folder: "others")
        with pytest.raises(ValueError, match="was trained for other weights"):
            generate(tiny, 1, choose=True)
        assert generate(tiny, 4, 5).indices.tolist() == [0, 1, 2, 3]
    assert re.fullmatch(
        r"Note: images are not chosen\. '.*chooser\.keras' was trained for other weights .*\n",
        capsys.readouterr().err,
    )


@pytest.mark.parametrize("border", [None, "0.5", float("nan"), True])
def test_a_border_is_a_number(tiny, border):
    path = tiny / "chooser.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"border": border}))
    with pytest.raises(ValueError, match="says the border of a score. Received"):
        load_chooser(tiny, saved.load_generator(tiny))


def test_a_network_of_another_shape_is_refused(tiny):
    save_chooser(tiny, judge(0, 4, 4)[0], 0.0, {})
    with pytest.raises(ValueError, match="is no chooser of 'tiny'.*4, 4, 3"):
        load_chooser(tiny, saved.load_generator(tiny))


def test_it_goes_to_the_hub_with_the_model():
    assert {chooser.NETWORK, chooser.DESCRIPTION} <= set(hub.FILES)
