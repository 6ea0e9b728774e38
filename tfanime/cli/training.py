"""`tfanime train`, `sweep` and `recipes`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

import tfanime
from tfanime.cli.group import INTERRUPTED
from tfanime.cli.kinds import COUNT, Axis, Data, Recipe, RecipeOrData, Run, Settings, Size
from tfanime.core import choices
from tfanime.core.printing import plain
from tfanime.core.usage import WrongUsage
from tfanime.registries import UPSCALERS

if TYPE_CHECKING:
    from tfanime.recipes.config import Config


@click.command()
@click.argument("recipe", metavar="RECIPE|DATA", type=RecipeOrData(), required=False)
@click.option(
    "--from",
    "model",
    type=Run(file_okay=False),
    is_eager=True,  # it decides what the first word means
    metavar="MODEL",
    help="Train a model that ships, or a run, on with DATA; in place of a recipe.",
)
@click.option(
    "--data",
    type=Data(exists=True),
    help="A packed folder, images, or `drawn` (the built-in faces).",
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
    type=Size(),
    metavar="PIXELS",
    help="64, or WIDTHxHEIGHT. Default: the packed set's, else the recipe's.",
)
@click.option("--steps", type=COUNT, help="Stop after so many generator updates.")
@click.option("--epochs", type=float, help="Stop after so many passes through the data.")
@click.option("--minutes", type=float, help="Stop after so many minutes of training.")
@click.option("--batch", "batch_size", type=COUNT, help="Images a step. Default: the recipe's.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Default: the recipe's.")
@click.option(
    "--precision",
    type=click.Choice(choices.PRECISIONS),
    help="Default: the recipe's.",
)
@click.option(
    "--strategy",
    type=click.Choice(choices.STRATEGIES),
    default="auto",
    show_default=True,
    help="auto: every GPU there is, every worker of `tfanime launch`.",
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
    "--evaluate-every",
    type=COUNT,
    metavar="STEPS",
    help="Measure FID and KID and keep the best generator. Default: never.",
)
@click.option(
    "--tensorboard/--no-tensorboard", default=True, show_default=True, help="Write RUN/tensorboard."
)
@click.option("--dry-run", is_flag=True, help="Print the settings that would be used, and stop.")
@click.pass_context
def train(ctx, recipe, model, data, out, settings, dry_run, **options) -> None:
    """Train a model, or continue where a run stopped.

    RECIPE is one of `tfanime recipes`, or a file of your own that ends in .py and is run.
    Stopped by Ctrl-C, a crash or a power cut, the same command continues as if nothing had
    happened.

    With --from MODEL, a model learns from your own images, some dozens at least: its recipe,
    settings and labels are taken over, and RUN/before_after.png shows what became of it.

    \b
    Examples:
      tfanime train modern --data drawn --minutes 5 --out runs/first
      tfanime train --from faces-64 my_pictures/ --minutes 30 --out runs/mine
      tfanime train dcgan-dragan --data packed/ --size 64 --epochs 20 --out runs/faces
      tfanime train dcgan --data packed/ --steps 5000 --set g_lr=1e-4 \\
        --set generator.channels=32 --out runs/small
    """
    from tfanime.recipes.config import parse_overrides

    if model is not None:
        recipe, data = None, _one(ctx, recipe, data)
    elif recipe is None or data is None:
        missing = "argument 'RECIPE'" if recipe is None else "option '--data'"
        raise click.UsageError(f"Missing {missing}. With --from MODEL: --from MODEL DATA.", ctx)
    overrides = parse_overrides(settings)
    both = sorted({name for name in overrides if options.get(name) is not None})
    if both:
        raise click.UsageError(f"Given twice, as an option and by --set: {', '.join(both)}.", ctx)
    options |= overrides
    if model is None:
        config = _checked(ctx, recipe, data, out, options)
    else:
        _check_begun(ctx, model, options)
    if dry_run:
        with _usage(ctx):
            plan = _plan_begun(model, data, out, options) if model else _plan(config, data, out)
        _show_plan(plan, data, options)
        return
    with _usage(ctx, WrongUsage):
        if model is None:
            run = tfanime.train(recipe, data, out=out, **options)
        else:
            run = tfanime.fine_tune(model, data, out=out, **options)
    click.echo(f"{out}: step {run.step:,}, {run.images:,} images, {run.seconds / 60:.1f} minutes")
    for warning in run.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if model is None and config.generator["name"] in UPSCALERS:
        click.echo(f"Enlarge with: tfanime upscale PICTURES {out} --out larger/")
    else:
        click.echo(f"Draw with: tfanime generate {out} --n 64 --grid sheet.png")
    if not run.finished:
        click.echo("Stopped early, and saved. The same command continues.", err=True)
        ctx.exit(INTERRUPTED)


@click.command()
@click.argument("recipe", type=Recipe())
@click.option(
    "--data",
    type=Data(exists=True),
    required=True,
    help="A packed folder, images, or `drawn` (the built-in faces).",
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
    type=click.Choice(choices.STRATEGIES),
    default="auto",
    show_default=True,
    help="auto: every GPU there is, every worker of `tfanime launch`.",
)
@click.option(
    "--tensorboard/--no-tensorboard", default=True, show_default=True, help="Write each cell's."
)
@click.option("--dry-run", is_flag=True, help="Print the cells, and stop.")
@click.pass_context
def sweep(ctx, recipe, data, grid, out, settings, dry_run, **options) -> None:
    """Train a recipe once per cell of a grid, with equal budgets, and compare.

    DIR gets a run folder per cell, the figures of all (table.csv, table.md), and a strip of
    images of each on one sheet (sheets.png). Stopped, the same command continues; cells that are
    done are not trained again. A cell whose losses become NaN is noted, and the next one trained.

    \b
    Examples:
      tfanime sweep dcgan --data packed/ --grid batch_size=16,32,64 \\
        --grid optimizer=adam,rmsprop,sgd --epochs 20 --out sweeps/table1
      tfanime sweep modern --data drawn --grid generator.channels=16,32 --minutes 5 --out sweeps/w
      tfanime sweep dcgan --data packed/ --grid 'augment=["none", "color,translation"]' \\
        --set size=32 --steps 2000 --out sweeps/augment
    """
    from tfanime.recipes.config import parse_overrides
    from tfanime.training.grids import cells, parse_grid

    axes, overrides = parse_grid(grid), parse_overrides(settings)
    _check_cells(ctx, recipe, axes, data, out, options, overrides)
    if dry_run:
        for cell in cells(axes):
            click.echo(f"{out}/{cell.name}")
        return
    with _usage(ctx, WrongUsage):
        result = tfanime.sweep(recipe, data, axes, out=out, **options, **overrides)
    click.echo(f"{out}/table.md: {len(result.cells)} cells; images: {out}/sheets.png")
    for cell in result.cells:
        if cell.result and cell.result["state"] == "diverged":
            click.echo(f"Warning: {cell.name} diverged.", err=True)
    if not result.finished:
        click.echo("Stopped early, and saved. The same command continues.", err=True)
        ctx.exit(INTERRUPTED)


@click.command()
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
    headlines = {name: tfanime.recipes.headline(name) for name in tfanime.recipes.names()}
    width = max(map(len, headlines))
    for name, headline in headlines.items():
        click.echo(f"{name:{width}}  {headline}")


# ---- what is refused ---------------------------------------------------------------------------

# Options of `train` that are no settings of the recipe.
RUNNING = ("steps", "epochs", "minutes", "strategy", "sample_every", "checkpoint_every")
RUNNING += ("evaluate_every", "tensorboard")


def _changes(options: dict) -> dict:
    """Those that are settings of the recipe."""
    return {name: value for name, value in options.items() if name not in RUNNING}


def _one(ctx: click.Context, first: str | None, data: str | None) -> str:
    """The data of --from, which may be the first word or --data."""
    if (first is None) == (data is None):
        raise click.UsageError("With --from MODEL comes one DATA: a folder of images.", ctx)
    return first or data


def _checked(ctx: click.Context, recipe: str, data: str, out: str, options: dict) -> Config:
    """The settings of a training, after all that can be refused without TensorFlow, which takes its
    time to be imported."""
    from tfanime.training import plan

    changes = _changes(options)
    with _usage(ctx):
        _check_budget(options)
        if "image_size" not in changes:
            changes["size"] = changes["size"] or plan.own_size(data)
        config = plan.recipe_config(recipe, **changes)
        plan.check_running(config, options["strategy"], options["evaluate_every"])
        plan.check_settings(config, data, out)
    return config


def _check_begun(ctx: click.Context, model: Path, options: dict) -> None:
    """The same of training a model on, whose settings are taken over."""
    from tfanime.training import plan

    with _usage(ctx):
        _check_budget(options)
        if (config := plan.stored_config(model)) is not None:
            plan.recipe_config(config, **_changes(options))


def _check_cells(
    ctx: click.Context, recipe, axes: dict, data, out: str, options: dict, fixed: dict
) -> None:
    """The same of a sweep: of every cell's settings."""
    from tfanime.training import plan
    from tfanime.training.grids import cell_configs

    with _usage(ctx):
        _check_budget(options)
        for cell, config in cell_configs(recipe, axes, fixed, plan.own_size(data)):
            plan.check_settings(config, data, Path(out) / cell.name)


