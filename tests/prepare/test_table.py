import numpy as np
import pytest

from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.prepare.table import read_table
from tfanime.prepare.table_columns import _number
from tfanime.prepare.table_labels import read_labels

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
        'bad\udcff.png,7\n9.png,8\né.png,8\n"open,1\n2,3\n',
    )
    found = read_table(path)
    assert found.files == ["1.png", "multi\nline.png", "9.png", "é.png"]
    assert found.rows == [2, 7, 10, 11]
    rejected = {one.row: one.detail for one in found.rejected}
    assert rejected[3] == "1 cells, the header has 2"
    assert rejected[5] == "3 cells, the header has 2"
    assert rejected[6] == "no file name"
    assert rejected[9] == "not UTF-8"
    assert "it runs to line 13: is a quote left open?" in rejected[12]
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
    labels = columns(tmp_path, "a", [f"t{i % 65}" for i in range(200)], names)
    assert labels.schema is None
    assert set(labels.ignored) == {"a"}


@pytest.mark.parametrize(("column", "separator"), [("b", "|"), ("tags", " "), ("Tags", "; ")])
def test_the_commonest_tags_are_kept(tmp_path, column, separator):
    names = [f"{i}.png" for i in range(200)]
    # "w" is everywhere; t0 to t99 twice each, and t0 to t9 in ten more rows.
    rows = [separator.join(["w", f"t{i % 100}", f"t{i % 10}"]) for i in range(200)]
    path = table(tmp_path, f"file,{column}\n" + "".join(map("{},{}\n".format, names, rows)))
    labels = read_labels(path, names)
    kept = labels.schema.columns
    assert len(kept) == 64 and {"w", *(f"t{i}" for i in range(10))} < set(kept)
    assert labels.notes == (
        f"{column}: the 64 commonest of 101 values are kept (most_tags, --most-tags)",
    )
    few = read_labels(path, names, most_tags=11).schema.columns
    assert set(few) == {"w", *(f"t{i}" for i in range(10))}
    everything = read_labels(path, names, most_tags=200)
    assert len(everything.schema.columns) == 101 and not everything.notes
    row = everything.values["37.png"]
    where = everything.schema.columns.index
    assert row.sum() == 3 and row[where("w")] == row[where("t37")] == row[where("t7")] == 1


@pytest.mark.parametrize(
    ("column", "odd"), [("tag_string", "a;b"), ("tags", ";d"), ("tags", ";)"), ("tags", "no,_no")]
)
def test_signs_in_tags_that_blanks_separate(tmp_path, column, odd):
    labels = columns(tmp_path, column, ["smile hat", f'"hat {odd}"', "smile", "bow hat"])
    assert {"smile", "hat", "bow"} <= set(labels.schema.columns)
    assert labels.values["1.png"][labels.schema.columns.index("hat")] == 1


def test_columns_that_are_ignored_leave_no_image_out(tmp_path):
    names = [f"{i}.png" for i in range(80)]
    sources = [f"x{i}" if i % 10 == 0 else 9000 + i for i in range(80)]
    always = ["odd" if i == 3 else 7 for i in range(80)]
    rows = list(map("{},{},{}".format, sources, always, 40 * ("red", "blue")))
    labels = columns(tmp_path, "source,always,hair", rows, names)
    assert set(labels.ignored) == {"source", "always"} and not labels.bad
    assert labels.schema.columns == ("blue_hair", "red_hair") and len(labels.values) == 80


def test_words_with_blanks_elsewhere_are_values(tmp_path):
    labels = columns(tmp_path, "hair,tags", ["light blue,a", "red,b", "red,a", "light blue,"])
    assert labels.schema.field("hair").values == ("light blue", "red")
    assert labels.schema.field("tags").values == ("a", "b")


def test_spellings_of_one_value_are_one(tmp_path):
    rows = [
        "Pink",
        "pink",
        "pink",
        "BLUE",
        "blue",
        "Ｂｌｕｅ",
        "light  green",
        "Light Green",
        "blue",
    ]
    labels = columns(tmp_path, "hair", rows)
    assert labels.schema.field("hair").values == ("blue", "light  green", "pink")
    assert "hair: 'Pink' and 'pink' are one, 'pink'" in labels.notes
    assert len(labels.notes) == 3
    np.testing.assert_array_equal(labels.values["0.png"], labels.values["1.png"])
    one = columns(tmp_path, "hair", ["Pink", "pink", "pink"])
    assert one.schema is None and one.ignored == {"hair": "always 'pink'"}


def test_labels_of_the_same_name(tmp_path):
    rows = ["blue,1,smile hat,0", "red,0,hat,1", "blue,1,smile,0"]
    labels = columns(tmp_path, "hair,blue_hair,tags,smile", rows)
    assert labels.schema.columns == ("blue_hair", "red_hair", "hat", "tags_smile", "smile")
    assert labels.ignored == {"blue_hair": "its labels are named like those of another column"}


# ---- how tables are written --------------------------------------------------------------------

