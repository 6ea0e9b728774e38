"""Networks to look through, by name and in the precision of the run."""

import keras
import numpy as np
import pytest
from keras import layers

from tfanime import recipes
from tfanime.frozen import load_frozen
from tfanime.frozen.load import in_policy
from tfanime.training.build import build_gan


def gan(features, **changes):
    discriminator = {"name": "projected", "features": features, "channels": 8, "pixel_channels": 4}
    changes = {"generator": {"channels": 4}, **changes}
    return build_gan(recipes.get("dcgan").override(discriminator=discriminator, **changes))


def inner(network):
    return [layer for layer in network.layers if isinstance(layer, keras.Model)]


def flat(network):
    """Its layers, and those of the models in it."""
    for layer in network.layers:
        yield from flat(layer) if isinstance(layer, keras.Model) else [layer]


def strided(layer):
    return isinstance(layer, layers.DepthwiseConv2D) and layer.strides[0] > 1


@pytest.fixture
def file(tmp_path):
    """Convolutions with batch norm, two in a model of their own."""
    block = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.DepthwiseConv2D(3, 2, "same", name="strided"),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
        ]
    )
    inputs = keras.Input((32, 32, 3))
    x = block(inputs)
    for _ in range(3):
        x = layers.Conv2D(4, 3, 2, padding="same")(x)
    network = keras.Model(inputs, x)
    network.save(tmp_path / "mine.keras")
    return tmp_path / "mine.keras"


@pytest.fixture(autouse=True)
def _float32_afterwards():
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("features", ["FILE", ["tagger", "FILE", "lite0"]])
def test_every_frozen_network_computes_in_the_precision_of_the_run(file, lite0_package, features):
    chosen = [features] if isinstance(features, str) else features
    chosen = [str(file) if name == "FILE" else name for name in chosen]
    for precision, dtype in (("mixed_bfloat16", "bfloat16"), ("float32", "float32")):
        networks = inner(gan(chosen, image_size=(32, 32), precision=precision).discriminator)
        assert len(networks) == len(chosen)
        for network in networks:
            assert {layer.compute_dtype for layer in flat(network) if not strided(layer)} == {dtype}
            assert {layer.compute_dtype for layer in flat(network) if strided(layer)} <= {"float32"}
            assert all(variable.dtype == "float32" for variable in network.variables)
            assert all(x.dtype == dtype for x in network.outputs)


def test_a_network_keeps_its_weights_and_its_answers(file):
    stored = keras.saving.load_model(file)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(in_policy(stored)(pictures), stored(pictures))
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    rough = keras.ops.convert_to_numpy(keras.ops.cast(in_policy(stored)(pictures), "float32"))
    exact = np.asarray(stored(pictures))
    np.testing.assert_allclose(rough, exact, atol=0.02 * np.abs(exact).max())


@pytest.mark.parametrize("size", [(32, 32), (48, 64), (100, 100)])
@pytest.mark.parametrize("name", ["lite0", "lite0@2"])
def test_lite0_takes_pictures_of_any_size(lite0_package, size, name):
    judge = gan(name, image_size=size, generator={"name": "modern", "channels": 4}).discriminator
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, *size, 3)).astype(np.float32)
    found = judge(pictures)
    assert keras.ops.all(keras.ops.isfinite(found["logits"]))
    (network,) = inner(judge)
    sides = [tuple(-(-side // scale) for side in size) for scale in (2, 4, 8, 16)]
    assert [x.shape[1:3] for x in network.outputs] == sides
    channels = (16, 24, 40, 112) if name == "lite0" else (24, 40, 112, 320)
    assert tuple(x.shape[-1] for x in network.outputs) == channels


def test_only_the_layers_that_the_maps_need(lite0_package):
    """Nothing behind the last map that is looked at."""
    (network,) = inner(gan("lite0", image_size=(64, 64)).discriminator)
    names = [layer.name for layer in network.layers]
    assert names[-1] == "block10_add" and not any(name.startswith("block11") for name in names)


@pytest.mark.parametrize("name", ["lite0@0", "lite0@1.5", "lite1", "nowhere.keras"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="discriminator.features is 'tagger', a folder.*lite0@2"):
        load_frozen(name, 32, 32)
