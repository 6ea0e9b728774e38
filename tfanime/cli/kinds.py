"""Kinds of arguments, and the options that several verbs share."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import click

from tfanime import zoo
from tfanime.core.files import is_address
from tfanime.core.printing import near_miss
from tfanime.registries import named_source


class Size(click.ParamType):
    name = "size"

    def convert(self, value, param, ctx):
        from tfanime.core.images import parse_size

        try:
            return parse_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Recipe(click.ParamType):
    name = "recipe"

    def convert(self, value, param, ctx):
        from tfanime import recipes

        if value.endswith(".py"):  # a file, which is run where its settings are checked
            return value
        if value not in recipes.RECIPES:
            names = recipes.names()
            message = f"{value!r} is none of: {', '.join(names)}.{near_miss(value, names)}"
            self.fail(message, param, ctx)
        return value


class RecipeOrData(Recipe):
    """A recipe, or with --from the data."""

    def convert(self, value, param, ctx):
        # What is not given is no None there, but click's own sentinel.
        if isinstance(ctx.params.get("model"), Path):
            return Data(exists=True).convert(value, param, ctx)
        return super().convert(value, param, ctx)


class Data(click.Path):
    """A path that exists, an address in object storage, or a data source such as `drawn`."""

    def convert(self, value, param, ctx):
        elsewhere = named_source(value) or is_address(value)
        return value if elsewhere else super().convert(value, param, ctx)


class Labels(click.Path):
    """A file that exists, or `folders`. A file of that name is given as `./folders`."""

    def __init__(self):
        super().__init__(exists=True, dir_okay=False)

    def convert(self, value, param, ctx):
        return value if value == "folders" else super().convert(value, param, ctx)


class Settings(click.ParamType):
    name = "key=value"

    def convert(self, value, param, ctx):
        from tfanime.recipes.config import parse_overrides

        try:
            parse_overrides([value])
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Axis(click.ParamType):
    name = "key=values"

    def convert(self, value, param, ctx):
        from tfanime.training.grids import parse_grid

        try:
            parse_grid([value])
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


class Drawing(click.Path):
    """A file to write, whose ending is checked before anything is drawn.

    Args:
        endings: module and name of a tuple in `tfanime.core`, `"images.SHEETS"`.
    """

    def __init__(self, endings: str):
        super().__init__(dir_okay=False)
        self.endings = endings

    def convert(self, value, param, ctx):
        module, _, name = self.endings.partition(".")
        choices = getattr(import_module(f"tfanime.core.{module}"), name)
        if not str(value).lower().endswith(choices):
            self.fail(f"{str(value)!r} ends in none of: {', '.join(choices)}.", param, ctx)
        return super().convert(value, param, ctx)


class Slider(click.ParamType):
    name = "column=x"

    def convert(self, value, param, ctx):
        name, equals, number = value.partition("=")
        try:
            if not equals:
                raise ValueError
            return name.strip().replace("-", "_"), float(number)
        except ValueError:
            self.fail(f"{value!r} is no COLUMN=X, such as blue_hair=0.3.", param, ctx)


class Moves(click.ParamType):
    """`smile=1.5` to a name and a number."""

    name = "direction=x"

    def convert(self, value, param, ctx):
        name, _, number = value.partition("=")
        try:
            return name.strip(), float(number)
        except ValueError:
            self.fail(f"{value!r} is no DIRECTION=X, such as smile=1.5.", param, ctx)


class PartOrNames(click.ParamType):
    """A number from 0 to 1, or names, `smile,hair`, as a list."""

    name = "part"

    def convert(self, value, param, ctx):
        try:
            part = float(value)
        except ValueError:
            return [name.strip() for name in value.split(",") if name.strip()]
        return click.FloatRange(0, 1).convert(part, param, ctx)


class Step(click.ParamType):
    """`9`, or `9:3` for image 3 of that seed."""

    name = "step"

    def convert(self, value, param, ctx):
        seed, colon, index = value.partition(":")
        try:
            return (int(seed), int(index)) if colon else int(seed)
        except ValueError:
            self.fail(f"{value!r} is no SEED or SEED:INDEX, such as 9 or 9:3.", param, ctx)


class Seeds(click.ParamType):
    name = "seeds"

    def convert(self, value, param, ctx):
        try:
            return [int(word) for word in value.split(",")]
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 1,2,3.", param, ctx)


class Tags(click.ParamType):
    """`hair=blue,smile,no-hat` to `(name, value)` pairs."""

    name = "tags"

    def convert(self, value, param, ctx):
        pairs = [word.strip().partition("=") for word in value.split(",") if word.strip()]
        return [(name, text if equals else None) for name, equals, text in pairs]


class Run(click.Path):
    """A path that exists, the name of a model that ships with tfanime, or hf://OWNER/NAME."""

    def __init__(self, **kwargs):
        super().__init__(exists=True, path_type=Path, **kwargs)

    def convert(self, value, param, ctx):
        try:
            folder = zoo.locate(value)
        except ValueError as error:  # about an address on the hub
            self.fail(str(error), param, ctx)
        if not os.path.exists(folder):
            names = zoo.names()
            message = f"Path {os.fspath(value)!r} does not exist, and what ships is: "
            self.fail(f"{message}{', '.join(names)}.{near_miss(value, names)}", param, ctx)
        if os.path.exists(value) and not os.path.samefile(value, folder):
            click.echo(f"{value} is the model that ships; what is here is ./{value}.", err=True)
        return super().convert(folder, param, ctx)


class RunOrDefault(Run):
    """A run, or the model that ships if the first word is already an attribute, `--hair blue`."""

    def convert(self, value, param, ctx):
        if str(value).startswith("--"):
            ctx.meta[FIRST_ATTRIBUTE] = value
            value = zoo.DEFAULT
        return super().convert(value, param, ctx)


FIRST_ATTRIBUTE = "tfanime.first_attribute"
RUN = click.argument("run", type=Run())
RUN_OR_DEFAULT = click.argument("run", type=RunOrDefault(), default=zoo.DEFAULT)
COUNT = click.IntRange(min=1)
SEED = click.IntRange(0, 2**53 - 1)
TRUNCATION = click.option(
    "--truncation",
    type=click.FloatRange(0, 2),
    default=1.0,
    show_default=True,
    help="Scale of the latents: below 1 typical images, above 1 unusual ones.",
)
TYPICAL = click.option(
    "--typical",
    is_flag=True,
    help="A truncation below 1 leads to the model's typical latent, not to zero.",
)
TRUST_ENCODER = click.option(
    "--trust-encoder",
    is_flag=True,
    help="Load the text encoder that the data name even if tfanime does not know it. It is a "
    "program that may read and write files.",
)


class Words(click.ParamType):
    """`action,slice of life` to its parts."""

    name = "words"

    def convert(self, value, param, ctx):
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value
