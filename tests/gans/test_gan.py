"""`GAN`: its step against hand-written ones, its average, its modes, its messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
    distance,
    head,
    make,
    sgd,
    weights,
)
from tfanime import gans
from tfanime.gans import penalties
from tfanime.gans.noise import StepNoise
from tfanime.layers import SpectralConv2D


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
from tests.gans import tiny_gans as t
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
        # One device's graph, which others look at, takes longer to trace than two steps.
        step = gan.train_step if strategy is single else distribution.step_function(strategy, gan)
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
    gan = make() if form == "tensor" else conditional()
    sgd(gan, run_eagerly=True)  # four steps take less than their graph to trace
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
