"""Config: overrides, types, JSON, and settings from the command line."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tfanime.recipes.config import Config, jitters, parse_overrides

CONFIG = Config("dcgan", generator={"name": "dcgan", "channels": 8, "depth": 5})


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONFIG.batch_size = 3


def test_override_leaves_the_original_alone():
    changed = CONFIG.override(batch_size=3, generator={"channels": 4})
    assert (changed.batch_size, CONFIG.batch_size) == (3, 64)
    assert CONFIG.generator["channels"] == 8
    assert changed.recipe == "dcgan"


def test_an_unknown_setting_lists_the_known_ones():
    names = {field.name for field in dataclasses.fields(Config)} - {"image_size"} | {"size"}
    with pytest.raises(ValueError, match="Unknown setting: bach_size, rate. Known: ") as error:
        CONFIG.override(bach_size=3, rate=1e-4)
    listed = str(error.value).split("Known: ")[1].partition(".")[0]
    assert set(listed.split(", ")) == names


def test_network_options_are_merged_unless_the_network_changes():
    assert CONFIG.override(generator={"channels": 4}).generator == {
        "name": "dcgan",
        "channels": 4,
        "depth": 5,
    }
    same = CONFIG.override(generator={"name": "dcgan", "channels": 4})
    assert same.generator == {"name": "dcgan", "channels": 4, "depth": 5}
    other = CONFIG.override(generator={"name": "srresnet", "blocks": 2})
    assert other.generator == {"name": "srresnet", "blocks": 2}
    assert CONFIG.override(discriminator="modern").discriminator == {"name": "modern"}
    with pytest.raises(ValueError, match="generator is a name or a mapping.*Received: 3"):
        CONFIG.override(generator=3)


def test_whole_numbers_become_floats_where_floats_are_meant():
    changed = CONFIG.override(g_lr=1, ema_half_life=0, weight_clip=1)
    for name in ("g_lr", "ema_half_life", "weight_clip"):
        assert isinstance(getattr(changed, name), float)
    assert CONFIG.override(weight_clip=None).weight_clip is None
    assert CONFIG.override(lr_decay_start=10).lr_decay_start == 10


@pytest.mark.parametrize(
    "name, value",
    [
        ("batch_size", True),
        ("batch_size", 3.0),
        ("batch_size", "3"),
        ("batch_size", None),
        ("g_lr", "fast"),
        ("g_lr", True),
        ("flip", 1),
        ("loss", 3),
        ("weight_clip", "no"),
        ("lr_decay_start", 0.5),
    ],
)
def test_the_wrong_type_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} is of type .*Received: {value!r}"):
        CONFIG.override(**{name: value})


@pytest.mark.parametrize(
    "name, value",
    [
        ("conditioning", "labels"),
        ("prior", "uniform"),
        ("optimizer", "adamw"),
        # float16 has no place: nothing scales the loss.
        ("precision", "mixed_float16"),
        ("latent_dim", 0),
        ("batch_size", 0),
        ("critic_steps", 0),
        ("lr_decay_steps", 0),
        ("g_lr", 0.0),
        ("d_lr", -1e-4),
        ("d_lr", float("nan")),
        ("lr_end", 0.0),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_bad_values_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} is .*Received: '?{value}'?"):
        CONFIG.override(**{name: value})


@pytest.mark.parametrize("size", [64, "64", (64, 64)])
def test_square_sizes(size):
    assert CONFIG.override(size=size).image_size == (64, 64)


def test_posters_are_written_width_first_and_kept_height_first():
    assert CONFIG.override(size="64x96").image_size == (96, 64)


def test_size_has_the_name_that_runs_store():
    assert CONFIG.override(image_size=32) == CONFIG.override(size=32)
    assert CONFIG.override(size=32).to_json()["image_size"] == [32, 32]
    with pytest.raises(ValueError, match="image_size is another name of size. Received both"):
        CONFIG.override(image_size=32, size=32)


def test_json_round_trip():
    config = CONFIG.override(image_size="64x96", weight_clip=0.01, seed=7, flip=False)
    stored = json.loads(json.dumps(config.to_json()))
    assert Config.from_json(stored) == config
    assert set(stored) == {field.name for field in dataclasses.fields(Config)}
    # What was stored is a copy.
    stored["generator"]["channels"] = 1
    assert config.generator["channels"] == 8


def test_options_in_tuples_are_stored_as_they_are_read_back():
    """Else a run would be refused as one of other settings when the same call goes on with it."""
    regions = (None, (0.25, 0.0, 0.75, 1.0))
    config = CONFIG.override(
        generator={"name": "modern", "channels": (64, 32, 16, 8)},
        projected={"features": ("tagger", "tagger"), "regions": regions},
        updates="simultaneous",
        more_averages=(1000,),
    )
    stored = config.to_json()
    assert stored["generator"]["channels"] == [64, 32, 16, 8]
    assert stored["projected"]["features"] == ["tagger", "tagger"]
    assert stored["projected"]["regions"] == [None, [0.25, 0.0, 0.75, 1.0]]
    assert json.loads(json.dumps(stored)) == stored
    assert Config.from_json(stored).to_json() == stored


def test_settings_of_the_command_line():
    pairs = ["g_lr=1e-4", "flip=false", "weight_clip=null", "loss=hinge", "seed=7", "a=b=c"]
    assert parse_overrides(pairs) == {
        "g_lr": 1e-4,
        "flip": False,
        "weight_clip": None,
        "loss": "hinge",
        "seed": 7,
        "a": "b=c",
    }
    assert parse_overrides([]) == {}


@pytest.mark.parametrize("order", [1, -1])
def test_options_of_networks_on_the_command_line(order):
    pairs = ["generator=srresnet", "generator.blocks=2", "generator.channels=8"][::order]
    changes = parse_overrides(pairs)
    assert changes == {"generator": {"name": "srresnet", "blocks": 2, "channels": 8}}
    assert CONFIG.override(**changes).generator == changes["generator"]
    alone = parse_overrides(["discriminator=modern"])
    assert CONFIG.override(**alone).discriminator == {"name": "modern"}


@pytest.mark.parametrize("pair", ["g_lr", "=3", ""])
def test_a_setting_has_a_name_and_a_value(pair):
    with pytest.raises(ValueError, match=f"NAME=VALUE. Received: '{pair}'"):
        parse_overrides([pair])


def test_lr_is_both_rates():
    changed = CONFIG.override(lr=1e-3)
    assert (changed.g_lr, changed.d_lr) == (1e-3, 1e-3)
    with pytest.raises(ValueError, match="lr sets g_lr and d_lr alike. Received beside it: d_lr"):
        CONFIG.override(lr=1e-3, d_lr=1e-4)
    with pytest.raises(ValueError, match="g_lr is of type .*Received: 'fast'"):
        CONFIG.override(lr="fast")


def test_jitters_are_one_number_or_several():
    assert jitters(0.1) == {"brightness": 0.0, "contrast": 0.1, "saturation": 0.1, "hue": 0.1}
    one = CONFIG.override(jitter=0.1)
    assert one.jitter == 0.1
    without = one.override(**parse_overrides(["jitter.hue=0", "jitter.brightness=0.2"]))
    assert without.jitter == {"brightness": 0.2, "contrast": 0.1, "saturation": 0.1, "hue": 0.0}
    assert Config.from_json(json.loads(json.dumps(without.to_json()))) == without
    with pytest.raises(ValueError, match="jitter is at least 0 and below 0.5. Received"):
        one.override(jitter={"hue": 0.5})
    for wrong in ({"gamma": 0.1}, {"hue": "much"}, {"hue": True}):
        with pytest.raises(ValueError, match="jitter is a number, or a number for some of: bright"):
            one.override(jitter=wrong)


def test_further_averages_are_half_lives():
    changed = CONFIG.override(**parse_overrides(["more_averages=[1000,50000]"]))
    assert changed.more_averages == (1000.0, 50000.0)
    assert Config.from_json(json.loads(json.dumps(changed.to_json()))) == changed
    for wrong in (1000, [0], [-1], ["long"], [True], [10, 10]):
        with pytest.raises(ValueError, match="more_averages is a list of different half-lives"):
            CONFIG.override(more_averages=wrong)
