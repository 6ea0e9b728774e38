"""A second discriminator, which takes part by a schedule."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfanime import gans
from tfanime.core.schedules import Schedule
from tfanime.gans import backend, penalties
from tfanime.gans.noise import StepNoise

IMAGES = np.random.default_rng(0).uniform(-1, 1, (8, 4, 4, 3)).astype(np.float32)


def network(name, dictionary):
    seen = keras.Input((4, 4, 3))
    logits = layers.Dense(1, name="logits")(layers.Flatten()(seen))
    return keras.Model(seen, {"logits": logits} if dictionary else logits, name=name)


def make(**options):
    keras.utils.set_random_seed(0)
    latents = keras.Input((3,))
    drawn = layers.Reshape((4, 4, 3))(layers.Dense(48, activation="tanh")(latents))
    first = network("first", False)
    projected = network("projected", True) if options else None
    gan = gans.GAN(
        keras.Model(latents, drawn),
        first,
        updates="simultaneous",
        projected=projected,
        ema_half_life=0.0,
        **options,
    )
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), jit_compile=False)
    return gan


def trained(steps=1, **options):
    gan = make(**options)
    logs = [gan.train_step({"images": ops.convert_to_tensor(IMAGES)}) for _ in range(steps)]
    return gan, [{name: float(value) for name, value in row.items()} for row in logs]


def kernel(gan):
    return gan.projected.get_layer("logits").kernel.numpy()


def test_as_long_as_its_weight_is_0_nothing_changes():
    alone, _ = trained(2)
    beside, logs = trained(2, projected_weight=0.0)
    for one, other in zip(alone.generator.weights, beside.generator.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    np.testing.assert_array_equal(kernel(beside), kernel(make(projected_weight=0.0)))
    assert logs[-1]["d_projected"] == logs[-1]["g_projected"] == 0.0


def test_it_sets_in_when_the_schedule_says():
    # 8 images a step: the third step begins after 16 images.
    weight = Schedule(0.0, 1.0, images=16, after=8)
    before = kernel(make(projected_weight=weight))
    gan, logs = trained(2, projected_weight=weight)
    np.testing.assert_array_equal(kernel(gan), before)
    gan, logs = trained(3, projected_weight=weight)
    assert not np.array_equal(kernel(gan), before)
    assert [row["d_projected"] > 0 for row in logs] == [False, False, True]


def test_its_losses_are_the_hinge_losses_times_weight_and_steps():
    gan, _ = trained(0, projected_weight=0.5, projected_every=3)
    gan.projected.get_layer("logits").kernel.assign(np.full((48, 1), 0.01))
    step = gan.train_step({"images": ops.convert_to_tensor(IMAGES)})
    real = IMAGES.reshape(8, -1).sum(axis=1) * 0.01
    # The generator's images of this step, drawn again from the same noise with the old weights.
    fresh = make(projected_weight=0.5, projected_every=3)
    part = fresh._parts(IMAGES, None, None, StepNoise(0, fresh.steps_done, 8), 8)[0]
    fake = fresh.generator(part.inputs).numpy().reshape(8, -1).sum(axis=1) * 0.01
    d_loss = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
    assert float(step["d_projected"]) == pytest.approx(3 * d_loss, rel=1e-5)
    assert float(step["g_projected"]) == pytest.approx(3 * 0.5 * -fake.mean(), rel=1e-4)
    for _ in range(2):
        assert (
            float(gan.train_step({"images": ops.convert_to_tensor(IMAGES)})["d_projected"]) == 0.0
        )
    assert float(gan.train_step({"images": ops.convert_to_tensor(IMAGES)})["d_projected"]) > 0


def test_it_needs_simultaneous_updates():
    with pytest.raises(ValueError, match="projected needs updates='simultaneous'"):
        gans.GAN(*(lambda g: (g.generator, g.discriminator))(make()), projected=network("p", True))


def test_several_penalties_add_up_and_follow_a_schedule():
    """A linear discriminator's gradient is its kernel, at real images and at generated ones."""
    both = [penalties.r1(Schedule(4.0, 2.0, images=16)), penalties.r2(1.0)]
    keras.utils.set_random_seed(0)
    gan = gans.GAN(make().generator, network("first", False), penalty=both, updates="simultaneous")
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), jit_compile=False)
    squared = float((gan.discriminator.get_layer("logits").kernel.numpy() ** 2).sum())
    for weight in (4.0, 3.0, 2.0):  # after 0, 8 and 16 images
        found = float(gan.train_step({"images": ops.convert_to_tensor(IMAGES)})["d_penalty"])
        assert found == pytest.approx(0.5 * squared * (weight + 1.0), rel=1e-5)


