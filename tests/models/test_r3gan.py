"""R3GAN's networks: how they begin, what they are made of, how they resample; its recipe."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

import tfanime
from tfanime import recipes
from tfanime.core.schedules import Schedule
from tfanime.export.graph.graph import from_keras
from tfanime.models import r3gan
from tfanime.training.build import build_gan
from tfanime.zoo.saved import save_generator

SLOPE = 0.2
SIDE = 16  # maps of 16, 8 and 4 pixels


def networks(side=SIDE, **options):
    keras.utils.set_random_seed(3)
    return (
        r3gan.generator(side, side, 5, **{"channels": 4, **options}),
        r3gan.discriminator(side, side, **{"channels": 4, **options}),
    )


def given(model, n=3):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((n, *one.shape[1:])).astype(np.float32) for one in model.inputs]


def inside(model, *names):
    """What layers of a model give."""
    found = keras.Model(model.inputs, {name: model.get_layer(name).output for name in names})
    values = found(given(model))
    return [np.asarray(values[name]) for name in names]


def convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]


@pytest.mark.parametrize("which", [0, 1], ids=["generator", "discriminator"])
def test_every_block_begins_as_the_identity(which):
    model = networks()[which]
    sums = [layer for layer in model.layers if isinstance(layer, layers.Add)]
    assert len(sums) == 6  # two in each of three stages
    inner = keras.Model(model.inputs, [x for layer in sums for x in (*layer.input, layer.output)])
    values = [np.asarray(x) for x in inner(given(model))]
    for skip, branch, total in zip(*(values[i::3] for i in range(3)), strict=True):
        assert skip.std() > 0 and not branch.any()
        np.testing.assert_array_equal(total, skip)


@pytest.mark.parametrize("blocks", [1, 4])
def test_deviations_fall_with_the_depth(blocks):
    """sqrt(2 / (1 + slope^2) / fan in), times the fourth root of one over the number of blocks."""
    for model in networks(channels=48, blocks=blocks):
        for layer in convolutions(model):
            kernel = layer.kernel.numpy()
            rows, columns, taken, _ = kernel.shape
            if layer.name.endswith("_3"):
                assert not kernel.any()
                continue
            expected = (rows * columns * taken) ** -0.5
            if layer.name.startswith("block"):
                expected *= (2 / (1 + SLOPE**2)) ** 0.5 * (3 * blocks) ** -0.25
                np.testing.assert_array_equal(layer.bias, 0)
            else:
                assert not layer.use_bias
            if kernel.size > 2000:
                assert kernel.std() == pytest.approx(expected, rel=0.1), layer.name


def test_parameter_counts():
    def block(c, e):
        return c * e + e + 9 * e * e + e + e * c

    stages = 2 * (block(4, 2) + block(8, 4) + block(16, 8))
    between = 4 * 8 + 8 * 16
    g, d = networks()
    # The number 1 is made of five weights and itself, which are not trained.
    assert g.count_params() == stages + between + 4 * 3 + 16 * 16 + 5 * 16 + 6
    assert sum(int(np.prod(w.shape)) for w in g.non_trainable_weights) == 6
    assert d.count_params() == stages + between + 3 * 4 + 16 * 16 + 16
    assert not d.non_trainable_weights


def test_channels_double_up_to_eight_times():
    g, d = networks(64)
    wide = [layer.output.shape[-1] for layer in g.layers if layer.name.endswith("_0_add")]
    assert wide == [32, 32, 16, 8, 4]
    assert g.get_layer("weighed").output.shape[1:] == (4, 4, 32)
    assert d.get_layer("features").output.shape == (None, 32)


def test_there_are_no_groups_and_no_norms():
    for model in networks():
        assert {layer.groups for layer in convolutions(model)} == {1}
        norms = (layers.BatchNormalization, layers.GroupNormalization, layers.LayerNormalization)
        assert not any(isinstance(layer, norms) for layer in model.layers)
        assert {x.negative_slope for x in model.layers if isinstance(x, layers.LeakyReLU)} == {
            SLOPE
        }
        # One weight a pixel and channel of the smallest map, where nothing is left to slide over.
        apart = [x for x in model.layers if isinstance(x, layers.DepthwiseConv2D)]
        assert all(x.kernel.shape[:2] == x.input.shape[1:3] for x in apart)
        assert all(np.prod(x.output.shape[1:3]) == 1 for x in apart)


def test_the_first_map_is_learned_and_weighed_by_the_noise():
    g, _ = networks()
    basis = g.get_layer("basis").kernel.numpy().reshape(4, 4, 16)
    weights = given(g)[0] @ g.get_layer("weights").kernel.numpy()
    [found] = inside(g, "weighed")
    np.testing.assert_allclose(found, basis * weights[:, None, None], rtol=1e-5, atol=1e-6)
    assert basis.std() == pytest.approx(1.0, abs=0.15)


TAPS = np.array([1.0, 3.0, 3.0, 1.0]) / 8


def filtered(x, axis):
    """[1, 3, 3, 1] / 8 at every second place, zeros around."""
    x = np.moveaxis(x, axis, -1)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 1)])
    places = range(0, x.shape[-1], 2)
    return np.moveaxis(np.stack([padded[..., i : i + 4] @ TAPS for i in places], -1), -1, axis)


def test_maps_are_halved_by_the_smooth_filter():
    _, d = networks()
    x, found = inside(d, "block0_1_add", "down1_smooth2")
    np.testing.assert_allclose(found, filtered(filtered(x, 1), 2), atol=1e-6)


def test_maps_are_enlarged_by_the_smooth_filter():
    """Between two zeros each number becomes [1, 3, 3, 1] / 4; at the border it is repeated."""
    g, _ = networks()
    x, found = inside(g, "up1", "up1_smooth")

    def enlarged(x, axis):
        x = np.moveaxis(x, axis, -1)
        padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 1)], mode="edge")
        before = 0.25 * padded[..., :-2] + 0.75 * x
        behind = 0.75 * x + 0.25 * padded[..., 2:]
        whole = np.stack([before, behind], -1).reshape(*x.shape[:-1], -1)
        return np.moveaxis(whole, -1, axis)

    np.testing.assert_allclose(found, enlarged(enlarged(x, 1), 2), atol=1e-5)


def test_exports_know_every_step():
    g, _ = networks()
    assert "layer" not in {node.op for node in from_keras(g).nodes}


def test_labels_may_be_maps_of_the_image():
    d = r3gan.discriminator(16, 16, label_dim=3, channels=4)
    outputs = d([np.zeros((2, 16, 16, 3)), np.eye(3)[:2]])["logits"]
    assert outputs.shape == (2, 1) and outputs[0, 0] != outputs[1, 0]


# ---- the recipe --------------------------------------------------------------------------------


def test_the_recipe_is_the_papers():
    config = recipes.get("r3gan")
    assert (config.loss, config.penalty, config.penalty_every) == ("relativistic", "r1,r2", 1)
    assert config.beta_1 == 0.0 and config.g_lr == config.d_lr == Schedule(2e-4, 5e-5, 500_000)
    ends = {
        "penalty_weight": (2.0, 0.2),
        "beta_2": (0.9, 0.99),
        "augment_probability": (0.0, 0.3),
    }
    assert {name: getattr(config, name).values for name in ends} == ends
    # 500,000 of 20 million images.
    assert config.ema_half_life.end / config.ema_half_life.images == 0.5 / 20
    changes = {"image_size": 16, "latent_dim": 5, "generator": {"channels": 4}}
    gan = build_gan(config.override(**changes, discriminator={"channels": 4}))
    assert [one.at for one in gan.penalties] == ["real", "fake"]
    assert {one.weight for one in gan.penalties} == {config.penalty_weight}


@pytest.mark.slow
def test_it_is_served_as_it_was_trained(tmp_path):
    """tests/export has it as files and for browsers."""
    save_generator(tmp_path / "run", networks()[0], None, "r3gan")
    made = tfanime.export_saved_model(tmp_path / "run", tmp_path / "served" / "1")
    assert made.difference <= 1e-5
