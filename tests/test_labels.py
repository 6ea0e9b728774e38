import json

import numpy as np
import pytest

from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema, to_signed, to_unsigned

nan = np.nan
SCHEMA = LabelSchema(
    (
        Field("hair", "group", ("blonde", "blue", "red")),
        Field("smile", "flag"),
        Field("year", "value", low=2000, high=2010),
    )
)


def test_columns_slices_and_size():
    assert SCHEMA.columns == ("blonde_hair", "blue_hair", "red_hair", "smile", "year")
    assert SCHEMA.size == 5
    assert SCHEMA.slices() == {"hair": slice(0, 3), "smile": slice(3, 4), "year": slice(4, 5)}


def test_encode_and_decode():
    row = SCHEMA.encode({"hair": "blue", "smile": "No", "year": "2005"})
    np.testing.assert_array_equal(row, np.float32([0, 1, 0, 0, 0.5]))
    assert row.dtype == np.float32
    assert SCHEMA.decode(row) == {"hair": "blue", "smile": False, "year": 2005.0}
    np.testing.assert_array_equal(SCHEMA.encode({"smile": True}), [nan, nan, nan, 1, nan])
    assert SCHEMA.decode(SCHEMA.encode({"smile": True})) == {"smile": True}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"hat": 1}, "not a known attribute. Known: hair, smile, year"),
        ({"hair": "pink"}, "one of: blonde, blue, red. Received: 'pink'"),
        ({"smile": "maybe"}, "true or false. Received: 'maybe'"),
        ({"year": 1999}, "from 2000 to 2010. Received: 1999"),
        ({"year": "old"}, "from 2000 to 2010. Received: 'old'"),
        ({"year": nan}, "from 2000 to 2010. Received: nan"),
    ],
)
def test_encode_names_what_is_known(tags, message):
    with pytest.raises(ValueError, match=message):
        SCHEMA.encode(tags)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Field("a", "colour"),
        lambda: Field("a", "group", ("one",)),
        lambda: Field("a", "group", ("one", "one")),
        lambda: Field("a", "value", low=1, high=1),
        lambda: LabelSchema((Field("a", "flag"), Field("a", "flag"))),
        lambda: LabelSchema((Field("red_hair", "flag"), SCHEMA.fields[0])),
    ],
)
def test_bad_schemas_are_refused(make):
    with pytest.raises(ValueError, match="Received|Repeated"):
        make()


def test_signed_coding():
    np.testing.assert_array_equal(to_signed([0, 1, 0.5, nan]), np.float32([-1, 1, 1e-6, 0]))
    np.testing.assert_array_equal(to_unsigned([-1, 1, 0]), np.float32([0, 1, 0.5]))
    assert to_signed([0]).dtype == to_unsigned([0]).dtype == np.float32


def test_empirical_frequencies():
    labels = np.float32(
        [[1, 0, 0, 1, 0.0], [1, 0, 0, 0, 0.5], [0, 0, 1, nan, 1.0], [nan, nan, nan, 0, nan]]
    )
    hair, smile, year = SCHEMA.with_frequencies(labels).fields
    np.testing.assert_allclose(hair.frequencies, [2 / 3, 0, 1 / 3])
    np.testing.assert_allclose(smile.frequencies, [1 / 3])
    np.testing.assert_allclose(year.frequencies, np.linspace(0, 1, 17))
    unknown = SCHEMA.with_frequencies(np.full((2, 5), nan))
    assert all(field.frequencies == () for field in unknown.fields)


def test_sampling_inverts_the_distribution():
    labels = np.float32([[1, 0, 0, 1, 0.2], [1, 0, 0, 0, 0.6]])
    schema = SCHEMA.with_frequencies(labels)
    uniforms = np.array([[0.0, 0.0, 0.0], [0.99, 0.499, 0.5], [0.3, 0.5, 0.999999]])
    drawn = schema.sample(uniforms)
    np.testing.assert_array_equal(drawn[:, :3], [[1, 0, 0]] * 3)  # hair was always blonde
    np.testing.assert_array_equal(drawn[:, 3], [1, 1, 0])
    np.testing.assert_allclose(drawn[:, 4], [0.2, 0.4, 0.6], atol=1e-5)
    # The training prior: colours uniform, flags 0.25, values uniform.
    drawn = schema.sample(np.array([[0.5, 0.2, 0.3], [0.67, 0.25, 0.7]]), "training")
    np.testing.assert_array_equal(drawn[:, :4], [[0, 1, 0, 1], [0, 0, 1, 0]])
    np.testing.assert_allclose(drawn[:, 4], [0.3, 0.7], atol=1e-6)