def test_how_often_images_are_changed_follows_a_schedule():
    shares = []

    def augment(images, noise, probability=None):
        shares.append(1.0 if probability is None else float(probability))
        return images

    for probability, expected in ((1.0, [1.0, 1.0]), (Schedule(0.0, 0.5, images=8), [0.0, 0.5])):
        shares.clear()
        first = make()
        gan = gans.GAN(
            first.generator,
            first.discriminator,
            updates="simultaneous",
            augment=augment,
            augment_probability=probability,
        )
        gan.compile(jit_compile=False)
        for _ in range(2):
            gan.train_step({"images": ops.convert_to_tensor(IMAGES)})
        assert shares[::2] == shares[1::2] == expected


@pytest.mark.parametrize("compiled", [False, True])
def test_each_network_follows_the_gradient_of_its_own_loss(compiled):
    """Below the margin a linear judge's kernel moves from the mean generated image to the real."""
    options = {"projected_weight": 0.5, "projected_every": 2}
    gan, alone = make(**options), make()
    small = np.full((48, 1), 1e-3, np.float32)
    gan.projected.get_layer("logits").kernel.assign(small)
    parts = gan._parts(IMAGES, None, None, StepNoise(0, gan.steps_done, 8), 8)
    fakes = ops.convert_to_numpy(gan.generator(parts[0].inputs)).reshape(8, -1)
    for one in (gan, alone):
        step = backend.compiled(one) if compiled else one.train_step
        step({"images": ops.convert_to_tensor(IMAGES)})
    moved = (IMAGES.reshape(8, -1).mean(axis=0) - fakes.mean(axis=0))[:, None]
    found = ops.convert_to_numpy(gan.projected.get_layer("logits").kernel)
    np.testing.assert_allclose(found, small + 0.1 * 2 * moved, atol=1e-5)
    # tanh(y)' = 1 - tanh(y)^2, and the generator's loss is minus the mean logit, times 2 * 0.5.
    bias, plain = (ops.convert_to_numpy(one.generator.weights[1]) for one in (gan, alone))
    np.testing.assert_allclose(bias - plain, 0.1 * 1e-3 * (1 - fakes**2).mean(axis=0), atol=1e-7)


def test_weights_that_are_frozen_get_no_gradient_in_the_graph():
    """`tf.cond` has one for all that its branch reads: most of the work with a frozen network."""
    tf = pytest.importorskip("tensorflow")
    gan = make(projected_every=2)
    seen = keras.Input((4, 4, 3))
    maps = layers.DepthwiseConv2D(3, padding="same", trainable=False)(seen)
    logits = layers.Dense(1, name="logits")(layers.Flatten()(maps))
    gan = gans.GAN(
        gan.generator,
        network("first", False),
        updates="simultaneous",
        projected=keras.Model(seen, {"logits": logits}),
        projected_every=2,
    )
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1), jit_compile=False)
    step = tf.function(gan.train_step, autograph=False)
    graph = step.get_concrete_function({"images": ops.convert_to_tensor(IMAGES)}).graph
    branches = graph.as_graph_def(add_shapes=False).library.function
    used = [x for f in branches for node in f.node_def for x in node.input]
    used += [x for f in branches for x in f.ret.values()]

    def somebody_reads(kind):
        found = [node.name for f in branches for node in f.node_def if node.op == kind]
        return found and any(x.startswith(f"{name}:") for x in used for name in found)

    assert somebody_reads("DepthwiseConv2dNativeBackpropInput")
    assert not somebody_reads("DepthwiseConv2dNativeBackpropFilter")
