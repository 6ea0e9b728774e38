"""Boards through a gallery-dl of our own, and the installed one against a server of ours."""

from __future__ import annotations

import csv
import json
import stat
import sys

import pytest
from bad_server import Reply, picture

from tfanime.collect import danbooru
from tfanime.collect.danbooru import configuration, labels_from_tags, search_address, tags_of
from tfanime.core.labels import MAKEGIRLSMOE

FAKE = '''#!{python}
"""Stands in for gallery-dl: writes what the test prepared, where the configuration says."""
import json, pathlib, shutil, sys
arguments = sys.argv[1:]
config = json.loads(pathlib.Path(arguments[arguments.index("--config") + 1]).read_text())
pathlib.Path({log!r}).write_text(json.dumps({{"arguments": arguments, "config": config}}))
target = pathlib.Path(config["extractor"]["base-directory"])
for file in pathlib.Path({prepared!r}).iterdir():
    shutil.copy(file, target)
print("error: the board is closed", file=sys.stderr)
sys.exit({code})
'''


@pytest.fixture
def fake(tmp_path):
    """Makes the program; `prepared` is what it "fetches", `log` what it was told."""

    def make(code=0):
        program = tmp_path / "gallery-dl"
        told = {"python": sys.executable, "log": str(tmp_path / "log"), "code": code}
        program.write_text(FAKE.format(prepared=str(tmp_path / "prepared"), **told))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    (tmp_path / "prepared").mkdir()
    return make


def prepare(folder, own, tags, body=None, **metadata):
    name = f"danbooru-{own}.jpg"
    (folder / name).write_bytes(picture(own) if body is None else body)
    stored = {"id": own, "category": "danbooru", "rating": "g", "tags": tags, **metadata}
    (folder / f"{name}.json").write_text(json.dumps(stored))


def ids(folder):
    return {json.loads(line)["id"] for line in (folder / "records.jsonl").read_text().splitlines()}


def test_labels():
    labels = labels_from_tags(["Blue hair", "red_eyes", "smile", "very_long_hair", "1girl", ":d"])
    assert list(labels) == list(MAKEGIRLSMOE.columns)
    ones = {column for column, value in labels.items() if value}
    assert ones == {"blue_hair", "red_eyes", "smile", "long_hair", "open_mouth"}
    assert labels["black_hair"] == 0 and None not in labels.values()


@pytest.mark.parametrize(
    "tags, unknown",
    [
        (["red_eyes"], "hair"),
        (["blue_hair", "red_hair", "red_eyes"], "hair"),
        (["blue_hair", "streaked_hair", "red_eyes"], "hair"),
        (["blue_hair", "red_eyes", "heterochromia"], "eyes"),
        (["grey_hair"], "eyes"),
    ],
)
def test_colours_that_are_not_known(tags, unknown):
    labels = labels_from_tags(tags)
    assert {c.rpartition("_")[2] for c, value in labels.items() if value is None} == {unknown}


@pytest.mark.parametrize(
    "metadata",
    [
        {"tags": "blue_hair smile"},
        {"tags": ["blue_hair", "smile"]},
        {"tag_string": "blue_hair smile", "tag_string_general": "smile"},
        {"tags_general": ["blue_hair"], "tags_meta": ["smile"], "tags_artist": 7},
    ],
)
def test_tags_of_every_board(metadata):
    assert tags_of(metadata) == ["blue_hair", "smile"]


def test_a_board(tmp_path, fake, capsys):
    prepared = tmp_path / "prepared"
    prepare(prepared, 1, "blue_hair red_eyes smile")
    prepare(prepared, 2, ["pink_hair", "hat"], rating="e")
    prepare(prepared, 3, "red_hair", body=b"no picture")
    prepare(prepared, 4, "red_hair", body=picture(1))
    prepare(prepared, 5, "", rating="s")
    prepare(prepared, 6, "x", id="../../etc")
    prepare(prepared, 7, "x")
    (prepared / "danbooru-7.jpg.json").write_text("[" * 100_000)
    (prepared / "danbooru-8.jpg").write_bytes(picture(8))
    (prepared / "danbooru-9.jpg.part").write_bytes(b"half")
    (prepared / "danbooru-10.jpg.json").write_text("{}")
    options = {"gallery_dl": fake(), "contact": "me@example.org", "progress": False}
    manifest = danbooru.collect(tmp_path / "out", ["1girl", "solo"], most=50, **options)
    told = json.loads((tmp_path / "log").read_text())
    assert told["arguments"][-2:] == ["--", "https://danbooru.donmai.us/posts?tags=1girl+solo"]
    assert told["arguments"][told["arguments"].index("--range") + 1] == "1-50"
    assert "me@example.org" in told["config"]["extractor"]["user-agent"]
    found, pictures = manifest.steps
    assert found.kept == 3 and found.dropped == {
        "adult": 1,
        "without tags": 1,
        "damaged metadata": 2,
        "without metadata": 1,
        "unfinished or no picture": 1,
        "metadata without picture": 1,
    }
    assert pictures.dropped == {"not a picture": 1, "duplicate": 1} and pictures.kept == 1
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["file"] == "danbooru-1.jpg" and list(row)[1:] == list(MAKEGIRLSMOE.columns)
    assert (row["blue_hair"], row["smile"], row["hat"], row["red_hair"]) == ("1", "1", "0", "0")
    adult = danbooru.collect(tmp_path / "out", ["1girl"], adult=True, **options)
    assert adult.count == 2


