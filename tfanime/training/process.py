"""What training sets for the whole process, and sets back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np


@contextmanager
def unchanged() -> Iterator[None]:
    """Keras's dtype policy, TensorFlow's graph optimiser and the random states of Python and NumPy
    are afterwards as they were before, whatever happens in here."""
    policy = keras.config.dtype_policy()
    of_python, of_numpy = random.getstate(), np.random.get_state()
    options = _optimiser_options()
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        random.setstate(of_python)
        np.random.set_state(of_numpy)
        if options is not None:
            import tensorflow as tf

            tf.config.optimizer.set_experimental_options(options)


def _optimiser_options() -> dict | None:
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return {"disable_meta_optimizer": False, **tf.config.optimizer.get_experimental_options()}
