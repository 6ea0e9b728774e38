"""Labels without a table: folders as classes, StyleGAN's dataset.json."""

from __future__ import annotations

import json
import tarfile
import zipfile

import numpy as np
import pytest
from broken_files import encoded, face
from click.testing import CliRunner

import tfanime
from tfanime import cli
from tfanime.core.manifest import Manifest, Step
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.evaluation.subject import open_subject
from tfanime.prepare.arranged import folders_hint
from tfanime.prepare.dataset_card import card
from tfanime.prepare.load import load_data
from tfanime.prepare.pack import pack
from tfanime.training.plan import own_size

NAMES = [f"0000{i // 3}/img{i:08d}.png" for i in range(6)]


def write(root, names, extra=None):
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(face(i)))
    for name, text in (extra or {}).items():
        (root / name).write_text(text)
    return root


def archived(root, kind):
    if kind == "folder":
        return root
    path = root.with_suffix(f".{kind}")
    with zipfile.ZipFile(path, "w") if kind == "zip" else tarfile.open(path, "w") as archive:
        for file in sorted(f for f in root.rglob("*") if f.is_file()):
            add = archive.write if kind == "zip" else archive.add
            add(file, str(file.relative_to(root)))
    return path


def run(source, out, **options):
    return pack(source, out, size=16, progress=False, **options)


def by_file(data):
    names = json.loads((data.path / "files.json").read_text("utf-8"))
    return dict(zip(names, map(data.schema.decode, data.labels()), strict=True))


# ---- StyleGAN ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_labels_of_a_stylegan_set(tmp_path, kind, capsys):
    labels = [[name, [10, 2, 10, 2, 0, 0][i]] for i, name in enumerate(NAMES)]
    root = write(tmp_path / "in", NAMES, {"dataset.json": json.dumps({"labels": labels})})
    data = run(archived(root, kind), tmp_path / "out")
    assert data.schema.field("class").values == ("0", "2", "10")
    assert by_file(data) == {name: {"class": str(label)} for name, label in labels}
    stored = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert stored["labels_from"] == "dataset.json" and stored["rejected"] == []
    assert "labels from dataset.json" in capsys.readouterr().err


def test_a_stylegan_folder_trains_as_it_is(tmp_path):
    labels = {"labels": [[name, i % 2] for i, name in enumerate(NAMES)]}
    root = write(tmp_path / "in", NAMES, {"dataset.json": json.dumps(labels)})
    assert not is_packed(root)
    data = load_data(root, 16, cache=tmp_path / "cache", progress=False)
    assert data.schema.columns == ("0_class", "1_class") and len(data) == 6
    assert is_packed(data.path)
    assert own_size(root) is None and own_size(data.path) == (16, 16)
    # To be evaluated it is a folder of pictures.
    assert open_subject(root, 16, 16).described["pictures"] == 6


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        ([[0, 1], [1, 0], [0, 1], [1, 0], [0, 1], [0, 1]], ("0_class", "1_class")),
        ([[1, 1], [1, 0], [0, 1], [0, 0], [0, 1], [0, 1]], ("label_0", "label_1")),
        ([[0.5, 2], [1, 3], [0, 4], [0, 5], [3, 6], [0, 7.5]], ("label_0", "label_1")),
    ],
)
def test_lists_of_numbers(tmp_path, labels, columns):
    text = json.dumps({"labels": list(zip(NAMES, labels, strict=True))})
    data = run(write(tmp_path / "in", NAMES, {"dataset.json": text}), tmp_path / "out")
    assert data.schema.columns == columns
    expected = np.array(labels, np.float32)
    low, high = expected.min(axis=0), expected.max(axis=0)
    np.testing.assert_allclose(data.labels(), (expected - low) / (high - low), atol=1e-6)


