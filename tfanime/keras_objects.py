"""Keras knows our classes once tfanime is imported, without tfanime importing Keras.

`keras.models.load_model("generator.keras")` finds a class by its registered name, and it is
registered when its module is imported. That happens here as soon as Keras itself is.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

from tfanime.core.quiet import found_elsewhere

ROOMS = ("tfanime.layers", "tfanime.gans")  # whose modules register classes
ABOVE_KERAS = (*ROOMS, "tfanime.models")  # where Keras is imported by ourselves


class _AfterKeras(MetaPathFinder):
    """Finds `keras` where it would be found anyway, and registers our classes behind it."""

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != "keras":
            return None
        spec = found_elsewhere(self, name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _register()

            spec.loader.exec_module = exec_module
        return spec


def _register() -> None:
    # One of these is being imported, and registers its classes itself.
    if not any(name in sys.modules for name in ABOVE_KERAS):
        for name in ROOMS:
            importlib.import_module(name)


def install() -> None:
    """Registers our classes now, or when Keras is imported. Calling it again does nothing."""
    if "keras" in sys.modules:
        _register()
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras())
