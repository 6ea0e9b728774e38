"""`ImportHook`: something done around the import of a module that is still to come."""

from __future__ import annotations

import sys
from abc import abstractmethod
from contextlib import AbstractContextManager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec


class ImportHook(MetaPathFinder):
    """Finds one module where it would be found anyway, and executes it inside `around()`."""

    module: str

    @abstractmethod
    def around(self) -> AbstractContextManager:
        """What the module's code is executed in."""

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if name != self.module:
            return None
        spec = spec_behind(self, name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                with self.around():
                    execute(module)

            spec.loader.exec_module = exec_module
        return spec


def spec_behind(finder: MetaPathFinder, name, path=None, target=None) -> ModuleSpec | None:
    """What finders behind one of ours find: two of ours would ask each other for ever."""
    others = sys.meta_path[sys.meta_path.index(finder) + 1 :]
    specs = (one.find_spec(name, path, target) for one in others)
    return next((spec for spec in specs if spec is not None), None)
