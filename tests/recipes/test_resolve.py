"""What the data decide of a recipe: nothing is left open in what a run stores."""

from __future__ import annotations

import json

import pytest

from tfanime import recipes
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema, free_codes
from tfanime.gans.penalties import GradientPenalty
from tfanime.recipes import Config, resolve
from tfanime.recipes.resolve import undecided
from tfanime.registries import PENALTIES

COLOURS = LabelSchema((Field("hair", "group", ("red", "blue", "green")), Field("hat", "flag")))


@pytest.mark.parametrize("schema", [None, COLOURS], ids=["plain", "labelled"])
@pytest.mark.parametrize("name", recipes.names())
def test_nothing_is_left_open(name, schema):
    config = recipes.get(name)
    if schema is None and config.conditioning not in ("none", "auto", "infogan"):
        with pytest.raises(ValueError, match="conditioned on labels and the data have none"):
            resolve(config, schema)
        return
    resolved = resolve(config, schema)
    # Without a penalty there is no weight of one.
    none = {"penalty_weight"} if config.penalty == "none" else set()
    assert undecided(resolved.to_json()) == none
    assert resolve(resolved, schema) == resolved
    assert Config.from_json(json.loads(json.dumps(resolved.to_json()))) == resolved
    changed = {k for k, v in resolved.to_json().items() if v != config.to_json()[k]}
    assert changed <= undecided(config.to_json())


def test_what_is_decided():
    auto = recipes.get("modern")
    assert resolve(auto, COLOURS).conditioning == "ac"
    assert resolve(auto, None).conditioning == "none"
    coded = resolve(auto.override(continuous_codes=2), None)
    assert (coded.conditioning, coded.categorical_codes, coded.continuous_codes) == (
        "infogan",
        0,
        2,
    )
    digits = resolve(recipes.get("infogan"), None)
    assert (digits.categorical_codes, digits.continuous_codes) == (1, 2)
    both = resolve(recipes.get("infogan"), COLOURS)
    assert (both.categorical_codes, both.continuous_codes) == (0, 0)
    girls = recipes.get("makegirlsmoe")
    assert resolve(girls, MAKEGIRLSMOE).adversarial_weight == 34.0
    assert resolve(girls, COLOURS).adversarial_weight == 4.0
    assert resolve(girls.override(adversarial_weight=2), COLOURS).adversarial_weight == 2.0


def test_codes_that_the_labels_have_already_are_counted():
    schema = COLOURS.with_codes(free_codes(1, 10, 2))
    resolved = resolve(recipes.get("infogan"), schema)
    assert (resolved.categorical_codes, resolved.continuous_codes) == (1, 2)


def test_usual_weights_of_penalties(monkeypatch):
    bare = {"name": "dcgan", "normalisation": "none"}
    two = Config("x", penalty="r1,r2", discriminator=bare)
    assert resolve(two, None).penalty_weight == 10.0
    assert resolve(two.override(penalty_weight=3), None).penalty_weight == 3.0
    monkeypatch.setattr(PENALTIES, "registered", {})

    @PENALTIES.register("light")
    def light(weight=0.5):
        return GradientPenalty("real", weight)

    assert resolve(two.override(penalty="light"), None).penalty_weight == 0.5
    PENALTIES.register("known", light, weight=0.5)
    with pytest.raises(ValueError, match=r"need a penalty_weight of their own \(known 0.5, r1 10"):
        two.override(penalty="known,r1")
    assert two.override(penalty="known,r1", penalty_weight=1).penalty_weight == 1.0
