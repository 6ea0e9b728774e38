"""`tfanime prepare`."""

from __future__ import annotations

import click

import tfanime
from tfanime.cli.kinds import Size


@click.command()
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
