"""Estimating labels of pictures: what is stored, and from what."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.prepare.broken_files import write_folder
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.core.manifest import Manifest
from tfanime.data import PackedDataset
from tfanime.drawn.faces import draw_faces
from tfanime.prepare.pack import pack
from tfanime.tagging import Tagger
from tfanime.tagging.tags import count_labels, estimate_tags, tsne_sheet

COUNT = 6


def by_brightness(pictures, progress=False):
    """Scores `(n, 34)` that depend on nothing but each picture."""
    bright = pictures.reshape(len(pictures), -1).mean(axis=1) / 255
    hair = np.full((len(pictures), 13), 0.05)
    hair[np.arange(len(pictures)), (bright * 13).astype(int)] = 0.4
    eyes = np.tile(np.linspace(0.01, 0.19, 10), (len(pictures), 1))
    return np.concatenate([hair, np.tile(bright[:, None], 11), eyes], axis=1)


TAGGER = Tagger(MAKEGIRLSMOE, by_brightness, "brightness", "v1", threshold=0.25)


@pytest.fixture
def source(tmp_path):
    """Plain pictures from dark to bright."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(COUNT):
        Image.new("RGB", (20, 20), (40 * i,) * 3).save(folder / f"{i}.png")
    return folder


def run(source, out, tagger=TAGGER, **options):
    return estimate_tags(source, out, tagger, **({"tsne": False, "progress": False} | options))


def test_labels_follow_the_rules(source, tmp_path):
    data = run(source, tmp_path / "out", size=8)
    scores = np.load(tmp_path / "out" / "scores.npy")
    assert scores.shape == (COUNT, 34) and scores.dtype == np.float32
    bright = np.arange(COUNT) * 40 / 255
    np.testing.assert_allclose(scores[:, 15], bright, atol=1e-6)
    labels = data.labels()
    # Of hair and of eyes the most probable; the others from 0.25, which 80 / 255 is above.
    np.testing.assert_array_equal(labels[:, :13].argmax(axis=1), (bright * 13).astype(int))
    np.testing.assert_array_equal(labels[:, :13].sum(axis=1), np.ones(COUNT))
    flags = np.repeat(np.arange(COUNT)[:, None] >= 2, 11, axis=1)
    np.testing.assert_array_equal(labels[:, 13:24], flags)
    np.testing.assert_array_equal(labels[:, 24:].argmax(axis=1), np.full(COUNT, 9))
    assert data.schema.fields[0].frequencies == tuple(labels[:, :13].mean(axis=0))
    assert data.schema.columns == MAKEGIRLSMOE.columns


def test_the_threshold_can_be_chosen(source, tmp_path):
    data = run(source, tmp_path / "out", threshold=0.7)
    np.testing.assert_array_equal(data.labels()[:, 20], [0, 0, 0, 0, 0, 1])


def test_a_tagger_has_a_threshold_for_each_flag(source, tmp_path):
    thresholds = np.full(34, 0.25)
    thresholds[15] = 0.5  # twintails
    strict = dataclasses.replace(TAGGER, threshold=thresholds)
    labels = run(source, tmp_path / "out", strict, size=8).labels()
    np.testing.assert_array_equal(labels[:, 14], np.arange(COUNT) >= 2)
    np.testing.assert_array_equal(labels[:, 15], np.arange(COUNT) >= 4)
    # The same again is recognised by them, and other ones make another set.
    assert run(source, tmp_path / "out", strict, size=8).sha256
    with pytest.raises(ValueError, match="out"):
        run(source, tmp_path / "out", TAGGER, size=8)


