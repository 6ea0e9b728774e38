"""What is decided, and refused, before a training begins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tfanime import models, recipes
from tfanime.core.files import read_json
from tfanime.core.labels import LabelSchema
from tfanime.core.printing import plain
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.gans import GAN
from tfanime.prepare.sources import open_source, source_kind
from tfanime.recipes.config import Config, check_network_options
from tfanime.training.build import codes_of
from tfanime.training.run_config import plain_networks
from tfanime.training.run_folder import refuse_others

ARGUMENTS = ("size", "image_size", "batch_size", "seed", "precision")


def resolve(recipe: str | Config, **overrides) -> Config:
    """The configuration of a recipe with `overrides`.

    None leaves an argument of `train` as the recipe has it; for other settings it is a value.
    """
    config = recipe if isinstance(recipe, Config) else recipes.get(recipe)
    changes = {k: v for k, v in overrides.items() if v is not None or k not in ARGUMENTS}
    config = config.override(**changes)
    check_network_options(config)
    return config


def own_size(data) -> tuple[int, int] | None:
    """The size of pictures that are packed already."""
    if hasattr(data, "height"):
        return data.height, data.width
    if not isinstance(data, (str, os.PathLike)) or not is_packed(data):
        return None
    stored = read_json(Path(data) / "dataset.json")
    return stored["height"], stored["width"]


def config_of(gan: GAN, overrides: dict) -> Config:
    """What can be said of a GAN that the user built: size, objective, batch, seed."""
    # Not the generator's output: an upscaler's has any size.
    height, width = gan.discriminator.inputs[0].shape[1:3]
    config = Config(
        recipe="custom",
        image_size=(height, width),
        latent_dim=gan.latent_dim,
        conditioning=_conditioning_of(gan),
        loss=gan.loss_pair.name,
        critic_steps=gan.critic_steps,
        updates=gan.updates,
        seed=gan.seed,
    )
    changes = {k: v for k, v in overrides.items() if v is not None}
    allowed = {"batch_size", "flip", "prior"}
    unknown = sorted(set(changes) - allowed)
    if unknown:
        raise ValueError(
            f"A GAN that is built already takes only {', '.join(sorted(allowed))}. "
            f"Received: {', '.join(unknown)}."
        )
    return config.override(**changes)


def _conditioning_of(gan: GAN) -> str:
    if gan.head is not None:
        return "ac" if gan.head_on_real else "infogan"
    return "concat" if gan.conditional_discriminator else "none"


def check_data(config: Config, data) -> None:
    if (data.height, data.width) != config.image_size:
        height, width = config.image_size
        raise ValueError(
            f"The pictures are {data.width}x{data.height} and the run is to be {width}x{height}. "
            f"Prepare them with --size {width}x{height}, or train with "
            f"--size {data.width}x{data.height}."
        )
    _check_count(config, len(data))


def _check_count(config: Config, count: int) -> None:
    needed = config.batch_size * config.critic_steps
    if count < needed:
        raise ValueError(
            f"One step takes {needed} pictures and the data hold {count}. "
            "Lower batch_size (--batch) or add pictures."
        )


def say_ignored_labels(config: Config, schema: LabelSchema | None) -> None:
    """Says that a recipe makes nothing of the labels that the data have."""
    if schema is None or config.conditioning != "none":
        return
    if config.generator["name"] in models.UPSCALERS:
        return
    names = [field.name for field in schema.fields]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    print(
        f"Note: the recipe {config.recipe!r} ignores the labels of the data ({plain(shown)}), so "
        "that nothing can be asked for when drawing. 'modern' learns them.",
        file=sys.stderr,
    )


def check_plan(config: Config, source: str | os.PathLike, out: str | os.PathLike) -> None:
    """Refuses what `train` would refuse, and trains nothing.

    Args:
        config: the resolved configuration.
        source: what `load_data` takes.
        out: the run folder.
    """
    refuse_others(Path(out), "config", config.to_json())
    if not is_packed(source):
        check_before_packing(config, source)
        return
    data = PackedDataset.open(source)
    check_data(config, data)
    say_ignored_labels(config, data.schema)
    plain_networks(config, conditioned_on(data, config).schema)


def check_before_packing(config: Config, source: str | os.PathLike) -> None:
    """Finds in seconds what would else be found once all pictures are packed or drawn: networks
    that cannot be of this size, and too few pictures."""
    # What labels there will be is not known yet.
    plain_networks(
        config.override(
            conditioning="none",
            categorical_codes=None,
            continuous_codes=None,
            text_augmentation=0,
            label_embedding=0,
        ),
        None,
    )
    if str(source) == "drawn" or source_kind(Path(source)) == "tar":
        return  # a tar may have to be unpacked to be counted
    with open_source(source) as found:
        _check_count(config, len(found.names))


def conditioned_on(data: PackedDataset, config: Config) -> PackedDataset:
    """The data with those labels only that the run is conditioned on, and its codes; and rows of
    labels to draw from if its prior is that."""
    if config.condition_on != "all":
        data = data.select([name.strip() for name in config.condition_on.split(",")])
    if codes := codes_of(config, data.schema):
        data = data.with_codes(codes)
    if config.prior == "rows" and data.schema is not None:
        data = data.with_rows()
    return data
