"""A disk that is full, read-only or broken is named as such, wherever it is met."""

import errno
import os
import sqlite3
import zipfile
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from painter import Painter

import tfanime
from tfanime import recipes
from tfanime.cli.group import Verbs
from tfanime.core import bounds, decode, disk, files
from tfanime.core.files import atomic_folder, atomic_path, save_array, save_arrays
from tfanime.data import writer
from tfanime.frozen import load_frozen
from tfanime.prepare import sources, table
from tfanime.sampling.generate import generate
from tfanime.sampling.generated import WAITING, ImageFolder
from tfanime.sampling.sampler import CHUNK
from tfanime.training.build import build_gan

full_device = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
SAID = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "quota",
    errno.EROFS: "read-only",
    errno.EIO: "input/output error",
}


def refusing(number, message=None):
    def refuse(*arguments, **options):
        raise OSError(number, message or os.strerror(number))

    return refuse


@pytest.mark.parametrize("number", SAID)
@pytest.mark.parametrize("moment", ["writing", "closing"])
def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch, number, moment):
    if moment == "closing":  # network disks say it when the file is written back
        monkeypatch.setattr(files.os, "fsync", refusing(number))
    refuse = refusing(number) if moment == "writing" else lambda: None
    caught = pytest.raises(disk.DiskError, match=SAID[number])
    with caught as found, atomic_path(tmp_path / "a.json") as temporary:
        temporary.write_text("{")
        refuse()
    assert found.value.errno == number and str(tmp_path / "a.json") in str(found.value)
    caught = pytest.raises(disk.DiskError, match=SAID[number])
    with caught, atomic_folder(tmp_path / "b") as folder:
        (folder / "half").write_text("half")
        refuse()
    assert os.listdir(tmp_path) == []


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a"):
        (tmp_path / "none").read_text()
    with pytest.raises(ValueError, match="^mine$"), atomic_folder(tmp_path / "b"):
        raise ValueError("mine")


@pytest.mark.parametrize(
    ("error", "number"),
    [
        # HDF5, TensorFlow and SQLite.
        (OSError("Unable to write (errno = 28, error message = 'No space left on device')"), 28),
        (RuntimeError("ResourceExhausted: /x/variables; No space left on device"), 28),
        (sqlite3.OperationalError("database or disk is full"), errno.ENOSPC),
        (OSError("Invalid data stream"), None),
        (ValueError("damaged"), None),
    ],
)
def test_libraries_say_it_in_words(error, number):
    assert disk.trouble(error) == number
    other = RuntimeError("could not be saved")
    other.__cause__ = error
    assert disk.trouble(other) == number


@full_device
def test_arrays_say_why_they_cannot_be_written():
    big = np.zeros(10**6, np.uint8)  # more than any buffer
    for save, value in ((save_array, big), (save_arrays, {"a": big, "b": big})):
        with pytest.raises(OSError) as caught:
            save("/dev/full", value)
        assert disk.trouble(caught.value) == errno.ENOSPC


def test_the_place_is_the_one_that_was_asked_for(tmp_path):
    """Neither the temporary name inside, nor what closing a full file says afterwards."""
    with pytest.raises(disk.DiskError, match="step-7' is full"), atomic_folder(tmp_path / "step-7"):
        raise disk.DiskError(errno.ENOSPC, tmp_path / ".step-7~1~me~abcdefgh" / "meta.json")
    with pytest.raises(disk.DiskError, match="'/small' is full"), disk.checked(tmp_path):
        try:
            raise disk.DiskError(errno.ENOSPC, "/small")
        finally:
            refusing(errno.ENOSPC)()


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_arrays_are_numpys(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3).T, "gan/0000": np.array(7), "u": np.array("é")}
    for compressed in (False, True):
        save_arrays(tmp_path / "a.npz", arrays, compressed)
        with np.load(tmp_path / "a.npz") as found:
            assert found.files == list(arrays)
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array)
    save_array(tmp_path / "a.npy", arrays["a"])
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), arrays["a"])


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("disk I/O error")],
)
def test_the_command_line_says_it_in_one_sentence(error):
    group = Verbs(params=[click.Option(["--debug"], is_flag=True)])

    @group.command()
    def save():
        raise error

    done = CliRunner().invoke(group, ["save"])
    assert done.exit_code == 1 and done.stderr.startswith("Error: The disk of ")
    assert len(done.stderr.splitlines()) == 1


# ---- packing -----------------------------------------------------------------------------------


def pictures(folder, count=12):
    faces = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
    for i, face in enumerate(faces):
        tfanime.core.images.save_image(folder / "in" / f"{i}.png", face)
    return folder / "in"


