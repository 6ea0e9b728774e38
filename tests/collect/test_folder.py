"""Collections on disk: what is kept, what is left out, what a kill leaves behind."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace

import pytest
import site_pages as pages
from bad_server import QUICK, Reply, busy, flat_picture, moved, picture

from tfanime.collect import folder as module
from tfanime.collect import getchu, myanimelist
from tfanime.collect.folder import Collection, Picture, check, keep_pictures, safe_name, write_csv
from tfanime.core.manifest import Manifest, Step


def collect(server, out, **options):
    options = {"ids": [1], "rate": 200, "limits": QUICK, "progress": False, **options}
    return myanimelist.collect(out, base_url=server.url, **options)


def rows_of(out):
    return [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]


def anime(server, own, body=None, kind="image/jpeg", **fields):
    """An anime's page and its poster on the server."""
    title = fields.pop("title", f"Title {own}")
    page = pages.anime_2018(own, title, **fields).replace("https://cdn.example", server.url)
    server.page(f"/anime/{own}/", page.encode())
    if body is not None:
        server.page(f"/images/anime/6/{own}.jpg", Reply(body, kind=kind))


def test_a_collection(server, tmp_path):
    for own in (1, 2):
        anime(server, own, picture(own))
    manifest = collect(server, tmp_path / "out", ids=[2, 1, 2])
    rows = rows_of(tmp_path / "out")
    assert [row["id"] for row in rows] == [2, 1]
    assert rows[0]["picture"] == "pictures/2.jpg" and rows[0]["title"] == "Title 2"
    assert (tmp_path / "out" / rows[0]["picture"]).read_bytes() == picture(2)
    assert (rows[0]["width"], rows[0]["height"]) == (48, 64)
    assert manifest == Manifest.read(tmp_path / "out") and manifest.count == 2
    assert manifest.steps[1] == Step("named once", 2, {"named again": 1})


def test_what_is_left_out_is_counted(server, tmp_path):
    good = range(1, 6)
    for own in good:
        anime(server, own, picture(own))
    anime(server, 10, picture(10), synopsis="No synopsis yet.")
    anime(server, 11, picture(11), genres=())
    anime(server, 12, picture(12), genres=("Hentai",))
    anime(server, 13)  # its poster is 404
    anime(server, 14, b"<html>no picture</html>")
    anime(server, 15, picture(15)[:200])
    anime(server, 16, flat_picture("PNG"), kind="image/png")
    anime(server, 17, picture(1))  # another one's poster
    for own in range(20, 24):
        anime(server, own, picture(20))  # a tile, whatever it shows
    anime(server, 30, picture(30), kind="text/html")
    server.page("/anime/31/", pages.anime_2018(31).encode())  # its poster is elsewhere
    server.page("/anime/32/", moved("http://example.org/"))
    server.page("/anime/33/", b"<html>under construction</html>")
    server.page("/anime/34/", busy(503))
    ids = [*good, *range(10, 18), *range(20, 24), *range(30, 36)]
    out = tmp_path / "out"
    manifest = collect(server, out, ids=ids)
    steps = {step.name: step.dropped for step in manifest.steps}
    assert steps["own pages"] == {
        "foreign host": 1,
        "not understood": 1,
        "not reachable for now": 1,
        "status 404": 1,
    }
    assert steps["complete"] == {"without synopsis": 1, "without genres": 1, "adult": 1}
    assert steps["pictures"] == {
        "status 404": 1,
        "not a picture": 1,
        "damaged": 1,
        "placeholder": 5,
        "duplicate": 1,
        "wrong type": 1,
        "foreign host": 1,
    }
    assert [row["id"] for row in rows_of(out)] == list(good)
    assert sorted(os.listdir(out / "pictures")) == [f"{own}.jpg" for own in good]

    # Again: only what failed in passing is asked for, and the robots are known.
    asked = len(server.log)
    assert collect(server, out, ids=ids).steps == manifest.steps
    assert set(server.asked()[asked:]) == {"/anime/34/"}
    # Other filters on the same folder need no new page either.
    adult = collect(server, out, ids=ids, adult=True, needed=("genres",))
    assert adult.count == len(good) + 2
    assert "/images/anime/6/1.jpg" not in server.asked()[asked:]


def test_folders_and_litter_among_the_pictures_stay(server, tmp_path):
    for own in (1, 2):
        anime(server, own, picture(own))
    collect(server, tmp_path, ids=[1, 2])
    (tmp_path / "pictures" / "@eaDir").mkdir()
    (tmp_path / "pictures" / "small" / "2.jpg").mkdir(parents=True)
    (tmp_path / "pictures" / "Thumbs.db").write_bytes(b"notes")
    collect(server, tmp_path, ids=[2])
    assert [row["id"] for row in rows_of(tmp_path)] == [2]
    assert {*os.listdir(tmp_path / "pictures")} == {"2.jpg", "@eaDir", "small", "Thumbs.db"}


