"""Small generators with weights and batch-norm statistics that leave nothing near zero or one."""

from __future__ import annotations

import numpy as np
import pytest

from tfanime.core import seeds
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.models import GENERATORS, UPSCALERS
from tfanime.zoo.saved import save_generator, save_upscaler

SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue")), Field("smile", "flag")))
LATENT = 5
# Name -> how to make it, its height and width.
GENERATED = {
    "dcgan": ("dcgan", {"channels": 4}, (32, 32)),
    "dcgan_deep": ("dcgan", {"channels": 4, "depth": 6}, (48, 32)),
    "dcgan_unit": ("dcgan", {"channels": 4, "scaling": "unit"}, (32, 32)),
    "srresnet": ("srresnet", {"channels": 8, "blocks": 2}, (32, 32)),
    "srresnet_wide": ("srresnet", {"channels": 4, "blocks": 1, "long_skip": False}, (32, 64)),
    "dcgan_conditional": ("dcgan", {"channels": 4, "normalisation": "conditional"}, (32, 32)),
    "modern": ("modern", {"channels": 4}, (32, 48)),
    "modern_conditional": (
        "modern",
        {"channels": 4, "fine_channels": 4, "normalisation": "conditional"},
        (32, 32),
    ),
    "r3gan": ("r3gan", {"channels": 4}, (32, 48)),
    "modern_fine": ("modern", {"channels": 4, "fine_channels": 4, "mirrored": True}, (32, 32)),
    "modern_grown": (
        "modern",
        {"channels": 4, "fine_channels": 4, "normalisation": "styled", "grown": 4},
        (32, 64),
    ),
}

QUICK = ("dcgan", "srresnet", "modern")  # the quick run takes these


def in_time(cases) -> list:
    """Cases `(name, ...)`, of which the quick run leaves some out."""
    marks = {name: [] if name in QUICK else [pytest.mark.slow] for name in GENERATED}
    return [pytest.param(*case, marks=marks[case[0]]) for case in cases]


def generator(name: str, labelled: bool = True):
    kind, options, (height, width) = GENERATED[name]
    labels = SCHEMA.size if labelled else 0
    if not labelled and options.get("normalisation") == "conditional":
        options = {**options, "normalisation": "batch"}
    return shaken(GENERATORS[kind](height, width, LATENT, labels, **options))


def upscaler(factor: int = 2, network: str = "srgan", **options):
    return shaken(UPSCALERS[network](32, 32, factor=factor, channels=4, blocks=1, **options))


def shaken(model, seed: int = 0):
    """Random weights, of a size that leaves pictures between black and white."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        shape = weight.shape
        if weight.name in ("moving_variance", "gamma"):
            weight.assign(random.uniform(0.5, 1.5, shape))
        elif weight.name == "kernel":
            weight.assign(random.normal(size=shape) * np.sqrt(1.2 / np.prod(shape[:-1])))
        else:
            weight.assign(random.normal(size=shape) * 0.3)
    return model


def inputs(model, n: int = 3) -> list[np.ndarray]:
    drawn = [seeds.latents(0, n, LATENT)]
    if len(model.inputs) == 2:
        drawn.append(to_signed(seeds.sample_labels(0, n, SCHEMA)))
    return drawn


def pictures(n: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (n, height, width, 3)).astype(np.float32)


def saved(folder, name: str = "modern", labelled: bool = True):
    save_generator(folder, generator(name, labelled), SCHEMA if labelled else None, name)
    return folder


def saved_upscaler(folder, factor: int = 2):
    save_upscaler(folder, upscaler(factor), factor, "larger")
    return folder
