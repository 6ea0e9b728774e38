"""Posters with class and texts: which are kept, what they are, and on which side they are."""

from __future__ import annotations

import json
import tarfile

import numpy as np
import pytest
from broken_files import encoded, face

from tfanime.core.manifest import Manifest
from tfanime.data import PackedDataset
from tfanime.prepare.moods import mood_of
from tfanime.prepare.posters import pack_posters
from tfanime.prepare.titles import split_titles, title_key


def run(records, out, **options):
    options = {"size": "8x12", "test": 0, "progress": False} | options
    return pack_posters(records, out, **options)


def texts(folder):
    lines = (folder / "texts.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def rejected(out):
    found = json.loads((out / "rejected.json").read_text("utf-8"))
    return {one["file"]: one["reason"] for one in found}


@pytest.fixture
def records(tmp_path):
    """Eight titles, light and heavy in turn, as a CSV beside a folder of pictures."""
    folder = tmp_path / "in"
    (folder / "pictures").mkdir(parents=True)
    lines = ["file,title,genres,synopsis"]
    for i in range(8):
        (folder / "pictures" / f"{i}.png").write_bytes(encoded(face(i, 24, 16)))
        tags = "Comedy|School" if i % 2 == 0 else "Action|Drama"
        lines.append(f"{i}.png,{'ABCDEFGH'[i]}-title,{tags},Text {i}.")
    (folder / "records.csv").write_text("\n".join(lines), "utf-8")
    return folder / "records.csv"


# ---- the rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("genres", "leading", "mood"),
    [
        (["Comedy"], 3, "light"),
        (["Slice of Life", "Drama", "School"], 3, "light"),
        (["SLICE-OF-LIFE"], 3, "light"),
        (["Horror"], 3, "heavy"),
        (["Suspense"], 3, "heavy"),
        (["Action", "Comedy"], 3, "tie"),
        (["Action", "Comedy", "Space", "School"], 3, "tie"),  # the fourth has no say
        (["Action", "Comedy", "Space", "School"], 4, "light"),
        (["Action", "Comedy"], 1, "heavy"),
        (["Space", "Comedy"], 1, "unknown"),
        (["Space", "Mecha"], 3, "unknown"),
        ([], 3, "unknown"),
    ],
)
def test_mood(genres, leading, mood):
    assert mood_of(genres, leading=leading) == mood


@pytest.mark.parametrize(
    "editions",
    [
        ("Cowboy Bebop", "Cowboy Bebop: The Movie", "COWBOY BEBOP (2001)"),
        ("Attack on Titan", "Attack on Titan Season 3 Part 2", "Attack on Titan: Final Season"),
        ("Fruits Basket", "Fruits Basket 2nd Season"),
        ("Clannad", "Clannad OVA", "Clannad Specials"),
        ("Rocky (1976)", "Rocky IV (1985)", "Rocky 2"),
        ("Demon Slayer", "Demon Slayer - The Movie: Mugen Train"),
        ("K-ON!", "K-ON!!", "K-On! (Dub)"),
        ("Café ☕", "Cafe\u0301 ☕ II"),
    ],
)
def test_editions_of_a_title(editions):
    assert len({title_key(title) for title in editions}) == 1


def test_different_titles_stay_apart():
    titles = ["Naruto", "Bleach", "The Movie", "Film 12", "Part 2", "Mob Psycho 100", "86", "!!!"]
    keys = {title_key(title) for title in titles}
    assert len(keys) == len(titles) and "" not in keys


def test_split_keeps_titles_whole_and_moods_in_proportion():
    titles = {f"{i}-{part}": f"Title {'abcdefghij'[i % 10] * (i // 10 + 1)} Season {part}"
              for i in range(100) for part in (1, 2)}  # fmt: skip
    moods = {name: "light" if int(name.split("-")[0]) < 40 else "heavy" for name in titles}
    taken = split_titles(titles, 0.1, moods)
    assert sorted(taken) == sorted(split_titles(dict(reversed(titles.items())), 0.1, moods))
    assert sum(moods[name] == "light" for name in taken) == 8
    assert sum(moods[name] == "heavy" for name in taken) == 12
    assert all(f"{name.split('-')[0]}-{part}" in taken for name in taken for part in (1, 2))


