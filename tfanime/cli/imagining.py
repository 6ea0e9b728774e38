"""`tfanime imagine`."""

from __future__ import annotations

import click

import tfanime
from tfanime.cli.attributes import ATTRIBUTES, WithAttributes, pairs_of, tags_of
from tfanime.cli.drawing import NO_UPSCALE, UPSCALE, with_upscaler
from tfanime.cli.kinds import COUNT, SEED, TRUNCATION, TRUST_ENCODER, Drawing, Run
from tfanime.core import lean


@click.command(cls=WithAttributes, context_settings=ATTRIBUTES)
@click.argument("text")
@click.option(
    "--run",
    type=Run(file_okay=False),
    required=True,
    metavar="RUN",
    help="A run that was trained with texts or attributes.",
)
@click.option("--n", type=COUNT, default=8, show_default=True, help="How many pictures.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same pictures.")
@TRUNCATION
@click.option("--out", type=click.Path(file_okay=False), metavar="DIR", help="One PNG a picture.")
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    metavar="FILE",
    help="All pictures on one sheet (.png, .jpg, .webp).",
)
@UPSCALE
@NO_UPSCALE
@TRUST_ENCODER
@click.pass_context
def imagine(ctx, text, run, **options) -> None:
    """Draw what TEXT describes: a phrase, a paragraph, or genres.

    Says how it was read: the class and the titles of the nearest training texts. The run's other
    attributes are options, as for `tfanime generate`. For a run with attributes and without texts,
    TEXT names attributes, in English, Japanese, Chinese or Russian, and what was not understood is
    said.

    \b
    Examples:
      tfanime imagine "a lonely swordsman under a red moon" --run runs/posters --grid moon.png
      tfanime imagine "school comedy" --run runs/posters --mood light --n 16 --out pictures/
      tfanime imagine "long blue hair, no hat or ribbon" --run runs/girls --grid blue.png
    """
    if options["out"] is None and options["grid"] is None:
        raise click.UsageError("Say where the pictures go: --out DIR, --grid FILE or both.", ctx)
    tags, options = tags_of(ctx, run, pairs_of(ctx)), with_upscaler(ctx, options)
    lean.install()
    found = tfanime.imagine(text, run, tags=tags or None, progress=True, **options)
    click.echo(found.explanation())
    for name in ("out", "grid"):
        if options[name] is not None:
            click.echo(f"{'pictures' if name == 'out' else 'sheet'}: {options[name]}")
