"""Seeds and words inside a graph against their reference in Python."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import SCHEMA

from tfanime.core import seeds as latent
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema, to_signed
from tfanime.export.serving.served import checks, seeds, words

NAN = np.float32(np.nan)
BOTH = LabelSchema((*MAKEGIRLSMOE.fields, *SCHEMA.fields[3:], Field("score", "value")))


def test_latents_and_labels_are_those_of_the_reference():
    """Rows of different seeds and indices at once, to the ends of their ranges."""
    asked = [(0, 0), (7, 10**6), (2**32 + 5, 3), (2**53 - 1, 2**32 - 1)]
    seed, index = (tf.constant(x, tf.int64) for x in zip(*asked, strict=True))
    given = np.full((4, BOTH.size), NAN)
    given[1] = BOTH.encode({"hair": "blue", "smile": True, "year": 2005})
    uniforms = tf.function(seeds.uniforms)(seed, index, 9).numpy()
    z = tf.function(lambda s, i: seeds.latents(s, i, 33))(seed, index).numpy()
    labels = tf.function(lambda s, i: seeds.labels(s, i, BOTH, given))(seed, index).numpy()
    for row, (s, i) in enumerate(asked):
        np.testing.assert_array_equal(uniforms[row], latent.uniforms(s, 1, 9, i)[0])
        np.testing.assert_allclose(z[row], latent.latents(s, 1, 33, i)[0], rtol=0, atol=1e-6)
        tags = {"hair": "blue", "smile": True, "year": 2005} if row == 1 else None
        np.testing.assert_array_equal(labels[row], latent.sample_labels(s, 1, BOTH, tags, i)[0])


@pytest.mark.parametrize("tags", [{}, {"hair": "blue"}, {"smile": True, "hair": "red"}])
def test_labels_with_vectors_are_drawn_from_examples(tags):
    random = np.random.default_rng(0)
    fields = (*SCHEMA.fields, Field("text", "vector", length=4))
    rows = random.uniform(-2, 2, (30, 9)).astype(np.float32)
    rows[:, :5] = np.stack(
        [
            SCHEMA.encode({"hair": h, "smile": s, "long_hair": s, "year": 2000})
            for h in ("red", "blue")
            for s in (True, False)
        ]
    )[np.arange(30) % 4]
    rows[7, 2] = np.nan
    schema = LabelSchema(fields).with_frequencies(rows)
    assert schema.examples is not None
    seed, index = tf.fill((40,), tf.constant(7, tf.int64)), tf.range(40, dtype=tf.int64)
    given = np.tile(schema.encode(tags), (40, 1))
    found = tf.function(lambda: seeds.labels(seed, index, schema, given))().numpy()
    np.testing.assert_array_equal(found, latent.sample_labels(7, 40, schema, tags))
    text = ",".join(f"{k}={v}" for k, v in tags.items())
    np.testing.assert_array_equal(words.encode(tf.constant([text]), schema)[0], given[0])
    assert words.decode(found, schema).numpy()[0].startswith(b"hair=")


def test_a_model_of_texts_alone_takes_no_tags():
    schema = LabelSchema((Field("text", "vector", length=4),))
    assert np.isnan(words.encode(tf.constant([""]), schema)).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="no labels that words can say"):
        words.encode(tf.constant(["x"]), schema)
    assert words.decode(tf.zeros((2, 4)), schema).numpy().tolist() == [b"", b""]


def test_signed_coding():
    rows = np.float32([[0, 1, 0.5, np.nan, 0.25]])
    np.testing.assert_array_equal(seeds.signed(rows), to_signed(rows))


@pytest.mark.parametrize("b", [[3, -1, 2], [2, 4, 6], [-1, -2, -3], [0, 0, 0], [1, 2, 3 + 1e-9]])
def test_arcs(b):
    a, t = np.float32([1, 2, 3]), np.linspace(0, 1, 5)
    rows = [np.tile(np.float32(x), (5, 1)) for x in (a, b)]
    for ours, reference in ((seeds.slerp, latent.slerp), (seeds.lerp, latent.lerp)):
        found = ours(*rows, t[:, None]).numpy()
        np.testing.assert_allclose(found, reference(a, np.float32(b), t), rtol=0, atol=1e-6)


READ = {
    "": {},
    " , ,": {},
    "hair=blue": {"hair": "blue"},
    "hair = red , smile": {"hair": "red", "smile": True},
    "no-long-hair,long-hair=1": None,
    "no-long_hair": {"long_hair": False},
    "long-hair=ON,smile=false": {"long_hair": True, "smile": False},
    "year=2005.5": {"year": 2005.5},
    "year=1.99e3": {"year": 1990},
}


@pytest.mark.parametrize("text", READ)
def test_words_are_read(text):
    if READ[text] is None:
        with pytest.raises(tf.errors.InvalidArgumentError, match="tags is given once"):
            words.encode(tf.constant([text]), SCHEMA)
        return
    rows = words.encode(tf.constant([text, "smile", text]), SCHEMA).numpy()
    expected = SCHEMA.encode(READ[text])
    np.testing.assert_array_equal(rows, [expected, SCHEMA.encode({"smile": True}), expected])


@pytest.mark.parametrize(
    "text",
    ["hair", "hair=mauve", "no-hair", "smile=maybe", "no-smile=yes", "hat", "year", "year=x"]
    + ["year=2021", "year=1e999", "year=nan", "=", "hair==red", "\xff", "smile;hair=red"],
)
def test_other_words_are_refused(text):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        words.encode(tf.constant(["smile", text]), SCHEMA)
    message = caught.value.message
    assert "tags are of: hair=red|blue; long_hair or no-long_hair; smile or no-smile; " in message
    assert "year=1990..2020. Received: " in message


@pytest.mark.parametrize("text", [b"x" * 10**7, b"\x00" * 3000, b"," * 2000, b"smile," * 101])
def test_long_texts_are_refused_in_a_short_sentence(text):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        words.encode(tf.constant([text]), SCHEMA)
    assert " at most " in caught.value.message and len(caught.value.message) < 500


def test_rows_become_words():
    rows = np.stack(
        [
            SCHEMA.encode({"hair": "red", "long_hair": False, "smile": False, "year": 1990}),
            SCHEMA.encode({"hair": "blue", "long_hair": True, "smile": True, "year": 2020}),
        ]
    )
    found = words.decode(tf.constant(rows), SCHEMA).numpy().tolist()
    assert found == [b"hair=red,year=1990", b"hair=blue,long_hair,smile,year=2020"]
    np.testing.assert_array_equal(words.encode(tf.constant(found[1:]), SCHEMA), rows[1:])
    flags = LabelSchema(SCHEMA.fields[1:3])
    found = words.decode(tf.constant([[0.0, 0.0], [0.0, 1.0]]), flags).numpy().tolist()
    assert found == [b"", b"smile"]


@pytest.mark.parametrize("name", ["a,b", "a=b", " a", ""])
def test_names_that_cannot_be_said(name):
    with pytest.raises(ValueError, match="names without commas"):
        words.check_names(LabelSchema((Field("hair", "group", ("red", name)),)))


def test_checks_come_first():
    """What a check refuses is never computed with, whatever order TensorFlow likes."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int64)])
    def ones(n):
        n = checks.after([checks.whole("n", n, 1, 3)], n)
        return tf.ones((n[0], 2**30))

    with pytest.raises(tf.errors.InvalidArgumentError, match="from 1 to 3. Received: 1000000000."):
        ones(tf.constant([10**9], tf.int64))