JAPANESE = "file,髪\n顔1.png,青い\n顔2.png,赤い\n顔3.png,青い\n"
FRENCH = "file,couleur\nété.png,doré\nñandú.png,bleu\nAndréa.png,doré\n"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", JAPANESE),
        ("utf-8-sig", JAPANESE),
        ("utf-16", JAPANESE),
        ("utf-16-le", JAPANESE),
        ("utf-16-be", JAPANESE),
        ("utf-32", JAPANESE),
        ("cp932", JAPANESE),
        ("latin-1", FRENCH),
        ("cp1252", FRENCH.replace("doré", "“doré”")),
    ],
)
def test_encodings(tmp_path, encoding, text):
    lines = [line.split(",") for line in text.splitlines()]
    names = [line[0] for line in lines[1:]]
    labels = read_labels(table(tmp_path, text, encoding), names)
    assert not labels.rejected and set(labels.values) == set(names)
    (field,) = labels.schema.fields
    assert field.name == lines[0][1] and set(field.values) == {line[1] for line in lines[1:]}
    guessed = {"cp932": "Japanese", "latin-1": "Western", "cp1252": "Western"}.get(encoding)
    if guessed is None:
        assert not labels.notes
    else:
        assert f"labels.csv is no UTF-8 and is read as {guessed}" in labels.notes[0]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["file", "File", "FILENAME", "file_name", "Image", "path"])
def test_separators_and_names_of_the_first_column(tmp_path, separator, header):
    lines = [[header, "hair", "smile"], ["0.png", "blue, dark", "1"], ["1.png", "red", "0"]]
    lines += [["2.png", "red", "0"]]
    quoted = '"blue, dark"' if separator == "," else "blue, dark"
    text = "\n".join(separator.join(line).replace("blue, dark", quoted) for line in lines)
    labels = read_labels(table(tmp_path, text), NAMES)
    assert labels.schema.columns == ("blue, dark_hair", "red_hair", "smile")


def test_nul_bytes_are_named_with_their_row(tmp_path):
    labels = read_labels(table(tmp_path, "file,a\n0.png,1\n1\0.png,0\n2.png,0\0\n3.png,0\n"), NAMES)
    assert [one.row for one in labels.rejected] == [3, 4]
    assert all("NUL" in one.detail for one in labels.rejected)
    assert set(labels.values) == {"0.png", "3.png"}


def test_too_many_columns_are_refused(tmp_path):
    wide = ",".join(f"c{i}" for i in range(20_000))
    with pytest.raises(ValueError, match="at most 1,000 columns .*labels.csv with 20,000"):
        read_labels(table(tmp_path, f"file,{wide}\n0.png" + ",1" * 20_000), NAMES)
    rows = [" ".join(f"t{i}x{k}" for k in range(300)) + f",{'x|' * 99}" for i in range(5)]
    labels = read_labels(
        table(
            tmp_path, "file,tags,b\n" + "".join(f"{i}.png,{row}\n" for i, row in enumerate(rows))
        ),
        NAMES,
        most_tags=1000,
    )
    assert labels.schema.size == 1000


# ---- rows and pictures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "mix/a/1.png",
        "./mix/a/1.png",
        "../set/mix/a/1.png",
        "{root}/a/1.png",
        "mix\\a\\1.png",
        "a/1.png",
    ],
)
def test_rows_may_begin_with_the_folder(tmp_path, cell):
    root = tmp_path / "set" / "mix"
    (tmp_path / "tables").mkdir()
    path = table(tmp_path / "tables", "file,a\n" + cell.format(root=root) + ",1\n")
    assert set(read_labels(path, ["a/1.png", "b/1.png"], root).values) | {"a/1.png"} == {"a/1.png"}
    assert not read_labels(path, ["a/1.png", "b/1.png"], root).rejected


def test_a_table_of_which_no_row_names_a_picture_is_refused(tmp_path):
    for text, message in [
        ("file,a\n/data/1.png,1\n/data/2.png,0\n", r"first is /data/1.png \(line 2\): row without"),
        ("file,a\n", "it has none"),
        ("file,a\n1.png\n", "line 2.*bad row: 1 cells"),
    ]:
        with pytest.raises(ValueError, match=message) as caught:
            read_labels(table(tmp_path, text), NAMES)
        assert "labels.csv" in str(caught.value) and "such as '0.png'" in str(caught.value)


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
    path = table(tmp_path, f"file,a,b\n{cell},1,2\nother.gif,0,3\n")
    labels = read_labels(path, [*names, "other.gif"])
    found = [*(set(labels.values) - {"other.gif"}), *(one.reason for one in labels.rejected)]
    assert found == [expected]
    assert all(one.row == 2 and one.file == cell for one in labels.rejected)


def test_contradictions(tmp_path):
    path = table(tmp_path, "file,a\n1.png,1\n1.png,0\n2.png,0\n2.png,0\n")
    labels = read_labels(path, NAMES)
    assert set(labels.values) == {"2.png"}
    assert labels.bad["1.png"].detail == "lines 2 and 3 of labels.csv disagree"
    assert not labels.rejected


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-3e38", -3e38),
        ("0.5", 0.5),
        ("1e39", None),
        ("-1e300", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_numbers_are_those_that_labels_can_hold(text, number):
    assert _number(text) == number
