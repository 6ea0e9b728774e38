"""`tfanime collect` and `tfanime data`."""

from __future__ import annotations

from functools import reduce

import click

from tfanime.core import choices
from tfanime.core.printing import plain

OUT = click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to fill."
)
MOST = click.option(
    "--most", type=click.IntRange(min=1), metavar="N", help="At most so many entries."
)
ADULT = click.option("--adult", is_flag=True, help="Keep adult entries as well.")
RATE = click.option(
    "--rate",
    type=click.FloatRange(0, 1000, min_open=True),
    default=1.0,
    show_default=True,
    metavar="N",
    help="Requests a second to one host, at most.",
)
CONTACT = click.option(
    "--contact",
    metavar="WHO",
    help="E-mail address or web page for the site's owners; goes into the User-Agent.",
)
PROGRESS = click.option("--progress/--no-progress", default=True, help="Show progress bars.")


def _polite(verb):
    options = [
        RATE,
        CONTACT,
        click.option("--refresh", is_flag=True, help="Ask whether stored pages have changed."),
        click.option("--base-url", metavar="URL", help="Another server with the same pages."),
        click.option(
            "--allow-host",
            "hosts",
            multiple=True,
            metavar="HOST",
            help="Images may come from this host, too; repeatable.",
        ),
        PROGRESS,
    ]
    return reduce(lambda made, option: option(made), reversed(options), verb)


@click.group()
def collect() -> None:
    """Collect images and texts from sites, politely.

    robots.txt and Retry-After are honoured, and a host is asked once a second at most. Stop it
    with Ctrl-C or kill it: the same command continues, and asks for nothing twice.

    \b
    Examples:
      tfanime collect myanimelist --season 2018/spring --contact me@example.org --out posters/
      tfanime collect getchu --month 2014-12 --contact me@example.org --out characters/
      tfanime collect danbooru 1girl solo --most 1000 --out board/
    """


@collect.command()
@OUT
@click.option(
    "--ids",
    type=click.Path(exists=True, dir_okay=False),
    default=None,
    metavar="CSV",
    help="A column id, MAL_ID, anime_id or uid.",
)
@click.option("--top", type=click.IntRange(min=0), default=0, metavar="N", help="The top N.")
@click.option(
    "--popular", type=click.IntRange(min=0), default=0, metavar="N", help="The N most popular."
)
@click.option("--season", "seasons", multiple=True, metavar="YEAR/SEASON", help="2018/spring.")
@click.option(
    "--year", "years", type=int, multiple=True, metavar="YEAR", help="Its four seasons; repeatable."
)
@click.option("--genre", "genres", type=click.IntRange(min=1), multiple=True, metavar="NUMBER")
@click.option("--search", "searches", multiple=True, metavar="WORDS")
@click.option(
    "--need",
    "needed",
    type=click.Choice(choices.NEEDABLE),
    multiple=True,
    default=("genres", "synopsis"),
    show_default=True,
    help="Leave out entries without this; repeatable.",
)
@click.option("--from-year", type=int, metavar="YEAR", help="Leave out what started before.")
@click.option("--to-year", type=int, metavar="YEAR", help="Leave out what started after.")
@MOST
@ADULT
@_polite
def myanimelist(out, ids, base_url, **options) -> None:
    """Posters, titles, genres, synopses and scores from MyAnimeList.

    \b
    Examples:
      tfanime collect myanimelist --top 500 --contact me@example.org --out posters/
      tfanime collect myanimelist --popular 13000 --from-year 1990 --to-year 2019 --out posters/
      tfanime collect myanimelist --ids anime.csv --need genres --out posters/
      tfanime collect myanimelist --search Fate --season 2018/spring --out posters/
    """
    from tfanime.collect import myanimelist as site

    _report(out, site.collect(out, ids=ids or (), base_url=base_url or site.SITE, **options))


@collect.command()
@click.option("--sql", is_flag=True, help="Print the query that gives the table, and stop.")
@click.option("--out", type=click.Path(file_okay=False), metavar="DIR", help="Folder to fill.")
@click.option(
    "--table",
    type=click.Path(exists=True, dir_okay=False),
    metavar="CSV",
    help="Columns gamename, sellday and links: what the query of --sql gives.",
)
@click.option("--month", "months", multiple=True, metavar="YEAR-MONTH", help="2014-12.")
@click.option(
    "--from-year", type=int, metavar="YEAR", help="Leave out what is older; MakeGirlsMoe took 2006."
)
@MOST
@_polite
def getchu(sql, out, base_url, **options) -> None:
    """Character images and their release years from Getchu.

    \b
    Examples:
      tfanime collect getchu --sql
      tfanime collect getchu --table games.csv --from-year 2006 --out characters/
      tfanime collect getchu --month 2014-12 --month 2015-01 --out characters/
    """
    from tfanime.collect import getchu as site

    if sql:
        click.echo(site.SQL)
        return
    if out is None:
        raise click.UsageError("Missing option '--out'.")
    _report(out, site.collect(out, base_url=base_url or site.SITE, **options))


@collect.command()
@click.argument("tags", nargs=-1, required=True)
@OUT
@click.option(
    "--board",
    default="danbooru",
    show_default=True,
    metavar="NAME",
    help="danbooru, safebooru, konachan, yandere, or the address of a search on another one.",
)
@click.option("--most", type=click.IntRange(min=1), default=1000, show_default=True, metavar="N")
@click.option("--gallery-dl", metavar="PROGRAM", help="Another gallery-dl than the installed one.")
@ADULT
@RATE
@CONTACT
@PROGRESS
def danbooru(tags, out, **options) -> None:
    """Images with 34 attributes from Danbooru-like boards, through gallery-dl.

    \b
    Examples:
      tfanime collect danbooru 1girl solo --most 1000 --out board/
      tfanime collect danbooru blue_hair --board konachan --out board/
    """
    from tfanime.collect import danbooru as site

    _report(out, site.collect(out, tags, **options))


@click.group()
def data() -> None:
    """Look at datasets.

    \b
    Examples:
      tfanime data card posters/
    """


@data.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
def card(folder) -> None:
    """Print a dataset's card in Markdown: source, licence, and what passed each filter.

    \b
    Examples:
      tfanime data card posters/ > posters/README.md
    """
    from tfanime.prepare.dataset_card import card

    click.echo(card(folder), nl=False)


def _report(out: str, manifest) -> None:
    for step in manifest.steps:
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in step.dropped.items())
        line = f"{step.name}: {step.kept:,}" + (f" (left out: {reasons})" if reasons else "")
        click.echo(plain(line))
    click.echo(f"{out}: {manifest.count:,} entries; `tfanime data card {out}` tells more")
