"""Steering in front of a generator, against the formula in NumPy."""

import keras
import numpy as np
import pytest

from tfanime.models import modern
from tfanime.models.steering import PLANES, STEP, is_steered, steered, unsteered

RANDOM = np.random.default_rng(3)
DIM, LABELS, HIDDEN = 6, 4, 3


def network(labels: int = LABELS) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = modern.generator(16, 16, DIM, labels, channels=4, fine_channels=4)
    model.set_weights([RANDOM.normal(size=w.shape) ** 2 + 0.1 for w in model.get_weights()])
    return model


def inputs(count: int = 32, labels: int = LABELS) -> list[np.ndarray]:
    z = RANDOM.normal(size=(count, DIM)).astype(np.float32)
    y = RANDOM.choice([-1.0, 1.0], (count, labels)).astype(np.float32)
    return [z, y] if labels else [z]


def draw(model: keras.Model, *given: np.ndarray) -> np.ndarray:
    return np.asarray(model(list(given) if len(given) > 1 else given[0], training=False))


def taught(model: keras.Model, size: int = DIM + LABELS):
    """The model steered by random weights A, b, C, and these."""
    a, b, c = (RANDOM.normal(size=s) for s in ((size, HIDDEN), (HIDDEN,), (HIDDEN, DIM)))
    found = steered(model, HIDDEN)
    found.get_layer(PLANES).set_weights([a, b])
    found.get_layer(STEP).set_weights([c])
    return found, a, b, c


@pytest.mark.parametrize("labels", [LABELS, 0])
def test_latents_beyond_a_plane_are_moved_along_its_line(labels):
    model, given = network(labels), inputs(labels=labels)
    found, a, b, c = taught(model, DIM + labels)
    beyond = np.maximum(np.concatenate(given, axis=1) @ a + b, 0)
    moved = (beyond > 0).any(axis=1)
    assert moved.any()
    led = (given[0] + beyond @ c).astype(np.float32)
    np.testing.assert_allclose(draw(found, *given), draw(model, led, *given[1:]), atol=2e-4)
    np.testing.assert_array_equal(draw(found, *given)[~moved], draw(model, *given)[~moved])


def test_what_is_not_trained_moves_nothing():
    model, given = network(), inputs()
    np.testing.assert_array_equal(draw(steered(model, HIDDEN), *given), draw(model, *given))


def test_steering_is_saved_taken_off_and_put_on_anew(tmp_path):
    model, given = network(), inputs()
    once, *_ = taught(model)
    once.save(tmp_path / "steered.keras")
    loaded = keras.models.load_model(tmp_path / "steered.keras")
    assert is_steered(loaded) and not is_steered(model)
    np.testing.assert_array_equal(draw(loaded, *given), draw(once, *given))
    bare = unsteered(loaded)
    assert not is_steered(bare) and unsteered(model) is model
    for found, expected in zip(bare.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(draw(bare, *given), draw(model, *given))
    again = steered(loaded, 2 * HIDDEN)
    np.testing.assert_array_equal(draw(again, *given), draw(model, *given))
