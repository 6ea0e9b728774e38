"""The group of all verbs: one sentence and an exit code for whatever goes wrong."""

from __future__ import annotations

import click

from tfanime.core import disk
from tfanime.core.printing import plain

# What our functions raise for reasons that a user can do something about.
EXPECTED = (ValueError, OSError, RuntimeError, ImportError, MemoryError)
INTERRUPTED = 130


class Verbs(click.Group):
    """Turns exceptions into one sentence and an exit code; `--debug` shows where they arose."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own; the pipe is `tfanime recipes | head`
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            # A name in it may come from an archive, a page or a server.
            raise click.ClickException(plain(_sentence(error))) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of the work, not of the alphabet


def _sentence(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("tensorflow"):
        return (
            "This needs TensorFlow, which is not installed: pip install tensorflow. (Training and "
            "drawing also run with JAX: pip install jax, and KERAS_BACKEND=jax.)"
        )
    place = getattr(error, "filename", None) or "what was read or written"
    if disk_error := disk.as_disk_error(error, place):
        return str(disk_error)
    if not isinstance(error, EXPECTED):
        first_line = (str(error).splitlines() or [""])[0]
        return f"{type(error).__name__}: {first_line} (`tfanime --debug ...` shows where)"
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    return str(error) or type(error).__name__
