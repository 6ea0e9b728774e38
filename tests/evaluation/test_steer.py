"""Steering learnt from a filled form: a generator whose broken images are known beforehand."""

import csv
import json
import re
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import ops

from tests.editing.tiny_editing import SCHEMA, network
from tfanime.cli import main
from tfanime.evaluation import by_eye
from tfanime.evaluation.by_eye import brokenness, steering
from tfanime.models.steering import STEERED, is_steered
from tfanime.sampling.generate import generate
from tfanime.zoo import saved

pytestmark = pytest.mark.slow

GREEN = 0.15  # latent 0 alone makes the tiny generator's images green; greener ones count as broken


def colours(images):
    """Red, green and blue of images of one colour, -1 to 1; latent 1 and the hat make them blue."""
    return images.mean(axis=(1, 2)) / 127.5 - 1


def frozen(name, height, width):
    """How much of each band of each colour an image has; of the tagger, the logits of red hair,
    blue hair and a hat."""
    images = keras.Input((height, width, 3))
    means = ops.mean(images, axis=(1, 2))
    if name == "tagger":
        kernel = np.array([[40, -40, 0], [0, 0, 0], [0, 0, 40]], np.float32)
        return keras.Model(images, ops.matmul(means, kernel))
    bands = np.linspace(-1, 1, 9).astype(np.float32)
    near = ops.exp(-8 * ops.square(ops.expand_dims(means, -1) - bands))
    return keras.Model(images, ops.reshape(near, (-1, 27)))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The folder of a model, its judging and the filled form, which tests have copies of."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        saved.save_generator("tiny", network(), SCHEMA, "tiny")
        judge("tiny", "judging")
    return folder


def copy(first, folder, patch):
    """Goes to a folder with a copy of `first`, where small networks are for frozen ones."""
    for module in (brokenness, steering):
        patch.setattr(module, "load_frozen", frozen)
    patch.setattr(steering, "_of_tagger", lambda: SCHEMA)
    shutil.copytree(first, folder, dirs_exist_ok=True)
    patch.chdir(folder)
    return folder


