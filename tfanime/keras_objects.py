"""Keras knows our classes once tfanime is imported, without tfanime importing Keras; in commands
that draw, those of layers.

`keras.models.load_model("generator.keras")` finds a class by its registered name, and it is
registered when its module is imported. That happens here as soon as Keras itself is.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tfanime.core import lean
from tfanime.core.import_hook import ImportHook

LAYERS = ("tfanime.layers",)  # what draws consists of these
ROOMS = (*LAYERS, "tfanime.gans")  # whose modules register classes
ABOVE_KERAS = (*ROOMS, "tfanime.models")  # where Keras is imported by ourselves


class _AfterKeras(ImportHook):
    """Registers our classes behind the execution of `keras`."""

    module = "keras"

    @contextmanager
    def around(self) -> Iterator[None]:
        yield
        _register()


def _register() -> None:
    # Where one of these is being imported, what imports it may be half executed: layers, which
    # import nothing else of ours, are what can be imported.
    above = any(name in sys.modules for name in ABOVE_KERAS)
    for name in LAYERS if above or lean.installed() else ROOMS:
        importlib.import_module(name)


def install() -> None:
    """Registers our classes now, or when Keras is imported. Calling it again does nothing."""
    if "keras" in sys.modules:
        _register()
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras())
