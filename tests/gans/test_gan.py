"""`GAN`: its step against hand-written ones, its average, its modes, its messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfanime import gans
from tfanime.core.labels import Field, LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.gans import penalties
from tfanime.gans.augment import diff_augment
from tfanime.gans.noise import StepNoise
from tfanime.layers import SpectralConv2D
from tfanime.layers.spectral import spectral_layers

SCHEMA = LabelSchema((Field("hair", "group", ("red", "blue")), Field("smile", "flag")))
LATENT, SIDE, BATCH = 4, 8, 6


# ---- tiny networks, smooth, so that a step can be compared to many digits --------------------


def generator(labels=0, batch_norm=False):
    latents = keras.Input((LATENT,))
    inputs, x = latents, latents
    if labels:
        condition = keras.Input((labels,))
        inputs, x = [latents, condition], layers.Concatenate()([latents, condition])
    x = layers.Reshape((4, 4, 4))(layers.Dense(64, activation="tanh")(x))
    if batch_norm:
        x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Conv2DTranspose(3, 4, 2, padding="same")(x)
    return keras.Model(inputs, layers.Activation("tanh", dtype="float32")(x))


def discriminator(labels=0, conv=layers.Conv2D):
    pictures = keras.Input((SIDE, SIDE, 3))
    inputs, x = pictures, pictures
    x = layers.Flatten()(conv(4, 4, 2, padding="same", activation="tanh")(x))
    if labels:
        condition = keras.Input((labels,))
        inputs, x = [pictures, condition], layers.Concatenate()([x, condition])
    features = layers.Dense(5, activation="tanh", dtype="float32")(x)
    logits = layers.Dense(1, dtype="float32")(features)
    return keras.Model(inputs, {"logits": logits, "features": features})


def head():
    return keras.Sequential([keras.Input((5,)), layers.Dense(SCHEMA.size)])


def make(kind=gans.GAN, labels=0, concat=0, batch_norm=False, conv=layers.Conv2D, **options):
    keras.utils.set_random_seed(11)
    return kind(
        generator(labels, batch_norm), discriminator(concat, conv), **{"seed": 9, **options}
    )


def conditional(**options):
    keras.utils.set_random_seed(12)  # the head's, made before the networks
    return make(labels=3, head=head(), schema=SCHEMA, **options)


def sgd(gan, g_rate=0.1, d_rate=0.1, **options):
    gan.compile(keras.optimizers.SGD(g_rate), keras.optimizers.SGD(d_rate), **options)
    return gan


def batch(count=BATCH, labels=False, seed=0):
    rng = np.random.default_rng(seed)
    found = {"images": rng.uniform(-1, 1, (count, SIDE, SIDE, 3)).astype(np.float32)}
    if labels:
        for name in ("labels", "condition"):
            hair = 2 * np.eye(2)[rng.integers(2, size=count)] - 1
            smile = rng.choice([-1, 1], (count, 1))
            found[name] = np.concatenate([hair, smile], axis=1).astype(np.float32)
        found["labels"][0, 2] = 0  # not known
    return {name: tf.constant(value) for name, value in found.items()}


def weights(model):
    return [w.numpy() for w in model.weights]


def assert_same(mine, theirs, atol=1e-6):
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=atol, rtol=0)


def distance(mine, theirs):
    return max(np.abs(a - b).max() for a, b in zip(mine, theirs, strict=True))


# ---- the step, written again in plain TensorFlow ---------------------------------------------


def cross_entropy(logits, target):
    targets = tf.fill(tf.shape(logits), float(target))
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))


def descend(model, gradients, rate=0.1):
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        variable.assign(variable.value - rate * gradient)


def clones(gan):
    found = [keras.models.clone_model(m) for m in (gan.generator, gan.discriminator)]
    for model, original in zip(found, (gan.generator, gan.discriminator), strict=True):
        model.set_weights(original.get_weights())
    return found


def test_alternating_step_by_hand():
    gan = sgd(make(label_smoothing=0.1))
    g, d = clones(gan)
    for step in range(2):
        real = batch(seed=step)["images"]
        fakes = g(StepNoise(9, step, BATCH).normal((LATENT,)))
        with tf.GradientTape() as tape:
            real_logits = d(real)["logits"]
            d_loss = 0.9 * cross_entropy(real_logits, 1) + 0.1 * cross_entropy(real_logits, 0)
            d_loss += cross_entropy(d(fakes)["logits"], 0)
        descend(d, tape.gradient(d_loss, [v.value for v in d.trainable_variables]))
        with tf.GradientTape() as tape:  # the generator sees the updated discriminator
            fakes = g(StepNoise(9, step, BATCH).normal((LATENT,)))
            g_loss = cross_entropy(d(fakes)["logits"], 1)
        gradients = tape.gradient(g_loss, [v.value for v in g.trainable_variables])
        descend(g, gradients)
        logs = gan.train_step({"images": real})
        assert_same(weights(gan.discriminator), weights(d))
        assert_same(weights(gan.generator), weights(g))
        np.testing.assert_allclose(logs["d_loss"], d_loss, rtol=1e-5)
        np.testing.assert_allclose(logs["g_loss"], g_loss, rtol=1e-5)
        norm = np.sqrt(sum(np.square(x).sum() for x in gradients))
        np.testing.assert_allclose(logs["g_grad_norm"], norm, rtol=1e-4)
        np.testing.assert_allclose(
            logs["d_real"], tf.reduce_mean(tf.sigmoid(real_logits)), rtol=1e-5
        )


def test_simultaneous_dragan_step_with_labels_by_hand():
    # MakeGirlsMoe's objective: both gradients at the old weights, adversarial terms x 34.
    gan = sgd(
        conditional(
            kind=gans.DRAGAN,
            penalty_weight=0.5,
            multilabel=True,
            adversarial_weight=34.0,
            head_weight=2.0,
            updates="simultaneous",
        ),
        0.01,
        0.01,
    )
    g, d = clones(gan)
    h = keras.models.clone_model(gan.head)
    h.set_weights(gan.head.get_weights())
    data = batch(labels=True)
    real, labels, wanted = data["images"], data["labels"], data["condition"]

    def label_loss(outputs, y):
        losses = tf.nn.sigmoid_cross_entropy_with_logits((y + 1) / 2, outputs)
        return tf.reduce_mean(tf.reduce_sum(losses * tf.cast(y != 0, tf.float32), axis=1))

    noise = StepNoise(9, 0, BATCH)
    latents = noise.normal((LATENT,))
    points = real + 0.5 * tf.math.reduce_std(real) * noise.normal((SIDE, SIDE, 3))
    with tf.GradientTape(persistent=True) as tape:
        fakes = g([latents, wanted])
        on_real, on_fake = d(real), d(fakes)
        with tf.GradientTape() as inner:
            inner.watch(points)
            logits = d(points)["logits"]
        norms = tf.norm(tf.reshape(inner.gradient(logits, points), (BATCH, -1)), axis=1)
        d_loss = cross_entropy(on_real["logits"], 1) + cross_entropy(on_fake["logits"], 0)
        d_loss = 34 * d_loss + 0.5 * tf.reduce_mean((norms - 1) ** 2)
        d_loss += 2 * label_loss(h(on_real["features"]), labels)
        d_loss += 2 * label_loss(h(on_fake["features"]), wanted)
        g_loss = 34 * cross_entropy(on_fake["logits"], 1)
        g_loss += 2 * label_loss(h(on_fake["features"]), wanted)
    by_d, by_h, by_g = (
        tape.gradient(loss, [v.value for v in model.trainable_variables])
        for loss, model in ((d_loss, d), (d_loss, h), (g_loss, g))
    )
    for model, gradients in ((d, by_d), (h, by_h), (g, by_g)):
        descend(model, gradients, 0.01)
    gan.train_step(data)
    for mine, theirs in ((gan.discriminator, d), (gan.head, h), (gan.generator, g)):
        assert_same(weights(mine), weights(theirs), atol=2e-6)


def test_wgan_gp_step_by_hand_takes_a_new_part_of_the_batch_per_critic_step():
    critic_steps = 3
    gan = sgd(make(gans.WGANGP, critic_steps=critic_steps))
    g, d = clones(gan)
    data = batch(critic_steps * BATCH)["images"]
    noise = StepNoise(9, 0, BATCH)
    for i in range(critic_steps):
        real = data[i * BATCH : (i + 1) * BATCH]
        latents = noise.normal((LATENT,))
        fakes = g(latents)
        points = real + noise.uniform((1, 1, 1)) * (fakes - real)
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(points)
                logits = d(points)["logits"]
            norms = tf.norm(tf.reshape(inner.gradient(logits, points), (BATCH, -1)), axis=1)
            loss = tf.reduce_mean(d(fakes)["logits"]) - tf.reduce_mean(d(real)["logits"])
            loss += 10 * tf.reduce_mean((norms - 1) ** 2)
        descend(d, tape.gradient(loss, [v.value for v in d.trainable_variables]))
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(d(g(latents))["logits"])
    descend(g, tape.gradient(loss, [v.value for v in g.trainable_variables]))
    gan.train_step({"images": data})
    assert_same(weights(gan.discriminator), weights(d), atol=2e-6)
    assert_same(weights(gan.generator), weights(g), atol=2e-6)


def test_concatenated_labels_reach_both_networks():
    data = batch(labels=True)
    gan = sgd(make(labels=3, concat=3))
    g, d = clones(gan)
    latents = StepNoise(9, 0, BATCH).normal((LATENT,))
    fakes = g([latents, data["condition"]])
    on_real = d([data["images"], data["labels"]])["logits"]
    on_fake = d([fakes, data["condition"]])["logits"]
    expected = cross_entropy(on_real, 1) + cross_entropy(on_fake, 0)
    np.testing.assert_allclose(gan.train_step(data)["d_loss"], expected, rtol=1e-5)


def test_the_two_orders_of_update_differ():
    found = []
    for updates in ("alternating", "simultaneous"):
        gan = sgd(make(updates=updates))
        gan.train_step(batch())
        found.append((weights(gan.generator), weights(gan.discriminator)))
    assert distance(found[0][1], found[1][1]) < 1e-6
    assert distance(found[0][0], found[1][0]) > 1e-4


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_each_update_touches_its_own_network_only(updates):
    options = {"updates": updates, "penalty": penalties.dragan()}
    for frozen, other in (("generator", "discriminator"), ("discriminator", "generator")):
        gan = conditional(**options)
        sgd(gan, **{f"{frozen[0]}_rate": 0.0})
        before = {name: weights(getattr(gan, name)) for name in (frozen, other, "head")}
        gan.train_step(batch(labels=True))
        assert distance(weights(getattr(gan, frozen)), before[frozen]) == 0
        assert distance(weights(getattr(gan, other)), before[other]) > 1e-4
        # The head belongs to the discriminator.
        assert (distance(weights(gan.head), before["head"]) == 0) == (frozen == "discriminator")


def test_trainable_is_never_toggled(monkeypatch):
    gan = sgd(make(updates="alternating"))
    get = keras.layers.Layer.trainable.fget

    def refuse(layer, value):
        raise AssertionError(f"{layer} was made trainable={value}")

    monkeypatch.setattr(keras.layers.Layer, "trainable", property(get, refuse))
    gan.train_step(batch())


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


# ---- LeCam and top-k -----------------------------------------------------------------------------


def test_lecam_step_by_hand():
    gan = sgd(make(loss="hinge", lecam_weight=0.3))
    g, d = clones(gan)
    averages = [0.0, 0.0]
    for step in range(3):
        real = batch(seed=step)["images"]
        fakes = g(StepNoise(9, step, BATCH).normal((LATENT,)))
        with tf.GradientTape() as tape:
            on_real, on_fake = (d(x)["logits"] for x in (real, fakes))
            loss = tf.reduce_mean(tf.nn.relu(1 - on_real)) + tf.reduce_mean(tf.nn.relu(1 + on_fake))
            penalty = tf.reduce_mean((on_real - averages[1]) ** 2)
            penalty += tf.reduce_mean((on_fake - averages[0]) ** 2)
            loss += 0.3 * penalty if step else 0.0
        descend(d, tape.gradient(loss, [v.value for v in d.trainable_variables]))
        means = [float(tf.reduce_mean(x)) for x in (on_real, on_fake)]
        averages = [(step * a + b) / (step + 1) for a, b in zip(averages, means, strict=True)]
        logs = gan.train_step({"images": real})
        g.set_weights(gan.generator.get_weights())
        assert_same(weights(gan.discriminator), weights(d))
        np.testing.assert_allclose(logs["d_lecam"], penalty if step else 0.0, rtol=1e-4)
        found = [float(x.numpy()) for x in gan.lecam_averages]
        np.testing.assert_allclose(found, averages, rtol=1e-4)


def test_lecam_averages_decay_by_a_hundredth():
    gan = sgd(make(loss="hinge", lecam_weight=0.3), 0.0, 0.0)
    gan.steps_done.assign(1000)
    for average in gan.lecam_averages:
        average.assign(5.0)
    logs = gan.train_step(batch())
    for average, name in zip(gan.lecam_averages, ("d_real_logit", "d_fake_logit"), strict=True):
        assert float(average.numpy()) == pytest.approx(0.99 * 5 + 0.01 * float(logs[name]))


def test_top_k_generator_learns_from_the_best_half():
    gan = sgd(make(top_k=0.5), 0.1, 0.0)
    g, d = clones(gan)
    with tf.GradientTape() as tape:
        logits = d(g(StepNoise(9, 0, BATCH).normal((LATENT,))))["logits"][:, 0]
        best = tf.gather(logits, tf.argsort(logits, direction="DESCENDING")[: BATCH // 2])
        loss = cross_entropy(best, 1)
    descend(g, tape.gradient(loss, [v.value for v in g.trainable_variables]))
    logs = gan.train_step(batch())
    assert_same(weights(gan.generator), weights(g))
    np.testing.assert_allclose(logs["g_loss"], loss, rtol=1e-5)


def test_top_k_follows_its_schedule():
    gan = sgd(make(top_k=Schedule(1.0, 0.5, images=2 * BATCH)), 0.0, 0.0)
    plain, half = sgd(make(), 0.0, 0.0), sgd(make(top_k=0.5), 0.0, 0.0)
    first, last = gan.train_step(batch()), None
    assert float(first["g_loss"]) == pytest.approx(float(plain.train_step(batch())["g_loss"]))
    for _ in range(3):
        last = gan.train_step(batch())
    half.steps_done.assign(3)
    assert float(last["g_loss"]) == pytest.approx(float(half.train_step(batch())["g_loss"]))


# ---- average ---------------------------------------------------------------------------------


def test_average_is_the_documented_one():
    half_life, warmup = 2.0, 0.2  # pictures; the warm-up ends after 10
    gan = sgd(make(batch_norm=True, ema_half_life=half_life, ema_warmup=warmup), 0.5, 0.5)
    assert_same(weights(gan.ema_generator), weights(gan.generator), atol=0)
    expected = [w.astype(np.float64) for w in weights(gan.generator)]
    halves = []
    for step in range(4):
        gan.train_step(batch(seed=step))
        halves.append(min(half_life, warmup * (step + 1) * BATCH))
        keep = 0.5 ** (BATCH / halves[-1])
        current = weights(gan.generator)
        expected = [
            keep * old + (1 - keep) * new for old, new in zip(expected, current, strict=True)
        ]
        assert_same(weights(gan.ema_generator), expected, atol=1e-6)
    assert halves[0] < half_life == halves[-1]
    # It includes the batch norm's statistics, and differs from the generator.
    names = [w.name for w in gan.ema_generator.weights]
    i = names.index("moving_mean")
    assert np.abs(gan.ema_generator.weights[i].numpy()).max() > 0
    assert distance(weights(gan.ema_generator), weights(gan.generator)) > 1e-4


def test_further_averages_are_those_of_their_half_lives():
    options = {"batch_norm": True, "ema_warmup": 1.0}
    several = sgd(make(ema_half_life=9.0, more_averages=(3.0, 30.0), **options), 0.5, 0.5)
    alone = [sgd(make(ema_half_life=h, **options), 0.5, 0.5) for h in (9.0, 3.0, 30.0)]
    for step in range(2):
        for gan in (several, *alone):
            gan.train_step(batch(seed=step))
    for network, gan in zip((several.ema_generator, *several.averages), alone, strict=True):
        assert_same(weights(network), weights(gan.ema_generator), atol=1e-6)
    assert distance(*(weights(one) for one in several.averages)) > 1e-3


def test_half_life_zero_means_no_average():
    gan = sgd(make(batch_norm=True, ema_half_life=0.0))
    gan.train_step(batch())
    assert_same(weights(gan.ema_generator), weights(gan.generator), atol=1e-7)


def test_calling_the_gan_draws_with_the_average():
    gan = sgd(make(batch_norm=True, ema_half_life=100.0, ema_warmup=1.0), 0.5)
    gan.train_step(batch())
    latents = np.random.default_rng(0).standard_normal((2, LATENT)).astype(np.float32)
    np.testing.assert_array_equal(gan(latents), gan.ema_generator(latents, training=False))
    assert np.abs(gan(latents) - gan.generator(latents, training=False)).max() > 1e-5


# ---- eager, graph, XLA, bfloat16, replicas ---------------------------------------------------


@pytest.mark.slow
def test_eager_graph_and_xla_agree():
    """Of everything that a step decides by numbers; tests/recipes/test_battery.py compares single
    objectives."""
    found, logs = [], []
    for options in ({"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True}):
        gan = conditional(
            loss="hinge",
            lecam_weight=0.3,
            top_k=0.5,
            batch_norm=True,
            conv=SpectralConv2D,
            penalty=(penalties.GradientPenalty("real", 1.0, None, every=2), penalties.dragan()),
        )
        adam = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]
        gan.compile(*adam, **{"jit_compile": False, **options})
        data = tf.data.Dataset.from_tensor_slices(batch(12, labels=True)).batch(6, True)
        history = gan.fit(data, epochs=2, verbose=0).history
        found.append([w.numpy() for w in gan.weights])
        logs.append({key: values[-1] for key, values in history.items()})
    assert int(gan.steps_done.numpy()) == 4
    for other in (1, 2):
        assert_same(found[0], found[other], atol=1e-4)
        assert logs[0] == pytest.approx(logs[other], abs=1e-3)


def test_mixed_bfloat16_keeps_logits_losses_and_weights_in_float32():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        gan = sgd(conditional(kind=gans.DRAGAN, updates="simultaneous", batch_norm=True))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert gan.discriminator.layers[1].compute_dtype == "bfloat16"
    for step in range(2):
        logs = gan.train_step(batch(labels=True, seed=step))
        for name, value in logs.items():
            assert value.dtype == tf.float32 and np.isfinite(value), name
    assert gan.discriminator(batch()["images"])["logits"].dtype == tf.float32
    assert gan.generator([tf.zeros((1, LATENT)), tf.zeros((1, 3))]).dtype == tf.float32
    assert {w.dtype for w in gan.generator.weights} == {"float32"}


MIRRORED = """
import tests.quick_start
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.gans import test_gan as t
from tfanime import gans
from tfanime.gans import penalties
from tfanime.training import distribution