def _check_budget(options: dict) -> None:
    from tfanime.training.budget import check_budget

    limits = [options[name] for name in ("steps", "epochs", "minutes")]
    if limits == [None] * 3:
        raise ValueError("Say when to stop: --steps, --epochs or --minutes.")
    check_budget(*limits)


@contextmanager
def _usage(ctx: click.Context, kind: type[ValueError] = ValueError) -> Iterator[None]:
    """What is wrong with settings is wrong usage: exit code 2."""
    try:
        yield
    except kind as error:
        raise click.UsageError(plain(error), ctx) from None


# ---- what is printed ---------------------------------------------------------------------------


def _show_config(settings: dict) -> None:
    width = max(map(len, settings))
    for key, value in settings.items():
        click.echo(f"  {key:{width}}  {value}")


def _show_recipe(name: str) -> None:
    from tfanime.core.labels import MAKEGIRLSMOE
    from tfanime.training.build import build_gan

    config = tfanime.recipes.get(name)
    click.echo(tfanime.recipes.describe(name))
    click.echo("\nSettings")
    _show_config(config.to_json())
    gan = build_gan(config, MAKEGIRLSMOE)
    for network in (gan.generator, gan.discriminator):
        click.echo(f"\n{network.name}, {network.count_params():,} parameters")
        for layer in network.layers:
            shape = "x".join(str(length or "?") for length in layer.output.shape[1:])
            row = f"  {layer.name:24} {type(layer).__name__:24} {shape:12}"
            click.echo(f"{row} {layer.count_params():>12,}")


def _plan(config: Config, data: str, out: str) -> Config:
    from tfanime.training.plan import check_plan

    return check_plan(config, data, out)


def _plan_begun(model: Path, data: str, out: str, options: dict) -> Config:
    """The same of training a model on."""
    from tfanime.training.fine_tune import planned

    return planned(model, data, out, **_changes(options))


def _show_plan(config: Config, data: str, options: dict) -> None:
    click.echo(f"Would train on {data} with")
    _show_config(config.to_json())
    click.echo("and")
    budget = {name: options[name] for name in RUNNING}
    _show_config({name: value for name, value in budget.items() if value is not None})
