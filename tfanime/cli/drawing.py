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
    Moves,
    PartOrNames,
    Run,
    Seeds,
    Slider,
    Step,
    Tags,
)
from tfanime.core import choices

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
@click.option("--n", type=COUNT, default=16, show_default=True, help="How many images.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same images.")
@click.option(
    "--face",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FACE.json",
    help="Draw the faces that `tfanime invert` found, instead of a seed's.",
)
@click.option(
    "--labels-from",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FACE.json",
    help="With the labels of this face, or of as many faces as are drawn.",
)
@click.option(
    "--move",
    type=Moves(),
    multiple=True,
    metavar="DIRECTION=X",
    help="Go X standard deviations along a direction that `tfanime directions` found: smile=3. "
    "Repeatable.",
)
@click.option(
    "--sheet-of",
    type=SEED,
    metavar="SEED",
    help="One face with every value of the attributes of --vary, with captions, as --grid.",
)
@TRUNCATION
@TYPICAL
@click.option(
    "--first",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Index of the first image that is looked at. What --n 16 ends with is in the names of the "
    "files; --first with one more goes on.",
)
@click.option(
    "--name", metavar="TEXT", help="Any text, such as your name, instead of a seed. It has a face."
)
@click.option(
    "--vary",
    type=PartOrNames(),
    multiple=True,
    metavar="PART|NAMES",
    help="Go this part (0 to 1) of the way to the noise of --vary-seed. Repeatable. With "
    "--sheet-of or --face: names of what the sheet varies, smile,hair.",
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
    help="One PNG per image, and generated.json.",
)
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    metavar="FILE",
    help="All images on one sheet (.png, .jpg, .webp).",
)
@click.option(
    "--no-choose",
    is_flag=True,
    help="Draw every image of the seed, also those that the model's chooser holds for broken.",
)
@UPSCALE
@NO_UPSCALE
@SCALE
@click.pass_context
def generate(
    ctx, run, n, out, grid, sliders, vary, vary_seed, move, labels_from, sheet_of, **options
) -> None:
    """Draw images: single files (--out), a sheet (--grid) or both.

    Without RUN, the model of busts that ships with tfanime draws.

    A run that was trained with labels takes each of its attributes as an option: a value
    (--hair blue), or for a yes-or-no attribute --smile, --no-smile, --smile true. Those left out
    vary as in the training set. RUN, if there is one, comes before them.

    A model that names an upscaler shows its images through it: busts at 256 pixels.

    \b
    Examples:
      tfanime generate --n 16 --hair pink --grid faces.png
      tfanime generate runs/first --n 64 --grid sheet.png
      tfanime generate runs/girls --n 16 --seed 7 --hair blue --smile --no-hat --out faces/
      tfanime generate runs/girls --truncation 0.7 --grid typical.png
      tfanime generate --n 1 --seed 7 --vary 0.2 --vary-seed 9 --slider blue_hair=0.3 --out one/
      tfanime generate runs/girls --upscale upscaler --out faces4x/
      tfanime generate --no-upscale --out small/
      tfanime generate --scale 4 --n 1 --seed 3 --out portrait/
      tfanime generate --n 1 --name "Ada Lovelace" --out ada/
      tfanime generate --n 8 --move pca-1=4 --grid moved.png
      tfanime generate --sheet-of 7 --vary long_hair,hair --grid seven.png
      tfanime generate --face face.json --hair pink --grid pink.png
    """
    if out is None and grid is None:
        raise click.UsageError("Say where the images go: --out DIR, --grid FILE or both.", ctx)
    tags = tags_of(ctx, run, pairs_of(ctx))
    options = with_upscaler(ctx, options)
    no_choose = options.pop("no_choose")
    options |= {"move": dict(move)} if move else {}
    face = options.pop("face")
    names = [name for words in vary if isinstance(words, list) for name in words]
    if names or sheet_of is not None:
        _check_sheet(ctx, names, sheet_of, face)
        options |= {"seed": sheet_of or 0, "face": face, "tags": tags or None, "out": grid}
        _sheet(run, names, **options)
        return
    if face is not None:
        options["face"] = face
        n = _faces(ctx, face)
    if labels_from is not None:
        options["labels"] = _labels_of(labels_from, n)
    options["sliders"] = dict(sliders) or None
    if vary or vary_seed:
        options |= {"vary": list(vary), "vary_seed": list(vary_seed) or [0] * len(vary)}
    options["choose"] = False if no_choose else None
    tfanime.generate(run, n=n, tags=tags or None, out=out, grid=grid, progress=True, **options)
    if out is not None:
        click.echo(f"{n:,} images in {out}")
    if grid is not None:
        click.echo(f"sheet: {grid}")


