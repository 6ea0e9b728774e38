"""`sweep`: cells and their names, resuming, failures, the table and the sheet."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import tfanime
from tfanime import cli
from tfanime.training import sweep as module
from tfanime.training.grids import cells, parse_grid
from tfanime.training.sweep import sweep
from tfanime.training.watch import Diverged

SMALL = {
    "latent_dim": 4,
    "generator": {"channels": 4},
    "discriminator": {"channels": 4},
    "tensorboard": False,
    "progress": False,
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return tfanime.from_arrays(rng.integers(0, 256, (16, 16, 16, 3), np.uint8))


@pytest.fixture
def trained(monkeypatch):
    """The cells that are really trained, in order."""
    names, train = [], module.train

    def counted(*arguments, **options):
        names.append(options["out"].name)
        return train(*arguments, **options)

    monkeypatch.setattr(module, "train", counted)
    return names


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


def test_sweep_and_again(data, tmp_path, trained):
    grid = {"batch_size": [4], "discriminator.channels": [4, 6]}
    options = {**SMALL, "discriminator": {"batch_norm": False}}
    done = sweep("dcgan", data, grid, out=tmp_path, epochs=1, **options)
    names = ["batch_size-4_discriminator.channels-4", "batch_size-4_discriminator.channels-6"]
    assert done.finished and trained == names and [cell.name for cell in done.cells] == names
    rows = table(tmp_path)
    assert [row["discriminator.channels"] for row in rows] == ["4", "6"]
    assert [(r["state"], r["steps"], r["pictures"]) for r in rows] == [("finished", "4", "16")] * 2
    assert all(float(row[name]) > 0 for row in rows for name in ("images_s", "d_loss", "diversity"))
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert len(lines) == 4 and lines[0].startswith("| batch_size | discriminator.channels | state")
    assert len({line.count("|") for line in lines}) == 1
    with Image.open(tmp_path / "sheets.png") as sheet:
        assert sheet.width >= 8 * 18 and sheet.height > 2 * 20
    again = sweep("dcgan", data, grid, out=tmp_path, epochs=1, **options)
    assert again == done and trained == names
    # A larger budget continues the cells, and a wider grid trains what is new.
    more = sweep("dcgan", data, {**grid, "batch_size": [4, 8]}, out=tmp_path, steps=5, **options)
    assert [cell.result["steps"] for cell in more.cells] == [5] * 4 and len(trained) == 6


def test_a_diverged_cell_is_noted_and_not_fatal(data, tmp_path, trained):
    grid = {"batch_size": [4], "g_lr": [1e30, 1e-4]}
    done = sweep("dcgan", data, grid, out=tmp_path, steps=3, **SMALL)
    assert [cell.result["state"] for cell in done.cells] == ["diverged", "finished"]
    assert "NaN or infinite" in table(tmp_path)[0]["warnings"]
    assert f"- {done.cells[0].name}: " in (tmp_path / "table.md").read_text()
    assert sweep("dcgan", data, grid, out=tmp_path, steps=3, **SMALL) == done
    assert len(trained) == 2


def test_a_half_trained_cell_continues(data, tmp_path, monkeypatch):
    grid = {"batch_size": [4, 8]}
    train = module.train

    def interrupted(config, *arguments, steps, **options):
        run = train(config, *arguments, steps=2, **options)
        return SimpleNamespace(**{**vars(run), "finished": False, "warnings": ("thin",)})

    monkeypatch.setattr(module, "train", interrupted)
    half = sweep("dcgan", data, grid, out=tmp_path, steps=3, **SMALL)
    assert not half.finished and [row["state"] for row in table(tmp_path)] == ["stopped", "waiting"]
    monkeypatch.setattr(module, "train", train)
    done = sweep("dcgan", data, grid, out=tmp_path, steps=3, **SMALL)
    assert [cell.result["steps"] for cell in done.cells] == [3, 3]
    assert done.cells[0].result["warnings"] == ["thin"]


@pytest.mark.parametrize(
    ("grid", "options", "says"),
    [
        ({"batch_size": [4]}, {}, "give one of steps, epochs or minutes. Received: none"),
        ({"batch_size": [4]}, {"steps": 1, "minutes": 1}, "Received: steps, minutes"),
        ({"batch": [4]}, {"steps": 1}, "Unknown setting: batch"),
        ({"batch_size": [4, 32]}, {"steps": 1}, "batch_size-32 cannot be trained. One step takes"),
        ({"generator.width": [4]}, {"steps": 1}, "generator.width-4 cannot be trained"),
        ({"g_lr": [1e-4]}, {"steps": 1, "g_lr": 1e-3}, "g_lr is an axis of the grid and fixed"),
        ({"generator.channels": [4]}, {"steps": 1}, "generator is an axis of the grid and fixed"),
    ],
)
def test_what_cannot_be_trained_is_found_before(data, tmp_path, grid, options, says):
    with pytest.raises(ValueError, match=says):
        sweep("dcgan", data, grid, out=tmp_path / "new", **{**SMALL, **options})
    assert not (tmp_path / "new").exists()


def test_diverging_without_a_figure(data, tmp_path, monkeypatch):
    """Before the first row of the log there are no losses to show."""
    train = module.train

    def diverging(config, *arguments, steps, **options):
        train(config, *arguments, steps=1, **options)
        raise Diverged("d_loss became NaN.")

    monkeypatch.setattr(module, "train", diverging)
    sweep("dcgan", data, {"batch_size": [4]}, out=tmp_path, steps=3, **SMALL)
    row = table(tmp_path)[0]
    assert (row["state"], row["steps"], row["pictures"], row["d_loss"]) == (
        "diverged",
        "1",
        "4",
        "",
    )


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
