"""Keras's leaky ReLU, at its right speed in bfloat16."""

from __future__ import annotations

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("tfanime")
class LeakyReLU(layers.LeakyReLU):
    """`max(x, slope * x)`, as Keras's layer has it.

    TensorFlow's gradient of it in bfloat16 is not vectorised on CPUs: it takes as long as the
    convolution before it. That of a plain ReLU, to which a part of `x` is added, is several times
    as fast and the same but for bfloat16's rounding; other precisions are left alone.
    """

    def call(self, inputs):
        if self.compute_dtype != "bfloat16":
            return super().call(inputs)
        slope = self.negative_slope
        return slope * inputs + (1.0 - slope) * ops.relu(inputs)
