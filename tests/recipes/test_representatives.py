"""Whatever a recipe has, one of the representatives has too."""

from __future__ import annotations

import pytest

from tests.recipes.representatives import NAMES, config_of
from tests.recipes.test_recipes import tiny
from tfanime import recipes
from tfanime.recipes.config import Config

SETTINGS = {
    "generator": lambda config: {config.generator["name"]},
    "discriminator": lambda config: {
        (config.discriminator["name"], config.discriminator.get("normalisation"))
    },
    "conditioning": lambda config: {config.conditioning},
    "multilabel": lambda config: {config.multilabel},
    "loss": lambda config: {config.loss},
    "penalty": lambda config: set(config.penalty.split(",")),
    "lazy penalty": lambda config: {config.penalty_every > 1},
    "projected": lambda config: {config.projected is not None},
    "weight_clip": lambda config: {config.weight_clip is not None},
    "feature_weight": lambda config: {config.feature_weight > 0},
    "degraded": lambda config: {config.wobble > 0, config.sharpened > 0, config.jitter > 0},
    "several critic steps": lambda config: {config.critic_steps > 1},
    "updates": lambda config: {config.updates},
    "head_on_fake": lambda config: {config.head_on_fake},
    "optimizer": lambda config: {config.optimizer},
    "rate that decays": lambda config: {(config.lr_decay_start is None, config.lr_end is None)},
    "augment": lambda config: set(config.augment.split(",")),
    "augment_target": lambda config: {config.augment_target is not None},
    "schedules": lambda config: {
        name for name in Config.__dataclass_fields__ if hasattr(getattr(config, name), "start")
    },
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_nothing_is_missing(setting):
    of = SETTINGS[setting]
    every = set().union(*(of(tiny(name)) for name in recipes.names()))
    chosen = set().union(*(of(config_of(name)) for name in NAMES))
    assert every <= chosen
