"""`modern` with styles, grown to twice the size, mirrored: by hand, and what they begin with."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.serving.tiny_models import shaken
from tfanime.models import modern
from tfanime.models.common import STYLE, style, styled_batch_norm

LATENT, LABELS = 5, 3


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def lent(smaller, larger):
    """The larger network with the weights of the smaller one's layers."""
    for layer in smaller.layers:
        larger.get_layer(layer.name).set_weights(layer.get_weights())
    return larger


def small(size=(32, 48), label_dim=LABELS, **options):
    options = {"channels": 4, "fine_channels": 4, **options}
    return modern.generator(*size, LATENT, label_dim, **options)


def begins_without_influence(judge, images, before, last):
    """A discriminator with more layers judges as one without them, until their last one learns."""
    before = {name: np.asarray(x) for name, x in before.items()}
    assert before["logits"].std() > 1e-3
    for name, x in judge(images).items():
        np.testing.assert_allclose(x, before[name], rtol=1e-5, atol=1e-5, err_msg=name)
    out = judge.get_layer(last)
    out.set_weights([np.ones_like(weight) for weight in out.get_weights()])
    assert np.abs(np.asarray(judge(images)["logits"]) - before["logits"]).max() > 1e-3


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


# ---- styles --------------------------------------------------------------------------------------


def test_a_style_by_hand():
    given = keras.Input((LATENT,))
    model = shaken(keras.Model(given, style(given, size=7)))
    (w0, b0), (w1, b1) = (model.get_layer(f"{n}_fc").get_weights() for n in ("style_0", STYLE))
    x = noise(4, LATENT)
    np.testing.assert_allclose(model(x), leaky(leaky(x @ w0 + b0) @ w1 + b1), atol=1e-5)


