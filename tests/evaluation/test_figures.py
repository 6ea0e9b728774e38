"""The figures of papers: what is held fixed, what varies, what classes hold."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.colors import to_hex
from PIL import Image

import tfanime
from tfanime.cli import main
from tfanime.core.labels import Field, LabelSchema
from tfanime.core.seeds import latents, slerp
from tfanime.evaluation import figures
from tfanime.evaluation.figures import curves, dataset, drawing, feature_space

pytestmark = pytest.mark.usefixtures("judges_once")
YEAR = LabelSchema((Field("year", "value", low=2000, high=2004),))


def colours_of(file):
    """The colours of an image, a number each, which are sorted far sooner than rows of three."""
    pixels = np.asarray(Image.open(file).convert("RGB")).reshape(-1, 3)
    return set(np.unique(pixels @ np.array([0x10000, 0x100, 1])).tolist())


def given(painter, n):
    """Latents and labels of the `n` images; the last call is filled up to a whole chunk."""
    return np.concatenate(painter.latents)[:n], np.concatenate(painter.labels)[:n]


def test_fixed_noise_varies_the_labels_only(painter, tmp_path):
    figures.fixed_noise(painter, tmp_path / "a.png", n=9, seed=4)
    z, labels = given(painter, 9)
    np.testing.assert_array_equal(z, np.repeat(latents(4, 1, 4), 9, axis=0))
    assert len(np.unique(labels, axis=0)) > 5
    assert Image.open(tmp_path / "a.png").size == (3 * 18 + 2,) * 2


def test_fixed_attributes_varies_the_noise_only(painter, tmp_path):
    figures.fixed_attributes(painter, tmp_path / "a.png", {"hair": "blue"}, n=9, seed=4)
    z, labels = given(painter, 9)
    np.testing.assert_array_equal(z, latents(4, 9, 4))
    assert len(np.unique(labels, axis=0)) == 1
    assert painter.schema.decode(labels[0] / 2 + 0.5)["hair"] == "blue"


def test_interpolation_has_the_seeds_in_its_corners(painter, tmp_path):
    figures.interpolation(painter, tmp_path / "a.png", side=3, seeds=(5, 6, 7, 8))
    z = given(painter, 9)[0].reshape(3, 3, 4)
    for seed, corner in zip((5, 6, 7, 8), (z[0, 0], z[0, 2], z[2, 0], z[2, 2]), strict=True):
        np.testing.assert_allclose(corner, latents(seed, 1, 4)[0], rtol=1e-5)
    np.testing.assert_allclose(z[1, 0], slerp(z[0, 0], z[2, 0], np.array([0.5]))[0], rtol=1e-5)


def test_classes_of_years():
    labels = np.array([[0.0], [0.25], [np.nan], [1.0], [0.25]], np.float32)
    data = tfanime.from_arrays(np.zeros((5, 8, 8, 3), np.uint8), labels, YEAR)
    names, members = dataset._classes(data, YEAR.fields[0])
    assert dict(zip(names, map(list, members), strict=True)) == {
        "2000": [0],
        "2001": [1, 4],
        "2004": [3],
    }


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_embedding(faces, tmp_path, method):
    if method == "tsne":
        pytest.importorskip("sklearn")
    figures.embedding(faces, tmp_path / "a.png", n=12, method=method)
    assert len(colours_of(tmp_path / "a.png")) > 100


def test_an_embedding_says_which_frames_are_whose(faces, tmp_path, monkeypatch):
    told = []
    real = feature_space._thumbnails
    monkeypatch.setattr(
        feature_space, "_thumbnails", lambda *given: told.append(given) or real(*given)
    )
    figures.embedding(faces, tmp_path / "a.png", data=faces, n=4, method="pca")
    canvas = real(*told[0])
    texts = [text.get_text() for text in canvas.legends[0].get_texts()]
    colours = [to_hex(patch.get_facecolor()) for patch in canvas.legends[0].get_patches()]
    assert dict(zip(colours, texts, strict=True)) == {
        drawing.BLUE: "in memory", drawing.GREY: "in memory, real"
    }  # fmt: skip
    assert set(told[0][2]) == set(colours)


@pytest.mark.slow
def test_an_embedding_that_shows_no_real_picture(faces, tmp_path):
    """A grey-framed square of one colour stands for each."""
    drawn, striped = faces.images()[:8], np.zeros((8, 16, 16, 3), np.uint8)
    striped[:, ::2] = (0, 255, 0)
    options = {"data": tfanime.from_arrays(striped), "n": 8, "method": "pca"}
    seen = {}
    for anonymous in (False, True):
        out = tmp_path / f"{anonymous}.png"
        figures.embedding(tfanime.from_arrays(drawn), out, anonymous=anonymous, **options)
        seen[anonymous] = colours_of(out)
    assert 0x008000 in seen[True] and 0x00FF00 in seen[False]
    assert 0x00FF00 not in seen[True]


def test_averages_and_histograms(faces, tmp_path):
    figures.averages(faces, tmp_path / "averages.png", "eyes")
    figures.histograms(faces, tmp_path / "histograms.png")
    for name in ("averages.png", "histograms.png"):
        assert Image.open(tmp_path / name).width > 300


def test_samples_of_each_year(tmp_path):
    labels = np.array([[0.0], [0.25], [np.nan], [1.0], [0.25]], np.float32)
    pictures = np.zeros((5, 8, 8, 3), np.uint8)
    pictures[:, ..., 0] = np.array([50, 90, 130, 170, 210])[:, None, None]
    data = tfanime.from_arrays(pictures, labels, YEAR)
    figures.samples(data, tmp_path / "a.png", n=2)
    shown = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    reds = {
        value: np.argwhere((shown == (value, 0, 0)).all(axis=-1))
        for value in (50, 90, 130, 170, 210)
    }
    assert not len(reds[130])  # of no known year
    middle = {value: places.mean(axis=0) for value, places in reds.items() if len(places)}
    assert set(middle) == {50, 90, 170, 210}
    # A row a year, from above: 2000, 2001 with both of its pictures side by side, 2004.
    assert middle[50][0] < middle[90][0] < middle[170][0]
    assert middle[90][0] == pytest.approx(middle[210][0], abs=2)
    assert middle[90][1] < middle[210][1]


def test_boxes_of_faces_on_a_picture(tmp_path):
    from tfanime.prepare.detect import Box

    Image.new("RGB", (60, 50)).save(tmp_path / "page.png")
    options = {"detector": lambda grey: [Box(10, 12, 20)], "zoom": 1.5}
    assert figures.boxes(tmp_path / "page.png", tmp_path / "a.png", **options) == 1
    shown = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    red = np.argwhere((shown == (255, 0, 0)).all(axis=-1))
    blue = np.argwhere((shown == (0, 0, 255)).all(axis=-1))
    assert red.min(0).tolist() == [12, 10] and red.max(0).tolist() == [31, 29]
    # Around the same middle, 1.5 times as large.
    assert blue.min(0).tolist() == [7, 5] and blue.max(0).tolist() == [36, 34]
    assert len(red) == 4 * 19 and len(blue) == 4 * 29  # outlines of one pixel


def test_shorter_sides_of_pictures(tmp_path):
    for i, size in enumerate([(40, 30), (20, 90), (64, 64)]):
        Image.new("RGB", size).save(tmp_path / f"{i}.png")
    (tmp_path / "3.png").write_bytes(b"no picture")
    assert figures.sizes(tmp_path, tmp_path / "out" / "a.png").tolist() == [30, 20, 64]
    assert Image.open(tmp_path / "out" / "a.png").width > 300
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "3.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="Sizes are those of images"):
        figures.sizes(tmp_path / "none", tmp_path / "a.png")


def test_refusals(painter, faces, tmp_path):
    plain = tfanime.from_arrays(faces.images())
    with pytest.raises(ValueError, match="Averages and samples need labels"):
        figures.averages(plain, tmp_path / "a.png")
    with pytest.raises(ValueError, match="four corners"):
        figures.interpolation(painter, tmp_path / "a.png", seeds=(1, 2))
    with pytest.raises(ValueError, match="has no quality.csv"):
        figures.training(tmp_path, tmp_path / "a.png")


def test_command(faces, tmp_path):
    from tfanime.core.images import save_image

    for i, picture in enumerate(faces.images(slice(0, 6))):
        save_image(tmp_path / "made" / f"{i}.png", picture)
    rows = [f"{i}.png,{('red', 'blue')[i % 2]}" for i in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,hair", *rows]) + "\n")
    tfanime.pack(
        tmp_path / "made",
        tmp_path / "packed",
        size=16,
        labels=tmp_path / "labels.csv",
        progress=False,
    )
    words = ["figure", "histograms", str(tmp_path / "packed"), "--out", str(tmp_path / "h.png")]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "h.png").is_file()
    done = CliRunner().invoke(main, ["figure", "sizes", *words[2:]])
    assert done.exit_code == 1 and "all of one size" in done.output
    words = ["figure", "sizes", str(tmp_path / "made"), "--out", str(tmp_path / "s.png")]
    assert CliRunner().invoke(main, words).exit_code == 0 and (tmp_path / "s.png").is_file()


# ---- truncation ----------------------------------------------------------------------------------


class Smearing:
    """A generator whose pictures turn black where latents are shorter than 0.55 of the usual."""

    latent_dim, height, width, name = 4096, 8, 8, "smearing"  # lengths hardly differ
    schema = LabelSchema((Field("smile", "flag"),))

    def __call__(self, latents, labels):
        short = np.linalg.norm(latents, axis=1) < 0.55 * 64
        shade = np.where(short, -1.0, 0.2 * np.tanh(latents[:, 0]) + 0.1 * labels[:, 0])
        return np.tile(shade[:, None, None, None], (1, 8, 8, 3)).astype(np.float32)


class Meter:
    """A stand-in for `quality_meter`: brightness is the only feature, of real ones 90 to 170."""

    count = 40
    labels = np.resize([[0.0], [1.0]], (40, 1)).astype(np.float32)
    real = np.linspace(90, 170, 40)[:, None]

    def features(self, pictures):
        return pictures.mean(axis=(1, 2))[:, :1]


@pytest.fixture
def meter(monkeypatch):
    from tfanime.metrics import quality

    monkeypatch.setattr(quality, "quality_meter", lambda data, n, extractor: Meter())


def test_truncation_is_useful_down_to_where_pictures_become_smears(meter, tmp_path):
    data = tfanime.from_arrays(np.zeros((4, 8, 8, 3), np.uint8), Meter.labels[:4], Smearing.schema)
    found, rows = figures.truncation(Smearing(), tmp_path / "a.png", data)
    assert [row["truncation"] for row in rows] == sorted(curves.TRUNCATIONS, reverse=True)
    assert found.least == 0.6
    assert [row["precision"] for row in rows] == 5 * [1.0] + 3 * [0.0]  # black from 0.5 on
    assert {row["typical precision"] for row in rows} == {1.0}  # lengths are kept
    assert rows[-1]["kid"] > rows[0]["kid"]
    # The typical latent is that whose pictures are nearest the real ones, smiling or not.
    seed, index = found.typical
    z = latents(seed, Meter.count, Smearing.latent_dim)
    shade = 127.5 + 127.5 * 0.2 * np.tanh(z[:, 0])
    either = np.abs(shade - 130 + 12.75) + np.abs(shade - 130 - 12.75)
    assert either[index] == pytest.approx(either.min(), abs=3)
    assert Image.open(tmp_path / "a.png").size[0] > 100


def test_truncation_is_stored_with_the_model_and_read_again(meter, tmp_path, monkeypatch):
    import keras

    from tfanime.zoo import saved

    z, labels = keras.Input((64,)), keras.Input((1,))
    x = keras.layers.Dense(8 * 8 * 3)(keras.layers.Concatenate()([z, labels]))
    model = keras.Model([z, labels], keras.layers.Reshape((8, 8, 3))(x))
    saved.save_generator(tmp_path, model, Smearing.schema, "made")
    assert saved.load_generator(tmp_path).truncation is None
    data = tfanime.from_arrays(np.zeros((4, 8, 8, 3), np.uint8), Meter.labels[:4], Smearing.schema)
    found, _ = figures.truncation(tmp_path, tmp_path / "a.png", data, at=(0.5,), store=True)
    assert saved.load_generator(tmp_path).truncation == found
    description = tmp_path / "generator.json"
    text = description.read_text()
    for wrong in ('"least": 2', '"least": true', '"seed": 1'):
        description.write_text(re.sub(r'"least": [0-9.]+', wrong, text))
        with pytest.raises(ValueError, match="describes no truncation.*Save the model again"):
            saved.load_generator(tmp_path)
    description.write_text(text)
    eye = {"at": (0.5,), "store": True, "least": 0.75}
    assert figures.truncation(tmp_path, tmp_path / "a.png", data, **eye)[0].least == 0.75
    assert saved.load_generator(tmp_path).truncation.least == 0.75
    # Other weights: not measured.
    saved.save_generator(tmp_path, model, Smearing.schema, "made")
    assert saved.load_generator(tmp_path).truncation is None
    with pytest.raises(ValueError, match="lie between 0 and 1. Received: 1.5"):
        figures.truncation(Smearing(), tmp_path / "a.png", data, at=(1.5,))
    with pytest.raises(ValueError, match="store needs the folder"):
        figures.truncation(Smearing(), tmp_path / "a.png", data, store=True)


def test_truncation_verb(tmp_path, monkeypatch):
    from tfanime.zoo.saved import Truncation

    both = {"images": 50, "kid": 0.0501, "typical precision": 0.81, "typical kid": 0.06}
    rows = [{"truncation": t, "precision": p, **both} for t, p in ((1.0, 0.812), (0.5, 0.195))]
    asked = {}

    def measure(run, out, **options):
        asked.update(run=run, out=out, **options)
        return Truncation(1.0, (0, 41)), rows

    monkeypatch.setattr(figures, "truncation", measure)
    (tmp_path / "packed").mkdir()
    options = ["--against", str(tmp_path / "packed"), "--out", "t.png", "--store", "--n", "50"]
    found = CliRunner().invoke(main, ["figure", "truncation", "faces-64", *options])
    assert found.exit_code == 0, found.output
    assert asked["store"] and asked["n"] == 50 and asked["out"] == "t.png"
    assert "0.195" in found.output and "0.060" in found.output
    assert found.output.startswith("50 images each (few images: 50)")
    assert "useful down to 1; typical latent: seed 0, image 41" in found.output
