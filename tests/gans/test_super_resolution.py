"""SRGAN: a step by hand, feature losses, what cannot be built."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfanime import gans
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.gans.augment import diff_augment
from tfanime.gans.degrade import color_jitter, degrade
from tfanime.gans.noise import StepNoise
from tfanime.gans.objective import Side, Term
from tfanime.gans.super_resolution import enlargement
from tfanime.models import dcgan, srgan

SIDE, COUNT = 16, 4


def make(**options):
    keras.utils.set_random_seed(5)
    generator = srgan.generator(SIDE, SIDE, channels=2, blocks=1)
    discriminator = srgan.discriminator(SIDE, SIDE, channels=2, normalisation="none")
    gan = gans.SRGAN(generator, discriminator, **{"seed": 3, **options})
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), jit_compile=False)
    return gan


def batch(seed=0):
    pictures = np.random.default_rng(seed).uniform(-0.9, 0.9, (COUNT, SIDE, SIDE, 3))
    return tf.constant(pictures, tf.float32)


@pytest.mark.parametrize("pixel_loss", ["l1", "mse"])
def test_a_step_without_adversary_by_hand(pixel_loss):
    gan = make(pixel_loss=pixel_loss, content_weight=2.0, adversarial_weight=0.0, jitter=0.1)
    noise = StepNoise(3, 0, COUNT)
    real = color_jitter(batch(), noise, 0.1)
    small = degrade(real, noise, 2, 0.5)
    variables = gan.generator.trainable_variables
    before = [v.numpy() for v in variables]
    with tf.GradientTape() as tape:
        difference = gan.generator(small, training=True) - real
        loss = tf.reduce_mean(tf.abs(difference) if pixel_loss == "l1" else difference**2)
    gradients = tape.gradient(loss, [v.value for v in variables])
    logs = gan.train_step({"images": batch()})
    assert float(logs["g_pixel_loss"]) == pytest.approx(float(loss), rel=1e-5)
    assert "g_feature_loss" not in logs
    for old, gradient, variable in zip(before, gradients, variables, strict=True):
        np.testing.assert_allclose(variable, old - 0.1 * 2.0 * gradient, atol=1e-6)


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_a_discriminator_that_no_loss_asks_is_left_alone(updates):
    options = {"adversarial_weight": 0.0, "updates": updates}
    gan = make(**options, feature_model=small_features(), feature_weight=0.1)
    asked = []
    gan._discriminator_outputs = lambda *_: asked.append(True)
    before = gan.discriminator.get_weights()
    logs = gan.train_step({"images": batch()})
    assert not asked and int(gan.steps_done) == 1
    for one, other in zip(before, gan.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert {float(logs[name]) for name in ("d_loss", "d_real", "d_fake", "g_loss")} == {0}
    assert float(logs["g_feature_loss"]) > 0 and float(logs["g_grad_norm"]) > 0
    # Its activations are asked for here.
    matching = make(**options, feature_weight=0.1)
    before = matching.discriminator.get_weights()
    matching.train_step({"images": batch()})
    assert matching.asks_discriminator and not gan.asks_discriminator


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_terms_of_ones_own_count_where_nothing_else_asks_the_discriminator(updates):
    gan = make(adversarial_weight=0.0, updates=updates, terms=[Dark(3.0)])
    small = degrade(batch(), StepNoise(3, 0, COUNT), 2, 0.5)
    variables = gan.generator.trainable_variables + gan.discriminator.trainable_variables
    before = [v.numpy() for v in variables]
    with tf.GradientTape() as tape:
        fakes = gan.generator(small, training=True)
        dark = tf.reduce_mean(fakes**2)
        logits = gan.discriminator(batch(), training=True)["logits"]
        # Neither network is in the other's summand.
        loss = tf.reduce_mean(tf.abs(fakes - batch())) + 3.0 * (dark + tf.reduce_mean(logits))
    gradients = tape.gradient(
        loss, [v.value for v in variables], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    logs = gan.train_step({"images": batch()})
    assert float(logs["g_dark"]) == pytest.approx(float(dark), rel=1e-5)
    for old, gradient, variable in zip(before, gradients, variables, strict=True):
        np.testing.assert_allclose(variable, old - 0.1 * gradient, atol=1e-6)


class Dark(Term):
    """Draws generated images to middle grey, and lowers D(real)."""

    def generator(self, on_fake, on_real, part):
        value = keras.ops.mean(keras.ops.square(on_fake.images))
        return part.now(self.weight) * value, {"g_dark": value}

    def discriminator(self, on_real, on_fake, part):
        return part.now(self.weight) * keras.ops.mean(on_real.logits), {}


def test_accumulated_parts_without_a_discriminator_are_one_batch():
    options = {"adversarial_weight": 0.0, "degraded": 0.0}
    weights = []
    for parts in (1, 2):
        gan = make(**options, accumulation=parts)
        gan.train_step({"images": batch()})
        weights.append(gan.generator.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_frozen_network_sees_both_pictures_moved_alike():
    gan = make(feature_model=small_features(), feature_weight=1.0, adversarial_weight=0.0)
    part = gan._parts(batch(), None, None, StepNoise(3, 0, COUNT), COUNT)[0]
    fakes, real = gan.content._shown(part.real, part)
    np.testing.assert_array_equal(fakes, real)
    assert np.abs(real - part.real).max() > 0.5


def test_the_terms_add_up_by_their_weights():
    gan = make(adversarial_weight=0.5, content_weight=3.0, feature_weight=2.0)
    noise = StepNoise(3, 0, COUNT)
    part = gan._parts(batch(), None, None, noise, COUNT)[0]
    fakes = gan._draw(part)
    on_fake = Side(fakes, None, gan._discriminate(fakes, None, noise))
    total, logs = gan.objective.generator(on_fake, None, part)
    terms = [float(logs[name]) for name in ("g_loss", "g_pixel_loss", "g_feature_loss")]
    assert float(total) == pytest.approx(np.dot([0.5, 3.0, 2.0], terms), rel=1e-6)
    assert min(terms) > 0


def small_features():
    pictures = keras.Input((None, None, 3))
    maps = layers.Conv2D(2, 3, kernel_initializer="ones", use_bias=False, padding="valid")(pictures)
    return keras.Model(pictures, maps)


def test_a_feature_model_is_frozen_and_compared_by_squares():
    gan = make(feature_model=small_features(), feature_weight=0.5)
    real, fake = tf.fill((1, SIDE, SIDE, 3), 0.1), tf.fill((1, SIDE, SIDE, 3), 0.3)
    # Every feature is the sum over 3 x 3 x 3 values.
    assert float(gan.content.feature_loss(fake, real)) == pytest.approx((27 * 0.2) ** 2, rel=1e-5)
    before = gan.feature_model.get_weights()[0].copy()
    logs = gan.train_step({"images": batch()})
    assert float(logs["g_feature_loss"]) > 0
    np.testing.assert_array_equal(gan.feature_model.get_weights()[0], before)
    assert not gan.feature_model.trainable_variables


def test_feature_matching_is_the_mean_distance_of_the_discriminators_activations():
    gan = make(feature_weight=1.0)
    real, fake = batch(1), batch(2)
    found = [x for x in gan.discriminator.layers if isinstance(x, layers.LeakyReLU)]
    model = keras.Model(gan.discriminator.inputs, [x.output for x in found])
    apart = [np.abs(a - b).mean() for a, b in zip(model(fake), model(real), strict=True)]
    assert len(apart) == 5
    assert float(gan.content.feature_loss(fake, real)) == pytest.approx(np.mean(apart), rel=1e-5)
    assert float(gan.content.feature_loss(real, real)) == 0


def test_feature_loss_does_not_train_the_discriminator():
    before, after = [], []
    for weight in (0.0, 1.0):
        gan = make(feature_weight=weight, adversarial_weight=0.5)
        gan.train_step({"images": batch()})
        before.append(gan.discriminator.get_weights())
        after.append(gan.generator.get_weights())
    for one, other in zip(*before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(*after, strict=True))


@pytest.mark.parametrize("factor", [2, 4])
def test_the_factor_is_read_from_the_network(factor):
    assert enlargement(srgan.generator(16, 16, factor=factor, channels=1, blocks=1)) == factor


def test_it_learns_to_beat_the_bilinear_enlargement():
    # Stripes that are one pixel wide: a bilinear enlargement blurs them.
    gan = make(adversarial_weight=0.0, degraded=0.0)
    gan.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    pattern = np.where(np.arange(SIDE) % 4 < 2, 0.7, -0.7).astype(np.float32)
    picture = np.broadcast_to(pattern[:, None], (COUNT, SIDE, SIDE))
    real = tf.constant(np.repeat(picture[..., None], 3, axis=-1))
    step = tf.function(gan.train_step, autograph=False)
    losses = [float(step({"images": real})["g_pixel_loss"]) for _ in range(40)]
    assert losses[-1] < 0.3 * losses[0]


HEAD = keras.Sequential([keras.Input((2,))])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"pixel_loss": "l3"}, "pixel_loss is one of: l1, mse. Received: 'l3'"),
        (
            {"schema": MAKEGIRLSMOE, "head": keras.Sequential([keras.Input((2,))])},
            "SRGAN takes no labels",
        ),
        (
            {"adversarial_weight": 0.0, "lecam_weight": 0.3},
            "lecam_weight is of the discriminator, which no .*Received: lecam_weight=0.3. Leave",
        ),
        ({"adversarial_weight": 0, "penalty": gans.penalties.r1()}, "penalty is of the disc"),
        ({"adversarial_weight": 0, "top_k": 0.5}, "top_k is of the discriminator"),
        ({"adversarial_weight": 0, "instance_noise": 0.1}, "instance_noise is of the discrimin"),
        (
            {"adversarial_weight": 0, "label_smoothing": 0.1, "lecam_weight": 0.3},
            "label_smoothing and lecam_weight are of the discriminator",
        ),
        (
            {"adversarial_weight": 0, "augment": diff_augment("color"), "augment_target": 0.0},
            "Received: augment_target=0.0. Leave that out",
        ),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_a_generator_of_latents_is_refused():
    networks = dcgan.generator(16, 16, 4, channels=2), dcgan.discriminator(16, 16, channels=2)
    with pytest.raises(ValueError, match=r"fully convolutional.*Received: a model of \(None, 4\)"):
        gans.SRGAN(*networks)
