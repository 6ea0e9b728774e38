"""The Gradio page, with a stub of Gradio that keeps what it is told."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import tfanime
from tests import scripts
from tfanime import zoo

pytestmark = pytest.mark.usefixtures("models_once")


class Refused(Exception):
    pass


@pytest.fixture
def app(monkeypatch):
    stub = ModuleType("gradio")
    for name in ("Slider", "Number", "Dropdown", "Gallery", "Interface"):
        made = lambda *given, _name=name, **named: SimpleNamespace(kind=_name, given=given, **named)  # noqa: E731
        setattr(stub, name, made)
    stub.Error = Refused
    monkeypatch.setitem(sys.modules, "gradio", stub)
    return scripts.load("serving/app")


def test_the_page_draws_what_generate_draws(app):
    page = app.page(zoo.DEFAULT)
    draw, inputs, gallery = page.given
    labels = [one.label for one in inputs]
    schema = tfanime.load_generator(zoo.DEFAULT).schema
    assert labels[:3] == ["pictures", "seed", "truncation"]
    assert labels[3:] == [field.name.replace("_", " ") for field in schema.fields]
    chosen = [one.value for one in inputs[3:]]
    assert set(chosen) == {"any"} and gallery.format == "png"
    expected = tfanime.generate(zoo.DEFAULT, n=3, seed=5).images
    np.testing.assert_array_equal(draw(3, 5, 1, *chosen), expected)
    names = [field.name for field in schema.fields]
    chosen[names.index("hair")], chosen[names.index("hat")] = "pink", "no"
    expected = tfanime.generate(zoo.DEFAULT, 3, 5, {"hair": "pink", "hat": False}, 0.8).images
    np.testing.assert_array_equal(draw(3, 5, 0.8, *chosen), expected)


@pytest.mark.parametrize(("n", "seed"), [(65, 1), (0, 1), (1, -1)])
def test_what_a_stranger_asks_for_is_bounded(app, n, seed):
    draw, inputs, _ = app.page("posters").given
    with pytest.raises(Refused, match="Received"):
        draw(n, seed, 1, *[one.value for one in inputs[3:]])


def test_what_is_no_generator_is_refused(app):
    with pytest.raises(ValueError, match="A run of a generator is needed"):
        app.page("upscaler")
