"""Monthly lists and item pages of Getchu, in the encodings in which they come."""

from __future__ import annotations

import pytest
import site_pages as pages

from tfanime.collect.getchu import SQL, Item, item_id, parse_page

MONTH = pages.month(
    ("2014年12月4日発売タイトル", [(11, "夜", "ミンク")]),
    ("2014年12月26日発売タイトル", [(12, "恋①Ⅱ", "feng", "描き下ろしテレカ"), (13, "雪", "戯画")]),
)
URL = "http://www.getchu.com/all/month_title.html?genre=pc_soft&year=2014&month=12"


@pytest.mark.parametrize("encoding", ["euc_jis_2004", "utf-8", "cp932"])
@pytest.mark.parametrize("url", ["", URL])
def test_monthly_lists(encoding, url):
    page = MONTH if encoding != "cp932" else MONTH.replace("EUC-JP", "Shift_JIS")
    link = "http://www.getchu.com/soft.phtml?id="
    assert parse_page(page.encode(encoding), url) == [
        Item(11, "夜", "ミンク", "2014-12-04", link + "11"),
        Item(12, "恋①Ⅱ", "feng", "2014-12-26", link + "12"),
        Item(13, "雪", "戯画", "2014-12-26", link + "13"),
    ]


def test_lists_without_days_take_the_month():
    page = pages.month(("新作", [(11, "夜", "ミンク")])).encode("euc_jp")
    items = {item.id: item for item in parse_page(page)}
    assert items[11].sellday == "2014-12" and items[11].year == 2014


def test_broken_bytes_are_survived():
    page = MONTH.replace("①Ⅱ", "").encode("euc_jp")
    broken = page.replace("雪".encode("euc_jp"), b"\xff\xc0")
    assert [item.id for item in parse_page(broken)] == [11, 12, 13]


@pytest.mark.parametrize("url", ["", "http://www.getchu.com/soft.phtml?id=31&gc=gc"])
def test_item_pages(url):
    (found,) = parse_page(pages.item().encode("euc_jp"), url)
    assert (found.id, found.title, found.brand) == (31, "恋物語", "メーカー")
    assert (found.sellday, found.year) == ("2014-12-26", 2014)
    start = "http://www.getchu.com/brandnew/31/c31chara"
    assert found.pictures == tuple(f"{start}{n}.jpg" for n in (1, 2, 3))


def test_full_sizes_are_taken_instead_of_thumbnails():
    page = pages.item(characters=0).replace(
        "</BODY>",
        '<a href="./brandnew/31/c31charab1.jpg"><img src="./brandnew/31/c31charab1_s.jpg"></a>'
        '<img data-src="/brandnew/31/c31chara2_s.jpg"></BODY>',
    )
    (found,) = parse_page(page, "http://www.getchu.com/soft.phtml?id=31")
    start = "http://www.getchu.com/brandnew/31/c31chara"
    assert found.pictures == (f"{start}b1.jpg", f"{start}2_s.jpg")


def test_the_question_for_the_age_has_no_item():
    url = "http://www.getchu.com/soft.phtml?id=31"
    assert parse_page(pages.AGE_GATE.encode("euc_jp"), url) == []


@pytest.mark.parametrize(
    "page", ["", "<html></html>", b"\xff\xfe\x00", "<a href='http://[::1'>x</a>"]
)
def test_other_pages_have_no_item(page):
    assert parse_page(page, "") == parse_page(page, URL) == parse_page(page, "http://[::1") == []


@pytest.mark.parametrize(
    "day, year", [("2014-12-26", 2014), ("2014-12", 2014), ("2030-12-31", ...), (None, None)]
)
def test_years(day, year):
    from datetime import date

    expected = (2030 if date.today().year >= 2029 else None) if year is ... else year
    assert Item(1, "t", None, day, "l").year == expected


def test_links():
    assert item_id("/soft.phtml?id=838904 ") == 838904
    assert item_id("http://www.getchu.com/soft.phtml?id=1&gc=gc") == 1
    assert item_id("/soft.phtml?id=../../x") is None and item_id("/other.phtml?id=1") is None


def test_the_query_gives_the_columns_that_are_read():
    assert SQL.startswith("SELECT g.id, g.gamename, g.sellday, ") and "as links" in SQL


def test_huge_pages_are_refused():
    with pytest.raises(ValueError, match="at most 10,000,000 bytes"):
        parse_page(bytes(10_000_001))
