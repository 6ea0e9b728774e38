"""Runs of a GAN that the user built."""

import functools

import keras
import numpy as np
import pytest

import tfanime
from tfanime import gans
from tfanime.core import later
from tfanime.core.files import read_json, write_json
from tfanime.core.labels import Field, LabelSchema
from tfanime.gans import penalties
from tfanime.training.checkpoint import checkpoints, generator_weights
from tfanime.training.own_gan import check_labels, differing
from tfanime.training.run_config import generator_of


class Darker:
    """An augmentation that is called and has no name."""

    def __call__(self, images, noise):
        return images - 0.1


def built(channels=4, weight=1.0, augment=None):
    inputs = keras.Input((8,))
    x = keras.layers.Dense(16 * 16 * channels, activation="relu")(inputs)
    x = keras.layers.Reshape((16, 16, channels))(x)
    image = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    generator = keras.Model(inputs, image)
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(channels, 3, strides=2, activation="leaky_relu")(inputs)
    discriminator = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(x)))
    gan = gans.GAN(
        generator,
        discriminator,
        penalty=penalties.r1(weight),
        augment=augment,
        updates="simultaneous",
    )
    gan.compile(optimizer=keras.optimizers.Adam(1e-3))
    return gan


@pytest.fixture(scope="module")
def data():
    return tfanime.load_data("drawn", size=16, count=24, progress=False)


@pytest.fixture
def run(eager, tmp_path, data):
    options = {"tensorboard": False, "progress": False, "batch_size": 8}
    return lambda gan, steps, name="run", data=data: tfanime.train(
        gan, data, out=tmp_path / name, steps=steps, **options
    )


HAIR, SMILE = Field("hair", "group", ("red", "blue")), Field("smile", "flag")
LABELS = LabelSchema((HAIR, SMILE))


def labelled(schema=LABELS):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (8, 16, 16, 3), np.uint8)
    rows = schema.sample(random.random((8, len(schema.fields))), "training")
    return tfanime.from_arrays(images, rows, schema)


def conditional(drawn=3, judged=3, schema=None):
    """A GAN whose networks take so many labels."""
    inputs = [keras.Input((8,)), keras.Input((drawn,))]
    x = keras.layers.Dense(16 * 16 * 3)(keras.layers.Concatenate()(inputs))
    generator = keras.Model(inputs, keras.layers.Reshape((16, 16, 3))(x))
    inputs = [keras.Input((16, 16, 3)), keras.Input((judged,))]
    x = keras.layers.Concatenate()([keras.layers.Flatten()(inputs[0]), inputs[1]])
    gan = gans.GAN(generator, keras.Model(inputs, keras.layers.Dense(1)(x)), schema=schema)
    gan.compile()
    return gan


def test_its_config_says_what_is_so_and_nothing_else(run):
    stored = read_json(run(built(), 1).path / "config.json")
    assert set(stored["config"]) == {
        "recipe", "image_size", "latent_dim", "conditioning", "loss", "critic_steps", "updates",
        "batch_size", "flip", "prior", "seed",
    }  # fmt: skip
    assert stored["config"]["recipe"] == "custom" and stored["config"]["latent_dim"] == 8
    assert (
        stored["gan"]["penalty"][0] | {"at": "real", "weight": 1.0} == stored["gan"]["penalty"][0]
    )
    assert stored["gan"]["g_optimizer"]["config"]["learning_rate"] == pytest.approx(1e-3)
    assert (
        gans.GAN.from_config(
            {k: v for k, v in stored["gan"].items() if "optimizer" not in k}
        ).latent_dim
        == 8
    )


def test_the_same_gan_goes_on_and_another_is_refused(run):
    run(built(), 1)
    assert run(built(), 2).step == 2  # of the same architecture, whatever Keras named its layers
    with pytest.raises(ValueError, match=r"a run of another GAN: penalty differ"):
        run(built(weight=2.0), 3)
    with pytest.raises(ValueError, match=r"another GAN: discriminator, generator differ"):
        run(built(channels=6), 3)


