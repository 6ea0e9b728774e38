"""An encoder: what it learns, what it refuses, and the start that it gives to an inversion."""

import json
import shutil

import numpy as np
import pytest

import tfanime
from tests.editing.tiny_editing import DIM, SCHEMA, SIZE, network, tagger
from tfanime import zoo
from tfanime.core.labels import to_signed
from tfanime.editing import descent
from tfanime.editing import encoder as encoding
from tfanime.export.graph import parity
from tfanime.export.graph.graph import from_keras
from tfanime.export.graph.rewrite import rewrite
from tfanime.models import encoder as models
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.encoder import has_encoder, load_encoder
from tfanime.zoo.saved import load_generator, save_generator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def encoded(folder, tmp_path_factory):
    """A copy of the tiny generator with an encoder that was trained for 150 steps."""
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("encoded") / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "POOL", 256)
        tfanime.train_encoder(copy, steps=150)
    return copy


def test_the_one_that_ships_reads_the_images_of_its_model():
    generator = load_generator(zoo.DEFAULT)
    sampler, told = Sampler(generator), load_encoder(generator.folder, generator)
    latents, labels = sampler.latents(31, 64), sampler.labels(31, 64)
    answers, logits = told(sampler.decode(latents, labels=labels))
    shown, again, other = (
        sampler.decode(z, labels=labels).astype(np.float32)
        for z in (latents, answers, sampler.latents(99, 64))
    )
    # What it makes of an image is nearer than another face with the same labels.
    off, other_off = (np.mean((image - shown) ** 2, axis=(1, 2, 3)) for image in (again, other))
    assert np.mean(off < other_off) >= 0.9
    hair = generator.schema.slices()["hair"]
    assert np.mean(logits[:, hair].argmax(1) == labels[:, hair].argmax(1)) >= 0.75


def test_an_encoder_learns_what_images_say(encoded):
    """Green says latent 0, blue latent 1 and red the hair; nothing says the other latents."""
    generator = load_generator(encoded)
    sampler, told = Sampler(generator), load_encoder(encoded, generator)
    z = sampler.latents(5, 64)
    labels = sampler.labels(5, 64)
    latents, logits = told(sampler.decode(z, to_signed(labels)))
    assert latents.shape == (64, DIM) and logits.shape == (64, SCHEMA.size)
    assert latents.dtype == logits.dtype == np.float32
    for i in (0, 1):
        assert np.corrcoef(latents[:, i], z[:, i])[0, 1] > 0.9
    assert np.abs(latents[:, 2:]).mean() < 0.4  # where nothing is known, the mean
    assert (logits[:, :2].argmax(axis=1) == labels[:, :2].argmax(axis=1)).mean() > 0.95


def test_its_kernels_are_those_of_float16(encoded):
    for variable in load_encoder(encoded, load_generator(encoded)).model.weights:
        values = np.asarray(variable)
        if values.ndim > 1:
            np.testing.assert_array_equal(values, values.astype(np.float16))


def test_how_it_was_trained_is_stored(encoded):
    trained = json.loads((encoded / "encoder.json").read_text())["trained"]
    assert (trained["steps"], trained["pictures"], trained["seed"]) == (150, 0, 0)
    assert 0 < trained["latents"] < 1  # 1: nothing was learnt
    assert set(trained) == {
        *("steps", "seed", "pictures", "latents", "labels", "pixels", "features")
    }


def test_inversion_begins_with_it(encoded, monkeypatch):
    # Of six latents the images show two: the likely length says nothing of these.
    monkeypatch.setattr(descent, "LIKELY", 0.0)
    z = np.zeros((2, DIM), np.float32)
    z[:, :2] = [[1.2, -1.0], [-0.8, 1.0]]
    labels = np.float32([[1, 0, 0], [0, 1, 0]])
    images = Sampler(load_generator(encoded)).decode(z, to_signed(labels))
    options = {"tagger": tagger(), "tags": {"hat": False}, "draws": 4, "steps": 1}
    near = tfanime.invert(images, encoded, **options)
    far = tfanime.invert(images, encoded, **options, encoder=False)
    assert all(a.psnr > b.psnr for a, b in zip(near, far, strict=True))
    np.testing.assert_allclose([face.latent[:2] for face in near], z[:, :2], atol=0.6)
    # The nearest of the draws is said beside it all the same.
    assert [a.draws_distance for a in near] == [b.draws_distance for b in far]


def test_with_it_fewer_steps_are_made(encoded, folder, monkeypatch):
    from tfanime.editing import invert

    made = []
    original = invert.descend

    def descend(far, start, steps):
        made.append(steps)
        return original(far, start, 1)

    monkeypatch.setattr(invert, "descend", descend)
    picture = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    for run in (encoded, folder):
        tfanime.invert(picture, run, tagger=tagger(), draws=4)
    assert made == [invert.ENCODED, invert.STEPS] == [40, 120]


