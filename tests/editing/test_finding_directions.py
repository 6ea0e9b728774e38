"""Directions of attributes, what they are measured to do, and the file that keeps them."""

import json
import shutil

import numpy as np
import pytest

import tfanime
from tests.editing.tiny_editing import DIM, network, tagger
from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.files import read_json
from tfanime.editing.attributes import logits_of, orthogonal, regress
from tfanime.zoo.directions import Direction, load_directions, store_directions
from tfanime.zoo.hub import most_bytes
from tfanime.zoo.saved import Generator, load_generator, load_schema, store_upscaler

RANDOM = np.random.default_rng(6)


def test_regression_leaves_to_the_labels_what_is_theirs():
    z = RANDOM.normal(size=(2000, 4))
    labels = np.sign(z[:, :1] + RANDOM.normal(size=(2000, 1)))  # go together with latent 0
    logits = np.stack([3 * labels[:, 0] + 2 * z[:, 1], RANDOM.normal(size=2000)], axis=1)
    gradients, fits = regress(z, labels, logits)
    ways = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    assert ways[0, 1] > 0.98 and abs(ways[0, 0]) < 0.15
    assert fits[0] > 0.95 and abs(fits[1]) < 0.15


def test_orthogonal_directions_share_nothing_with_the_others():
    gradient, others = RANDOM.normal(size=6), RANDOM.normal(size=(2, 6))
    found = orthogonal(gradient, others)
    np.testing.assert_allclose(others @ found, 0, atol=1e-12)
    assert np.linalg.norm(found) == pytest.approx(1) and found @ gradient > 0
    np.testing.assert_allclose(orthogonal([3.0, 4], []), [0.6, 0.8])


def test_logits_are_bounded():
    np.testing.assert_allclose(logits_of([0.0, 0.5, 1.0]), [-8, 0, 8])


def test_what_is_found_in_a_known_generator(folder, tmp_path):
    run = shutil.copytree(folder, tmp_path / "run")
    found = tfanime.find_directions(run, n=400, sefa=2, pca=1, tagger=tagger(), n_measured=16)
    by_name = {one.name: one for one in found}
    assert [one.name for one in found if one.kind != "tagger"] == ["sefa-1", "sefa-2", "pca-1"]
    smile = by_name["smile"]
    assert smile.vector[0] > 0.99 and smile.fit > 0.9  # green follows latent 0 alone
    # Six steps to either side, from one end to the other: a twelfth of nearly 1 a step.
    assert 0.06 < smile.changes["smile"] < 1 / 12 and set(smile.changes) == {"smile"}
    assert "hat" in by_name  # a label, and a flag: latent 1 changes it too
    assert by_name["hat"].vector[1] > 0.99
    assert "red_hair" not in by_name  # labels decide it
    # Its logit goes with latent 0, and no step brings it about.
    assert "grin" not in by_name
    assert read_json(run / "directions.json")["measured"]["without effect"] == ["grin"]
    np.testing.assert_allclose(by_name["sefa-1"].vector, np.eye(DIM)[0], atol=1e-5)
    np.testing.assert_allclose(by_name["sefa-2"].vector, np.eye(DIM)[1], atol=1e-5)
    assert by_name["pca-1"].vector[0] > 0.9 and 0 < smile.stays < 1
    stored = load_directions(run, DIM)
    assert list(stored) == [one.name for one in found]
    assert stored["smile"].changes == pytest.approx(smile.changes, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n": 100}, "n is a whole number, at least 400. Received: 100"),
        ({"sefa": 7, "pca": 1}, "at most the length of the latents, 6. Received: 7"),
        ({"pca": 400, "n": 400}, "pca is less than 400"),
        ({"n_measured": 1}, "n_measured is a whole number, at least 2"),
    ],
)
def test_settings_out_of_range_are_refused(folder, options, says):
    with pytest.raises(ValueError, match=says):
        tfanime.find_directions(folder, tagger=tagger(), **options)


def test_a_loaded_network_has_no_folder_to_store_in():
    with pytest.raises(ValueError, match="store needs the folder"):
        tfanime.find_directions(Generator(network(), None, "tiny"), tagger=tagger())


