"""`tfanime models`."""

from __future__ import annotations

import click

from tfanime.cli.kinds import Run
from tfanime.core.printing import plain


@click.command()
@click.argument("model", type=Run(), required=False)
@click.option(
    "--in",
    "folder",
    type=click.Path(exists=True, file_okay=False),
    default=".",
    show_default=True,
    metavar="DIR",
    help="Where to look for runs.",
)
def models(model, folder) -> None:
    """List the models that ship and the runs that are here, or the attributes of one.

    \b
    Examples:
      tfanime models
      tfanime models --in /data/runs
      tfanime models faces-64
    """
    from tfanime.zoo.listing import attribute_lines, here, shipped

    if model is not None:
        from tfanime.zoo.saved import load_schema

        schema = load_schema(model)
        rows = attribute_lines(schema) if schema else [("without attributes", "")]
        _table([(plain(name), plain(values)) for name, values in rows])
        return
    click.echo("Models that ship")
    _table([(one.name, one.does) for one in shipped()], "  ")
    runs = here(folder)
    click.echo(f"Runs in {folder}" if runs else f"No runs in {folder}. Make one: tfanime train")
    _table([(plain(one.name), one.does, plain(one.training)) for one in runs], "  ")


def _table(rows: list[tuple[str, ...]], indent: str = "") -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo((indent + "  ".join(cells)).rstrip())