def test_other_weights_refuse_it(encoded, tmp_path):
    copy = shutil.copytree(encoded, tmp_path / "copy")
    other = network()
    other.set_weights([1.5 * w for w in other.get_weights()])
    save_generator(copy, other, SCHEMA, "tiny")
    with pytest.raises(ValueError, match="trained for other weights .*Train it: tfanime encoder"):
        load_encoder(copy, load_generator(copy))
    picture = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    with pytest.raises(ValueError, match="Or leave it out: --no-encoder"):
        tfanime.invert(picture, copy, tagger=tagger(), steps=1, draws=4)
    assert tfanime.invert(picture, copy, tagger=tagger(), steps=1, draws=4, encoder=False)


def test_one_that_is_of_another_shape_is_refused(encoded, tmp_path):
    copy = shutil.copytree(encoded, tmp_path / "copy")
    encoding.store_encoder(copy, models.network(SIZE, SIZE, DIM + 1, SCHEMA.size), {})
    with pytest.raises(ValueError, match="is no encoder of 'tiny'"):
        load_encoder(copy, load_generator(copy))
    with pytest.raises(ValueError, match="goes on from one of the same shape"):
        tfanime.train_encoder(copy, steps=1, start=copy)


def test_a_damaged_description_is_told_before_training(encoded, tmp_path, monkeypatch):
    copy = shutil.copytree(encoded, tmp_path / "copy")
    (copy / "encoder.json").write_text("{")
    monkeypatch.setattr(encoding._Training, "fit", None)
    with pytest.raises(ValueError, match="encoder.json' is damaged"):
        tfanime.train_encoder(encoded, steps=1, start=copy)


def test_weights_that_a_training_replaces_are_not_taken_for_those_it_is_of(
    encoded, tmp_path, monkeypatch
):
    copy, fit = shutil.copytree(encoded, tmp_path / "copy"), encoding._Training.fit
    other = network()
    other.set_weights([1.5 * w for w in other.get_weights()])

    def in_the_meantime(self, *arguments):
        save_generator(copy, other, SCHEMA, "tiny")
        return fit(self, *arguments)

    monkeypatch.setattr(encoding._Training, "fit", in_the_meantime)
    with pytest.raises(ValueError, match="trained for other weights"):
        tfanime.train_encoder(copy, steps=1)


def test_a_folder_without_one_says_how_to_train_it(folder):
    assert not has_encoder(folder) and not has_encoder(None)
    with pytest.raises(ValueError, match="has none. Train it: tfanime encoder"):
        load_encoder(folder, load_generator(folder))


def test_pictures_take_part_and_training_goes_on(encoded, tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "POOL", 32)
    copy = shutil.copytree(encoded, tmp_path / "copy")
    images = Sampler(load_generator(copy)).images(9, 12)
    data = tfanime.from_arrays(images)
    before = load_encoder(copy, load_generator(copy)).model.get_weights()
    tfanime.train_encoder(copy, data, steps=2, start=encoded, tagger=tagger())
    after = load_encoder(copy, load_generator(copy)).model.get_weights()
    # Two steps, of which the first ones are small, hardly lead away.
    far = [np.abs(a - b).max() for a, b in zip(before, after, strict=True)]
    assert 0 < max(far) < 0.2
    trained = json.loads((copy / "encoder.json").read_text())["trained"]
    assert trained["pictures"] == 12 and trained["before"]["steps"] == 150


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"minutes": 1, "steps": 2}, "some minutes or some steps. Received: both"),
        ({"minutes": 0}, "minutes is a number above 0. Received: 0"),
        ({"steps": -1}, "steps is a number above 0. Received: -1"),
    ],
)
def test_a_budget_that_is_none_is_refused(folder, options, says):
    with pytest.raises(ValueError, match=says):
        tfanime.train_encoder(folder, **options)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 64), (16, 24)])
def test_browsers_can_compute_it(height, width):
    """Every layer becomes a step of the graph that exports write, and none stays Keras's."""
    model = models.network(height, width, 12, 5)
    graph = rewrite(from_keras(model))
    assert "layer" not in {node.op for node in graph.nodes}
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, height, width, 3)).astype(np.float32)
    parity.check_rewrite(graph, [pictures], np.asarray(model(pictures, training=False)))


def test_what_is_not_known_of_a_picture_is_not_learnt():
    import tensorflow as tf

    from tfanime.editing.encoder_loss import label_loss

    logits = tf.constant([[0.0, 0, 2], [9, -9, -9]])
    labels = tf.constant([[1.0, 0, 1], [np.nan, np.nan, np.nan]])
    expected = (np.log(2) + np.log1p(np.exp(-2))) / 2
    assert float(label_loss(SCHEMA, labels, logits)) == pytest.approx(expected, rel=1e-5)
    assert float(label_loss(None, labels, logits)) == 0
