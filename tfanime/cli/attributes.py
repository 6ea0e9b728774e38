"""A run's attributes as options: `--hair blue --smile --no-hat`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfanime import zoo
from tfanime.cli.kinds import FIRST_ATTRIBUTE
from tfanime.core.printing import near_miss, plain

if TYPE_CHECKING:
    from tfanime.core.labels import LabelSchema

ATTRIBUTES = {"ignore_unknown_options": True, "allow_extra_args": True}


class WithAttributes(click.Command):
    """A verb that takes the attributes of a model as options, which its help lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # Before click reads them: --help is obeyed at once.
        ctx.meta[MODEL] = next((word for word in args if _is_model(word)), None)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        model = ctx.meta[MODEL]
        if model is None:
            with formatter.section("Attributes"):
                formatter.write_text(f"{ctx.command_path} MODEL --help lists those of a model.")
            return
        from tfanime.zoo.listing import attribute_lines
        from tfanime.zoo.saved import load_schema

        schema = load_schema(model)
        with formatter.section(f"Attributes of {plain(model)}"):
            if schema is None:
                formatter.write_text("none: it was trained without labels")
            else:
                own = {name for param in self.params for name in param.opts}
                lines = [
                    (LABEL + name[2:], values.replace("--no-", LABEL + "no-"))
                    if name in own
                    else (name, values)
                    for name, values in attribute_lines(schema)
                ]
                formatter.write_dl([(plain(name), plain(values)) for name, values in lines])


MODEL = "tfanime.model"
LABEL = "--label-"  # before an attribute that is called like an option of the verb: --label-style


def _is_model(word: str) -> bool:
    try:
        return zoo.is_model(zoo.locate(word))
    except ValueError:  # an address that is none: the argument's own kind says so
        return False


def pairs_of(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The options that click does not know: `--hair blue --smile` to `("hair", "blue")`,
    `("smile", None)`."""
    first = ctx.meta.get(FIRST_ATTRIBUTE)
    words = ([first] if first else []) + ctx.args
    while words:
        word = words.pop(0)
        if not word.startswith("--") or word == "--":
            first = " A model comes before its attributes." if _is_model(word) else ""
            raise click.UsageError(f"Got unexpected extra argument ({word}).{first}", ctx)
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = words.pop(0) if words and not words[0].startswith("--") else None
        yield name, value


def tags_of(
    ctx: click.Context, run: Path, pairs: Iterable[tuple[str, str | None]]
) -> dict[str, object]:
    """Attribute words, checked against what the run was trained with."""
    pairs = list(pairs)
    if not pairs:
        return {}
    from tfanime.zoo.saved import load_schema

    schema = load_schema(run)
    if schema is None:
        raise click.UsageError(
            f"No such option: --{pairs[0][0]}. {run} has no attributes: it was trained without "
            "labels.",
            ctx,
        )
    tags = dict(_tag(ctx, run, schema, name, value) for name, value in pairs)
    try:
        schema.encode(tags)
    except ValueError as error:
        raise click.UsageError(plain(error), ctx) from None
    return tags


def _tag(
    ctx: click.Context, run: Path, schema: LabelSchema, name: str, value: str | None
) -> tuple[str, object]:
    by_name = {field.name.replace("_", "-"): field for field in schema.fields}
    spelt = name.replace("_", "-")
    if spelt not in by_name:
        spelt = spelt.removeprefix(LABEL[2:])
    if spelt in by_name:
        field = by_name[spelt]
        if value is None and field.kind != "flag":
            values = ", ".join(field.values) or f"a number from {field.low:g} to {field.high:g}"
            raise click.UsageError(plain(f"Option --{name} needs a value: {values}."), ctx)
        return field.name, True if value is None else value
    field = by_name.get(spelt.removeprefix("no-"))
    if field is not None and field.kind == "flag" and value is None:
        return field.name, False
    listed = ", ".join(field.name for field in schema.fields)
    options = [param.name.replace("_", "-") for param in ctx.command.params]
    hint = near_miss(spelt.removeprefix("no-"), [*by_name, *options])
    message = f"No such option: --{name}. Attributes of {run}: {listed}.{hint}"
    raise click.UsageError(plain(message), ctx)
