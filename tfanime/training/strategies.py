"""Which devices train: the one place that knows them all."""

from __future__ import annotations

import keras

from tfanime.training.devices import STRATEGIES, OneDevice


def make(strategy: str, batch_size: int) -> OneDevice:
    """The devices of that strategy.

    Raises:
        ValueError: for an unknown name, one that the backend does not have, or a batch that does
            not divide by the replicas.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy is one of: {', '.join(STRATEGIES)}. Received: {strategy!r}.")
    if keras.backend.backend() == "tensorflow":
        # TensorFlow is loaded only where it is the backend.
        from tfanime.training.distribution import Replicas

        return Replicas(strategy, batch_size)
    if strategy not in ("auto", "none"):
        raise ValueError(
            "With KERAS_BACKEND=jax training runs on one device: strategy is 'auto' or 'none'. "
            f"Received: {strategy!r}. Several devices need KERAS_BACKEND=tensorflow."
        )
    return OneDevice()
