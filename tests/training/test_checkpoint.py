"""A checkpoint that was damaged is named, and the run goes on from the one before it."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from runs import assert_same_bits

import tfanime
from tfanime import gans
from tfanime.core import disk, files
from tfanime.core.files import read_json, write_json
from tfanime.gans.augment import diff_augment
from tfanime.models import dcgan
from tfanime.training import checkpoint, lock
from tfanime.training import stale_files as left_over
from tfanime.training import trainer as training
from tfanime.training.log import read

STEPS = (10, 20, 30)


def arrays(step):
    weights = np.random.default_rng(step).normal(size=(50, 40)).astype(np.float32)
    return {"gan/0000": np.int64(step), "generator/0000": weights}


@pytest.fixture
def run(tmp_path):
    write_json(tmp_path / "run" / "config.json", {"config": {"seed": 1}, "data": {}})
    for step in STEPS:
        checkpoint.save(arrays(step), tmp_path / "run", {"seconds": 2.0 * step, "warnings": []})
    return tmp_path / "run"


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def changed(**values):
    def change(path):
        write_json(path, {**read_json(path), **values})

    return change


def resummed(change):
    """Not damage of the disk: whoever changed it wrote the checksums anew."""

    def both(path):
        change(path)
        checkpoint.write_sums(path.parent)

    return both


def other_state(**values):
    def change(path):
        files.save_arrays(path, {**arrays(30), **values})
        checkpoint.write_sums(path.parent)

    return change


def unreadable(path):
    path.unlink()
    path.mkdir()


DAMAGE = {
    "cut state": ("state.npz", cut),
    "flipped bit": ("state.npz", flipped),
    "empty state": ("state.npz", lambda path: path.write_bytes(b"")),
    "missing state": ("state.npz", os.remove),
    "a folder for a file": ("state.npz", unreadable),
    "state of zeros": ("state.npz", lambda path: path.write_bytes(bytes(5000))),
    "not finite": ("state.npz", other_state(**{"generator/0000": np.float32([1, np.nan])})),
    "another step": ("state.npz", other_state(**{"gan/0000": np.int64(60)})),
    "no step": ("state.npz", resummed(lambda path: files.save_arrays(path, {"a": np.zeros(2)}))),
    "cut meta": ("meta.json", cut),
    "missing meta": ("meta.json", os.remove),
    "a list as meta": ("meta.json", resummed(lambda path: path.write_text("[]"))),
    "a wrong step": ("meta.json", changed(step=60)),
    "a wrong step with sums": ("meta.json", resummed(changed(step=60))),
    "no numbers": ("meta.json", resummed(changed(seconds="long"))),
    "other seconds": ("meta.json", changed(seconds=1.0)),
    "cut sums": ("SHA256SUMS", cut),
    "other settings": ("config.json", flipped),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_and_the_one_before_taken(run, capsys, damage):
    name, do = DAMAGE[damage]
    do(run / "checkpoints" / "step-000000030" / name)
    folder, found, meta = checkpoint.read_newest(run)
    assert (folder.name, meta["step"], meta["seconds"]) == ("step-000000020", 20, 40.0)
    np.testing.assert_array_equal(found["generator/0000"], arrays(20)["generator/0000"])
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "step-000000030" in said and "damaged" in said
    assert "Going on from step-000000020" in said
    # Which file it was; of the sums it is the one that they do not fit.
    assert name in said or damage == "cut sums"


@pytest.mark.parametrize("damage", ["cut state", "flipped bit", "not finite", "another step"])
def test_without_checksums_it_is_noticed_too(run, damage):
    """Checkpoints of earlier versions have none."""
    name, do = DAMAGE[damage]
    newest = run / "checkpoints" / "step-000000030"
    do(newest / name)
    (newest / "SHA256SUMS").unlink()
    assert checkpoint.read_newest(run)[2]["step"] == 20


def test_the_checksums_are_those_of_sha256sum(run):
    newest = checkpoint.checkpoints(run)[-1]
    assert len((newest / "SHA256SUMS").read_text().splitlines()) == 3
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=newest, check=True)


def test_no_checkpoint_is_whole(run):
    for folder in checkpoint.checkpoints(run):
        cut(folder / "state.npz")
    with pytest.raises(checkpoint.Damaged, match="30.state.npz.* no other one .*another folder"):
        checkpoint.read_newest(run)


def test_strays_are_no_checkpoints(run):
    folder = run / "checkpoints"
    (folder / "step-000000040").write_text("a file")
    (folder / "step-5").mkdir()
    (folder / "step-000000031-copy").mkdir()
    assert [path.name for path in checkpoint.checkpoints(run)] == [f"step-{s:09d}" for s in STEPS]
    checkpoint.save(arrays(40), run, {})
    assert checkpoint.read_newest(run)[2]["step"] == 40


@pytest.mark.parametrize("number", [28, 5])
def test_a_full_disk_keeps_what_is_there(run, monkeypatch, number):
    def refuse(handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", refuse)
    with pytest.raises(disk.DiskError):
        checkpoint.save(arrays(40), run, {})
    assert sorted(os.listdir(run / "checkpoints")) == [f"step-{step:09d}" for step in STEPS]


# ---- a whole training --------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_goes_on_from_the_checkpoint_before(train, faces, tmp_path, capsys):
    options = {"checkpoint_every": 2, "sample_every": 1}
    whole = train("dcgan", faces, "whole", steps=8, **options)
    run = train("dcgan", faces, "damaged", steps=6, **options).path
    flipped(run / "checkpoints" / "step-000000006" / "state.npz")
    cut(run / "config.json")
    (run / "log.csv").write_bytes(b"step,\xff\0\n\xff\xfe" + (run / "log.csv").read_bytes())
    capsys.readouterr()
    again = train("dcgan", faces, "damaged", steps=8, **options)
    said = capsys.readouterr().err
    assert again.step == 8 and "Going on from step-000000004" in said
    for name in ("state.npz' is damaged", "config.json' is damaged", "log.csv' is damaged"):
        assert name in said
    assert_same_bits(*(r.path / "checkpoints" / "step-000000008" for r in (whole, again)))
    assert_same_bits(*(r.path / "checkpoints" / "step-000000006" for r in (whole, again)))
    names = [path.name for path in (run / "checkpoints").iterdir()]
    assert sorted(names) == [f"step-{step:09d}" for step in (4, 6, 8)]
    stored = read_json(run / "config.json")
    assert stored == read_json(tmp_path / "whole" / "config.json")


def test_what_shows_a_training_never_stops_it(train, faces, tmp_path, monkeypatch, capsys):
    def broken(*arguments, **options):
        raise OSError(28, "No space left on device")

    for name in ("draw_curves", "write_report"):
        monkeypatch.setattr(training, name, broken)
    monkeypatch.setattr("tfanime.training.samples.save_grid", broken)
    monkeypatch.setattr("tfanime.training.log.Log._append", broken)
    monkeypatch.setattr("tfanime.training.board.Board.add", broken)
    run = train("dcgan", faces, steps=3, sample_every=1)
    said = capsys.readouterr().err
    assert run.step == 3 and run.finished
    for name in ("log.csv", "samples/", "curves.png", "final.png", "report.md", "tensorboard/"):
        assert said.count(f"Note: {name} of ") == 1
    monkeypatch.undo()
    assert tfanime.generate(run, n=1).images.shape == (1, 16, 16, 3)


def test_half_a_row_does_not_stay_in_the_log(tmp_path):
    from tfanime.training.log import Log

    log = Log(tmp_path, 1)
    log.add(1, {"d_loss": 1.0}, 8)
    size = (tmp_path / "log.csv").stat().st_size

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            self.file.__enter__()
            return self

        def __exit__(self, *error):
            self.file.__exit__(*error)

        def write(self, data):
            return self.file.write(data[:3])

        tell = property(lambda self: self.file.tell)
        truncate = property(lambda self: self.file.truncate)

    class Path(type(log.path)):
        def open(self, *arguments, **options):
            return Full(super().open(*arguments, **options))

    log.path, path = Path(log.path), log.path
    with pytest.raises(disk.DiskError, match="is full"):
        log.add(2, {"d_loss": 2.0}, 8)
    assert path.stat().st_size == size
    log.path = path
    log.add(3, {"d_loss": 3.0}, 8)
    assert [(row["step"], row["d_loss"]) for row in read(tmp_path)] == [("1", "1"), ("3", "3")]


# ---- the folder --------------------------------------------------------------------------------


def test_a_second_training_is_told_who_trains(train, faces, tmp_path):
    (tmp_path / "run").mkdir()
    script = (
        "import sys\nfrom tfanime.training.lock import locked\n"
        "with locked(sys.argv[1]):\n    print('ready', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(lock.FolderInUse, match=f"in which process {process.pid} on .* trains"):
            train("dcgan", faces, steps=1)
        assert os.listdir(tmp_path / "run") == [lock.FILE]
        process.kill()
    # The lock of a dead process is none.
    assert (tmp_path / "run" / lock.FILE).exists()
    assert train("dcgan", faces, steps=1).step == 1
    assert not (tmp_path / "run" / lock.FILE).exists()


def test_what_killed_trainings_left_is_removed(tmp_path):
    names = [
        ".generator-abcd_123.keras",
        ".config-abcd_123.json",
        f"{files.temporary_prefix('log')}abcd_123.csv",
        ".log~12~another~abcd_123.csv",
        "samples/.step-0000010-abcd_123.png",
        "best/.generator-abcd_123.keras",
    ]
    mine = [".vscode-settings.json", ".notes", "generator.keras", "samples/step-0000010.png"]
    for name in (*names, *mine):
        files.write_text(tmp_path / name, "x")
    half = tmp_path / "checkpoints" / ".step-000000002-abcd_123"
    half.mkdir(parents=True)
    (half / "state.npz").write_bytes(b"half")
    left_over.remove(tmp_path)
    there = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path)) for path in there) == sorted(mine)
    assert not half.exists()


def test_a_start_that_fails_leaves_no_folder(train, faces, tmp_path):
    with pytest.raises(ValueError, match="start is a run folder"):
        train("dcgan", faces, "out", steps=1, start=str(tmp_path))
    assert not (tmp_path / "out").exists()
    (tmp_path / "source" / "checkpoints" / "step-000000010").mkdir(parents=True)
    with pytest.raises(ValueError, match="state.npz' is damaged"):
        train("dcgan", faces, "out", steps=1, start=str(tmp_path / "source"))
    assert not (tmp_path / "out").exists()
    assert train("dcgan", faces, "out", steps=1).step == 1


def test_what_fails_before_the_first_checkpoint_gives_the_folder_up(
    train, faces, tmp_path, monkeypatch
):
    def broken(*arguments):
        raise ValueError("cannot be")

    with monkeypatch.context() as patch:
        patch.setattr(training, "Log", broken)
        with pytest.raises(ValueError, match="cannot be"):
            train("dcgan", faces, "out", steps=1)
    assert not (tmp_path / "out").exists()
    assert train("dcgan-sn", faces, "out", steps=1).step == 1


# ---- the process -------------------------------------------------------------------------------


def test_training_changes_nothing_of_the_process(train, faces, tmp_path):
    import random

    import keras
    import tensorflow as tf

    def state():
        options = tf.config.optimizer.get_experimental_options()
        number = np.random.get_state()[1].tolist(), random.getstate()
        # What is not set is as good as False.
        return keras.config.dtype_policy().name, {k for k, on in options.items() if on}, number

    before = state()
    train("dcgan", faces, steps=1, precision="mixed_bfloat16")
    assert state() == before
    assert keras.layers.Flatten().compute_dtype == "float32"
    with pytest.raises(ValueError):
        train("dcgan", faces, "other", steps=1, precision="mixed_bfloat16", loss="l3")
    with pytest.raises(ValueError):
        train("dcgan", faces, "other", steps=1, precision="mixed_bfloat16", start=str(tmp_path))
    grid = {"loss": ["nonsense"]}
    with pytest.raises(ValueError):
        tfanime.sweep("dcgan", faces, grid, out=tmp_path / "s", steps=1, precision="mixed_bfloat16")
    assert state() == before


def test_a_checkpoint_from_before_signs_were_added_up(tmp_path):
    """Adaptive augmentation once looked at each batch alone: such a run goes on."""
    gan = gans.GAN(
        dcgan.generator(16, 16, latent_dim=4, channels=2),
        dcgan.discriminator(16, 16, channels=2),
        augment=diff_augment("color"),
        augment_target=0.6,
    )
    gan.compile()
    gan.augment_p.assign(0.3)
    gan.augment_sum.assign(2.0)
    arrays = checkpoint.arrays_of(gan)
    old = {name: array for name, array in arrays.items() if not name.startswith("adapting")}
    assert len(old) == len(arrays) - 1
    gan.augment_p.assign(0.0)
    checkpoint.restore(gan, checkpoint.save(old, tmp_path / "old", {}))
    assert float(gan.augment_p.numpy()) == np.float32(0.3)
    gan.augment_sum.assign(0.0)
    checkpoint.restore(gan, checkpoint.save(arrays, tmp_path / "new", {}))
    assert float(gan.augment_sum.numpy()) == 2.0
    plain = {name: array for name, array in arrays.items() if name != "gan/0001"}
    with pytest.raises(ValueError, match="of another model"):
        checkpoint.restore(gan, checkpoint.save(plain, tmp_path / "other", {}))
