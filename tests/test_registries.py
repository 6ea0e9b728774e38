"""Registries: names without imports, additions that stay apart from what tfanime brings."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tfanime
from tfanime import registries
from tfanime.core import registry
from tfanime.core.registry import Registry, entry

EVERY = [value for value in vars(registries).values() if isinstance(value, Registry)]


@pytest.fixture
def colours():
    return Registry("colour", "tfanime.colours", {"pi": entry("math:pi", round=True)})


def test_names_are_known_before_anything_is_imported():
    code = (
        "import sys\nfrom tfanime import registries as r\n"
        "print(r.LOSSES.check('hinge'), 'dcgan' in r.GENERATORS, r.METRICS.names()[0])\n"
        "print({'tensorflow', 'keras', 'numpy'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["hinge True fid", "set()"]


def test_an_unknown_name_says_which_there_are(colours):
    with pytest.raises(ValueError, match="colour is one of: pi. Received: 'pii'. Did you mean"):
        colours.check("pii")
    with pytest.raises(ValueError, match="colour is one of: pi. Received: 3"):
        colours.get(3)
    assert "pii" not in colours and len(colours) == 1


def test_what_is_registered_joins_what_is_there(colours):
    assert colours.register("red", (255, 0, 0)) == (255, 0, 0)

    @colours.register("blue", dark=True)
    def blue():
        return 7

    assert blue() == 7 and colours["blue"] is blue
    assert colours.names() == ("pi", "red", "blue") == tuple(colours)
    assert (colours.fact("blue", "dark"), colours.fact("red", "dark", "no")) == (True, "no")
    assert colours.fact("pi", "round") is True
    assert dict(colours.items())["pi"] == pytest.approx(3.14159, abs=1e-5)
    colours.register("red", 1)  # a notebook's cell, run again
    assert colours["red"] == 1


def test_facts_of_an_object_are_its_attributes(colours):
    class Loss:
        signed = True

    colours.register("own", Loss())
    assert colours.fact("own", "signed", False) is True


def test_what_tfanime_brings_stays_what_it_is(colours):
    with pytest.raises(ValueError, match="has a colour 'pi' already.*Choose another name"):
        colours.register("pi", 3)
    for wrong in ("a b", "", "a.b", "a,b"):
        with pytest.raises(ValueError, match="letters, digits, '_' and '-'. Received: "):
            colours.register(wrong, 3)


def test_packages_announce_theirs(colours, monkeypatch):
    points = [
        importlib.metadata.EntryPoint("tau", "math:tau", "tfanime.colours"),
        importlib.metadata.EntryPoint("pi", "math:e", "tfanime.colours"),
        importlib.metadata.EntryPoint("gone", "no_such_module:x", "tfanime.colours"),
        importlib.metadata.EntryPoint("other", "math:e", "tfanime.losses"),
    ]
    announced = importlib.metadata.EntryPoints(points)
    monkeypatch.setattr(registry, "_entry_points", lambda: announced)
    assert colours.names() == ("pi", "tau", "gone")
    assert colours["tau"] == pytest.approx(6.28318, abs=1e-5)
    assert colours["pi"] == pytest.approx(3.14159, abs=1e-5)
    with pytest.raises(ValueError, match="The colour 'gone' is 'no_such_module:x', which cannot"):
        colours.get("gone")


def test_groups_are_those_that_the_guide_lists():
    assert {one.group for one in EVERY} == {
        f"tfanime.{name}"
        for name in (
            *("losses", "penalties", "terms", "generators", "upscalers", "discriminators"),
            *("augmentations", "recipes", "metrics", "data_sources", "export_formats"),
        )
    }


@pytest.mark.parametrize("source", ["drawn", "drawn:5", "faces/", None, 3])
def test_named_sources(source):
    expected = {"drawn": ("drawn", ""), "drawn:5": ("drawn", "5")}
    assert registries.named_source(source) == expected.get(source)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.group)
def test_every_entry_is_there(one):
    for name in one.built_in:
        found = one.get(name)
        assert callable(found) or name in (*registries.LOSSES, *registries.RECIPES)


def test_what_is_said_of_losses_and_penalties_is_so():
    import inspect

    import numpy as np

    logits = np.zeros((2, 1), np.float32)
    for name in registries.LOSSES.built_in:
        loss = registries.LOSSES.get(name)
        assert (loss.name, loss.signed) == (name, registries.LOSSES.fact(name, "signed"))
        if registries.LOSSES.fact(name, "targets"):
            loss.discriminator(logits, logits, label_smoothing=0.1)
        else:
            with pytest.raises(ValueError, match="label_smoothing needs a loss with targets"):
                loss.discriminator(logits, logits, label_smoothing=0.1)
    for name in registries.PENALTIES.built_in:
        make = registries.PENALTIES.get(name)
        usual = inspect.signature(make).parameters["weight"].default
        assert registries.PENALTIES.fact(name, "weight") == usual == make().weight


def test_choices_are_those_of_the_code():
    """The command line offers no other words than the functions behind it take."""
    from tfanime.collect.myanimelist_record import FIELDS
    from tfanime.core import choices
    from tfanime.evaluation.evaluate import PROTOCOLS
    from tfanime.evaluation.subject import WEIGHTS
    from tfanime.export.graph.precision import PRECISIONS
    from tfanime.export.web.export import CONVERTERS
    from tfanime.gans import gan, losses, super_resolution
    from tfanime.metrics.resize import RESIZES
    from tfanime.models import common
    from tfanime.posters.paper import PAPERS
    from tfanime.sampling.interpolate import METHODS

    assert choices.UPDATES == gan.UPDATES and choices.SCALINGS == common.SCALINGS
    assert choices.VECTOR_LOSSES == losses.VECTOR_LOSSES
    assert choices.PIXEL_LOSSES == super_resolution.PIXEL_LOSSES
    assert tuple(METHODS) == choices.INTERPOLATIONS and tuple(RESIZES) == choices.RESIZES
    assert tuple(PROTOCOLS) == choices.PROTOCOLS and tuple(WEIGHTS) == choices.WEIGHTS
    assert tuple(PAPERS) == choices.PAPERS and {*choices.NEEDABLE} <= {*FIELDS}
    assert choices.WEB_PRECISIONS == PRECISIONS and choices.CONVERTERS == CONVERTERS


def test_no_verb_has_a_list_of_words_of_its_own():
    """It would offer what its function refuses, as --precision mixed_float16 once was."""
    verbs = Path(tfanime.__file__).parent / "cli"
    texts = {path.name: path.read_text("utf-8") for path in verbs.glob("*.py")}
    assert sum(text.count("click.Choice(") for text in texts.values()) > 15
    own = re.compile(r"click\.Choice\([\[(][^*\])]*[\])]")
    assert [name for name, text in texts.items() if own.search(text)] == []
