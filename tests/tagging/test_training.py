"""A tagger is trained from packed sets to a folder that `load_tagger` reads."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfanime import load_data
from tfanime.core.labels import FACES
from tfanime.models import tagger as models
from tfanime.tagging import load_tagger, training
from tfanime.tagging.distortions import distorted
from tfanime.tagging.faces import Faces
from tfanime.tagging.figures import figures_in


def tiny_maps(height, width, batch_norm=False):
    """Five halvings in place of EfficientNet-Lite0's."""
    outputs, images = [], keras.Input((height, width, 3))
    x = images
    for i, channels in enumerate((8, 8, 16, 16, 16)):
        name = f"block{i}"
        layer = keras.layers.Conv2D(
            channels, 3, 2, padding="same", use_bias=not batch_norm, name=name
        )
        x = layer(x)
        if batch_norm:
            x = keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        outputs.append(x)
    return keras.Model(images, outputs)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(training.lite0, "maps", tiny_maps)
    monkeypatch.setattr(models, "SIZE", 32)
    monkeypatch.setattr(training, "SMALL", 32)
    monkeypatch.setattr(training, "BATCH", 16)


@pytest.fixture
def labelled(monkeypatch):
    """120 drawn faces in place of a packed set."""
    data = load_data("drawn", 32, count=120, progress=False)

    def read(folder, size=None, group=None):
        known = np.full((120, FACES.size), np.nan, np.float32)
        known[:, :34] = data.labels()
        return Faces("faces", data.images(), known, tuple(map(str, range(120))), "0")

    monkeypatch.setattr(training.Faces, "read", staticmethod(read))


@pytest.mark.slow
def test_a_tagger_is_trained_and_read(small, labelled, tmp_path):
    out, policy = tmp_path / "tagger", keras.mixed_precision.dtype_policy()
    found = training.train_tagger(
        ["faces"], out, drawn=32, epochs=2, large_epochs=1, progress=False
    )
    stored = json.loads((out / "labels.json").read_text())
    assert set(stored["thresholds"]) == {f.name for f in FACES.fields if f.kind == "flag"}
    images = load_data("drawn", 64, count=3, progress=False).images()
    again = load_tagger(out)
    np.testing.assert_allclose(again.probabilities(images), found.probabilities(images))
    assert again.schema.columns == FACES.columns
    assert again.threshold[FACES.columns.index("smile")] == stored["thresholds"]["smile"]
    figures = figures_in(out)
    assert set(figures) == {"all", "faces"}
    counts = json.loads((out / "figures.json").read_text())["training"]["faces"]["faces"]
    assert figures["faces"]["groups"]["hair"]["faces"] == counts[2] and sum(counts) == 120
    assert keras.mixed_precision.dtype_policy() == policy
    # Training can go on from it; without an epoch it is the same.
    more = training.train_tagger(
        ["faces"], tmp_path / "more", start=out, drawn=0, epochs=0, large_epochs=0, progress=False
    )
    np.testing.assert_allclose(more.probabilities(images), found.probabilities(images), atol=5e-3)
    # Nothing is left of what a stopped training would need.
    assert sorted(path.name for path in out.iterdir()) == [
        "figures.json",
        "labels.json",
        "tagger.keras",
    ]


def test_distorted_faces_keep_size_range_and_colour():
    tf.random.set_seed(0)
    images = np.zeros((32, 48, 48, 3), np.uint8)
    images[..., 2] = 200  # blue
    found = distorted(tf.constant(images), 40).numpy()
    assert found.shape == (32, 40, 40, 3) and found.dtype == np.float32
    assert found.min() >= -1 and found.max() <= 1
    middle = found[:, 10:30, 10:30].mean(axis=(1, 2))
    assert (middle[:, 2] - middle[:, :2].max(axis=1)).min() > 0.5
    assert middle.std(axis=0).min() > 0.02


def test_a_mirror_image_is_as_likely(monkeypatch):
    """Left is dark in every face; half of the time it is on the right."""
    images = np.full((200, 48, 48, 3), 255, np.uint8)
    images[:, :, :24] = 0
    found = distorted(tf.constant(images), 48).numpy().mean(axis=(1, 3))
    left = (found[:, :16].mean(axis=1) < found[:, 32:].mean(axis=1)).mean()
    assert 0.3 < left < 0.7
