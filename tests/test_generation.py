"""Drawing from a model: what depends on what, files, transitions and refusals."""

from __future__ import annotations

import json
import math
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from painter import DIM, SIZE, Painter
from PIL import Image

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.sampling.generate import generate
from tfanime.sampling.interpolate import interpolate
from tfanime.sampling.sampler import CHUNK
from tfanime.tagging import load_tagger
from tfanime.zoo.saved import Truncation

# ---- truncation ----------------------------------------------------------------------------------


def measured(typical=(3, 5)):
    painter = Painter()
    painter.truncation = Truncation(0.6, typical)
    return painter


def test_a_truncation_below_what_was_measured_is_noted_in_one_sentence(capsys):
    generate(measured(), n=1, truncation=0.6)
    generate(Painter(), n=1, truncation=0.1)
    assert capsys.readouterr().err == ""
    for draw in (lambda: generate(measured(), n=1, truncation=0.5),
                 lambda: interpolate(measured(), frames=1, truncation=0.5)):  # fmt: skip
        draw()
        assert capsys.readouterr().err == (
            "Note: painter draws worse below a truncation of 0.6, and 0.5 is asked for: raise it.\n"
        )


def test_typical_leads_to_the_latent_that_was_measured(tmp_path, capsys):
    typical = seeds.latents(3, 1, DIM, first=5)
    z = seeds.latents(7, 2, DIM)
    made = generate(measured(), n=2, seed=7, truncation=0.4, typical=True, out=tmp_path)
    np.testing.assert_array_equal(made.latents, seeds.truncate(z, 0.4, typical[0]))
    entries = json.loads((tmp_path / "generated.json").read_text())["pictures"].values()
    assert all(entry["typical"] and entry["truncation"] == 0.4 for entry in entries)
    there = generate(measured(), n=2, truncation=0, typical=True).latents
    np.testing.assert_allclose(there, np.repeat(typical, 2, axis=0), atol=1e-6)
    same = generate(measured(), n=2, seed=7, typical=True).latents
    np.testing.assert_array_equal(same, z)
    keys = interpolate(measured(), seeds=[7, 8], frames=2, truncation=0.4, typical=True).latents
    np.testing.assert_allclose(keys[0], made.latents[0], atol=1e-6)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("model", [Painter(), measured(None)])
def test_typical_needs_a_measured_model(model):
    with pytest.raises(
        ValueError, match="typical needs a model whose.*Received: 'painter'.*--store"
    ):
        generate(model, n=1, typical=True)


# ---- generate ----------------------------------------------------------------------------------


def test_result_follows_the_map():
    made = generate(Painter(), n=5, seed=7, truncation=0.5)
    assert made.images.shape == (5, SIZE, SIZE + 2, 3) and made.images.dtype == np.uint8
    np.testing.assert_array_equal(made.latents, seeds.latents(7, 5, DIM) / 2)
    np.testing.assert_array_equal(made.labels, seeds.sample_labels(7, 5, MAKEGIRLSMOE))
    assert made.tags == [MAKEGIRLSMOE.decode(row) for row in made.labels]
    assert (made.seed, made.indices[0], made.schema) == (7, 0, MAKEGIRLSMOE)
    floats = Painter()(made.latents, made.labels * 2 - 1)
    np.testing.assert_array_equal(made.images, np.rint((floats + 1) * 127.5).astype(np.uint8))


def test_a_picture_is_the_same_to_the_byte_whatever_n_and_first():
    painter = Painter(drift=0.05)
    reference = generate(painter, n=37, seed=3).images
    for n, first in [(1, 0), (1, 36), (9, 4), (8, 8), (2, 15), (20, 17)]:
        made = generate(painter, n=n, seed=3, first=first)
        assert made.images.tobytes() == reference[first : first + n].tobytes()
    assert {len(batch) for batch in painter.batches} == {CHUNK}


def test_a_saved_model_draws_the_same_bytes_whatever_n_and_first(tmp_path):
    import keras

    from tfanime.zoo.saved import save_generator

    keras.utils.set_random_seed(1)
    z, labels = keras.Input((DIM,)), keras.Input((MAKEGIRLSMOE.size,))
    x = keras.layers.Concatenate()([z, labels])
    x = keras.layers.Reshape((4, 4, 24))(keras.layers.Dense(4 * 4 * 24)(x))
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2DTranspose(12, 4, 2, "same", activation="relu")(x)
    x = keras.layers.Conv2DTranspose(3, 5, 1, "same", activation="tanh")(x)
    save_generator(tmp_path, keras.Model([z, labels], x), MAKEGIRLSMOE, "tiny")
    reference = generate(tmp_path, n=21, seed=3)
    assert reference.images.shape == (21, 8, 8, 3) and reference.images.std() > 1
    for n, first in [(1, 0), (1, 20), (5, 7)]:
        made = generate(str(tmp_path), n=n, seed=3, first=first)
        assert made.images.tobytes() == reference.images[first : first + n].tobytes()


