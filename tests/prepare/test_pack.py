import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile

import numpy as np
import pytest
from broken_files import bad_files, encoded, face, good_files, write_folder
from PIL import Image

from tfanime.core import decode, images
from tfanime.data import PackedDataset, writer
from tfanime.prepare import check, pack
from tfanime.prepare.sources import Source
from tfanime.prepare.table_labels import Labels


def run(source, out, **options):
    return pack.pack(source, out, progress=False, **options)


def manifest(out):
    return json.loads((out / "dataset.json").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "in")


def test_good_files_are_packed_and_bad_ones_listed(folder, tmp_path, capsys):
    data = run(folder, tmp_path / "out", size=32)
    stored = manifest(tmp_path / "out")
    names = json.loads((tmp_path / "out" / "files.json").read_text("utf-8"))
    # Natural order, so the copies of 1.png come after it.
    assert names[:3] == ["1.png", "2.jpg", "10.webp"] and set(names) == set(good_files())
    assert len(data) == stored["count"] == len(names)
    expected = {name: reason for name, (_, reason) in bad_files().items()}
    expected["folder.png"] = "not a picture"
    assert {one["file"]: one["reason"] for one in stored["rejected"]} == expected
    details = {one["file"]: one.get("detail") for one in stored["rejected"]}
    assert details["recoded_1.bmp"] == details["copy_of_1.png"] == "same pixels as 1.png"
    assert details["page.jpg"] == "an HTML page"
    said = capsys.readouterr().err
    assert "left out, damaged: 4 (" in said and "left out, duplicate: 2 (" in said
    assert "11 images in" in said and "13 left out" in said
    np.testing.assert_array_equal(
        data.images([0])[0], np.asarray(face(1).resize((32, 32), Image.Resampling.LANCZOS))
    )


