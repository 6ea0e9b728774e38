"""What a recipe leaves to the data, decided: no `"auto"` is left, and None only where it says that
there is none of something.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tfanime.core.labels import Field, LabelSchema, free_codes
from tfanime.core.schedules import Schedule
from tfanime.recipes.checks import penalty_names, usual_weight
from tfanime.recipes.config import Config

# What the data decide, as long as it is this.
UNDECIDED = {
    "conditioning": "auto",
    "categorical_codes": None,
    "continuous_codes": None,
    "adversarial_weight": None,
    "penalty_weight": None,
}


def resolve(config: Config, schema: LabelSchema | None) -> Config:
    """The same settings, of which the data have decided the rest. This is what a run stores.

    Args:
        config: a recipe with overrides.
        schema: of the data's labels, those that condition (`condition_on`), with or without the
            codes; None: they have none.

    Raises:
        ValueError: for labels that are needed and missing.
    """
    codes = codes_of(config, schema)
    conditioning, conditioned = conditioning_of(config, schema)
    free = codes or [field for field in (schema.fields if schema else ()) if field.free]
    return dataclasses.replace(
        config,
        conditioning=conditioning,
        categorical_codes=sum(field.kind == "group" for field in free),
        continuous_codes=sum(field.kind == "value" for field in free),
        adversarial_weight=adversarial_weight(config, conditioned),
        penalty_weight=penalty_weight(config),
    )


def undecided(settings: Mapping[str, Any]) -> set[str]:
    """Names of the settings, as `Config.to_json` writes them, that are left to the data."""
    return {name for name, value in UNDECIDED.items() if settings.get(name) == value}


def codes_of(config: Config, schema: LabelSchema | None) -> tuple[Field, ...]:
    """The codes that join the labels of data with `schema`, if they have not yet."""
    if schema is not None and any(field.free for field in schema.fields):
        return ()
    alone = config.conditioning == "infogan" and schema is None
    usual = (1, 2) if alone else (0, 0)
    settings = (config.categorical_codes, config.continuous_codes)
    categorical, continuous = (
        one if many is None else many for one, many in zip(usual, settings, strict=True)
    )
    return free_codes(categorical, config.code_values, continuous)


def conditioning_of(config: Config, schema: LabelSchema | None) -> tuple[str, LabelSchema | None]:
    """How labels condition, and their schema, codes included; None if they do not."""
    conditioning, codes = config.conditioning, codes_of(config, schema)
    labelled = schema is not None and not all(field.free for field in schema.fields)
    if conditioning == "auto":
        conditioning = "ac" if labelled else "infogan" if codes or schema else "none"
    if conditioning == "none":
        return conditioning, None
    if codes and (labelled or conditioning == "infogan"):
        schema = LabelSchema(codes) if schema is None else schema.with_codes(codes)
    if schema is None or conditioning != "infogan" and not labelled:
        raise ValueError(
            f"The recipe {config.recipe!r} is conditioned on labels and the data have none. "
            "Prepare them with --labels FILE.csv, or train without labels: conditioning=none."
        )
    return conditioning, schema


def adversarial_weight(config: Config, schema: LabelSchema | None) -> float | Schedule:
    """As a number; `schema` is that of the labels that condition."""
    if config.adversarial_weight is not None:
        return config.adversarial_weight
    attributes = schema.size - schema.vector_size if schema else 0
    return float(max(1, attributes))


def penalty_weight(config: Config):
    """The factor of the penalties; None where there are none, or where a user's says no usual
    one."""
    names = penalty_names(config.penalty)
    if config.penalty_weight is not None or not names:
        return config.penalty_weight
    return usual_weight(names[0])
