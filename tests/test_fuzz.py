"""scripts/bench/fuzz.py: it counts rightly, every class can be loaded, and the quick ones find
nothing."""

from __future__ import annotations

import importlib
import sys
from random import Random
from types import SimpleNamespace

import pytest

from scripts import FOLDER, load


@pytest.fixture
def fuzz(monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", "unused")
    monkeypatch.setattr(sys, "path", list(sys.path))
    return load("bench/fuzz")


def test_every_class_can_be_loaded(fuzz):
    for module, function in fuzz.CLASSES.values():
        assert callable(getattr(importlib.import_module(module), function))
        assert (FOLDER / "bench" / f"{module}.py").is_file()
    for name in fuzz.CLASSES:
        assert f"\n    {name} " in fuzz.__doc__


def test_bad_cases_are_counted_and_shown(fuzz, monkeypatch, capsys):
    def run(random, folder):
        assert folder.is_dir()
        yield from ["", "it broke", "", "it broke", "it hung"]

    monkeypatch.setitem(sys.modules, "fake", SimpleNamespace(run=run))
    monkeypatch.setitem(fuzz.CLASSES, "fake", ("fake", "run"))
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--only", "fake", "--seconds", "9"])
    assert fuzz.main() == 1
    said = capsys.readouterr().out
    assert "| fake | 5 | 3 | 0 |" in said
    assert said.count("fake: it broke") == 1 and "fake: it hung" in said


def test_other_classes_are_refused(fuzz, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--only", "images,nonsense"])
    with pytest.raises(SystemExit):
        fuzz.main()
    assert "Received: nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["images", "tables"])
def test_pictures_and_tables(fuzz, name):
    tried, bad, _ = fuzz.attack(name, 1.0, seed=5)
    assert tried >= 1 and bad == []


def test_damage_depends_on_the_seed_alone(fuzz):
    common = importlib.import_module("fuzz_common")
    data = bytes(range(200))
    found = [common.damaged(data, Random(seed)) for seed in range(50)]
    assert found == [common.damaged(data, Random(seed)) for seed in range(50)]
    assert sum(one != data for one in found) > 40


def test_verdicts(fuzz):
    common = importlib.import_module("fuzz_common")

    def failing(error):
        def call():
            raise error

        return common.verdict(call)

    assert common.verdict(lambda: 1) == "" and failing(ValueError("a rule. Received: b.")) == ""
    assert failing(KeyError("x")) == "KeyError: 'x'"
    assert "UnicodeEncodeError" in failing(UnicodeEncodeError("ascii", "é", 0, 1, "x"))
    assert failing(ValueError("a\nb")).startswith("ValueError of several lines")
    assert failing(ValueError("a\x1bb")).startswith("ValueError with control characters")
    assert failing(ValueError("")) == "ValueError without a word"
    assert common.verdict(lambda: None, slow=-1) == "took 0 s"
