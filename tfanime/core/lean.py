"""A quicker start and end for commands that only draw.

Keras and TensorFlow import scikit-learn, pandas, Matplotlib, JAX and more when these are installed,
for features of theirs that drawing does not use, and that takes as long as their own code; and
TensorFlow imports all of its own interfaces, earlier ones too. Python searches all that they make
for garbage while they make it, and takes it apart when the process ends, although the system would
take all of its memory back at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any, NoReturn

from tfanime.core import linking
from tfanime.core.import_hook import ImportHook, spec_behind

# What Keras and TensorFlow can do without: each is imported inside `try` there.
OPTIONAL = ("IPython", "cv2", "huggingface_hub", "jax", "matplotlib", "pandas", "psutil")
OPTIONAL += ("scipy", "sklearn")
# What is imported whole and used in functions only, or not at all: each with what is in it.
LATER = ("rich.console", "rich.markup", "rich.table", "tensorflow._api.v2")
# Two that, executed later, would import packages of TensorFlow that are called alike, and these
# would take their places in `tensorflow`. That of the second is empty and can come first.
AT_ONCE = ("tensorflow._api.v2.distribute",)
LITE = "tensorflow._api.v2.lite"
# Three wrappers for cells of RNNs: the only part of `tensorflow.nn` that imports the Keras which
# TensorFlow has inside.
NN, CELL = "tensorflow._api.v2.nn", "RNNCell"  # how these names begin
CELLS = "tensorflow.python.keras.layers.rnn_cell_wrapper_v2"


class _LeanImport(ImportHook):
    """Hides `OPTIONAL` and puts off `LATER` while `keras` is executed, and lets nobody search it
    for garbage."""

    module = "keras"

    @contextmanager
    def around(self) -> Iterator[None]:
        searched = gc.isenabled()
        gc.disable()
        try:
            with hidden(), put_off(), one_reference_each():
                yield
        finally:
            if searched:
                gc.enable()
        gc.freeze()  # modules stay to the end: later searches pass over them


@contextmanager
def hidden() -> Iterator[None]:
    """Inside, those of `OPTIONAL` that are not loaded cannot be imported."""
    backend = os.environ.get("KERAS_BACKEND")
    needed = (backend, "scipy") if backend == "jax" else (backend,)  # JAX imports SciPy
    names = [name for name in OPTIONAL if name not in sys.modules and name not in needed]
    # None is how Python says that a module cannot be imported.
    sys.modules.update(dict.fromkeys(names))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


@contextmanager
def put_off() -> Iterator[None]:
    """Inside, modules of `LATER` are not executed when they are imported, but when something of
    them is asked for, inside or later. By one thread at a time: up to Python 3.11 another one would
    see a module that is half executed."""
    finder = _LazyImport()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _LazyImport(MetaPathFinder):
    """Finds modules of `LATER` where they would be found anyway, with a lazy loader."""

    def find_spec(self, name, path=None, target=None) -> ModuleSpec | None:
        if within(name, AT_ONCE) or not within(name, LATER):
            return None
        spec = spec_behind(self, name, path, target)
        if spec is not None and spec.loader is not None:
            if name == LITE:
                import_module("tensorflow.lite")
            if name == NN:
                spec.loader.exec_module = partial(_without_cells, spec.loader.exec_module)
            spec.loader = LazyLoader(spec.loader)
        return spec


def _without_cells(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    """Executes `NN`; its three wrappers are imported when they are asked for."""
    if CELLS in sys.modules:
        execute(module)
        return
    stub = ModuleType(CELLS)
    stub.__getattr__ = lambda name: None  # type: ignore[method-assign]
    sys.modules[CELLS] = stub
    try:
        execute(module)
    finally:
        del sys.modules[CELLS]
    content = vars(module)  # of a module that a lazy loader executes, `delattr` would never end
    for name in [name for name in content if name.startswith(CELL)]:
        del content[name]

    def late(name: str) -> Any:
        if name.startswith(CELL):
            return getattr(import_module(CELLS), name.removeprefix(CELL))
        raise AttributeError(f"module {NN!r} has no attribute {name!r}")

    module.__getattr__ = late  # type: ignore[method-assign]


def within(name: str, modules: tuple[str, ...]) -> bool:
    """Whether a module is one of these, or is in one of them."""
    return f"{name}.".startswith(tuple(f"{module}." for module in modules))


@contextmanager
def one_reference_each() -> Iterator[None]:
    """Inside, types that are named by the same string are one object. TensorFlow names the types of
    its operations so, a few dozen names 18,000 times, and Python compiles every one."""
    convert = getattr(typing, "_type_convert", None)  # Python's own, and not promised
    if convert is None:
        yield
        return
    references: dict[str, Any] = {}

    def once(argument, module=None, *more, **options):
        if not isinstance(argument, str) or module is not None:
            return convert(argument, module, *more, **options)
        if argument not in references:
            references[argument] = convert(argument, module, *more, **options)
        return references[argument]

    typing._type_convert = once  # type: ignore[attr-defined]
    try:
        yield
    finally:
        typing._type_convert = convert  # type: ignore[attr-defined]


def install() -> None:
    """Lets the import of Keras, which is still to come, pass over `OPTIONAL` and `LATER`.

    For a process of our own that draws and ends: Keras goes on believing that they are missing (its
    wrappers for scikit-learn do not work, `fit` knows no data frames). Nothing happens where Keras
    is loaded already, such as by a program of the user's.
    """
    if "keras" not in sys.modules:
        sys.meta_path.insert(0, _LeanImport())
        if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
            with suppress(Exception):  # whatever it is, TensorFlow's import meets it and says so
                linking.open_libraries()


def installed() -> bool:
    """Whether `install` prepared the import of Keras in this process."""
    return any(isinstance(finder, _LeanImport) for finder in sys.meta_path)


def leave(end: SystemExit) -> NoReturn:
    """Ends the process with the status of `end`: after `install` without taking apart what it
    holds. Functions registered with `atexit` are called in any case."""
    if installed():
        atexit._run_exitfuncs()
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:  # closed by who started the process
                    stream.flush()
        except OSError:  # the reader of a pipe is gone: Python knows what to do
            raise end from None
        if isinstance(end.code, int):
            os._exit(end.code)
    raise end