def test_records_that_cannot_be_written_cost_no_pictures(server, tmp_path):
    for own in (1, 2):
        anime(server, own, picture(own))
    collect(server, tmp_path, ids=[1])
    (tmp_path / "records.jsonl").rename(tmp_path / "before.jsonl")
    (tmp_path / "records.jsonl").mkdir()  # nothing can be written here
    with pytest.raises(OSError):
        collect(server, tmp_path, ids=[2])
    assert (tmp_path / "pictures" / "1.jpg").read_bytes() == picture(1)


def test_a_wall_against_robots_loses_nothing(server, tmp_path):
    """403 for everything for a while, then the same command again."""
    ids = range(1, 13)
    for own in ids:
        anime(server, own, picture(own))
    routes, server.routes = server.routes, {}
    server.fallback = lambda path, number: busy(403)
    with pytest.raises(RuntimeError, match="8 addresses in a row failed.*status 403.*again later"):
        collect(server, tmp_path / "out", ids=ids, limits=replace(QUICK, attempts=1))
    pages_only = {path: route for path, route in routes.items() if path.startswith("/anime")}
    server.routes = pages_only
    with pytest.raises(RuntimeError, match="8 addresses in a row failed"):
        collect(server, tmp_path / "out", ids=ids, limits=replace(QUICK, attempts=1))
    server.routes = routes
    assert collect(server, tmp_path / "out", ids=ids).count == len(ids)


def test_a_list_that_cannot_be_had_says_what_to_do(server, tmp_path):
    server.fallback = lambda path, number: busy(403)
    options = {"rate": 200, "limits": QUICK, "progress": False, "base_url": server.url}
    with pytest.raises(RuntimeError, match="A list .* read: status 403: .*again later"):
        myanimelist.collect(tmp_path / "a", seasons=["2018/spring"], **options)
    with pytest.raises(RuntimeError, match="A list .* read: status 403: .*again later"):
        getchu.collect(tmp_path / "b", months=["2014-12"], **options)
    server.fallback = None
    with pytest.raises(RuntimeError, match="A list .* read: status 404: .*in a browser"):
        getchu.collect(tmp_path / "c", months=["2014-12"], **options)


def test_refusals_in_the_journal_of_an_earlier_version_are_asked_again(server, tmp_path):
    anime(server, 1, picture(1))
    collect(server, tmp_path / "out")
    with Collection(tmp_path / "out") as collection:
        collection._journal.execute("UPDATE pictures SET file = '', refused = 'status 403'")
    assert collect(server, tmp_path / "out").count == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "out" / ".collect" / "lock.sqlite").mkdir(parents=True)
    with pytest.raises(OSError, match=r"can be written. Received: '.*out'"):
        Collection(tmp_path / "out")


def test_lists_are_read_to_their_end(server, tmp_path):
    def reach(card):
        return card.replace("https://cdn.example", server.url)

    for own in range(1, 8):
        anime(server, own, picture(own))
        server.page(f"/images/anime/9/{own}.jpg", Reply(picture(own), kind="image/jpeg"))
    cards = [reach(pages.card_2018(own, f"T{own}", ["Drama"], "Text.")) for own in range(1, 8)]
    server.page("/anime/genre/8?page=1", pages.season_2018(*cards[:3]).encode())
    server.page("/anime/genre/8?page=2", pages.season_2018(*cards[3:5]).encode())
    manifest = collect(server, tmp_path / "a", ids=(), genres=[8])
    assert manifest.count == 5 and "/anime/genre/8?page=3" in server.asked()
    assert "genre 8" in manifest.source

    server.page("/anime/season/2018/spring", pages.season_2018(*cards[4:7]).encode())
    manifest = collect(server, tmp_path / "a", ids=[1], genres=[8], seasons=["2018/spring"], most=6)
    assert [row["id"] for row in rows_of(tmp_path / "a")] == [
        5,
        6,
        7,
        1,
        2,
        3,
    ] or manifest.count == 6
    with pytest.raises(RuntimeError, match="A list must name something"):
        server.page("/anime/season/1990/fall", b"<html></html>")
        collect(server, tmp_path / "b", ids=(), seasons=["1990/fall"])