variants = {
    "alternating": lambda: t.make(gans.LSGAN, instance_noise=0.1, penalty=penalties.r1(1.0)),
    "dragan": lambda: t.conditional(kind=gans.DRAGAN, updates="simultaneous"),
}
single, mirrored = tf.distribute.get_strategy(), distribution.make("mirrored", 8)
assert mirrored.num_replicas_in_sync == 2
for name, build in variants.items():
    found = []
    for strategy in (single, mirrored):
        with strategy.scope():
            gan = t.sgd(build(), jit_compile=False)
        step = distribution.step_function(strategy, gan)
        for i in range(2):
            data = t.batch(8, labels=True, seed=i)
            # The first replica's pictures vary less, so that the whole batch's deviation counts.
            data["images"] *= tf.reshape(tf.linspace(0.1, 1.0, 8), (8, 1, 1, 1))
            data = tf.data.Dataset.from_tensors(data)
            if strategy is mirrored:
                data = strategy.experimental_distribute_dataset(data)
            logs = {k: float(v) for k, v in step(next(iter(data))).items()}
        values = [np.array(w.numpy()) for w in gan.weights]
        found.append((values, logs["d_loss"], logs["g_loss"]))
        if strategy is mirrored:
            for w in gan.weights:
                copies = strategy.experimental_local_results(w.value)
                np.testing.assert_array_equal(*copies)
    for a, b in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, rtol=0)
    np.testing.assert_allclose(found[0][1:], found[1][1:], atol=1e-5)
    print("same:", name)