def test_the_latest_search_decides_what_is_there(tmp_path, fake):
    prepared, program = tmp_path / "prepared", fake()

    def kept(tag, **options):
        options = {"gallery_dl": program, "progress": False, **options}
        manifest = danbooru.collect(tmp_path / "out", [tag], **options)
        for file in prepared.iterdir():
            file.unlink()  # nothing is given twice
        assert len(ids(tmp_path / "out")) == manifest.count
        return ids(tmp_path / "out"), manifest.steps[0].dropped

    for own in (9, 10, 11):
        prepare(prepared, own, "blue_hair")
    prepare(prepared, 12, "blue_hair", rating="e")
    every = {"danbooru-9", "danbooru-10", "danbooru-11"}
    assert kept("blue_hair") == (every, {"adult": 1})
    prepare(prepared, 13, "red_hair")
    assert kept("red_hair") == ({"danbooru-13"}, {})
    prepare(prepared, 14, "red_hair")
    assert kept("red_hair", board="konachan") == ({"danbooru-14"}, {})
    newest = {"danbooru-10", "danbooru-11"}
    assert kept("blue_hair", most=2) == (newest, {"adult": 1, "more than asked for": 1})
    assert kept("blue_hair") == (every, {"adult": 1})


def test_a_board_becomes_a_packed_set(tmp_path, fake):
    from tfanime.prepare.pack import pack

    for own in range(1, 5):
        prepare(tmp_path / "prepared", own, ["blue_hair", "red_eyes"] if own % 2 else ["smile"])
    danbooru.collect(tmp_path / "out", ["x"], gallery_dl=fake(), progress=False)
    packed = pack(tmp_path / "out/pictures", tmp_path / "packed", 32, tmp_path / "out/labels.csv")
    assert len(packed) == 4 and packed.schema.columns == MAKEGIRLSMOE.columns


def test_a_board_that_fails(tmp_path, fake, capsys):
    options = {"gallery_dl": fake(code=4), "progress": False}
    with pytest.raises(RuntimeError, match="exit code 4, error: the board is closed"):
        danbooru.collect(tmp_path / "out", ["x"], **options)
    prepare(tmp_path / "prepared", 1, "smile")
    assert danbooru.collect(tmp_path / "out", ["x"], **options).count == 1
    assert "stopped early (exit code 4)" in capsys.readouterr().err


def test_searches():
    assert search_address("konachan", ["long hair", "a&b"]).endswith("tags=long_hair+a%26b")
    assert search_address("https://board.example/?tags=x", []) == "https://board.example/?tags=x"
    with pytest.raises(ValueError, match="board is one of danbooru"):
        search_address("danboru", ["x"])
    for tags in ([], [""], ["a\x1bb"]):
        with pytest.raises(ValueError, match="needs tags"):
            search_address("danbooru", tags)


def test_a_missing_program(tmp_path):
    with pytest.raises(ValueError, match="gallery_dl is a program"):
        danbooru.collect(tmp_path / "out", ["x"], gallery_dl=tmp_path / "nothing")


def test_the_real_gallery_dl_understands_the_configuration(server, tmp_path, monkeypatch):
    """A Moebooru board on this machine: two safe posts, one explicit."""
    pytest.importorskip("gallery_dl")
    posts = [
        {
            "id": own,
            "md5": f"{own:032x}",
            "tags": "blue_hair smile",
            "rating": "e" if own == 2 else "s",
            "file_url": f"{server.url}/image/{own}.jpg",
            "created_at": 1500000000,
        }
        for own in (3, 2, 1)
    ]
    for own in (1, 2, 3):
        server.page(f"/image/{own}.jpg", Reply(picture(own), kind="image/jpeg"))

    def board(path, number):
        first = path.startswith("/post.json") and ("page=1&" in f"{path}&" or "page" not in path)
        body = json.dumps(posts if first else []).encode()
        return Reply(body, kind="application/json")

    server.fallback = board

    def with_our_board(*arguments):
        config = configuration(*arguments)
        config["extractor"]["moebooru"] = {"ours": {"root": server.url}}
        return config

    monkeypatch.setattr(danbooru, "configuration", with_our_board)
    address = f"{server.url}/post?tags=blue_hair"
    manifest = danbooru.collect(tmp_path / "out", [], address, rate=100, progress=False)
    assert manifest.count == 2
    lines = (tmp_path / "out/records.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == ["ours-1", "ours-3"]
    assert rows[0]["blue_hair"] == 1 and rows[0]["smile"] == 1
    assert "/image/2.jpg" not in server.asked()
    asked = server.asked().count("/image/1.jpg")
    danbooru.collect(tmp_path / "out", [], address, rate=100, progress=False)
    assert server.asked().count("/image/1.jpg") == asked == 1
    # Another search for the same images gets them too; the first then finds what it fetched.
    other = f"{server.url}/post?tags=smile"
    assert danbooru.collect(tmp_path / "out", [], other, rate=100, progress=False).count == 2
    fewer = {"most": 1, "rate": 100, "progress": False}
    assert danbooru.collect(tmp_path / "out", [], address, **fewer).count == 1
    assert ids(tmp_path / "out") == {"ours-3"}
    assert server.asked().count("/image/1.jpg") == 2  # once for each search
