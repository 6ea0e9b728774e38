"""`tfanime` as tests call it."""

from __future__ import annotations

from click.testing import CliRunner, Result

from tfanime import cli


def invoke(*words: object, **options) -> Result:
    """Runs the command with arguments; what comes back has `exit_code`, `stdout` and `stderr`."""
    # Width: click would break the sentences that tests look for.
    return CliRunner().invoke(cli.main, [str(x) for x in words], terminal_width=200, **options)
