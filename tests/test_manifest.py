"""The manifest that all stages share, and its card."""

from __future__ import annotations

import json

import pytest

from tfanime.core.manifest import Manifest, Step
from tfanime.prepare.dataset_card import card, escape


def manifest(**changes):
    steps = (Step("found", 10), Step("complete", 7, {"adult": 2, "without synopsis": 1}))
    fields = {"name": "Posters", "source": "a site", "licence": "theirs", "steps": steps}
    return Manifest(**{**fields, "settings": {"adult": False}, **changes})


def test_it_is_read_as_it_was_written(tmp_path):
    whole = manifest(earlier=manifest(name="Pages", date="2020-01-02"))
    whole.write(tmp_path)
    assert Manifest.read(tmp_path) == whole and whole.count == 7
    stored = json.loads((tmp_path / "manifest.json").read_text())
    assert (stored["format"], stored["version"]) == ("tfanime dataset", 1)
    assert stored["earlier"]["name"] == "Pages"


def test_counts_must_agree():
    with pytest.raises(ValueError, match="'b' saw 9, and 'a' kept 10"):
        manifest(steps=(Step("a", 10), Step("b", 8, {"x": 1})))
    assert manifest(steps=(Step("games", 2), Step("pictures", 9, of_each=True))).count == 9
    assert Step.between("b", range(10), range(8), "x") == Step("b", 8, {"x": 2})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "x"}', "[" * 100_000, "\xff"])
def test_damaged_manifests_are_told(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="which is damaged"):
        Manifest.read(tmp_path)


def test_a_folder_without_one(tmp_path):
    with pytest.raises(ValueError, match=r"A dataset has a manifest\.json"):
        card(tmp_path)


def test_the_card(tmp_path):
    manifest(earlier=manifest(name="Pages")).write(tmp_path)
    lines = card(tmp_path).splitlines()
    assert lines[0] == "# Posters" and "| entries | 7 |" in lines
    assert "| complete | 10 | adult: 2; without synopsis: 1 | 7 |" in lines
    assert "| found | 10 | - | 10 |" in lines and "## Pages" in lines


def test_nothing_in_the_card_is_run_or_rendered(tmp_path):
    evil = "<script>alert(1)</script> | [x](javascript:alert(2)) `a` **b**\n# heading"
    manifest(name=evil, source=evil, settings={evil: evil}).write(tmp_path)
    record = json.dumps({"id": evil, "title": evil})
    (tmp_path / "records.jsonl").write_text(f"{record}\nnot json\n[]\n{record}\n")
    text = card(tmp_path)
    assert "<" not in text and "](" not in text and "\n# heading" not in text
    assert text.count("&lt;script&gt;") == 8
    for line in text.splitlines():
        if line.startswith("|"):
            cells = line.replace("\\|", "").count("|")
            assert cells in (3, 5)
    assert escape("a|b\\c") == "a\\|b\\\\c"


def test_the_card_of_a_packed_set(tmp_path):
    info = {"count": 5, "width": 64, "height": 96, "sha256": "ab", "source": "faces"}
    rejected = [{"reason": "damaged"}, {"reason": "duplicate"}, {"reason": "duplicate"}]
    (tmp_path / "dataset.json").write_text(json.dumps(info | {"rejected": rejected}))
    text = card(tmp_path)
    assert "| images | 5 of 64x96 |" in text
    assert text.index("| duplicate | 2 |") < text.index("| damaged | 1 |")
