"""What the training step needs of TensorFlow or JAX and `keras.ops` does not have.

Both modules offer the same functions; `KERAS_BACKEND` decides which one is used. Everything else
in `tfanime.gans`, `tfanime.models` and `tfanime.layers` is written once.
"""

import keras

if keras.backend.backend() == "tensorflow":
    from tfanime.gans.backend.tensorflow import (
        all_replicas_mean,
        compiled,
        fractions,
        gradients,
        has_accelerator,
        in_turn,
        input_gradients,
        one_replica,
        pair_of_gradients,
        random_bits,
        replicas,
        staged_gradients,
        when,
    )
elif keras.backend.backend() == "jax":
    from tfanime.gans.backend.jax import (
        all_replicas_mean,
        compiled,
        fractions,
        gradients,
        has_accelerator,
        in_turn,
        input_gradients,
        one_replica,
        pair_of_gradients,
        random_bits,
        replicas,
        staged_gradients,
        when,
    )
else:
    raise ImportError(
        "tfanime trains with TensorFlow or JAX: KERAS_BACKEND is 'tensorflow' or 'jax'. "
        f"Received: {keras.backend.backend()!r}."
    )

# The type of counters: JAX has no 64-bit integers unless it is told to.
COUNTER = "int64" if keras.backend.backend() == "tensorflow" else "int32"

__all__ = [
    "COUNTER",
    "all_replicas_mean",
    "compiled",
    "fractions",
    "gradients",
    "has_accelerator",
    "in_turn",
    "input_gradients",
    "one_replica",
    "pair_of_gradients",
    "random_bits",
    "replicas",
    "staged_gradients",
    "when",
]
