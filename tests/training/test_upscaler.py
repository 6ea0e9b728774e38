"""Training an upscaler: what its run leaves, continuing, sweeping."""

from __future__ import annotations

import csv

import keras
import numpy as np
import pytest
from PIL import Image
from runs import assert_same_bits

import tfanime
from tfanime import gans
from tfanime.core.files import read_json
from tfanime.models import srgan
from tfanime.sampling.upscale import reduced
from tfanime.training.checkpoint import checkpoints
from tfanime.zoo.saved import load_upscaler

SMALL = {"generator": {"channels": 4, "blocks": 1}, "discriminator": {"channels": 2}}


def test_run_folder(train, faces):
    run = train("srgan", faces, steps=2, sample_every=2, **SMALL)
    assert read_json(run.path / "generator.json") == {
        "kind": "upscaler",
        "name": "srgan",
        "factor": 2,
    }
    with Image.open(run.path / "final.png") as sheet:
        # Real pictures; then small, bicubic and enlarged ones, from clean and from worse ones.
        assert sheet.size == (8 * 18 + 2, 7 * 18 + 2)
        pixels = np.asarray(sheet)
    chosen = faces.images(np.linspace(0, 47, 8).astype(int))
    small = reduced(chosen, 2)
    np.testing.assert_array_equal(pixels[2:18, 2:18], chosen[0])
    np.testing.assert_array_equal(pixels[20:36, 20:36], small[1].repeat(2, 0).repeat(2, 1))
    with (run.path / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["g_pixel_loss"]) > 0 and float(row["g_feature_loss"]) > 0
    assert "srgan" in (run.path / "report.md").read_text()
    assert tfanime.upscale(small, run.path).shape == (8, 16, 16, 3)
    with pytest.raises(ValueError, match="A run of a generator is needed"):
        tfanime.generate(run.path, n=1)


@pytest.mark.slow
def test_resumed_is_uninterrupted_bit_for_bit(train, faces):
    whole = train("srgan", faces, "whole", steps=4, **SMALL)
    train("srgan", faces, "parts", steps=2, **SMALL)
    parts = train("srgan", faces, "parts", steps=4, **SMALL)
    assert whole.step == parts.step == 4
    assert_same_bits(*(checkpoints(run.path)[-1] for run in (whole, parts)))


def test_a_feature_model_given_as_a_path(train, faces, tmp_path):
    pictures = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(2, 3, padding="same")(pictures)
    keras.Model(pictures, maps).save(tmp_path / "features.keras")
    options = {"feature_model": str(tmp_path / "features.keras"), "feature_weight": 1.0}
    run = train("srgan", faces, steps=1, sample_every=1, **SMALL, **options)
    with (run.path / "log.csv").open() as file:
        assert float(next(csv.DictReader(file))["g_feature_loss"]) > 0


def test_one_that_is_built_already(eager, faces, tmp_path):
    networks = srgan.generator(16, 16, 0, 0, 4, 4, 1), srgan.discriminator(16, 16, channels=2)
    gan = gans.SRGAN(*networks)
    gan.compile()
    run = tfanime.train(
        gan, faces, out=tmp_path / "run", steps=1, batch_size=8, tensorboard=False, progress=False
    )
    assert load_upscaler(run.path).factor == 4


@pytest.mark.slow
def test_sweep(eager, faces, tmp_path):
    grid = {"adversarial_weight": [0, 0.01]}
    options = {**SMALL, "batch_size": 8, "tensorboard": False, "progress": False}
    done = tfanime.sweep("srgan", faces, grid, out=tmp_path, steps=1, **options)
    assert [cell.result["state"] for cell in done.cells] == ["finished"] * 2
    with Image.open(tmp_path / "sheets.png") as sheet:
        assert sheet.width >= 8 * 18 and sheet.height > 2 * 18


def test_labels_are_refused_in_a_sentence(train, faces):
    with pytest.raises(ValueError, match="An upscaler takes images only.*conditioning='none'"):
        train("srgan", faces, steps=1, conditioning="ac", **SMALL)
