"""Steering learnt from a filled form: a generator whose broken images are known beforehand."""

import csv
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from tests.editing.tiny_editing import SCHEMA, network
from tfanime.cli import main
from tfanime.evaluation import by_eye
from tfanime.evaluation.by_eye import steering
from tfanime.metrics.extractor import Extractor
from tfanime.models.steering import STEERED, is_steered
from tfanime.sampling.generate import generate
from tfanime.zoo import saved

GREEN = 0.15  # latent 0 alone makes the tiny generator's images green; greener ones count as broken


def greenness(images):
    return images[..., 1].mean(axis=(1, 2)) / 127.5 - 1


def bands(images):
    """Features of an image that is of one colour: how much of each band of it there is."""
    colours = images.mean(axis=(1, 2))[:, :, None] / 127.5 - 1
    return np.exp(-8 * (colours - np.linspace(-1, 1, 9)) ** 2).reshape(len(images), -1)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """The folder of a judged run and of its filled form."""
    monkeypatch.chdir(tmp_path)
    colours = Extractor("bands", "", "bands", 16, 16, bands)
    monkeypatch.setattr(steering, "load_extractor", {"tagger": colours}.get)
    saved.save_generator("tiny", network(), SCHEMA, "tiny")
    by_eye.sheets(["tiny"], "judging", per_value=40, per_flag=40)
    key = json.loads((tmp_path / "judging/key.json").read_text())["images"]
    asked = {e["seed"]: e["asked"] for e in key}
    drawn = {seed: generate("tiny", 40, seed, tags).images for seed, tags in asked.items()}
    rows = []
    for e in key:
        image = drawn[e["seed"]][e["index"]][None]
        flags = "Z" if greenness(image)[0] > GREEN else "-"
        rows.append([f"{e['sheet']:02d}", e["n"], "other", flags])
    fill(rows)
    return tmp_path


def fill(rows):
    with open("judging/form.csv", newline="") as file:
        head = next(csv.reader(file))
    with open("judging/form.csv", "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def test_a_steered_model_draws_hardly_any_broken_images(judged):
    found = by_eye.steer("judging", "steered", draws=1000, share=0.5, depth=1)
    assert found.judged == 120 and 0.2 < found.broken < 0.4
    assert found.told > 0.95 and found.fit > 0.7  # of a step and a line: 0.78 at most
    before, after = (generate(name, 400, 77).images for name in ("tiny", "steered"))
    share = float(np.mean(greenness(before) > GREEN))
    assert 0.2 < share < 0.4
    assert np.mean(greenness(after) > GREEN) < share / 5
    # Half of the draws, whose images were whole anyway, stay as they were.
    assert np.mean(np.all(np.abs(before - after.astype(int)) <= 1, axis=(1, 2, 3))) > 0.4
    generator = saved.load_generator("steered")
    assert is_steered(generator.model) and generator.schema == SCHEMA and generator.name == "tiny"
    assert generator.model.get_layer(STEERED).output.shape[-1] == 6


def test_the_verb_says_what_was_learnt(judged):
    result = CliRunner().invoke(
        main, ["judge", "steer", "judging", "--out", "s", "--draws", "1000"]
    )
    assert result.exit_code == 0, result.output
    assert re.search(
        r"120 judged images, 0\.\d\d of them broken: .* of (0\.9\d|1\.00)", result.output
    )
    assert is_steered(saved.load_generator("s").model)


def test_what_cannot_be_learnt_from_is_refused(judged):
    def refused(match, **options):
        with pytest.raises(ValueError, match=match):
            by_eye.steer("judging", **({"out": "steered"} | options))
        assert not (judged / "steered").exists()

    refused("folder of its own.*'judging'", out="judging")
    refused("1,000 draws or more.*999 draws", draws=999)
    refused("a share of 1.5, a depth of 0.3", share=1.5)
    refused("judged models are tiny.*'other'", model="other")
    with open("judging/form.csv", newline="") as file:
        _, *rows = csv.reader(file)
    fill([[*row[:3], "-"] for row in rows])
    refused("20 broken images or more.*Received: 0 broken of 120")
    at_random = np.random.default_rng(0).permutation(len(rows)) % 2
    fill([[*row[:3], "Z" if one else "-"] for row, one in zip(rows, at_random, strict=True)])
    refused(r"probability of 0\.[0-5]\d; steering takes 0\.6 or more")
    saved.save_generator("tiny", network(), SCHEMA, "tiny-again")
    weights = saved.load_generator("tiny").model
    weights.layers[3].set_weights([2 * w for w in weights.layers[3].get_weights()])
    saved.save_generator("tiny", weights, SCHEMA, "tiny")
    refused("weights that it steers.*tiny, trained or steered since")
