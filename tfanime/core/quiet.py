"""Keeps TensorFlow's start-up noise off the user's terminal.

`import tfanime` calls `install()`. It costs nothing until TensorFlow is really imported, by any
module of ours or of the user's, and then

* sets `TF_CPP_MIN_LOG_LEVEL` to 3, which silences what TensorFlow says once it is loaded (errors
  still arrive as Python exceptions);
* discards what is written to file descriptor 2 during that one import: TensorFlow 2.21 prints
  about oneDNN, CUDA and absl before it has read its log level. If the import fails, all of it is
  printed after all.

A `TF_CPP_MIN_LOG_LEVEL` that the user has set is respected: `TF_CPP_MIN_LOG_LEVEL=0 tfanime ...`
shows everything.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec

from tfanime.core.import_hook import ImportHook


class _QuietImport(ImportHook):
    """Silences the execution of `tensorflow`."""

    module = "tensorflow"

    def around(self) -> AbstractContextManager:
        return silenced_stderr()


@contextmanager
def silenced_stderr() -> Iterator[None]:
    """Discards what is written to file descriptor 2, unless an exception leaves the block."""
    try:
        terminal = os.dup(2)
    except OSError:  # the process has no standard error
        yield
        return
    with tempfile.TemporaryFile() as log:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def quiet() -> AbstractContextManager:
    """For LiteRT, which writes to file descriptor 2 whatever the log level is: silence, unless the
    user wants to hear."""
    silent = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") == "3"
    return silenced_stderr() if silent else nullcontext()


def _backend() -> str:
    """TensorFlow, and where it is not installed JAX, if that is."""
    if find_spec("tensorflow") is None and find_spec("jax") is not None:
        return "jax"
    return "tensorflow"


def install() -> None:
    """Silences the import of TensorFlow, if it is still to come. Calling it again does nothing."""
    # Keras would take the backend from ~/.keras/keras.json otherwise; tfanime is for TensorFlow.
    if "KERAS_BACKEND" not in os.environ:
        os.environ["KERAS_BACKEND"] = _backend()
    # A process started by this one inherits the 3, and must be as quiet.
    silent = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3"
    installed = any(isinstance(finder, _QuietImport) for finder in sys.meta_path)
    if silent and not installed and "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _QuietImport())
