"""A GAN's step beside its losses: clips, lazy penalties, noise, parts, adaptive augmentation."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.gans.tiny_gans import (
    BATCH,
    assert_same,
    batch,
    conditional,
    make,
    sgd,
    weights,
)
from tfanime import gans
from tfanime.gans import penalties
from tfanime.gans.augment import diff_augment
from tfanime.gans.noise import StepNoise
from tfanime.layers import SpectralConv2D
from tfanime.layers.spectral import spectral_layers

# ---- regularisers ----------------------------------------------------------------------------


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_weights_stay_within_the_clip(updates):
    gan = sgd(conditional(loss="wasserstein", weight_clip=0.03, updates=updates))
    for step in range(3):
        gan.train_step(batch(labels=True, seed=step))
    found = [np.abs(w.numpy()).max() for w in gan.discriminator_variables]
    assert max(found) == np.float32(0.03)
    assert max(np.abs(w).max() for w in weights(gan.generator)) > 0.1


def test_lazy_penalty_comes_every_nth_step_and_is_n_times_as_strong():
    always, lazy = (
        sgd(make(penalty=penalties.GradientPenalty("real", 2.0, None, every=n)), 0.0, 0.0)
        for n in (1, 3)
    )
    for step in range(5):
        data = batch(seed=step)
        usual, found = (float(gan.train_step(data)["d_penalty"]) for gan in (always, lazy))
        assert usual > 0
        assert found == pytest.approx(3 * usual if step % 3 == 0 else 0.0, rel=1e-5)


def test_spectral_state_moves_once_per_discriminator_update():
    critic_steps = 3
    gan = sgd(make(conv=SpectralConv2D, critic_steps=critic_steps), 0.1, 0.0)
    (layer,) = spectral_layers(gan.discriminator)
    # Far from converged, so that every power step shows.
    layer.u.assign(np.eye(4, dtype=np.float32)[0])
    u = layer.u.numpy().astype(np.float64)
    w = layer.kernel.numpy().reshape(-1, 4).astype(np.float64)
    for _ in range(critic_steps):
        v = w @ u / np.linalg.norm(w @ u)
        u = w.T @ v / np.linalg.norm(w.T @ v)
    gan.train_step(batch(critic_steps * BATCH))
    np.testing.assert_allclose(layer.u, u, atol=1e-5)
    np.testing.assert_allclose(layer.v, v, atol=1e-5)


def test_augmentation_and_noise_touch_what_the_discriminator_sees():
    seen = []

    def augment(pictures, noise):
        assert isinstance(noise, StepNoise)
        seen.append(tuple(pictures.shape))
        return 0.0 * pictures

    gan = sgd(make(augment=augment))
    logs = gan.train_step(batch())
    assert len(seen) == 3  # fakes and reals for the discriminator, fakes for the generator
    assert float(logs["d_real"]) == pytest.approx(float(logs["d_fake"]), abs=1e-6)
    assert float(logs["g_grad_norm"]) == 0.0
    plain, noisy = (sgd(make(instance_noise=x)).train_step(batch())["d_loss"] for x in (0.0, 0.3))
    assert abs(float(plain) - float(noisy)) > 1e-4


# ---- accumulation ----------------------------------------------------------------------------


def r1_with_noise(kind=gans.LSGAN, **options):
    return make(kind, instance_noise=0.1, penalty=penalties.r1(1.0), **options)


ACCUMULATED = {
    "alternating": r1_with_noise,
    "simultaneous": lambda **o: conditional(updates="simultaneous", **o),
    "critic steps": lambda **o: r1_with_noise(critic_steps=2, **o),
    # The deviation of the whole batch says how far from real images a penalty looks.
    "dragan": lambda **o: make(penalty=penalties.dragan(10.0), **o),
    "dragan-chainer": lambda **o: make(penalty=penalties.dragan(10.0, noise="chainer"), **o),
}


@pytest.mark.parametrize("name", ACCUMULATED)
def test_accumulated_parts_equal_the_whole_batch(name):
    # Nothing in these networks is a statistic of the batch, so only rounding may differ.
    whole, parts = (sgd(ACCUMULATED[name](accumulation=n)) for n in (1, 3))
    for step in range(2):
        data = batch(12, labels=True, seed=step)
        logs, same = (gan.train_step(data) for gan in (whole, parts))
        assert_same(weights(parts), weights(whole))
        for key in logs:
            np.testing.assert_allclose(same[key], logs[key], rtol=1e-4, atol=1e-6, err_msg=key)


def test_accumulation_updates_weights_and_spectral_state_once_per_batch():
    gan = make(conv=SpectralConv2D, accumulation=3)
    gan.compile()
    (layer,) = spectral_layers(gan.discriminator)
    steps = []
    layer.power_step = lambda: steps.append(1)
    gan.train_step(batch())
    assert int(gan.d_optimizer.iterations.numpy()) == int(gan.g_optimizer.iterations.numpy()) == 1
    assert len(steps) == 1 and int(gan.steps_done.numpy()) == 1


# ---- adaptive augmentation -------------------------------------------------------------------


def adaptive(**options):
    return sgd(
        make(
            augment=diff_augment("color"), **{"augment_target": 0.6, "augment_ramp": 96, **options}
        ),
        0.0,
        0.0,
    )


def test_augmentation_follows_the_mean_of_four_batches():
    gan = adaptive()
    kernel, bias = gan.discriminator.layers[-1].weights
    kernel.assign(tf.zeros_like(kernel))
    # Sure in three batches of four: the mean 0.5 is below the target 0.6, one by one it is not.
    signs = [1, 1, -1, 1] + 4 * [1] + 4 * [-1] + 4 * [1]
    shares = []
    for i, sign in enumerate(signs):
        bias.assign([sign * 1.0])
        logs = gan.train_step(batch(seed=i))
        assert float(logs["d_overfit"]) == sign
        shares.append(float(logs["augment_p"]))
    # 4 x 6 of 96 pictures are a quarter.
    assert shares == pytest.approx(7 * [0.0] + 4 * [0.25] + 4 * [0.0] + [0.25])


def test_the_share_stays_between_0_and_1():
    gan = adaptive(augment_ramp=24)
    kernel, bias = gan.discriminator.layers[-1].weights
    kernel.assign(tf.zeros_like(kernel))
    bias.assign([1.0])
    assert [float(gan.train_step(batch())["augment_p"]) for _ in range(8)][3::4] == [1.0, 1.0]


def test_adaptive_augmentation_starts_as_none_at_all():
    plain, gan = sgd(make(), 0.0, 0.0), adaptive()
    data = batch()
    assert float(gan.train_step(data)["d_real"]) == float(plain.train_step(data)["d_real"])


def test_adaptive_augmentation_needs_a_loss_with_a_sign():
    for options in ({"loss": "wasserstein"}, {"loss": "least_squares"}, {"augment": None}):
        with pytest.raises(ValueError, match="augment_target needs an augmentation, and a loss"):
            make(**{"augment": diff_augment("color"), "augment_target": 0.6, **options})
