"""`truncate_styles` and `path_length`: against NumPy, on a network whose style is a known function
of latents and labels."""

import keras
import numpy as np
import pytest

import tfanime
from tests.command_line import invoke
from tests.editing.test_mixing import DIM, SCHEMA, affine, network
from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.files import read_json
from tfanime.core.labels import to_signed
from tfanime.editing import path_length as lengths
from tfanime.layers import ConditioningAugmentation
from tfanime.models.mixing import truncated_styles
from tfanime.models.steering import PLANES, STEP, steered
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.directions import Direction, load_directions, store_directions
from tfanime.zoo.saved import (
    Generator,
    load_generator,
    save_generator,
    steered_by,
    upscaler_of,
)


def colour(model, inputs, truncation):
    """What a network of `test_mixing` draws everywhere, of `(B, DIM + L)`, under a style of latents
    that are multiplied by `truncation`."""
    shortened = inputs * np.where(np.arange(inputs.shape[1]) < DIM, truncation, 1)
    style = affine(model, "style", shortened)
    x = affine(model, "fc", inputs) * affine(model, "coarse_scale", style)
    return np.tanh(x * affine(model, "fine_scale", style))


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("truncation", [0.0, 0.3, 1.0])
def test_the_style_follows_shortened_latents_and_whole_labels(labelled, truncation):
    model = network(labelled)
    inputs = Sampler(Generator(model, SCHEMA if labelled else None, "styled")).inputs(3, 5)
    copy = truncated_styles(model, truncation)
    expected = colour(model, np.concatenate(inputs, axis=1), truncation)
    found = copy.predict(inputs if labelled else inputs[0], verbose=0)
    np.testing.assert_allclose(found[:, 0, 0], expected, atol=1e-5)


def test_of_a_steered_generator_the_steered_latents_are_shortened():
    model = steered(network(), 3)
    rng = np.random.default_rng(1)
    for name in (PLANES, STEP):
        model.get_layer(name).set_weights(
            [rng.normal(size=w.shape) for w in model.get_layer(name).get_weights()]
        )
    inputs = Sampler(Generator(model, SCHEMA, "styled")).inputs(3, 5)
    led = keras.Model(model.inputs, model.get_layer("steered").output).predict(inputs, verbose=0)
    found = truncated_styles(model, 0.3).predict(inputs, verbose=0)
    expected = colour(model, np.concatenate([led, inputs[1]], axis=1), 0.3)
    np.testing.assert_allclose(found[:, 0, 0], expected, atol=1e-5)


def test_the_copy_is_a_model_of_its_own(tmp_path):
    run, out = tmp_path / "run", tmp_path / "calm"
    save_generator(run, network(), SCHEMA, "styled")
    store_directions(run, [Direction("pca-1", "pca", np.eye(DIM, dtype=np.float32)[0])], {})
    done = invoke("truncate", run, "--styles", 0.3, "--out", out)
    assert done.exit_code == 0 and f"{out}: styles truncated to 0.3" in done.output, done.output
    before, after = load_generator(run), load_generator(out)
    assert after.name == "calm" and list(load_directions(out, DIM)) == ["pca-1"]
    inputs = Sampler(before).inputs(3, 5)
    expected = truncated_styles(before.model, 0.3).predict(inputs, verbose=0)
    np.testing.assert_array_equal(after.model.predict(inputs, verbose=0), expected)
    done = invoke("truncate", run, "--styles", 0.3, "--out", out)
    assert done.exit_code == 1 and "gets a new folder" in done.output


@pytest.mark.parametrize(
    ("truncation", "says"),
    [(-0.1, "from 0 to 2. Received: -0.1"), (True, "Received: True"), (0.5, "which has none")],
)
def test_what_cannot_be_truncated(folder, tmp_path, truncation, says):
    with pytest.raises(ValueError, match=says):
        tfanime.truncate_styles(folder, truncation, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def of_texts(z, labels):
    """As wide as the latents, but texts are in it."""
    return keras.layers.Dense(4, name="style")(ConditioningAugmentation(DIM, DIM)(z, labels))


def with_the_map(z, labels):
    """The first layer of the style is that of the map too."""
    both = keras.layers.Dense(4, name="shared")(keras.layers.Concatenate()([z, labels]))
    style = keras.layers.LeakyReLU(name="style")(both)
    return keras.layers.Add()([style, keras.layers.ReLU()(both)])


def of_labels(z, labels):
    return keras.layers.Dense(4, name="style")(labels)


@pytest.mark.parametrize("style", [of_texts, with_the_map, of_labels])
def test_a_style_that_begins_otherwise_is_refused(style):
    z, labels = keras.Input((DIM,)), keras.Input((DIM,))
    model = keras.Model([z, labels], style(z, labels))
    with pytest.raises(ValueError, match="where they follow a dense layer of latents and labels"):
        truncated_styles(model, 0.5)


def test_what_goes_along_with_a_copy(tmp_path):
    source, copy = zoo.path(zoo.DEFAULT), tmp_path / "copy"
    tfanime.truncate_styles(zoo.DEFAULT, np.float32(1.0), copy)
    assert steered_by(copy) == steered_by(source) != ()
    assert upscaler_of(copy) == upscaler_of(source) != ""
    assert read_json(copy / "config.json") == read_json(source / "config.json")
    assert (copy / "critic.npz").read_bytes() == (source / "critic.npz").read_bytes()
    assert not (copy / "chooser.keras").exists() and not (copy / "encoder.keras").exists()


# ---- how long paths are --------------------------------------------------------------------------


class Plane:
    """A frozen network whose map is the image itself, so that distances are those of pixels."""

    def __call__(self, images, training):
        return [images]


@pytest.fixture
def pixels(monkeypatch):
    monkeypatch.setattr(lengths, "feature_network", lambda *_: Plane())


def of_arcs(model, n, step, seed, styles):
    """The path length of a network of `test_mixing`, by its formula."""
    sampler = Sampler(Generator(model, SCHEMA, "styled"))
    signed = to_signed(sampler.labels(seed, n))
    z = [sampler.latents(seed, n, first) for first in (0, n, 2 * n)]
    places = np.random.default_rng(seed).uniform(0, 1 - step, n)
    colours = []
    for t in (places, places + step):
        on = np.concatenate([seeds.slerp(a, b, [x]) for a, b, x in zip(z[1], z[2], t, strict=True)])
        own = np.concatenate([z[0] if styles else on, signed], axis=1)
        style = affine(model, "style", np.concatenate([on, signed], axis=1))
        x = affine(model, "fc", own) * affine(model, "coarse_scale", style)
        colours.append(np.tanh(x * affine(model, "fine_scale", style)))
    return ((colours[0] - colours[1]) ** 2).mean() / step**2


@pytest.mark.parametrize("styles", [False, True])
def test_path_length(pixels, styles):
    model = network()
    found = lengths.path_length(
        Generator(model, SCHEMA, "styled"), n=6, styles=styles, step=0.05, seed=4
    )
    assert found == pytest.approx(of_arcs(model, 6, 0.05, 4, styles), rel=1e-3)


def test_the_path_of_styles_needs_styles(folder):
    with pytest.raises(ValueError, match="needs a generator with styles. Received: 'tiny'"):
        lengths.path_length(load_generator(folder), n=2, styles=True)
