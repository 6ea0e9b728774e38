"""`tfanime features`: networks that others trained, to look through and to judge with."""

from __future__ import annotations

import click

from tfanime.cli.kinds import COUNT
from tfanime.core import choices

OUT = click.Path(dir_okay=False)


@click.group()
def features() -> None:
    """Convert networks that others trained: to look through, and to judge with.

    The recipe `projected` looks through such networks (--set discriminator.features=FILE), and
    `tfanime evaluate` takes them as --extractor.

    \b
    Examples:
      tfanime features mobilenet --enlarge 2 --out mobilenet.keras
      npm pack nsfwjs@4.3.0 && tar xzf nsfwjs-4.3.0.tgz
      tfanime features drawings --from package/
      tfanime evaluate runs/girls --against packed/ --extractor drawings --out reports/girls
    """


@features.command("mobilenet")
@click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    metavar="NAME_OR_FILE",
    help="imagenet, which Keras downloads; a .weights.h5 or .h5 file of keras.applications; or the "
    "model.json of a TensorFlow.js layers model with the same layers.",
)
@click.option(
    "--range",
    "pixel_range",
    type=float,
    nargs=2,
    default=(-1.0, 1.0),
    show_default=True,
    metavar="LOW HIGH",
    help="What that network takes black and white as.",
)
@click.option("--size", type=COUNT, default=64, show_default=True, help="A multiple of 32.")
@click.option("--enlarge", type=COUNT, default=1, show_default=True, help="Times, bilinearly.")
@click.option(
    "--family",
    type=click.Choice(choices.FAMILIES),
    help="What it learnt from, for the reports of `tfanime evaluate`. Default: as --weights say.",
)
@click.option("--out", type=OUT, required=True, metavar="FILE", help="The .keras file to write.")
def mobilenet(**options) -> None:
    """A MobileNetV2 without its head, from images in [-1, 1].

    Such networks learnt from larger images: --enlarge 2 shows them small ones at twice their
    size, and they see more of them, in four times the time.

    \b
    Examples:
      tfanime features mobilenet --out mobilenet.keras
      tfanime features mobilenet --weights DIR/model.json --range 0 1 --out mobilenet.keras
    """
    from tfanime.frozen import convert

    click.echo(f"network: {convert.mobilenet(**options)}")


@features.command("drawings")
@click.option(
    "--from",
    "package",
    type=click.Path(exists=True, file_okay=False),
    required=True,
    metavar="DIR",
    help="The unpacked npm package nsfwjs 4.3.0.",
)
@click.option(
    "--out", type=OUT, metavar="FILE", help="A .keras file. Default: the cache of tfanime."
)
def drawings(**options) -> None:
    """The network of `tfanime evaluate --extractor drawings`.

    An InceptionV3 that learnt to tell drawings and photographs apart (nsfwjs, MIT).

    \b
    Example:
      npm pack nsfwjs@4.3.0 && tar xzf nsfwjs-4.3.0.tgz
      tfanime features drawings --from package/
    """
    from tfanime.frozen import convert

    click.echo(f"network: {convert.drawings(**options)}")
