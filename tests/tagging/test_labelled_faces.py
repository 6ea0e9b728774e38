"""Which faces a tagger is trained on, and what is known about them."""

import numpy as np
import pytest
from PIL import Image

import tfanime
from tfanime.core.labels import FACES, Field, LabelSchema
from tfanime.tagging.faces import (
    PARTS,
    Faces,
    in_schema,
    pooled,
    repeats,
    shares,
    split,
    targets_of,
)

COLUMN = FACES.columns.index


def noisy(count, seed=0):
    """Images that share nothing."""
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)


def faces(count, name="set", seed=0, keys=None):
    labels = np.zeros((count, FACES.size), np.float32)
    keys = keys or tuple(f"{i}.png" for i in range(count))
    return Faces(name, noisy(count, seed), labels, keys, "")


def test_the_shares_of_the_parts():
    (parts,) = split([faces(1000)])
    counts = np.bincount(parts, minlength=3)
    # 700, 150 and 150 but for chance: three standard deviations are 44 and 34.
    assert abs(counts[0] - 700) < 44 and abs(counts[1] - 150) < 34 and abs(counts[2] - 150) < 34


def test_a_face_stays_where_it_is_when_sets_are_added():
    (alone,) = split([faces(200)])
    beside, _ = split([faces(200), faces(300, "other", seed=1)])
    np.testing.assert_array_equal(alone, beside)


def test_equal_keys_and_near_duplicates_are_on_one_side():
    first = faces(300, keys=tuple(f"character {i % 60}" for i in range(300)))
    # Every face of the second set is one of the first's, a little brighter.
    brighter = np.clip(first.images.astype(int) + 3, 0, 255).astype(np.uint8)
    second = Faces("again", brighter, first.labels, tuple(map(str, range(300))), "")
    parts, again = split([first, second])
    for i in range(60):
        assert len({*parts[i::60], *again[i::60]}) == 1
    assert set(parts) == {0, 1, 2}


def test_pooled_takes_one_part_of_every_set():
    sets = [faces(40), faces(30, "other", seed=1)]
    parts = split(sets)
    images = [pooled(sets, parts, part)[0] for part in PARTS]
    assert sum(map(len, images)) == 70
    wanted = np.concatenate([s.images[p == 2] for s, p in zip(sets, parts, strict=True)])
    np.testing.assert_array_equal(images[2], wanted)
    assert len(pooled(sets[:1], parts, "train")[0]) == (parts[0] == 0).sum()


def test_labels_of_another_schema():
    schema = LabelSchema(
        (
            Field("hair", "group", ("pink", "plaid")),
            Field("male", "flag"),
            Field("series", "group", ("a", "b")),
        )
    )
    rows = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 0, 1], [np.nan, np.nan, np.nan, 1, 0]], np.float32)
    found = in_schema(rows, schema)
    hair = FACES.slices()["hair"]
    assert found[0, COLUMN("pink_hair")] == 1 and found[0, hair].sum() == 1
    assert np.isnan(found[1, hair]).all() and np.isnan(found[2, hair]).all()
    np.testing.assert_array_equal(found[:, COLUMN("male")], [1, 0, np.nan])
    assert np.isnan(found[:, COLUMN("smile")]).all()


def test_a_flag_that_is_a_group_elsewhere_is_refused():
    schema = LabelSchema((Field("smile", "group", ("wide", "thin")),))
    with pytest.raises(ValueError, match="'smile' is a flag. Received: a group."):
        in_schema(np.zeros((1, 2), np.float32), schema)


def test_what_is_not_known_is_no_target():
    assert targets_of(np.array([[1, 0, np.nan]])).tolist() == [[1, 0, -1]]


def test_rare_flags_are_shown_more_often():
    labels = np.zeros((1000, FACES.size), np.float32)
    labels[:, COLUMN("smile")] = np.arange(1000) % 2
    labels[:25, COLUMN("hat")] = 1  # 2.5 %: a quarter of 10 %
    labels[:1, COLUMN("drill_hair")] = 1
    times = repeats(labels)
    assert times[0] == 4 and set(times[1:25]) == {2} and set(times[25:]) == {1}
    assert shares(labels)["hat"] == 0.025


@pytest.fixture
def packed(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    rows = ["file,smile,who"]
    for i, image in enumerate(noisy(6)):
        Image.fromarray(image).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{i % 2},{'ame' if i < 3 else 'ina'}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    out = tmp_path / "packed"
    tfanime.pack(folder, out, size=32, labels=tmp_path / "labels.csv", progress=False)
    return out


def test_a_packed_set_is_read(packed):
    found = Faces.read(packed, 16)
    assert found.images.shape == (6, 16, 16, 3) and found.name == "packed"
    np.testing.assert_array_equal(found.labels[:, COLUMN("smile")], [0, 1] * 3)
    assert found.keys == tuple(f"{i}.png" for i in range(6))
    assert len(set(Faces.read(packed, group="who").keys)) == 2


def test_a_set_without_labels_is_refused(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    Image.fromarray(noisy(1)[0]).save(folder / "0.png")
    tfanime.pack(folder, tmp_path / "packed", size=32, progress=False)
    with pytest.raises(ValueError, match="labelled faces. Received: .*packed"):
        Faces.read(tmp_path / "packed")
