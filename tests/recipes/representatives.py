"""A few tiny GANs that together have what all recipes have: compiling a step takes far longer than
computing it, by XLA above all. test_representatives.py says that nothing is missing."""

from __future__ import annotations

from tests.recipes import test_texts as texts
from tests.recipes.test_recipes import SCHEMA, batch, tiny
from tfanime.recipes.config import Config

# A recipe each, and what it is given beside its own.
CHANGES = {
    "wgan-gp": {},
    "clsgan": {"optimizer": "rmsprop", "weight_clip": 0.01},
    "infogan": {"accumulation": 2, "instance_noise": 0.05},
    "ac-infogan": {"lecam_weight": 0.1, "top_k": 0.5},
    "makegirlsmoe": {},
    "dcgan-dragan": {},
    "projected": {},
    "r3gan": {},
    "srgan": {},
    "lineart": {},
}
WITH_TEXTS = "ac-infogan"
NAMES = tuple(CHANGES)


def config_of(name: str, **overrides) -> Config:
    make = texts.tiny_poster if name == WITH_TEXTS else tiny
    return make(name, **{**CHANGES[name], **overrides})


def schema_of(name: str):
    return texts.SCHEMA if name == WITH_TEXTS else SCHEMA


def batch_of(name: str, config: Config, seed: int = 0) -> dict:
    if name == WITH_TEXTS:
        return texts.batch(config, texts.SCHEMA, seed)
    return batch(config, seed)
