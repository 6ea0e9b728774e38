"""Tells Keras of the layers in our saved models, as soon as Keras is imported.

`keras.models.load_model` loads none of our layers by itself: it knows those that were registered,
which importing `tfanime.layers` does. `import tfanime` must not import Keras; it calls `install()`.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec

from tfanime._quiet import found_elsewhere

LAYERS = "tfanime.layers"


class _Registering(MetaPathFinder):
    """Finds `keras` where it would be found anyway, and imports our layers after it."""

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != "keras":
            return None
        spec = found_elsewhere(self, name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                importlib.import_module(LAYERS)

            spec.loader.exec_module = exec_module
        return spec


def install() -> None:
    """Calling it again does nothing."""
    if "keras" in sys.modules:
        importlib.import_module(LAYERS)
    elif not any(isinstance(finder, _Registering) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Registering())
