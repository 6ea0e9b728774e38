"""The command `tfanime`: verbs only. Each calls the Python function of the same name.

Exit codes: 0, 1 (failed), 2 (wrong usage), 130 (interrupted). Everything heavy is imported inside
the verbs, so that `tfanime --help` loads neither TensorFlow nor NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

import tfanime

if TYPE_CHECKING:
    from tfanime.labels import LabelSchema

# What our functions raise for reasons that a user can do something about.
EXPECTED = (ValueError, OSError, RuntimeError, ImportError, MemoryError)
INTERRUPTED = 130
ATTRIBUTES = {"ignore_unknown_options": True, "allow_extra_args": True}


class Verbs(click.Group):
    """Turns exceptions into one sentence and an exit code; `--debug` shows where they arose."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own; the pipe is `tfanime recipes | head`
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(_sentence(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of the work, not of the alphabet


def _sentence(error: Exception) -> str:
    if not isinstance(error, EXPECTED):
        first_line = (str(error).splitlines() or [""])[0]
        return f"{type(error).__name__}: {first_line} (`tfanime --debug ...` shows where)"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return str(error) or type(error).__name__


# ---- kinds of arguments ------------------------------------------------------------------------


class Size(click.ParamType):
    name = "size"

    def convert(self, value, param, ctx):
        from tfanime.images import parse_size

        try:
            return parse_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Recipe(click.ParamType):
    name = "recipe"

    def convert(self, value, param, ctx):
        from tfanime import recipes

        if value not in recipes.names():
            self.fail(f"{value!r} is none of: {', '.join(recipes.names())}.", param, ctx)
        return value


class Data(click.Path):
    """A path that exists, or `drawn`."""

    def convert(self, value, param, ctx):
        return value if value == "drawn" else super().convert(value, param, ctx)


class Settings(click.ParamType):
    name = "key=value"

    def convert(self, value, param, ctx):
        from tfanime.config import parse_overrides

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
        return [(name, given if equals else None) for name, equals, given in pairs]


RUN = click.argument("run", type=click.Path(exists=True, path_type=Path))
COUNT = click.IntRange(min=1)
SEED = click.IntRange(0, 2**53 - 1)
TRUNCATION = click.option(
    "--truncation",
    type=click.FloatRange(0, 2),
    default=1.0,
    show_default=True,
    help="Scale of the latents: below 1 typical pictures, above 1 unusual ones.",
)


def _pairs(ctx: click.Context) -> Iterable[tuple[str, str | None]]:
    """The options that click does not know: `--hair blue --smile` to `("hair", "blue")`,
    `("smile", None)`."""
    words = list(ctx.args)
    while words:
        word = words.pop(0)
        if not word.startswith("--") or word == "--":
            raise click.UsageError(f"Got unexpected extra argument ({word}).", ctx)
        name, equals, value = word[2:].partition("=")
        if not equals:
            value = words.pop(0) if words and not words[0].startswith("--") else None
        yield name, value


def _tags(
    ctx: click.Context, run: Path, pairs: Iterable[tuple[str, str | None]]
) -> dict[str, object]:
    """Attribute words, checked against what the run was trained with."""
    pairs = list(pairs)
    if not pairs:
        return {}
    from tfanime.saved import load_schema

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
        raise click.UsageError(str(error), ctx) from None
    return tags


def _tag(
    ctx: click.Context, run: Path, schema: LabelSchema, name: str, value: str | None
) -> tuple[str, object]:
    known = {field.name.replace("_", "-"): field for field in schema.fields}
    plain = name.replace("_", "-")
    if plain in known:
        field = known[plain]
        if value is None and field.kind != "flag":
            wanted = ", ".join(field.values) or f"a number from {field.low:g} to {field.high:g}"
            raise click.UsageError(f"Option --{name} needs a value: {wanted}.", ctx)
        return field.name, True if value is None else value
    field = known.get(plain.removeprefix("no-"))
    if field is not None and field.kind == "flag" and value is None:
        return field.name, False
    listed = ", ".join(field.name for field in schema.fields)
    raise click.UsageError(f"No such option: --{name}. Attributes of {run}: {listed}.", ctx)


# ---- verbs -------------------------------------------------------------------------------------


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(tfanime.__version__, prog_name="tfanime", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, hidden=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Train GANs that draw anime faces, and draw with them.

    \b
    Examples:
      tfanime recipes
      tfanime train dcgan --data drawn --minutes 5 --out runs/first
      tfanime generate runs/first --n 64 --grid sheet.png

    `tfanime VERB --help` explains a verb and gives examples.
    """


@main.command()
@click.argument("source", metavar="INPUT", type=click.Path(exists=True))
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False),
    metavar="CSV",
    help="Labels: a column `file` and one column an attribute.",
)
@click.option(
    "--size",
    type=Size(),
    default="64",
    show_default=True,
    metavar="PIXELS",
    help="64, or WIDTHxHEIGHT such as 64x96.",
)
@click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
@click.option(
    "--mode",
    type=click.Choice(["crop", "pad"]),
    default="crop",
    show_default=True,
    help="How a picture of another shape fits.",
)
@click.option(
    "--focus",
    type=(float, float),
    default=(0.5, 0.5),
    show_default=True,
    metavar="X Y",
    help="What stays in view, 0 (left, top) to 1.",
)
@click.option(
    "--smallest",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="PIXELS",
    help="Leave out pictures whose shorter side is below this.",
)
@click.option("--near-duplicates", is_flag=True, help="Leave out pictures that look the same.")
@click.option("--strict", is_flag=True, help="Fail at the first file that cannot be used.")
@click.option("--overwrite", is_flag=True, help="Replace another packed set at --out.")
def prepare(source, out, **options) -> None:
    """Pack pictures into a folder that trains at full speed.

    INPUT is a folder, a .zip, a .tar or a CSV of paths. Files that cannot be used are left out
    and listed, with the reason, in DIR/dataset.json.

    \b
    Examples:
      tfanime prepare faces/ --size 64 --out packed/
      tfanime prepare faces.tar --labels tags.csv --size 96 --near-duplicates --out packed/
      tfanime prepare posters.csv --size 64x96 --mode pad --out posters/
    """
    packed = tfanime.pack(source, out, **options)
    size = f"{packed.width}x{packed.height}"
    click.echo(f"{out}: {len(packed):,} pictures of {size}")
    click.echo(f"Train with: tfanime train dcgan --data {out} --minutes 60 --out runs/first")


@main.command()
@click.argument("recipe", type=Recipe())
@click.option(
    "--data",
    type=Data(exists=True),
    required=True,
    help="A packed folder, pictures, or `drawn` (the built-in faces).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    required=True,
    metavar="RUN",
    help="Run folder; a run that is there is continued.",
)
@click.option(
    "--size",
    "image_size",
    type=Size(),
    metavar="PIXELS",
    help="64, or WIDTHxHEIGHT. Default: the packed set's, else the recipe's.",
)
@click.option("--steps", type=COUNT, help="Stop after so many generator updates.")
@click.option("--epochs", type=float, help="Stop after so many passes through the data.")
@click.option("--minutes", type=float, help="Stop after so many minutes of training.")
@click.option("--batch", "batch_size", type=COUNT, help="Pictures a step. Default: the recipe's.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Default: the recipe's.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "mixed_bfloat16", "mixed_float16"]),
    help="Default: the recipe's.",
)
@click.option(
    "--strategy",
    type=click.Choice(["auto", "none", "mirrored", "multiworker"]),
    default="auto",
    show_default=True,
    help="auto: every GPU there is.",
)
@click.option(
    "--set",
    "settings",
    type=Settings(),
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting of the recipe; may be repeated.",
)
@click.option(
    "--sample-every", type=COUNT, metavar="STEPS", help="Draw a sample sheet. Default: every epoch."
)
@click.option(
    "--checkpoint-every", type=COUNT, metavar="STEPS", help="Save. Default: every three minutes."
)
@click.option(
    "--tensorboard/--no-tensorboard", default=True, show_default=True, help="Write RUN/tensorboard."
)
@click.option("--dry-run", is_flag=True, help="Print the settings that would be used, and stop.")
@click.pass_context
def train(ctx, recipe, data, out, settings, dry_run, **options) -> None:
    """Train a model, or continue where a run stopped.

    RECIPE is one of `tfanime recipes`. Stopped by Ctrl-C, a crash or a power cut, the same
    command continues as if nothing had happened.

    \b
    Examples:
      tfanime train dcgan --data drawn --minutes 5 --out runs/first
      tfanime train dcgan-dragan --data packed/ --size 64 --epochs 20 --out runs/faces
      tfanime train dcgan --data packed/ --steps 5000 --set g_lr=1e-4 \\
        --set generator.channels=32 --out runs/small
    """
    from tfanime.config import parse_overrides

    overrides = parse_overrides(settings)
    both = sorted({name for name in overrides if options.get(name) is not None})
    if both:
        raise click.UsageError(f"Given twice, as an option and by --set: {', '.join(both)}.", ctx)
    options |= overrides
    if dry_run:
        _show_plan(recipe, data, options)
        return
    run = tfanime.train(recipe, data, out=out, **options)
    click.echo(f"{out}: step {run.step:,}, {run.images:,} pictures, {run.seconds / 60:.1f} minutes")
    for warning in run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"Draw with: tfanime generate {out} --n 64 --grid sheet.png")
    if not run.finished:
        click.echo("Stopped early, and saved. The same command continues.", err=True)
        ctx.exit(INTERRUPTED)


@main.command()
@click.argument("recipe", type=Recipe())
@click.option(
    "--data",
    type=Data(exists=True),
    required=True,
    help="A packed folder, pictures, or `drawn` (the built-in faces).",
)
@click.option(
    "--grid",
    type=Axis(),
    multiple=True,
    required=True,
    metavar="KEY=VALUE,...",
    help="A setting and the values to try; may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder of the sweep; one that is there is continued.",
)
@click.option("--steps", type=COUNT, help="Generator updates of each cell.")
@click.option("--epochs", type=float, help="Passes through the data of each cell.")
@click.option("--minutes", type=float, help="Minutes of training of each cell.")
@click.option(
    "--set",
    "settings",
    type=Settings(),
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other setting of the recipe, for all cells; may be repeated.",
)
@click.option(
    "--strategy",
    type=click.Choice(["auto", "none", "mirrored", "multiworker"]),
    default="auto",
    show_default=True,
    help="auto: every GPU there is.",
)
@click.option(
    "--tensorboard/--no-tensorboard", default=True, show_default=True, help="Write each cell's."
)
@click.option("--dry-run", is_flag=True, help="Print the cells, and stop.")
@click.pass_context
def sweep(ctx, recipe, data, grid, out, settings, dry_run, **options) -> None:
    """Train a recipe once per cell of a grid, with equal budgets, and compare.

    DIR gets a run folder per cell, the figures of all (table.csv, table.md), and a strip of
    pictures of each on one sheet (sheets.png). Stopped, the same command continues; cells that are
    done are not trained again. A cell whose losses become NaN is noted, and the next one trained.

    \b
    Examples:
      tfanime sweep dcgan --data packed/ --grid batch_size=16,32,64 \\
        --grid optimizer=adam,rmsprop,sgd --epochs 20 --out sweeps/table1
      tfanime sweep modern --data drawn --grid generator.channels=16,32 --minutes 5 --out sweeps/w
      tfanime sweep dcgan --data packed/ --grid 'augment=["none", "color,translation"]' \\
        --set image_size=32 --steps 2000 --out sweeps/augment
    """
    from tfanime.config import parse_overrides
    from tfanime.training.grids import cells, parse_grid

    axes, overrides = parse_grid(grid), parse_overrides(settings)
    if dry_run:
        for cell in cells(axes):
            click.echo(f"{out}/{cell.name}")
        return
    done = tfanime.sweep(recipe, data, axes, out=out, **options, **overrides)
    click.echo(f"{out}/table.md: {len(done.cells)} cells; pictures: {out}/sheets.png")
    for cell in done.cells:
        if cell.result and cell.result["state"] == "diverged":
            click.echo(f"Warning: {cell.name} diverged.", err=True)
    if not done.finished:
        click.echo("Stopped early, and saved. The same command continues.", err=True)
        ctx.exit(INTERRUPTED)


@main.command(context_settings=ATTRIBUTES)
@RUN
@click.option("--n", type=COUNT, default=16, show_default=True, help="How many pictures.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same pictures.")
@TRUNCATION
@click.option(
    "--first",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Index of the first picture; --first 16 goes on after --n 16.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="One PNG a picture, and generated.json.",
)
@click.option(
    "--grid",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="All pictures on one sheet (.png, .jpg, .webp).",
)
@click.pass_context
def generate(ctx, run, n, out, grid, **options) -> None:
    """Draw pictures: single files (--out), a sheet (--grid) or both.

    A run that was trained with labels takes each of its attributes as an option: a value
    (--hair blue), or for a yes-or-no attribute --smile, --no-smile, --smile true. Those left out
    vary as in the training set. RUN comes before them.

    \b
    Examples:
      tfanime generate runs/first --n 64 --grid sheet.png
      tfanime generate runs/girls --n 16 --seed 7 --hair blue --smile --no-hat --out faces/
      tfanime generate runs/girls --truncation 0.7 --grid typical.png
    """
    if out is None and grid is None:
        raise click.UsageError("Say where the pictures go: --out DIR, --grid FILE or both.", ctx)
    tags = _tags(ctx, run, _pairs(ctx))
    tfanime.generate(run, n=n, tags=tags or None, out=out, grid=grid, progress=True, **options)
    if out is not None:
        click.echo(f"{n:,} pictures in {out}")
    if grid is not None:
        click.echo(f"sheet: {grid}")


@main.command(context_settings=ATTRIBUTES)
@RUN
@click.option(
    "--seeds",
    type=Seeds(),
    metavar="N,N,...",
    help="One key picture a seed. Default: 0,1,2,3, or 0 with --from and --to.",
)
@click.option(
    "--from",
    "start",
    type=Tags(),
    metavar="TAGS",
    help="Attributes of the first key picture, such as hair=blue,smile,no-hat.",
)
@click.option("--to", "end", type=Tags(), metavar="TAGS", help="Attributes of the second.")
@click.option(
    "--frames",
    type=COUNT,
    default=24,
    show_default=True,
    help="Pictures from one key picture to the next.",
)
@click.option(
    "--method",
    type=click.Choice(["slerp", "lerp"]),
    default="slerp",
    show_default=True,
    help="Along the arc between latents, or straight.",
)
@TRUNCATION
@click.option(
    "--milliseconds", type=COUNT, default=50, show_default=True, help="How long a frame stays."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A looping animation (.gif, .webp, or .png: APNG).",
)
@click.option(
    "--grid",
    type=click.Path(dir_okay=False),
    metavar="SHEET",
    help="A still sheet, one row a transition (.png, .jpg, .webp).",
)
@click.pass_context
def interpolate(ctx, run, seeds, start, end, out, grid, **options) -> None:
    """Draw transitions between seeds or attributes, as a loop (--out) or a sheet (--grid).

    Attributes given as options, as for `generate`, hold for all key pictures.

    \b
    Examples:
      tfanime interpolate runs/first --seeds 1,2,3 --out loop.gif
      tfanime interpolate runs/girls --seeds 5 --from hair=blue,smile --to hair=red --grid dye.png
      tfanime interpolate runs/girls --seeds 1,2,3,4 --hair pink --frames 12 --out pink.webp
    """
    if out is None and grid is None:
        raise click.UsageError("Say where the pictures go: --out FILE, --grid SHEET or both.", ctx)
    if (start is None) != (end is None):
        raise click.UsageError("--from and --to go together.", ctx)
    tags = _tags(ctx, run, _pairs(ctx)) or None
    if start is not None:
        common = tags or {}
        tags = [common | _tags(ctx, run, pairs) for pairs in (start, end)]
    tfanime.interpolate(run, seeds=seeds, tags=tags, out=out, grid=grid, progress=True, **options)
    if out is not None:
        click.echo(f"animation: {out}")
    if grid is not None:
        click.echo(f"sheet: {grid}")


@main.command()
@click.argument("name", type=Recipe(), required=False)
def recipes(name) -> None:
    """List the recipes, or explain one: source, settings, layers.

    \b
    Examples:
      tfanime recipes
      tfanime recipes makegirlsmoe
    """
    if name is not None:
        _show_recipe(name)
        return
    known = {name: tfanime.recipes.headline(name) for name in tfanime.recipes.names()}
    width = max(map(len, known))
    for name, headline in known.items():
        click.echo(f"{name:{width}}  {headline}")


# ---- what is printed ---------------------------------------------------------------------------


def _show_config(settings: dict) -> None:
    width = max(map(len, settings))
    for key, value in settings.items():
        click.echo(f"  {key:{width}}  {value}")


def _show_recipe(name: str) -> None:
    from tfanime.labels import MAKEGIRLSMOE
    from tfanime.training.build import build_gan

    config = tfanime.recipes.get(name)
    click.echo(tfanime.recipes.describe(name))
    click.echo("\nSettings")
    _show_config(config.to_json())
    gan = build_gan(config, MAKEGIRLSMOE)
    for network in (gan.generator, gan.discriminator):
        click.echo(f"\n{network.name}, {network.count_params():,} parameters")
        for layer in network.layers:
            shape = "x".join(str(length) for length in layer.output.shape[1:])
            row = f"  {layer.name:24} {type(layer).__name__:24} {shape:12}"
            click.echo(f"{row} {layer.count_params():>12,}")


def _show_plan(recipe: str, data: str, options: dict) -> None:
    from tfanime.training.train import own_size, resolve

    running = ("steps", "epochs", "minutes", "strategy", "sample_every", "checkpoint_every")
    budget = {name: options.pop(name) for name in running}
    options.pop("tensorboard")
    options["image_size"] = options["image_size"] or own_size(data)
    click.echo(f"Would train on {data} with")
    _show_config(resolve(recipe, **options).to_json())
    click.echo("and")
    _show_config({name: value for name, value in budget.items() if value is not None})