def test_split_leaves_something_on_both_sides():
    titles = {"1": "A", "2": "B"}
    assert len(split_titles(titles, 0.01)) == len(split_titles(titles, 0.99)) == 1
    assert split_titles(titles, 0) == set()
    with pytest.raises(ValueError, match="needs two titles. Received: 1"):
        split_titles({"1": "A", "2": "A: The Movie"}, 0.1)


# ---- packing -------------------------------------------------------------------------------------


def test_pictures_labels_and_texts_are_in_the_same_order(records, tmp_path):
    out = tmp_path / "out"
    manifest = run(records, out, test=0.25)
    assert manifest.count == 8
    seen = []
    for side, count in (("train", 6), ("test", 2)):
        data = PackedDataset.open(out / side)
        told = texts(out / side)
        assert (len(data), data.height, data.width) == (count, 12, 8) == (len(told), 12, 8)
        assert data.schema.columns == ("light_mood", "heavy_mood")
        names = json.loads((out / side / "files.json").read_text())
        for row, text in enumerate(told):
            i = int(text["file"].split(".")[0])
            assert text == {
                "file": names[row],
                "title": f"{'ABCDEFGH'[i]}-title",
                "genres": ["Comedy", "School"] if i % 2 == 0 else ["Action", "Drama"],
                "synopsis": f"Text {i}.",
            }
            assert data.schema.decode(data.labels()[row]) == {"mood": ("light", "heavy")[i % 2]}
            whole = pack_of_one(tmp_path, i)
            np.testing.assert_array_equal(data.images([row])[0], whole)
            seen.append(i)
        assert Manifest.read(out / side).count == count
    assert sorted(seen) == list(range(8))
    assert manifest.settings["posters"]["test, light"] == 1  # moods are split in proportion


def pack_of_one(tmp_path, seed):
    from tfanime.prepare.check import check_picture

    return check_picture(encoded(face(seed, 24, 16)), 12, 8)


def test_incomplete_entries_are_dropped_and_counted(records, tmp_path):
    pictures = records.parent / "pictures"
    (pictures / "lonely.png").write_bytes(encoded(face(50)))
    (pictures / "1.png").unlink()
    (pictures / "2.png").write_bytes(encoded(face(0, 24, 16)))  # a copy of 0.png
    (pictures / "3.png").write_bytes(b"<html>not found</html>")
    lines = records.read_text().splitlines()
    lines[5] = "4.png,,Comedy,text"
    lines[6] = "5.png,Five,Action,No synopsis information has been added to this title."
    lines += ["6.png,Again,Drama,text", "7.png,too,many,cells,here", "8.png,Eight,Comedy,text"]
    records.write_text("\n".join(lines))
    manifest = run(records, tmp_path / "out", need=("title", "synopsis"))
    assert rejected(tmp_path / "out") == {
        "1.png": "record without picture",
        "2.png": "duplicate",
        "3.png": "not a picture",
        "4.png": "incomplete record",
        "5.png": "incomplete record",
        "6.png": "duplicate record",
        "8.png": "record without picture",
        "lonely.png": "picture without record",
        "records.csv": "bad row",
    }
    assert [text["file"] for text in texts(tmp_path / "out" / "train")] == [
        "0.png",
        "6.png",
        "7.png",
    ]
    assert [step.kept for step in manifest.steps] == [5, 5, 3]
    assert manifest.steps[0].seen == 12  # 11 lines and a picture without one


@pytest.mark.parametrize(
    ("undecided", "kept"),
    [
        ("drop", {"light": ["0.png"]}),
        ("unknown", {"light": ["0.png"], "unknown": ["1.png", "2.png"]}),
        ("first", {"light": ["0.png"], "heavy": ["1.png"]}),
    ],
)
def test_ties_and_unknown_tags(records, tmp_path, undecided, kept):
    rows = ["0.png,A,Comedy", "1.png,B,Space|Action|Comedy", "2.png,C,Mecha"]
    records.write_text("file,title,genres\n" + "\n".join(rows))
    run(records, tmp_path / "out", undecided=undecided)
    data = PackedDataset.open(tmp_path / "out" / "train")
    found = {}
    for text, labels in zip(texts(tmp_path / "out" / "train"), data.labels(), strict=True):
        mood = data.schema.decode(labels).get("mood", "unknown")
        found.setdefault(mood, []).append(text["file"])
    assert found == kept
    reasons = rejected(tmp_path / "out")
    assert reasons.get("1.png", "") == ("mood tie" if undecided == "drop" else "")
    assert reasons.get("2.png", "") == ("" if undecided == "unknown" else "mood unknown")


