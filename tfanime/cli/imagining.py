"""`tfanime imagine`."""

from __future__ import annotations

import click

import tfanime
from tfanime import zoo
from tfanime.cli.attributes import ATTRIBUTES, WithAttributes, pairs_of, tags_of
from tfanime.cli.drawing import NO_UPSCALE, UPSCALE, with_upscaler
from tfanime.cli.kinds import COUNT, SEED, TRUNCATION, TRUST_ENCODER, Drawing, Run
from tfanime.core import choices

SHEET, POSTER = "imagined.png", "poster.png"  # where nobody says
# Options that only a poster has.
OF_POSTERS = {
    "tagline": "--tagline",
    "credits": "--credits",
    "figure": "--figure",
    "layout": "--layout",
    "style": "--style",
    "font": "--font",
    "pick": "--pick",
    "paper": "--print",
    "dpi": "--dpi",
    "poster": "--poster",
}


@click.command(cls=WithAttributes, context_settings=ATTRIBUTES)
@click.argument("text")
@click.option(
    "--run",
    type=Run(file_okay=False),
    metavar="RUN",
    help="A run that was trained with texts or attributes. Default: posters, which ships.",
)
@click.option("--n", type=COUNT, default=8, show_default=True, help="How many images.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same images.")
@TRUNCATION
@click.option("--out", type=click.Path(file_okay=False), metavar="DIR", help="One PNG per image.")
@click.option(
    "--grid",
    type=Drawing("images.SHEETS"),
    metavar="FILE",
    help=f"All images on one sheet (.png, .jpg, .webp). Default without --out and --title: "
    f"{SHEET}.",
)
@click.option(
    "--scale",
    type=click.IntRange(1, 16),
    help="Make images so many times as large, without new detail. Default: 1.",
)
@UPSCALE
@NO_UPSCALE
@TRUST_ENCODER
@click.option("--title", metavar="TEXT", help="Make a poster with this title.")
@click.option("--tagline", metavar="TEXT", help="A line at the title.")
@click.option(
    "--credits",
    metavar="TEXT",
    help='At the foot; small letters become small capitals: "directed by Mio Arai".',
)
@click.option("--figure", metavar="TEXT", help='A face on the poster, such as "blue hair".')
@click.option(
    "--layout",
    type=click.Choice(choices.LAYOUTS),
    help="Where the title is. Default: where the image is calm, with paint at the bottom.",
)
@click.option(
    "--style",
    type=click.Choice(choices.STYLES),
    help="A screen print, soft light, or the draft as its upscaler shows it (paint). Default: "
    "paint; by genre with --figure, or where the run names no upscaler.",
)
@click.option(
    "--font",
    metavar="NAME_OR_FILE",
    help="Of the title: bold, classic, credits, kana, or a font file. Default: by genre.",
)
@click.option(
    "--pick",
    type=click.IntRange(min=0),
    help="The draft to use, 0 for the first of the sheet. Default: the most symmetrical.",
)
@click.option(
    "--print", "paper", type=click.Choice(choices.PAPERS), help="Draw it at this size of paper."
)
@click.option("--dpi", type=click.IntRange(72, 600), help="Of a print. Default: 200.")
@click.option(
    "--poster",
    type=Drawing("images.SHEETS"),
    metavar="FILE",
    help=f"The poster's file (.png, .jpg, .webp). Default: {POSTER}.",
)
@click.pass_context
def imagine(ctx, text, run, title, **options) -> None:
    """Draw what TEXT describes: a phrase, a paragraph, or genres. With --title, make a poster.

    Says how it was read. Without --run, posters draws, which ships: each word says how likely each
    genre is. For a run with texts, the class and the titles of the nearest training texts are
    said. For one with other attributes, TEXT names them, in English, Japanese, Chinese or
    Russian, and what was not understood is said. Attributes are options too, as for `tfanime
    generate`.

    \b
    Examples:
      tfanime imagine "a lonely swordsman under a red moon"
      tfanime imagine "a lonely swordsman under a red moon" --title "The Last Swordsman" \\
          --credits "directed by Mio Arai  music Ren Sato" --figure "black hair"
      tfanime imagine "summer love by the sea" --title "Salt" --print a3 --poster salt.png
      tfanime imagine "school comedy" --run runs/posters --mood light --n 16 --out pictures/
      tfanime imagine "long blue hair, no hat or ribbon" --run runs/girls --grid blue.png
    """
    of_poster = {name: options.pop(name) for name in OF_POSTERS}
    poster_only = [OF_POSTERS[name] for name, value in of_poster.items() if value is not None]
    if title is None and poster_only:
        raise click.UsageError(f"{poster_only[0]} is of a poster: give its --title too.", ctx)
    model = zoo.path(zoo.POSTERS) if run is None else run
    tags = tags_of(ctx, model, pairs_of(ctx)) or None
    if title is not None:
        _poster(ctx, text, title, model, tags, options, of_poster)
        return
    if options["out"] is None and options["grid"] is None:
        options["grid"] = SHEET
    options["scale"] = options["scale"] or 1
    options = with_upscaler(ctx, options)
    result = tfanime.imagine(text, model, tags=tags, progress=True, **options)
    click.echo(result.explanation())
    for name in ("out", "grid"):
        if options[name] is not None:
            click.echo(f"{'images' if name == 'out' else 'sheet'}: {options[name]}")


def _poster(ctx, text, title, model, tags, options, of_poster) -> None:
    of_drafts = [name for name in ("out", "grid", "scale", "upscale") if options[name] is not None]
    if of_drafts:
        raise click.UsageError(
            f"--{of_drafts[0]} is of drafts: leave it out beside --title, and say --poster FILE.",
            ctx,
        )
    out = of_poster.pop("poster") or POSTER
    of_poster["print"] = of_poster.pop("paper")
    result = tfanime.poster(
        text,
        title,
        run=model,
        tags=tags,
        seed=options["seed"],
        drafts=options["n"],
        trust_encoder=options["trust_encoder"],
        out=out,
        progress=True,
        **{name: value for name, value in of_poster.items() if value is not None},
    )
    click.echo(result.explanation())
    click.echo(f"poster: {out}")
