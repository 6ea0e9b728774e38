"""TensorFlow's libraries, linked while Python reads modules: a second core would stand idle."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from tfanime.core.quiet import quiet

# TensorFlow's libraries on Linux, where pip puts them: a small one, which prints, and a module of
# Python's that needs all of them, in the order in which TensorFlow links them.
LIBRARIES = ("libtensorflow_framework.so.2", "python/_pywrap_tensorflow_internal.so")
SILENT = (2, 21)  # the first version whose other libraries print nothing
# Modules that are imported before TensorFlow in any case. The first two bring cryptography that
# must be the system's and not the one in TensorFlow's libraries; all have libraries of their own.
BEFORE = ("hashlib", "ssl", "PIL.Image", "PIL.ImageCms", "h5py")


def open_libraries() -> Thread | None:
    """Begins to load TensorFlow's libraries, most of them in a thread, which is returned: linking
    them takes 0.3 s, in which Python can import what comes before TensorFlow. None: they are not
    those that are known, and TensorFlow will load them itself."""
    spec = None if sys.platform != "linux" else find_spec("tensorflow")
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or []]
    paths = [folder / name for folder in folders for name in LIBRARIES]
    if not all(path.exists() for path in paths) or not any(map(_is_silent, folders)):
        return None
    for module in BEFORE:  # the system loads one library at a time: later, these would wait
        import_module(module)
    # ctypes.CDLL keeps other threads waiting while it loads a library, but not while it calls a
    # function of one that is loaded.
    load = ctypes.CDLL(None).dlopen
    load.argtypes, load.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    small, large = (partial(load, os.fsencode(path), os.RTLD_NOW) for path in paths)
    with quiet():
        small()
    thread = Thread(target=large, daemon=True)
    thread.start()
    return thread


def _is_silent(folder: Path) -> bool:
    """Whether this is the folder of a TensorFlow of version `SILENT` or later."""
    versions = [path.name.split("-")[1] for path in folder.parent.glob("tensorflow-*.dist-info")]
    return any(tuple(map(int, version.split(".")[:2])) >= SILENT for version in versions)
