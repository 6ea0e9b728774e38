"""Packed sets in object storage: the same batches as from a local folder, images by ranges."""

import json
import shutil
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import cli
from tfanime.core.labels import Field, LabelSchema
from tfanime.data import PackedDataset, storage, writer
from tfanime.data.shards import Shards
from tfanime.data.storage import AHEAD
from tfanime.training.plan import data_record, own_size

fsspec = pytest.importorskip("fsspec", reason="object storage needs tfanime[storage]")
SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue", "green")), Field("smile", "flag")))


@pytest.fixture
def local(tmp_path, monkeypatch):
    """83 images in five shards, labelled."""
    monkeypatch.setattr(writer, "SHARD_BYTES", 20 * 16 * 16 * 3)
    random = np.random.default_rng(0)
    (tmp_path / "faces").mkdir()
    made = writer.Writer(tmp_path / "faces", 16, 16)
    for _ in range(83):
        made.add(random.integers(0, 256, (16, 16, 3)).astype(np.uint8))
    labels = np.concatenate([np.eye(3)[random.integers(0, 3, 83)], np.ones((83, 1))], axis=1)
    made.finish(labels.astype(np.float32), SCHEMA, labels_from="tags.csv")
    return PackedDataset.open(tmp_path / "faces")


@pytest.fixture
def address(local, monkeypatch, tmp_path):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    copied(local.path)
    yield "memory://bucket/faces"
    memory.store.clear()


def copied(folder: Path) -> None:
    memory = fsspec.filesystem("memory")
    for file in folder.iterdir():
        memory.put_file(str(file), f"/bucket/faces/{file.name}")


def removed(name: str) -> None:
    fsspec.filesystem("memory").rm(f"/bucket/faces/{name}")


def equal(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("start", [0, 7])
def test_the_batches_are_those_of_a_local_set(local, address, start):
    """In the same order to the bit, from any step on, over several epochs and for a worker's part;
    a local set's order does not depend on its shards either."""
    stored = tfanime.load_data(address)
    whole = PackedDataset(Shards([local.images()]), local.labels(), local.schema)
    assert len(local._shards._arrays) == 5
    options = {"batch_size": 32, "seed": 3, "start_step": start, "flip": True, "shard": (1, 2)}
    many = (data.batches(**options) for data in (local, stored, whole))
    for ours, theirs, third in islice(zip(*many, strict=True), 9):
        assert equal(ours, theirs) and equal(ours, third)
    resumed = stored.batches(**options | {"start_step": start + 9})
    assert equal(next(resumed), next(local.batches(**options | {"start_step": start + 9})))


def test_it_is_the_same_set(local, address):
    stored = tfanime.load_data(address)
    assert (stored.sha256, stored.count, stored.schema) == (local.sha256, 83, local.schema)
    assert stored.labels_from == "tags.csv" and data_record(stored) == data_record(local)
    assert own_size(address) == (16, 16)
    rows = np.array([82, 3, 4, 5, 20, 19, 3, 40])  # neighbours, over shards, and one twice
    np.testing.assert_array_equal(stored.images(rows), local.images(rows))
    np.testing.assert_array_equal(stored.images(), local.images())
    assert stored.images([]).shape == (0, 16, 16, 3)
    ours, theirs = (data.split(0.2, seed=1)[1] for data in (local, stored))
    np.testing.assert_array_equal(ours.images(), theirs.images())
    assert ours.sha256 == theirs.sha256
    ours, theirs = (next(iter(data.tf_dataset(8, seed=1))) for data in (local, stored))
    np.testing.assert_array_equal(ours["images"], theirs["images"])


def test_images_stay_where_they_are(address, tmp_path, monkeypatch):
    """In the cache is what is small, once a version of the set; what is read is asked for."""
    stored = tfanime.load_data(address)
    assert stored.path.parent == tmp_path / "cache"
    assert sorted(f.name for f in stored.path.iterdir()) == ["dataset.json", "labels.npy"]
    asked = []
    memory, cat = stored._shards._storage, stored._shards._storage.cat_ranges

    def counting(files, starts, ends, **options):
        asked.append(sum(ends) - sum(starts))
        return cat(files, starts, ends, **options)

    monkeypatch.setattr(memory, "cat_ranges", counting)
    stored.images([3, 4, 50])
    assert asked == [3 * 16 * 16 * 3]
    monkeypatch.setattr(memory, "get_file", None)
    assert tfanime.load_data(address).path == stored.path  # not fetched again


def test_reading_ahead_ends(address):
    """Some batches are read ahead; whoever takes no more of them waits for none."""
    stored = tfanime.load_data(address)
    read, given = [], []
    stored._shards.read = lambda rows: read.append(rows)
    batches = stored.stream(np.arange(2) for _ in range(100))
    given = [next(batches) for _ in range(3)]
    batches.close()
    assert len(given) == 3 and len(read) <= 3 + AHEAD + 1


def test_another_version_of_the_set(local, address, monkeypatch):
    first = tfanime.load_data(address)
    manifest = json.loads((local.path / "dataset.json").read_text())
    (local.path / "dataset.json").write_text(json.dumps(manifest | {"labels_from": "x"}))
    copied(local.path)
    second = tfanime.load_data(address)
    assert second.path != first.path and second.labels_from == "x"


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda: removed("images-00003.npy"), "'/bucket/faces/images-00003.npy' is not at"),
        (lambda: removed("dataset.json"), "folder with a dataset.json. Received: 'memory://bucket"),
        (lambda: piped("images-00001.npy", b"\x93NUMPY"), "images-00001.npy' must be"),
        (lambda: piped("images-00001.npy", 128 * b"x"), "images-00001.npy' must be"),
        (lambda: cut("images-00001.npy"), r"must be .20, 16, 16, 3. uint8. Received: .* bytes"),
        (lambda: piped("dataset.json", b"{}"), "folder with a dataset.json"),
        (lambda: texts("../../evil"), "folder with a dataset.json"),
    ],
)
def test_damage_is_found_when_it_is_opened(address, harm, message):
    harm()
    with pytest.raises(ValueError, match=message) as caught:
        tfanime.load_data(address)
    assert "\n" not in str(caught.value)


