"""Pictures to latents, and the file that keeps faces."""

import functools
import json
import shutil

import keras
import numpy as np
import pytest

import tfanime
from tests.editing.tiny_editing import DIM, SCHEMA, SIZE, tagger
from tests.editing.tiny_editing import feature_network as tiny_features
from tfanime import zoo
from tfanime.core.decode import read_image
from tfanime.core.images import save_image, to_float
from tfanime.core.labels import to_signed
from tfanime.editing import invert, tuning
from tfanime.editing.descent import descend
from tfanime.editing.distance import feature_network, features_of, mean_squares, psnr
from tfanime.layers import ConditioningAugmentation
from tfanime.sampling.face import Face, load_faces, save_faces
from tfanime.sampling.sampler import Sampler
from tfanime.zoo import saved
from tfanime.zoo.directions import carry_directions, weights_digest
from tfanime.zoo.saved import Generator, load_generator


def test_descent_finds_the_least_row_by_row():
    goal = np.array([[1.0, -2], [0.5, 3]])
    scale = np.array([[1.0], [50]])

    def value_and_gradient(z):
        return (scale * (z - goal) ** 2).sum(axis=1), 2 * scale * (z - goal)

    found = list(descend(value_and_gradient, np.zeros((2, 2), np.float32), 150))
    assert len(found) == 150 and found[-1].dtype == np.float32
    np.testing.assert_allclose(found[-1], goal, atol=0.02)
    values = [value_and_gradient(z)[0] for z in found]
    assert (np.diff(values, axis=0) <= 0).all()  # never worse than before


def test_psnr():
    some = np.zeros((2, 2, 2, 3), np.uint8)
    others = some + np.uint8([0, 51])[:, None, None, None]
    np.testing.assert_allclose(psnr(some, others), [99, 20 * np.log10(5)], atol=1e-6)


def test_the_distance_is_that_of_unit_vectors():
    network = feature_network("tagger", 32, 32)
    assert [x.shape[1:3] for x in network.outputs] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    maps = features_of(network, images)
    for x in maps:
        np.testing.assert_allclose((x**2).mean(axis=-1), 1, atol=1e-3)
    assert float(mean_squares(maps, maps)[0]) == 0
    # The squared distance of two unit vectors is at most 4.
    far = float(mean_squares([x[:1] for x in maps], [x[1:] for x in maps])[0])
    assert 0 < far < 4
    with pytest.raises(ValueError, match="features is one of: tagger, lite0. Received: 'vgg'"):
        feature_network("vgg", 32, 32)


def test_a_known_generator_is_inverted(folder, tmp_path):
    """Green and blue say latents 0 and 1; labels come from the tagger, and from tags."""
    z = np.zeros((2, DIM), np.float32)
    z[:, :2] = [[1.2, -1.0], [-0.8, 2.0]]
    labels = np.float32([[1, 0, 0], [0, 1, 0]])
    images = Sampler(load_generator(folder)).decode(z, to_signed(labels))
    for i, image in enumerate(images):
        save_image(tmp_path / "in" / f"{i}.png", image)
    out, grid = tmp_path / "faces.json", tmp_path / "steps.png"
    options = {"tagger": tagger(), "tags": {"hat": False}, "steps": 40, "draws": 8}
    found = tfanime.invert(tmp_path / "in", folder, out=out, grid=grid, **options)
    assert [face.picture for face in found] == ["0.png", "1.png"]
    np.testing.assert_array_equal([face.labels for face in found], labels)
    np.testing.assert_allclose([face.latent[:2] for face in found], z[:, :2], atol=0.4)
    assert min(face.psnr for face in found) > 25
    drawn = tfanime.generate(folder, face=out)
    assert drawn.seed is None and len(drawn) == 2
    np.testing.assert_allclose(psnr(drawn.images, images), [f.psnr for f in found], atol=1e-4)
    assert read_image(grid).size == (6 * (SIZE + 2) + 2, 2 * (SIZE + 2) + 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": 0}, "steps is a whole number, at least 1. Received: 0"),
        ({"draws": 3}, "draws is a whole number, at least 4"),
        ({"out": "face.txt"}, "out, the faces, ends in .json"),
        ({"grid": "a.gif"}, "grid, a sheet of images, ends in"),
        ({"tune_steps": 0, "tune": "new"}, "tune_steps is a whole number, at least 1. Received: 0"),
        ({"tune_steps": 9}, r"tune_steps goes with tune, .* Received: 9 without it"),
        ({"tune": "."}, r"gets a new folder. Received: '.', and '.' is there. Name another"),
        ({"tune": f"{__file__}/me"}, r"gets a new folder. Received: .*test_inverting.py' is there"),
        ({"tags": {"wings": True}}, "'wings' is not a known attribute"),
    ],
)
def test_settings_that_cannot_be_are_refused_first(folder, options, says):
    picture = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    with pytest.raises(ValueError, match=says):
        tfanime.invert(picture, folder, tagger=tagger(), **options)


