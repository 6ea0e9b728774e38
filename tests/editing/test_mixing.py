"""`mix`: against the formula in NumPy, on a network whose maps and styles are known functions."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import tfanime
from tests.command_line import invoke
from tests.editing.tiny_editing import SCHEMA
from tfanime.core import seeds
from tfanime.core.decode import read_image
from tfanime.core.labels import to_signed
from tfanime.models import mixing, modern
from tfanime.models.mixing import mixed, style_sizes
from tfanime.models.steering import PLANES, STEP, steered
from tfanime.zoo.saved import Generator, save_generator

DIM, SIZE = 6, 16
RANDOM = np.random.default_rng(5)


def network(labelled: bool = True) -> keras.Model:
    """A map of 8x8, times a function of the style; enlarged, times another one; tanh."""
    inputs = [keras.Input((DIM,), name="latents")]
    if labelled:
        inputs.append(keras.Input((SCHEMA.size,), name="labels"))
    x = keras.layers.Concatenate(name="both")(inputs) if labelled else inputs[0]
    style = keras.layers.Dense(4, name="style")(x)

    def times(x, name):
        scale = keras.layers.Dense(3, name=f"{name}_scale")(style)
        scale = keras.layers.Reshape((1, 1, 3), name=f"{name}_maps")(scale)
        return keras.layers.Multiply(name=name)([x, scale])

    x = keras.layers.Dense(3, name="fc")(x)
    x = keras.layers.Reshape((1, 1, 3), name="fc_map")(x)
    x = times(keras.layers.UpSampling2D(8, name="small")(x), "coarse")
    x = times(keras.layers.UpSampling2D(2, name="large")(x), "fine")
    images = keras.layers.Activation("tanh", name="pictures")(x)
    model = keras.Model(inputs if labelled else inputs[0], images)
    for weight in model.weights:
        weight.assign(RANDOM.normal(size=weight.shape) / 2)
    return model


def affine(model, name, x):
    kernel, bias = model.get_layer(name).get_weights()
    return x @ kernel + bias


def colour(model, coarse, fine):
    """What `network` draws everywhere, of `(B, DIM + L)` a face."""
    x = affine(model, "fc", coarse)
    x = x * affine(model, "coarse_scale", affine(model, "style", coarse))
    return np.tanh(x * affine(model, "fine_scale", affine(model, "style", fine)))


def face(seed, labelled=True, tags=None):
    """Latents and labels of the first image of a seed, side by side."""
    z = seeds.latents(seed, 1, DIM)
    return np.hstack([z, to_signed(seeds.sample_labels(seed, 1, SCHEMA, tags))]) if labelled else z


@pytest.fixture(scope="module")
def styled():
    return Generator(network(), SCHEMA, "styled")


def test_the_fine_style_begins_at_its_size(styled):
    both = tfanime.mix(styled, [1, 2], [3, 4, 5], 16)
    assert both.images.shape == (6, SIZE, SIZE, 3)
    pairs = [(a, b) for a in (1, 2) for b in (3, 4, 5)]
    for image, (a, b) in zip(both.images, pairs, strict=True):
        expected = colour(styled.model, face(a), face(b))[0]
        assert np.abs(image / 127.5 - 1 - expected).max() < 0.009, (a, b)
    np.testing.assert_array_equal(both.latents[4], seeds.latents(2, 1, DIM)[0])
    np.testing.assert_array_equal(to_signed(both.labels[4:5]), face(2)[:, DIM:])


def test_all_styles_can_be_the_fine_faces(styled):
    x, y = face(1), face(3)
    [image] = tfanime.mix(styled, [1], [3], 8).images
    other = affine(styled.model, "style", y)
    expected = affine(styled.model, "fc", x) * affine(styled.model, "coarse_scale", other)
    expected = np.tanh(expected * affine(styled.model, "fine_scale", other))[0]
    assert np.abs(image / 127.5 - 1 - expected).max() < 0.009
    # The second size, if none is said.
    images = [tfanime.mix(styled, [1], [3], size).images for size in (None, 16, 8)]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()


def test_attributes_and_truncation_are_of_both_faces(styled):
    tags = {"hair": "blue", "hat": True}
    made = tfanime.mix(styled, [1], [3], 16, tags=tags, truncation=0.5)
    faces = [face(seed, tags=tags) * ([0.5] * DIM + [1] * SCHEMA.size) for seed in (1, 3)]
    expected = colour(styled.model, *faces)[0]
    assert np.abs(made.images[0] / 127.5 - 1 - expected).max() < 0.009
    assert made.tags == [tags]


def test_a_model_without_labels_and_the_sheet(tmp_path):
    bare = Generator(network(labelled=False), None, "bare")
    made = tfanime.mix(bare, [1, 2], [3, 1], 16, grid=tmp_path / "mixed.png")
    assert made.labels is None
    for image, a, b in zip(made.images, (1, 1, 2, 2), (3, 1, 3, 1), strict=True):
        expected = colour(bare.model, face(a, labelled=False), face(b, labelled=False))[0]
        assert np.abs(image / 127.5 - 1 - expected).max() < 0.009
    sheet = np.asarray(read_image(tmp_path / "mixed.png").convert("RGB"), int)

    def cell(row, column):  # of three rows and three columns, with 4 pixels around each
        low = sheet.shape[0] - 4 - (3 - row) * (SIZE + 4) + 4
        left = sheet.shape[1] - 4 - (3 - column) * (SIZE + 4) + 4
        return sheet[low : low + SIZE, left : left + SIZE]

    assert (cell(0, 0) == 255).all()
    alone = {seed: tfanime.generate(bare, n=1, seed=seed).images[0] for seed in (1, 2, 3)}
    for place, expected in {
        (1, 0): alone[1],
        (2, 0): alone[2],
        (0, 1): alone[3],
        (0, 2): alone[1],
        (1, 2): alone[1],  # mixed with itself a face is as it was
        (2, 1): made.images[2],
        (2, 2): made.images[3],
    }.items():
        assert np.abs(cell(*place) - expected).max() <= 1, place


def test_a_steered_generator_leads_the_latents_of_both():
    keras.utils.set_random_seed(1)
    model = modern.generator(
        32, 32, DIM, SCHEMA.size, channels=4, fine_channels=4, normalisation="styled", grown=8
    )
    for weight in model.weights:
        if weight.name in ("moving_variance", "gamma"):
            weight.assign(RANDOM.uniform(0.5, 1.5, weight.shape))
        else:
            weight.assign(RANDOM.normal(size=weight.shape) / np.sqrt(np.prod(weight.shape[:-1])))
    norms = {"up0_conv": 8, "res0_1": 8, "last": 8, "fine_conv": 16}
    norms |= {"grown_conv": 16, "grown_res": 16, "grown_fine": 32}
    ends = ("bn_scale", "bn_shift")
    assert style_sizes(model) == {f"{norm}_{end}": norms[norm] for norm in norms for end in ends}
    found = steered(model, 3)
    a, b, c = (RANDOM.normal(size=s) for s in ((DIM + SCHEMA.size, 3), (3,), (3, DIM)))
    found.get_layer(PLANES).set_weights([a, b])
    found.get_layer(STEP).set_weights([c])
    z = RANDOM.normal(size=(2, 4, DIM)).astype(np.float32)
    y = np.sign(RANDOM.normal(size=(2, 4, SCHEMA.size))).astype(np.float32)
    led = [
        np.float32(one + np.maximum(np.hstack([one, labels]) @ a + b, 0) @ c)
        for one, labels in zip(z, y, strict=True)
    ]
    before = found([z[0], y[0]])
    expected = mixed(model, 16)([led[0], y[0], led[1], y[1]])
    np.testing.assert_allclose(mixed(found, 16)([z[0], y[0], z[1], y[1]]), expected, atol=1e-4)
    assert np.abs(np.asarray(expected - before)).max() > 1e-3
    # Of the generator nothing has changed.
    np.testing.assert_array_equal(found([z[0], y[0]]), before)
    assert mixed(found, 16).count_params() == mixed(found, 32).count_params()


def test_each_group_has_a_switch_of_its_own(styled):
    """Where there are switches and no sizes; the rows of a batch have their own."""
    model, x, y = styled.model, np.vstack([face(1), face(2)]), np.vstack([face(3), face(4)])
    assert list(mixing.style_groups(model)) == ["coarse", "fine"]
    halves = [[rows[:, :DIM], rows[:, DIM:]] for rows in np.float32([x, y])]
    switches = {"coarse": np.asarray([True, False]), "fine": np.asarray([False, False])}
    found = np.asarray(mixing.draw_mixed(model, *halves, switches))
    np.testing.assert_array_equal(found[1], model([half[1:] for half in halves[0]])[0])
    expected = affine(model, "fc", x) * affine(model, "coarse_scale", affine(model, "style", y))
    expected *= affine(model, "fine_scale", affine(model, "style", x))
    np.testing.assert_allclose(
        found[0], np.broadcast_to(np.tanh(expected[0]), (16, 16, 3)), atol=1e-5
    )


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([], {}),
        ([8], {"fine": [8]}),
        ([8, 16], {"coarse": [8], "fine": [16]}),
        ([8, 16, 32], {"coarse": [8], "middle": [16], "fine": [32]}),
        ([8, 16, 32, 64, 128], {"coarse": [8], "middle": [16, 32], "fine": [64, 128]}),
    ],
)
def test_sizes_are_shared_out_among_groups(sizes, groups, monkeypatch):
    monkeypatch.setattr(mixing, "style_sizes", lambda _: {f"at_{size}": size for size in sizes})
    expected = {group: [f"at_{size}" for size in of] for group, of in groups.items()}
    assert mixing.style_groups(None) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fine_from": 32}, "have the sizes 8, 16: the fine style begins at one.*Received: 32"),
        ({"coarse_seeds": []}, r"coarse_seeds is one seed or more, \[1, 2\]. Received: \[\]"),
        ({"fine_seeds": 3}, r"fine_seeds is one seed or more, \[1, 2\]. Received: 3"),
        ({"fine_seeds": [-1]}, "seed is a whole number.*Received: -1"),
        ({"coarse_seeds": [0] * 40, "fine_seeds": [0] * 40}, "at most 1,000 images.*40 coarse"),
        ({"truncation": 3}, "truncation is a number from 0 to 2"),
        ({"typical": True}, "typical needs a model"),
        ({"grid": "a.gif"}, "grid, the sheet, ends in"),
        ({"tags": {"eyes": "red"}}, "eyes"),
    ],
)
def test_what_cannot_be_mixed(styled, options, message):
    with pytest.raises(ValueError, match=message):
        tfanime.mix(styled, **options)


# ---- the verb ------------------------------------------------------------------------------------


def test_a_model_without_styles_is_refused_in_a_sentence(folder, tmp_path):
    done = invoke("mix", folder, "--grid", tmp_path / "a.png")
    assert done.exit_code == 1 and done.output.count("Error: ") == 1, done.output
    assert "Mixing needs a generator with styles. Received: 'tiny'" in done.output
    assert "generator.normalisation=styled" in done.output and not list(tmp_path.iterdir())


def test_the_verb(tmp_path, monkeypatch):
    save_generator(tmp_path / "run", network(), SCHEMA, "styled")
    words = ["mix", tmp_path / "run", "--coarse-seeds", "1,2", "--fine-seeds", "3", "--from", 16]
    words += ["--grid", tmp_path / "a.png"]
    done = invoke(*words, "--hair", "blue")
    assert done.exit_code == 0 and f"sheet: {tmp_path / 'a.png'}" in done.output, done.output
    assert read_image(tmp_path / "a.png").width > 2 * SIZE
    seen = []
    monkeypatch.setitem(vars(tfanime), "mix", lambda *run, **options: seen.append((run, options)))
    assert invoke(*words, "--hair", "blue", "--no-hat", "--no-upscale").exit_code == 0
    (run, options) = seen[0]
    assert run == (tmp_path / "run",)
    expected = {"coarse_seeds": [1, 2], "fine_seeds": [3], "fine_from": 16, "scale": 1}
    expected |= {"tags": {"hair": "blue", "hat": False}, "upscale": "none", "typical": False}
    expected |= {"grid": str(tmp_path / "a.png"), "truncation": 1.0, "progress": True}
    assert options == expected
    for more, said in ((["--from", 0], "--from"), (["--coarse-seeds", "1,x"], "whole numbers")):
        done = invoke(*words, *more)
        assert done.exit_code == 2 and said in done.output
