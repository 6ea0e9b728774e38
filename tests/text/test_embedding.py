from __future__ import annotations

import gzip
import json
import sys

import numpy as np
import pytest

from tfanime.text import Embedded, TextEncoder, embed, embed_table
from tfanime.text.cache import VectorCache


class Counting:
    """An encoder of three numbers a text, which says what it was asked, and may fail."""

    handle, pooling, identity, width = "counting", "mean", "counting", 3

    def __init__(self, fail_after=10**9):
        self.asked, self.fail_after = [], fail_after

    def encode(self, texts, batch_size=32):
        if len(self.asked) + len(texts) > self.fail_after:
            raise KeyboardInterrupt
        self.asked += texts
        return np.array([[len(t), t.count("o"), t.count(" ")] for t in texts], np.float32)


TEXTS = ["moon", "a red moon", "moon", "", "sword"]


def expected(texts):
    return np.array([[len(t), t.count("o"), t.count(" ")] for t in texts], np.float32)


def test_every_text_is_embedded_once():
    first, second = Counting(), Counting()
    np.testing.assert_array_equal(embed(TEXTS, first), expected(TEXTS))
    assert sorted(first.asked) == sorted(set(TEXTS))
    np.testing.assert_array_equal(embed(["new", *TEXTS], second), expected(["new", *TEXTS]))
    assert second.asked == ["new"]
    other = Counting()
    other.identity = "of another length"
    embed(TEXTS, other)
    assert sorted(other.asked) == sorted(set(TEXTS))
    without = Counting()
    embed(TEXTS, without, cache=False)
    assert sorted(without.asked) == sorted(set(TEXTS))


def test_an_interrupted_call_goes_on_where_it_stopped():
    texts = [f"text {i:03d}" for i in range(50)]
    broken, after = Counting(fail_after=30), Counting()
    with pytest.raises(KeyboardInterrupt):
        embed(texts, broken, batch_size=8)
    assert len(broken.asked) == 24
    np.testing.assert_array_equal(embed(texts, after, batch_size=8), expected(texts))
    assert len(after.asked) == 26 and not set(after.asked) & set(broken.asked)


def test_nothing_and_nonsense():
    assert embed([], Counting()).shape == (0, 3)
    with pytest.raises(ValueError, match="list of texts"):
        embed("moon", Counting())


def test_encoders_get_what_can_be_written():
    encoder = Counting()
    found = embed(["moon \ud800", "sun"], encoder, cache=False)
    assert found.shape == (2, 3)
    assert {text.encode() for text in encoder.asked} == {b"moon \xef\xbf\xbd", b"sun"}


def test_the_cache_keeps_float32_exactly(tmp_path):
    cache = VectorCache("x", tmp_path)
    vectors = {f"t{i}": np.random.default_rng(i).normal(size=7).astype("f4") for i in range(1200)}
    cache.put(vectors)
    again = VectorCache("x", tmp_path).get([*vectors, "unknown"])
    assert set(again) == set(vectors)
    assert all((again[text] == vector).all() for text, vector in vectors.items())
    assert VectorCache("y", tmp_path).get(vectors) == {}


def write_table(path):
    path.write_text(
        'title,genres,synopsis\nA,"Action, Slice of Life",The <b>swordsmen</b>!\n'
        'B,Drama,No synopsis yet.\nC,,"Red, moons"\n',
        encoding="utf-8-sig",
    )
    return path


def test_a_table_is_cleaned_and_embedded(tmp_path):
    table = write_table(tmp_path / "t.csv")
    counting = Counting()
    found = embed_table(table, "synopsis", tmp_path / "out", encoder=counting, progress=False)
    assert [row["text"] for row in found.rows] == ["swordsman", "Red moon"]
    assert [row["title"] for row in found.rows] == ["A", "C"]
    assert found.note["texts"] == 2 and found.note["without_text"] == 1
    read = Embedded.open(tmp_path / "out")
    assert read.rows == found.rows and read.note == found.note
    np.testing.assert_array_equal(read.vectors, expected(["swordsman", "Red moon"]))
    embed_table(table, "synopsis", tmp_path / "out", encoder=Counting(0), progress=False)
    with pytest.raises(ValueError, match="holds other embedded texts"):
        embed_table(table, "title", tmp_path / "out", encoder=counting, progress=False)


def test_genres_and_other_tables(tmp_path):
    table = write_table(tmp_path / "t.csv")
    options = {"encoder": Counting(), "progress": False}
    found = embed_table(table, "genres", tmp_path / "g", genres=True, **options)
    assert [row["text"] for row in found.rows] == ["action, slice of life", "drama"]
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(table.read_bytes()))
    found = embed_table(packed, "synopsis", tmp_path / "z", skip=["lemmas"], **options)
    assert found.rows[0]["text"] == "swordsmen"
    lines = [{"genres": ["Action", "Drama"]}, {"title": "none"}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = embed_table(tmp_path / "t.jsonl", "genres", tmp_path / "j", genres=True, **options)
    assert [row["text"] for row in found.rows] == ["action, drama"]


def test_tables_that_cannot_be_used(tmp_path):
    table = write_table(tmp_path / "t.csv")
    options = {"encoder": Counting(), "progress": False}
    with pytest.raises(ValueError, match="'plot'; .*has title, genres, synopsis"):
        embed_table(table, "plot", tmp_path / "out", **options)
    (tmp_path / "broken.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="A table is a CSV"):
        embed_table(tmp_path / "broken.csv.gz", "plot", tmp_path / "out", **options)
    (tmp_path / "list.jsonl").write_text("[1]\n")
    with pytest.raises(ValueError, match="is an object"):
        embed_table(tmp_path / "list.jsonl", "plot", tmp_path / "out", **options)
    (tmp_path / "empty.csv").write_text("plot\nN/A\n")
    with pytest.raises(ValueError, match="none in 'plot'"):
        embed_table(tmp_path / "empty.csv", "plot", tmp_path / "out", **options)
    with pytest.raises(ValueError, match="Embedded texts are a folder"):
        Embedded.open(tmp_path)
    with pytest.raises(ValueError, match="The steps are"):
        embed_table(table, "synopsis", tmp_path / "out", skip=["x"], **options)


@pytest.mark.usefixtures("encoders_once")
def test_a_real_encoder(pair):
    encoder = TextEncoder(pair)
    np.testing.assert_allclose(embed(["red moon"], pair), encoder.encode(["red moon"]), rtol=1e-6)
    assert embed(["red moon"], pair, pooling="cls").shape == (1, 8)


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_text", None)
    with pytest.raises(ImportError, match=r"pip install .\.\[text\]."):
        embed(["moon"])