@pytest.mark.parametrize("where", ["shards", "manifest"])
def test_packing_leaves_nothing_when_the_disk_is_full(tmp_path, monkeypatch, where):
    source = pictures(tmp_path)
    before = sorted(os.listdir(tmp_path))
    name = {"shards": "save_array", "manifest": "write_json"}[where]
    monkeypatch.setattr(writer, name, refusing(errno.ENOSPC))
    with pytest.raises(disk.DiskError, match="is full"):
        tfanime.pack(source, tmp_path / "out", size=16, progress=False)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_source_that_cannot_be_read_is_no_bad_picture(tmp_path, monkeypatch):
    source = pictures(tmp_path)
    monkeypatch.setattr(sources.Path, "read_bytes", refusing(errno.EIO))
    with pytest.raises(disk.DiskError, match=r"input/output error"):
        tfanime.pack(source, tmp_path / "out", size=16, progress=False)
    assert not (tmp_path / "out").exists()


def test_drawing_to_a_full_disk(tmp_path, monkeypatch):
    folder = ImageFolder(tmp_path / "out")
    picture = np.zeros((8, 8, 3), np.uint8)
    folder.add(picture, 1, 0, 1.0, {})
    folder.write_index()
    monkeypatch.setattr(files.os, "fsync", refusing(errno.EDQUOT))
    folder.add(picture, 1, 1, 1.0, {})
    with pytest.raises(disk.DiskError, match="quota"):
        folder.write_index()
    assert sorted(os.listdir(tmp_path / "out")) == ["generated.json", "seed1_000000.png"]


def test_two_that_draw_into_a_folder_list_the_images_of_both(tmp_path):
    one, other = ImageFolder(tmp_path), ImageFolder(tmp_path)
    for seed, folder in ((1, one), (2, other)):
        folder.add(np.zeros((8, 8, 3), np.uint8), seed, 0, 1.0, {})
    one.write_index()
    other.write_index()
    listed = files.read_json(tmp_path / "generated.json")["pictures"]
    assert set(listed) == {"seed1_000000.png", "seed2_000000.png"}


def test_what_cannot_be_written_is_told_though_the_index_can(tmp_path):
    folder = ImageFolder(tmp_path)
    (tmp_path / "seed1_000001.png").mkdir()
    for index in range(3):
        folder.add(np.zeros((8, 8, 3), np.uint8), 1, index, 1.0, {})
    with pytest.raises(OSError):
        folder.write_index()
    listed = files.read_json(tmp_path / "generated.json")["pictures"]
    assert set(listed) == {"seed1_000000.png", "seed1_000002.png"}


def test_drawing_to_a_full_disk_ends_soon(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", refusing(errno.ENOSPC))
    painter = Painter()
    with pytest.raises(disk.DiskError):
        generate(painter, n=1000, out=tmp_path)
    assert len(painter.batches) * CHUNK <= WAITING + 2 * CHUNK


def test_an_earlier_set_survives_a_kill_between_two_renames(tmp_path):
    """The old set had been put aside, and the new one was not in place yet."""
    source = pictures(tmp_path)
    tfanime.pack(source, tmp_path / "out", size=16, progress=False)
    gone = files.temporary_prefix("out-old").replace(str(os.getpid()), "999999999")
    aside = tmp_path / f"{gone}abcdefgh"
    aside.mkdir()
    (tmp_path / "out").rename(aside / "out")
    tfanime.pack(source, tmp_path / "out", size=8, overwrite=True, progress=False)
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(bounds.read_arrays, id="arrays"),
        pytest.param(bounds.load_network, id="network"),
        pytest.param(decode.read_image, id="picture"),
        pytest.param(table.read_table, id="table"),
        pytest.param(lambda path: load_frozen(str(path), 32, 32), id="frozen network"),
        pytest.param(
            lambda path: build_gan(recipes.get("srgan").override(feature_model=str(path))),
            id="feature model",
        ),
    ],
)
def test_what_a_broken_disk_holds_is_not_damaged(tmp_path, monkeypatch, read):
    path = tmp_path / "a.keras"
    path.write_bytes(b"whatever")
    recipes.get("srgan")  # reads files of packages, which is done once
    for module, name in ((zipfile, "ZipFile"), (Path, "read_bytes"), (Path, "open")):
        monkeypatch.setattr(module, name, refusing(errno.EIO))
    with pytest.raises(disk.DiskError, match="input/output error") as caught:
        read(path)
    assert str(path) in str(caught.value)
