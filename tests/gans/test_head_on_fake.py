"""A label head that learns from real pictures only."""

import keras
import numpy as np
import pytest
from keras import layers

from tfanime import gans
from tfanime.core.labels import Field, LabelSchema
from tfanime.models.heads import label_head


def head_after_a_step(condition, **options):
    keras.utils.set_random_seed(0)
    latents = keras.Input((3,))
    pictures = layers.Reshape((4, 4, 3))(layers.Dense(48, activation="tanh")(latents))
    seen = keras.Input((4, 4, 3))
    features = layers.Dense(5)(layers.Flatten()(seen))
    judge = keras.Model(seen, {"logits": layers.Dense(1)(features), "features": features})
    schema = LabelSchema((Field("smile", "flag"),))
    gan = gans.GAN(
        keras.Model(latents, pictures), judge, head=label_head(5, 1), schema=schema, **options
    )
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (8, 4, 4, 3)).astype(np.float32)
    labels = random.choice([-1, 1], (8, 1)).astype(np.float32)
    gan.train_step({"images": images, "labels": labels, "condition": np.float32(condition)})
    return gan.head.get_weights()[0]


@pytest.mark.parametrize("updates", ["simultaneous", "alternating"])
def test_what_was_asked_of_pictures_teaches_the_head_nothing(updates):
    asked, otherwise = np.ones((8, 1)), -np.ones((8, 1))
    one, other = (
        head_after_a_step(c, updates=updates, head_on_fake=False) for c in (asked, otherwise)
    )
    np.testing.assert_array_equal(one, other)
    one, other = (head_after_a_step(c, updates=updates) for c in (asked, otherwise))
    assert np.abs(one - other).max() > 1e-4


def test_a_head_learns_from_something():
    with pytest.raises(ValueError, match="head_on_real, head_on_fake or both"):
        head_after_a_step(np.ones((8, 1)), head_on_real=False, head_on_fake=False)
