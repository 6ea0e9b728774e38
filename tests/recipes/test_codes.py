"""InfoGAN's free codes: without labels, beside labels, and what the head learns them from."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfanime
from tests.recipes.test_recipes import SCHEMA, tiny
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema, free_codes, to_signed
from tfanime.drawn.faces import draw_faces
from tfanime.recipes.config import Config
from tfanime.training.build import build_gan
from tfanime.training.plan import conditioned_on

CODES = ("categorical_1", "continuous_1", "continuous_2")
MIXED = {"categorical_codes": 1, "code_values": 3, "continuous_codes": 1}


@pytest.fixture(scope="module")
def faces():
    """16 drawn faces of 16x16 with their labels, in memory."""
    return draw_faces(16, size=16)


def small(name, **options):
    return {
        "image_size": 16,
        "batch_size": 8,
        "generator": {"channels": 4},
        "discriminator": {"channels": 4},
        "tensorboard": False,
        "progress": False,
        **options,
    }


def test_infogan_trains_without_labels_and_draws_by_its_codes(eager, faces, tmp_path):
    data = tfanime.from_arrays(faces[0])
    run = tfanime.train("infogan", data, steps=2, out=tmp_path / "run", **small("infogan"))
    schema = tfanime.load_generator(run).schema
    assert tuple(field.name for field in schema.fields) == CODES
    assert all(field.free for field in schema.fields)
    assert schema.field("categorical_1").values == tuple("0123456789")
    (ten, one) = (
        tfanime.generate(run, n=1, seed=3, tags={"categorical_1": 9, "continuous_2": x}).images
        for x in (-1, 1)
    )
    assert (ten != one).any()
    # The same command goes on.
    again = tfanime.train("infogan", data, steps=3, out=tmp_path / "run", **small("infogan"))
    assert again.step == 3


def test_codes_join_the_labels_of_the_data(faces):
    images, labels = faces
    data = tfanime.from_arrays(images, labels, MAKEGIRLSMOE)
    config = Config("ac-infogan", conditioning="ac", image_size=16, **MIXED)
    joined = conditioned_on(data, config)
    assert joined.schema.columns[-4:] == (
        *("0_categorical_1", "1_categorical_1", "2_categorical_1"),
        "continuous_1",
    )
    np.testing.assert_array_equal(joined.labels()[:, :34], data.labels())
    assert np.isnan(joined.labels()[:, 34:]).all()
    assert len(joined) == len(data) and joined.sha256 == data.sha256
    batch = next(joined.batches(16, seed=1))
    np.testing.assert_array_equal(batch["labels"][:, 34:], 0.0)  # of real images: not known
    codes = batch["condition"][:, 34:]
    assert (np.sort(codes[:, :3]) == [-1, -1, 1]).all() and np.abs(codes[:, 3]).max() <= 1
    assert len(np.unique(codes[:, 3])) == 16
    # Without codes, and with labels, nothing changes.
    plain = Config("infogan", conditioning="infogan", image_size=16)
    assert conditioned_on(data, plain).schema.columns == MAKEGIRLSMOE.columns


def test_codes_come_before_the_vectors_of_texts():
    text = Field("description", "vector", length=3)
    schema = LabelSchema((*SCHEMA.fields, text)).with_codes(free_codes(1, 2, 0))
    assert [field.name for field in schema.fields][-2:] == ["categorical_1", "description"]
    rows = schema.widen(np.arange(8, dtype=np.float32)[None], LabelSchema((*SCHEMA.fields, text)))
    np.testing.assert_array_equal(rows, [[0, 1, 2, 3, 4, np.nan, np.nan, 5, 6, 7]])
    assert LabelSchema.from_json(schema.to_json()) == schema
    with pytest.raises(ValueError, match="Repeated: .*continuous_1"):
        schema.with_codes(free_codes(0, 2, 1)).with_codes(free_codes(0, 2, 1))


def step(gan, batch):
    return gan.train_step({name: tf.constant(x, tf.float32) for name, x in batch.items()})


def head_of(config, schema, condition):
    """The head's weights after one step in which these labels were asked for."""
    keras.utils.set_random_seed(0)
    gan = build_gan(config, schema)
    gan.g_optimizer.learning_rate = 0.0
    images = np.tanh(np.random.default_rng(0).standard_normal((8, 16, 16, 3)))
    labels = np.zeros_like(condition)
    labels[:, 0] = 1.0
    step(gan, {"images": images, "labels": labels, "condition": condition})
    return gan.head.get_weights()[0]


