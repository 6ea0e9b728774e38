"""A quicker start for commands that only draw.

Keras and TensorFlow import scikit-learn, pandas, Matplotlib, JAX and more when these are installed,
for features of theirs that drawing does not use, and that takes as long as their own code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tfanime.core.import_hook import ImportHook

# What Keras and TensorFlow can do without: each is imported inside `try` there.
OPTIONAL = ("IPython", "cv2", "jax", "matplotlib", "pandas", "scipy", "sklearn")


class _LeanImport(ImportHook):
    """Hides `OPTIONAL` while `keras` is executed."""

    module = "keras"

    def around(self) -> AbstractContextManager:
        return hidden()


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