def piped(name: str, content: bytes) -> None:
    fsspec.filesystem("memory").pipe_file(f"/bucket/faces/{name}", content)


def cut(name: str) -> None:
    piped(name, fsspec.filesystem("memory").cat_file(f"/bucket/faces/{name}")[:-1])


def texts(name: str) -> None:
    manifest = json.loads(fsspec.filesystem("memory").cat_file("/bucket/faces/dataset.json"))
    piped("dataset.json", json.dumps(manifest | {"texts": [name]}).encode())


def test_a_storage_that_fails_is_named(address, monkeypatch):
    stored = tfanime.load_data(address)
    removed("images-00002.npy")
    with pytest.raises(OSError, match="storage did not give .*memory://bucket/faces") as caught:
        list(islice(stored.batches(32), 3))
    assert "\n" not in str(caught.value)
    gone = PermissionError("not yours\nat all")
    monkeypatch.setattr(stored._shards._storage, "cat_ranges", lambda *a, **k: [gone])
    with pytest.raises(OSError, match=r"PermissionError: not yours\)"):
        stored.images([0, 1, 2, 3])
    monkeypatch.setattr(stored._shards._storage, "cat_ranges", lambda *a, **k: [b"short"])
    with pytest.raises(OSError, match="3072 bytes were asked for, 5 came"):
        stored.images([0, 1, 2, 3])


def test_wrong_addresses(monkeypatch, address):
    with pytest.raises(ValueError, match="scheme that fsspec knows"):
        tfanime.load_data("nothing://x")
    with pytest.raises(ValueError, match="holds images of 16x16"):
        tfanime.load_data(address, size=32)
    with pytest.raises(ValueError, match="Labels are packed together"):
        tfanime.load_data(address, labels="x.csv")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[storage\]'"):
        tfanime.load_data(address)


def test_s3_has_a_connection_for_each_image():
    assert storage._options("s3://a/b", {}) == {"config_kwargs": {"max_pool_connections": 128}}
    assert storage._options("s3://a/b", {"s3": {"config_kwargs": {}}}) == {}  # the user's own
    assert storage._options("gs://a/b", {}) == {}


@pytest.mark.slow
def test_training_goes_on_with_a_copy(local, address, tmp_path, eager):
    """A run that was begun on a folder goes on, bit for bit, on a copy in object storage."""
    options = {"size": None, "batch_size": 4, "sample_every": 10, "checkpoint_every": 2}
    options |= {"tensorboard": False, "progress": False, "image_size": (16, 16)}
    options |= {"generator": {"name": "dcgan", "channels": 8}}
    options |= {"discriminator": {"name": "dcgan", "channels": 8}}
    tfanime.train("dcgan", local, out=tmp_path / "a", steps=2, **options)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for data, out in ((local, "a"), (address, "b")):
        tfanime.train("dcgan", data, out=tmp_path / out, steps=4, **options)
    ours, theirs = (
        np.load(next((tmp_path / out / "checkpoints").glob("step-*4")) / "state.npz")
        for out in ("a", "b")
    )
    assert ours.files == theirs.files and len(ours.files) > 10
    for name in ours.files:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_the_command_line_takes_an_address(address, tmp_path):
    words = ["train", "dcgan", "--size", "16", "--steps", "1", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(cli.main, [*words, "--batch", "4", "--dry-run", "--data", address])
    assert done.exit_code == 0, done.stderr
    done = CliRunner().invoke(cli.main, [*words, "--dry-run", "--data", "memory://bucket/none"])
    assert done.exit_code == 2 and "Traceback" not in done.stderr
    assert "Received: 'memory://bucket/none'" in done.stderr
