import csv
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from runs import arrays_of, assert_same_bits

import tfanime
from tfanime import gans
from tfanime.core.files import read_json, write_json
from tfanime.export.graph.subject import generator_subject
from tfanime.models import dcgan
from tfanime.training import checkpoint, strategies
from tfanime.training.collapse import Diverged
from tfanime.training.log import read


def newest(run):
    return checkpoint.checkpoints(run)[-1]


# ---- what a run leaves -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory, faces):
    """A short conditional run."""
    out = tmp_path_factory.mktemp("finished") / "run"
    return tfanime.train(
        "dcgan-dragan",
        faces,
        out=out,
        generator={"channels": 4},
        discriminator={"channels": 4},
        batch_size=8,
        more_averages=[1, 5000],
        steps=6,
        sample_every=3,
        checkpoint_every=2,
        progress=False,
    )


def shown(run) -> set[tuple[str, int]]:
    """Names and steps of the pictures in TensorBoard's files, each as large as its sheet."""
    (file,) = (run / "tensorboard").iterdir()
    found = set()
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "images":
                width, height, *pictures = tf.make_ndarray(value.tensor)
                (picture,) = pictures
                sheet = "reals" if value.tag == "reals" else f"step-{event.step:07d}"
                with Image.open(run / "samples" / f"{sheet}.png") as opened:
                    assert opened.size == (int(width), int(height))
                    pixels = np.asarray(opened.convert("RGB"))
                np.testing.assert_array_equal(tf.io.decode_png(picture).numpy(), pixels)
                found.add((value.tag, event.step))
    return found


def test_run_folder(finished):
    assert (finished.step, finished.images, finished.finished) == (6, 48, True)
    assert finished.seconds > 0
    run = finished.path
    sheets = sorted(file.name for file in (run / "samples").iterdir())
    assert sheets == ["reals.png", "step-0000000.png", "step-0000003.png", "step-0000006.png"]
    for picture in (run / "final.png", run / "curves.png", *(run / "samples").iterdir()):
        with Image.open(picture) as opened:
            opened.load()
    assert shown(run) == {("reals", 0), ("samples", 0), ("samples", 3), ("samples", 6)}
    # The last three checkpoints are kept.
    kept = [folder.name for folder in checkpoint.checkpoints(run)]
    assert kept == ["step-000000002", "step-000000004", "step-000000006"]
    assert "No warnings" in (run / "report.md").read_text()


