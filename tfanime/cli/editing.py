"""`tfanime directions`, `encoder` and `invert`."""

from __future__ import annotations

import click

import tfanime
from tfanime import zoo
from tfanime.cli.kinds import COUNT, RUN, SEED, Data, Drawing, Run, Tags
from tfanime.core import choices

TAGGER = click.option(
    "--tagger", metavar="TAGGER", help="A folder of a tagger. Default: the one that ships."
)


@click.command()
@RUN
@click.option(
    "--n",
    type=click.IntRange(min=400),
    default=3000,
    show_default=True,
    help="Images to draw and to tag.",
)
@click.option("--sefa", type=click.IntRange(min=0), default=8, show_default=True, help="How many.")
@click.option("--pca", type=click.IntRange(min=0), default=8, show_default=True, help="How many.")
@click.option(
    "--measured",
    "n_measured",
    type=click.IntRange(min=2),
    default=48,
    show_default=True,
    help="Images that each direction is measured on.",
)
@click.option("--seed", type=SEED, default=0, show_default=True)
@TAGGER
def directions(run, **options) -> None:
    """Find the directions of a model in which faces change, measure them, and store them with it.

    Attributes of the tagger (smile), the largest changes of the first layer (sefa-1 ...), and the
    principal components of early features (pca-1 ...). `generate --move` follows them.

    \b
    Examples:
      tfanime directions runs/girls
      tfanime directions runs/girls --n 1000 --sefa 4 --pca 0
      tfanime generate runs/girls --n 8 --move smile=3 --move pca-1=-2 --grid smile.png
      tfanime figure directions runs/girls --out directions.png
    """
    directions = tfanime.find_directions(run, progress=True, **options)
    click.echo(f"{'direction':14} {'fit':>5} {'stays':>6}  changes a step")
    for one in directions:
        fit = "" if one.fit is None else f"{one.fit:.2f}"
        changes = ", ".join(f"{column} {x:+.3f}" for column, x in list(one.changes.items())[:4])
        click.echo(f"{one.name:14} {fit:>5} {one.stays:6.2f}  {changes or 'nothing for sure'}")
    click.echo(f"{len(directions)} directions in {run}")


@click.command()
@RUN
@click.option(
    "--data",
    type=Data(exists=True),
    metavar="DATA",
    help="Images to learn from beside the model's own: those that it was trained on will do.",
)
@click.option("--minutes", type=float, help="Stop after so many. Default: 20.")
@click.option("--steps", type=COUNT, help="Stop after so many instead: the same encoder again.")
@click.option(
    "--from",
    "start",
    type=Run(file_okay=False),
    metavar="MODEL",
    help="A model, or a folder, whose encoder to go on from.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the draws.")
@TAGGER
def encoder(run, **options) -> None:
    """Train what tells an image's latent and labels, and store it with the model.

    It learns from the model's own images, and with --data from images like those that it is to
    encode. `tfanime invert` begins with what it says.

    \b
    Examples:
      tfanime encoder runs/girls --data packed/ --minutes 20
      tfanime encoder runs/girls --from runs/girls --minutes 5
      tfanime invert me.png --model runs/girls --out face.json
    """
    from tfanime.core.files import read_json
    from tfanime.zoo import locate
    from tfanime.zoo.encoder import DESCRIPTION, NETWORK

    tfanime.train_encoder(run, progress=True, **options)
    path = locate(run) / NETWORK
    trained = read_json(path.with_name(DESCRIPTION))["trained"]
    click.echo(f"{path}: {path.stat().st_size:,} bytes, {trained['steps']:,} steps")
    for name in ("latents", "labels", "pixels", "features"):
        click.echo(f"{name:9} {trained[name]:.3f} off")


@click.command()
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--model", type=Run(), default=zoo.DEFAULT, show_default=True, help="That draws the faces."
)
@click.option("--tags", type=Tags(), default="", metavar="TAGS", help="hair=blue,smile,no-hat")
@click.option(
    "--steps",
    type=COUNT,
    help="Of the descent, for every 16 images. Default: 120, with an encoder 40.",
)
@click.option(
    "--draws",
    type=click.IntRange(min=4),
    default=256,
    show_default=True,
    help="Random draws, of which the nearest is the start.",
)
@click.option(
    "--features",
    type=click.Choice(choices.FACE_FEATURES),
    default="tagger",
    show_default=True,
    help="Network that images are compared through; lite0 needs the extra `features`.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the draws.")
@TAGGER
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    required=True,
    metavar="FACE.json",
    help="The faces: latents and labels.",
)
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    metavar="FILE",
    help="A row per image: the image, the start, and what is drawn on the way.",
)
@click.option(
    "--encoder/--no-encoder",
    default=True,
    show_default=True,
    help="Begin with what the model's encoder says, if it has one.",
)
@click.option(
    "--tune",
    type=click.Path(),
    metavar="RUN",
    help="Also tune a copy of the model to these images, and save it as RUN.",
)
@click.option("--tune-steps", type=COUNT, help="Of the tuning, for every 16 images. Default: 200.")
@click.pass_context
def invert(ctx, pictures, model, tags, out, grid, tune, **options) -> None:
    """Find the face of a model that is nearest to an image, or to each of several.

    PICTURE is a file or a folder, of faces framed as the model draws them. The labels are those
    that the tagger reads, unless --tags says others. `generate --face` draws from FACE.json.
    `tfanime encoder` gives a model what makes this quicker and nearer. --tune goes on with the
    model itself, until its faces are much nearer still.

    \b
    Examples:
      tfanime invert me.png --out face.json --grid steps.png
      tfanime generate --face face.json --move smile=3 --hair pink --grid pink.png
      tfanime invert faces/ --model runs/girls --tags hair=blue --out faces.json
      tfanime invert me.png --tune runs/me --out face.json
      tfanime generate runs/me --face face.json --hair pink --grid pink.png
    """
    from tfanime.cli.attributes import tags_of

    tags = tags_of(ctx, model, tags) or None
    images = pictures[0] if len(pictures) == 1 else list(pictures)
    options |= {"out": out, "grid": grid, "tune": tune, "progress": True}
    faces = tfanime.invert(images, model, tags=tags, **options)
    for face in faces:
        click.echo(
            f"{face.picture}: PSNR {face.psnr:.2f} dB, distance {face.distance:.3f} "
            f"(nearest of the draws {face.draws_distance:.3f})"
        )
    click.echo(f"{len(faces):,} faces in {out}")
    if tune is not None:
        click.echo(f"model that draws them: {tune}")
    if grid is not None:
        click.echo(f"sheet: {grid}")