@pytest.mark.parametrize("head_on_fake", [True, False])
def test_a_head_that_real_images_alone_teach_labels_learns_codes_from_generated_ones(head_on_fake):
    labels = LabelSchema((Field("smile", "flag"),))
    config = tiny(
        "ac-infogan",
        head_on_fake=head_on_fake,
        optimizer="sgd",
        updates="simultaneous",
        categorical_codes=0,
        continuous_codes=1,
    ).override(image_size=16, batch_size=8)
    schema = labels.with_codes(free_codes(0, 2, 1))
    asked = np.tile([[1.0, 0.7]], (8, 1))
    before, other_code, other_label = (
        head_of(config, schema, asked * factor) for factor in ([1, 1], [1, -1], [-1, 1])
    )
    assert np.abs(other_code - before)[:, 1].max() > 1e-6
    # What was asked of generated images beside codes teaches nothing where real ones alone do. The
    # generator draws by what it is asked for, so the head sees other features: columns of codes.
    moved = np.abs(other_label - before)[:, 0].max()
    assert (moved > 1e-6) == head_on_fake


def test_infogans_head_learns_to_read_its_codes(faces):
    data = tfanime.from_arrays(faces[0])
    config = tiny("infogan", g_lr=2e-3, d_lr=2e-3, **MIXED)
    config = config.override(image_size=16, batch_size=16)
    data = conditioned_on(data, config)
    gan = build_gan(config, data.schema)
    graph = tf.function(gan.train_step, autograph=False)  # for so many steps
    losses = []
    for _, batch in zip(range(60), data.batches(16, seed=2), strict=False):
        batch["images"] = batch["images"] / 127.5 - 1
        batch = {name: tf.constant(x, tf.float32) for name, x in batch.items()}
        losses.append(float(graph(batch)["g_label_loss"]))
    chance = np.log(3) + 1 / 6  # a third; half the variance of a uniform number from -1 to 1
    assert losses[0] == pytest.approx(chance, abs=0.15)
    assert np.mean(losses[-5:]) < 0.75 * chance


def test_networks_are_built_from_a_schema_that_has_the_codes_or_lacks_them():
    config = tiny("infogan", **MIXED)
    lacking, having = (
        build_gan(config, schema) for schema in (SCHEMA, SCHEMA.with_codes(free_codes(1, 3, 1)))
    )
    assert lacking.schema == having.schema and lacking.schema.size == SCHEMA.size + 4
    assert build_gan(tiny("infogan")).schema.size == 12
    # "auto" without labels: codes are all there is.
    gan = build_gan(tiny("modern", continuous_codes=2))
    assert gan.head is not None and not gan.head_on_real and gan.schema.size == 2


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"conditioning": "concat", "continuous_codes": 2},
            "infogan, ac or auto.*concat",
        ),
        ({"conditioning": "none", "categorical_codes": 1}, "'none' and categorical_codes=1"),
        ({"categorical_codes": -1}, "categorical_codes is at least 0. Received: -1"),
        ({"code_values": 1}, "code_values is at least 2. Received: 1"),
    ],
)
def test_codes_that_nothing_recovers_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config("infogan", **{"conditioning": "infogan", **changes})


def test_an_auxiliary_classifier_has_labels():
    with pytest.raises(ValueError, match="conditioned on labels and the data have none"):
        build_gan(tiny("ac-infogan", continuous_codes=2))


def test_codes_are_known_to_be_free_in_a_stored_schema():
    assert to_signed(SCHEMA.with_codes(free_codes(1, 2, 0)).encode({"categorical_1": 1}))[-1] == 1
