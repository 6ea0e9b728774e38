"""`tfanime mix` and `truncate`."""

from __future__ import annotations

import click

import tfanime
from tfanime.cli.attributes import ATTRIBUTES, WithAttributes, pairs_of, tags_of
from tfanime.cli.drawing import NO_UPSCALE, SCALE, UPSCALE, with_upscaler
from tfanime.cli.kinds import COUNT, RUN, RUN_OR_DEFAULT, TRUNCATION, TYPICAL, Drawing, Seeds


def _seeds(which: str, default: str, text: str):
    return click.option(
        f"--{which}-seeds",
        type=Seeds(),
        default=default,
        show_default=True,
        metavar="N,N,...",
        help=text,
    )


@click.command(cls=WithAttributes, context_settings=ATTRIBUTES)
@RUN_OR_DEFAULT
@_seeds("coarse", "0,1,2", "Faces whose latents, and styles of small maps, are taken: a row each.")
@_seeds("fine", "3,4,5", "Faces whose styles of larger maps are taken: a column each.")
@click.option(
    "--from",
    "fine_from",
    type=COUNT,
    metavar="SIZE",
    help="The smallest maps under the fine styles, in pixels: 8, 16 ... Default: the second size.",
)
@TRUNCATION
@TYPICAL
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    required=True,
    metavar="FILE",
    help="The sheet (.png, .jpg, .webp).",
)
@UPSCALE
@NO_UPSCALE
@SCALE
@click.pass_context
def mix(ctx, run, grid, **options) -> None:
    """Draw the coarse of one face with the fine of another, for models that have styles.

    The first column has the coarse faces, the first row the fine ones, and where they meet both
    are one. Without RUN, the model of busts that ships with tfanime draws.

    A small --from takes nearly all styles from the fine face, a large one the last touch.
    Attributes given as options, as for `generate`, hold for all faces.

    \b
    Examples:
      tfanime mix --grid mixed.png
      tfanime mix --coarse-seeds 1,2,3 --fine-seeds 4,5,6 --from 16 --grid mixed.png
      tfanime mix runs/styled --from 32 --eyes blue --truncation 0.8 --grid mixed.png
    """
    options = with_upscaler(ctx, options)
    tags = tags_of(ctx, run, pairs_of(ctx)) or None
    tfanime.mix(run, tags=tags, grid=grid, progress=True, **options)
    click.echo(f"sheet: {grid}")


@click.command()
@RUN
@click.option(
    "--styles",
    type=click.FloatRange(0, 2),
    required=True,
    help="What latents count for in the styles: 0 the mean style, 1 as before.",
)
@click.option(
    "--out", type=click.Path(), required=True, metavar="DIR", help="A new folder for the copy."
)
def truncate(run, styles, out) -> None:
    """Save a copy of a model with styles, led towards the mean style of their labels.

    Faces keep their shapes; light and shades become more usual. The copy is a model like any other,
    for `generate`, pages and servers; chooser and encoder stay behind.

    \b
    Examples:
      tfanime truncate runs/styled --styles 0.3 --out runs/calm
      tfanime generate runs/calm --n 16 --grid calm.png
    """
    tfanime.truncate_styles(run, styles, out)
    click.echo(f"{out}: styles truncated to {styles:g}")
