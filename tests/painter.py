"""A generator that is a linear map, for tests of drawing."""

from __future__ import annotations

import numpy as np

from tfanime.core.labels import MAKEGIRLSMOE

DIM, SIZE = 6, 8


class Painter:
    """A stand-in for a loaded generator: a fixed random linear map.

    `drift` adds something that depends on the row's place in the batch, as the rounding of real
    kernels does.
    """

    latent_dim, height, width, name = DIM, SIZE, SIZE + 2, "painter"

    def __init__(self, schema=MAKEGIRLSMOE, drift=0.0):
        random = np.random.default_rng(0)
        self.schema, self.drift = schema, drift
        self.from_latents = random.normal(0, 0.2, (DIM, self.height * self.width * 3))
        self.from_labels = random.normal(0, 0.2, (MAKEGIRLSMOE.size, self.height * self.width * 3))
        self.batches, self.labels = [], []

    def __call__(self, latents, labels):
        assert latents.dtype == np.float32
        assert (labels is None) == (self.schema is None)
        self.batches.append(latents)
        flat = latents @ self.from_latents
        if labels is not None:
            assert labels.dtype == np.float32 and np.abs(labels).max() <= 1
            self.labels.append(labels)
            flat = flat + labels @ self.from_labels
        flat = np.tanh(flat + self.drift * np.arange(len(latents))[:, None])
        return flat.reshape(-1, self.height, self.width, 3).astype(np.float32)