def test_frequencies_and_manifest(source, tmp_path):
    (source / "words.png").write_bytes(b"I am no picture")
    run(source, tmp_path / "out")
    with open(tmp_path / "out" / "frequencies.csv", newline="", encoding="utf-8") as file:
        rows = {row["attribute"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(MAKEGIRLSMOE.columns)
    assert rows["hat"] == {
        "attribute": "hat",
        "pictures": "4",
        "share": "0.6667",
        "mean score": f"{np.arange(6).mean() * 40 / 255:.4f}",
    }
    manifest = Manifest.read(tmp_path / "out")
    assert manifest.count == COUNT and manifest.steps[0].dropped == {"not a picture": 1}
    assert manifest.settings == {"tagger": "brightness", "identity": "v1", "threshold": 0.25}
    stored = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert stored["labels_from"] == "estimated by brightness"
    assert json.loads((tmp_path / "out" / "files.json").read_text())[0] == "0.png"


def test_a_packed_set_and_its_pictures_give_the_same(source, tmp_path):
    pack(source, tmp_path / "packed", size=16, progress=False)
    one = run(tmp_path / "packed", tmp_path / "a")
    other = run(source, tmp_path / "b", size=16)
    assert one.sha256 == other.sha256 and one.count == COUNT
    with pytest.raises(ValueError, match="Received: the packed set"):
        run(tmp_path / "packed", tmp_path / "c", size=32)


def test_a_folder_of_crops(source, tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    source.rename(folder / "crops")
    for name in ("crops.csv", "review.html", "reject.txt"):
        (folder / name).write_text("x")
    earlier = Manifest("faces", "a site", "all rights reserved", ())
    earlier.write(folder)
    assert len(run(folder, tmp_path / "out")) == COUNT
    manifest = Manifest.read(tmp_path / "out")
    assert manifest.licence == "all rights reserved" and manifest.earlier == earlier
    assert manifest.steps[0].dropped == {}


def test_the_same_again_does_nothing(source, tmp_path):
    out = tmp_path / "out"
    run(source, out)
    before = (out / "dataset.json").stat().st_mtime_ns

    def fails(pictures, progress=False):
        raise AssertionError("asked again")

    same = Tagger(MAKEGIRLSMOE, fails, "brightness", "v1", 0.25)
    assert len(run(source, out, same)) == COUNT
    assert (out / "dataset.json").stat().st_mtime_ns == before
    for options in ({"threshold": 0.5}, {"tagger": Tagger(MAKEGIRLSMOE, by_brightness, "b", "v2")}):
        with pytest.raises(ValueError, match="holds another packed set"):
            run(source, out, **options)
    assert run(source, out, threshold=0.5, overwrite=True).labels()[:, 20].sum() == 2


def test_nothing_is_left_when_the_tagger_fails(source, tmp_path):
    wrong = Tagger(MAKEGIRLSMOE, lambda pictures, progress: np.full((6, 34), 1.5), "wrong", "w")
    with pytest.raises(RuntimeError, match="numbers from 0 to 1. Received others .* wrong"):
        run(source, tmp_path / "out", wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_bad_files_are_left_out(tmp_path):
    folder = write_folder(tmp_path / "in")
    data = run(folder, tmp_path / "out", size=16)
    assert len(data) == 11 and Manifest.read(tmp_path / "out").steps[0].seen == 24


@pytest.mark.parametrize("threshold", [0, 1, 7])
def test_wrong_arguments(source, tmp_path, threshold):
    with pytest.raises(ValueError, match=f"between 0 and 1. Received: {threshold}"):
        run(source, tmp_path / "out", threshold=threshold)


def test_counting_ignores_what_is_not_known():
    labels = np.full((3, 34), np.nan, np.float32)
    labels[:2, 20] = [1, 1]
    labels[0, :13] = np.eye(13)[4]
    counts = dict(count_labels(labels, MAKEGIRLSMOE))
    assert counts["open_mouth"] == 2 and counts["pink_hair"] == 1
    assert sum(counts.values()) == 3


def test_tsne_sheet_puts_alike_pictures_together():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1], 32)
    rng.shuffle(kinds)
    pictures = np.where(kinds[:, None, None, None], 255, 0) * np.ones((1, 12, 8, 3))
    scores = np.where(kinds[:, None], 0.9, 0.1) + rng.normal(0, 0.02, (64, 34))
    sheet = tsne_sheet(pictures.astype(np.uint8), scores, side=12)
    assert sheet.shape == (8 * 13 + 1, 8 * 9 + 1, 3) and sheet.dtype == np.uint8
    cells = sheet[6::13, 5::9, 0][:8, :8] == 255
    assert cells.sum() == 32  # every picture is there
    # Shuffled, half of the 112 pairs of neighbours would differ; apart, a border remains.
    assert np.sum(cells[1:] != cells[:-1]) + np.sum(cells[:, 1:] != cells[:, :-1]) < 28


def test_tsne_sheet_needs_pictures_and_scikit_learn(source, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="at least 4 images. Received: 3"):
        tsne_sheet(draw_faces(3, 16)[0], np.zeros((3, 34)))
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"\.\[data\].*, or leave .*--no-tsne"):
        run(source, tmp_path / "out", tsne=True)
    assert not (tmp_path / "out").exists()


def test_a_sheet_beside_the_set(source, tmp_path):
    pytest.importorskip("sklearn")
    run(source, tmp_path / "out", tsne=True)
    with Image.open(tmp_path / "out" / "tsne.png") as sheet:
        assert sheet.size == (2 * 49 + 1,) * 2  # 4 of 6 pictures make a square
    assert len(PackedDataset.open(tmp_path / "out")) == COUNT