def test_the_most_popular_of_some_years(server, tmp_path):
    for own, year in enumerate((1985, 1992, 2001, 2024, 2010), start=1):
        aired = f"Apr 1, {year} to Sep 1, {year}"
        anime(server, own, picture(own), aired=aired)
    rows = [
        pages.top_row(1, "T1", dates="Apr 1985 - Jul 1985"),
        pages.top_row(2, "T2", dates="Apr 1992 - Jul 1992"),
        pages.top_row(3, "T3", dates="not known"),
        pages.top_row(4, "T4", dates="not known"),
        pages.top_row(5, "T5", dates="Apr 2010 - Jul 2010"),
    ]
    page = pages.top(*rows).replace("https://cdn.example", server.url)
    server.page("/topanime.php?type=bypopularity&limit=0", page.encode())
    for own in range(1, 6):
        server.page(f"/images/anime/5/{own}.jpg", Reply(picture(own), kind="image/jpeg"))
    years = {"from_year": 1990, "to_year": 2019}
    manifest = collect(server, tmp_path / "a", ids=(), popular=5, **years)
    assert [(row["id"], row["year"]) for row in rows_of(tmp_path / "a")] == [
        (2, 1992),
        (3, 2001),
        (5, 2010),
    ]
    steps = {step.name: step.dropped for step in manifest.steps}
    assert steps["of these years"] == {"before 1990 or after 2019": 1}  # whose page is not read
    assert steps["complete"] == {"before 1990 or after 2019": 1}
    assert "/anime/1/" not in server.asked() and "/anime/4/" in server.asked()
    assert "5 most popular" in manifest.source and manifest.settings["from_year"] == 1990
    with pytest.raises(ValueError, match="from_year is at most to_year. Received: 2001 and 2000"):
        collect(server, tmp_path / "b", popular=1, from_year=2001, to_year=2000)


def test_a_year_is_its_four_seasons(server, tmp_path):
    anime(server, 1, picture(1))
    card = pages.card_2018(1, "T", ["Drama"], "Text.").replace("https://cdn.example", server.url)
    server.page("/images/anime/9/1.jpg", Reply(picture(1), kind="image/jpeg"))
    seasons = ("winter", "spring", "summer", "fall")
    for season in seasons:
        server.page(f"/anime/season/2018/{season}", pages.season_2018(card).encode())
    manifest = collect(server, tmp_path / "a", ids=(), years=[2018])
    assert manifest.count == 1
    assert {f"/anime/season/2018/{season}" for season in seasons} <= set(server.asked())
    with pytest.raises(ValueError, match="whole number such as 2018. Received: '18'"):
        collect(server, tmp_path / "b", ids=(), years=["18"])


def test_search_results_are_completed_from_their_own_pages(server, tmp_path):
    anime(server, 1, picture(1), synopsis="The whole text.", genres=("Comedy",))
    row = pages.search_row(1, "Title 1", "The whMORE", "TV", "1", "5.0", "10-02-11", "-", "9", "G")
    server.page("/anime.php?q=a+b%26c&show=0", pages.search(row).encode())
    server.page("/anime.php?q=a+b%26c&show=50", pages.search().encode())
    collect(server, tmp_path / "out", ids=(), searches=["a b&c"])
    (found,) = rows_of(tmp_path / "out")
    assert (found["synopsis"], found["genres"]) == ("The whole text.", ["Comedy"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"ids": ()}, "Something must be asked for"),
        ({"ids": [0]}, "whole numbers above 0"),
        ({"seasons": ["spring 2018"]}, "written 2018/spring"),
        ({"needed": ["colour"]}, "needed are some of"),
        ({"contact": "me"}, "e-mail address or a web page"),
        ({"rate": 0}, "requests a second"),
    ],
)
def test_wrong_arguments(server, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        collect(server, tmp_path / "out", **options)
    assert server.log == []


def test_folders_that_hold_something_else_are_not_touched(server, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="which holds something else"):
        collect(server, tmp_path)
    with pytest.raises(ValueError, match="named like http://host:port"):
        myanimelist.collect(tmp_path / "out", ids=[1], base_url="ftp://x")


def test_one_process_at_a_time(tmp_path):
    held = pytest.raises(RuntimeError, match="another one is collecting")
    with Collection(tmp_path / "out"), held:
        Collection(tmp_path / "out")
    with Collection(tmp_path / "out"):
        pass


def test_a_picture_stored_just_before_a_kill_is_found(server, tmp_path, open_client):
    url = server.page("/7.jpg", Reply(picture(7), kind="image/jpeg"))
    client = open_client()
    with Collection(tmp_path / "out") as collection:
        first = collection.fetch_pictures([("7", url)], client, progress=False)
        collection._journal.execute("DELETE FROM pictures")  # killed before the journal's line
        again = collection.fetch_pictures([("7", url)], client, progress=False)
        assert first == again and server.asked("/robots.txt") == ["/7.jpg"]


def test_pictures_that_are_none():
    assert check(b"", "a.jpg").refused == "empty file"
    assert check(b"<html>", "a.jpg").refused == "not a picture"
    assert check(picture(1)[:300], "a.jpg").refused == "damaged"
    assert check(flat_picture(), "a.png").refused == "placeholder"
    for grey in (20, 128, 255):
        assert check(flat_picture("JPEG", grey), "a.jpg").refused == "placeholder"
    kept = check(picture(1), "a.jpg")
    assert (kept.file, kept.width, kept.height, kept.refused) == ("a.jpg", 48, 64, "")


def test_which_pictures_stay():
    one, two, tile = (Picture("f", name) for name in "abt")
    found = {"1": one, "2": two, "3": one, "4": Picture(refused="damaged")}
    found |= {str(name): tile for name in range(5, 5 + module.REPEATED)}
    kept, step = keep_pictures(list(found), found)
    assert kept == ["1", "2"]
    assert step.dropped == {"duplicate": 1, "damaged": 1, "placeholder": module.REPEATED}


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a" * 101, "a\x00", "con:", "-x"])
def test_names_cannot_lead_elsewhere(name):
    with pytest.raises(ValueError, match="letters, digits"):
        safe_name(name)


def test_tables_hold_no_formulas(tmp_path):
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "plain", -1, None, 'say "x", y']
    write_csv(tmp_path / "a.csv", [cells])
    with (tmp_path / "a.csv").open(newline="") as file:
        (row,) = csv.reader(file)
    assert row == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "plain", "-1", "", 'say "x", y']


