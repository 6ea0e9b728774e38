"""Steering in front of a generator, against the formula in NumPy."""

import keras
import numpy as np
import pytest

from tfanime.models import modern
from tfanime.models.steering import is_steered, steered, unsteered

RANDOM = np.random.default_rng(3)
DIM, LABELS = 6, 4


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


@pytest.mark.parametrize("depth", [0.0, 1.0, 1.5])
def test_latents_of_a_positive_score_are_led_across_and_others_stay(depth):
    model, (z, y) = network(), inputs()
    u, v, b = RANDOM.normal(size=DIM), RANDOM.normal(size=LABELS), 0.2
    score = z @ u + y @ v + b
    moved = score > 0
    assert 5 < moved.sum() < 27
    led = z.astype(np.float64)
    led[moved] -= (1 + depth) * np.outer(score[moved], u) / (u @ u)
    np.testing.assert_allclose(led[moved] @ u + y[moved] @ v + b, -depth * score[moved], atol=1e-9)
    across = np.eye(DIM) - np.outer(u, u) / (u @ u)
    np.testing.assert_allclose(led @ across, z @ across, atol=1e-6)
    found = draw(steered(model, u, v, b, depth), z, y)
    np.testing.assert_allclose(found, draw(model, led.astype(np.float32), y), atol=2e-4)
    np.testing.assert_array_equal(found[~moved], draw(model, z, y)[~moved])


def test_a_generator_without_labels_is_steered_by_latents_alone():
    model, (z,) = network(0), inputs(labels=0)
    u = np.eye(DIM)[2]
    mirrored = np.where(np.arange(DIM) == 2, -np.abs(z), z)
    found = draw(steered(model, u, np.zeros(0), 0.0), z)
    np.testing.assert_allclose(found, draw(model, mirrored.astype(np.float32)), atol=2e-4)


def test_steering_is_saved_taken_off_and_put_on_anew(tmp_path):
    model, given = network(), inputs()
    u, v = RANDOM.normal(size=DIM), RANDOM.normal(size=LABELS)
    once = steered(model, u, v, 0.0)
    once.save(tmp_path / "steered.keras")
    loaded = keras.models.load_model(tmp_path / "steered.keras")
    assert is_steered(loaded) and not is_steered(model)
    np.testing.assert_array_equal(draw(loaded, *given), draw(once, *given))
    bare = unsteered(loaded)
    assert not is_steered(bare) and unsteered(model) is model
    for found, expected in zip(bare.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(draw(bare, *given), draw(model, *given))
    again = steered(loaded, -u, v, 0.1)
    np.testing.assert_array_equal(draw(again, *given), draw(steered(model, -u, v, 0.1), *given))


@pytest.mark.parametrize(
    ("u", "v"),
    [(np.zeros(DIM), np.ones(LABELS)), (np.ones(3), np.ones(LABELS)), (np.ones(DIM), [])],
)
def test_directions_that_do_not_fit_are_refused(u, v):
    with pytest.raises(ValueError, match=r"inputs of \[6, 4\]"):
        steered(network(), u, v, 0.0)
