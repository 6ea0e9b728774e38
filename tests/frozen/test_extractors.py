"""Frozen networks as extractors of features."""

import keras
import numpy as np
import pytest
from keras import layers

from tfanime.frozen import convert, lite0
from tfanime.metrics import extract, load_extractor


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))


def write(file, features=2048, side=299, seed=0):
    """A network of the right shape, with means of the picture as features."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((side, side, 3))
    x = layers.GlobalAveragePooling2D()(inputs)
    x = layers.Dense(features, name="features")(x)
    file.parent.mkdir(parents=True, exist_ok=True)
    network = keras.Model(inputs, x)
    network.save(file)
    return network


def images(count, side=16):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def test_drawings_from_the_cache_and_by_path(tmp_path):
    network = write(convert.drawings_file())
    extractor = load_extractor("drawings")
    assert (extractor.name, extractor.height, extractor.width) == ("drawings", 299, 299)
    found = extract(images(2), extractor)
    means = images(2).mean((1, 2)) / 127.5 - 1  # a bicubic resize keeps them, nearly
    wanted = means @ network.get_weights()[0]
    np.testing.assert_allclose(found, wanted, atol=0.01)
    # The same network converted anew, at another time, is the same.
    write(tmp_path / "mine.keras")
    assert load_extractor(f"drawings:{tmp_path / 'mine.keras'}").identity == extractor.identity
    write(tmp_path / "mine.keras", seed=1)
    assert load_extractor(f"drawings:{tmp_path / 'mine.keras'}").identity != extractor.identity


def test_without_the_file_a_sentence_says_how_to_get_it(tmp_path):
    with pytest.raises(ValueError, match="npm pack nsfwjs@4.3.0, .*features drawings") as told:
        load_extractor("drawings")
    assert "\n" not in str(told.value)
    with pytest.raises(ValueError, match="file must exist. Received: '.*none.keras'"):
        load_extractor(f"drawings:{tmp_path / 'none.keras'}")
    write(tmp_path / "small.keras", features=7)
    with pytest.raises(ValueError, match="2048 features of .* 299 pixels.*with 7 of 299x299"):
        load_extractor(f"drawings:{tmp_path / 'small.keras'}")


def test_lite0(lite0_package):
    extractor = load_extractor("lite0")
    found = extract(images(2, 224), extractor)
    assert (extractor.height, found.shape) == (224, (2, 1280))
    network = lite0.classifier()
    pooled = keras.Model(network.input, network.get_layer("features").output)
    wanted = np.asarray(pooled(images(2, 224) / np.float32(127.5) - 1))
    np.testing.assert_allclose(found, wanted, atol=0.02)  # random weights magnify rounding


@pytest.mark.parametrize("name", ["tagger", "drawings", "lite0", "mobilenetv2:own.weights.h5"])
def test_judges_are_exact_during_a_training_in_another_precision(
    name, lite0_package, tmp_path, monkeypatch, bfloat16
):
    monkeypatch.chdir(tmp_path)
    keras.config.set_dtype_policy("float32")
    if name == "drawings":
        write(convert.drawings_file())
    elif name.startswith("mobilenetv2"):
        network = keras.applications.MobileNetV2(include_top=False, pooling="avg", weights=None)
        for variable in network.weights:  # a fresh one makes features of next to nothing
            if variable.name == "moving_variance":
                variable.assign(np.full(variable.shape, 0.1))
        network.save_weights("own.weights.h5")
    one = load_extractor(name)
    keras.config.set_dtype_policy("mixed_bfloat16")
    other = load_extractor(name)
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert one.identity == other.identity
    wanted = extract(images(2, 64), one)
    found = extract(images(2, 64), other)
    np.testing.assert_allclose(found, wanted, atol=1e-6 * np.abs(wanted).max(), rtol=1e-5)
