"""Maps mirrored from left to right."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfanime")
class Mirror(keras.layers.Layer):
    """Maps `(B, H, W, C)` mirrored from left to right."""

    def call(self, inputs):
        return ops.flip(inputs, axis=2)

    def compute_output_shape(self, input_shape):
        return input_shape  # said here, or Keras traces it, for which TensorFlow imports much
