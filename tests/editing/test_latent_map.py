"""Directions out of a generator alone, against known matrices and planted axes."""

import numpy as np
import pytest

from tests.editing.tiny_editing import DIM, network
from tfanime.editing.latent_map import early_features, feature_pca, first_map, sefa, without_labels
from tfanime.zoo.saved import Generator

RANDOM = np.random.default_rng(5)


def test_sefa_is_the_eigenvectors_of_the_weights_by_falling_eigenvalue():
    left = np.linalg.qr(RANDOM.normal(size=(5, 5)))[0]
    right = np.linalg.qr(RANDOM.normal(size=(9, 9)))[0][:5]
    weights = left @ np.diag([1.0, 5.0, 3.0, 0.5, 2.0]) @ right
    found = sefa(weights, 3)
    # Planted: a step along left[:, i] changes the values by its singular value.
    np.testing.assert_allclose(np.abs(found @ left[:, [1, 2, 4]]), np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(found @ weights, axis=1), [5, 3, 2])
    values, vectors = np.linalg.eigh(weights @ weights.T)
    np.testing.assert_allclose(np.abs((found * vectors.T[::-1][:3]).sum(axis=1)), 1)
    np.testing.assert_allclose(values[::-1][:3], [25, 9, 4])
    assert (np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], 1) > 0).all()


def test_the_first_map_is_the_kernel_of_the_latents_with_batch_norm_in_it():
    model = network()
    dense, norm = model.layers[3], model.layers[4]
    scale, shift = np.array([1.0, 2, 3]), np.array([5.0, 6, 7])
    mean, variance = np.array([0.5, 0.6, 0.7]), np.array([4.0, 9, 16])
    norm.set_weights([scale, shift, mean, variance])
    expected = dense.get_weights()[0][:DIM] * scale / np.sqrt(variance)
    np.testing.assert_allclose(first_map(Generator(model, None, "tiny")), expected, atol=1e-6)


def test_a_first_layer_with_an_activation_is_refused():
    import keras

    z = keras.Input((3,))
    x = keras.layers.Reshape((2, 2, 3))(keras.layers.Dense(12, activation="relu")(z))
    with pytest.raises(ValueError, match="first layer is affine.*'bent'.*--sefa 0"):
        first_map(Generator(keras.Model(z, x), None, "bent"))


def test_pca_recovers_a_planted_axis():
    axis = np.array([0.6, 0, -0.8, 0, 0])
    z = RANDOM.normal(size=(400, 5))
    pattern = RANDOM.normal(size=30)
    features = np.outer(z @ axis, 10 * pattern) + RANDOM.normal(size=(400, 30)) + 3
    found = feature_pca(features, z, 2)
    assert abs(found[0] @ axis) > 0.99
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)


def test_pca_does_not_see_what_labels_explain():
    z, labels = RANDOM.normal(size=(400, 4)), RANDOM.choice([-1.0, 1.0], (400, 1))
    labels = np.concatenate([labels, -labels], axis=1)  # one of two, as a group is
    features = np.outer(z[:, 2], [3.0, 0, 0]) + labels[:, :1] * [0.0, 50, 50]
    rest = without_labels(features, labels)
    assert np.abs(labels.T @ rest).max() < 1e-6
    np.testing.assert_allclose(abs(feature_pca(rest, z, 1)[0, 2]), 1, atol=0.02)
    assert without_labels(features, None) is features


def test_early_features_are_those_of_the_second_size():
    z, labels = RANDOM.normal(size=(70, DIM)), np.zeros((70, 3))
    values = early_features(Generator(network(), None, "tiny"), z, labels)
    assert values.shape == (70, 16 * 16 * 3)
    np.testing.assert_allclose(values[:, 1], np.tanh(0.3 * z[:, 0]), atol=1e-6)
