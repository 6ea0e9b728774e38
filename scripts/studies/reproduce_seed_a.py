"""Seed A, the poster study: its Tables I and II, five models in three scenarios.

    python scripts/studies/reproduce_seed_a.py --posters posters/ --out DIR
    python scripts/studies/reproduce_seed_a.py --posters posters/ --set anime=PACKED --out DIR

posters/ is what `train_posters.py` wrote; with --set NAME=PACKED (packed by `tfanime
prepare posters`, with texts) that script is called first, and trains what is missing there. Table I
are the settings that the runs had; Table II are the figures, beside those of the study that our
notes hold.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reproduction import Notebook, call, number, parser, table
from train_posters import RECIPES, SCENARIOS

from tfanime.core.files import read_json

# Of 9,840 posters of 256x256; 39 hours of training for the first, nearly twice that for the second.
# In brackets: what the study calls validation accuracy.
REPORTED = {
    "cdcgan-sn": {
        "fid": "166.40",
        "fid between labels": "90.17",
        "inception score": "light 3.56, heavy 3.45",
        "1-nn": "0.445",
        "gan-train": "45.44 % (50.00)",
        "gan-test": "50.4 % (70)",
    },
    "ac-infogan": {
        "fid": "224.12",
        "fid between labels": "23.92",
        "inception score": "light 2.53, heavy 2.48",
        "1-nn": "0.43",
        "gan-train": "45.68 % (52.20)",
        "gan-test": "50.24 % (65)",
    },
}
FIGURES = {
    "fid": "FID",
    "kid": "KID",
    "fid between labels": "FID light to heavy",
    "inception score": "IS",
    "1-nn": "1-NN",
    "gan-train": "GAN-train",
    "gan-test": "GAN-test",
}
SETTINGS = ("loss", "penalty", "conditioning", "optimizer", "g_lr", "beta_1", "batch_size")


def main() -> None:
    made = parser(__doc__, "runs/reproduction/a")
    made.add_argument("--posters", type=Path, required=True, help="folder of train_posters.py")
    made.add_argument("--set", dest="sets", action="append", default=[], metavar="NAME=PACKED")
    made.add_argument("--pictures", type=int, default=3200, help="real ones seen, a cell")
    call(made, reproduce)


def reproduce(options) -> None:
    if options.sets:
        train(options)
    book = Notebook("a", options.out, options.report)
    rows = read_json(options.posters / "results.json")
    book.block("table1", settings(options.posters, rows))
    for name in dict.fromkeys(row["set"] for row in rows.values()):
        chosen = {cell: row for cell, row in rows.items() if row["set"] == name}
        lines = [results(chosen)]
        for scenario in SCENARIOS:
            sheet = options.posters / f"sheet_{name}_{scenario}.png"
            if sheet.exists():
                drawn = [r for r in RECIPES if f"{name}/{scenario}/{r}" in chosen]
                caption = f"{scenario}: {', '.join(drawn)}; light above heavy"
                lines += ["", f"{caption}:", "", book.picture(f"{name}_{scenario}", sheet, caption)]
        book.block(f"table2_{name}", *lines)
    book.write()


def train(options) -> None:
    script = Path(__file__).with_name("train_posters.py")
    command = [sys.executable, script, "--pictures", options.pictures, "--out", options.posters]
    command += [word for one in options.sets for word in ("--set", one)]
    command += ["--mobilenet", options.mobilenet] if options.mobilenet else []
    subprocess.run([str(part) for part in command], check=True)


def settings(folder: Path, rows: dict) -> str:
    """Table I: what each recipe's runs had."""
    shown, size = [], ""
    for recipe in RECIPES:
        cells = [cell for cell, row in rows.items() if row["recipe"] == recipe]
        if not cells:
            continue
        config = read_json(folder / cells[0] / "config.json")["config"]
        size = f"{config['image_size'][1]}x{config['image_size'][0]} pixels"
        normal = config["discriminator"].get("normalisation", "")
        values = [str(config[name]).replace("None", "-") for name in SETTINGS]
        shown.append([f"`{recipe}`", *values, normal, str(config["critic_steps"])])
    columns = ["recipe", *SETTINGS, "normalisation of D", "critic steps"]
    return f"{table(columns, shown)}\n\n{size}, widths as train_posters.py has them."


def results(rows: dict) -> str:
    """Table II: value, and in brackets that of real posters."""
    shown = []
    for recipe in RECIPES:
        if recipe in REPORTED:
            said = REPORTED[recipe]
            shown.append(["the study", f"`{recipe}`", "", *(said.get(one, "") for one in FIGURES)])
        for scenario in SCENARIOS:
            for row in rows.values():
                if (row["recipe"], row["scenario"]) == (recipe, scenario):
                    cells = [pair(row.get(one)) for one in FIGURES]
                    shown.append([scenario, f"`{recipe}`", int(row["images"]), *cells])
    return table(["scenario", "recipe", "pictures seen", *FIGURES.values()], shown)


def pair(found: dict | None) -> str:
    if found is None:
        return "-"
    return f"{number(found['value'])} ({number(found['floor'])})"


if __name__ == "__main__":
    main()
