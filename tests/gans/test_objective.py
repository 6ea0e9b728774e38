"""`Objective` and its terms against closed forms: both sides, points and labels, schedules."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfanime import gans
from tfanime.core.labels import Field, LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.gans import losses, penalties
from tfanime.gans.noise import StepNoise
from tfanime.gans.objective import Objective, Part, Side, Term

REAL, FAKE = np.array([[1.0], [-2.0]], np.float32), np.array([[0.5], [3.0]], np.float32)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 4, 4, 3)).astype(np.float32)
RISE = Schedule(1.0, 3.0, images=100)
SCHEMA = LabelSchema((Field("smile", "flag"),))


def side(logits, images=None, labels=None, **outputs):
    return Side(images, labels, {"logits": ops.convert_to_tensor(logits), **outputs})


def part(images_seen=0.0, **changes):
    values = {field.name: None for field in dataclasses.fields(Part)}
    return Part(**{**values, "step": 0, "images_seen": images_seen, **changes})


def softplus(x):
    return np.log1p(np.exp(np.asarray(x, np.float64)))


CLOSED = {
    "non_saturating": (
        softplus(-REAL).mean() + softplus(FAKE).mean(),
        softplus(-FAKE).mean(),
    ),
    "least_squares": (
        0.5 * ((REAL - 1) ** 2).mean() + 0.5 * (FAKE**2).mean(),
        0.5 * ((FAKE - 1) ** 2).mean(),
    ),
    "wasserstein": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    "hinge": (
        np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean(),
        -FAKE.mean(),
    ),
    # Row by row: each real image against one generated image.
    "relativistic": (softplus(FAKE - REAL).mean(), softplus(REAL - FAKE).mean()),
}


@pytest.mark.parametrize("name", CLOSED)
def test_both_sides_of_a_loss(name):
    objective = Objective(losses.get(name), weight=2.0)
    on_real, on_fake = side(REAL), side(FAKE)
    d_loss, d_logs = objective.discriminator(on_real, on_fake, part())
    g_loss, g_logs = objective.generator(on_fake, on_real, part())
    assert [float(d_loss), float(g_loss)] == pytest.approx([2 * x for x in CLOSED[name]], rel=1e-5)
    assert float(d_logs["d_loss"]) == pytest.approx(CLOSED[name][0], rel=1e-5)
    assert float(g_logs["g_loss"]) == pytest.approx(CLOSED[name][1], rel=1e-5)
    both = objective.both(on_real, on_fake, part())
    assert [float(x) for x in both[:2]] == [float(d_loss), float(g_loss)]
    assert both[2].keys() == d_logs.keys() | g_logs.keys()


def test_the_share_of_the_best_follows_a_schedule():
    objective = Objective(losses.get("wasserstein"), top_k=Schedule(1.0, 0.5, images=100))
    found = [
        float(objective.generator(side(FAKE), side(REAL), part(seen))[0]) for seen in (0.0, 100.0)
    ]
    assert found == pytest.approx([-FAKE.mean(), -3.0])


class Gap(Term):
    """How far apart the mean pixels are."""

    def discriminator(self, on_real, on_fake, part):
        value = ops.mean(on_real.images) - ops.mean(on_fake.images)
        return part.now(self.weight) * value, {"d_gap": value}

    def generator(self, on_fake, on_real, part):
        value = ops.mean(on_fake.images) * ops.mean(on_fake.labels)
        return part.now(self.weight) * value, {"g_gap": value}


def test_terms_see_both_sides_and_add_up_with_their_weights():
    objective = Objective(losses.get("wasserstein"), terms=(Gap(0.5), Gap(RISE), Term()))
    on_real = side(REAL, ops.ones((2, 4, 4, 3)))
    on_fake = side(FAKE, 0.25 * ops.ones((2, 4, 4, 3)), 2.0 * ops.ones((2, 1)))
    d_loss, logs = objective.discriminator(on_real, on_fake, part(50.0))
    assert float(d_loss) == pytest.approx(CLOSED["wasserstein"][0] + (0.5 + 2.0) * 0.75)
    assert float(logs["d_gap"]) == pytest.approx(2 * 0.75)  # logs of one name add up
    g_loss, logs = objective.generator(on_fake, on_real, part(100.0))
    assert float(g_loss) == pytest.approx(CLOSED["wasserstein"][1] + (0.5 + 3.0) * 0.5)


# ---- within a GAN ------------------------------------------------------------------------------


def make(labels=0, head=False, **options):
    """A linear discriminator, times the label where there is one, and a small generator."""
    keras.utils.set_random_seed(1)
    latents = keras.Input((3,))
    condition = [keras.Input((1,))] if labels or head else []
    joined = layers.Concatenate()([latents, *condition]) if condition else latents
    drawn = layers.Reshape((4, 4, 3))(layers.Dense(48, activation="tanh")(joined))
    seen = keras.Input((4, 4, 3))
    flat = layers.Flatten(name="features")(seen)
    logits = layers.Dense(1, use_bias=False, name="linear")(flat)
    inputs = seen
    if labels:
        inputs = [seen, keras.Input((1,))]
        logits = layers.Multiply()([logits, inputs[1]])
    judge = keras.Model(inputs, {"logits": logits, "features": flat})
    if head:
        options = {
            "head": keras.Sequential([keras.Input((48,)), layers.Dense(1)]),
            "schema": SCHEMA,
            **options,
        }
    gan = gans.GAN(keras.Model([latents, *condition], drawn), judge, ema_half_life=0, **options)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), jit_compile=False)
    return gan


def batch(labels=None, condition=None):
    found = {"images": IMAGES, "labels": labels, "condition": condition}
    return {
        name: ops.convert_to_tensor(np.asarray(x, np.float32))
        for name, x in found.items()
        if x is not None
    }


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
@pytest.mark.parametrize(
    "penalty, side",
    [
        (penalties.r1(0.7), "labels"),
        (penalties.r2(0.7), "condition"),
        (penalties.GradientPenalty("interpolates", 0.7, None), "labels"),
        (penalties.GradientPenalty("perturbed", 0.7, None), "labels"),
    ],
    ids=["r1", "r2", "interpolates", "perturbed"],
)
def test_a_penalty_is_taken_with_the_labels_of_its_points(penalty, side, updates):
    """The gradient of `y (k . x)` is `y k`, wherever it is taken."""
    rows = {"labels": [[1.0], [-2.0], [3.0], [0.5]], "condition": [[4.0], [1.0], [-1.0], [2.0]]}
    gan = make(labels=1, penalty=penalty, updates=updates)
    kernel = gan.discriminator.get_layer("linear").kernel.numpy()
    expected = 0.7 * 0.5 * (kernel**2).sum() * np.square(rows[side]).mean()
    found = gan.train_step(batch(**rows))["d_penalty"]
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_a_penalty_of_ones_own_sees_points_and_labels():
    """Between real and generated images half way, with the mean of both labels."""

    class Midway(penalties.GradientPenalty):
        def points(self, real, fake, noise, spread=None):
            return 0.5 * (real + fake)

        def labels(self, of_real, of_fake):
            return 0.5 * (of_real + of_fake)

    gan = make(labels=1, penalty=Midway("real", 2.0, None))
    kernel = gan.discriminator.get_layer("linear").kernel.numpy()
    logs = gan.train_step(batch(labels=[[1.0]] * 4, condition=[[3.0]] * 4))
    assert float(logs["d_penalty"]) == pytest.approx(2.0 * 0.5 * (kernel**2).sum() * 4.0, rel=1e-5)


# Of each weight: what else it needs, the side it is on and the log of its term.
WEIGHTS = {
    "adversarial_weight": ({}, "generator", "g_loss"),
    "head_weight": ({"head": True}, "generator", "g_label_loss"),
    "mode_seeking_weight": ({}, "generator", "g_mode_seeking"),
    "lecam_weight": ({"loss": "hinge"}, "discriminator", "d_lecam"),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_weight_may_be_a_schedule(name):
    options, network, log = WEIGHTS[name]
    gan = make(**options, **{name: RISE})
    gan.steps_done.assign(1)  # from then on the LeCam averages count
    for average in gan.lecam_averages:
        average.assign(0.3)
    labels = {"labels": [[1.0]] * 4} if "head" in options else {}
    images, labels, condition = gan._unpack(batch(**labels))
    one = gan._parts(images, labels, condition, StepNoise(0, gan.steps_done, 4), 4)[0]
    on_real, on_fake = gan._sides(one, gan._draw(one))
    pair = (on_fake, on_real) if network == "generator" else (on_real, on_fake)
    totals = []
    for seen in (0.0, 50.0, 100.0):
        now = dataclasses.replace(one, images_seen=seen)
        total, logs = getattr(gan.objective, network)(*pair, now)
        totals.append(float(total))
    assert float(logs[log]) != 0
    np.testing.assert_allclose(np.diff(totals), float(logs[log]), rtol=1e-4)


def test_instance_noise_may_be_a_schedule():
    gan = make(instance_noise=Schedule(1.0, 0.0, images=8))
    deviations = []
    for step in range(3):  # 4 images a step
        gan.steps_done.assign(step)
        shown = gan._discriminator_view(ops.zeros((4, 4, 4, 3)), StepNoise(0, 0, 4))
        deviations.append(float(ops.std(shown)))
    assert deviations[0] == pytest.approx(1.0, abs=0.1) and deviations[2] == 0.0
    assert deviations[1] == pytest.approx(0.5 * deviations[0], rel=1e-5)


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_a_term_of_ones_own_trains(updates):
    """Where the adversarial loss has weight 0, the generator follows the term alone."""

    class Grey(Term):
        def generator(self, on_fake, on_real, part):
            value = ops.mean(ops.square(on_fake.images))
            return part.now(self.weight) * value, {"g_grey": value}

    gan = make(adversarial_weight=0.0, updates=updates, terms=[Grey(10.0)])
    gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(0.0), jit_compile=False)
    found = [float(gan.train_step(batch())["g_grey"]) for _ in range(5)]
    assert found[-1] < found[0]
