"""`tfanime judge`: generated images judged by eye."""

from __future__ import annotations

import click

from tfanime.cli.kinds import COUNT, SEED, TRUNCATION, Run


@click.group()
def judge() -> None:
    """Judge models by eye: blind sheets, a form, and the figures of the filled form.

    \b
    Examples:
      tfanime judge sheets faces-64 runs/girls --out judging/
      tfanime judge score judging/
    """


@judge.command("sheets")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=Run())
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="A new folder for the sheets, the form, the rules and the key.",
)
@click.option(
    "--per-value",
    type=COUNT,
    default=8,
    show_default=True,
    help="Images of a model for each colour of hair and eyes.",
)
@click.option(
    "--per-flag",
    type=COUNT,
    default=14,
    show_default=True,
    help="Images of a model for each yes-or-no attribute.",
)
@click.option(
    "--n",
    type=COUNT,
    default=100,
    show_default=True,
    help="Images of a model without these: only its broken share is judged.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same sheets.")
@TRUNCATION
def sheets(models, out, **options) -> None:
    """Draw blind sheets of one or more models, shuffled, and a form to fill.

    Each attribute in turn is asked for and the rest left to chance. The judge reads RULES.md,
    looks at s00.png, s01.png, ... and fills form.csv; key.json says what was asked for and stays
    closed.

    \b
    Examples:
      tfanime judge sheets faces-64 --out judging/
      tfanime judge sheets runs/girls runs/girls2/best --per-value 4 --per-flag 7 --out judging/
    """
    from tfanime.evaluation import by_eye

    count = by_eye.sheets(models, out, progress=True, **options)
    click.echo(f"{count} sheets in {out}. Read RULES.md there and fill form.csv; then:")
    click.echo(f"tfanime judge score {out}")


@judge.command("score")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--form",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The filled form. Default: form.csv in DIR.",
)
def score(folder, form) -> None:
    """Turn the filled form into figures, by_eye.json and by_eye.md in DIR.

    Precision by eye of each attribute, its mean, and the share of broken images, each with a 95 %
    interval.

    \b
    Examples:
      tfanime judge score judging/
      tfanime judge score judging/ --form filled.csv
    """
    from tfanime.evaluation import by_eye

    click.echo(by_eye.table(by_eye.score(folder, form)), nl=False)
