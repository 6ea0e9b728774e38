"""Labels and weights of the generators in these tests."""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import Field, LabelSchema

SCHEMA = LabelSchema(
    (
        Field("hair", "group", ("red", "blue"), (0.3, 0.7)),
        Field("long_hair", "flag", (), (0.4,)),
        Field("smile", "flag"),
        Field("year", "value", (), tuple(np.linspace(0, 1, 17) ** 2), 1990, 2020),
    )
)
LATENT, HEIGHT, WIDTH = 5, 32, 48


def shaken(model):
    """Random weights, of a size that leaves pictures between black and white."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in ("moving_variance", "gamma"):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        else:
            fan = np.prod(weight.shape[:-1]) if weight.name == "kernel" else 12
            weight.assign(random.normal(size=weight.shape) * np.sqrt(1.2 / fan))
    return model


def trace_only(patch, *names: str) -> None:
    """What is exported from then on has these signatures alone, for tests that use no other: to
    trace, save and load one takes half a second."""
    from tfanime.export.serving.served.module import Served

    concrete, signatures = Served._concrete, Served.signatures

    def traced(module, function, inputs):
        wanted = function.__name__.removeprefix("_") in names
        return concrete(module, function, inputs) if wanted else None

    def found(module):
        return {name: one for name, one in signatures(module).items() if one is not None}

    patch.setattr(Served, "_concrete", traced)
    patch.setattr(Served, "signatures", found)