def test_styled_batch_norm_by_hand():
    maps, styles = keras.Input((2, 3, 4)), keras.Input((5,))
    model = keras.Model(
        [maps, styles], styled_batch_norm(maps, styles, "bn", momentum=0.9, epsilon=1e-3)
    )
    x, s = noise(6, 2, 3, 4), noise(6, 5, seed=1)
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    plain = (x - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(model([x, s], training=True), plain, atol=1e-5)
    shaken(model)
    gamma, beta, mean, variance = model.get_layer("bn").get_weights()
    (scale, one), (shift, none) = (
        model.get_layer(f"bn_{name}").get_weights() for name in ("scale", "shift")
    )
    normal = (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    expected = normal * (s @ scale + one)[:, None, None] + (s @ shift + none)[:, None, None]
    np.testing.assert_allclose(model([x, s]), expected, atol=1e-4)


@pytest.mark.parametrize("label_dim", [0, LABELS])
def test_styles_begin_without_influence(label_dim):
    """What was trained with plain batch norm draws the same images with styles."""
    plain = shaken(small(label_dim=label_dim))
    styled = lent(plain, small(label_dim=label_dim, normalisation="styled"))
    given = [noise(3, LATENT), noise(3, label_dim, seed=1)] if label_dim else noise(3, LATENT)
    before = np.asarray(plain(given))
    np.testing.assert_allclose(styled(given), before, atol=1e-6)
    more = {w.path.split("/")[0] for w in styled.weights} - {
        w.path.split("/")[0] for w in plain.weights
    }
    norms = [n for n in more if n.endswith("_bn_scale")]
    # One for every convolution with a norm: two a stage, the last, and the fine one.
    assert len(norms) == 2 * 2 + 2
    assert more == {
        *norms,
        *(n.replace("_scale", "_shift") for n in norms),
        "style_0_fc",
        "style_fc",
    }
    for name in norms:
        layer = styled.get_layer(name)
        assert layer.input is styled.get_layer(STYLE).output
        kernel = layer.kernel.numpy()
        layer.kernel.assign(kernel + 0.05)
        assert np.abs(np.asarray(styled(given)) - before).max() > 1e-4, name
        layer.kernel.assign(kernel)


# ---- grown ---------------------------------------------------------------------------------------


def enlarged(images, axis):
    """Twice as long along an axis: between the centres of two pixels, what lies between them."""
    at = (np.arange(2 * images.shape[axis]) + 0.5) / 2 - 0.5
    last = images.shape[axis] - 1
    low = np.floor(at).astype(int)
    part = (at - low).reshape([-1 if i == axis else 1 for i in range(images.ndim)])
    below, above = (np.take(images, np.clip(i, 0, last), axis) for i in (low, low + 1))
    return below * (1 - part) + above * part


@pytest.mark.parametrize("normalisation", ["batch", "styled"])
def test_a_grown_generator_begins_with_the_image_of_half_the_size_enlarged(normalisation):
    half = shaken(small((16, 32), normalisation=normalisation))
    grown = lent(half, small((32, 64), normalisation=normalisation, grown=8))
    given = [noise(3, LATENT), noise(3, LABELS, seed=1)]
    before = np.asarray(keras.Model(half.inputs, half.get_layer("pictures").input)(given))
    assert before.std() > 0.1
    expected = np.tanh(enlarged(enlarged(before, 1), 2))
    np.testing.assert_allclose(grown(given), expected, atol=1e-4)
    out = grown.get_layer("grown_out")
    out.set_weights([np.ones_like(weight) for weight in out.get_weights()])
    assert np.abs(np.asarray(grown(given)) - expected).max() > 0.01


def test_a_grown_discriminator_begins_with_the_logits_of_the_image_reduced():
    half = shaken(modern.discriminator(16, 32, channels=4))
    grown = lent(half, modern.discriminator(32, 64, channels=4, grown=8))
    images = np.tanh(noise(5, 32, 64, 3))
    reduced = images.reshape(5, 16, 2, 32, 2, 3).mean(axis=(2, 4))
    begins_without_influence(grown, images, half(reduced), "grown_out")


# ---- mirrored ------------------------------------------------------------------------------------


def test_mirror_images_begin_without_influence_on_what_is_drawn():
    plain = shaken(small(normalisation="styled", grown=8))
    mirrored = lent(plain, small(normalisation="styled", grown=8, mirrored=True))
    given = [noise(3, LATENT), noise(3, LABELS, seed=1)]
    before = np.asarray(plain(given))
    np.testing.assert_allclose(mirrored(given), before, atol=1e-6)
    for name in ("up0_other", "grown_other"):  # one for every stage
        layer = mirrored.get_layer(name)
        layer.kernel.assign(layer.kernel + 0.5)
        assert np.abs(np.asarray(mirrored(given)) - before).max() > 1e-3, name
        layer.kernel.assign(0 * layer.kernel)


def test_a_stage_adds_what_stands_on_the_other_side():
    network = small(mirrored=True)
    channels = network.get_layer("up1_relu").output.shape[-1]
    kernel = np.zeros((1, 1, channels, channels), np.float32)
    kernel[0, 0, 2, 3] = 0.5  # of channel 2 of the other side, to channel 3 of this one
    network.get_layer("up1_other").set_weights([kernel])
    seen = [network.get_layer(name).output for name in ("up1_relu", "up1_mirrored")]
    before, after = (
        np.asarray(x)
        for x in keras.Model(network.inputs, seen)([noise(2, LATENT), noise(2, LABELS, seed=1)])
    )
    expected = before.copy()
    expected[..., 3] += 0.5 * before[:, :, ::-1, 2]
    np.testing.assert_allclose(after, expected, atol=1e-6)
    assert np.abs(after - before).max() > 0.01


@pytest.mark.parametrize("grown", [0, 8])
def test_a_look_at_the_mirror_image_begins_without_influence(grown):
    plain = shaken(modern.discriminator(32, 48, channels=4, grown=grown))
    compares = lent(plain, modern.discriminator(32, 48, channels=4, grown=grown, mirrored=5))
    images = np.tanh(noise(5, 32, 48, 3))
    begins_without_influence(compares, images, plain(images), "mirrored_out")


def test_one_convolution_tells_what_the_halves_of_an_image_differ_in():
    network = modern.discriminator(32, 48, channels=4, mirrored=1)
    maps = network.get_layer("down0_lrelu").output
    channels = maps.shape[-1]
    difference = np.zeros((3, 3, 2 * channels, 1), np.float32)
    difference[1, 1, 2], difference[1, 1, channels + 2] = 1, -1  # of channel 2, place by place
    network.get_layer("mirrored_conv").set_weights([difference, np.zeros(1, np.float32)])
    copied = np.zeros((3, 3, 1, channels), np.float32)
    copied[1, 1, 0, 3] = 1
    network.get_layer("mirrored_out").set_weights([copied, np.zeros(channels, np.float32)])
    seen = keras.Model(network.inputs, [maps, network.get_layer("mirrored_add").output])
    before, after = (np.asarray(x) for x in seen(np.tanh(noise(2, 32, 48, 3))))
    assert before.shape == (2, 16, 24, channels)
    uneven = before[..., 2] - before[:, :, ::-1, 2]
    expected = before.copy()
    expected[..., 3] += leaky(uneven)
    np.testing.assert_allclose(after, expected, atol=1e-5)
    assert np.abs(uneven).max() > 0.01