"""


@pytest.mark.slow
def test_two_replicas_equal_one_device():
    # In a process of its own: devices are configured before TensorFlow starts.
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", MIRRORED]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split("\n")[:2] == ["same: alternating", "same: dragan"]


# ---- Keras's interface -----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dict", "tensor", "tuple"])
def test_fit_takes_every_form_of_batch(form):
    data = batch(12, labels=form != "tensor")
    gan = sgd(make() if form == "tensor" else conditional())
    content = {
        "dict": data,
        "tensor": data["images"],
        "tuple": tuple(data.values()),
    }[form]
    history = gan.fit(
        tf.data.Dataset.from_tensor_slices(content).batch(6, True), epochs=2, verbose=0
    ).history
    expected = {"d_loss", "g_loss", "d_real", "d_fake", "d_grad_norm", "g_grad_norm", "diversity"}
    if form != "tensor":
        expected |= {"d_label_loss", "g_label_loss"}
    assert set(history) == expected
    assert all(len(values) == 2 and np.isfinite(values).all() for values in history.values())
    assert int(gan.steps_done.numpy()) == 4


def test_compile_builds_both_optimisers_and_may_be_repeated():
    gan = make()
    gan.compile()
    assert gan.g_optimizer.built and gan.d_optimizer.built
    assert len(gan.d_optimizer.variables) > len(gan.discriminator_variables)
    gan.train_step(batch())
    assert float(gan.d_optimizer.learning_rate) == pytest.approx(2e-4)
    sgd(gan, d_rate=0.25)
    gan.train_step(batch())
    assert float(gan.d_optimizer.learning_rate) == 0.25
    assert int(gan.d_optimizer.iterations.numpy()) == 1


def test_diversity_is_the_spread_of_fakes_over_that_of_reals():
    gan = sgd(make())
    g, _ = clones(gan)
    data = batch()
    fakes = g(StepNoise(9, 0, BATCH).normal((LATENT,))).numpy()
    expected = fakes.std(axis=0).mean() / data["images"].numpy().std(axis=0).mean()
    assert float(gan.train_step(data)["diversity"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("build", [conditional, lambda: make(labels=3), lambda: make(concat=3)])
def test_missing_labels_are_named(build):
    with pytest.raises(ValueError, match="batches need 'labels'. Received: .*images"):
        sgd(build()).train_step(batch())


def test_a_batch_that_does_not_divide_is_refused():
    gan = sgd(make(critic_steps=4))
    with pytest.raises(
        ValueError, match="multiple of critic_steps x accumulation = 4. Received: 6"
    ):
        gan.train_step(batch(6))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"updates": "both"}, "updates is one of .*Received: 'both'"),
        ({"critic_steps": 0}, "at least 1.*Received: critic_steps=0"),
        ({"critic_steps": 2, "updates": "simultaneous"}, "exactly 1 with simultaneous"),
        ({"accumulation": 0}, "accumulation is at least 1. Received: 0"),
        ({"seed": -1}, "seed is a whole number.*Received: -1"),
        ({"seed": 2**32}, "seed is a whole number"),
        ({"loss": "bce"}, "loss is one of.*Received: 'bce'"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)


def test_a_head_needs_a_schema():
    with pytest.raises(ValueError, match="needs schema"):
        make(head=head())


# ---- it learns -------------------------------------------------------------------------------


def test_the_critic_learns_to_separate_and_the_generator_to_follow():
    # Real pictures are bright, the first fakes are grey.
    gan = make()
    gan.compile(keras.optimizers.Adam(0.0), keras.optimizers.Adam(5e-3), jit_compile=False)
    bright = tf.data.Dataset.from_tensors(tf.fill([BATCH, SIDE, SIDE, 3], 0.7)).repeat(40)
    history = gan.fit(bright, epochs=2, verbose=0).history
    assert history["d_loss"][1] < 0.5 * history["d_loss"][0] < 0.7
    assert history["d_real"][1] > 0.8 > 0.2 > history["d_fake"][1]
    latents = np.random.default_rng(0).standard_normal((16, LATENT)).astype(np.float32)
    before = float(tf.reduce_mean(gan.generator(latents)))
    gan.compile(keras.optimizers.Adam(5e-3), keras.optimizers.Adam(1e-3), jit_compile=False)
    gan.fit(bright, verbose=0)
    assert float(tf.reduce_mean(gan.generator(latents))) > before + 0.3


# ---- the published objectives ----------------------------------------------------------------


def test_subclasses_carry_their_papers_defaults():
    dragan = make(gans.DRAGAN)
    assert (
        dragan.penalties == (penalties.dragan(10.0),) and dragan.loss_pair.name == "non_saturating"
    )
    assert make(gans.DRAGAN, penalty_weight=0.5).penalties[0].weight == 0.5
    assert make(gans.LSGAN).loss_pair.name == "least_squares"
    assert make(gans.HingeGAN).loss_pair.name == "hinge"
    wgan = make(gans.WGAN)
    assert (wgan.loss_pair.name, wgan.weight_clip, wgan.critic_steps) == ("wasserstein", 0.01, 5)
    assert wgan.penalties == ()
    wgan.compile()
    for optimizer in (wgan.g_optimizer, wgan.d_optimizer):
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        assert float(optimizer.learning_rate) == pytest.approx(5e-5)
    wgan_gp = make(gans.WGANGP)
    assert wgan_gp.penalties == (penalties.wgan_gp(10.0),) and wgan_gp.critic_steps == 5
    assert wgan_gp.weight_clip is None and wgan_gp.loss_pair.name == "wasserstein"
    wgan_gp.compile()
    assert (wgan_gp.d_optimizer.beta_1, wgan_gp.d_optimizer.beta_2) == (0.0, 0.9)
    assert wgan_gp.g_optimizer is not wgan_gp.d_optimizer


def test_infogan_learns_codes_from_generated_pictures_only():
    gan = sgd(conditional(kind=gans.InfoGAN), 0.0)
    assert gan.head_on_real is False
    twin = sgd(conditional(kind=gans.InfoGAN), 0.0)
    data = batch(labels=True)
    logs = gan.train_step(data)
    twin.train_step({**data, "labels": -data["labels"]})  # labels of real pictures are not read
    assert_same(weights(gan.head), weights(twin.head), atol=0)
    assert "d_label_loss" not in logs and "g_label_loss" in logs


def test_pictures_of_bytes_are_refused():
    """They would be taken for floats in [-1, 1]."""
    gan = make()
    gan.compile()
    shots = np.zeros((BATCH, *batch()["images"].shape[1:]), np.uint8)
    with pytest.raises(ValueError, match="float32 in .* Received: uint8 from 0 to 0. .*to_float"):
        gan.fit(shots, verbose=0)
