"""tfanime: train, judge and publish GANs that draw anime faces and posters.

    import tfanime

    data = tfanime.load_data("drawn", size=64)
    run = tfanime.train("dcgan", data, steps=2000, out="runs/first")
    faces = tfanime.generate("runs/first", n=16, seed=7)

The names below are loaded when they are first used: importing tfanime loads neither TensorFlow
nor Keras.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from tfanime import _quiet

if TYPE_CHECKING:
    from tfanime import gans, recipes
    from tfanime.data import from_arrays, load_data
    from tfanime.generate import generate, interpolate
    from tfanime.labels import Field, LabelSchema
    from tfanime.prepare.pack import pack as prepare
    from tfanime.saved import load_generator
    from tfanime.training.train import train

__version__ = "0.1.0"

__all__ = [
    "Field",
    "LabelSchema",
    "from_arrays",
    "gans",
    "generate",
    "interpolate",
    "load_data",
    "load_generator",
    "prepare",
    "recipes",
    "train",
]

# Public name -> the module it lives in and its name there.
_FUNCTIONS = {
    "Field": ("tfanime.labels", "Field"),
    "LabelSchema": ("tfanime.labels", "LabelSchema"),
    "from_arrays": ("tfanime.data", "from_arrays"),
    "generate": ("tfanime.generate", "generate"),
    "interpolate": ("tfanime.generate", "interpolate"),
    "load_data": ("tfanime.data", "load_data"),
    "load_generator": ("tfanime.saved", "load_generator"),
    "prepare": ("tfanime.prepare.pack", "pack"),
    "train": ("tfanime.training.train", "train"),
}
_MODULES = ("gans", "generate", "prepare", "recipes")

_quiet.install()


class _CallableModule(ModuleType):
    """A submodule that has the name of a public function, and is called as that function."""

    def __call__(self, *args, **kwargs):
        return _function(self.__name__.rpartition(".")[2])(*args, **kwargs)


class _Package(ModuleType):
    """Makes `tfanime.generate` and `tfanime.prepare` callable.

    Python binds a submodule to its package when it is first imported, over any function of the
    same name. So these two are always the submodule, and calling it calls the function.
    """

    def __setattr__(self, name, value):
        if name in _FUNCTIONS and isinstance(value, ModuleType):
            value.__class__ = _CallableModule
        super().__setattr__(name, value)


def _function(name: str):
    module, attribute = _FUNCTIONS[name]
    return getattr(importlib.import_module(module), attribute)


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"tfanime.{name}")
    if name in _FUNCTIONS:
        return _function(name)
    raise AttributeError(f"module 'tfanime' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
