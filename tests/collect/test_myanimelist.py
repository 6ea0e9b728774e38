"""Pages of every kind and age to records."""

from __future__ import annotations

import random

import pytest
import site_pages as pages

from tfanime.collect import html
from tfanime.collect.myanimelist import (
    Record,
    anime_id,
    clean_synopsis,
    largest_poster,
    parse_page,
)

LAYOUTS = [pages.anime_2012, pages.anime_2018, pages.anime_2023]
URL = "https://myanimelist.net/anime/7/The_Tale"


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "url", ["", URL, "https://myanimelist.net/anime/7/", "http://x/anime/7", "saved/7.html"]
)
def test_an_animes_own_page(layout, url):
    (record,) = parse_page(layout(genres=("Action", "Drama", "Shounen")), url)
    assert record.id == 7 and record.title == "The Tale" and record.synopsis == "A tale."
    assert record.genres == ("Action", "Drama", "Shounen")
    assert (record.score, record.year, record.adult) == (8.81, 1998, False)
    large = "l" if layout is pages.anime_2023 else ""
    assert record.poster_url.endswith(f"/images/anime/6/7{large}.jpg")
    assert "/r/" not in record.poster_url


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_missing_is_none(layout):
    page = layout(
        genres=(),
        synopsis="No synopsis information has been added to this title. Help improve our database "
        'by adding a synopsis <a href="/dbchanges.php">here</a>.',
        score="N/A",
        aired="Not available",
    ).replace("Spring 1998", "?")
    (record,) = parse_page(page.replace("/images/anime/6/", "/img/"), URL)
    assert record == Record(7, "The Tale")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "change", [{"genres": ("Hentai",)}, {"genres": ("Erotica",)}, {"rating": "Rx - Hentai"}]
)
def test_adult_entries(layout, change):
    assert parse_page(layout(**change), URL)[0].adult


def test_a_page_of_the_site_itself_has_no_record():
    for page in ("", "<html></html>", "<h1>404 Not Found</h1>", b"\xff\xfe\x00", b"%PDF-1.4"):
        assert parse_page(page, "https://myanimelist.net/about.php") == []
        assert parse_page(page, "") == []


@pytest.mark.parametrize("card", [pages.card_2018, pages.card_2023])
def test_seasons(card):
    cards = (
        card(
            1, "One &amp; <b>Only</b>", ["Action", "Childcare"], "First.\n\nSecond. (Source: ANN)"
        ),
        card(2, "Two", ["Drama"], "(No synopsis yet.)", score="N/A"),
        card(1, "One & Only", ["Action"], "First."),
    )
    found = parse_page(
        pages.season_2018(*cards), "https://myanimelist.net/anime/season/2018/spring"
    )
    assert [record.id for record in found] == [1, 2]
    one, two = found
    assert one.title == "One & Only" and one.genres == ("Action", "Childcare")
    assert one.synopsis == "First.\n\nSecond."
    assert one.score in (8.88, 8.48) and one.year in (2018, 2022)
    assert one.poster_url.startswith("https://cdn.example/images/anime/9/1.")
    assert (two.synopsis, two.score) == (None, None)


def test_a_season_gives_its_year_where_the_date_is_unknown():
    page = pages.season_2018(
        pages.card_2018(1, "Known", ["Action"], "a", date="Oct 20, 1999"),
        pages.card_2018(2, "Unknown", ["Action"], "a", date="?"),
    )
    found = parse_page(page, "https://myanimelist.net/anime/season/2018/spring")
    assert [record.year for record in found] == [1999, 2018]


def test_adult_cards_without_genres_are_marked():
    page = pages.season_2018(pages.card_2018(1, "A", [], "a", kind="r18 js-r18"))
    assert parse_page(page)[0].adult


def test_the_top_list():
    page = pages.top(pages.top_row(5, "Five"), pages.top_row(6, "Six", "N/A", "Not yet aired"))
    five, six = parse_page(page, "https://myanimelist.net/topanime.php?limit=0")
    poster = "https://cdn.example/images/anime/5/5.jpg"
    assert five == Record(5, "Five", score=9.25, year=2009, poster_url=poster)
    assert (six.title, six.score, six.year) == ("Six", None, None)