def test_sampling_keeps_what_is_given():
    given = SCHEMA.encode({"hair": "red"})
    drawn = SCHEMA.sample(np.random.default_rng(0).random((50, 3)), "training", given)
    assert not np.isnan(drawn).any() and (drawn[:, 2] == 1).all()
    assert 0.1 < drawn[:, 3].mean() < 0.45
    with pytest.raises(ValueError, match="prior"):
        SCHEMA.sample(np.zeros((1, 3)), "uniform")


def test_json_round_trip():
    schema = SCHEMA.with_frequencies(np.float32([[1, 0, 0, 1, 0.2]]))
    assert LabelSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert LabelSchema.from_json(json.loads(json.dumps(MAKEGIRLSMOE.to_json()))) == MAKEGIRLSMOE


def test_makegirlsmoe():
    assert MAKEGIRLSMOE.size == 34 and len(MAKEGIRLSMOE.fields) == 13
    where = {name: place.start for name, place in MAKEGIRLSMOE.slices().items()}
    assert where["hair"] == 0 and where["long_hair"] == 13 and where["blush"] == 18
    assert where["glasses"] == 23 and where["eyes"] == 24
    assert MAKEGIRLSMOE.columns[3] == "blue_hair" and MAKEGIRLSMOE.columns[-1] == "orange_eyes"
    for field in MAKEGIRLSMOE.fields:
        if field.kind == "group":
            np.testing.assert_allclose(sum(field.frequencies), 1)


def test_the_middle_of_a_range_is_not_unknown():
    signed = to_signed(np.array([[0.5, np.nan]], np.float32))
    assert signed[0, 0] != 0 and abs(signed[0, 0]) < 1e-5
    assert signed[0, 1] == 0


VECTORS = LabelSchema((*SCHEMA.fields, Field("plot", "vector", length=3)))


def test_vectors_have_columns_and_come_last():
    assert VECTORS.columns[-3:] == ("plot_0", "plot_1", "plot_2")
    assert (VECTORS.size, VECTORS.vector_size, SCHEMA.vector_size) == (8, 3, 0)
    row = VECTORS.encode({"plot": np.float32([2.5, 0, -1])})
    np.testing.assert_allclose(to_signed(row)[5:], [2.5, 0, -1], atol=1e-6)
    assert VECTORS.decode(row) == {}
    with pytest.raises(ValueError, match="vector of 3 numbers.*imagine"):
        VECTORS.encode({"plot": "a story"})
    with pytest.raises(ValueError, match="Vectors come after"):
        LabelSchema((Field("plot", "vector", length=3), Field("smile", "flag")))
    for wrong in (lambda: Field("plot", "vector"), lambda: Field("smile", "flag", length=2)):
        with pytest.raises(ValueError, match="length is at least 1 for a vector"):
            wrong()


