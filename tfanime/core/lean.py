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
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from tfanime.core.import_hook import ImportHook

# What Keras and TensorFlow can do without: each is imported inside `try` there.
OPTIONAL = ("IPython", "cv2", "huggingface_hub", "jax", "matplotlib", "pandas", "psutil")
OPTIONAL += ("scipy", "sklearn")
# What TensorFlow imports whole and uses in functions only, or not at all.
LATER = ("requests", "tensorflow._api.v2.compat.v1", "tensorflow._api.v2.compat.v2")
LATER += ("tensorflow._api.v2.feature_column", "tensorflow._api.v2.__internal__.feature_column")
LATER += ("tensorflow._api.v2.tpu",)


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
    """Inside, those of `LATER` that are not loaded are empty modules. Whoever has imported one
    finds its content there afterwards: it is imported when something of it is asked for."""
    modules = {name: ModuleType(name) for name in LATER if name not in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in modules.items():
            del sys.modules[name]
            module.__getattr__ = partial(_imported, name)  # type: ignore[method-assign]


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


def _imported(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def install() -> None:
    """Lets the import of Keras, which is still to come, pass over `OPTIONAL` and `LATER`.

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
