"""`sweep`: cells and their names, resuming, failures, the table and the sheet."""

from __future__ import annotations

import csv
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import tfanime
from tfanime import cli, models
from tfanime.core.files import write_json
from tfanime.training import checkpoint
from tfanime.training import sweep as module
from tfanime.training.collapse import Diverged
from tfanime.training.grids import cells, parse_grid
from tfanime.training.run import Run
from tfanime.training.sweep import sweep
from tfanime.zoo.saved import save_generator

SMALL = {
    "latent_dim": 4,
    "generator": {"channels": 4},
    "discriminator": {"channels": 4},
    "tensorboard": False,
    "progress": False,
}


GENERATOR = models.GENERATORS["dcgan"](16, 16, latent_dim=4, channels=4)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return tfanime.from_arrays(rng.integers(0, 256, (16, 16, 16, 3), np.uint8))


@pytest.fixture
def trained(monkeypatch):
    """Replaces `train` by one that takes no time; the calls, as (cell, steps at its end)."""
    calls = []

    def stand_in(config, data, *, out, size, steps=None, epochs=None, **options):
        assert size == config.image_size
        steps = steps or int(epochs * len(data) / config.batch_size)
        calls.append((out.name, steps))
        fault = faults.pop(0) if faults else None
        (out / "checkpoints" / f"step-{steps:09d}").mkdir(parents=True)
        newest = checkpoint.checkpoints(out)[-1]
        write_json(newest / "meta.json", {"step": steps, "seconds": 2.0})
        np.savez(newest / "state.npz", **{"gan/0000": np.array(steps)})
        save_generator(out, GENERATOR, None, "tiny")
        if fault == "diverged":
            raise Diverged("d_loss became NaN.")
        (out / "log.csv").write_text("step,d_loss,g_loss,diversity\n1,2,2,2\n2,1,0.5,0.25\n")
        warnings = ("thin",) if fault == "stopped" else ()
        return Run(out, steps, steps * config.batch_size, 2.0, fault is None, warnings)

    faults = []
    monkeypatch.setattr(module, "train", stand_in)
    monkeypatch.setattr(module, "build_gan", lambda config, schema: None)
    return SimpleNamespace(calls=calls, faults=faults)


def table(out):
    with (out / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


# ---- the grid ----------------------------------------------------------------------------------


def test_cells_and_names():
    found = cells({"batch_size": [16, 32], "augment": ["none", "color, x/y"], "g_lr": [1e-4]})
    assert [cell.name for cell in found] == [
        "batch_size-16_augment-none_g_lr-0.0001",
        "batch_size-16_augment-color-x-y_g_lr-0.0001",
        "batch_size-32_augment-none_g_lr-0.0001",
        "batch_size-32_augment-color-x-y_g_lr-0.0001",
    ]
    assert found[1].settings == {"batch_size": 16, "augment": "color, x/y", "g_lr": 1e-4}


@pytest.mark.parametrize("grid", [{}, {"batch_size": []}])
def test_empty_grids_are_refused(grid):
    with pytest.raises(ValueError, match="at least one"):
        cells(grid)


@pytest.mark.parametrize("values", [[16, 16], ["a b", "a/b"], ["a", "A"]])
def test_cells_of_one_name_are_refused(values):
    with pytest.raises(ValueError, match="different names"):
        cells({"augment": values})


def test_parse_grid():
    pairs = ["batch_size=16, 32", "optimizer=adam,sgd", 'augment=["none", "color,cutout"]']
    assert parse_grid(pairs) == {
        "batch_size": [16, 32],
        "optimizer": ["adam", "sgd"],
        "augment": ["none", "color,cutout"],
    }


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (["batch_size"], "NAME=VALUE,VALUE"),
        (["=3"], "NAME=VALUE,VALUE"),
        (["batch_size="], "NAME=VALUE,VALUE"),
        (["seed=1", "seed=2"], "Received twice: seed"),
        (["augment=[none]"], "no JSON list"),
    ],
)
def test_wrong_grids(pairs, says):
    with pytest.raises(ValueError, match=says):
        parse_grid(pairs)


# ---- the sweep ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_sweep(eager, data, tmp_path):
    """One cell diverges, which is noted; the other is trained. Neither is trained again."""
    grid = {"g_lr": [1e30, 1e-4], "generator.depth": [3]}
    options = {**SMALL, "batch_size": 4, "steps": 3, "out": tmp_path}
    done = sweep("dcgan", data, grid, **options)
    assert done.finished
    assert [cell.result["state"] for cell in done.cells] == ["diverged", "finished"]
    assert [row["generator.depth"] for row in table(tmp_path)] == ["3", "3"]
    assert "NaN or infinite" in table(tmp_path)[0]["warnings"]
    with Image.open(tmp_path / "sheets.png") as sheet:
        assert sheet.width >= 8 * 18 and sheet.height > 2 * 20
    assert sweep("dcgan", data, grid, **options) == done
    with pytest.raises(ValueError, match="holds a run with other config: beta_1"):
        sweep("dcgan", data, grid, beta_1=0.9, **options)


