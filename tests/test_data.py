import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfanime.core import images
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema, to_signed
from tfanime.data import MOST_REPEATS, PackedDataset, from_arrays, repeats
from tfanime.drawn.faces import draw_faces
from tfanime.drawn.render import render
from tfanime.prepare.load import load_data
from tfanime.prepare.pack import pack

nan = np.nan
SCHEMA = LabelSchema((Field("hair", "group", ("blue", "red", "pink")), Field("smile", "flag")))


def numbered(count=23, size=4):
    """Picture i is filled with i, but for its left column of 200, so mirroring shows."""
    pictures = np.empty((count, size, size, 3), np.uint8)
    pictures[:] = np.arange(count)[:, None, None, None]
    pictures[:, :, 0] = 200
    return pictures


def labelled(count=23):
    labels = np.zeros((count, 4), np.float32)
    labels[np.arange(count), np.arange(count) % 2] = 1  # never pink
    labels[:, 3] = np.arange(count) % 4 == 0
    labels[5] = nan
    return from_arrays(numbered(count), labels, SCHEMA)


def shown(batches, steps):
    """Which pictures `steps` batches show."""
    return np.concatenate([b["images"][:, 0, 1, 0] for b in itertools.islice(batches, steps)])


def test_by_index():
    data = labelled()
    assert len(data) == data.count == 23 and (data.height, data.width) == (4, 4)
    np.testing.assert_array_equal(data.images([22, 3, 3])[:, 0, 1, 0], [22, 3, 3])
    np.testing.assert_array_equal(data.images(slice(2, 4))[:, 0, 1, 0], [2, 3])
    np.testing.assert_array_equal(data.labels([4, 5]), [[1, 0, 0, 1], [nan] * 4])
    assert data.images().shape == (23, 4, 4, 3) and data.labels().dtype == np.float32
    assert from_arrays(numbered()).labels([1, 2]).shape == (2, 0)
    assert "hair, smile" in repr(data) and "in memory" in repr(data)
    data.images()[:] = 0  # a copy
    assert data.images([3])[0, 0, 1, 0] == 3


def test_every_epoch_shows_every_picture_once_with_no_short_batch():
    data = from_arrays(numbered(23))
    seen = shown(data.batches(5, seed=3), 23)  # 115 pictures: five epochs
    epochs = seen.reshape(5, 23)
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch), np.arange(23))
    assert len({tuple(epoch) for epoch in epochs}) == 5  # each in another order
    # A batch may hold more than the whole set.
    seen = shown(data.batches(60, seed=3), 1)
    np.testing.assert_array_equal(seen, epochs.ravel()[:60])


def test_batches_are_a_pure_function_of_seed_and_step():
    data = labelled()
    options = {"seed": 5, "flip": True}
    whole = list(itertools.islice(data.batches(8, **options), 12))
    for start in (0, 1, 7, 11):
        resumed = next(data.batches(8, start_step=start, **options))
        assert resumed.keys() == {"images", "labels", "condition"}
        for key, value in resumed.items():
            np.testing.assert_array_equal(value, whole[start][key])
    other = next(data.batches(8, seed=6))
    assert (other["images"] != whole[0]["images"]).any()
    assert (next(data.batches(8, seed=2**53 - 1))["images"]).shape == (8, 4, 4, 3)


def test_known_order():
    """Pinned: a changed order would break the resuming of every saved run."""
    order = np.random.Generator(np.random.Philox(key=[7, 0])).permutation(23)
    np.testing.assert_array_equal(shown(from_arrays(numbered()).batches(23, seed=7), 1), order)


def test_shards_of_a_batch_make_the_batch():
    data = labelled()
    options = {"batch_size": 8, "seed": 1, "flip": True, "prior": "training"}
    whole = next(data.batches(**options, start_step=4))
    parts = [next(data.batches(**options, start_step=4, shard=(i, 4))) for i in range(4)]
    for key, value in whole.items():
        np.testing.assert_array_equal(np.concatenate([part[key] for part in parts]), value)


def test_a_shard_has_its_rows_of_every_part():
    """Two critic steps see 4 pictures each: of both, worker 1 of 2 gets the last two."""
    data = labelled()
    whole = next(data.batches(8, seed=1, flip=True))
    part = next(data.batches(8, seed=1, flip=True, shard=(1, 2), parts=2))
    for key, value in whole.items():
        np.testing.assert_array_equal(part[key], value[[2, 3, 6, 7]])


def test_flip_mirrors_about_half():
    data = from_arrays(numbered())
    pictures = next(data.batches(400, flip=True))["images"]
    mirrored = pictures[:, 0, 0, 0] != 200
    np.testing.assert_array_equal(pictures[mirrored][:, :, -1], 200)
    np.testing.assert_array_equal(pictures[~mirrored][:, :, 0], 200)
    assert 150 < mirrored.sum() < 250
    assert (next(data.batches(400))["images"][:, :, 0] == 200).all()