def test_log(finished):
    with (finished.path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["3", "6"]
    wanted = {"d_loss", "g_loss", "d_real", "d_fake", "d_grad_norm", "g_grad_norm", "diversity"}
    assert wanted | {"d_penalty", "d_label_loss", "g_label_loss"} <= set(rows[0])
    assert float(rows[-1]["images_per_second"]) > 0


def test_resolved_configuration_is_saved(finished, faces):
    stored = read_json(finished.path / "config.json")
    assert stored["config"]["generator"] == {"name": "dcgan", "channels": 4}
    assert stored["config"]["image_size"] == [16, 16]  # the data's own
    assert stored["config"]["penalty_weight"] == 0.5  # the recipe's
    assert stored["data"] == {"count": 48, "sha256": faces.sha256}
    assert set(stored["versions"]) == {"tfanime", "tensorflow", "keras"}


def test_run_can_be_drawn_from(finished):
    drawn = tfanime.generate(finished, n=3, seed=1, tags={"hair": "blue"})
    assert drawn.images.shape == (3, 16, 16, 3)
    # The saved generator is the average, not the trained network itself.
    model = tfanime.load_generator(finished.path).model
    stored = arrays_of(newest(finished.path))
    kernel = model.weights[0].numpy()
    assert (kernel == stored["ema_generator/0000"]).all()
    assert (kernel != stored["generator/0000"]).any()
    # So are the further averages, each a model to draw with.
    for i, half_life in enumerate((1, 5000)):
        folder = finished.path / "averages" / f"{half_life}"
        other = tfanime.load_generator(folder).model.weights[0].numpy()
        assert (other == stored[f"average{i}/0000"]).all()
        # In so few steps the warm-up shortens long half-lives alike.
        assert (other != kernel).any() == (half_life == 1)
        assert tfanime.generate(folder, n=1).images.shape == (1, 16, 16, 3)


def test_budget_reached_trains_no_more(finished, faces):
    before = arrays_of(newest(finished.path))
    again = tfanime.train(
        "dcgan-dragan",
        faces,
        out=finished.path,
        generator={"channels": 4},
        discriminator={"channels": 4},
        batch_size=8,
        more_averages=[1, 5000],
        steps=6,
        progress=False,
    )
    assert (again.step, again.finished) == (6, True)
    after = arrays_of(newest(finished.path))
    assert all((before[name] == after[name]).all() for name in before)


def test_prior_of_rows_draws_what_the_data_have(train, faces):
    """Whole rows of the training set, as long as nothing is asked for."""
    run = train("dcgan", faces, steps=1, conditioning="concat", prior="rows")
    labels = tfanime.generate(run.path, n=20, seed=1).labels
    of_data = {row.tobytes() for row in faces.labels()}
    assert all(row.tobytes() in of_data for row in labels)
    assert len({row.tobytes() for row in labels}) > 5
    tags = tfanime.generate(run.path, n=3, seed=1, tags={"hair": "blue"}).tags
    assert all(one["hair"] == "blue" for one in tags)
    # A web page draws the same: what it is compared with has such labels.
    inputs = generator_subject(run.path).inputs
    assert all(((row + 1) / 2).astype(np.float32).tobytes() in of_data for row in inputs[1])


# ---- continuing --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_finished_run_goes_on_bit_for_bit(graph, train, faces):
    whole = train("dcgan", faces, "whole", steps=4)
    train("dcgan", faces, "parts", steps=2)
    parts = train("dcgan", faces, "parts", steps=4)
    assert whole.step == parts.step == 4
    assert_same_bits(newest(whole.path), newest(parts.path))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "options"),
    [("dcgan-dragan", {}), ("wgan", {"critic_steps": 2, "augment": "translation"})],
)
def test_resumed_is_uninterrupted_bit_for_bit(graph, train, faces, tmp_path, recipe, options):
    options = {"steps": 4, "checkpoint_every": 2, **options}
    whole = train(recipe, faces, "whole", **options)
    shutil.copytree(whole.path, tmp_path / "parts")
    shutil.rmtree(newest(tmp_path / "parts"))  # as if it had been killed before
    assert newest(tmp_path / "parts").name.endswith("2")
    parts = train(recipe, faces, "parts", **options)
    assert whole.step == parts.step == 4
    assert_same_bits(newest(whole.path), newest(parts.path))


def test_other_seed_is_another_run(train, faces):
    one, other = (train("dcgan", faces, f"s{seed}", steps=1, seed=seed) for seed in (0, 1))
    one, other = arrays_of(newest(one.path)), arrays_of(newest(other.path))
    assert (one["generator/0000"] != other["generator/0000"]).any()


def command(data, out, *more):
    settings = ["--set", "generator.channels=4", "--set", "discriminator.channels=4"]
    words = ["train", "dcgan", "--data", str(data), "--out", str(out), "--batch", "8"]
    return [sys.executable, "-m", "tfanime", *words, *settings, "--no-tensorboard", *more]


def wait_for(path, process, seconds=120):
    until = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, "the training ended before it could be stopped"
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_process_continues_bit_for_bit(graph, train, packed, tmp_path):
    """Killed at a moment that nobody chose, with checkpoints written all the time, continued, and
    stopped by Ctrl-C. What it ends as is what this process trains without a stop. Of the recipe
    whose step is compiled soonest, which four trainings do: what larger ones continue with, the
    test above compares."""
    options = {"steps": 120, "sample_every": 40}
    whole = train("dcgan", packed, "whole", **options).path
    killed, said = tmp_path / "killed", tmp_path / "said"
    more = ("--steps", "120", "--checkpoint-every", "5", "--sample-every", "40")
    for step in (10, 30):
        with said.open("w") as file:
            process = subprocess.Popen(command(packed, killed, *more), stdout=file, stderr=file)
            wait_for(killed / checkpoint.FOLDER / f"step-{step:09d}", process)
            time.sleep(0.05 * (step % 7))
            if step == 10:
                process.kill()
                process.wait()
            else:
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 130
        stopped = int(newest(killed).name.removeprefix("step-"))
        assert step <= stopped < 120
    # Ctrl-C leaves not the last regular checkpoint, but the very step at which it stopped.
    words = said.read_text()
    assert "The same command continues" in words and "Traceback" not in words
    assert read_json(newest(killed) / "meta.json")["step"] == stopped
    assert f"step {stopped:,}, " in words
    assert train("dcgan", packed, "killed", checkpoint_every=5, **options).finished
    assert_same_bits(newest(whole), newest(killed))
    assert not list((killed / checkpoint.FOLDER).glob(".*"))
    # The log has no step twice, and its losses are those of the uninterrupted run.
    logs = [[(row["step"], row["d_loss"]) for row in read(run)] for run in (whole, killed)]
    assert logs[0] == logs[1]


