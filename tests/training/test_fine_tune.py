"""Fine-tuning: what is taken over from the model, and what few images add to it."""

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from runs import arrays_of

import tfanime
from tests.frozen_twin import through_it
from tfanime import recipes, zoo
from tfanime.cli import main
from tfanime.core.decode import read_image
from tfanime.core.files import read_json
from tfanime.core.images import save_image
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema
from tfanime.core.schedules import Schedule
from tfanime.drawn.faces import draw_faces
from tfanime.training import checkpoint
from tfanime.training.build import build_gan
from tfanime.training.fine_tune import amount, fine_tune, planned, settings, with_labels_of

TINY = {"tensorboard": False, "progress": False, "sample_every": 10}
HAIR = MAKEGIRLSMOE.field("hair").size


pytestmark = pytest.mark.usefixtures("eager", "judges_once")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def model(eager, tmp_path_factory, faces):
    """A run to begin with, of the recipe that the shipped faces have."""
    out = tmp_path_factory.mktemp("model") / "faces"
    options = {"generator": {"channels": 4}, "discriminator": {"channels": 4}, "batch_size": 8}
    options["projected"] = through_it()
    return tfanime.train(
        "projected", faces, out=out, steps=2, tensorboard=False, progress=False, **options
    )


@pytest.fixture
def mine(tmp_path):
    """A plain folder of 30 images."""
    for i, image in enumerate(draw_faces(30, size=16, seed=9)[0]):
        save_image(tmp_path / "mine" / f"{i:02d}.png", image)
    return tmp_path / "mine"


def newest(run):
    return arrays_of(checkpoint.checkpoints(run.path)[-1])


@pytest.mark.slow
def test_a_plain_folder_of_30(model, mine, tmp_path, capsys):
    plan = planned(model.path, mine, tmp_path / "run", g_lr=3e-5)
    assert not (tmp_path / "run").exists() and not (tmp_path / "cache").exists()
    options = {**TINY, "progress": True, "g_lr": 3e-5}
    run = fine_tune(model.path, mine, out=tmp_path / "run", steps=2, **options)
    said = capsys.readouterr().err
    assert "estimated by tagger" in said and "hair" in said and "30 images: " in said
    stored = read_json(run.path / "config.json")
    assert stored["config"] == plan.to_json()
    before = read_json(model.path / "config.json")["config"]
    for name in ("recipe", "generator", "discriminator", "loss", "head_weight", "conditioning"):
        assert stored["config"][name] == before[name]
    assert stored["config"]["augment_probability"] == 0.9
    assert stored["config"]["freeze_discriminator"] == 2
    assert stored["labels_from"] == "estimated by tagger"
    assert [f["name"] for f in stored["labels"]["fields"]] == [f.name for f in MAKEGIRLSMOE.fields]
    sheet = read_image(run.path / "before_after.png")
    assert sheet.size == (8 * 18 + 2, 2 * 18 + 2)
    # It begins with the weights of the model.
    begun = arrays_of(checkpoint.checkpoints(run.path)[0])
    assert begun["gan/0000"] == 0
    for name, array in newest(model).items():
        if name.startswith(("generator/", "ema_generator/", "discriminator/", "head/")):
            np.testing.assert_array_equal(begun[name], array, err_msg=name)
    # The same call goes on.
    again = fine_tune(model.path, mine, out=tmp_path / "run", steps=3, **TINY, g_lr=3e-5)
    assert again.step == 3
    assert planned(model.path, mine, tmp_path / "run", g_lr=3e-5) == plan
    with pytest.raises(ValueError, match="g_lr"):
        planned(model.path, mine, tmp_path / "run", g_lr=4e-5)


@pytest.mark.slow
def test_labels_of_ones_own_are_added_and_draw_nothing_at_first(model, mine, tmp_path):
    rows = ["file,artist,hair"] + [f"{i:02d}.png,{'xy'[i % 2]}," for i in range(30)]
    rows[1] += "pink"
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    packed = tfanime.pack(
        mine, tmp_path / "packed", size=16, labels=tmp_path / "labels.csv", progress=False
    )
    run = fine_tune(model.path, packed, out=tmp_path / "run", steps=1, **TINY)
    fields = [f["name"] for f in read_json(run.path / "config.json")["labels"]["fields"]]
    assert fields == [*(f.name for f in MAKEGIRLSMOE.fields), "artist"]
    begun, before = arrays_of(checkpoint.checkpoints(run.path)[0]), newest(model)
    kernel = begun["generator/0000"]
    np.testing.assert_array_equal(kernel[:-2], before["generator/0000"])
    assert not kernel[-2:].any()
    np.testing.assert_array_equal(begun["head/0000"][:, :-2], before["head/0000"])
    assert begun["head/0000"][:, -2:].any()
    # And they can be asked for.
    assert tfanime.generate(run.path, n=1, tags={"artist": "y"}).tags[0]["artist"] == "y"