def test_labels_and_conditions():
    data = labelled()
    batch = next(data.batches(2300, seed=2))
    rows = batch["images"][:, 0, 1, 0].astype(int)
    np.testing.assert_array_equal(batch["labels"], to_signed(data.labels(rows)))
    assert (batch["labels"][rows == 5] == 0).all()
    known = rows != 5
    np.testing.assert_array_equal(batch["condition"][known], batch["labels"][known])
    filled = batch["condition"][~known]  # 100 rows, drawn from what is usual
    assert set(np.unique(filled)) == {-1, 1} and (filled[:, 2] == -1).all()
    assert ((filled[:, :3] == 1).sum(axis=1) == 1).all()
    drawn = next(data.batches(2300, prior="training"))["condition"]
    np.testing.assert_allclose((drawn == 1).mean(axis=0), [1 / 3] * 3 + [0.25], atol=0.04)
    drawn = next(data.batches(2300, prior="empirical"))["condition"]
    np.testing.assert_allclose((drawn == 1).mean(axis=0), [12 / 22, 10 / 22, 0, 6 / 22], atol=0.04)
    assert drawn.dtype == batch["labels"].dtype == np.float32
    assert set(next(from_arrays(numbered()).batches(2))) == {"images"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size >= 1"),
        ({"batch_size": 4, "start_step": -1}, "start_step >= 0"),
        ({"batch_size": 4, "seed": -1}, "A seed is"),
        ({"batch_size": 4, "seed": 2**53}, "A seed is"),
        ({"batch_size": 4, "prior": "uniform"}, "prior is None"),
        ({"batch_size": 4, "shard": (0, 3)}, "n divides the batch size"),
        ({"batch_size": 4, "shard": (2, 2)}, "0 <= i < n"),
    ],
)
def test_wrong_arguments_fail_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(numbered()).batches(**options)
    with pytest.raises(ValueError, match=message):
        from_arrays(numbered()).tf_dataset(**options)


def test_split():
    data = labelled()
    train, held = data.split(0.2, seed=1)
    assert (len(train), len(held)) == (18, 5)
    together = np.concatenate([train.images(), held.images()])[:, 0, 1, 0]
    np.testing.assert_array_equal(np.sort(together), np.arange(23))
    numbers = held.images()[:, 0, 1, 0].astype(int)
    np.testing.assert_array_equal(held.labels(), data.labels(numbers))
    np.testing.assert_array_equal(np.sort(shown(held.batches(5), 1)), np.sort(numbers))
    again = data.split(0.2, seed=1)[1]
    assert held.sha256 == again.sha256 and len({train.sha256, held.sha256, data.sha256}) == 3
    inner, _ = train.split(0.5)
    assert set(inner.images()[:, 0, 1, 0]) <= set(train.images()[:, 0, 1, 0])
    for share in (0, 1, 1.5):
        with pytest.raises(ValueError, match="0 < held_out < 1"):
            data.split(share)


def test_from_arrays_checks():
    with pytest.raises(ValueError, match="uint8"):
        from_arrays(numbered().astype(np.float32))
    with pytest.raises(ValueError, match="come together"):
        from_arrays(numbered(), np.zeros((23, 4)))
    with pytest.raises(ValueError, match=r"23 x 4. Received: \(3, 4\)"):
        from_arrays(numbered(), np.zeros((3, 4)), SCHEMA)
    # The same set has the same sum on disk and in memory: see test_load_data.


# ---- tf.data -----------------------------------------------------------------------------------


def test_tf_dataset_gives_the_same_batches_as_floats():
    data = labelled()
    options = {"batch_size": 6, "seed": 4, "start_step": 3, "flip": True, "shard": (1, 2)}
    dataset = data.tf_dataset(**options)
    assert dataset.element_spec["images"].shape == (3, 4, 4, 3)
    for _ in range(2):  # iterating again starts again
        expected = data.batches(**options)
        for batch, real in zip(dataset.take(9), expected, strict=False):
            np.testing.assert_array_equal(batch["images"], images.to_float(real["images"]))
            np.testing.assert_array_equal(batch["labels"], real["labels"])
            np.testing.assert_array_equal(batch["condition"], real["condition"])
    assert set(from_arrays(numbered()).tf_dataset(2).element_spec) == {"images"}


def test_a_program_with_an_open_iterator_ends():
    """Without the care taken in data.py this hangs in about half of all runs."""
    script = (
        "import tests.quick_start\n"
        "import numpy as np\n"
        "from tfanime.data import from_arrays\n"
        "data = from_arrays(np.zeros((500, 64, 64, 3), np.uint8))\n"
        "iterator = iter(data.tf_dataset(64, flip=True))\n"
        "for _ in range(5): next(iterator)\n"
        "raise SystemExit(3)\n"
    )
    root, command = Path(__file__).parents[1], [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=root, timeout=120, capture_output=True)
    assert done.returncode == 3, done.stderr.decode()


