"""`tfanime tagger`: what reads the attributes of a face, and how it is made."""

from __future__ import annotations

from pathlib import Path

import click

from tfanime.cli.kinds import SEED

SETS = click.argument(
    "sets",
    nargs=-1,
    required=True,
    metavar="PACKED...",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)


@click.group()
def tagger() -> None:
    """Train what reads attributes, and measure how often it is right.

    \b
    Examples:
      tfanime tagger train labelled/ --out mytagger/
      tfanime tagger measure labelled/
    """


@tagger.command("train")
@SETS
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder to write.",
)
@click.option(
    "--extra",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="PACKED",
    help="A set whose labels are less certain; nothing is measured on it. May be repeated.",
)
@click.option(
    "--group",
    metavar="LABEL",
    help="A label, such as the character, whose equal values are never on both sides of a split.",
)
@click.option(
    "--start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder that this verb wrote, to go on from.",
)
@click.option(
    "--drawn",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="How many built-in faces.",
)
@click.option(
    "--epochs", type=click.IntRange(min=0), default=16, show_default=True, help="At 96 pixels."
)
@click.option(
    "--large-epochs",
    type=click.IntRange(min=0),
    default=2,
    show_default=True,
    help="Then, at 128 pixels.",
)
@click.option(
    "--rate", type=float, default=1e-3, show_default=True, help="Of AdamW, at its highest."
)
@click.option("--seed", type=SEED, default=0, show_default=True)
def train(sets, out, extra, group, start, drawn, epochs, large_epochs, rate, seed) -> None:
    """Train a tagger on labelled faces: packed sets with the labels of `tfanime.core.labels.FACES`.

    It begins with EfficientNet-Lite0 (the extra `features`). Of each set 70 % is trained on, 15 %
    chooses thresholds and calibrates, and 15 % is measured on. Stopped, the same command continues
    from the last epoch.
    """
    from tfanime.tagging.figures import figures_in, table
    from tfanime.tagging.training import train_tagger

    train_tagger(
        sets,
        out,
        extra=extra,
        group=group,
        start=start,
        drawn=drawn,
        epochs=epochs,
        large_epochs=large_epochs,
        rate=rate,
        seed=seed,
    )
    click.echo(table(figures_in(out)))
    click.echo(f"Use it with: tfanime prepare tags FACES --tagger {out} --out tagged/")


@tagger.command("measure")
@SETS
@click.option(
    "--tagger",
    "spec",
    metavar="NAME",
    help="A folder, hf://OWNER/NAME or illustration2vec:FILE. Default: the tagger that ships.",
)
def measure(sets, spec) -> None:
    """Print how often a tagger is right on labelled faces, all of each set."""
    from tfanime.tagging import load_tagger
    from tfanime.tagging.faces import Faces
    from tfanime.tagging.figures import figures_of, table

    judge = load_tagger(spec)
    read = [Faces.read(folder) for folder in sets]
    click.echo(table({f.name: figures_of(judge, f.images, f.labels) for f in read}))
