"""Training on from a steered model: it stays steered, unless it is asked not to be."""

import numpy as np
import pytest

import tfanime
from tests.training.test_start_grown import weights
from tfanime import recipes
from tfanime.core.files import read_json
from tfanime.models.steering import PLANES, STEP, is_steered, steered, unsteered
from tfanime.training.fine_tune import fine_tune
from tfanime.training.warm_start import save_start
from tfanime.zoo.saved import load_generator, save_generator, store_steering

pytestmark = [pytest.mark.usefixtures("eager"), pytest.mark.slow]
HIDDEN = 5
SMALL = {"generator": {"channels": 4, "fine_channels": 4}, "discriminator": {"channels": 4}}


@pytest.fixture(scope="module")
def model(eager, faces, tmp_path_factory):
    """A folder as `judge steer` leaves it, and the run that was steered; tests only read them."""
    few, folder = faces.select(["eyes", "smile"]), tmp_path_factory.mktemp("steered")
    options = {**SMALL, "batch_size": 8, "tensorboard": False, "progress": False}
    run = tfanime.train("modern", few, out=folder / "run", steps=1, **options)
    generator = load_generator(run.path)
    network, random = steered(generator.model, HIDDEN), np.random.default_rng(4)
    for name in (PLANES, STEP):
        layer = network.get_layer(name)
        layer.set_weights([random.normal(size=w.shape) for w in layer.get_weights()])
    save_generator(folder / "steered", network, generator.schema, "steered")
    store_steering(folder / "steered", ["tagger"])
    save_start(run.path, folder / "steered", HIDDEN)
    return folder / "steered", run, few


def steering_of(model):
    return [w for name in (PLANES, STEP) for w in model.get_layer(name).get_weights()]


def test_a_steered_model_that_is_trained_on_keeps_its_steering(model, tmp_path):
    folder, _, few = model
    few_options = {"steps": 2, "tensorboard": False, "progress": False}
    tuned = fine_tune(folder, few, out=tmp_path / "tuned", **few_options)
    assert read_json(tuned.path / "config.json")["config"]["steering"] == HIDDEN
    before, after = (load_generator(one).model for one in (folder, tuned.path))
    assert is_steered(after)
    for old, new in zip(steering_of(before), steering_of(after), strict=True):
        np.testing.assert_array_equal(old, new)
    assert (before.get_layer("fc").kernel.numpy() != after.get_layer("fc").kernel.numpy()).any()
    # It begins as the model is, steering included.
    begun = weights(tuned, 0)
    for variable in before.weights:
        np.testing.assert_array_equal(begun["generator"][variable.path], variable.numpy())
    # So does a run that begins with that run.
    again = fine_tune(tuned.path, few, out=tmp_path / "again", **few_options | {"steps": 1})
    assert is_steered(load_generator(again.path).model)


def test_labels_that_a_steered_model_lacks_move_nothing_at_first(model, train, faces):
    folder, _, few = model
    run = train("modern", faces, "all", steps=1, start=str(folder), steering=HIDDEN, **SMALL)
    planes = weights(run, 0)["generator"][f"{PLANES}/kernel"]
    old = load_generator(folder).model.get_layer(PLANES).kernel.numpy()
    assert planes.shape[0] == old.shape[0] + faces.schema.size - few.schema.size
    rows = [row for row in planes if row.any()]
    np.testing.assert_array_equal(rows, old)


@pytest.mark.parametrize("source", ["model", "run"])
def test_without_the_setting_training_begins_behind_the_steering(source, model, train):
    folder, _, few = model
    if source == "run":
        options = {"start": str(folder), "steering": HIDDEN, **SMALL}
        kept = train("modern", few, "kept", steps=1, **options)
        start, expected = kept.path, weights(kept, -1)["generator"]
        expected = {path: x for path, x in expected.items() if not path.startswith("steer_")}
    else:
        start = folder
        behind = unsteered(load_generator(folder).model)
        expected = {variable.path: variable.numpy() for variable in behind.weights}
    plain = train("modern", few, "plain", steps=1, start=str(start), **SMALL)
    assert not is_steered(load_generator(plain.path).model)
    begun = weights(plain, 0)["generator"]
    assert begun.keys() == expected.keys()
    for path, array in expected.items():
        np.testing.assert_array_equal(begun[path], array, err_msg=path)


def test_an_upscaler_has_no_latents_to_steer():
    with pytest.raises(ValueError, match="steering moves latents. Received: steering=8"):
        recipes.get("srgan").override(steering=8)
    with pytest.raises(ValueError, match="steering is at least 0. Received: -1"):
        recipes.get("modern").override(steering=-1)
