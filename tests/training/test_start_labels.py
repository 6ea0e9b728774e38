"""`start` where labels are others, in another order, or more: what was learnt of one stays its."""

import keras
import numpy as np
import pytest

import tfanime
from tfanime import gans, recipes
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.models.common import discriminator_model
from tfanime.models.heads import label_head
from tfanime.training.build import build_gan
from tfanime.training.plan import check_plan
from tfanime.training.run_config import plain_networks, rows_of_labels
from tfanime.training.warm_start import start_from

pytestmark = pytest.mark.usefixtures("eager")

SMILE, HAT = Field("smile", "flag"), Field("hat", "flag")
KNOWN = LabelSchema((Field("hair", "group", ("blonde", "blue")), SMILE))
TURNED = LabelSchema((SMILE, Field("hair", "group", ("blue", "blonde"))))
MORE = LabelSchema((HAT, *TURNED.fields))
CONFIG = recipes.get("modern").override(
    image_size=16,
    latent_dim=6,
    batch_size=8,
    conditioning="ac",
    generator={"channels": 4, "normalisation": "conditional"},
    discriminator={"channels": 4},
)
PROJECTION = CONFIG.override(conditioning="projection")
RANDOM = np.random.default_rng(0)
LATENTS = RANDOM.normal(size=(1, 6)).astype(np.float32)


def labelled(schema):
    images = RANDOM.integers(0, 256, (8, 16, 16, 3), np.uint8)
    rows = schema.sample(RANDOM.random((8, len(schema.fields))), "training")
    return tfanime.from_arrays(images, rows, schema)


@pytest.fixture(scope="module")
def runs(eager, tmp_path_factory):
    """Runs with the labels `KNOWN`, by their conditioning; tests only read them."""
    folder, quiet = tmp_path_factory.mktemp("labels"), {"tensorboard": False, "progress": False}
    for config in (CONFIG, PROJECTION):
        out = folder / config.conditioning
        tfanime.train(config, labelled(KNOWN), out=out, steps=1, **quiet)
    return folder


def begun(gan, source):
    start_from(gan, source)
    return gan


def drawn(generator, schema, **words):
    return generator([LATENTS, to_signed(schema.encode(words))[None]]).numpy()


@pytest.mark.parametrize(("schema", "more"), [(TURNED, {}), (MORE, {"hat": True})])
def test_the_same_words_draw_the_same_image(runs, schema, more):
    before = begun(build_gan(CONFIG, KNOWN), runs / "ac")
    after = begun(build_gan(CONFIG, schema), runs / "ac")
    for name in ("generator", "ema_generator"):
        old, new = getattr(before, name), getattr(after, name)
        blue, blonde = ({"hair": hair, "smile": True} for hair in ("blue", "blonde"))
        expected, other = drawn(old, KNOWN, **blue), drawn(old, KNOWN, **blonde)
        assert np.abs(expected - other).max() > 1e-4
        np.testing.assert_allclose(drawn(new, schema, **blue, **more), expected, atol=1e-6)
    features = RANDOM.normal(size=(2, before.head.input_shape[1])).astype(np.float32)
    expected, found = before.head(features).numpy(), after.head(features).numpy()
    for i, column in enumerate(KNOWN.columns):
        place = schema.columns.index(column)
        np.testing.assert_allclose(found[:, place], expected[:, i], atol=1e-6, err_msg=column)


OTHERS = [
    (LabelSchema((Field("eyes", "group", ("red", "green")), HAT)), "hair, smile", "eyes, hat"),
    (
        LabelSchema((Field("hair", "group", ("blonde", "pink")), SMILE)),
        r"hair \(blonde, blue\), smile",
        r"hair \(blonde, pink\), smile",
    ),
]


@pytest.mark.parametrize(("schema", "its", "ours"), OTHERS)
def test_as_many_other_labels_are_refused(runs, tmp_path, schema, its, ours):
    said = f"ac'. Its labels are {its}; here they are {ours}: `tfanime train --from` joins them.$"
    with pytest.raises(ValueError, match=said):
        start_from(build_gan(CONFIG, schema), runs / "ac")
    config = CONFIG.override(start=str(runs / "ac"))
    with pytest.raises(ValueError, match=said):
        check_plan(config, labelled(schema), tmp_path / "run")
    check_plan(config, labelled(TURNED), tmp_path / "run")


def test_another_order_is_refused_where_the_discriminator_takes_labels(runs):
    with pytest.raises(ValueError, match="are hair, smile; here they are smile, hair: "):
        start_from(build_gan(PROJECTION, TURNED), runs / "projection")


def with_other_features():
    """A GAN whose discriminator ends in the means of its last maps."""
    networks = build_gan(CONFIG, MORE)
    judge = networks.discriminator
    means = keras.layers.GlobalAveragePooling2D()(judge.get_layer("last_lrelu").output)
    head = label_head(means.shape[-1], MORE.size)
    judge = discriminator_model(judge.input, means)
    return gans.GAN(networks.generator, judge, head=head, schema=MORE)


@pytest.mark.parametrize(
    ("source", "build"),
    [("ac", with_other_features), ("projection", lambda: build_gan(CONFIG, MORE))],
)
def test_a_head_that_the_source_cannot_give_begins_anew(runs, source, build):
    gan = build()
    fresh = gan.head.get_weights()
    start_from(gan, runs / source)
    for found, expected in zip(gan.head.get_weights(), fresh, strict=True):
        np.testing.assert_array_equal(found, expected)
    known = tfanime.load_generator(runs / source).model
    words = {"hair": "blue", "smile": True}
    expected = drawn(known, KNOWN, **words)
    np.testing.assert_allclose(drawn(gan.generator, MORE, **words), expected, atol=1e-6)


def test_where_labels_enter_a_generator():
    generator = plain_networks(CONFIG.override(label_embedding=5, steering=2), KNOWN).generator
    pairs = zip(generator.weights, rows_of_labels(generator), strict=True)
    norms = ("up0_conv_bn", "res0_1_bn", "last_bn")
    assert {weight.path for weight, labels in pairs if labels} == {
        "label_embedding/kernel",
        "steer_score/kernel",
        *(f"{norm}_{kind}/kernel" for norm in norms for kind in ("scale", "shift")),
    }
    latents, labels = keras.Input((6,)), keras.Input((3,))
    joined = keras.layers.Concatenate()([latents, keras.layers.Reshape((3,))(labels)])
    fixed = keras.Model([latents, labels], keras.layers.Dense(4)(joined))
    assert rows_of_labels(fixed) is None
