"""What is decided, and refused, before a training begins.

All but `check_networks` does without TensorFlow, so that `tfanime train` refuses at once what it
can, with and without --dry-run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tfanime import recipes, zoo
from tfanime.core import bounds, programs
from tfanime.core.choices import STRATEGIES
from tfanime.core.files import is_address
from tfanime.core.labels import LabelSchema
from tfanime.core.printing import near_miss, plain
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.prepare.load import drawn_count
from tfanime.prepare.sources import count_files
from tfanime.recipes.checks import CUSTOM
from tfanime.recipes.config import Config
from tfanime.recipes.resolve import codes_of, resolve
from tfanime.registries import DATA_SOURCES, UPSCALERS, named_source
from tfanime.training import checkpoint
from tfanime.training.run_folder import refuse_other_decisions, refuse_others
from tfanime.zoo import features

ARGUMENTS = ("size", "image_size", "batch_size", "seed", "precision")


def recipe_config(recipe: str | os.PathLike | Config, **overrides) -> Config:
    """The configuration of a recipe with `overrides`.

    None leaves an argument of `train` as the recipe has it; for other settings it is a value.
    """
    config = recipe if isinstance(recipe, Config) else recipes.get(recipe)
    changes = {k: v for k, v in overrides.items() if v is not None or k not in ARGUMENTS}
    return config.override(**changes)


def own_size(data) -> tuple[int, int] | None:
    """The size of images that are packed already."""
    packed = data if hasattr(data, "height") else _packed(data)
    return None if packed is None else (packed.height, packed.width)


def _packed(source) -> PackedDataset | None:
    """What is packed already, opened; of what `load_data` takes or returns."""
    if isinstance(source, PackedDataset):
        return source
    if is_address(source) or (isinstance(source, (str, os.PathLike)) and is_packed(source)):
        return PackedDataset.open(source)
    return None


# ---- what is refused -----------------------------------------------------------------------------


def check_running(config: Config, strategy: str, evaluate_every: int | None) -> None:
    """Refuses ways of running that are not there, or not for this recipe."""
    if strategy not in STRATEGIES:
        raise ValueError(
            f"strategy is one of: {', '.join(STRATEGIES)}. Received: {strategy!r}."
            f"{near_miss(strategy, STRATEGIES)}"
        )
    if evaluate_every and config.generator["name"] in UPSCALERS:
        raise ValueError(
            "evaluate_every measures images drawn from noise, and an upscaler draws none. "
            "Leave it out."
        )


def check_settings(config: Config, source, out: str | os.PathLike) -> None:
    """Refuses what `train` would refuse, as far as it can be told without TensorFlow and without
    reading images.

    Args:
        config: the configuration, resolved or not.
        source: what `load_data` takes or returns.
        out: the run folder.
    """
    refuse_others(Path(out), "config", config.to_json())
    check_frozen(config)
    if not checkpoint.checkpoints(out):  # a run that goes on needs it no more
        check_start(config)
    if (data := _packed(source)) is not None:
        check_data(config, data)
        schema = conditioned_on(data, config).schema
        refuse_others(Path(out), "data", data_record(data))
        refuse_other_decisions(Path(out), resolve(config, schema), schema)
        return
    count = count_images(source, config.image_size, config.batch_size * config.critic_steps)
    if count is not None:
        _check_count(config, count)


def count_images(source, size: tuple[int, int], enough: int) -> int | None:
    """How many images there are, as far as it can be told without reading them: files that may be
    images.

    Args:
        source: what `load_data` takes or returns.
        size: (height, width) of the images.
        enough: a tar is read until so many are found.

    Returns:
        None where only the source itself knows.
    """
    if (data := _packed(source)) is not None:
        return len(data)
    if named := named_source(source):
        name, argument = named
        count = None if argument else DATA_SOURCES.fact(name, "count")
        return drawn_count(argument, size) if name == "drawn" else count
    return count_files(Path(source), enough)


def check_plan(config: Config, source, out: str | os.PathLike) -> Config:
    """Refuses what `train` would refuse before it reads images, and trains nothing; see
    `check_settings`, which this begins with.

    Returns:
        The settings; of packed data, whose labels are known, resolved.
    """
    data = _packed(source)
    check_settings(config, source if data is None else data, out)
    if data is None:
        check_networks(config, None, out)
        return config
    say_ignored_labels(config, data.schema)
    schema = conditioned_on(data, config).schema
    config = resolve(config, schema)
    check_networks(config, schema, out, known=True)
    return config


def check_begun(config: Config, source, out: str | os.PathLike) -> None:
    """Refuses what `fine_tune` would refuse before it reads images, which get the model's labels
    only then."""
    refuse_others(Path(out), "config", config.to_json())
    check_frozen(config)
    check_start(config)
    if (data := _packed(source)) is not None:
        check_data(config, data)
    check_networks(config, None, out)


def check_networks(
    config: Config, schema: LabelSchema | None, out: str | os.PathLike, known: bool = False
) -> None:
    """Builds the networks without values, which finds in seconds what would else be found once all
    images are packed or drawn: that they cannot be built, or that `start` has others.

    Args:
        config: the configuration.
        schema: of the labels.
        out: the run folder; a run in it goes on without `start`.
        known: whether it is known already what labels there are.
    """
    from tfanime.training.build import freeze
    from tfanime.training.run_config import plain_networks, without_labels

    if not known:
        config = without_labels(config)
    networks = plain_networks(config, schema)
    freeze(networks.discriminator, config)
    if config.start is not None and not checkpoint.checkpoints(out):
        from tfanime.training.warm_start import check_fit

        check_fit(networks, config, schema, known)


def check_frozen(config: Config) -> None:
    """Refuses networks to look through that are not there.

    Raises:
        ValueError: naming the setting and what it takes.
    """
    for spec in (config.discriminator, config.projected or {}):
        names = spec.get("features", ())
        for name in names if isinstance(names, (list, tuple)) else (names,):
            features.check_name(name)
    model = config.feature_model
    if model not in (None, "lite0") and not Path(model).is_file():
        raise ValueError(
            f"feature_model is 'lite0' or the path of a Keras model. Received: {model!r}, which "
            "is no file."
        )


def check_start(config: Config) -> None:
    """Refuses a `start` that is not there or that other networks made.

    Raises:
        ValueError: naming it and what differs.
    """
    if config.start is None:
        return
    folder = zoo.locate(config.start)
    if not checkpoint.checkpoints(folder) and not (folder / checkpoint.CRITIC).is_file():
        raise ValueError(
            "start is a run folder with checkpoints, or a model that ships with "
            f"{checkpoint.CRITIC}. Received: {config.start!r}."
        )
    theirs = stored_config(folder)
    if theirs is None:
        return
    # What networks a GAN of the user's own has, only `check_fit` can tell.
    roles = () if theirs.recipe == CUSTOM else ("generator", "discriminator")
    differing = [
        f"{role} {getattr(theirs, role)['name']}, here {getattr(config, role)['name']}"
        for role in roles
        if getattr(theirs, role)["name"] != getattr(config, role)["name"]
    ]
    height, width = theirs.image_size
    grows = config.image_size == (2 * height, 2 * width)
    if config.image_size != theirs.image_size and not grows:
        here = f"{config.image_size[1]}x{config.image_size[0]}"
        differing.append(f"images of {width}x{height}, here {here}")
    ways = theirs.conditioning, config.conditioning
    if not grows and "auto" not in ways and (ways[0] == "none") != (ways[1] == "none"):
        differing.append("conditioning {}, here {}".format(*ways))
    if not grows and theirs.latent_dim != config.latent_dim:
        differing.append(f"latent_dim {theirs.latent_dim}, here {config.latent_dim}")
    if differing:
        raise ValueError(
            "start needs a model of the same networks, and of images of the same or half the "
            f"size. Received: {config.start!r}, with {'; '.join(differing)}."
        )


def stored_config(folder: Path) -> Config | None:
    """The settings of a run or a model that ships; None where it says none, or is damaged, which is
    said where it is read in earnest.

    Raises:
        ValueError: when it was made with a user's file that has not been run.
    """
    if not (folder / "config.json").is_file():
        return None
    programs.check_run(folder)
    try:
        return Config.from_json(bounds.read_object(folder / "config.json")["config"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def check_data(config: Config, data) -> None:
    if (data.height, data.width) != config.image_size:
        height, width = config.image_size
        raise ValueError(
            f"The images are {data.width}x{data.height} and the run is to be {width}x{height}. "
            f"Prepare them with --size {width}x{height}, or train with "
            f"--size {data.width}x{data.height}."
        )
    _check_count(config, len(data))


def _check_count(config: Config, count: int) -> None:
    needed = config.batch_size * config.critic_steps
    if count < needed:
        raise ValueError(
            f"One step takes {needed} images and the data hold {count}. "
            "Lower batch_size (--batch) or add images."
        )


def say_ignored_labels(config: Config, schema: LabelSchema | None) -> None:
    """Says that a recipe makes nothing of the labels that the data have."""
    if schema is None or config.conditioning != "none":
        return
    if config.generator["name"] in UPSCALERS:
        return
    names = [field.name for field in schema.fields]
    some = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    print(
        f"Note: the recipe {config.recipe!r} ignores the labels of the data ({plain(some)}), so "
        "that nothing can be asked for when drawing. 'modern' learns them.",
        file=sys.stderr,
    )


# ---- the data as the run sees them ---------------------------------------------------------------


def data_record(data: PackedDataset) -> dict:
    """What a run stores of its data."""
    return {"count": len(data), "sha256": data.sha256}


def conditioned_on(data: PackedDataset, config: Config) -> PackedDataset:
    """The data with those labels only that the run is conditioned on, and its codes; and rows of
    labels to draw from if its prior is that.

    Raises:
        ValueError: for labels that are asked for and missing.
    """
    if config.rare_share and data.schema is None:
        raise ValueError(
            "rare_share repeats images with rare labels, and the data have none. Received: "
            f"{config.rare_share}. Prepare them with --labels FILE.csv, or leave it out."
        )
    if config.condition_on != "all":
        data = data.select([name.strip() for name in config.condition_on.split(",")])
    if codes := codes_of(config, data.schema):
        data = data.with_codes(codes)
    if config.prior == "rows" and data.schema is not None:
        data = data.with_rows()
    return data
