"""`tfanime export web` and `tfanime web serve`."""

from __future__ import annotations

from contextlib import suppress

import click

import tfanime
from tfanime.cli.kinds import Run

RUNS = click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=Run(file_okay=False))


@click.group()
def export() -> None:
    """Publish a trained model: as a web page that draws on the visitor's machine.

    \b
    Examples:
      tfanime export web runs/girls --out site/
    """


@export.command("web")
@RUNS
@click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "float16", "mixed", "uint8"]),
    default="auto",
    show_default=True,
    help="Of the weights. auto: the smallest download that shows no difference.",
)
@click.option(
    "--site/--no-site",
    default=True,
    show_default=True,
    help="With the web page, or models only.",
)
@click.option(
    "--extractor",
    metavar="SPEC",
    help="Also measure KID with it: tagger, mobilenet:FILE and others, as for `tfanime evaluate`.",
)
def export_web(runs, out, **options) -> None:
    """Write a static site that draws with trained models, in the browser alone.

    Several RUNs become several models of one site; upscalers among them enlarge what the others
    draw. An earlier export at DIR is replaced.

    \b
    Examples:
      tfanime export web runs/girls --out site/
      tfanime export web runs/girls runs/posters runs/larger --out site/
      tfanime export web runs/girls --precision uint8 --no-site --out models/
    """
    site = tfanime.export_web(list(runs), out, progress=True, **options)
    from tfanime.export.card import table_lines
    from tfanime.export.precision import INVISIBLE

    for model in site.models:
        click.echo(f"{model.name}: {model.kind}, {model.precision}")
        for line in table_lines(model.table, model.precision):
            click.echo(line)
        if model.kid is not None:
            exact, stored = model.kid
            click.echo(f"  KID: {exact:.5f} with float32, {stored:.5f} with these weights")
        if model.psnr < INVISIBLE:
            click.echo(
                f"Warning: pictures of {model.name} differ visibly from the trained model's "
                f"({model.psnr:.1f} dB; {INVISIBLE:g} shows no difference). "
                "--precision auto avoids that.",
                err=True,
            )
    count = len(site.models)
    click.echo(f"{out}: {count} model{'s' * (count != 1)}")
    if options["site"]:
        click.echo(f"Look at it with: tfanime web serve {out}")


@click.group()
def web() -> None:
    """Look at an exported site.

    \b
    Examples:
      tfanime web serve site/
    """


@web.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0: any that is free.",
)
def serve(folder, port) -> None:
    """Serve an exported site to this machine, until Ctrl-C.

    \b
    Examples:
      tfanime web serve site/
      tfanime web serve site/ --port 0
    """
    from tfanime.export.server import server

    with server(folder, port) as running:
        click.echo(f"http://127.0.0.1:{running.server_port}/ (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            running.serve_forever()