# ---- files -------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    for i, picture in enumerate(
        np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)
    ):
        Image.fromarray(picture).save(folder / f"{i}.png")
    (tmp_path / "tags.csv").write_text("file,smile\n" + "".join(f"{i},{i % 2}\n" for i in range(6)))
    return folder


def test_load_data(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    data = load_data(pictures, labels=tmp_path / "tags.csv", progress=False)
    assert (len(data), data.height) == (6, 64)
    assert data.path.parent == tmp_path / "cache" and "(once)" in capsys.readouterr().err
    again = load_data(str(pictures), 64, labels=tmp_path / "tags.csv")
    assert again.path == data.path and capsys.readouterr().err == ""
    assert from_arrays(data.images(), data.labels(), data.schema).sha256 == data.sha256
    small = load_data(pictures, size="8x16", cache=tmp_path / "other", progress=False)
    assert (small.height, small.width) == (16, 8) and small.schema is None
    (pictures / "6.png").write_bytes((pictures / "5.png").read_bytes()[:-10])
    changed = load_data(pictures, labels=tmp_path / "tags.csv", progress=False)
    assert changed.path != data.path


def test_load_data_of_a_packed_folder(pictures, tmp_path):
    pack(pictures, tmp_path / "out", size=32, progress=False)
    assert load_data(tmp_path / "out").height == 32
    assert load_data(tmp_path / "out", size=32).height == 32
    with pytest.raises(ValueError, match="images of 32x32. Received: size 64"):
        load_data(tmp_path / "out", size=64)
    with pytest.raises(ValueError, match="Labels are packed together"):
        load_data(tmp_path / "out", labels="tags.csv")
    with pytest.raises(ValueError, match="must exist"):
        load_data(tmp_path / "none")


def test_damaged_sets_are_recognised(pictures, tmp_path):
    out = tmp_path / "out"
    pack(pictures, out, size=8, labels=tmp_path / "tags.csv", progress=False)
    for name in ("images-00000.npy", "labels.npy"):
        whole = (out / name).read_bytes()
        (out / name).write_bytes(whole[:-50])
        with pytest.raises(ValueError, match=f"{name}.*Pack it again"):
            PackedDataset.open(out)
        np.save(out / name, np.zeros(3))
        with pytest.raises(ValueError, match=f"{name}.*Pack it again"):
            PackedDataset.open(out)
        (out / name).write_bytes(whole)
    (out / "dataset.json").write_text("{}")
    with pytest.raises(ValueError, match="dataset.json of version 1"):
        PackedDataset.open(out)


def test_drawn(tmp_path):
    data = load_data("drawn", size=16, count=70, cache=tmp_path, progress=False)
    expected, labels = draw_faces(70, size=16)
    np.testing.assert_array_equal(data.images(), expected)
    np.testing.assert_array_equal(data.labels(), labels)
    assert data.schema.columns == MAKEGIRLSMOE.columns
    assert load_data("drawn", size=16, count=70, cache=tmp_path).path == data.path
    for options in ({"size": "16x24"}, {"labels": "a.csv"}, {"count": 0}):
        with pytest.raises(ValueError, match="drawn"):
            load_data("drawn", cache=tmp_path, **options)


def test_a_failing_worker_is_reported(tmp_path):
    with pytest.raises(RuntimeError, match="Drawing faces failed(.|\n)*size"):
        render(tmp_path / "out", 4, size=1, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_balanced_view_repeats_pictures_with_rare_labels_and_keeps_their_frequencies():
    schema = LabelSchema((Field("hair", "group", ("red", "blue")), Field("hat", "flag")))
    labels = np.zeros((100, 3), np.float32)
    labels[:, 0] = 1
    labels[:2] = [0, 1, 1]  # two of a hundred are blue and wear a hat
    labels[2] = np.nan
    images = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), np.uint8)
    data = from_arrays(images, labels, schema)
    view = data.balanced(0.1)
    times = np.bincount(view.images()[:, 0, 0, 0], minlength=100)
    # 98 others once; x of the rare with x / (98 + x) = 0.1, that is 10.9.
    assert (times[2:] == 1).all() and times[:2].sum() in (10, 11)
    assert view.schema == data.schema and view.sha256 == data.sha256
    seen = sum(
        int(b["labels"][0, 2] == 1) for _, b in zip(range(len(view)), view.batches(1), strict=False)
    )
    assert seen == times[:2].sum()
    with pytest.raises(ValueError, match=r"share between 0 and 1\. Received: 1"):
        data.balanced(1)
    with pytest.raises(ValueError, match="no labels"):
        from_arrays(images).balanced(0.1)


def test_repeats_end_at_a_limit():
    schema = LabelSchema((Field("hat", "flag"),))
    labels = np.zeros((1000, 1), np.float32)
    labels[0] = 1
    assert repeats(labels, schema, 0.4).tolist() == [MOST_REPEATS] + [1] * 999