def test_search_results():
    cells = ("TV", "13", "8.44", "10-02-11", "12-25-11", "677,070", "R")
    rows = (
        pages.search_row(1, "One", "A beginningMORE", *cells),
        pages.search_row(2, "Two", "Whole.", "OVA", "1", "0.00", "06-17-89", "-", "90", "Rx"),
        pages.search_row(3, "Three", "", "Movie", "1", "N/A", "-", "-", "2,018", "G"),
    )
    one, two, three = parse_page(pages.search(*rows), "https://myanimelist.net/anime.php?q=x")
    assert (one.title, one.score, one.year, one.adult) == ("One", 8.44, 2011, False)
    assert one.synopsis == "A beginning..." and one.cut
    assert (two.score, two.year, two.adult, two.cut) == (None, 1989, True, False)
    assert (three.synopsis, three.score, three.year) == (None, None, None)


def test_search_results_without_dates():
    columns = ("", "Title", "Type", "Eps.", "Score")
    page = pages.search(pages.search_row(1, "One", "All.", "TV", "-", "7.5"), columns=columns)
    (record,) = parse_page(page)
    assert (record.score, record.year) == (7.5, None)


@pytest.mark.parametrize(
    "raw, clean",
    [
        ("A.\r\n\r\n\r\n[Written by MAL Rewrite]", "A."),
        ("A.\n\n(Source: Crunchyroll)", "A."),
        ("A. (source: MAL News)", "A."),
        ("A.\n[Source: AniDB, edited (twice)]", "A."),
        ("A.\n(Source: ANN", "A."),
        ("A.\n\n(from ANN)\n\nB.", "A.\n\nB."),
        ("A man (from the future) came.", "A man (from the future) came."),
        ("(No synopsis yet.)", None),
        ("No synopsis has been added for this series yet.", None),
        ("There is no synopsis for this anime yet.", None),
        ("No description available.", None),
        ("[Written by MAL Rewrite]", None),
        (" \u200b\n ", None),
        ("Looking for information on the anime The Tale (What? A Tale)?", None),
        (
            "Looking for information on the anime The Tale? Find out more with MyAnimeList, the "
            "world's most active online anime and manga community and database.",
            None,
        ),
        (
            "Looking for information on the anime The Tale? Find out more with MyAnimeList, the "
            "world's most active online anime and manga community and database. "
            "A tale.\n\nIts end.",
            "A tale.\n\nIts end.",
        ),
        ("He is looking for information on the anime of his life.", ...),
        ("No synopsis could do it justice. " + "It is long. " * 30, ...),
    ],
)
def test_synopses(raw, clean):
    assert clean_synopsis(raw) == (raw.strip() if clean is ... else clean)


def test_the_sites_own_description_is_no_synopsis():
    about = (
        "Looking for information on the anime The Tale? Find out more with MyAnimeList, the "
        "world's most active online anime and manga community and database."
    )
    meta = f'<meta property="og:description" content="{about}"><link rel="canonical"'
    page = pages.anime_2018(synopsis="").replace('<link rel="canonical"', meta, 1)
    assert parse_page(page, URL)[0].synopsis is None


@pytest.mark.parametrize(
    "heading",
    [
        "<h2>Synopsis</h2>",
        "<div><h2>Synopsis</h2></div>",
        '<div class="a"><div><a href="/edit">Edit</a></div> <div><h2>Synopsis</h2> </div></div>',
    ],
)
def test_paragraphs_below_a_heading(heading):
    page = f"""<meta property="og:description" content="First. Second."><h1>The Tale</h1>
<div>{heading}First.<br><br>Second.<div><h2>Background</h2>Other.</div></div>"""
    assert parse_page(page, URL)[0].synopsis == "First.\n\nSecond."


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "aired, year",
    [
        ("? to 2001", None),
        ("? to Dec 24, 2001", None),
        ("Not available to 2001", None),
        ("2000 to ?", 2000),
        ("Apr ?, 2000 to 2001", 2000),
        ("Apr 3, 2000 to ?", 2000),
    ],
)
def test_the_year_is_that_of_the_start(layout, aired, year):
    page = layout(aired=aired).replace("Premiered", "Other").replace("Spring 1998", "?")
    assert parse_page(page, URL)[0].year == year


