"""The discriminator that looks through a frozen network."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from tfanime import recipes, zoo
from tfanime.core import later
from tfanime.gans.upkeep import batch_norms
from tfanime.models import projected
from tfanime.models.sizes import shown_regions
from tfanime.registries import DISCRIMINATORS
from tfanime.training.build import build_gan

SMALL = {"channels": 8, "pixel_channels": 4}


@pytest.fixture
def frozen():
    """Four halvings of 64 pixels, with batch norm."""
    inputs = x = keras.Input((64, 64, 3))
    for name, channels in (("stem", 4), ("res1", 8), ("res2", 12), ("res3", 16)):
        x = layers.Conv2D(channels, 3, 2, padding="same", use_bias=False, name=name)(x)
        x = layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))


def pictures(height, width, count=4):
    return np.random.default_rng(0).uniform(-1, 1, (count, height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (128, 128), (48, 48), (96, 64)])
def test_every_part_has_as_many_logits(frozen, size):
    judge = projected.discriminator(*size, features=frozen, **SMALL)
    found = judge(pictures(*size))
    assert found["logits"].dtype == found["features"].dtype == "float32"
    assert DISCRIMINATORS.fact("projected", "batch_norm") and batch_norms(judge)
    widths = [layer.output.shape[-1] for layer in judge.layers if layer.name.startswith("flat")]
    assert len(widths) == 5 and sum(widths) == found["logits"].shape[1]
    assert set(widths[:4]) == {16}
    assert ops.all(ops.isfinite(found["logits"]))


def test_what_is_frozen_stays_as_it_was(frozen):
    before = [np.array(weight) for weight in frozen.get_weights()]
    judge = projected.discriminator(64, 64, features=frozen, **SMALL)
    mixers = [layer for layer in judge.layers if layer.name.startswith(("mix", "scale"))]
    assert len(mixers) == 7
    trained = {id(variable) for variable in judge.trainable_variables}
    kept = [variable for layer in mixers for variable in layer.weights] + frozen.weights
    assert kept and not trained & {id(variable) for variable in kept}
    # Its batch norm neither follows the batch nor learns from it.
    judge(pictures(64, 64), training=True)
    seen = next(layer for layer in judge.layers if isinstance(layer, keras.Model))
    both = (seen(pictures(64, 64), training=training) for training in (True, False))
    for learning, drawing in zip(*both, strict=True):
        np.testing.assert_array_equal(learning, drawing)
    for weight, was in zip(frozen.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)


def flat_network(size, initializer):
    """Four convolutions, each of which halves the map."""
    inputs = x = keras.Input((size, size, 3))
    for _ in range(4):
        x = layers.Conv2D(4, 3, 2, padding="same", kernel_initializer=initializer)(x)
    return keras.Model(inputs, layers.Dense(1)(layers.Flatten()(x)))


def test_without_pixels_only_the_maps_count():
    """A network whose maps are all zero hides everything."""
    options = {"features": flat_network(64, "zeros"), "channels": 8}
    judge = projected.discriminator(64, 64, pixel_channels=0, **options)
    logits = judge(pictures(64, 64))["logits"]
    np.testing.assert_array_equal(logits, np.broadcast_to(logits[:1], logits.shape))
    judge = projected.discriminator(64, 64, pixel_channels=4, **options)
    logits = ops.convert_to_numpy(judge(pictures(64, 64))["logits"])
    assert np.ptp(logits[:, 64:], axis=0).min() > 0 and np.ptp(logits[:, :64], axis=0).max() == 0


def test_patches_are_judged_by_what_is_near():
    """A changed corner moves the logits of places within 22 pixels, and no label feature."""
    options = {"features": flat_network(64, "zeros"), "channels": 8, "pixel_channels": 4}
    whole = projected.discriminator(64, 64, **options)
    judge = projected.discriminator(64, 64, pixel_patches=True, **options)
    before, after = pictures(64, 64, 1), pictures(64, 64, 1)
    after[:, :4, :4] += 1.0
    found = [ops.convert_to_numpy(judge(x)["logits"])[0] for x in (before, after)]
    assert len(found[0]) == whole.output["logits"].shape[1] + 16
    assert judge.output["features"].shape == whole.output["features"].shape
    moved = (found[0] != found[1])[-16:].reshape(4, 4)
    assert moved[0, 0] and not moved[2:].any() and not moved[:, 2:].any()


def test_several_networks_are_looked_through_each_for_itself():
    """A blind one hides what its own parts could see, and nothing else."""
    seeing, blind = flat_network(64, "he_normal"), flat_network(64, "zeros")
    judge = projected.discriminator(64, 64, features=[seeing, blind], channels=8, pixel_channels=0)
    logits = ops.convert_to_numpy(judge(pictures(64, 64))["logits"])
    half = logits.shape[1] // 2
    assert np.ptp(logits[:, :half], axis=0).min() > 0
    assert np.ptp(logits[:, half:], axis=0).max() == 0


def test_a_network_that_is_shown_a_part_sees_nothing_else():
    """The second network is shown rows 16 to 48 and columns 8 to 56 of 64 pixels."""
    seeing = [flat_network(side, "he_normal") for side in (64, 64)]
    options = {"channels": 8, "pixel_channels": 0}
    region = [0.25, 0.125, 0.75, 0.875]
    judge = projected.discriminator(64, 64, features=seeing, regions=[None, region], **options)
    assert judge.get_layer("net1_region").output.shape == (None, 32, 48, 3)
    image = pictures(64, 64, 1)
    logits = ops.convert_to_numpy(judge(image)["logits"])[0]
    for places, noticed in (
        ((slice(0, 16), slice(0, 64)), False),
        ((slice(48, 64), slice(0, 64)), False),
        ((slice(0, 64), slice(0, 8)), False),
        ((slice(0, 64), slice(56, 64)), False),
        ((slice(16, 17), slice(8, 9)), True),
        ((slice(47, 48), slice(55, 56)), True),
    ):
        changed = image.copy()
        changed[:, places[0], places[1]] += 1.0
        found = ops.convert_to_numpy(judge(changed)["logits"])[0] != logits
        half = len(found) // 2
        assert found[:half].any() and found[half:].any() == noticed


@pytest.mark.parametrize(
    "regions",
    [
        "whole",
        [None, None],
        ["left"],
        [[0, 0, 1]],
        [[0, 0, 1, True]],
        [[0, 0, 1.5, 1]],
        [[0.5, 0, 0.4, 1]],
        [[0, 0, 0.23, 1]],  # 15 of 64 pixels
    ],
)
def test_regions_that_cannot_be_are_refused_before_anything_is_built(regions):
    with pytest.raises(ValueError, match=r"Received: .*whole|null for the whole|of 64x64\.$"):
        recipes.get("projected").override(
            image_size=(64, 64), projected={"features": "lite0@2", "regions": regions}
        )


def test_a_region_is_in_whole_pixels():
    regions = [None, [0.33, 0.08, 0.83, 0.92]]
    assert shown_regions(["a", "b"], regions, 64, 96) == [(0, 0, 64, 96), (21, 8, 53, 88)]
    assert shown_regions("a", [[0, 0, 0.25, 1]], 64, 96) == [(0, 0, 16, 96)]


def test_options_that_a_second_discriminator_lacks_are_named():
    with pytest.raises(ValueError, match="second discriminator.*feature.*mean 'features'"):
        recipes.get("projected").override(projected={"feature": "lite0"})


def test_a_map_is_the_last_of_its_size(frozen):
    judge = projected.discriminator(64, 64, features=frozen, **SMALL)
    seen = next(layer for layer in judge.layers if isinstance(layer, keras.Model))
    expected = [f"{name}_relu" for name in ("stem", "res1", "res2", "res3")]
    assert [output._keras_history.operation.name for output in seen.outputs] == expected


def test_a_network_without_the_sizes_is_refused():
    inputs = keras.Input((64, 64, 3))
    shallow = keras.Model(inputs, layers.Conv2D(4, 3, 2, padding="same")(inputs))
    projected.discriminator(64, 64, features=shallow, scales=(2,), **SMALL)
    with pytest.raises(ValueError, match="divided by .2, 4, 8, 16.*without"):
        projected.discriminator(64, 64, features=shallow, **SMALL)


@pytest.mark.parametrize(("size", "name"), [(32, "enlarged"), (128, "reduced"), (48, "resized")])
def test_pictures_reach_the_network_at_its_size(frozen, size, name):
    """A picture of one colour looks the same at every size."""
    judge = projected.discriminator(size, size, features=frozen, **SMALL)
    flat = np.full((1, size, size, 3), 0.25, np.float32)
    resized = keras.Model(judge.input, judge.get_layer(name).output)(flat)
    assert resized.shape == (1, 64, 64, 3)
    np.testing.assert_allclose(resized, 0.25, atol=1e-6)


def test_labels_do_not_enter(frozen):
    with pytest.raises(ValueError, match="conditioning='ac' or 'projection'"):
        projected.discriminator(64, 64, label_dim=3, features=frozen)


def test_the_tagger_that_ships_is_looked_through():
    config = recipes.get("dcgan").override(
        image_size=(32, 32),
        discriminator={"name": "projected", "features": "tagger", "channels": 8},
    )
    judge = build_gan(config).discriminator
    inner = next(layer for layer in judge.layers if isinstance(layer, keras.Model))
    shipped = later.load_model(zoo.path("tagger") / "tagger.keras")
    for layer in inner.layers:
        for mine, theirs in zip(layer.weights, shipped.get_layer(layer.name).weights, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_a_folder_without_a_tagger_is_refused(tmp_path):
    discriminator = {"name": "projected", "features": str(tmp_path)}
    with pytest.raises(ValueError, match="discriminator.features is 'tagger', a folder"):
        build_gan(recipes.get("dcgan").override(discriminator=discriminator))


def test_a_keras_file_beside_the_tagger(tmp_path):
    network = flat_network(32, "he_normal")
    network.save(tmp_path / "mine.keras")
    features = ["tagger", str(tmp_path / "mine.keras")]
    discriminator = {"name": "projected", "features": features, "channels": 8}
    config = recipes.get("dcgan").override(image_size=(32, 32), discriminator=discriminator)
    inner = [x for x in build_gan(config).discriminator.layers if isinstance(x, keras.Model)]
    assert len(inner) == 2
    for mine, stored in zip(inner[1].weights, network.weights[:8], strict=True):
        np.testing.assert_array_equal(mine.numpy(), stored.numpy())


def test_the_joint_judge_is_the_network_on_one_batch_of_both(frozen):
    """Batch norm that learns sees real and generated rows; the frozen one is in inference."""
    judge = projected.discriminator(64, 64, features=frozen, **SMALL)
    real, drawn = pictures(64, 64, 3), pictures(64, 64, 3) * 0.5
    both = np.stack([real, drawn], axis=1).reshape(6, 64, 64, 3)
    whole = ops.convert_to_numpy(judge(both, training=True)["logits"])
    on_real, on_fake = projected.joint_judge(judge)(*map(ops.convert_to_tensor, (real, drawn)))
    np.testing.assert_allclose(ops.convert_to_numpy(on_real), whole[::2], atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(on_fake), whole[1::2], atol=1e-5)
