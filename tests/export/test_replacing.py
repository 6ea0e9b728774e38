"""Exported folders: what an export takes the place of, and what stays."""

from __future__ import annotations

import json

import pytest

from tfanime.export.folder import check_replaceable, replacing


def export(out, *names, **manifest):
    check_replaceable(out)
    with replacing(out) as folder:
        for name in names:
            (folder / name).write_text("new")
        (folder / "tfanime.json").write_text(json.dumps({"format": 1, **manifest}))


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_what_has_been_put_beside_an_export_stays(tmp_path):
    out = tmp_path / "site"
    export(out, "index.html", "old.js")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (out / "CNAME").write_text("faces.example.org")
    export(out, "index.html", "new.js")
    assert names(out) == [".git", "CNAME", "index.html", "new.js", "tfanime.json"]
    assert (out / ".git" / "HEAD").read_text() == "ref: refs/heads/main"
    assert names(tmp_path) == ["site"]


def test_of_an_export_without_a_list_all_stays_that_has_no_successor(tmp_path):
    out = tmp_path / "site"
    out.mkdir()
    for name in ("index.html", "CNAME"):
        (out / name).write_text("old")
    (out / "tfanime.json").write_text('{"format": 1}')
    export(out, "index.html")
    assert names(out) == ["CNAME", "index.html", "tfanime.json"]
    assert (out / "index.html").read_text() == "new"


@pytest.mark.parametrize("renames", [1, 2, 3])
def test_nothing_is_lost_when_the_exchange_is_cut_short(renames, tmp_path, monkeypatch):
    out = tmp_path / "site"
    export(out, "index.html")
    for name in ("CNAME", ".nojekyll"):
        (out / name).write_text("mine")
    done, rename = [], type(out).rename

    def cut_short(self, target):
        if self.name.startswith(".site-") or self == out or self.parent.name == ".site-old":
            if len(done) == renames:
                raise KeyboardInterrupt
            done.append(self)
        return rename(self, target)

    monkeypatch.setattr(type(out), "rename", cut_short)
    with pytest.raises(KeyboardInterrupt):
        export(out, "index.html")
    monkeypatch.undo()
    export(out, "index.html")
    assert names(out) == [".nojekyll", "CNAME", "index.html", "tfanime.json"]
    assert names(tmp_path) == ["site"]


def test_the_current_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path / "site")
    for out in (".", "..", str(tmp_path)):
        with pytest.raises(ValueError, match="neither the current one nor one above it"):
            check_replaceable(type(tmp_path)(out))
