"""Crops that are no squares: where they lie, and the labels that come along."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from tfanime.data import PackedDataset
from tfanime.prepare.detect import Box
from tfanime.prepare.faces import crop_faces
from tfanime.prepare.pack import pack


def gradient(width, height):
    """Red counts columns, green rows."""
    rows, columns = np.indices((height, width))
    return np.stack([columns, rows, rows * 0], -1).astype(np.uint8)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(gradient(100, 150)).save(folder / name)
    return folder


def crop(source, out, box, **options):
    options = {"smallest": 1, "progress": False} | options
    return crop_faces(source, out, detector=lambda grey: [box], **options)


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("shape", ["2x3", "64x96", (3, 2)])
def test_the_middle_of_the_face_is_where_it_is_asked_for(source, tmp_path, shape):
    # A box of 20 with its middle at (50, 70): 40 wide, 60 high, 0.25 of it above the middle.
    crop(source, tmp_path / "out", Box(40, 60, 20, 9), zoom=2, shape=shape, middle=0.25)
    row = rows_of(tmp_path / "out" / "crops.csv")[0]
    found = [int(row[name]) for name in ("left", "top", "side", "height", "box")]
    assert found == [30, 55, 40, 60, 20]
    pixels = np.asarray(Image.open(tmp_path / "out" / "crops" / f"{row['crop']}.png"))
    np.testing.assert_array_equal(pixels, gradient(100, 150)[55:115, 30:70])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(0, 0, 20, 9), (0, 0, 40, 60)),  # moved down and to the right
        (Box(80, 130, 20, 9), (60, 90, 40, 60)),
        (Box(10, 30, 60, 9), (0, 0, 100, 150)),  # 120 x 180 do not fit: all of the image
    ],
)
def test_shifted_crops_keep_their_shape(source, tmp_path, box, expected):
    crop(source, tmp_path / "out", box, zoom=2, shape="2x3", border="shift")
    row = rows_of(tmp_path / "out" / "crops.csv")[0]
    assert tuple(int(row[name]) for name in ("left", "top", "side", "height")) == expected


def test_a_crop_made_smaller_stays_around_its_face(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.fromarray(gradient(200, 60)).save(folder / "wide.png")
    # 120 x 120 do not fit into 200 x 60: 60 x 60 around the middle at 130.
    crop(folder, tmp_path / "out", Box(100, 0, 60, 9), zoom=2, border="shift")
    row = rows_of(tmp_path / "out" / "crops.csv")[0]
    assert (row["left"], row["top"], row["side"]) == ("100", "0", "60")


def test_crops_have_the_labels_of_their_images(source, tmp_path, capsys):
    table = tmp_path / "genres.csv"
    table.write_text("file,medium,horror\na.png,manga,1\nelse.png,anime,0\n")
    out = tmp_path / "out"
    done = crop(source, out, Box(40, 60, 20, 9), zoom=2, shape="2x3", labels=table)
    assert done.count == 2
    of = {row["source"]: row["crop"] for row in rows_of(out / "crops.csv")}
    assert rows_of(out / "labels.csv") == [
        {"file": f"{of['a.png']}.png", "medium": "manga", "horror": "1"}
    ]
    assert "crops of 1 images (b.png)" in capsys.readouterr().err
    pack(out / "crops", tmp_path / "packed", size="16x24", labels=out / "labels.csv")
    assert PackedDataset.open(tmp_path / "packed").images().shape[1:] == (24, 16, 3)


def test_labels_are_found_as_pack_finds_them_and_come_as_they_are(source, tmp_path, capsys):
    table, out = tmp_path / "scores.csv", tmp_path / "out"
    table.write_text("file,score\npictures/a.jpg,0\na,-3\nb.gif,-0.5\nb,@x,y\n")
    crop(source, out, Box(40, 60, 20, 9), labels=table)
    of = {row["crop"] + ".png": row["source"] for row in rows_of(out / "crops.csv")}
    found = [(of[row["file"]], row["score"]) for row in rows_of(out / "labels.csv")]
    assert found == [("a.png", "-3"), ("b.png", "-0.5")]
    assert "labels left out" in capsys.readouterr().err  # the row with a cell too many
    crop(source, out, Box(40, 60, 20, 9))
    assert not (out / "labels.csv").exists()  # they would be another run's


def test_two_faces_that_fill_their_image_are_one_crop(source, tmp_path):
    def detector(grey):
        return [Box(10, 30, 60, 9), Box(20, 40, 60, 5)]

    done = crop_faces(
        source, tmp_path / "out", zoom=2, shape="2x3", border="shift", detector=detector,
        progress=False,
    )  # fmt: skip
    assert done.count == 2  # one an image
    states = [row["state"] for row in rows_of(tmp_path / "out" / "crops.csv")]
    assert states == ["kept", "cut already"] * 2


def test_a_rejected_crop_has_no_labels(source, tmp_path):
    table, out = tmp_path / "genres.csv", tmp_path / "out"
    table.write_text("file,horror\na.png,1\nb.png,0\n")
    crop(source, out, Box(40, 60, 20, 9), labels=table)
    name = rows_of(out / "labels.csv")[0]["file"]
    (out / "reject.txt").write_text(name)
    crop(source, out, Box(40, 60, 20, 9), labels=table)
    assert [row["horror"] for row in rows_of(out / "labels.csv")] == ["0"]


@pytest.mark.parametrize(
    ("options", "says"), [({"middle": 1.5}, "middle"), ({"shape": "2x"}, "size")]
)
def test_wrong_shapes(source, tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        crop(source, tmp_path / "out", Box(40, 60, 20, 9), **options)