# What a sheet of one face cannot be given.
NOT_ON_SHEETS = ("n", "seed", "first", "name", "typical", "vary_seed", "sliders", "out")
NOT_ON_SHEETS += ("labels_from", "no_choose")


def _check_sheet(ctx, names: list[str], sheet_of: int | None, face: str | None) -> None:
    if not names or any(not isinstance(words, list) for words in ctx.params["vary"]):
        raise click.UsageError("A sheet of one face says what varies: --vary smile,hair.", ctx)
    if (sheet_of is None) == (face is None):
        message = "--vary NAMES needs one face: --sheet-of SEED, or --face FACE.json."
        raise click.UsageError(message, ctx)
    _refuse(ctx, NOT_ON_SHEETS, "A sheet of one face")
    if ctx.params["grid"] is None:
        raise click.UsageError("Say where the sheet goes: --grid FILE.", ctx)


def _refuse(ctx, names: tuple[str, ...], what: str) -> None:
    """Refuses options that would be of no effect."""
    command_line = click.core.ParameterSource.COMMANDLINE
    for parameter in ctx.command.params:
        typed = ctx.get_parameter_source(parameter.name) == command_line
        if parameter.name in names and typed:
            raise click.UsageError(f"{what} takes no {parameter.opts[0]}: leave it out.", ctx)


def _sheet(run, names: list[str], **options) -> None:
    for name in ("first", "name", "typical"):
        del options[name]
    tfanime.character_sheet(run, vary=names, progress=True, **options)
    click.echo(f"sheet: {options['out']}")


def _faces(ctx, face: str) -> int:
    """How many faces a file has."""
    from tfanime.sampling.face import load_faces

    _refuse(ctx, ("n", "seed", "first", "name"), "--face")
    return len(load_faces(face))


def _labels_of(file: str, n: int):
    """The labels of the faces in a file, or of its one face for all of `n` images."""
    import numpy as np

    from tfanime.sampling.face import load_faces, stacked

    rows = stacked(load_faces(file))[1]
    if rows is None or len(rows) not in (1, n):
        raise ValueError(
            f"--labels-from is a file of one face with labels, or of as many as are drawn, {n}. "
            f"Received: {file!r} with {0 if rows is None else len(rows)}."
        )
    return np.broadcast_to(rows, (n, rows.shape[1]))


@click.command(cls=WithAttributes, context_settings=ATTRIBUTES)
@RUN_OR_DEFAULT
@click.option(
    "--seeds",
    type=Seeds(),
    metavar="N,N,...",
    help="One key image a seed. Default: 0,1,2,3, or 0 with --from and --to.",
)
@click.option(
    "--from",
    "start",
    type=Tags(),
    metavar="TAGS",
    help="Attributes of the first key image, such as hair=blue,smile,no-hat.",
)
@click.option("--to", "end", type=Tags(), metavar="TAGS", help="Attributes of the second.")
@click.option(
    "--frames",
    type=COUNT,
    default=24,
    show_default=True,
    help="Images from one key image to the next.",
)
@click.option(
    "--method",
    type=click.Choice(choices.INTERPOLATIONS),
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

    Attributes given as options, as for `generate`, hold for all key images.

    \b
    Examples:
      tfanime interpolate runs/first --seeds 1,2,3 --out loop.gif
      tfanime interpolate runs/girls --seeds 5 --from hair=blue,smile --to hair=red --grid dye.png
      tfanime interpolate runs/girls --seeds 1,2,3,4 --hair pink --frames 12 --out pink.webp
      tfanime interpolate --seeds 1,2,3 --upscale upscaler --scale 2 --out loop.mp4
    """
    if out is None and grid is None:
        raise click.UsageError("Say where the images go: --out FILE, --grid SHEET or both.", ctx)
    options = with_upscaler(ctx, options)
    if (start is None) != (end is None):
        raise click.UsageError("--from and --to go together.", ctx)
    tags = tags_of(ctx, run, pairs_of(ctx)) or None
    if start is not None:
        common = tags or {}
        tags = [common | tags_of(ctx, run, pairs) for pairs in (start, end)]
    tfanime.interpolate(run, seeds=seeds, tags=tags, out=out, grid=grid, progress=True, **options)
    if out is not None:
        click.echo(f"animation: {out}")
    if grid is not None:
        click.echo(f"sheet: {grid}")
