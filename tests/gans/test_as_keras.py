"""What a student tries with a GAN since Keras models do it: it works, or a sentence says why."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import tfanime
from tfanime.gans import GAN
from tfanime.images import to_uint8
from tfanime.models import dcgan

PICTURES = np.zeros((8, 16, 16, 3), np.float32)


def small():
    gan = GAN(
        dcgan.generator(16, 16, latent_dim=8, channels=4),
        dcgan.discriminator(16, 16, channels=4),
    )
    gan.compile()
    return gan


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda gan: gan.compile(optimizer="adam"), "has two optimisers, .*Received: optimizer="),
        (lambda gan: gan.compile(loss="mse"), "Received: loss='mse'"),
        (lambda gan: gan.evaluate(PICTURES), "tfanime.evaluate measures what it draws"),
        (lambda gan: gan.fit(PICTURES, validation_data=PICTURES), "Leave the validation data out"),
        (lambda gan: gan.fit(PICTURES, validation_split=0.5), "Leave the validation data out"),
        (lambda gan: gan.save("gan.keras"), "save_weights.*ema_generator.*tfanime.train keeps"),
        (
            lambda gan: gan.fit(
                PICTURES,
                verbose=0,
                batch_size=8,
                callbacks=[keras.callbacks.ModelCheckpoint("gan.keras")],
            ),
            "save_weights_only=True",
        ),
    ],
)
def test_what_keras_would_do_otherwise_is_refused(tmp_path, monkeypatch, attempt, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        attempt(small())
    assert not list(tmp_path.iterdir())


def test_weights_are_saved_and_optimisers_named(tmp_path):
    gan, twin = small(), small()
    gan.compile("sgd", keras.optimizers.Adam(1e-3))
    assert isinstance(gan.g_optimizer, keras.optimizers.SGD) and gan.g_optimizer.built
    gan.save_weights(tmp_path / "gan.weights.h5")
    twin.load_weights(tmp_path / "gan.weights.h5")
    for mine, theirs in zip(gan.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_generate_draws_with_a_gan():
    gan = small()
    drawn = tfanime.generate(gan, n=3, seed=4)
    expected = gan.ema_generator(np.resize(drawn.latents, (8, 8)), training=False)
    np.testing.assert_allclose(drawn.images, to_uint8(np.asarray(expected))[:3], atol=1)
    labelled = GAN(
        dcgan.generator(16, 16, latent_dim=8, label_dim=2, channels=4),
        dcgan.discriminator(16, 16, label_dim=2, channels=4),
    )
    with pytest.raises(ValueError, match="a GAN made without a schema"):
        tfanime.generate(labelled, n=1)
