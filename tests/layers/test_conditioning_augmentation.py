from __future__ import annotations

import keras
import numpy as np
import pytest

from tfanime.layers import ConditioningAugmentation
from tfanime.models import dcgan
from tfanime.models.inputs import Entry


@pytest.fixture
def layer():
    found = ConditioningAugmentation(vector_size=3, size=2)
    found.build((None, 7), (None, 4))
    rng = np.random.default_rng(0)
    found.moments.set_weights([rng.normal(size=(3, 4)), rng.normal(size=4)])
    return found


def test_the_sample_stands_in_place_of_the_vector(layer):
    rng = np.random.default_rng(1)
    latents, labels = rng.normal(size=(5, 7)), rng.normal(size=(5, 4))
    kernel, bias = layer.moments.get_weights()
    moments = labels[:, 1:] @ kernel + bias
    sample = moments[:, :2] + np.exp(moments[:, 2:] / 2) * latents[:, 5:]
    expected = np.concatenate([latents[:, :5], labels[:, :1], sample], axis=1)
    found = layer(latents.astype("f4"), labels.astype("f4"))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((5, 7), (5, 4)) == (5, 8)


def test_the_divergence_is_that_of_gaussians(layer):
    labels = np.random.default_rng(2).normal(size=(6, 4)).astype("f4")
    kernel, bias = layer.moments.get_weights()
    mean, log_variance = np.split(labels[:, 1:] @ kernel + bias, 2, axis=1)
    # Kullback-Leibler of N(m, s^2) to N(0, 1): log(1 / s) + (s^2 + m^2) / 2 - 1 / 2.
    deviation = np.exp(log_variance / 2)
    expected = np.log(1 / deviation) + (deviation**2 + mean**2) / 2 - 0.5
    np.testing.assert_allclose(layer.divergence(labels), expected.mean(), rtol=1e-5)
    layer.moments.set_weights([np.zeros((3, 4)), np.zeros(4)])
    assert float(layer.divergence(labels)) == 0.0


def test_sizes_are_positive():
    with pytest.raises(ValueError, match="vector_size=0, size=2"):
        ConditioningAugmentation(0, 2)


def test_a_generator_with_augmentation_and_embedding(tmp_path):
    chosen = Entry(vector_size=3, augmentation=2, embedding=5)
    model = dcgan.generator(16, 24, 6, 4, channels=4, entry=chosen)
    assert model.inputs[0].shape == (None, 8) and model.inputs[1].shape == (None, 4)
    assert model.get_layer("label_embedding").kernel.shape == (1, 5)
    # Six latents, five for the one plain label, two for the vector.
    assert model.get_layer("fc").kernel.shape[0] == 13
    model.save(tmp_path / "g.keras")
    again = keras.models.load_model(tmp_path / "g.keras")
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(2, n)).astype("f4") for n in (8, 4)]
    np.testing.assert_array_equal(again(inputs), model(inputs))
    np.testing.assert_array_equal(copy(inputs), model(inputs))


def test_embedded_labels_without_a_vector():
    model = dcgan.generator(16, 16, 6, 4, channels=4, entry=Entry(embedding=3))
    assert model.get_layer("fc").kernel.shape[0] == 9
    model = dcgan.discriminator(16, 16, 4, channels=4, label_embedding=2)
    assert model.get_layer("down0").kernel.shape[2] == 5
