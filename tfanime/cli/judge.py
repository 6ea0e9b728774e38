"""`tfanime judge`: generated images judged by eye."""

from __future__ import annotations

import click

from tfanime.cli.kinds import COUNT, SEED, TRUNCATION, Run

JUDGED = click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
FORM = click.option(
    "--form",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The filled form. Default: form.csv in DIR.",
)

FOLDERS = click.argument(
    "folders",
    metavar="DIR...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False),
)
FEATURES = click.option(
    "--features",
    multiple=True,
    default=("tagger",),
    show_default=True,
    metavar="NETWORK",
    help="tagger, lite0@2 or another frozen network (as for discriminator.features) that learns "
    "what is broken. May be given several times.",
)


@click.group()
def judge() -> None:
    """Judge models by eye: blind sheets, a form, and the figures of the filled form.

    \b
    Examples:
      tfanime judge sheets faces-64 runs/girls --out judging/
      tfanime judge score judging/
      tfanime judge steer judging/ --model runs/girls --out steered/
      tfanime judge chooser judging/ --model runs/girls
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
@JUDGED
@FORM
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


@judge.command("steer")
@FOLDERS
@click.option(
    "--out",
    type=click.Path(),
    required=True,
    metavar="DIR",
    help="A new folder for the steered model.",
)
@click.option(
    "--model",
    type=Run(),
    metavar="MODEL",
    help="What to steer: one of several judged models, or a later one. Default: the judged one.",
)
@FORM
@FEATURES
@click.option(
    "--draws",
    type=COUNT,
    default=10_000,
    show_default=True,
    help="Images that steering is trained on.",
)
@click.option(
    "--pull",
    type=click.FloatRange(0, min_open=True),
    default=0.03,
    show_default=True,
    help="What moving latents costs: more keeps images nearer to what they were.",
)
@click.option(
    "--obey",
    type=click.FloatRange(0),
    default=0.1,
    show_default=True,
    help="Weight of the tagger's reading of the attributes asked for. 0: none.",
)
def steer(folders, out, **options) -> None:
    """Keep a model out of the latents whose images the judge found broken.

    The network gets two small layers in front, which lead such latents elsewhere. All that draws
    with the saved model, web page and server included, draws so. Judge it again before you say
    that it is better: `tfanime judge sheets` takes old and new on the same sheets.

    \b
    Examples:
      tfanime judge steer judging/ --out steered/
      tfanime judge steer judging/ --features tagger --features lite0@2 --out steered/
      tfanime judge steer first/ second/ --model runs/girls --out steered/
    """
    from tfanime.evaluation import by_eye

    steering = by_eye.steer(folders, out, progress=True, **options)
    click.echo(
        f"Learnt from {steering.judged:,} judged images, {steering.broken:.2f} of them broken: "
        f"features tell a broken image from a whole one with a probability of {steering.told:.2f}. "
        f"Of other draws {steering.before:.2f} score as broken without steering and "
        f"{steering.after:.2f} with it; latents move by {steering.moved:.2f}. "
        f"The steered model is in {out}."
    )


@judge.command("chooser")
@FOLDERS
@click.option(
    "--model",
    type=Run(),
    metavar="MODEL",
    help="Whose chooser: one of several judged models, or a later one. Default: the judged one.",
)
@FORM
@FEATURES
@click.option(
    "--draws",
    type=COUNT,
    default=20_000,
    show_default=True,
    help="Images that it is trained on.",
)
@click.option(
    "--keep",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.65,
    show_default=True,
    help="Share of images that are not rejected.",
)
def chooser(folders, **options) -> None:
    """Train the network that passes over broken images, beside the model's weights.

    `tfanime generate` and web pages then show the images of a seed that it holds for whole. What a
    seed and an index draw stays as it is. Judge again before you say that it is better.

    \b
    Examples:
      tfanime judge chooser judging/
      tfanime judge chooser first/ second/ --model runs/girls --features tagger --features lite0@1
    """
    from tfanime.evaluation import by_eye

    learnt = by_eye.train_chooser(folders, progress=True, **options)
    click.echo(
        f"Learnt from {learnt.judged:,} judged images, {learnt.broken:.2f} of them broken: large "
        f"networks tell a broken image from a whole one with a probability of {learnt.told:.2f}, "
        f"the chooser with {learnt.told_judged:.2f}. Of other draws it keeps {learnt.kept:.2f}; "
        f"{learnt.before:.2f} of all and {learnt.after:.2f} of those score as broken."
    )
