from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from tfanime.text.explorer import OTHER, explore, flat


def some_texts(count=40):
    rng = np.random.default_rng(0)
    kinds = np.arange(count) % 2
    vectors = rng.normal(size=(count, 6)) + 8 * np.eye(6)[kinds]
    rows = [
        {"title": f"Title {i} </script>", "genres": ["Action, X", "Drama"][kind], "text": "t" * 999}
        for i, kind in enumerate(kinds)
    ]
    return rows, vectors, kinds


def test_texts_of_a_kind_are_near_each_other_on_the_map():
    _, vectors, kinds = some_texts()
    places = flat(vectors)
    assert places.shape == (40, 2)
    assert places.min(0).tolist() == [0, 0] and places.max(0) == pytest.approx([1, 1])
    centres = [places[kinds == kind].mean(0) for kind in (0, 1)]
    within = max(np.linalg.norm(places[kinds == k] - centres[k], axis=1).mean() for k in (0, 1))
    assert np.linalg.norm(centres[0] - centres[1]) > 2 * within


def test_the_page_holds_everything_and_nothing_from_outside(tmp_path):
    rows, vectors, kinds = some_texts()
    rows[3]["genres"] = ""
    legend = explore(rows, vectors, tmp_path)
    assert list(legend) == ["Action", "Drama", OTHER]
    with Image.open(tmp_path / "map.png") as image:
        assert image.size == (1080, 840)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)\s*=|https?:|TITLE|/\*DATA", page)
    data = json.loads(re.search(r"legend } = (\{.*\});\n", page).group(1).replace("<\\/", "</"))
    assert page.count("</script>") == 1
    assert [p["title"] for p in data["points"]] == [row["title"] for row in rows]
    assert data["points"][3]["g"] == 2 and data["points"][0]["tags"] == "Action, X"
    assert len(data["points"][0]["text"]) == 400
    cosines = vectors @ vectors[0] / np.linalg.norm(vectors, axis=1)
    assert data["points"][0]["near"][0] == np.argsort(-cosines)[1]


EVIL = "<!--<script>", "</ScRiPt >", "<![CDATA[", "TITLE /*DATA*/null", "a\u2028b\ud800", "\x1b[2J"


@pytest.mark.parametrize("evil", EVIL)
def test_no_text_gets_out_of_the_script(tmp_path, evil):
    rows, vectors, _ = some_texts()
    for row in rows:
        row |= {"title": evil, "text": evil, "genres": f"{evil} $x, {evil}"}
    legend = explore(rows, vectors, tmp_path)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    [data] = re.findall(r"legend \} = (\{.*\});\n", page)
    assert "<" not in data and data.isascii()
    assert page.count("<script>") == page.count("</script>") == 1
    found = json.loads(data)
    assert {p["title"] for p in found["points"]} == {p["text"] for p in found["points"]} == {evil}
    assert list(found["legend"]) == list(legend)


def test_what_a_map_refuses(tmp_path):
    rows, vectors, _ = some_texts()
    with pytest.raises(ValueError, match="three texts"):
        explore(rows[:2], vectors[:2], tmp_path)
    with pytest.raises(ValueError, match="'genre'; they have title, genres, text"):
        explore(rows, vectors, tmp_path, genres="genre")
