"""Wrong usage: settings, data and networks that do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class WrongUsage(ValueError):
    """What was asked for cannot be done, whatever is tried; the command line ends with 2."""


@contextmanager
def checked() -> Iterator[None]:
    """Whatever is refused inside is wrong usage."""
    try:
        yield
    except WrongUsage:
        raise
    except ValueError as error:
        raise WrongUsage(str(error)) from error
