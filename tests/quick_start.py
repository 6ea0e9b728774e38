"""Importing this, before TensorFlow, makes tests quicker that are not about what it leaves out.

Scripts of tests that run in processes of their own import it first. Keras then passes over what it
imports for others (`tfanime.core.lean`), a third of its start. And graphs are run as they were
traced: to optimise one takes longer than all that a test lets it compute.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tfanime.core import lean
from tfanime.core.import_hook import ImportHook


def optimise_graphs(on: bool) -> None:
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": not on})


class PlainGraphs(ImportHook):
    """Turns the optimiser of graphs off as soon as TensorFlow is there."""

    module = "tensorflow"

    @contextmanager
    def around(self) -> Iterator[None]:
        yield
        optimise_graphs(False)


def plain_graphs() -> None:
    if "tensorflow" in sys.modules:
        optimise_graphs(False)
    else:
        sys.meta_path.insert(0, PlainGraphs())


if "pytest" not in sys.modules:  # whose process imports what is left out anyway
    lean.install()
plain_graphs()