def test_unfinished_checkpoints_are_removed(train, faces, tmp_path):
    train("dcgan", faces, steps=1)
    half = tmp_path / "run" / checkpoint.FOLDER / ".step-000000002-abc"
    half.mkdir()
    (half / "state.npz").write_bytes(b"half")
    assert train("dcgan", faces, steps=2).step == 2
    assert not half.exists()


@pytest.mark.slow
def test_time_budget_counts_over_calls(train, faces, tmp_path):
    run = train("dcgan", faces, steps=1)
    meta = read_json(newest(run.path) / "meta.json")
    write_json(newest(run.path) / "meta.json", {**meta, "seconds": 120.0})
    checkpoint.write_sums(newest(run.path))
    assert train("dcgan", faces, minutes=1.9).step == 1
    again = train("dcgan", faces, minutes=2.005)
    assert again.step > 1 and again.seconds > 120


def test_epochs(train, faces):
    # 48 pictures, 8 a step.
    assert train("dcgan", faces, epochs=1.5).step == 9


# ---- failing -----------------------------------------------------------------------------------


def test_divergence_stops_and_keeps_the_last_good_checkpoint(train, faces, tmp_path):
    # SGD with such a rate overflows at once.
    with pytest.raises(Diverged, match="last good checkpoint is step-0000000") as error:
        train(
            "dcgan",
            faces,
            "sgd",
            optimizer="sgd",
            d_lr=1e30,
            g_lr=1e30,
            steps=50,
            checkpoint_every=1,
        )
    assert "Try a lower g_lr" in str(error.value)
    out = tmp_path / "sgd"
    for folder in checkpoint.checkpoints(out):
        assert all(np.isfinite(array).all() for array in arrays_of(folder).values())
    assert "NaN or infinite" in (out / "report.md").read_text()
    assert np.isfinite(tfanime.generate(out, n=1).latents).all()


# ---- other ways in -----------------------------------------------------------------------------


def own_gan():
    gan = gans.LSGAN(
        dcgan.generator(16, 16, latent_dim=8, channels=4),
        dcgan.discriminator(16, 16, channels=4, normalisation="none"),
    )
    gan.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01))
    return gan


def test_a_gan_of_ones_own(faces, tmp_path):
    options = {"out": tmp_path / "own", "batch_size": 8, "progress": False}
    run = tfanime.train(own_gan(), faces, steps=2, **options)
    again = tfanime.train(own_gan(), faces, steps=4, **options)
    assert (run.step, again.step) == (2, 4)
    assert tfanime.generate(tmp_path / "own", n=1).images.shape == (1, 16, 16, 3)
    with pytest.raises(ValueError, match="takes only batch_size, flip, prior. Received: g_lr"):
        tfanime.train(own_gan(), faces, steps=2, g_lr=0.1, **options)
    with pytest.raises(ValueError, match="strategy"):
        tfanime.train(own_gan(), faces, steps=2, strategy="mirrored", **options)


def test_continuing_and_finished_are_said(train, faces, capsys):
    train("dcgan", faces, steps=1, progress=True)
    assert "Continuing" not in capsys.readouterr().err
    train("dcgan", faces, steps=2, progress=True)
    assert "from step 1 of 2." in capsys.readouterr().err
    before = train("dcgan", faces, steps=2, progress=True)
    assert "is already finished: step 2 of 2." in capsys.readouterr().err
    assert before.seconds >= 0


def test_building_is_not_counted_as_training(train, faces, monkeypatch):
    """The first step builds the graph. On this clock it takes 100 s, and every other step 10."""
    clock, costs = [0.0], [10.0, 10.0, 100.0]
    place = type(strategies.make("none", 8))
    real = place.step_function

    def step_function(self, gan):
        step = real(self, gan)

        def run(batch, said):
            clock[0] += costs.pop()
            return step(batch, said)

        return run

    monkeypatch.setattr(place, "step_function", step_function)
    watch = SimpleNamespace(monotonic=lambda: clock[0])
    monkeypatch.setattr("tfanime.training.trainer.time", watch)
    assert train("dcgan", faces, steps=3, strategy="none").seconds == 20.0
