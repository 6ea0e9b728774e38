"""The leaky ReLU that is fast in bfloat16."""

import keras
import numpy as np
import pytest
from keras import ops

from tfanime.gans import backend
from tfanime.layers import LeakyReLU

X = np.array([[-3.0, -0.5, 0.0, 0.25, 1.5, 200.0]], np.float32)


@pytest.mark.parametrize("dtype, exact", [("float32", 1e-7), ("bfloat16", 2**-7)])
def test_values_and_gradients(dtype, exact):
    layer = LeakyReLU(0.2, dtype=dtype)
    found = ops.convert_to_numpy(ops.cast(layer(X), "float32"))
    np.testing.assert_allclose(found, np.where(X > 0, X, 0.2 * X), rtol=exact)
    slopes = backend.input_gradients(layer, ops.convert_to_tensor(X))
    slopes = ops.convert_to_numpy(slopes)[X != 0]
    np.testing.assert_allclose(slopes, np.where(X > 0, 1.0, 0.2)[X != 0], rtol=exact)


def test_in_float32_it_is_keras_own_to_the_bit():
    ours, theirs = LeakyReLU(0.2)(X), keras.layers.LeakyReLU(0.2)(X)
    np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))