def test_labels_with_vectors_are_drawn_from_examples():
    labels = np.float32(
        [
            [1, 0, 0, 1, 0.5, 3, 3, 3],
            [0, 1, 0, 0, 0.1, 4, 4, 4],
            [0, 1, 0, 1, 0.9, 5, 5, 5],
            [0, 0, 1, 1, 0.9, nan, nan, nan],
        ]
    )
    schema = VECTORS.with_frequencies(labels)
    np.testing.assert_array_equal(schema.examples, labels[:3])
    assert schema.fields[0].frequencies == (0.25, 0.5, 0.25)
    uniforms = np.random.default_rng(0).random((300, 4))
    drawn = schema.sample(uniforms)
    # Whole rows, each about as often.
    counts = [(drawn == row).all(axis=1).sum() for row in labels[:3]]
    assert sum(counts) == 300 and min(counts) > 70
    blue = schema.sample(uniforms, given=VECTORS.encode({"hair": "blue"}))
    assert {float(row[5]) for row in blue} == {4.0, 5.0}
    both = schema.sample(uniforms, given=VECTORS.encode({"hair": "blue", "smile": True}))
    np.testing.assert_array_equal(both, np.broadcast_to(labels[2], both.shape))
    # What no example has is kept as it is given.
    odd = schema.sample(uniforms, given=VECTORS.encode({"hair": "red", "smile": False}))
    np.testing.assert_array_equal(odd[:, :4], np.broadcast_to([0, 0, 1, 0], (300, 4)))
    again = LabelSchema.from_json(json.loads(json.dumps(schema.to_json())))
    assert again == schema
    np.testing.assert_allclose(again.examples, schema.examples, rtol=1e-3)
    assert (VECTORS.sample(uniforms)[:, 5:] == 0.5).all()  # without examples: the middle


def test_selecting_fields():
    labels = np.float32([[1, 0, 0, 1, 0.5, 3, 3, 3], [0, 1, 0, 0, 0.1, 4, 4, 4]])
    schema, columns = VECTORS.with_frequencies(labels).select(["plot", "smile"])
    assert [f.name for f in schema.fields] == ["smile", "plot"]
    assert columns.tolist() == [3, 5, 6, 7]
    np.testing.assert_array_equal(schema.examples, labels[:, columns])
    with pytest.raises(ValueError, match="'plan' is not a known attribute"):
        VECTORS.select(["plan"])
    with pytest.raises(ValueError, match="Received none"):
        VECTORS.select([])


# ---- rows --------------------------------------------------------------------------------------


def test_rows_of_another_schema():
    """By names: columns move, years are measured anew, what one of both lacks is not known."""
    other = LabelSchema(
        (
            Field("year", "value", low=1990, high=2010),
            Field("hat", "flag"),
            Field("hair", "group", ("red", "green", "blue")),
        )
    )
    rows = [
        other.encode({"hair": "blue", "year": 2005, "hat": True}),
        other.encode({"hair": "green", "year": 1990}),
        other.encode({"hat": False}),
    ]
    found = SCHEMA.convert(np.stack(rows), other)
    expected = [[0, 1, 0, nan, 0.5], [nan, nan, nan, nan, 0], [nan] * 5]
    np.testing.assert_allclose(found, np.float32(expected), atol=1e-6)
    np.testing.assert_array_equal(SCHEMA.convert(found, SCHEMA)[0], found[0])


def test_with_rows_what_never_goes_together_is_never_drawn():
    """Red hair smiles, blue hair does not: drawn alone, half of the pairs would break that."""
    pairs = ({"hair": "red", "smile": True}, {"hair": "blue", "smile": False})
    rows = np.stack([SCHEMA.encode(pairs[i % 4 == 0] | {"year": 2005}) for i in range(5000)])
    plain = SCHEMA.with_frequencies(rows)
    schema = plain.with_rows(rows)
    assert plain.examples is None and len(schema.examples) == 1024
    uniforms = np.random.default_rng(0).random((400, 3))
    drawn = schema.sample(uniforms)
    np.testing.assert_array_equal(drawn[:, 2], drawn[:, 3])
    assert drawn[:, 2].mean() == pytest.approx(3 / 4, abs=0.07)
    asked = schema.sample(uniforms, given=schema.encode({"hair": "blue"}))
    assert (asked[:, 1] == 1).all() and (asked[:, 3] == 0).all()
    # Nobody is blonde: what is asked for goes before the rows, which say the rest.
    asked = schema.sample(uniforms, given=schema.encode({"hair": "blonde"}))
    assert (asked[:, :3] == [1, 0, 0]).all() and set(asked[:, 3]) == {0, 1}
    stored = LabelSchema.from_json(json.loads(json.dumps(schema.to_json())))
    np.testing.assert_array_equal(stored.sample(uniforms), drawn)
    # Models without rows draw as ever.
    assert "examples" not in plain.to_json()
    assert (plain.sample(uniforms)[:, 2] != plain.sample(uniforms)[:, 3]).any()
