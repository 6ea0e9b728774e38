"""Mirror against NumPy."""

from __future__ import annotations

import keras
import numpy as np

from tfanime.layers import Mirror


def test_columns_change_places_and_nothing_else_does():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(Mirror()(x), x[:, :, ::-1])


def test_a_network_with_it_is_read_again(tmp_path):
    inputs = keras.Input((2, 4, 3))
    network = keras.Model(inputs, Mirror(name="mirrored")(inputs))
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    x = np.arange(24, dtype=np.float32).reshape(1, 2, 4, 3)
    np.testing.assert_array_equal(again(x), x[:, :, ::-1])