def test_plain_numpy_reads_it_and_the_sum_is_as_documented(folder, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file,smile\n1.png,1\n2.jpg,0\n", "utf-8")
    data = run(folder, tmp_path / "out", size="24x32", labels=table)
    stored = manifest(tmp_path / "out")
    digest = hashlib.sha256()
    for shard in stored["shards"]:
        pictures = np.load(tmp_path / "out" / shard["file"])
        assert pictures.shape == (shard["count"], 32, 24, 3) and pictures.dtype == np.uint8
        digest.update(pictures.tobytes())
    labels = np.load(tmp_path / "out" / "labels.npy")
    digest.update(labels.tobytes())
    digest.update(f"{stored['count']} 32 24".encode())
    assert digest.hexdigest() == stored["sha256"] == data.sha256
    np.testing.assert_array_equal(labels[:3, 0], [1, 0, np.nan])
    assert stored["labels"]["fields"][0]["frequencies"] == [0.5]


def test_shards_hold_the_same_as_one_file(folder, tmp_path, monkeypatch):
    one = run(folder, tmp_path / "one", size=16)
    monkeypatch.setattr(writer, "SHARD_BYTES", 16 * 16 * 3 * 4)
    many = run(folder, tmp_path / "many", size=16)
    shards = manifest(tmp_path / "many")["shards"]
    assert [shard["count"] for shard in shards] == [4, 4, 3]
    assert many.sha256 == one.sha256
    np.testing.assert_array_equal(many.images(), one.images())
    np.testing.assert_array_equal(many.images([10, 0, -1, 5, 5]), one.images([10, 0, 10, 5, 5]))


def test_archive_and_folder_give_the_same_set(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name, data in good_files().items():
            archive.writestr(name, data)
    assert run(tmp_path / "in.zip", tmp_path / "a").sha256 == run(folder, tmp_path / "b").sha256


def test_labels_beside_an_archive_are_found(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "faces.v2.zip", "w") as archive:
        for i in range(4):
            archive.writestr(f"{i}.png", encoded(face(i)))
    (tmp_path / "faces.v2.csv").write_text("file,hair,title\n0,red,A\n1,red,B\n3,blue,C\n9,red,D\n")
    data = run(tmp_path / "faces.v2.zip", tmp_path / "out")
    assert data.schema.columns == ("blue_hair", "red_hair")
    np.testing.assert_array_equal(data.labels()[:, 0], [0, 0, np.nan, 1])
    stored = manifest(tmp_path / "out")
    assert stored["labels_from"] == "faces.v2.csv"
    assert stored["ignored_columns"] == {"title": "3 different texts, too many for a group"}
    assert stored["rejected"] == [
        {
            "file": "9",
            "reason": "row without picture",
            "detail": "no image of this name",
            "row": 5,
        }
    ]
    said = capsys.readouterr().err
    assert "labels from" in said and "ignored column 'title'" in said


def test_csv_of_paths_is_its_own_table(folder, tmp_path):
    path = tmp_path / "list.csv"
    rows = "in/2.jpg,1\nin/1.png,0\nin/none.png,1\nin/empty.png,0\nin/1\0.png,1\n"
    path.write_text(f"file,smile\n{rows}", "utf-8")
    data = run(path, tmp_path / "out")
    np.testing.assert_array_equal(data.labels()[:, 0], [0, 1])
    rejected = {one["file"]: one for one in manifest(tmp_path / "out")["rejected"]}
    assert rejected["in/none.png"]["row"] == 4
    assert rejected["in/none.png"]["detail"] == "No such file or directory"
    assert rejected["in/empty.png"]["reason"] == "empty file"
    listed = rejected["list.csv"]
    assert (listed["reason"], listed["row"]) == ("bad row", 6) and "NUL" in listed["detail"]


def test_mislabelled_pictures_are_left_out(tmp_path):
    folder = write_folder(tmp_path / "in", bad=False)
    (folder / "labels.csv").write_text("file,smile\n1.png,1\n1.png,0\n2.jpg,1\n")
    data = run(folder, tmp_path / "out", labels=folder / "labels.csv")
    assert len(data) == len(good_files()) - 1
    [one] = manifest(tmp_path / "out")["rejected"]  # and the table itself is not listed
    assert (one["file"], one["reason"], one["row"]) == ("1.png", "mislabelled", 3)


@pytest.mark.parametrize(
    "name", [name for name, (_, why) in bad_files().items() if why[:3] != "dup"]
)
def test_strict_names_the_first_bad_file_and_writes_nothing(tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0.png").write_bytes(encoded(face(0)))
    (folder / name).write_bytes(bad_files()[name][0])
    with pytest.raises(ValueError, match=f"Received: {name}: "):
        run(folder, tmp_path / "out", strict=True)
    assert os.listdir(tmp_path) == ["in"]


def test_strict_accepts_duplicates_and_looks_at_a_set_that_is_there(folder, tmp_path):
    twins = tmp_path / "twins"
    twins.mkdir()
    for name in "ab":
        (twins / f"{name}.png").write_bytes(encoded(face(0)))
    assert len(run(twins, tmp_path / "out", strict=True)) == 1
    run(folder, tmp_path / "other")
    with pytest.raises(ValueError, match="With strict"):
        run(folder, tmp_path / "other", strict=True)


def test_near_duplicates(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.png").write_bytes(encoded(face(i)))
    (folder / "recompressed.jpg").write_bytes(encoded(face(1), "JPEG", quality=70))
    assert len(run(folder, tmp_path / "all")) == 4
    assert len(run(folder, tmp_path / "out", near_duplicates=True)) == 3
    [one] = manifest(tmp_path / "out")["rejected"]
    assert (one["file"], one["reason"]) == ("recompressed.jpg", "near duplicate")
    assert one["detail"].endswith("from 1.png")


def test_the_same_set_is_not_packed_twice(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = run(folder, out)
    monkeypatch.setattr(pack, "check_picture", None)  # would fail if anything were packed
    assert run(folder, out).sha256 == first.sha256


def test_what_is_in_the_way_is_never_lost(folder, tmp_path):
    out = tmp_path / "out"
    old = run(folder, out, size=16)
    with pytest.raises(ValueError, match="another packed set.*overwrite=True"):
        run(folder, out, size=32)
    assert PackedDataset.open(out).sha256 == old.sha256
    with pytest.raises(ValueError, match="at least one usable"):
        empty = tmp_path / "empty"
        empty.mkdir()
        run(empty, out, overwrite=True)
    assert PackedDataset.open(out).sha256 == old.sha256
    assert run(folder, out, size=32, overwrite=True).width == 32
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("x")
    with pytest.raises(ValueError, match="not a packed set.*another folder"):
        run(folder, mine, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["empty", "in", "mine", "out"]


def test_wrong_arguments(folder, tmp_path):
    out = tmp_path / "out"
    for options, message in (
        ({"mode": "stretch"}, "crop, pad"),
        ({"size": 0}, "size"),
        ({"labels": tmp_path / "none.csv"}, "none.csv"),
    ):
        with pytest.raises(ValueError, match=message):
            run(folder, out, **options)
    run(folder, out)
    with pytest.raises(ValueError, match="must not be packed yet"):
        run(out, tmp_path / "again")
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_order_does_not_depend_on_the_threads(folder, tmp_path, monkeypatch):
    expected = run(folder, tmp_path / "a").sha256
    monkeypatch.setattr(pack, "CHUNK_FILES", 1)
    slow = check.check_picture

    def uneven(data, **options):
        time.sleep(len(data) % 7 / 1000)
        return slow(data, **options)

    monkeypatch.setattr(pack, "check_picture", uneven)
    assert run(folder, tmp_path / "b").sha256 == expected


def test_what_is_read_ahead_is_bounded(tmp_path, monkeypatch):
    read = []

    def reading(name):
        read.append(name)
        return encoded(face(int(name)))

    source = Source([str(i) for i in range(30)], reading)
    monkeypatch.setattr(pack, "CHUNK_FILES", 1)
    monkeypatch.setattr(pack, "AHEAD_BYTES", 1)
    found = pack.checked(source, Labels(None, {}, {}, []), {"height": 8, "width": 8})
    for i, (name, picture) in enumerate(found):
        assert (name, picture.shape) == (str(i), (8, 8, 3))
        assert len(read) <= i + 2
    assert len(read) == 30


def test_few_large_pictures_are_decoded_at_once(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(12):
        (folder / f"{i}.png").write_bytes(encoded(face(i, 100, 100)))
    now, most, lock, fit = 0, 0, threading.Lock(), images.fit

    def slow(*arguments):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return fit(*arguments)

    monkeypatch.setattr(images, "fit", slow)
    monkeypatch.setattr(decode, "_room", decode._Room(2 * 100 * 100))
    monkeypatch.setattr(pack, "CHUNK_FILES", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert len(run(folder, tmp_path / "out")) == 12
    assert most <= 2


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_killed_packing_leaves_no_half_set(folder, tmp_path):
    script = (
        "import sys, time\n"
        "from tfanime.data import writer\n"
        "from tfanime.prepare import pack\n"
        "def hang(self, *arguments, **notes):\n"
        "    self._flush(); print('ready', flush=True); time.sleep(60)\n"
        "writer.Writer.finish = hang\n"
        "pack.pack(sys.argv[1], sys.argv[2], progress=False)\n"
    )
    out = tmp_path / "out"
    command = [sys.executable, "-c", script, str(folder), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    assert len(run(folder, out)) == len(good_files())
