"""Words in, pictures out: a tiny BERT, and a generator that shows its labels."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tests.text.bert_twin import make_checkpoint
from tfanime import cli
from tfanime.core.files import write_json
from tfanime.core.labels import Field, LabelSchema, to_signed
from tfanime.data import PackedDataset
from tfanime.data.writer import Writer
from tfanime.text.attach import attach, codes_of
from tfanime.text.codes import TextCode
from tfanime.text.vector_cache import KeptTexts, keep_texts
from tfanime.zoo.saved import save_generator

pytestmark = pytest.mark.usefixtures("encoders_once")
WORDS = ["red moon"] * 12 + ["lone sword"] * 12
GENRES = ["Red, Slice of Moon"] * 12 + ["Sword"] * 12


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    from tfanime.text import convert

    folder = tmp_path_factory.mktemp("bert")
    make_checkpoint(folder / "model")
    return convert(folder / "model", folder / "pair")


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFANIME_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory, pair):
    """Tests only read it."""
    folder = tmp_path_factory.mktemp("data")
    writer = Writer(folder, 16, 16)
    for i in range(24):
        writer.add(np.full((16, 16, 3), i, np.uint8))
    labels = np.float32([[1, 0]] * 12 + [[0, 1]] * 12)
    labels[0] = np.nan
    write_json(folder / "files.json", [f"{i}.png" for i in range(24)])
    writer.finish(labels, LabelSchema((Field("mood", "group", ("light", "heavy")),)))
    rows = [
        {"title": f"T{i}", "genres": g, "plot": w}
        for i, (w, g) in enumerate(zip(WORDS, GENRES, strict=True))
    ]
    (folder / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    attach(folder, "tags", "genres", genres=True, size=1, encoder=pair, progress=False)
    return attach(folder, "plot", size=6, encoder=pair, progress=False)


@pytest.fixture(scope="module")
def encoder(data):
    """Loaded once, for tests that ask more often."""
    return codes_of(data)[1].load_encoder(trust_encoder=True)


def imagine(text, run, **options):
    """The runs here name the tiny BERT, which is ours."""
    return tfanime.imagine(text, run, trust_encoder=True, **options)


def a_run(folder, data, everything):
    """A run whose generator shows the mean of the labels it is given."""
    size = data.schema.size
    latents, labels = keras.Input((4,)), keras.Input((size,))
    weights = keras.layers.Dense(3, use_bias=False, name="shown")
    # Keras 3.12 refuses an input that leads to no output.
    unseen = keras.layers.Dense(3, use_bias=False, kernel_initializer="zeros")(latents)
    x = keras.layers.Reshape((1, 1, 3))(keras.layers.Add()([weights(labels), unseen]))
    model = keras.Model([latents, labels], keras.layers.UpSampling2D(16)(x))
    kernel = np.zeros((size, 3))
    kernel[0, 0] = 0.5  # red: the first label
    weights.set_weights([kernel])
    save_generator(folder, model, data.schema, "shown")
    keep_texts(data, everything, folder)
    return folder


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """A run of all texts, which tests only read, or copy."""
    return a_run(tmp_path_factory.mktemp("run") / "run", data, data)


@pytest.mark.slow
def test_what_a_text_is_read_as(run, data):
    found = imagine("The <b>red</b> moon!", run, n=3)
    assert (found.grid(columns=3) == found.pictures.grid(columns=3)).all()
    assert found.read == {"plot": "red moon", "tags": "red"}
    assert found.read_as == {"mood": {"light": 1.0}} and found.chosen == {"mood": "light"}
    assert [near.title[0] for near in found.nearest] == ["T"] * 5
    assert all(near.index < 12 and near.genres == "red, slice of moon" for near in found.nearest)
    assert found.images.shape == (3, 16, 16, 3)
    # -1/+1 coding: "light" is 1 in the first column.
    assert (found.images[..., 0] == round((0.5 + 1) * 127.5)).all()
    code = codes_of(data)[1]
    expected = code.encode(["red moon"], trust_encoder=True)[0]
    signed = to_signed(found.pictures.labels)
    np.testing.assert_allclose(signed[0, -code.size :], expected, atol=1e-5)
    told = found.explanation()
    assert (
        "mood of the nearest training texts: light 100%" in told
        and "drawn as: mood light (odds 100%)" in told
    )
    assert found.odds == {"mood": 1.0} and found.by_chance == () and "chance" not in told


@pytest.mark.slow
def test_the_odds_of_the_class_that_was_chosen(tmp_path, data, encoder):
    # Three of the ten nearest texts whose class is known are of the other one.
    labels = data.labels()
    labels[1:4, :2], labels[11, :2] = [0, 1], np.nan
    mixed = data.with_labels(labels, data.schema, data.sha256, data.text_files)
    run = a_run(tmp_path / "run", mixed, mixed)
    found = imagine("red moon", run, n=1, encoder=encoder)
    assert found.odds == {"mood": pytest.approx(0.7)} and found.chosen == {"mood": "light"}
    assert "drawn as: mood light (odds 70%)" in found.explanation()
    told = imagine("red moon", run, n=1, encoder=encoder, tags={"mood": "heavy"})
    assert told.odds == {} and "drawn as: mood heavy (asked for)" in told.explanation()


def test_an_even_choice_and_labels_that_no_text_decides_are_said(tmp_path, data, encoder):
    labels = data.labels()
    labels[1:6, :2], labels[11, :2] = [0, 1], np.nan
    mixed = data.with_labels(labels, data.schema, data.sha256, data.text_files)
    mixed = mixed.with_codes((Field("smile", "flag"),))
    run = a_run(tmp_path / "run", mixed, mixed)
    told = imagine("red moon", run, n=1, encoder=encoder).explanation()
    assert "(odds 50%, as another value is)" in told and "left to chance: smile" in told


@pytest.mark.slow
def test_genres_that_are_named_and_tags_that_are_given(run, encoder):
    found = imagine("lone", run, n=1, encoder=encoder)
    assert found.read["tags"] == found.nearest[0].genres
    found = imagine("lone sword", run, n=1, encoder=encoder)
    assert found.read["tags"] == "sword" and found.chosen == {"mood": "heavy"}
    found = imagine("Slice-of-moon and a red sword", run, n=1, encoder=encoder)
    assert found.read["tags"] == "slice of moon, red, sword"
    found = imagine("lone sword", run, n=1, encoder=encoder, tags={"mood": "light"})
    assert found.chosen == {"mood": "light"} and found.read_as["mood"]["heavy"] == 1.0


def test_a_run_of_genre_tags_alone_still_explains_the_class(tmp_path, data, encoder):
    run = a_run(tmp_path / "run", data.select(["tags"]), data)
    found = imagine("Sword!", run, n=2, encoder=encoder)
    assert found.read == {"tags": "sword"} and found.chosen == {}
    assert found.read_as == {"mood": {"heavy": 1.0}}
    assert all(near.index >= 12 for near in found.nearest)


def test_kept_texts_are_those_of_the_view(tmp_path, data):
    train, _ = data.split(0.25, seed=1)
    keep_texts(train, train, tmp_path / "run")
    kept = KeptTexts.open(tmp_path / "run")
    assert [row["title"] for row in kept.rows] == [f"T{i}" for i in train.rows]
    np.testing.assert_array_equal(kept.labels, train.labels()[:, :2])
    place = train.schema.slices()["plot"]
    np.testing.assert_allclose(
        kept.vectors["plot"], train.labels()[:, place] * 2 - 1, atol=2e-3, rtol=2e-3
    )


def test_the_nearest_by_cosine_of_unwhitened_codes(run):
    kept = KeptTexts.open(run)
    code, bank = kept.described, kept.vectors["plot"]
    assert code.name == "plot"
    plain = bank / np.linalg.norm(code.directions, axis=0)
    unit = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    near = kept.near(bank[5] + 0.1, 24)
    asked = (bank[5] + 0.1) / np.linalg.norm(code.directions, axis=0)
    cosines = unit @ asked / np.linalg.norm(asked)
    for i, cosine in near:
        assert cosine == pytest.approx(cosines[i], abs=1e-4)
    assert [cosine for _, cosine in near] == sorted((c for _, c in near), reverse=True)


def test_on_the_command_line(tmp_path, run, monkeypatch):
    def invoke(*words):
        words = ["imagine", *map(str, words), "--trust-encoder"]
        return CliRunner().invoke(cli.main, words, terminal_width=200)

    sheet = tmp_path / "sheet.png"
    done = invoke("red moon", "--run", run, "--n", 2, "--grid", sheet, "--mood", "heavy")
    assert done.exit_code == 0 and sheet.is_file() and "drawn as: mood heavy" in done.stdout
    monkeypatch.chdir(tmp_path)
    done = invoke("red moon", "--run", run, "--n", 2)
    assert done.exit_code == 0 and Path("imagined.png").is_file()
    done = invoke("", "--run", run, "--grid", sheet)
    assert done.exit_code == 1 and "A text that says something" in done.stderr
    done = invoke("red moon", "--run", run, "--grid", sheet, "--plot", "x")
    assert done.exit_code == 2 and "a vector of" in done.stderr
    done = CliRunner().invoke(cli.main, ["imagine", "--help"])
    assert done.exit_code == 0 and "Examples:" in done.stdout


def test_an_encoder_that_tfanime_does_not_know_is_not_loaded(tmp_path, run, monkeypatch):
    """A SavedModel is a program: this one writes a file when a text is read."""
    import tensorflow as tf

    from tfanime.text import bert

    run = shutil.copytree(run, tmp_path / "run")
    folder, written = tmp_path / "run" / "enc", tmp_path / "written"
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
    def read(texts):
        tf.io.write_file(str(written), "anything")
        return texts

    module.__call__ = read
    for part in ("preprocessor", "encoder"):
        tf.saved_model.save(module, str(folder / part))
    asked = ["imagine", "red moon", "--run", str(run), "--grid", str(tmp_path / "a.png")]
    for encoder in (str(folder), "run/enc", "https://example.org/encoder/1", "auto", "minilm/"):
        for name in ("plot", "tags"):
            path = run / "text" / f"text-{name}.npz"
            code, codes = TextCode.load(path), np.load(path)["codes"]
            replace(code, encoder=encoder).save(path, codes=codes)
        monkeypatch.chdir(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(bert, "_load", None)
            done = CliRunner().invoke(cli.main, asked)
            assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1
            assert f"Received: {encoder!r}" in done.stderr and "--trust-encoder" in done.stderr
            with pytest.raises(ValueError, match="trust_encoder=True"):
                tfanime.export_saved_model(run, tmp_path / "serving" / "x")
    assert not written.exists() and not (tmp_path / "serving").exists()


def test_a_folder_is_no_address(tmp_path, monkeypatch):
    """Nothing in the current folder can stand for an encoder of TF-Hub."""
    from tfanime.text import bert

    monkeypatch.chdir(tmp_path)
    for part in ("preprocessor", "encoder"):
        (tmp_path / bert.HUB_ENCODER / part).mkdir(parents=True)
        (tmp_path / bert.HUB_ENCODER / part / "saved_model.pb").write_bytes(b"")
    assert bert._encoder_of(bert.HUB_ENCODER) == bert.HUB_ENCODER
    assert bert._preprocessor_of(bert.HUB_ENCODER) == bert.HUB_PREPROCESSOR


@pytest.mark.parametrize("name", ["text-plot.npz", "order.json", "labels.npy", "rows.jsonl"])
def test_kept_texts_that_are_damaged_are_named(tmp_path, run, name):
    run = shutil.copytree(run, tmp_path / "run")
    path = run / "text" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="damaged") as caught:
        KeptTexts.open(run)
    assert str(run / "text") in str(caught.value) and "\n" not in str(caught.value)


def test_what_imagine_refuses(tmp_path, run):
    with pytest.raises(ValueError, match="says what 'plot' is"):
        tfanime.imagine("moon", run, tags={"plot": "x"})
    with pytest.raises(ValueError, match="A text that says something"):
        tfanime.imagine("No synopsis yet.", run)
    with pytest.raises(ValueError, match="tfanime text attach"):
        tfanime.imagine("moon", tmp_path)


@pytest.mark.slow
def test_training_and_imagining(eager, tmp_path, data):
    options = {
        "generator": {"channels": 4},
        "discriminator": {"channels": 4},
        "batch_size": 4,
        "latent_dim": 6,
        "progress": False,
        "tensorboard": False,
    }
    path = data.path
    run = tfanime.train(
        "cdcgan-sn", path, out=tmp_path / "run", steps=2, text_augmentation=3,
        condition_on="mood,plot", label_embedding=4, **options,
    )  # fmt: skip
    assert run.step == 2
    again = tfanime.train(
        "cdcgan-sn", path, out=tmp_path / "run", steps=3, text_augmentation=3,
        condition_on="mood,plot", label_embedding=4, **options,
    )  # fmt: skip
    assert again.step == 3
    generator = tfanime.load_generator(run.path)
    assert generator.latent_dim == 9
    assert [f.name for f in generator.schema.fields] == ["mood", "plot"]
    found = imagine("red moon", run.path, n=2)
    assert found.images.shape == (2, 16, 16, 3)
    # Without words vectors come from the training pictures.
    drawn = tfanime.generate(run.path, n=16).labels
    known = PackedDataset.open(path).select(["plot"]).labels()
    for row in drawn:
        assert np.abs(known - row[2:]).max(axis=1).min() < 2e-3
    with pytest.raises(ValueError, match="vector of a text"):
        tfanime.train(
            "cdcgan-sn", path, out=tmp_path / "b", steps=1, text_augmentation=3,
            condition_on="mood", **options,
        )  # fmt: skip
