"""The networks: sizes, parameter counts, initial weights, samples kept apart, messages."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tfanime.layers.spectral import spectral_layers
from tfanime.models import DISCRIMINATORS, GENERATORS, UPSCALERS, dcgan, srresnet
from tfanime.models.common import conditional_batch_norm, halvings
from tfanime.models.heads import label_head, with_projection

SIZES = [(32, 32), (64, 64), (96, 96), (128, 128), (96, 64)]
SMALL = {
    "dcgan": {"channels": 2},
    "srresnet": {"channels": 2, "blocks": 1},
    "modern": {"channels": 2},
    "r3gan": {"channels": 2},
}
APART = [("dcgan", "none"), ("dcgan", "layer"), ("dcgan", "spectral"), ("srresnet", None)]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def small_generator(name, size=(32, 32), **options):
    return GENERATORS[name](*size, latent_dim=5, **{**SMALL[name], **options})


def small_discriminator(name, size=(32, 32), normalisation=None, **options):
    if normalisation:
        options["normalisation"] = normalisation
    return DISCRIMINATORS[name](*size, channels=2, **options)


def test_every_network_is_tested():
    assert set(GENERATORS) == set(SMALL)
    # tests/models/test_srgan.py and test_projected.py have these.
    assert set(DISCRIMINATORS) == {*SMALL, *UPSCALERS, "projected"}
    assert set(UPSCALERS) == {"srgan"}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[1]}x{s[0]}")
def test_shapes(name, size):
    model = small_generator(name, size)
    assert model.output_shape == (None, *size, 3)
    outputs = small_discriminator(name, size).output
    assert set(outputs) == {"logits", "features"}
    assert outputs["logits"].shape == (None, 1) and outputs["features"].ndim == 2


@pytest.mark.parametrize("name", SMALL)
def test_a_poster_goes_through(name):
    pictures = small_generator(name, (48, 32), label_dim=3)([noise(2, 5), noise(2, 3)])
    assert pictures.shape == (2, 48, 32, 3) and pictures.dtype == "float32"
    assert np.abs(pictures).max() <= 1 and np.ptp(pictures[0] - pictures[1]) > 0
    outputs = small_discriminator(name, (48, 32))(pictures)
    assert outputs["logits"].dtype == outputs["features"].dtype == "float32"


@pytest.mark.parametrize(
    "size, first",
    [((64, 64), (4, 4)), ((96, 96), (6, 6)), ((96, 64), (6, 4)), ((128, 128), (4, 4))],
)
def test_dcgans_first_map(size, first):
    assert small_generator("dcgan", size).get_layer("fc_map").output.shape[1:3] == first


def test_parameter_counts_of_the_papers_dcgan():
    # By hand: fc, then 512-256-128-64-3 channels by 4x4 kernels, batch norm's two per channel.
    g = (
        100 * 8192
        + 16 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
        + 3
        + 2 * (512 + 256 + 128 + 64)
    )
    assert dcgan.generator(64, 64).count_params() - 2 * (512 + 256 + 128 + 64) == g == 3_576_707
    d = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 64 + 2 * (128 + 256 + 512) + 8192 + 1
    assert dcgan.discriminator(64, 64).count_params() - 2 * (128 + 256 + 512) == d == 2_765_633


def count(variables):
    return sum(int(np.prod(v.shape)) for v in variables)


def test_parameter_count_of_the_released_makegirlsmoe():
    model = srresnet.generator(128, 128, latent_dim=128, label_dim=34, long_skip=False)
    assert count(model.trainable_variables) == 4_385_283
    assert count(model.non_trainable_variables) == 37_376
    assert model.get_layer("fc_map").output.shape == (None, 16, 16, 64)


@pytest.mark.parametrize("side, blocks, upsamplings", [(32, 3, 1), (64, 2, 2), (128, 1, 3)])
def test_srresnet_layout(side, blocks, upsamplings):
    model = srresnet.generator(side, side, 5, channels=2, blocks=blocks)
    names = [layer.name for layer in model.layers]
    assert sum(n.startswith("res") and n.endswith("add") for n in names) == blocks
    assert sum(n.endswith("shuffle") for n in names) == upsamplings
    assert "long_skip" in names
    assert model.get_layer("fc_map").output.shape[1:3] == (16, 16)


@pytest.mark.parametrize(
    "side, by_stage",
    [
        (16, (3, 3, 4)),
        (32, (2, 2, 3, 3)),
        (64, (2, 2, 2, 2, 2)),
        (96, (2, 2, 2, 2, 2)),
        (128, (2, 2, 2, 2, 2)),
        (256, (2, 2, 2, 2, 2)),
    ],
)
def test_makegirlsmoes_discriminator_has_ten_blocks_and_no_batch_norm(side, by_stage):
    model = srresnet.discriminator(side, side, channels=1)
    found = [layer.name for layer in model.layers if isinstance(layer, layers.Add)]
    assert len(found) == 10
    assert tuple(sum(f"res{stage}_" in name for name in found) for stage in range(5)) == (
        *by_stage,
        *(0,) * (5 - len(by_stage)),
    )
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in model.layers)


@pytest.mark.parametrize("depth", [None, 6, 7, 9])
def test_dcgan_depth_counts_the_layers_with_weights(depth):
    for model in (
        dcgan.generator(64, 64, 5, channels=2, depth=depth),
        dcgan.discriminator(64, 64, channels=2, depth=depth),
    ):
        kernels = [w for w in model.trainable_variables if w.name == "kernel"]
        assert len(kernels) == (depth or 5)
    with pytest.raises(ValueError, match="at least 5 layers. Received: depth=4"):
        dcgan.generator(64, 64, depth=4)


# ---- initial weights -------------------------------------------------------------------------


def kernels(model):
    return [w.numpy() for w in model.trainable_variables if w.name == "kernel"]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_initial_weights_follow_the_seed_and_no_two_layers_are_alike(name, role):
    make = {"generator": small_generator, "discriminator": small_discriminator}[role]
    found = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        found.append(kernels(make(name)))
    for first, again, other in zip(*found, strict=True):
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other) or not first.any()  # some begin with zeros
    # An initializer object that layers share gives all of them the same numbers.
    starts = [kernel.ravel()[0] for kernel in found[0] if kernel.any()]
    assert len(set(starts)) == len(starts)


@pytest.mark.parametrize("name", ["dcgan", "srresnet"])
def test_initial_weights_have_deviation_0_02(name):
    for model in (GENERATORS[name](32, 32, channels=16), DISCRIMINATORS[name](32, 32, channels=16)):
        for kernel in kernels(model):
            if kernel.size > 2000:
                np.testing.assert_allclose(kernel.std(), 0.02, rtol=0.1)
                assert abs(kernel.mean()) < 0.002


# ---- what depends on what --------------------------------------------------------------------


@pytest.mark.parametrize("name, normalisation", APART)
@pytest.mark.parametrize("training", [True, False])
def test_without_batch_norm_samples_are_kept_apart(name, normalisation, training):
    model = small_discriminator(name, normalisation=normalisation)
    pictures = np.tanh(noise(5, 32, 32, 3))
    together = model(pictures, training=training)["features"]
    alone = model(pictures[:1], training=training)["features"]
    assert np.abs(together).max() > 1e-4
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-6)


def test_with_batch_norm_they_are_not():
    model = small_discriminator("dcgan", normalisation="batch")
    pictures = np.tanh(noise(5, 32, 32, 3))
    together = model(pictures, training=True)["features"][:1]
    alone = model(pictures[:1], training=True)["features"]
    assert np.abs(together - alone).max() > 1e-3


def test_labels_reach_the_picture_and_the_conditional_discriminator():
    latents, labels = noise(2, 5), np.float32([[1, -1, 1], [-1, 1, -1]])
    for name in SMALL:
        model = small_generator(name, label_dim=3)
        assert np.abs(model([latents, labels]) - model([latents, -labels])).max() > 1e-6, name
    model = small_discriminator("dcgan", label_dim=3, normalisation="layer")
    pictures = np.tanh(noise(2, 32, 32, 3))
    there, back = (model([pictures, y])["features"] for y in (labels, -labels))
    assert np.abs(there - back).max() > 1e-4


@pytest.mark.parametrize("name", SMALL)
def test_bfloat16_ends_in_float32(name):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        generator, discriminator = small_generator(name), small_discriminator(name)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    pictures = generator(noise(2, 5))
    outputs = discriminator(pictures)
    for tensor in (pictures, outputs["logits"], outputs["features"]):
        assert tensor.dtype == "float32"
    assert discriminator.get_layer("down0").compute_dtype == "bfloat16"


@pytest.mark.parametrize("name", SMALL)
def test_saved_and_loaded(name, tmp_path):
    model = small_generator(name, label_dim=3)
    inputs = [noise(2, 5), noise(2, 3)]
    model(inputs, training=True)  # moves batch norm's statistics
    model.save(tmp_path / "generator.keras")
    twin = keras.models.load_model(tmp_path / "generator.keras", compile=False)
    np.testing.assert_allclose(model(inputs), twin(inputs), atol=1e-6)


def test_label_head():
    head = label_head(7, 4)
    features = noise(3, 7)
    kernel, bias = head.get_weights()
    np.testing.assert_allclose(head(features), features @ kernel + bias, atol=1e-6)


# ---- messages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "size, times", [((16, 16), 2), ((64, 64), 4), ((96, 64), 4), ((128, 128), 5), ((36, 36), 2)]
)
def test_halvings(size, times):
    assert halvings(*size) == times


@pytest.mark.parametrize("size", [(8, 8), (30, 30), (64, 50)])
def test_sizes_that_do_not_halve_are_refused(size):
    for make in (dcgan.generator, dcgan.discriminator):
        with pytest.raises(ValueError, match=f"multiples of 4.*Received: {size[1]}x{size[0]}"):
            make(*size)


def test_other_refusals():
    with pytest.raises(ValueError, match="multiples of 4. Received: 66x66"):
        srresnet.generator(66, 66, channels=2)
    with pytest.raises(ValueError, match="normalisation is .*Received: 'group'"):
        dcgan.discriminator(32, 32, normalisation="group")
    for name in ("srresnet", "modern"):
        with pytest.raises(ValueError, match="Received: label_dim=3. Use conditioning='ac'"):
            small_discriminator(name, label_dim=3)


# ---- projection --------------------------------------------------------------------------------


@pytest.mark.parametrize("normalisation", ["none", "spectral"])
def test_projection_adds_the_agreement_of_labels_and_features(normalisation):
    keras.utils.set_random_seed(0)
    plain = dcgan.discriminator(16, 16, channels=4, normalisation=normalisation)
    projected = with_projection(plain, 3)
    embed = projected.get_layer("label_embedding")
    rng = np.random.default_rng(0)
    embed.kernel.assign(rng.standard_normal(embed.kernel.shape))
    images = rng.uniform(-1, 1, (5, 16, 16, 3)).astype(np.float32)
    labels = rng.choice([-1.0, 0.0, 1.0], (5, 3)).astype(np.float32)
    labels[0] = 0  # nothing known
    before, after = plain(images), projected([images, labels])
    kernel = np.asarray(embed.kernel if normalisation == "none" else embed.normalised_kernel())
    agreement = (labels @ kernel * np.asarray(before["features"])).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after["logits"], before["logits"] + agreement, rtol=1e-4, atol=1e-5)
    assert agreement[0] == 0 and np.abs(agreement[1:]).min() > 0
    np.testing.assert_array_equal(after["features"], before["features"])
    assert (embed in spectral_layers(projected)) == (normalisation == "spectral")


def test_a_fine_stage_adds_nothing_before_it_is_trained():
    plain = small_generator("modern", (32, 48), channels=4)
    fine = small_generator("modern", (32, 48), channels=4, fine_channels=2)
    for layer in plain.layers:
        fine.get_layer(layer.name).set_weights(layer.get_weights())
    z = noise(2, 5)
    np.testing.assert_array_equal(fine(z), plain(z))
    out = fine.get_layer("fine_out")
    out.set_weights([np.ones_like(weight) for weight in out.get_weights()])
    assert np.abs(np.asarray(fine(z)) - np.asarray(plain(z))).max() > 0.01
    with pytest.raises(ValueError, match="multiple of 4 too.*fine_channels=2"):
        small_generator("modern", (32, 32), channels=[8, 8, 6], fine_channels=2)


# ---- conditional batch norm ----------------------------------------------------------------------


def test_conditional_batch_norm_by_hand():
    maps, labels = keras.Input((2, 3, 4)), keras.Input((5,))
    x = conditional_batch_norm(maps, labels, "bn", momentum=0.9, epsilon=1e-3)
    model = keras.Model([maps, labels], x)
    x, y = noise(6, 2, 3, 4), noise(6, 5, seed=1)
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    plain = (x - mean) / np.sqrt(variance + 1e-3)
    # It begins near the plain one.
    assert np.abs(model([x, y], training=True) - plain).max() < 0.5
    for i, weight in enumerate(model.trainable_weights):
        weight.assign(noise(*weight.shape, seed=i))
    kernels = {name: model.get_layer(f"bn_{name}") for name in ("scale", "shift")}
    scale, shift = (
        (y @ layer.kernel.numpy() + layer.bias.numpy())[:, None, None] for layer in kernels.values()
    )
    found = model([x, y], training=True)
    np.testing.assert_allclose(found, plain * scale + shift, atol=1e-5)
    norm = model.get_layer("bn")
    norm.moving_mean.assign(noise(4))
    norm.moving_variance.assign(np.square(noise(4, seed=1)))
    still = (x - norm.moving_mean.numpy()) / np.sqrt(norm.moving_variance.numpy() + 1e-3)
    np.testing.assert_allclose(model([x, y]), still * scale + shift, atol=1e-4)


@pytest.mark.parametrize("name", ["dcgan", "modern"])
def test_labels_reach_every_conditional_norm(name):
    keras.utils.set_random_seed(0)
    wide = {"label_dim": 3, "channels": 16}  # of two channels both may be dead
    plain = small_generator(name, **wide)
    model = small_generator(name, **wide, normalisation="conditional")
    scales = [layer for layer in model.layers if layer.name.endswith("_scale")]
    assert len(scales) >= 3
    for layer in scales:
        assert layer.input.shape == (None, 3) and (layer.bias.numpy() == 1).all()
    # As many batch norms as before, so that whatever looks for them finds them.
    found = [
        [x for x in one.layers if isinstance(x, layers.BatchNormalization)]
        for one in (plain, model)
    ]
    assert len(found[0]) == len(found[1])
    latents, labels = noise(2, 5), noise(2, 3, seed=1)
    before = model([latents, labels]).numpy()
    scales[-1].kernel.assign(scales[-1].kernel + 1.0)
    assert np.abs(model([latents, labels]) - before).max() > 0.01 * np.abs(before).max()
    with pytest.raises(ValueError, match="'conditional' needs labels, and this generator has none"):
        small_generator(name, normalisation="conditional")
    with pytest.raises(ValueError, match="normalisation is one of: batch.*Received: 'layer'"):
        small_generator(name, label_dim=3, normalisation="layer")