def test_a_dry_run_shows_the_settings_and_reads_no_image(model, tmp_path):
    for i in range(9):
        (tmp_path / f"{i}.png").write_bytes(b"not an image")
    words = ["train", "--from", model.path, tmp_path, "--steps", 3, "--out", tmp_path / "run"]
    shown = CliRunner().invoke(main, [*map(str, words), "--dry-run"])
    assert shown.exit_code == 0, shown.output
    rows = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines() if "  " in line)
    assert (rows["start"], rows["batch_size"], rows["steps"]) == (str(model.path), "8", "3")
    assert (rows["freeze_discriminator"], rows["augment_probability"]) == ("2", "0.9")
    assert not (tmp_path / "run").exists()


def test_a_dry_run_refuses_what_needs_no_image_to_be_refused(model, mine, faces, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(ValueError, match="The images are 16x16 and the run is to be 32x32"):
        planned(model.path, faces, out, size=32, start=None)
    with pytest.raises(ValueError, match="start needs a model of the same networks"):
        planned(model.path, mine, out, generator={"channels": 8})
    for image in sorted(mine.iterdir())[7:]:
        image.unlink()
    with pytest.raises(ValueError, match="8 images at least. Received: 7"):
        planned(model.path, mine, out)
    assert not out.exists()


def test_a_model_that_draws_rows_of_labels_goes_on_to(model, mine, tmp_path):
    kept, plain = (planned(name, mine, tmp_path / "run") for name in (zoo.DEFAULT, model.path))
    assert (kept.prior, plain.prior) == ("rows", "data")


def test_what_images_say_goes_before_what_the_tagger_guesses():
    images, labels = draw_faces(12, size=16, seed=3)
    schema = LabelSchema((MAKEGIRLSMOE.field("hair"), Field("tall", "flag")))
    own = np.concatenate([labels[:, :HAIR], np.ones((12, 1))], axis=1).astype(np.float32)
    own[0] = np.nan
    data = with_labels_of(MAKEGIRLSMOE, tfanime.from_arrays(images, own, schema))
    rows = data.labels()
    np.testing.assert_array_equal(rows[1:, :HAIR], labels[1:, :HAIR])
    assert rows[0, :HAIR].sum() == 1 and not np.isnan(rows[:, :-1]).any()
    assert np.isnan(rows[0, -1]) and (rows[1:, -1] == 1).all()
    without = with_labels_of(MAKEGIRLSMOE, tfanime.from_arrays(images, own, schema), add=False)
    assert without.schema.columns == MAKEGIRLSMOE.columns


def test_what_the_tagger_does_not_know_stays_unknown():
    genres = LabelSchema((Field("horror", "flag"), Field("smile", "flag")))
    data = with_labels_of(genres, tfanime.from_arrays(draw_faces(9, size=16)[0]))
    assert np.isnan(data.labels()[:, 0]).all() and not np.isnan(data.labels()[:, 1]).any()


def test_fewer_images_keep_more_of_the_discriminator():
    stages = [amount(count)[0] for count in (30, 500, 5000, 50_000)]
    assert stages == [2, 1, 0, 0]
    assert len({amount(count)[1] for count in (50, 500, 5000, 50_000)}) == 4
    few = settings(recipes.get("projected"), "faces-64", 13)
    assert (few.batch_size, few.start, few.lr_decay_start) == (12, "faces-64", None)
    assert few.projected is None
    assert few.g_lr == few.d_lr == Schedule(1e-5, 1e-7, 12_000)
    assert few.augment_target is None and few.augment_probability == 0.9
    assert few.penalty_weight == 20.0
    many = settings(recipes.get("projected"), "faces-64", 500)
    assert many.g_lr <= 1e-4 and many.augment_target == 0.6
    assert many.penalty_weight == recipes.get("projected").penalty_weight
    assert settings(recipes.get("wgan-gp"), "x", 99).augment_target is None


@pytest.mark.parametrize("recipe", ["modern", "dcgan"])
def test_frozen_layers_keep_their_weights(recipe, faces):
    config = recipes.get(recipe).override(
        image_size=16, generator={"channels": 4}, discriminator={"channels": 4}, batch_size=8
    )
    gan = build_gan(config.override(freeze_discriminator=1), faces.schema)
    free = build_gan(config, faces.schema)
    kept = {v.path for v in free.discriminator_variables}
    trained = {v.path for v in gan.discriminator_variables}
    assert trained < kept
    for layer in gan.discriminator.layers:
        if isinstance(layer, keras.Model) or not layer.weights:
            continue
        large = len(layer.output.shape) == 4 and layer.output.shape[1] >= 8
        usual = free.discriminator.get_layer(layer.name).trainable
        frozen = large and not layer.name.endswith("logits")
        assert layer.trainable == (usual and not frozen), layer.name
    with pytest.raises(ValueError, match="freeze_discriminator is at least 0"):
        config.override(freeze_discriminator=-1)


@pytest.mark.parametrize(
    ("model", "count", "message"),
    [
        ("upscaler", 30, "begins with a generator"),
        ("faces-64", 7, "8 images at least. Received: 7"),
        ("face-64", 30, "Did you mean 'faces-64'"),
    ],
)
def test_refusals(tmp_path, model, count, message):
    data = tfanime.from_arrays(np.zeros((count, 64, 64, 3), np.uint8))
    with pytest.raises((ValueError, OSError), match=message):
        fine_tune(model, data, out=tmp_path / "run", steps=1)
    assert not (tmp_path / "run").exists()