# ---- the file ------------------------------------------------------------------------------------


def test_the_file_keeps_every_bit(folder, tmp_path):
    run = shutil.copytree(folder, tmp_path / "run")
    vector = RANDOM.normal(size=DIM).astype(np.float32)
    store_directions(run, [Direction("a b", "pca", vector, {"hat": -0.25}, 0.5, None)], {})
    one = load_directions(run, DIM)["a b"]
    np.testing.assert_array_equal(one.vector, vector)
    assert (one.kind, one.changes, one.stays, one.fit) == ("pca", {"hat": -0.25}, 0.5, None)


def test_directions_of_other_weights_are_refused(with_directions):
    with (with_directions / "generator.keras").open("ab") as weights:
        weights.write(b"\0")
    with pytest.raises(ValueError, match=r"found for other weights.*tfanime directions"):
        load_directions(with_directions, DIM)


def test_the_description_may_change(with_directions):
    store_upscaler(with_directions, None)
    assert load_schema(with_directions) and "smile" in load_directions(with_directions, DIM)


def test_the_hub_takes_them_with_the_model():
    assert most_bytes("directions.json")


@pytest.mark.parametrize(
    "broken",
    [
        {"directions": None},
        {"directions": [{"name": "smile"}]},
        {"directions": [{"name": "s", "kind": "pca", "vector": "AAAA", "changes": []}]},
    ],
)
def test_a_damaged_file_is_named(with_directions, broken):
    path = with_directions / "directions.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | broken))
    with pytest.raises(ValueError, match=r"directions\.json' is damaged"):
        load_directions(with_directions, DIM)


def test_what_ships_belongs_to_the_weights_that_ship():
    """After new weights: `tfanime directions` of that model."""
    generator = load_generator(zoo.DEFAULT)
    found = load_directions(zoo.path(zoo.DEFAULT), generator.latent_dim)
    assert {one.kind for one in found.values()} == {"tagger", "sefa", "pca"}
    for one in found.values():
        assert np.linalg.norm(one.vector) == pytest.approx(1, abs=1e-4)
        assert 0 < one.stays <= 1


# ---- following them ------------------------------------------------------------------------------


def test_a_move_of_0_changes_no_bit(with_directions):
    plain = tfanime.generate(with_directions, n=3, seed=4)
    still = tfanime.generate(with_directions, n=3, seed=4, move={"smile": 0.0, "sefa-1": 0})
    assert still.latents.tobytes() == plain.latents.tobytes()
    assert still.images.tobytes() == plain.images.tobytes()


def test_moves_add_up(with_directions, tmp_path):
    move = {"smile": 2.0, "sefa_1": -1}
    made = tfanime.generate(with_directions, n=2, seed=4, move=move, truncation=0.5, out=tmp_path)
    expected = seeds.latents(4, 2, DIM) / 2
    expected[:, :2] += [2, -1]
    np.testing.assert_allclose(made.latents, expected, atol=1e-6)
    entries = json.loads((tmp_path / "generated.json").read_text())["pictures"].values()
    assert all(entry["move"] == {"smile": 2.0, "sefa_1": -1.0} for entry in entries)


@pytest.mark.parametrize(
    ("move", "says"),
    [
        ({"smlie": 1}, "one of: smile, sefa-1. Received: 'smlie'. Did you mean 'smile'?"),
        ({"smile": 21}, "from -20 to 20.*smile=21"),
        ({"smile": float("nan")}, "from -20 to 20"),
        ({"smile": True}, "from -20 to 20"),
        ("smile", "names of directions and how far"),
    ],
)
def test_moves_that_cannot_be_are_refused(with_directions, move, says):
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        tfanime.generate(with_directions, n=1, move=move)


def test_a_model_without_directions_says_how_to_find_them(folder):
    with pytest.raises(ValueError, match=r"has none\. Find them: tfanime directions .*tiny"):
        tfanime.generate(folder, n=1, move={"smile": 1})
    with pytest.raises(ValueError, match=r"Received: 'bare'.*tfanime directions RUN"):
        tfanime.generate(Generator(network(), load_schema(folder), "bare"), n=1, move={"a": 1})