def test_ranges_in_lists():
    rows = (pages.top_row(5, "Five", dates="? - Jul 2010"), pages.top_row(6, "Six"))
    five, six = parse_page(pages.top(*rows), "https://myanimelist.net/topanime.php?limit=0")
    assert (five.year, six.year) == (None, 2009)


@pytest.mark.parametrize(
    "links, poster",
    [
        (["https://c/r/50x70/images/anime/6/7.jpg?s=1"], "https://c/images/anime/6/7.jpg"),
        (["https://c/images/anime/6/7t.jpg"], "https://c/images/anime/6/7.jpg"),
        (
            ["https://c/images/anime/6/7.jpg", "https://c/images/anime/6/7l.jpg"],
            "https://c/images/anime/6/7l.jpg",
        ),
        (["https://c/images/anime/1173/92110.webp"], "https://c/images/anime/1173/92110.webp"),
        (["https://c/images/qm_50.gif", "https://c/img/apple-touch-icon-256.png"], None),
        (["javascript:alert(1)", "data:image/png;base64,xx", "http://[::1", ""], None),
        (["file:///images/anime/6/7.jpg"], None),
    ],
)
def test_posters(links, poster):
    assert largest_poster(links) == poster


def test_links():
    assert anime_id("https://myanimelist.net/anime/21/One_Piece") == 21
    assert anime_id("/anime/21") == anime_id("/anime.php?id=21") == 21
    for link in (
        "/anime/21/One_Piece/video",
        "/anime/genre/1/Action",
        "/manga/21/x",
        "http://[::1",
    ):
        assert anime_id(link) is None


def test_scripts_in_titles_stay_text():
    page = pages.anime_2018(title="<script>alert(1)</script>&lt;script&gt;alert(2)&lt;/script&gt;")
    assert parse_page(page, URL)[0].title == "<script>alert(2)</script>"
    title = "../../etc/passwd\x00\x1b[31m\u202e"
    assert parse_page(pages.anime_2018(title=title), URL)[0].title == "../../etc/passwd[31m"


def test_huge_pages_are_refused():
    with pytest.raises(ValueError, match=r"at most 10,000,000 bytes. Received: 100,000,000"):
        parse_page(b"<p>" + bytes(100_000_000 - 3), URL)
    with pytest.raises(ValueError, match="text or bytes"):
        parse_page(None, URL)


def test_deep_and_damaged_pages():
    (record,) = parse_page("<div>" * 150 + pages.anime_2018(), URL)
    assert record.title == "The Tale"
    with pytest.raises(ValueError, match="at most 200 deep in each other"):
        parse_page("<div>" * 5_000 + pages.anime_2018(), URL)
    with pytest.raises(ValueError, match=r"at most 60,000 elements. Received: 1,000,000"):
        parse_page("<div>" * 1_000_000, URL)  # refused before a tree is made of it
    # Whatever is cut out of a page, something or nothing is read, and nothing fails.
    rng = random.Random(0)
    whole = [layout() for layout in LAYOUTS] + [
        pages.season_2018(
            pages.card_2018(1, "A", ["Action"], "a"), pages.card_2023(2, "B", [], "b")
        ),
        pages.top(pages.top_row(5, "Five")),
        pages.search(pages.search_row(1, "One", "MORE", "TV", "1", "5.0", "10-02-11", "", "", "R")),
    ]
    for page in whole:
        for _ in range(40):
            a, b = sorted(rng.sample(range(len(page)), 2))
            for url in ("", URL, "http://[::1"):
                for record in parse_page(page[:a] + page[b:], url):
                    assert record.title and record.id > 0


def test_encodings():
    page = pages.anime_2018(title="Ψ-nan é", synopsis="naïve")
    assert parse_page(page.encode(), URL)[0].title == "Ψ-nan é"
    assert parse_page(b"\xef\xbb\xbf" + page.encode(), URL)[0].title == "Ψ-nan é"
    assert "\ufffd" in parse_page(page.replace("Ψ", "").encode("latin-1"), URL)[0].title
    assert html.clean_line(" a\u00a0\tb\n\x07c\u200d ") == "a b c"
