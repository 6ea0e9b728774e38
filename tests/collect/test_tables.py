"""Tables that name what to collect."""

from __future__ import annotations

import pytest

from tfanime.collect.myanimelist import _ids
from tfanime.collect.tables import LIMIT, read_columns


@pytest.mark.parametrize(
    "text",
    [
        "MAL_ID,Name\n1,a\n5,b\n",
        "anime_id;x\n1;a\n\n5;b\n",
        "name\tUID\na\t1\nb\t5.0",
        'id,text\n1,"a\nb"\n5,c\n',
        "\ufeffid\n1\n5",
    ],
)
def test_ids_of_any_table(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert _ids(tmp_path / "a.csv") == ([1, 5], 0, " of a.csv")


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "0", "1.5", "../../1", "9" * 30, '"1\n2"']
)
def test_ids_that_are_none_name_file_and_line(tmp_path, cell):
    (tmp_path / "a.csv").write_text(f"id,x\n{cell},b\n")
    with pytest.raises(ValueError, match=r"a\.csv, line [23]: the id is a whole number above 0"):
        _ids(tmp_path / "a.csv")


def test_a_row_without_an_id_is_named_and_the_others_go_on(tmp_path, capsys):
    bad = "".join(f"x{i},b\n" for i in range(7))
    (tmp_path / "a.csv").write_text(f"id,x\n7,a\n{bad}8,c\n")
    assert _ids(tmp_path / "a.csv") == ([7, 8], 7, " of a.csv")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 6 and "a.csv, line 3" in said[0] and "'x0'" in said[0]
    assert said[-1] == "left out as well: 2 more such rows"


@pytest.mark.parametrize(
    "content, message",
    [
        (b"name\na\n", "needs a column id or MAL_ID"),
        (b"", "needs a column"),
        (b"id\n\xff\xfe\n", "A table is UTF-8"),
    ],
)
def test_tables_that_are_none(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        _ids(tmp_path / "a.csv")


def test_huge_tables_are_refused_unread(tmp_path):
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(LIMIT + 1)
    with pytest.raises(ValueError, match="at most 200,000,000 bytes"):
        read_columns(tmp_path / "a.csv", {"id": ("id",)})
