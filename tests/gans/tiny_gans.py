"""Tiny networks, smooth, so that a step can be compared to many digits, and steps by hand."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfanime import gans
from tfanime.core.labels import Field, LabelSchema

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