def test_getchu(server, tmp_path):
    for own, day in ((31, "2014/12/26"), (32, "2003/01/24"), (33, "2014/12/26")):
        page = pages.item(own, f"作品{own}", 2 if own != 33 else 0, day, server.url)
        server.page(f"/soft.phtml?id={own}&gc=gc", Reply(page.encode("euc_jp")))
        for n in (1, 2):
            url = f"/brandnew/{own}/c{own}chara{n}.jpg"
            server.page(url, Reply(picture(own * 10 + n), kind="image/jpeg"))
    table = tmp_path / "games.csv"
    table.write_text(
        "id,gamename,sellday,links\n"
        "1,=HYPERLINK(1),2014-12-26,www.getchu.com/soft.phtml?id=31\n"
        "2,old,2003-01-24,www.getchu.com/soft.phtml?id=32\n"
        "3,empty,2014-12-26,www.getchu.com/soft.phtml?id=33\n"
        "4,undecided,2099-12-31,www.getchu.com/soft.phtml?id=34\n"
        "5,nowhere,2014-12-26,www.getchu.com/soft.phtml?id=\n",
        encoding="utf-8",
    )
    options = {"base_url": server.url, "rate": 200, "limits": QUICK, "progress": False}
    manifest = getchu.collect(tmp_path / "a", table, from_year=2005, **options)
    rows = rows_of(tmp_path / "a")
    assert [(row["id"], row["year"], row["title"]) for row in rows] == [
        ("31-1", 2014, "作品31"),
        ("31-2", 2014, "作品31"),
    ]
    assert (tmp_path / "a/labels.csv").read_text() == "file,year\n31-1.jpg,2014\n31-2.jpg,2014\n"
    steps = {step.name: step.dropped for step in manifest.steps}
    assert steps["found"] == {"rows without a link": 1}  # named, and the others went on
    assert steps["released"] == {"before 2005": 1, "without sell day": 1}
    assert steps["items with characters"] == {"without characters": 1}

    listed = pages.month(("2003年1月24日発売タイトル", [(32, "old", "b")])).encode("euc_jp")
    query = "genre=pc_soft&gage=&year=2003&month=01&gc=gc"
    server.page(f"/all/month_title.html?{query}", listed)
    manifest = getchu.collect(tmp_path / "b", months=["2003-01"], **options)
    assert manifest.count == 2
    with pytest.raises(ValueError, match="written 2014-12"):
        getchu.collect(tmp_path / "c", months=["2014/12"], **options)
    table.write_text("gamename,sellday,links\nx,2014-01-01,http://evil.example/\n")
    with pytest.raises(ValueError, match=r"games.csv, line 2: the link leads to soft.phtml"):
        getchu.collect(tmp_path / "c", table, **options)
