"""`tfanime generate` and `interpolate`."""

from __future__ import annotations

import click

import tfanime
from tfanime.cli.attributes import ATTRIBUTES, WithAttributes, pairs_of, tags_of
from tfanime.cli.kinds import (
    COUNT,
    RUN_OR_DEFAULT,
    SEED,
    TRUNCATION,
    TYPICAL,
    Drawing,
    Run,
    Seeds,
    Slider,
    Step,
    Tags,
)
from tfanime.core import lean

UPSCALE = click.option(
    "--upscale",
    type=Run(),
    metavar="RUN",
    help="Enlarge them with an upscaler: one that ships, or a run of lineart or srgan. Default: "
    "what the model names.",
)
NO_UPSCALE = click.option(
    "--no-upscale", is_flag=True, help="Leave them as they are drawn, whatever the model names."
)
SCALE = click.option(
    "--scale",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Make them so many times as large, without new detail.",
)


def with_upscaler(ctx, options: dict) -> dict:
    """`--upscale` and `--no-upscale` as the one argument of the functions."""
    options = dict(options)
    if options.pop("no_upscale"):
        if options["upscale"] is not None:
            raise click.UsageError("Give --upscale or --no-upscale, not both.", ctx)
        options["upscale"] = "none"
    return options


@click.command(cls=WithAttributes, context_settings=ATTRIBUTES)
@RUN_OR_DEFAULT
@click.option("--n", type=COUNT, default=16, show_default=True, help="How many pictures.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same pictures.")
@TRUNCATION
@TYPICAL
@click.option(
    "--first",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Index of the first picture; --first 16 goes on after --n 16.",
)
@click.option(
    "--name", metavar="TEXT", help="Any text, such as your name, instead of a seed. It has a face."
)
@click.option(
    "--vary",
    type=click.FloatRange(0, 1),
    multiple=True,
    metavar="PART",
    help="Go this part (0 to 1) of the way to the noise of --vary-seed. Repeatable.",
)
@click.option(
    "--vary-seed",
    type=Step(),
    multiple=True,
    metavar="SEED[:INDEX]",
    help="One for each --vary. Default: 0.",
)
@click.option(
    "--slider",
    "sliders",
    type=Slider(),
    multiple=True,
    metavar="COLUMN=X",
    help="Feed the network X, -1 to 1, for a label column: blue_hair=0.3. Repeatable.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="One PNG a picture, and generated.json.",
)
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    metavar="FILE",
    help="All pictures on one sheet (.png, .jpg, .webp).",
)
@UPSCALE
@NO_UPSCALE
@SCALE
@click.pass_context
def generate(ctx, run, n, out, grid, sliders, vary, vary_seed, **options) -> None:
    """Draw pictures: single files (--out), a sheet (--grid) or both.

    Without RUN, busts-64 draws, which ships with tfanime.

    A run that was trained with labels takes each of its attributes as an option: a value
    (--hair blue), or for a yes-or-no attribute --smile, --no-smile, --smile true. Those left out
    vary as in the training set. RUN, if there is one, comes before them.

    A model that names an upscaler shows its pictures through it: busts-64 at 256 pixels.

    \b
    Examples:
      tfanime generate --n 16 --hair pink --grid faces.png
      tfanime generate runs/first --n 64 --grid sheet.png
      tfanime generate runs/girls --n 16 --seed 7 --hair blue --smile --no-hat --out faces/
      tfanime generate runs/girls --truncation 0.7 --grid typical.png
      tfanime generate --n 1 --seed 7 --vary 0.2 --vary-seed 9 --slider blue_hair=0.3 --out one/
      tfanime generate runs/girls --upscale upscaler --out faces4x/
      tfanime generate busts-64 --no-upscale --out small/
      tfanime generate --scale 4 --n 1 --seed 3 --out portrait/
      tfanime generate --n 1 --name "Ada Lovelace" --out ada/
    """
    if out is None and grid is None:
        raise click.UsageError("Say where the pictures go: --out DIR, --grid FILE or both.", ctx)
    tags = tags_of(ctx, run, pairs_of(ctx))
    options["sliders"] = dict(sliders) or None
    if vary or vary_seed:
        options |= {"vary": list(vary), "vary_seed": list(vary_seed) or [0] * len(vary)}
    options = with_upscaler(ctx, options)
    lean.install()
    tfanime.generate(run, n=n, tags=tags or None, out=out, grid=grid, progress=True, **options)
    if out is not None:
        click.echo(f"{n:,} pictures in {out}")
    if grid is not None:
        click.echo(f"sheet: {grid}")


@click.command(cls=WithAttributes, context_settings=ATTRIBUTES)
@RUN_OR_DEFAULT
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
@TYPICAL
@click.option(
    "--milliseconds", type=COUNT, default=50, show_default=True, help="How long a frame stays."
)
@click.option(
    "--out",
    type=Drawing("animation.ENDINGS"),
    metavar="FILE",
    help="A looping animation (.gif, .webp, .png: APNG; .mp4 where ffmpeg is).",
)
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    metavar="SHEET",
    help="A still sheet, one row a transition (.png, .jpg, .webp).",
)
@UPSCALE
@NO_UPSCALE
@SCALE
@click.pass_context
def interpolate(ctx, run, seeds, start, end, out, grid, **options) -> None:
    """Draw transitions between seeds or attributes, as a loop (--out) or a sheet (--grid).

    Attributes given as options, as for `generate`, hold for all key pictures.

    \b
    Examples:
      tfanime interpolate runs/first --seeds 1,2,3 --out loop.gif
      tfanime interpolate runs/girls --seeds 5 --from hair=blue,smile --to hair=red --grid dye.png
      tfanime interpolate runs/girls --seeds 1,2,3,4 --hair pink --frames 12 --out pink.webp
      tfanime interpolate --seeds 1,2,3 --upscale upscaler --scale 2 --out loop.mp4
    """
    if out is None and grid is None:
        raise click.UsageError("Say where the pictures go: --out FILE, --grid SHEET or both.", ctx)
    options = with_upscaler(ctx, options)
    if (start is None) != (end is None):
        raise click.UsageError("--from and --to go together.", ctx)
    tags = tags_of(ctx, run, pairs_of(ctx)) or None
    if start is not None:
        common = tags or {}
        tags = [common | tags_of(ctx, run, pairs) for pairs in (start, end)]
    lean.install()
    tfanime.interpolate(run, seeds=seeds, tags=tags, out=out, grid=grid, progress=True, **options)
    if out is not None:
        click.echo(f"animation: {out}")
    if grid is not None:
        click.echo(f"sheet: {grid}")
