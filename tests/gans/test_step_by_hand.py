"""A GAN's step against hand-written ones."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.gans.tiny_gans import (
    BATCH,
    LATENT,
    SIDE,
    assert_same,
    batch,
    clones,
    conditional,
    cross_entropy,
    descend,
    make,
    sgd,
    weights,
)
from tfanime import gans
from tfanime.core.schedules import Schedule
from tfanime.gans.noise import StepNoise


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
