"""Cutting out faces: what is cut, what is left out and why, and going on after anything."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from broken_files import encoded
from cascades import write_cascade
from PIL import Image

from tfanime.core.manifest import Manifest
from tfanime.drawn.faces import draw_faces
from tfanime.prepare import face_search
from tfanime.prepare.detect import Box
from tfanime.prepare.face_search import cut, sharpness
from tfanime.prepare.faces import crop_faces
from tfanime.prepare.pack import pack


class Stand_in:
    """Finds boxes by the width of the picture; counts the pictures that it has seen."""

    sha256 = "stand-in"

    def __init__(self, **boxes):
        self.boxes = {int(width[1:]): found for width, found in boxes.items()}
        self.seen: list[tuple[int, int]] = []

    def __call__(self, grey):
        assert grey.dtype == np.uint8 and grey.ndim == 2
        self.seen.append(grey.shape)
        return self.boxes.get(grey.shape[1], [])


@pytest.fixture
def detector():
    return Stand_in(w120=[Box(40, 30, 40, 9), Box(0, 0, 20, 7)], w80=[Box(20, 20, 40, 5)])


@pytest.fixture
def source(tmp_path):
    """Three pictures with a drawn face: 120 wide with two boxes, 80 wide with one, none."""
    folder = tmp_path / "in"
    folder.mkdir()
    drawn, _ = draw_faces(3, size=160, seed=4)
    sizes = {"a.png": (120, 100), "sub/b.png": (80, 80), "c.png": (50, 60)}
    for pixels, (name, size) in zip(drawn, sizes.items(), strict=True):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).crop((0, 0, *size)).save(path)
    return folder


def run(source, out, detector, **options):
    options = {"smallest": 1, "progress": False} | options
    return crop_faces(source, out, detector=detector, **options)


def table(out):
    with open(out / "crops.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def crops(out, place="crops"):
    """Name to pixels."""
    return {p.stem: np.asarray(Image.open(p)) for p in sorted((out / place).glob("*"))}


def content(out):
    """Everything in the folder but the journal, whose order may differ."""
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "journal.jsonl")
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


# ---- the pieces ----------------------------------------------------------------------------------


def test_cut_inside_is_a_slice():
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    np.testing.assert_array_equal(cut(picture, 5, 3, 8, 8), picture[3:11, 5:13])


@pytest.mark.parametrize(("left", "top"), [(-4, 2), (25, 2), (3, -7), (3, 16), (-9, -9), (28, 18)])
def test_cut_mirrors_at_the_edges(left, top):
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    padded = np.pad(picture, ((40, 40), (40, 40), (0, 0)), mode="reflect")
    expected = padded[40 + top : 50 + top, 40 + left : 50 + left]
    np.testing.assert_array_equal(cut(picture, left, top, 10, 10), expected)


def test_cut_of_a_single_pixel():
    picture = np.full((1, 1, 3), 9, np.uint8)
    np.testing.assert_array_equal(cut(picture, -3, 2, 4, 4), np.full((4, 4, 3), 9))


def test_sharpness():
    assert sharpness(np.full((40, 40, 3), 77, np.uint8)) == 0
    board = (np.indices((42, 42)).sum(axis=0) % 2 * 200).astype(np.uint8)
    # Each pixel differs from its four neighbours by 200: the Laplacian is 800 or -800.
    assert sharpness(np.repeat(board[..., None], 3, axis=2)) == 800**2
    drawn = draw_faces(1, size=128, seed=1)[0][0]
    picture = Image.fromarray(drawn)
    blurred = np.asarray(picture.resize((24, 24)).resize((128, 128)))
    assert sharpness(blurred) < sharpness(drawn) / 4
    assert sharpness(np.zeros((2, 2, 3), np.uint8)) == 0


# ---- a run ---------------------------------------------------------------------------------------


def test_crops_table_and_manifest(source, tmp_path, detector):
    done = run(source, tmp_path / "out", detector)
    rows = table(tmp_path / "out")
    assert [(row["source"], row["left"], row["top"], row["side"]) for row in rows] == [
        # 1.5 times a box of 40 at (40, 30), a box of 20 at (0, 0), and a box of 40 at (20, 20).
        ("a.png", "30", "20", "60"),
        ("a.png", "-5", "-5", "30"),
        ("sub/b.png", "10", "10", "60"),
    ]
    assert [row["votes"] for row in rows] == ["9", "7", "5"]
    found = crops(tmp_path / "out")
    assert set(found) == {row["crop"] for row in rows} and done.count == 3
    picture = np.asarray(Image.open(source / "a.png"))
    np.testing.assert_array_equal(found[rows[0]["crop"]], picture[20:80, 30:90])
    np.testing.assert_array_equal(found[rows[1]["crop"]], cut(picture, -5, -5, 30, 30))
    assert float(rows[0]["sharpness"]) == round(sharpness(picture[20:80, 30:90]), 2)
    steps = {step.name: step for step in Manifest.read(tmp_path / "out").steps}
    assert steps["pictures"].kept == 3
    assert steps["pictures searched"].dropped == {"no face found": 1}
    assert steps["faces"].kept == 3


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"smallest": 40}, "too small"),
        ({"border": "refuse"}, "at the border"),
        ({"sharpness": 1e9}, "not sharp"),
    ],
)
def test_what_is_left_out_is_listed(source, tmp_path, detector, options, state):
    done = run(source, tmp_path / "out", detector, **options)
    states = [row["state"] for row in table(tmp_path / "out")]
    assert states == ([state] * 3 if state == "not sharp" else ["kept", state, "kept"])
    [step] = [step for step in done.manifest.steps if step.name == "faces"]
    assert step.dropped == {state: states.count(state)} and step.kept == done.count
    assert len(crops(tmp_path / "out")) == done.count == states.count("kept")


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(0, 0, 20), (0, 0, 30)),  # would begin at (-5, -5)
        (Box(100, 80, 20), (90, 70, 30)),  # would end at (125, 105)
        (Box(10, 10, 80), (0, 0, 100)),  # 120 wide, in a picture of 120 x 100
    ],
)
def test_shifting_keeps_crops_inside(source, tmp_path, box, expected):
    run(source, tmp_path / "out", Stand_in(w120=[box]), border="shift")
    [row] = table(tmp_path / "out")
    left, top, side = (int(row[name]) for name in ("left", "top", "side"))
    assert (left, top, side) == expected
    picture = np.asarray(Image.open(source / "a.png"))
    expected_crop = picture[top : top + side, left : left + side]
    np.testing.assert_array_equal(crops(tmp_path / "out")[row["crop"]], expected_crop)


def test_enlarging_finds_more_and_cuts_the_same(source, tmp_path):
    plain = run(source, tmp_path / "plain", Stand_in(w80=[Box(20, 20, 40)]))
    doubled = Stand_in(w160=[Box(40, 40, 80)])
    run(source, tmp_path / "doubled", doubled, enlarge=2)
    assert sorted(doubled.seen) == [(120, 100), (160, 160), (200, 240)]
    assert crops(tmp_path / "plain").keys() == crops(tmp_path / "doubled").keys()
    assert plain.count == 1


def test_huge_pictures_are_searched_reduced(tmp_path, monkeypatch):
    monkeypatch.setattr(face_search, "DETECTION_SIDE", 100)
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (400, 300)).save(folder / "large.png")
    detector = Stand_in(w100=[Box(50, 20, 10)])
    run(folder, tmp_path / "out", detector, zoom=1)
    assert detector.seen == [(75, 100)]
    [row] = table(tmp_path / "out")
    assert (row["left"], row["top"], row["side"]) == ("200", "80", "40")


def test_bad_files_are_listed(source, tmp_path, detector, capsys):
    (source / "notes.txt").write_text("notes")
    (source / "cut.png").write_bytes((source / "a.png").read_bytes()[:300])
    done = run(source, tmp_path / "out", detector)
    assert done.manifest.steps[0].dropped == {"not a picture": 1, "damaged": 1}
    assert {one.file for one in done.unusable} == {"notes.txt", "cut.png"}
    assert "left out, damaged: 1 (cut.png)" in capsys.readouterr().err


def test_hostile_names_stay_names(tmp_path, detector):
    folder = tmp_path / "in"
    folder.mkdir()
    names = ("=1+1.png", "<script>alert(1)<", "@x.png", '"quoted", name.png')
    for i, name in enumerate(names):
        picture = Image.new("RGB", (80, 80), (i * 50, 0, 0))
        (folder / name).write_bytes(encoded(picture))
    run(folder, tmp_path / "out", detector)
    sources = {row["source"] for row in table(tmp_path / "out")}
    assert sources == {"'=1+1.png", "<script>alert(1)<", "'@x.png", '"quoted", name.png'}
    page = (tmp_path / "out" / "review.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;" in page and "<script>alert" not in page
    assert all(len(name) == 12 and int(name, 16) >= 0 for name in crops(tmp_path / "out"))


def test_packing_the_crops(source, tmp_path, detector):
    done = run(source, tmp_path / "out", detector)
    for pictures in (done.crops, tmp_path / "out"):
        packed = pack(pictures, tmp_path / "packed", size=32, progress=False)
        assert len(packed) == 3


def test_a_collected_folder(source, tmp_path, detector):
    folder = tmp_path / "collected"
    (folder / ".collect").mkdir(parents=True)
    (folder / ".collect" / "a.png").write_bytes((source / "a.png").read_bytes())
    (folder / "records.jsonl").write_text("{}")
    source.rename(folder / "pictures")
    Manifest("getchu", "a site", "all rights reserved", ()).write(folder)
    done = run(folder, tmp_path / "out", detector)
    assert done.manifest.steps[0].kept == 3 and done.unusable == []
    assert done.manifest.licence == "all rights reserved"
    assert done.manifest.earlier.source == "a site"


def test_sheets_hold_every_crop(source, tmp_path, detector, monkeypatch):
    from tfanime.prepare import review

    monkeypatch.setattr(review, "COLUMNS", 2)
    monkeypatch.setattr(review, "ROWS", 1)
    run(source, tmp_path / "out", detector)
    sheets = [Image.open(path) for path in sorted((tmp_path / "out" / "sheets").glob("*.png"))]
    assert [sheet.size for sheet in sheets] == [(200, 114)] * 2
    page = (tmp_path / "out" / "review.html").read_text("utf-8")
    places = [page.index(f'id="{row["crop"]}"') for row in table(tmp_path / "out")]
    assert places[2] < places[1] < places[0]  # 5, 7 and 9 votes: the doubtful first


# ---- rejecting -----------------------------------------------------------------------------------


def test_rejected_crops_are_remembered_and_come_back(source, tmp_path, detector, capsys):
    out = tmp_path / "out"
    run(source, out, detector)
    names = [row["crop"] for row in table(out)]
    before = crops(out)
    (out / "reject.txt").write_text(f"# not faces\n{names[1]}.png\n\n {names[2]} # a hand\nffff\n")
    for _ in range(2):
        done = run(source, out, detector)
        assert set(crops(out)) == {names[0]} and set(crops(out, "rejected")) == set(names[1:])
        assert done.manifest.steps[-1].dropped == {"rejected by hand": 2} and done.count == 1
        assert [row["state"] for row in table(out)] == ["kept"] + ["rejected by hand"] * 2
        assert "names 1 crops that are not here (ffff)" in capsys.readouterr().err
        page = (out / "review.html").read_text("utf-8")
        assert f'id="{names[1]}" class="bad" src="rejected/{names[1]}.png"' in page
    (out / "reject.txt").write_text("")
    run(source, out, detector)
    after = crops(out)
    assert after.keys() == before.keys()
    assert all((after[name] == before[name]).all() for name in before)
    assert len(detector.seen) == 3  # nothing was searched twice


# ---- continuing ----------------------------------------------------------------------------------


def test_only_what_is_new_is_searched(source, tmp_path, detector):
    out = tmp_path / "out"
    run(source, out, detector)
    Image.new("RGB", (80, 90)).save(source / "d.png")  # new
    Image.new("RGB", (81, 91)).save(source / "c.png")  # changed
    (source / "a.png").unlink()
    detector.seen.clear()
    run(source, out, detector)
    assert sorted(detector.seen) == [(90, 80), (91, 81)]
    assert [row["source"] for row in table(out)] == ["d.png", "sub/b.png"]
    assert set(crops(out)) == {row["crop"] for row in table(out)}


def test_lost_crops_are_cut_again(source, tmp_path, detector):
    out = tmp_path / "out"
    run(source, out, detector)
    before = content(out)
    first, second, _ = sorted((out / "crops").iterdir())
    first.unlink()
    second.write_bytes(b"")  # what a power cut leaves
    run(source, out, detector)
    assert content(out) == before


@pytest.mark.parametrize("stop", [1, 2])
def test_stopped_and_continued_gives_the_same(source, tmp_path, detector, stop):
    class Stops(Stand_in):
        def __call__(self, grey):
            if len(self.seen) == stop:
                raise KeyboardInterrupt
            return super().__call__(grey)

    stops = Stops()
    stops.boxes = detector.boxes
    run(source, tmp_path / "whole", detector)
    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out", stops)
    run(source, tmp_path / "out", detector)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_a_torn_journal_is_mended(source, tmp_path, detector):
    out = tmp_path / "out"
    run(source, out, detector)
    before = content(out)
    journal = (out / "journal.jsonl").read_text()
    (out / "journal.jsonl").write_text(journal[:-40])
    detector.seen.clear()
    run(source, out, detector)
    assert len(detector.seen) == 1 and content(out) == before
    lines = (out / "journal.jsonl").read_text().splitlines()
    assert len(lines) == 4 and all(json.loads(line) for line in lines)


def test_other_settings_need_overwrite(source, tmp_path, detector):
    out = tmp_path / "out"
    run(source, out, detector)
    name = table(out)[0]["crop"]
    (out / "reject.txt").write_text(name)
    with pytest.raises(ValueError, match="zoom 1.5, now 2.0. Use overwrite=True"):
        run(source, out, detector, zoom=2)
    assert len(crops(out)) == 3
    run(source, out, detector, zoom=2, overwrite=True)
    assert [row["side"] for row in table(out)] == ["80", "40", "80"]
    assert set(crops(out)) == {row["crop"] for row in table(out)}
    assert (out / "reject.txt").read_text() == name  # not forgotten


def test_folders_of_others_are_left_alone(source, tmp_path, detector):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else"):
        run(source, out, detector, overwrite=True)
    with pytest.raises(ValueError, match="a file"):
        run(source, out / "thesis.txt", detector)
    assert (out / "thesis.txt").read_text() == "mine"


def test_no_pictures(tmp_path, detector):
    (tmp_path / "in").mkdir()
    with pytest.raises(ValueError, match="without any"):
        run(tmp_path / "in", tmp_path / "out", detector)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"border": "black"}, "border is one of reflect, shift, refuse. Received: 'black'"),
        ({"zoom": 0}, "zoom is a number from 0.5 to 4. Received: 0"),
        ({"sharpness": float("nan")}, "sharpness is a number"),
        ({"enlarge": 100}, "enlarge is a number from 0.25 to 8"),
        ({"smallest": 0}, "smallest is a number from 1"),
    ],
)
def test_wrong_arguments(source, tmp_path, detector, options, says):
    with pytest.raises(ValueError, match=says):
        run(source, tmp_path / "out", detector, **options)
    assert not (tmp_path / "out").exists()


def test_with_a_cascade_file(tmp_path):
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path / "in"
    folder.mkdir()
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[80:96, 100:116] = 255
    Image.fromarray(picture).save(folder / "a.png")
    cascade, threads = write_cascade(tmp_path / "cascade.xml"), cv2.getNumThreads()
    options = {"cascade": cascade, "smallest": 1, "progress": False}
    done = crop_faces(folder, tmp_path / "out", neighbours=1, **options)
    [row] = table(tmp_path / "out")
    left, top, side = (int(row[name]) for name in ("left", "top", "side"))
    assert done.count == 1 and side == round(1.5 * int(row["box"]))
    np.testing.assert_allclose([left + side / 2, top + side / 2], [108, 88], atol=4)
    assert cv2.getNumThreads() == threads
    with pytest.raises(ValueError, match="neighbours 1, now 2"):
        crop_faces(folder, tmp_path / "out", neighbours=2, **options)