def test_a_gan_that_has_been_trained_is_trained_on(run):
    """The steps of a run are its own, and it goes on where it was stopped."""
    whole = built()
    run(whole, 2, "before")
    first = run(whole, 3, "whole")
    assert (first.step, first.finished) == (3, True)
    names = sorted(folder.name for folder in (first.path / "checkpoints").iterdir())
    assert names == ["step-000000000", "step-000000003"]

    stopped = built()
    run(stopped, 2, "before")
    assert run(stopped, 1, "stopped").step == 1
    again = run(built(), 3, "stopped")
    assert (again.step, again.finished) == (3, True)
    newest = generator_weights(checkpoints(again.path)[-1])
    for one, other in zip(whole.generator.weights, newest, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", [Darker, lambda: functools.partial(Darker())])
def test_an_augmentation_without_a_name_is_not_another_in_the_next_process(run, make):
    """Its description held the object's address."""
    here, there = make(), make()
    run(built(augment=here), 1)
    assert run(built(augment=there), 2).step == 2
    with pytest.raises(ValueError, match="a run of another GAN: not stored differ"):
        run(built(augment=lambda images, noise: images), 3)


def test_options_that_only_a_later_keras_writes_make_no_difference(run, monkeypatch):
    folder = run(built(), 1).path
    stored = read_json(folder / "config.json")
    for network in ("generator", "discriminator"):
        for layer in stored["gan"][network]["config"]["layers"]:
            layer["config"]["of_later"] = None
    write_json(folder / "config.json", stored)
    monkeypatch.setitem(later.OPTIONS, "of_later", None)
    values = tfanime.load_generator(folder).model.get_weights()
    generator, _ = generator_of(folder, values)
    assert [array.shape for array in generator.get_weights()] == [array.shape for array in values]
    assert run(built(), 2).step == 2


def test_it_serves_as_a_start(run, data, tmp_path):
    first = run(built(), 3)
    gan = built()
    from tfanime.training.warm_start import start_from

    start_from(gan, first.path)
    average = tfanime.load_generator(first.path).model.get_weights()
    for here, there in zip(gan.ema_generator.get_weights(), average, strict=True):
        assert (here == there).all()
    with pytest.raises(ValueError, match="start needs a model of the same networks"):
        start_from(built(channels=6), first.path)


def test_what_keras_counts_up_makes_no_difference():
    one = {"layers": [{"name": "conv2d", "to": "conv2d"}, {"name": "dense", "from": ["conv2d"]}]}
    two = {"layers": [{"name": "conv2d_7", "to": "conv2d_7"}, {"name": "d", "from": ["conv2d_7"]}]}
    assert differing({"generator": one}, {"generator": two}) == []
    two["layers"][1]["from"] = ["d"]
    assert differing({"generator": one, "seed": 0}, {"generator": two, "seed": 1}) == [
        "generator", "seed",
    ]  # fmt: skip


def test_the_names_of_labels_are_the_datas(run):
    data = labelled()
    folder = run(conditional(), 1, data=data).path
    faces = tfanime.generate(folder, n=2, tags={"hair": "blue", "smile": True})
    assert faces.tags == [{"hair": "blue", "smile": True}] * 2
    labels, latents = np.tile([[-1.0, 1.0, 1.0]], (2, 1)), faces.latents
    network = tfanime.load_generator(folder).model
    expected = np.clip(127.5 * (network([latents, labels]).numpy() + 1), 0, 255)
    np.testing.assert_allclose(faces.images, expected, atol=0.51)
    # Said or not, they are the same.
    assert run(conditional(schema=data.schema), 2, data=data).step == 2
    assert run(conditional(), 3, data=data).step == 3


TURNED = LabelSchema((SMILE, HAIR))
NARROW = "takes every column of the data's. Received: a {} that takes 2, and data that have 3. "


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"drawn": 2}, NARROW.format("generator")),
        ({"judged": 2}, NARROW.format("discriminator")),
        ({"schema": TURNED}, "Received: a schema of smile, hair, and data of hair, smile. Build"),
    ],
)
def test_labels_that_are_not_the_datas_are_refused_before_there_is_a_folder(
    run, tmp_path, options, sentence
):
    with pytest.raises(ValueError, match=sentence):
        run(conditional(**options), 1, data=labelled())
    assert list(tmp_path.iterdir()) == []


def test_a_generator_of_labels_is_not_trained_without_any():
    gan = gans.GAN(conditional().generator, built().discriminator)
    with pytest.raises(ValueError, match="a generator that takes 3, and data that have 0"):
        check_labels(gan, None)
