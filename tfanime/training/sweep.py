"""`sweep`: one recipe trained once per cell of a grid of settings, with equal budgets.

The folder holds a run folder per cell, `table.csv`, `table.md` and `sheets.png`. The cells are
trained one after the other. Called again, finished and diverged cells are left as they are, a
half-trained one continues, and values that were added to the grid are trained too.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfanime.core.files import atomic_path, read_json, write_json, write_text
from tfanime.core.usage import WrongUsage
from tfanime.data import PackedDataset
from tfanime.prepare.load import load_data
from tfanime.recipes.config import Config
from tfanime.training import checkpoint
from tfanime.training.build import build_gan
from tfanime.training.collapse import Diverged
from tfanime.training.grids import Cell, cell_configs
from tfanime.training.log import read
from tfanime.training.plan import check_data, conditioned_on, own_size
from tfanime.training.process import unchanged
from tfanime.training.run import Run
from tfanime.training.train import train

RESULT = "sweep_cell.json"  # in each cell's run folder
FIGURES = ("d_loss", "g_loss", "diversity")
SAMPLES = 8  # images a cell on the sheet


@dataclass(frozen=True)
class Sweep:
    """What a sweep left behind.

    Args:
        path: its folder.
        cells: in the order of training.
        finished: False when it was interrupted.
    """

    path: Path
    cells: tuple[Cell, ...]
    finished: bool


@unchanged()
def sweep(
    recipe: str | Config,
    data: str | os.PathLike | PackedDataset,
    grid: Mapping[str, Sequence],
    *,
    out: str | os.PathLike,
    steps: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    strategy: str = "auto",
    tensorboard: bool = True,
    progress: bool = True,
    **overrides: Any,
) -> Sweep:
    """Trains every cell of a grid, and writes the table and the sheet that compare them.

    Args:
        recipe: a name (`tfanime.recipes.names()`), the path of a file that sets `RECIPE`, or a
            `Config`.
        data: what `load_data` takes or returns.
        grid: setting -> values; settings are fields of `Config`, or options of a network such as
            `"generator.depth"`.
        out: the sweep's folder; made, or continued.
        steps, epochs, minutes: the budget of each cell, exactly one of them: equal generator
            updates, equal images, or equal time.
        strategy, tensorboard, progress: as for `train`.
        **overrides: fields of `Config`, the same in all cells.

    Raises:
        ValueError: for a bad grid, budget or setting, before anything is trained.
    """
    budget = {"steps": steps, "epochs": epochs, "minutes": minutes}
    budget = {name: value for name, value in budget.items() if value is not None}
    if len(budget) != 1:
        raise ValueError(
            "The cells of a sweep have equal budgets: give one of steps, epochs or minutes. "
            f"Received: {', '.join(budget) or 'none'}."
        )
    planned = cell_configs(recipe, grid, overrides, own_size(data))
    sizes_of = {cell.name: config.image_size for cell, config in planned}
    loaded = {
        size: data
        if isinstance(data, PackedDataset)
        else load_data(data, size=size, progress=progress)
        for size in {*sizes_of.values()}
    }
    for cell, config in planned:
        _check(cell, config, loaded[config.image_size])
    out = Path(out)
    done: list[Cell] = []
    for number, (cell, config) in enumerate(planned, start=1):
        if progress:
            print(f"cell {number} of {len(planned)}: {cell.name}", file=sys.stderr)
        options = {"strategy": strategy, "tensorboard": tensorboard, "progress": progress}
        result = _train(out / cell.name, config, loaded[config.image_size], budget, options)
        done.append(Cell(cell.name, cell.settings, result))
        waiting = [cell for cell, _ in planned[number:]]
        _write_table(out, [*done, *waiting])
        if result["state"] == "stopped":
            break
    samples = [_examples(out / cell.name, loaded[sizes_of[cell.name]]) for cell in done]
    _write_sheet(out / "sheets.png", done, samples)
    finished = result["state"] != "stopped"
    return Sweep(out, (*done, *(cell for cell, _ in planned[len(done) :])), finished)


def _check(cell: Cell, config: Config, data: PackedDataset) -> None:
    """Finds in seconds what would otherwise end the sweep hours later."""
    try:
        check_data(config, data)
        build_gan(config, conditioned_on(data, config).schema)
    except ValueError as error:
        raise WrongUsage(f"The cell {cell.name} cannot be trained. {error}") from error


def _train(path: Path, config: Config, data: PackedDataset, budget: dict, options: dict) -> dict:
    """Trains a cell, or returns what is known of it when there is nothing left to do."""
    made_from = {"config": config.to_json(), "data": data.sha256, "budget": budget}
    if (path / RESULT).exists():
        before = read_json(path / RESULT)
        if before["made_from"] == made_from and before["result"]["state"] != "stopped":
            return before["result"]
    try:
        run = train(config, data, out=path, size=config.image_size, **budget, **options)
        state = "finished" if run.finished else "stopped"
    except Diverged as error:
        run, state = _kept(path, config, error), "diverged"
    rows = read(path)
    result = {
        "state": state,
        "steps": run.step,
        "pictures": run.images,
        "minutes": round(run.seconds / 60, 2),
        "images_s": round(run.images / max(run.seconds, 1e-9), 1),
        **{name: float(rows[-1][name]) if rows else None for name in FIGURES},
        "warnings": list(run.warnings),
    }
    write_json(path / RESULT, {"made_from": made_from, "result": result})
    return result


def _kept(path: Path, config: Config, error: Diverged) -> Run:
    """What a diverged run left: its last good checkpoint."""
    _, _, meta = checkpoint.read_newest(path)
    images = meta["step"] * config.batch_size * config.critic_steps
    warnings = (*meta.get("warnings", ()), str(error))
    return Run(path, meta["step"], images, meta["seconds"], False, warnings)


# ---- what compares the cells -------------------------------------------------------------------


def _write_table(out: Path, cells: Sequence[Cell]) -> None:
    figures = ("state", "steps", "pictures", "minutes", "images_s", *FIGURES, "warnings")
    columns = [*cells[0].settings, *figures]
    rows = []
    for cell in cells:
        result = cell.result or {"state": "waiting", "warnings": []}
        rows.append([*cell.settings.values(), *(result.get(name) for name in figures)])
    with atomic_path(out / "table.csv") as path, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cell", *columns])
        for cell, row in zip(cells, rows, strict=True):
            writer.writerow([cell.name, *row[:-1], " ".join(row[-1])])
    lines = [" | ".join(columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(_shown(value) for value in row) for row in rows]
    lines = [f"| {line} |" for line in lines]
    notes = [f"- {c.name}: {w}" for c in cells if c.result for w in c.result["warnings"]]
    if notes:
        lines += ["", "Warnings:", "", *notes]
    write_text(out / "table.md", "\n".join(lines) + "\n")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value).replace("|", "\\|")


def _examples(run: Path, data: PackedDataset) -> np.ndarray:
    """Drawn from the same latents by every cell, or enlarged from the same images."""
    from tfanime.sampling.generate import generate
    from tfanime.sampling.upscale import NONE, reduced, upscale
    from tfanime.zoo.saved import UPSCALER, kind_of, load_upscaler

    if kind_of(run) != UPSCALER:
        return generate(run, n=SAMPLES, upscale=NONE).images
    upscaler = load_upscaler(run)
    small = reduced(data.images(np.arange(SAMPLES) % len(data)), upscaler.factor, share=0.5)
    return np.asarray(upscale(small, upscaler))


def _write_sheet(path: Path, cells: Sequence[Cell], samples: Sequence[np.ndarray]) -> None:
    """A strip of images a cell under the cell's name."""
    from PIL import Image, ImageDraw, ImageFont

    from tfanime.core.images import grid, save_image

    font = ImageFont.load_default()
    strips = [grid(pictures, columns=SAMPLES) for pictures in samples]
    results = [cell.result or {"state": "waiting"} for cell in cells]
    labels = [
        cell.name.replace("_", " ") + f" ({result['state']})"
        for cell, result in zip(cells, results, strict=True)
    ]
    boxes = [font.getbbox(label) for label in labels]
    band = max(int(box[3]) for box in boxes) + 4
    width = max(*(strip.shape[1] for strip in strips), *(int(box[2]) + 4 for box in boxes))
    height = sum(strip.shape[0] + band for strip in strips)
    sheet = Image.new("RGB", (width, height), "white")
    top = 0
    for strip, label in zip(strips, labels, strict=True):
        ImageDraw.Draw(sheet).text((2, top + 2), label, fill="black", font=font)
        sheet.paste(Image.fromarray(strip), (0, top + band))
        top += band + strip.shape[0]
    save_image(path, np.asarray(sheet))
