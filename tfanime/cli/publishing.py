"""`tfanime push`."""

from __future__ import annotations

import click

import tfanime
from tfanime.cli.kinds import Run


@click.command()
@click.argument("run", type=Run(file_okay=False))
@click.argument("address", metavar="hf://OWNER/NAME")
@click.option("--license", metavar="ID", help="Such as mit or openrail. Default: LICENSE.txt.")
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="OWNER/NAME",
    help="On the hub, that it was trained on. Repeatable.",
)
@click.option("--tag", "tags", multiple=True, help="For the card. Repeatable.")
@click.option(
    "--report",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="What `tfanime evaluate` wrote: its figures are stated on the card.",
)
@click.option("--private", is_flag=True, help="Readable for the owner only.")
def push(run, address, **options) -> None:
    """Put a model on the Hugging Face hub, with a card, or a newer version of it.

    Afterwards hf://OWNER/NAME stands for it wherever a model is named. Network, settings,
    discriminator and last sheet are put there, checkpoints and samples are not; a run that draws
    from texts brings those that it was trained with. `hf auth login`, or HF_TOKEN, says who you
    are.

    \b
    Examples:
      tfanime push runs/girls hf://me/girls --license mit
      tfanime push runs/girls hf://me/girls --report report/ --dataset me/portraits --tag pixel-art
      tfanime generate hf://me/girls --n 16 --grid sheet.png
    """
    click.echo(tfanime.push(run, address, **options))