def test_table(data, tmp_path, trained):
    grid = {"batch_size": [4, 8], "discriminator.channels": [6]}
    options = {**SMALL, "discriminator": {"normalisation": "none"}}
    sweep("dcgan", data, grid, out=tmp_path, epochs=2, **options)
    first, second = table(tmp_path)
    assert first == {
        "cell": "batch_size-4_discriminator.channels-6",
        "batch_size": "4",
        "discriminator.channels": "6",
        "state": "finished",
        "steps": "8",
        "pictures": "32",
        "minutes": "0.03",
        "images_s": "16.0",
        "d_loss": "1.0",
        "g_loss": "0.5",
        "diversity": "0.25",
        "warnings": "",
    }
    assert (second["steps"], second["pictures"]) == ("4", "32")
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert lines[0].startswith("| batch_size | discriminator.channels | state |")
    assert lines[2] == "| 4 | 6 | finished | 8 | 32 | 0.03 | 16 | 1 | 0.5 | 0.25 | 0 |"
    assert len(lines) == 4


def test_finished_cells_are_not_trained_again(data, tmp_path, trained):
    grid = {"batch_size": [4, 8]}
    done = sweep("dcgan", data, grid, out=tmp_path, steps=2, **SMALL)
    assert sweep("dcgan", data, grid, out=tmp_path, steps=2, **SMALL) == done
    assert trained.calls == [("batch_size-4", 2), ("batch_size-8", 2)]
    # What was added to the grid is trained, and a larger budget continues every cell.
    sweep("dcgan", data, {"batch_size": [2, 4, 8]}, out=tmp_path, steps=2, **SMALL)
    assert trained.calls[2:] == [("batch_size-2", 2)]
    sweep("dcgan", data, grid, out=tmp_path, steps=3, **SMALL)
    assert trained.calls[3:] == [("batch_size-4", 3), ("batch_size-8", 3)]


def test_a_diverged_cell_is_noted_once(data, tmp_path, trained):
    trained.faults[:] = ["diverged"]
    done = sweep("dcgan", data, {"batch_size": [4, 8]}, out=tmp_path, steps=2, **SMALL)
    assert done.finished and [row["state"] for row in table(tmp_path)] == ["diverged", "finished"]
    row = table(tmp_path)[0]
    assert (row["steps"], row["pictures"], row["d_loss"]) == ("2", "8", "")
    assert "- batch_size-4: d_loss became NaN." in (tmp_path / "table.md").read_text()
    assert sweep("dcgan", data, {"batch_size": [4, 8]}, out=tmp_path, steps=2, **SMALL) == done
    assert len(trained.calls) == 2


def test_an_interrupted_sweep_continues(data, tmp_path, trained):
    trained.faults[:] = ["stopped"]
    grid = {"batch_size": [4, 8]}
    half = sweep("dcgan", data, grid, out=tmp_path, steps=2, **SMALL)
    assert not half.finished and half.cells[1].result is None
    assert half.cells[0].result["warnings"] == ["thin"]
    assert [row["state"] for row in table(tmp_path)] == ["stopped", "waiting"]
    shutil.rmtree(tmp_path / "batch_size-4" / "checkpoints")  # the stand-in writes them again
    done = sweep("dcgan", data, grid, out=tmp_path, steps=2, **SMALL)
    assert done.finished and [name for name, _ in trained.calls] == [
        "batch_size-4",
        "batch_size-4",
        "batch_size-8",
    ]


@pytest.mark.parametrize(
    ("grid", "options", "says"),
    [
        ({"batch_size": [4]}, {}, "give one of steps, epochs or minutes. Received: none"),
        ({"batch_size": [4]}, {"steps": 1, "minutes": 1}, "Received: steps, minutes"),
        ({"batch": [4]}, {"steps": 1}, "Unknown setting: batch"),
        ({"batch_size": [4, 32]}, {"steps": 1}, "batch_size-32 cannot be trained. One step takes"),
        ({"generator.width": [4]}, {"steps": 1}, "does not take these options: width"),
        ({"g_lr": [1e-4]}, {"steps": 1, "g_lr": 1e-3}, "g_lr is an axis of the grid and fixed"),
        ({"generator.channels": [4]}, {"steps": 1}, "generator is an axis of the grid and fixed"),
    ],
)
def test_what_cannot_be_trained_is_found_before(data, tmp_path, grid, options, says):
    with pytest.raises(ValueError, match=says):
        sweep("dcgan", data, grid, out=tmp_path / "new", **{**SMALL, **options})
    assert not (tmp_path / "new").exists()


# ---- the verb ----------------------------------------------------------------------------------


def test_verb(tmp_path, monkeypatch):
    seen = {}

    def stand_in(*arguments, **options):
        seen.update(arguments=arguments, options=options)
        return SimpleNamespace(cells=[], finished=not seen.get("stop"))

    monkeypatch.setitem(vars(tfanime), "sweep", stand_in)
    words = "sweep dcgan --data drawn --out s --epochs 2 --grid batch_size=16,32 --set g_lr=1e-4"
    result = CliRunner().invoke(cli.main, words.split())
    assert result.exit_code == 0, result.output
    assert seen["arguments"] == ("dcgan", "drawn", {"batch_size": [16, 32]})
    assert seen["options"] == {
        "out": "s",
        "steps": None,
        "epochs": 2.0,
        "minutes": None,
        "strategy": "auto",
        "tensorboard": True,
        "g_lr": 1e-4,
    }
    seen["stop"] = True
    assert CliRunner().invoke(cli.main, words.split()).exit_code == 130
    seen.clear()
    shown = CliRunner().invoke(cli.main, [*words.split(), "--dry-run"])
    assert shown.output == "s/batch_size-16\ns/batch_size-32\n" and not seen
    wrong = CliRunner().invoke(cli.main, [*words.split(), "--grid", "seed"])
    assert wrong.exit_code == 2 and "NAME=VALUE" in wrong.output
