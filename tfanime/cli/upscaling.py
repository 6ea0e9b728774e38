"""`tfanime upscale`."""

from __future__ import annotations

import click

import tfanime
from tfanime import zoo
from tfanime.cli.kinds import Run


@click.command()
@click.argument("pictures", metavar="INPUT", type=click.Path(exists=True))
@click.argument("run", type=Run(), default=zoo.UPSCALER)
@click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
@click.option(
    "--tile",
    type=click.IntRange(min=16),
    default=256,
    show_default=True,
    metavar="PIXELS",
    help="Larger images are worked through in squares of this size, to bound memory.",
)
@click.option("--overwrite", is_flag=True, help="Replace images that are in DIR already.")
def upscale(pictures, run, out, **options) -> None:
    """Enlarge images with an upscaler, such as one trained by the recipe srgan.

    INPUT is an image or a folder of images, for example one that `tfanime generate` wrote. DIR
    gets a PNG of the same name for each, two or four times as large, transparency included.
    Without RUN, the upscaler enlarges that ships with tfanime, four times; `upscaler-2x` twice,
    `upscaler-posters` posters and covers four times.

    \b
    Examples:
      tfanime generate --n 16 --out faces/
      tfanime upscale faces/ --out faces4x/
      tfanime upscale faces/ upscaler-2x --out faces2x/
      tfanime train lineart --data packed/ --minutes 60 --out runs/larger
      tfanime upscale poster.jpg runs/larger --out posters4x/ --tile 128
    """
    files = tfanime.upscale(pictures, run, out=out, progress=True, **options)
    click.echo(f"{len(files):,} images in {out}")
