"""`tfanime figure`: the figures of papers."""

from __future__ import annotations

import click

from tfanime.cli.kinds import COUNT, RUN, SEED, TRUNCATION, Data, Run, Seeds, Tags
from tfanime.core import choices

OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="FILE",
    help="The image to write (.png).",
)
SEED_OPTION = click.option("--seed", type=SEED, default=0, show_default=True)
LABELLED = click.argument("data", type=Data(exists=True))


@click.group()
def figure() -> None:
    """Draw one of the figures that papers show.

    \b
    Examples:
      tfanime figure fixed-noise runs/girls --out noise.png
      tfanime figure embedding runs/girls --against packed/ --out tsne.png
      tfanime figure averages packed/ --label year --out years.png
      tfanime figure boxes page.jpg --out boxes.png
    """


@figure.command("fixed-noise")
@RUN
@click.option("--n", type=COUNT, default=64, show_default=True, help="How many images.")
@SEED_OPTION
@OUT
def fixed_noise(run, **options) -> None:
    """One latent vector, random attributes: what the labels decide."""
    from tfanime.evaluation import figures

    _done(figures.fixed_noise, run, **options)


@figure.command("fixed-attributes")
@RUN
@click.option("--tags", type=Tags(), default="", metavar="TAGS", help="hair=blue,smile,no-hat")
@click.option("--n", type=COUNT, default=64, show_default=True, help="How many images.")
@SEED_OPTION
@OUT
def fixed_attributes(run, tags, **options) -> None:
    """One set of attributes, random latents: what the noise decides."""
    from tfanime.cli.attributes import tags_of
    from tfanime.evaluation import figures

    context = click.get_current_context()
    _done(figures.fixed_attributes, run, tags=tags_of(context, run, tags) or None, **options)


@figure.command("interpolation")
@RUN
@click.option("--side", type=click.IntRange(min=2), default=8, show_default=True)
@click.option(
    "--seeds", type=Seeds(), default="0,1,2,3", show_default=True, help="Of the four corners."
)
@OUT
def interpolation(run, **options) -> None:
    """A square of images between four corners."""
    from tfanime.evaluation import figures

    _done(figures.interpolation, run, **options)


@figure.command("directions")
@RUN
@click.option(
    "--only",
    metavar="NAMES",
    help="Directions, smile,pca-1. Default: the first four of each kind.",
)
@SEED_OPTION
@TRUNCATION
@OUT
def directions(run, only, **options) -> None:
    """One face moved along the directions that `tfanime directions` found: what they change."""
    from tfanime.evaluation import figures

    names = [name.strip() for name in only.split(",") if name.strip()] if only else None
    _done(figures.directions, run, names=names, **options)


@figure.command("training")
@RUN
@click.option(
    "--against", "data", type=Data(exists=True), metavar="DATA", help="Measure its checkpoints."
)
@click.option("--n", type=COUNT, default=1000, show_default=True, help="Images a checkpoint.")
@OUT
def training(run, **options) -> None:
    """FID and KID over training, from --evaluate-every or from the checkpoints."""
    from tfanime.evaluation import figures

    _done(figures.training, run, progress=True, **options)


@figure.command("embedding")
@click.argument("subject", metavar="RUN_OR_FOLDER", type=Run())
@click.option(
    "--against", "data", type=Data(exists=True), metavar="DATA", help="Real images beside it."
)
@click.option("--n", type=COUNT, default=500, show_default=True, help="Images of each.")
@click.option("--extractor", default="tagger", show_default=True, metavar="NAME_OR_PATH")
@click.option("--method", type=click.Choice(choices.EMBEDDINGS), default="tsne", show_default=True)
@click.option("--anonymous", is_flag=True, help="Real images as squares of their mean colour.")
@SEED_OPTION
@OUT
def embedding(subject, **options) -> None:
    """Thumbnails where their features lie (t-SNE or PCA)."""
    from tfanime.evaluation import figures

    _done(figures.embedding, subject, progress=True, **options)


@figure.command("truncation")
@RUN
@click.option(
    "--against",
    "data",
    type=Data(exists=True),
    metavar="DATA",
    required=True,
    help="Real images.",
)
@click.option("--n", type=COUNT, default=500, show_default=True, help="Images of each.")
@click.option("--extractor", default="tagger", show_default=True, metavar="NAME_OR_PATH")
@click.option("--store", is_flag=True, help="Keep with the model what was found.")
@click.option(
    "--least",
    type=click.FloatRange(0, 1),
    help="The least useful truncation as judged by eye, to be kept instead.",
)
@OUT
def truncation(run, out, **options) -> None:
    """Precision and KID over truncations: how far latents may be scaled."""
    from tfanime.evaluation import figures

    result, rows = figures.truncation(run, out=out, progress=True, **options)
    from tfanime.training.quality_curve import remark

    count = rows[0]["images"]
    click.echo(f"{count:,} images each{remark(count)}")
    click.echo("truncation  precision      KID  towards typical: precision      KID")
    for row in rows:
        click.echo(
            f"{row['truncation']:10g}  {row['precision']:9.3f}  {row['kid']:7.3f}"
            f"{row['typical precision']:28.3f}  {row['typical kid']:7.3f}"
        )
    click.echo(
        f"useful down to {result.least:g}; typical latent: seed {result.typical[0]}, "
        f"image {result.typical[1]}"
    )
    click.echo(f"figure: {out}")


@figure.command("averages")
@LABELLED
@click.option("--label", metavar="FIELD", help="Default: the first.")
@OUT
def averages(data, **options) -> None:
    """The average image of each class or year of a data set."""
    from tfanime.evaluation import figures

    _done(figures.averages, data, **options)


@figure.command("histograms")
@LABELLED
@OUT
def histograms(data, **options) -> None:
    """How many images have each label."""
    from tfanime.evaluation import figures

    _done(figures.histograms, data, **options)


@figure.command("samples")
@LABELLED
@click.option("--label", metavar="FIELD", help="Default: the first.")
@click.option("--n", type=COUNT, default=8, show_default=True, help="Images of each.")
@SEED_OPTION
@OUT
def samples(data, **options) -> None:
    """Some images of each class or year of a data set."""
    from tfanime.evaluation import figures

    _done(figures.samples, data, **options)


@figure.command("boxes")
@click.argument("picture", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--cascade",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="lbpcascade_animeface.xml; fetched once by default.",
)
@click.option(
    "--zoom", type=click.FloatRange(0.5, 4), default=1.5, show_default=True, metavar="FACTOR"
)
@click.option("--neighbours", type=COUNT, default=5, show_default=True)
@OUT
def boxes(picture, out, **options) -> None:
    """An image with the boxes of its faces: red as detected, blue as they are cut."""
    from tfanime.evaluation import figures

    click.echo(f"faces: {figures.boxes(picture, out, **options)}")
    click.echo(f"figure: {out}")


@figure.command("sizes")
@click.argument("source", metavar="PICTURES", type=click.Path(exists=True))
@OUT
def sizes(source, **options) -> None:
    """How many images have a shorter side of how many pixels, before they are packed."""
    from tfanime.evaluation import figures

    _done(figures.sizes, source, **options)


def _done(function, first, out, **options) -> None:
    function(first, out=out, **options)
    click.echo(f"figure: {out}")