def test_what_is_no_picture_is_named(folder, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png' is no image to invert: not a picture"):
        tfanime.invert(tmp_path / "a.png", folder, tagger=tagger())
    with pytest.raises(ValueError, match="at least one image"):
        tfanime.invert([], folder, tagger=tagger())


@pytest.fixture
def unreachable(monkeypatch):
    """Images whose red, which the hair alone says, is stronger than any that is drawn; and the
    options of an inversion. The few weights of the generator have far to go to it."""
    monkeypatch.setattr(tuning, "RATE", 0.1)
    images = np.full((2, SIZE, SIZE, 3), 130, np.uint8)
    images[..., 0] = 240
    images[1, ..., 1] = 90
    return images, {"tagger": tagger(), "steps": 20, "draws": 8}


def test_a_tuned_model_draws_what_no_latent_does(with_directions, unreachable, tmp_path):
    images, options = unreachable
    tuned, out, grid = tmp_path / "new" / "tuned", tmp_path / "faces.json", tmp_path / "steps.png"
    plain = tfanime.invert(images, with_directions, **options)
    before = load_generator(with_directions)
    weights = before.model.get_weights()
    options |= {"out": out, "grid": grid, "tune": tuned, "tune_steps": 40}
    faces = tfanime.invert(images, before, **options)
    for face, other in zip(faces, plain, strict=True):
        np.testing.assert_array_equal(face.latent, other.latent)
        np.testing.assert_array_equal(face.labels, other.labels)
        assert face.model == "tuned" and face.psnr > other.psnr + 3
    drawn = tfanime.generate(tuned, face=out).images
    np.testing.assert_allclose(psnr(drawn, images), [f.psnr for f in faces], atol=1e-4)
    assert read_image(grid).size == (7 * (SIZE + 2) + 2, 2 * (SIZE + 2) + 2)
    # Labels change it as they did before: blue hair has little red.
    blue = tfanime.generate(tuned, face=faces, tags={"hair": "blue"}).images
    assert blue[..., 0].max() < 100 < drawn[..., 0].min()
    # The model that was given stays as it was, and directions go along.
    for one, other in zip(before.model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)
    moved = tfanime.generate(tuned, face=faces[0], move={"smile": 2})
    assert moved.latents[0, 0] == faces[0].latent[0] + np.float32(2)
    measured = json.loads((tuned / "directions.json").read_text())["measured"]
    assert measured == {"measured": {"images": 0}, "with": weights_digest(with_directions)}


def test_one_step_tunes_what_draws_and_leaves_what_reads(folder, unreachable, tmp_path):
    images, options = unreachable
    tfanime.invert(images[:1], folder, tune=tmp_path / "tuned", tune_steps=1, **options)
    dense, norm = (
        [
            next(layer for layer in load_generator(one).model.layers if isinstance(layer, kind))
            for one in (folder, tmp_path / "tuned")
        ]
        for kind in (keras.layers.Dense, keras.layers.BatchNormalization)
    )
    np.testing.assert_array_equal(*(layer.kernel.numpy() for layer in dense))
    assert (norm[0].gamma.numpy() != norm[1].gamma.numpy()).all()
    np.testing.assert_array_equal(*(layer.moving_variance.numpy() for layer in norm))


def test_which_weights_are_tuned():
    """Those that training moves, in inner networks too; what reads texts has a dense layer."""
    z, text = keras.Input((8,)), keras.Input((6,))
    x = keras.layers.Reshape((1, 1, 8))(ConditioningAugmentation(6, 8)(z, text))
    inner = keras.Sequential([keras.Input((1, 1, 8)), keras.layers.Conv2D(5, 1, name="inner")])
    x = keras.layers.Conv2D(3, 1, trainable=False)(inner(x))
    tuned = tuning.tuned_weights(keras.Model([z, text], x))
    own = inner.get_layer("inner").weights
    assert len(tuned) == 2 and all(a is b for a, b in zip(tuned, own, strict=True))


def test_many_images_without_labels_and_without_a_folder_are_tuned_to(unreachable, tmp_path):
    z = keras.Input((DIM,))
    x = keras.layers.Reshape((1, 1, 3))(keras.layers.Dense(3)(z))
    x = keras.layers.Conv2D(3, 1, activation="tanh")(keras.layers.UpSampling2D(SIZE)(x))
    generator = Generator(keras.Model(z, x), None, "bare")
    images, options = unreachable
    many = np.repeat(images, 10, axis=0)[:17]
    options = {"tagger": options["tagger"], "draws": 4, "steps": 1, "tune_steps": 10}
    faces = tfanime.invert(many, generator, tune=tmp_path / "tuned", **options)
    plain = tfanime.invert(many, generator, draws=4, steps=1, tagger=options["tagger"])
    assert len(faces) == 17 and faces[0].labels is None
    assert np.mean([f.psnr for f in faces]) > 3 + np.mean([f.psnr for f in plain])
    assert not (tmp_path / "tuned" / "directions.json").exists()


def test_directions_of_other_weights_do_not_go_along(with_directions, folder, tmp_path):
    document = json.loads((with_directions / "directions.json").read_text())
    document["weights"] = "of others"
    (with_directions / "directions.json").write_text(json.dumps(document))
    target = shutil.copytree(folder, tmp_path / "target")
    carry_directions(with_directions, target)
    assert not (target / "directions.json").exists()


def test_damaged_directions_are_refused_before_the_search(with_directions, tmp_path, monkeypatch):
    (with_directions / "directions.json").write_text("{")
    monkeypatch.setattr("tfanime.editing.invert.descend", None)
    with pytest.raises(ValueError, match=r"directions\.json"):
        tfanime.invert(np.zeros((1, SIZE, SIZE, 3), np.uint8), with_directions, tune=tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_a_network_with_nothing_to_tune_is_refused(tmp_path):
    z = keras.Input((DIM,))
    x = keras.layers.Reshape((SIZE, SIZE, 3))(keras.layers.Dense(SIZE * SIZE * 3)(z))
    generator = Generator(keras.Model(z, x), None, "flat")
    with pytest.raises(ValueError, match="Received: 'flat', which has no others. Leave out tune="):
        tfanime.invert(np.zeros((1, SIZE, SIZE, 3), np.uint8), generator, tune=tmp_path / "tuned")
    assert not (tmp_path / "tuned").exists()


def test_tuning_leaves_other_draws_near_what_they_were(folder, monkeypatch):
    """Weights that no image holds to their place go where the images pull them."""
    generator = load_generator(folder)
    sampler = Sampler(generator)
    inputs, others = sampler.inputs(1, 1), sampler.inputs(2, 32)
    target, kept = np.ones((1, SIZE, SIZE, 3), np.float32), sampler.values(*others)
    network = tiny_features("tagger", SIZE, SIZE)
    far = []
    for weight in (0.0, tuning.STAYS, 50.0):
        monkeypatch.setattr(tuning, "STAYS", weight)
        model = tuning.tune(generator, inputs, target, network, (others, kept), 30, lambda n: None)
        far.append(float(((model.predict(others, verbose=0) - kept) ** 2).mean()))
    assert far[0] > far[1] > far[2] > 0


@pytest.fixture(scope="module")
def once():
    """What takes seconds for a large model, kept between inversions: to load it, and to trace how
    far its images are from others."""
    keep = {invert: ("feature_network", "Objective"), saved: ("load_generator",)}
    return [(m, name, functools.cache(getattr(m, name))) for m in keep for name in keep[m]]


@pytest.fixture
def shipped(once, true_features, monkeypatch):
    """The generator that ships, for inversions of it."""
    for change in once:
        monkeypatch.setattr(*change)
    return saved.load_generator(zoo.DEFAULT)


@pytest.mark.slow
def test_the_shipped_models_own_image_is_found_nearer_than_random_draws(shipped):
    generator = shipped
    inputs = Sampler(generator).inputs(12345, 1)
    image = Sampler(generator).decode(*inputs)
    tags = generator.schema.decode(inputs[1][0] / 2 + 0.5)
    face = tfanime.invert(image, generator, tags=tags, steps=30, draws=16)[0]
    network = invert.feature_network("tagger", generator.height, generator.width)
    maps = features_of(network, to_float(image))
    draws = Sampler(generator).values(*Sampler(generator).inputs(1, 256))
    others = np.asarray(mean_squares(features_of(network, draws), maps))
    assert face.distance < others.min()
    drawn = tfanime.generate(generator, face=face, upscale="none").images
    assert psnr(drawn, image)[0] > psnr(np.rint((draws + 1) * 127.5), image[0]).max()
    # The latent is as long as drawn ones are.
    assert 0.7 < np.linalg.norm(face.latent) / np.sqrt(generator.latent_dim) < 1.3


@pytest.mark.slow
def test_the_shipped_model_is_tuned_to_what_it_has_no_label_for(shipped, tmp_path):
    """A bust of its own, with a bar painted over the eyes."""
    image = Sampler(shipped).images(12345, 1)
    image[:, 60:72, 24:104] = [40, 30, 45]
    options = {"steps": 2, "draws": 8, "encoder": False}
    plain = tfanime.invert(image, **options)[0]
    face = tfanime.invert(image, tune=tmp_path / "me", tune_steps=12, **options)[0]
    assert face.psnr > plain.psnr + 1 and face.distance < plain.distance
    drawn = tfanime.generate(tmp_path / "me", face=face).images
    assert drawn.shape == (1, 256, 256, 3)  # through the upscaler of the model it came from


# ---- files ---------------------------------------------------------------------------------------


def test_faces_come_back_to_the_bit(tmp_path):
    random = np.random.default_rng(3)
    latent, row = random.normal(size=5).astype(np.float32), np.float32([0.1, 1])
    faces = [Face("m", "ab", latent, ("a", "b"), row, "x.png", 20.5, 0.25, 0.5)]
    faces.append(Face("m", None, latent * 2))
    save_faces(tmp_path / "f.json", faces)
    for one, face in zip(load_faces(tmp_path / "f.json"), faces, strict=True):
        np.testing.assert_array_equal(one.latent, face.latent)
        assert one.latent.dtype == np.float32 and one.columns == face.columns
        assert (one.labels is None) == (face.labels is None)
        assert one.to_json() == face.to_json()
    np.testing.assert_array_equal(load_faces(tmp_path / "f.json")[0].labels, row)


def face_of(folder, latent=None, labels=(1, 0, 1), **changes):
    latent = np.ones(DIM, np.float32) if latent is None else latent
    row = np.float32(labels)
    given = {"model": "tiny", "weights": weights_digest(folder), "latent": latent}
    return Face(**(given | {"columns": SCHEMA.columns, "labels": row} | changes))


def test_faces_are_drawn_with_their_labels_tags_and_moves(with_directions, tmp_path):
    faces = [face_of(with_directions), face_of(with_directions, labels=(0, 1, 0))]
    made = tfanime.generate(with_directions, face=faces, out=tmp_path, seed=0)
    np.testing.assert_array_equal(made.latents, np.ones((2, DIM)))
    np.testing.assert_array_equal(made.labels, [[1, 0, 1], [0, 1, 0]])
    names = ["face_000000.png", "face_000001.png"]
    assert sorted(json.loads((tmp_path / "generated.json").read_text())["pictures"]) == names
    assert "without a seed" in repr(made)
    other = tfanime.generate(
        with_directions, face=faces[0], tags={"hair": "blue"}, move={"smile": 2}
    )
    np.testing.assert_array_equal(other.labels, [[0, 1, 1]])
    np.testing.assert_array_equal(other.latents, [[3] + [1] * (DIM - 1)])
    # The latent of one face with the labels of another.
    mixed = tfanime.generate(with_directions, face=faces[0], labels=faces[1].labels[None])
    np.testing.assert_array_equal(mixed.labels, [[0, 1, 0]])


def test_faces_of_another_model_are_refused(folder):
    for face, says in [
        (face_of(folder, model="other", weights="ab"), "face 0 of 'other', drawn with 'tiny'"),
        (face_of(folder, weights="ab"), "of 'tiny' with other weights"),
        (face_of(folder, latent=np.ones(3, np.float32)), "drawn by the model"),
        (face_of(folder, columns=("a", "b", "c")), "drawn by the model"),
    ]:
        with pytest.raises(ValueError, match=says):
            tfanime.generate(folder, face=face)


@pytest.mark.parametrize("beside", [{"seed": 3}, {"first": 2}, {"name": "Ada"}])
def test_a_face_and_a_seed_are_refused(folder, beside):
    with pytest.raises(ValueError, match="from a file or from a seed"):
        tfanime.generate(folder, face=face_of(folder), **beside)


@pytest.mark.parametrize("text", ["{}", "[]", '{"format": "tfanime faces 1", "faces": [{}]}', "x"])
def test_a_file_without_faces_is_named(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"a\.json.*tfanime invert"):
        load_faces(tmp_path / "a.json")


def test_what_is_no_face_is_refused(folder):
    with pytest.raises(ValueError, match=r"none\.json', which does not exist"):
        tfanime.generate(folder, face="none.json")
    with pytest.raises(ValueError, match="face is a file of `tfanime invert`.*Received: int"):
        tfanime.generate(folder, face=7)
