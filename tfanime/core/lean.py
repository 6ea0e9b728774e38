"""A quicker start and end for commands that only draw.

Keras and TensorFlow import scikit-learn, pandas, Matplotlib, JAX and more when these are installed,
for features of theirs that drawing does not use, and that takes as long as their own code. Python
searches all that they make for garbage while they make it, and takes it apart when the process
ends, although the system would take all of its memory back at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from tfanime.core.import_hook import ImportHook

# What Keras and TensorFlow can do without: each is imported inside `try` there.
OPTIONAL = ("IPython", "cv2", "huggingface_hub", "jax", "matplotlib", "pandas", "psutil")
OPTIONAL += ("scipy", "sklearn")


class _LeanImport(ImportHook):
    """Hides `OPTIONAL` while `keras` is executed, and lets nobody search it for garbage."""

    module = "keras"

    @contextmanager
    def around(self) -> Iterator[None]:
        searched = gc.isenabled()
        gc.disable()
        try:
            with hidden():
                yield
        finally:
            if searched:
                gc.enable()
        gc.freeze()  # modules stay to the end: later searches pass over them


@contextmanager
def hidden() -> Iterator[None]:
    """Inside, those of `OPTIONAL` that are not loaded cannot be imported."""
    backend = os.environ.get("KERAS_BACKEND")
    names = [name for name in OPTIONAL if name not in sys.modules and name != backend]
    # None is how Python says that a module cannot be imported.
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def install() -> None:
    """Lets the import of Keras, which is still to come, pass over `OPTIONAL`.

    For a process of our own that draws and ends: Keras goes on believing that they are missing (its
    wrappers for scikit-learn do not work, `fit` knows no data frames). Nothing happens where Keras
    is loaded already, such as by a program of the user's.
    """
    if "keras" not in sys.modules:
        sys.meta_path.insert(0, _LeanImport())


def leave(end: SystemExit) -> NoReturn:
    """Ends the process with the status of `end`: after `install` without taking apart what it
    holds. Functions registered with `atexit` are called in any case."""
    if any(isinstance(finder, _LeanImport) for finder in sys.meta_path):
        atexit._run_exitfuncs()
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # the reader of a pipe is gone: Python knows what to do
            raise end from None
        if isinstance(end.code, int):
            os._exit(end.code)
    raise end