def test_seeds_differ():
    images = [generate(Painter(), n=1, seed=s).images.tobytes() for s in range(20)]
    assert len(set(images)) == 20


def test_tags_reach_the_network():
    painter = Painter()
    made = generate(painter, n=20, seed=1, tags={"hair": "blue", "smile": True, "hat": False})
    blue, smile, hat = (MAKEGIRLSMOE.columns.index(c) for c in ("blue_hair", "smile", "hat"))
    for labels in painter.labels:
        assert (labels[:, [blue, smile, hat]] == [1, 1, -1]).all()
    assert {(t["hair"], t["smile"], t["hat"]) for t in made.tags} == {("blue", True, False)}
    assert len({t["eyes"] for t in made.tags}) > 1


def test_a_model_without_labels():
    made = generate(Painter(schema=None), n=3)
    assert made.labels is None and made.schema is None and made.tags == [{}, {}, {}]
    with pytest.raises(ValueError, match="trained with labels.*'hair': 'blue'"):
        generate(Painter(schema=None), tags={"hair": "blue"})
    with pytest.raises(ValueError, match="trained with labels"):
        interpolate(Painter(schema=None), seeds=[1, 2], tags={"hair": "blue"})


def test_a_path_is_loaded(monkeypatch, tmp_path):
    asked = []
    saved = types.ModuleType("tfanime.zoo.saved")
    saved.load_generator = lambda run: asked.append(run) or Painter()
    monkeypatch.setitem(sys.modules, "tfanime.zoo.saved", saved)
    generate(tmp_path, n=1)
    interpolate(str(tmp_path), frames=1)
    assert asked == [tmp_path, str(tmp_path)]


def test_files(tmp_path):
    out, sheet = tmp_path / "new" / "faces", tmp_path / "sheets" / "sheet.png"
    made = generate(Painter(), n=10, seed=7, tags={"hair": "red"}, first=2, out=out, grid=sheet)
    names = [f"seed7_{i:06d}.png" for i in range(2, 12)]
    assert sorted(p.name for p in out.iterdir()) == ["generated.json", *names]
    entries = json.loads((out / "generated.json").read_text())["pictures"]
    assert list(entries) == names
    for i, name in enumerate(names):
        np.testing.assert_array_equal(np.asarray(Image.open(out / name)), made.images[i])
        expected = {"seed": 7, "index": i + 2, "truncation": 1.0, "tags": made.tags[i]}
        assert entries[name] == expected and expected["tags"]["hair"] == "red"
    with Image.open(sheet) as picture:
        assert picture.width > 3 * (SIZE + 2) and picture.height > 2 * SIZE


def test_a_second_call_adds_to_the_folder(tmp_path):
    generate(Painter(schema=None), n=2, seed=1, out=tmp_path)
    generate(Painter(schema=None), n=2, seed=2, out=tmp_path)
    generate(Painter(schema=None), n=1, seed=1, first=2, out=tmp_path)
    entries = json.loads((tmp_path / "generated.json").read_text())["pictures"]
    assert {(e["seed"], e["index"]) for e in entries.values()} == {
        *((1, 0), (1, 1), (1, 2), (2, 0), (2, 1))
    }
    assert set(entries) == {p.name for p in tmp_path.glob("*.png")}


def test_what_was_drawn_before_a_failure_is_listed(tmp_path):
    class Failing(Painter):
        def __call__(self, latents, labels):
            if len(self.batches) == 2:
                raise KeyboardInterrupt
            return super().__call__(latents, labels)

    with pytest.raises(KeyboardInterrupt):
        generate(Failing(), n=30, out=tmp_path)
    entries = json.loads((tmp_path / "generated.json").read_text())["pictures"]
    assert len(entries) == 2 * CHUNK == len(list(tmp_path.glob("*.png")))


def test_a_diverged_model_is_refused_and_leaves_nothing(tmp_path):
    painter = Painter()
    painter.from_latents[:] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        generate(painter, n=1, out=tmp_path / "faces")
    assert not (tmp_path / "faces").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n, the number of images, .*Received: 0"),
        ({"n": -1}, "Received: -1"),
        ({"n": 1_000_001}, "at most 1,000,000. Received: 1,000,001.*first="),
        ({"n": 1.5}, "whole number"),
        ({"seed": -1}, "seed is a whole number"),
        ({"seed": 2**53}, "seed is a whole number"),
        ({"first": -1}, "first, the index"),
        ({"truncation": 3}, "truncation is a number from 0 to 2"),
        ({"truncation": math.nan}, "truncation"),
        ({"tags": {"hare": "blue"}}, "'hare' is not a known attribute. Known: hair, "),
        ({"tags": {"hair": "mauve"}}, "one of: blonde, "),
        ({"grid": "sheet.txt"}, "grid, .* ends in .png.*'sheet.txt'"),
        ({"out": "faces.png"}, "out is a folder.*use grid"),
    ],
)
def test_refusals(arguments, message):
    painter = Painter()
    with pytest.raises(ValueError, match=message):
        generate(painter, **arguments)
    assert not painter.batches  # before anything was drawn


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"pictures": 3}', "\x00\xff"])
def test_a_foreign_index_is_not_overwritten(tmp_path, content):
    (tmp_path / "generated.json").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match="not readable.*Choose another folder"):
        generate(Painter(), out=tmp_path)
    assert (tmp_path / "generated.json").read_text(encoding="latin-1") == content