@pytest.fixture
def judged(first, tmp_path, monkeypatch):
    return copy(first, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def once(first, tmp_path_factory):
    """The folder of a steered model, and what was learnt: several tests look at it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = copy(first, tmp_path_factory.mktemp("once"), patch)
        return folder / "steered", by_eye.steer("judging", "steered", **LITTLE)


def judge(model, folder, seed=0):
    by_eye.sheets([model], folder, per_value=40, per_flag=40, seed=seed)
    key = json.loads(Path(folder, "key.json").read_text())["images"]
    asked = {e["seed"]: e["asked"] for e in key}
    drawn = {seed: generate(model, 40, seed, tags).images for seed, tags in asked.items()}
    rows = []
    for e in key:
        image = drawn[e["seed"]][e["index"]][None]
        flags = "Z" if colours(image)[0, 1] > GREEN else "-"
        rows.append([f"{e['sheet']:02d}", e["n"], "other", flags])
    fill(rows, folder)


def fill(rows, folder="judging"):
    with open(f"{folder}/form.csv", newline="") as file:
        head = next(csv.reader(file))
    with open(f"{folder}/form.csv", "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


LITTLE = {"features": ("bands",), "draws": 4000, "pull": 0.1, "obey": 0}


def test_a_steered_model_draws_hardly_any_broken_images(judged, once):
    folder, found = once
    shutil.copytree(folder, "steered")
    assert found.judged == 120 and 0.2 < found.broken < 0.4
    assert found.told > 0.95
    before, after = (generate(name, 400, 77) for name in ("tiny", "steered"))
    shares = [float(np.mean(colours(x.images)[:, 1] > GREEN)) for x in (before, after)]
    assert 0.2 < shares[0] < 0.4 and shares[1] < shares[0] / 4
    assert abs(found.before - shares[0]) < 0.1 and found.after < 0.1
    # What was whole stays as it was: latents that mean nothing to a judge are not moved.
    np.testing.assert_allclose(colours(after.images)[:, 2], colours(before.images)[:, 2], atol=0.1)
    assert 0.05 < found.moved < 0.8
    assert saved.steered_by("steered") == ("bands",)
    generator = saved.load_generator("steered")
    assert is_steered(generator.model) and generator.schema == SCHEMA and generator.name == "tiny"
    assert generator.model.get_layer(STEERED).output.shape[-1] == 6
    # Behind the steering, which is not trained with it, the network can be trained as before.
    assert len(generator.model.trainable_weights) == len(network().trainable_weights)
    # Steered anew, it is compared with the network behind the first steering.
    again = by_eye.steer("judging", "again", model="steered", **LITTLE)
    assert again.before == pytest.approx(found.before)


def test_a_stronger_pull_keeps_images_nearer(judged, once):
    strong = by_eye.steer("judging", "strong", **(LITTLE | {"pull": 5}))
    assert strong.moved < once[1].moved / 3


def test_attributes_are_obeyed_as_the_tagger_reads_them(judged):
    """A hat makes images a little bluer, and latent 1 decides; steering moves it where asked."""
    by_eye.steer("judging", "steered", **(LITTLE | {"obey": 0.2}))
    assert saved.steered_by("steered") == ("bands", "tagger")
    for hat in (True, False):
        shares = []
        for name in ("tiny", "steered"):
            blue = colours(generate(name, 200, 78, {"hat": hat}).images)[:, 2]
            shares.append(float(np.mean((blue > 0) == hat)))
        assert shares[0] < 0.8 and shares[1] > 0.9


def test_a_later_model_is_steered_by_several_judgings(judged):
    judge("tiny", "more", seed=50)
    later = network()
    later.layers[3].set_weights([1.5 * w for w in later.layers[3].get_weights()])
    saved.save_generator("later", later, SCHEMA, "later")
    found = by_eye.steer(["judging", "more"], "steered", model="later", **LITTLE)
    assert found.judged == 240
    green = [colours(generate(name, 200, 77).images)[:, 1] for name in ("later", "steered")]
    assert np.mean(green[1] > GREEN) < np.mean(green[0] > GREEN) / 4
    by_eye.sheets(["later"], "other", per_value=1, per_flag=1)
    with pytest.raises(ValueError, match="judged models are later, tiny.*--model"):
        by_eye.steer(["judging", "other"], "again", **LITTLE)


def test_the_verb_says_what_was_learnt(judged, monkeypatch):
    stored = []
    monkeypatch.setattr(steering, "save_start", lambda *told: stored.append(told))
    options = ["--features", "bands", "--draws", "1000", "--obey", "0"]
    result = CliRunner().invoke(main, ["judge", "steer", "judging", "--out", "s", *options])
    assert result.exit_code == 0, result.output
    assert re.search(
        r"120 judged images, 0\.\d\d of them broken: .* of (0\.9\d|1\.00)\. Of other draws 0\.\d\d",
        result.output,
    )
    assert is_steered(saved.load_generator("s").model)
    # What training on takes from the model, which tests/training/test_start_steered.py reads.
    assert stored == [(Path("tiny"), Path("s"), steering.HIDDEN)]


def test_what_cannot_be_learnt_from_is_refused(judged):
    def refused(match, **options):
        with pytest.raises(ValueError, match=match):
            by_eye.steer(**({"folders": "judging", "out": "steered"} | LITTLE | options))
        assert not (judged / "steered").exists()

    refused("folder of its own.*'judging'", out="judging")
    refused("1,000 draws or more.*999 draws", draws=999)
    refused("a pull of 0, obey of -1", pull=0, obey=-1)
    refused("that of one folder.*2 folders", folders=["judging", "judging"], form="form.csv")
    small = keras.models.clone_model(network())
    inputs = small.inputs
    cut = keras.layers.Cropping2D(4)(small.output)
    saved.save_generator("small", keras.Model(inputs, cut), SCHEMA, "small")
    refused("are of 16x16.*'small', which draws 8x8", model="small")
    with open("judging/form.csv", newline="") as file:
        _, *rows = csv.reader(file)
    fill([[*row[:3], "-"] for row in rows])
    refused("20 broken images or more.*Received: 0 broken of 120")
    at_random = np.random.default_rng(0).permutation(len(rows)) % 2
    fill([[*row[:3], "Z" if one else "-"] for row, one in zip(rows, at_random, strict=True)])
    refused(r"probability of 0\.[0-5]\d; steering takes 0\.6 or more")
    weights = saved.load_generator("tiny").model
    weights.layers[3].set_weights([2 * w for w in weights.layers[3].get_weights()])
    saved.save_generator("tiny", weights, SCHEMA, "tiny")
    refused("by the weights that drew them.*tiny, trained or steered since")
