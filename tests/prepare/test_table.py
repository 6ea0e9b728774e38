import numpy as np
import pytest

from tfanime.labels import MAKEGIRLSMOE
from tfanime.prepare.table import read_labels, read_table

nan = np.nan
NAMES = [f"{i}.png" for i in range(10)]


def table(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding, "surrogateescape"))
    return path


def columns(tmp_path, header, rows, names=NAMES):
    lines = [f"file,{header}", *(f"{name},{row}" for name, row in zip(names, rows, strict=False))]
    return read_labels(table(tmp_path, "\n".join(lines)), names)


def test_bad_rows_are_listed_with_their_line(tmp_path):
    path = table(
        tmp_path,
        'file,a\n1.png,1\n2.png\n\n3.png,1,2\n,5\n"multi\nline.png",6\n'
        'bad\udcff.png,7\n9.png,8\n"open,1\n2,3\n',
    )
    found = read_table(path)
    assert found.files == ["1.png", "multi\nline.png", "9.png"] and found.rows == [2, 7, 10]
    rejected = {one.row: one.detail for one in found.rejected}
    assert rejected[3] == "1 cells, the header has 2"
    assert rejected[5] == "3 cells, the header has 2"
    assert rejected[6] == "no file name"
    assert rejected[9] == "not UTF-8"
    assert "it runs to line 12: is a quote left open?" in rejected[11]
    assert {one.reason for one in found.rejected} == {"bad row"} and len(rejected) == 5


@pytest.mark.parametrize("header", ["", "name,a", "file,a,a", "file,,a", "file,file"])
def test_unusable_headers(tmp_path, header):
    with pytest.raises(ValueError, match="line 1 must name every column once"):
        read_table(table(tmp_path, header + "\n1,2,3\n"))


def test_missing_table(tmp_path):
    with pytest.raises(ValueError, match="Labels are a CSV"):
        read_table(tmp_path / "none.csv")


def test_byte_order_mark_and_windows_lines(tmp_path):
    found = read_table(table(tmp_path, "\ufefffile, a\r\n 1.png , x\r\n"))
    assert found.files == ["1.png"] and found.cells == [["x"]] and found.columns == ("a",)


def test_every_kind_of_column(tmp_path):
    labels = columns(
        tmp_path,
        "hair,smile,year,genre,title,same,none",
        [
            "blue,1,2000,Action|Sci-Fi,A,x,",
            "red,0,2010,Action,B,x,",
            "blue,,2005,,C,x,",
            "blue,true,,smile,D,x,",
        ],
    )
    kinds = [(field.name, field.kind) for field in labels.schema.fields]
    assert kinds == [
        ("hair", "group"),
        ("smile", "flag"),
        ("year", "value"),
        ("action", "flag"),
        ("sci_fi", "flag"),
        ("genre_smile", "flag"),  # `smile` was taken
    ]
    assert labels.schema.field("hair").values == ("blue", "red")
    year = labels.schema.field("year")
    assert (year.low, year.high) == (2000, 2010)
    np.testing.assert_array_equal(labels.values["0.png"], np.float32([1, 0, 1, 0, 1, 1, 0]))
    np.testing.assert_array_equal(labels.values["2.png"], [1, 0, nan, 0.5, nan, nan, nan])
    assert labels.ignored == {
        "title": "4 different texts, too many for a group",
        "same": "always 'x'",
        "none": "no cell is filled",
    }
    assert not labels.bad and not labels.rejected


def test_odd_cells_are_mislabelled(tmp_path):
    labels = columns(tmp_path, "smile,year", ["1,2000"] * 8 + ["maybe,2001", "0,soon"])
    assert labels.bad["8.png"].detail == "smile is 0 or 1, not 'maybe'"
    assert labels.bad["9.png"].detail == "year is a number, not 'soon'"
    assert labels.bad["9.png"].row == 11 and labels.bad["9.png"].reason == "mislabelled"
    assert set(labels.values) == set(NAMES[:8])


def test_too_many_values(tmp_path):
    names = [f"{i}.png" for i in range(200)]
    labels = columns(tmp_path, "a,b", [f"t{i % 65},v{i % 65}|w" for i in range(200)], names)
    assert labels.schema is None
    assert set(labels.ignored) == {"a", "b"}


def test_identifiers_are_no_values(tmp_path):
    names = [f"{i}.png" for i in range(100)]
    rows = [f"{7 * i},{2000 + i % 50},{i / 8}" for i in range(100)]
    labels = columns(tmp_path, "id,year,score", rows, names)
    assert [field.name for field in labels.schema.fields] == ["year", "score"]
    assert labels.ignored == {"id": "whole numbers that never repeat, as identifiers do"}


def test_makegirlsmoe_columns(tmp_path):
    good = ["0"] * 34
    good[3] = good[18] = good[24] = "1"  # blue hair, blush, blue eyes
    two, none, empty = list(good), list(good), list(good)
    two[0], none[24] = "1", "0"
    empty[:13] = [""] * 13
    order = list(range(34))[::-1]  # columns in another order than the schema's
    header = ",".join(MAKEGIRLSMOE.columns[i] for i in order) + ",hat_size"
    rows = [
        ",".join(row[i] for i in order) + f",{k}" for k, row in enumerate((good, two, none, empty))
    ]
    labels = columns(tmp_path, header, rows)
    assert labels.schema.columns == (*MAKEGIRLSMOE.columns, "hat_size")
    assert labels.schema.decode(labels.values["0.png"])["hair"] == "blue"
    assert labels.bad["1.png"].detail == "hair: 2 of 13 values set, not exactly one"
    assert labels.bad["2.png"].detail == "eyes: 0 of 10 values set, not exactly one"
    assert np.isnan(labels.values["3.png"][:13]).all() and labels.values["3.png"][18] == 1


@pytest.mark.parametrize(
    ("cell", "names", "expected"),
    [
        ("a/1.png", ["a/1.png", "b/1.png"], "a/1.png"),
        ("./a/1.png", ["a/1.png"], "a/1.png"),
        ("a\\1.png", ["a/1.png"], "a/1.png"),
        ("a/1.jpg", ["a/1.png", "b/1.png"], "a/1.png"),  # the ending may differ
        ("1.png", ["a/1.png", "a/2.png"], "a/1.png"),  # base name
        ("1", ["a/1.png"], "a/1.png"),  # stem
        ("1.jpg", ["a/1.png"], "a/1.png"),
        ("v1.5", ["v1.5.png"], "v1.5.png"),
        ("caf\u00e9.png", ["cafe\u0301.png"], "cafe\u0301.png"),  # macOS
        ("b/1.png", ["a/1.png"], "row without picture"),  # another folder's picture
        ("3.png", ["a/1.png"], "row without picture"),
        ("..", ["a/1.png"], "row without picture"),
        ("1.png", ["a/1.png", "b/1.png"], "ambiguous row"),
        ("1", ["1.png", "1.jpg"], "ambiguous row"),
    ],
)
def test_matching(tmp_path, cell, names, expected):
    labels = read_labels(table(tmp_path, f"file,a,b\n{cell},1,2\n"), names)
    found = [*labels.values, *(one.reason for one in labels.rejected)]
    assert found == [expected]
    assert all(one.row == 2 and one.file == cell for one in labels.rejected)


def test_contradictions(tmp_path):
    path = table(tmp_path, "file,a\n1.png,1\n1.png,0\n2.png,0\n2.png,0\n")
    labels = read_labels(path, NAMES)
    assert set(labels.values) == {"2.png"}
    assert labels.bad["1.png"].detail == "lines 2 and 3 of labels.csv disagree"
    assert not labels.rejected