def test_label_rows_are_drawn_as_they_are_and_tags_go_first():
    painter = Painter()
    rows = generate(painter, n=5, seed=9).labels
    rows[2, MAKEGIRLSMOE.slices()["eyes"]] = np.nan
    drawn = generate(painter, n=5, seed=1, tags={"hair": "blue"}, labels=rows)
    free = generate(painter, n=5, seed=1).labels
    for i, tags in enumerate(drawn.tags):
        expected = {**MAKEGIRLSMOE.decode(rows[i]), "hair": "blue"}
        if i == 2:
            expected["eyes"] = MAKEGIRLSMOE.decode(free[i])["eyes"]
        assert tags == expected
    with pytest.raises(ValueError, match=r"one for each image, \(5, 34\).*Received: \(4, 34\)"):
        generate(painter, n=5, labels=rows[:4])
    with pytest.raises(ValueError, match="Received: label rows"):
        generate(Painter(schema=None), n=5, labels=rows)


def test_progress_counts_pictures(capsys):
    generate(Painter(), n=11, progress=True)
    assert "11/11" in capsys.readouterr().err
    generate(Painter(), n=11)
    assert capsys.readouterr() == ("", "")


# ---- enlarging -----------------------------------------------------------------------------------


class Doubler:
    """A stand-in for a loaded upscaler: doubles every pixel."""

    factor, margin, name = 2, 1, "doubler"

    def expect(self, calls):
        pass

    def __call__(self, shots):
        return shots.repeat(2, axis=1).repeat(2, axis=2)


def test_upscale_and_scale_multiply(tmp_path):
    plain = generate(Painter(), n=3, seed=1)
    larger = generate(Painter(), n=3, seed=1, upscale=Doubler(), scale=3, out=tmp_path)
    assert larger.images.shape == (3, 6 * SIZE, 6 * (SIZE + 2), 3)
    # Lanczos overshoots, and the mean stays.
    means = larger.images.reshape(3, SIZE, 6, SIZE + 2, 6, 3).mean(axis=(2, 4))
    assert np.abs(means - plain.images).mean() < 16
    with Image.open(next(tmp_path.glob("*.png"))) as stored:
        assert stored.size == (6 * (SIZE + 2), 6 * SIZE)
    doubled = generate(Painter(), n=3, seed=1, upscale=Doubler()).images
    np.testing.assert_array_equal(doubled[:, ::2, ::2], plain.images)


def test_transitions_are_enlarged(tmp_path):
    plain = interpolate(Painter(), seeds=[1, 2], frames=2)
    made = interpolate(
        Painter(), seeds=[1, 2], frames=2, upscale=Doubler(), scale=2, grid=tmp_path / "a.png"
    )
    assert made.images.shape == (4, 4 * SIZE, 4 * (SIZE + 2), 3)
    np.testing.assert_array_equal(made.latents, plain.latents)


@pytest.mark.parametrize("scale", [0, 17, 1.5])
@pytest.mark.parametrize("draw", [generate, interpolate])
def test_scale_is_a_whole_number(draw, scale):
    with pytest.raises(ValueError, match="scale is a whole number from 1 to 16"):
        draw(Painter(), scale=scale)


@pytest.mark.parametrize("draw", [generate, interpolate])
def test_tags_without_their_names(draw):
    with pytest.raises(ValueError, match=r"such as \{'hair': 'pink'\}. Received: "):
        draw(Painter(), tags="pink")


@pytest.mark.parametrize("run", [5, None, ["faces-64"]])
def test_what_is_no_model_is_named(run):
    with pytest.raises(ValueError, match=f"or a GAN. Received: {type(run).__name__}"):
        generate(run, n=1)


def test_the_first_command_of_the_readme_draws_what_it_asks_for():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    seed = int(re.search(r"tfanime generate --n 16 --seed (\d+) --hair pink", readme)[1])
    faces = generate(zoo.DEFAULT, n=16, seed=seed, tags={"hair": "pink"}, upscale="none")
    read = [tags.get("hair") for tags in load_tagger().tags(faces.images)]
    assert read.count("pink") >= 15
