"""`tfanime doctor`."""

from __future__ import annotations

import click

from tfanime.core.printing import plain

MARKS = {"ok": "ok", "lacks": "--", "broken": "!!"}


@click.command()
@click.option(
    "--in",
    "folder",
    type=click.Path(file_okay=False),
    default=".",
    metavar="DIR",
    help="Where runs would be written.",
)
@click.pass_context
def doctor(ctx, folder) -> None:
    """Say what this machine has and lacks for tfanime, with the remedy for each.

    Looks at versions, extras, GPU, disk, memory, processor, browser and cache. The exit code is 1
    if tfanime cannot work here; what merely could be better does not count.

    \b
    Examples:
      tfanime doctor
      tfanime doctor --in /data/runs
    """
    from tfanime.cli.machine import BROKEN, examine

    facts = examine(folder)
    width = max(len(one.name) for one in facts)
    for one in facts:
        click.echo(f"{MARKS[one.state]}  {one.name:{width}}  {plain(one.says)}")
        if one.remedy:
            click.echo(f"    {'':{width}}  {one.remedy}")
    if any(one.state == BROKEN for one in facts):
        ctx.exit(1)