def test_stylegan_sets_without_labels_and_inside_a_folder(tmp_path):
    for i, text in enumerate(['{"labels": null}', '{"labels": []}']):
        data = run(write(tmp_path / f"in{i}", NAMES, {"dataset.json": text}), tmp_path / f"out{i}")
        assert data.schema is None and len(data) == 6
    labels = json.dumps({"labels": {name: i % 2 for i, name in enumerate(NAMES)}})
    root = write(tmp_path / "a" / "faces", NAMES, {"dataset.json": labels}).parent
    assert run(archived(root, "zip"), tmp_path / "out").schema.columns == ("0_class", "1_class")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "dataset.json must be JSON"),
        ("[" * 100_000, "dataset.json must be JSON"),
        ('{"format": "tfanime packed pictures", "labels": null}', "must not be packed yet"),
        ('{"labels": [["x/1.png", 3]]}', "no row of which does: the first is x/1.png: row without"),
        ('{"labels": [["00000/img00000000.png", "x"], 7]}', "entry 1 is no pair"),
        ('{"labels": 7}', "it has none"),
        ('{"labels": [["00000/img00000000.png", 1], ["00000/img00000001.png", [1]]]}', "numbers"),
        ('{"labels": [["00000/img00000000.png", 1e999]]}', "entry 1 is no pair"),
    ],
)
def test_what_is_no_stylegan_set_is_said(tmp_path, text, message):
    root = write(tmp_path / "in", NAMES, {"dataset.json": text})
    with pytest.raises(ValueError, match=message):
        run(archived(root, "zip"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_goes_before_dataset_json(tmp_path):
    text = json.dumps({"labels": [[name, i % 2] for i, name in enumerate(NAMES)]})
    root = write(tmp_path / "in", NAMES, {"dataset.json": text})
    path = tmp_path / "a.csv"
    path.write_text("file,smile\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(NAMES)))
    assert run(root, tmp_path / "out", labels=path).schema.columns == ("smile",)


# ---- folders as classes ------------------------------------------------------------------------

CLASSES = [f"{colour}/{i}.png" for colour in ("blue", "red") for i in range(3)]


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("above", ["", "cls/"])
def test_folders_are_classes_on_request(tmp_path, kind, above):
    names = [above + name for name in CLASSES]
    root = write(tmp_path / "in", names, {"README.txt": "words"})
    data = run(archived(root, kind), tmp_path / "out", labels="folders")
    assert data.schema.columns == ("blue_class", "red_class")
    assert by_file(data) == {name: {"class": name.split("/")[-2]} for name in names}
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["labels_from"] == "folders"


def test_without_the_request_there_is_a_hint(tmp_path, capsys):
    data = run(write(tmp_path / "in", CLASSES), tmp_path / "out")
    assert data.schema is None
    assert "2 folders (blue, red): labels='folders' (--labels folders)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "names",
    [
        ["1.png", "2.png"],
        ["a/1.png", "a/2.png"],
        ["a/1.png", "b/1.png", "2.png"],
        NAMES,
        ["0a/1.png", "ff/1.png"],
        [f"artist {i}/1.png" for i in range(65)],
    ],
)
def test_other_folders_give_no_hint(names):
    assert folders_hint(names) == ""


def test_numbered_folders_and_spellings(tmp_path, capsys):
    names = [f"{label}/{i}.png" for i, label in enumerate(["0", "1", "10", "2", "Ten", "ten"])]
    data = run(write(tmp_path / "in", [*names, "9.png"]), tmp_path / "out", labels="folders")
    assert data.schema.field("class").values == ("0", "1", "2", "10", "ten")
    assert "'Ten' and 'ten' are one" in capsys.readouterr().err
    assert by_file(data)["9.png"] == {}


def test_one_folder_is_no_class(tmp_path):
    root = write(tmp_path / "in", ["a/1.png", "a/2.png"])
    with pytest.raises(ValueError, match="in 2 to 1,000 of them. Received: .*in with 0"):
        run(root, tmp_path / "out", labels="folders")


# ---- what is said ------------------------------------------------------------------------------


def test_every_label_and_its_counts_are_said(tmp_path):
    root = write(tmp_path / "in", [f"{i}.png" for i in range(5)])
    path = tmp_path / "labels.csv"
    path.write_text("file,hair,smile,year\n0.png,red,1,2000\n1.png,blue,1,\n2.png,red,0,2010\n")
    words = ["prepare", root, "--labels", path, "--size", 16, "--out", tmp_path / "out"]
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exit_code == 0, done.stderr
    lines = {
        "hair": "red 2, blue 1; unknown 2",
        "smile": "yes 2, no 1; unknown 2",
        "year": "2000 to 2010 2; unknown 3",
    }
    for name, counts in lines.items():
        assert f"\n  {name}: {counts}\n" in done.stdout
        assert f"| {name} | {counts} |" in card(tmp_path / "out")
    assert "## Labels" in card(tmp_path / "out")
    Manifest("tagged", "in", "none", (Step("pictures", 5),)).write(tmp_path / "out")
    assert "# tagged" in card(tmp_path / "out")
    assert f"| hair | {lines['hair']} |" in card(tmp_path / "out")


def test_names_of_labels_cannot_drive_a_terminal(tmp_path):
    root = write(tmp_path / "in", [f"{i}.png" for i in range(4)])
    path = tmp_path / "labels.csv"
    rows = "".join(f"{i}.png,{['a', chr(27) + '[2Jb'][i % 2]}\n" for i in range(4))
    path.write_text(f"file,hair\x1b]0;x\x07\n{rows}")
    words = ["prepare", root, "--labels", path, "--out", tmp_path / "out"]
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exit_code == 0, done.stderr
    assert "\x1b" not in done.stdout and "hair]0;x: [2Jb 2, a 2" in done.stdout


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("/data/0.png,red\n", "/data/0.png (line 2): row without picture"),
        ("0.png,red\n1.png,blue\n", "'hair': 2 different texts, too many for a group"),
    ],
)
def test_asked_for_labels_are_never_silently_none(tmp_path, rows, message):
    root = write(tmp_path / "in", ["0.png", "1.png"])
    path = tmp_path / "labels.csv"
    path.write_text(f"file,hair\n{rows}")
    words = ["prepare", root, "--labels", path, "--out", tmp_path / "out"]
    done = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert done.exit_code == 1 and message in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_systems_leave_behind_is_no_picture(tmp_path):
    root = write(tmp_path / "in", CLASSES)
    before = tfanime.pack(root, tmp_path / "a", size=16, strict=True, progress=False).sha256
    write(root, [], {".DS_Store": "x", "blue/Thumbs.db": "x", "red/._0.png": "x"})
    (root / "__MACOSX" / "blue").mkdir(parents=True)
    write(root, [], {"__MACOSX/blue/._1.png": "x", "desktop.ini": "x"})
    again = tfanime.pack(root, tmp_path / "b", size=16, strict=True, progress=False)
    assert again.sha256 == before
    for kind in ("zip", "tar"):
        path = archived(root, kind)
        data = tfanime.pack(path, tmp_path / kind, size=16, strict=True, progress=False)
        assert data.sha256 == before
        assert PackedDataset.open(tmp_path / kind).count == 6