def test_other_lists_and_another_column(records, tmp_path):
    records.write_text("file,title,kinds\n0.png,A,Children;Drama\n1.png,B,War\n2.png,C,Drama\n")
    run(records, tmp_path / "out", genres="kinds", light=["Children", "Drama"], heavy=["war"])
    data = PackedDataset.open(tmp_path / "out" / "train")
    np.testing.assert_array_equal(data.labels(), [[1, 0], [0, 1], [1, 0]])


def test_records_as_they_are_collected(records, tmp_path):
    folder = records.parent
    rows = [
        {"id": 0, "title": " A\n<script>x</script> ", "genres": ["Comedy"], "score": 7.5},
        {"id": 1, "title": "B\ud800", "genres": ["Drama"], "synopsis": None, "deep": [[[1]]]},
        {
            "picture": "pictures/2.png",
            "title": "C",
            "genres": ["Horror"],
            "synopsis": "Two\n\nparts.",
        },
    ]
    lines = [json.dumps(row) for row in rows]
    lines += ["{not json", "[1]", '{"title": "no id"}', '{"id": 3, "x": "' + "y" * 2**20 + '"}', ""]
    (folder / "records.jsonl").write_text("\n".join(lines))
    Manifest("anime", "a site", "all rights reserved", ()).write(folder)
    manifest = run(folder, tmp_path / "out")
    told = texts(tmp_path / "out" / "train")
    assert [text["title"] for text in told] == ["A <script>x</script>", "B", "C"]
    assert told[0]["score"] == "7.5" and told[2]["synopsis"] == "Two parts."
    assert manifest.steps[0].dropped == {"bad row": 4, "picture without record": 5}
    assert manifest.licence == "all rights reserved" and manifest.earlier.source == "a site"


def test_an_archive_named_like_the_table(records, tmp_path):
    folder = tmp_path / "archived"
    folder.mkdir()
    (folder / "anime.csv").write_bytes(records.read_bytes())
    with tarfile.open(folder / "anime.tar", "w") as archive:
        for path in sorted((records.parent / "pictures").iterdir()):
            archive.add(path, path.name)
    run(folder / "anime.csv", tmp_path / "a")
    run(records, tmp_path / "b")
    one, other = (PackedDataset.open(tmp_path / name / "train") for name in "ab")
    assert one.sha256 == other.sha256


def test_paths_in_records_lead_nowhere(records, tmp_path):
    (tmp_path / "secret.png").write_bytes(encoded(face(70)))
    rows = ["../../secret.png,A,Comedy", f"{tmp_path}/secret.png,B,Comedy", "0.png,C,Comedy"]
    records.write_text("file,title,genres\n" + "\n".join(rows))
    run(records, tmp_path / "out")
    assert [text["title"] for text in texts(tmp_path / "out" / "train")] == ["C"]
    assert list(rejected(tmp_path / "out").values()).count("record without picture") == 2


def test_the_same_again_does_nothing_and_others_are_not_overwritten(records, tmp_path):
    out = tmp_path / "out"
    run(records, out)
    before = (out / "manifest.json").stat().st_mtime_ns
    run(records, out)
    assert (out / "manifest.json").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="holds other posters. Use overwrite=True"):
        run(records, out, size=16)
    run(records, out, size=16, overwrite=True)
    assert PackedDataset.open(out / "train").width == 16
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds something else. Use another folder"):
        run(records, tmp_path / "mine", overwrite=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"genres": "tags"}, "Received: 'tags'; .* has genres, synopsis, title"),
        ({"light": ["a", "b"], "heavy": ["B"]}, r"nothing in common. Received: \['a', 'b'\]"),
        ({"light": []}, "nothing in common"),
        ({"leading": 0}, "at least 1. Received: 0"),
        ({"undecided": "guess"}, "one of drop, unknown, first. Received: 'guess'"),
        ({"test": 1}, "from 0 to below 1. Received: 1"),
        ({"need": ["author"]}, "incomplete record: 8"),
    ],
)
def test_wrong_arguments(records, tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        run(records, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_what_are_no_records(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    for path in (tmp_path, tmp_path / "a.txt", tmp_path / "missing.csv"):
        with pytest.raises(ValueError, match="Records are a folder with records.jsonl"):
            run(path, tmp_path / "out")
