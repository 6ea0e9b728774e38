"""The poster study's grid: five recipes in three scenarios on sets of posters, measured.

    python scripts/studies/train_posters.py --set anime=posters/train --set films=films/train \\
        --pictures 3200 --mobilenet FILE.tflite --out DIR

Each SET is a packed set of `tfanime prepare posters` to which `tfanime text attach` added the texts
`tags` and `description`. Every cell sees as many images, so that none suffers from what else the
machine does; a Wasserstein critic takes five of six updates and its generator one. Stopped and
started again, it goes on where it was. DIR receives a run folder a cell, `results.json`,
`table.md` and, for each set, `sheet_SET_SCENARIO.png`: two rows a recipe, light above heavy, of the
same noise; the texts are those of light and of heavy posters.

The table has the study's metrics, and how far the classes differ in colour: the difference between
the mean of light and that of heavy images in brightness and in saturation (0 to 1), beside that
of the real posters and the standard error of a difference of as many real ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
import numpy as np

import tfanime
from tfanime import recipes
from tfanime.core.files import read_json, write_json, write_text
from tfanime.core.images import save_grid
from tfanime.data import PackedDataset
from tfanime.training import checkpoint
from tfanime.training.collapse import Diverged

RECIPES = ("cdcgan-sn", "clsgan", "wgan-gp", "infogan", "ac-infogan")
SCENARIOS = {
    "tags": "mood,tags",
    "descriptions": "mood,description",
    "both": "mood,tags,description",
}
METRICS = ("fid", "kid", "is", "1nn", "fid-between-labels", "gan-train-test")
FIGURES = ("fid", "kid", "inception score", "1-nn", "fid between labels", "gan-train", "gan-test")
ACROSS = 12  # images a row
COMPARED = 200  # images a class, for colours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", dest="sets", action="append", required=True, metavar="NAME=DATA")
    parser.add_argument("--pictures", type=int, default=3200, help="real ones seen, a cell")
    parser.add_argument("--mobilenet", help="MobileNetV2 as a TFLite file; default: the tagger")
    parser.add_argument("--n", type=int, help="images a figure")
    parser.add_argument("--channels", type=int, default=32, help="of both networks")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--only", nargs="+", metavar="RECIPE", help="just these, now")
    parser.add_argument("--scenarios", nargs="+", default=list(SCENARIOS), choices=SCENARIOS)
    parser.add_argument("--unmeasured", action="store_true", help="train and draw sheets only")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    results = options.out / "results.json"
    rows = read_json(results) if results.exists() else {}
    sets = dict(one.split("=", 1) for one in options.sets)
    for name, data in sets.items():
        for scenario in options.scenarios:
            for recipe in RECIPES:
                cell = f"{name}/{scenario}/{recipe}"
                done = cell in rows and ("fid" in rows[cell] or options.unmeasured)
                if done or options.only and recipe not in options.only:
                    continue
                run = options.out / cell
                train(recipe, SCENARIOS[scenario], data, run, options)
                rows[cell] = {"set": name, "scenario": scenario, "recipe": recipe}
                rows[cell] |= measure(run, data, options)
                write_json(results, rows)
                write_table(rows, sets, options.out)
                draw_sheet(name, scenario, data, rows, options.out)


def train(recipe: str, fields: str, data: str, run: Path, options) -> None:
    """A run that diverges is part of the result."""
    steps = options.pictures // (options.batch_size * recipes.get(recipe).critic_steps)
    keras.backend.clear_session()
    try:
        tfanime.train(
            recipe,
            data,
            out=run,
            steps=steps,
            sample_every=steps,
            batch_size=options.batch_size,
            precision=options.precision,
            tensorboard=False,
            condition_on=fields,
            generator={"channels": options.channels},
            discriminator={"channels": options.channels},
            label_embedding=32,
            text_augmentation=16,
        )
    except Diverged as error:
        print(error)


def measure(run: Path, data: str, options) -> dict:
    config = read_json(run / "config.json")["config"]
    meta = read_json(checkpoint.checkpoints(run)[-1] / "meta.json")
    found = {
        "step": meta["step"],
        "images": meta["step"] * config["batch_size"] * config["critic_steps"],
        "seconds": meta["seconds"],
        "warnings": len(meta["warnings"]),
        "colours": colours(run, data),
    }
    if options.unmeasured:
        return found
    networks = {}
    if options.mobilenet:
        networks = {"extractor": f"mobilenet:{options.mobilenet}"}
        networks |= {"classifier": f"{options.mobilenet}:output"}
    report = tfanime.evaluate(
        run, data, METRICS, label="mood", n=options.n, out=run / "evaluation", **networks
    )
    for figure in report.figures:
        found[figure.name] = {"value": figure.value, "floor": figure.floor}
    return found


def colours(run: Path, data: str) -> dict[str, dict[str, float]]:
    """Light less heavy, in brightness and saturation: of drawn and of real images."""
    packed = PackedDataset.open(data)
    moods = packed.labels()[:, packed.schema.slices()["mood"]]
    real = [packed.images(np.flatnonzero(moods[:, i] == 1)) for i in (0, 1)]
    drawn = [
        tfanime.generate(run, COMPARED, 5, {"mood": mood}).images for mood in ("light", "heavy")
    ]
    found = {}
    for i, name in enumerate(("brightness", "saturation")):
        values = [tones(pictures)[i] for pictures in real]
        # Of as many real images as are drawn.
        error = np.sqrt(sum(v.var() / COMPARED for v in values))
        found[name] = {
            "drawn": float(tones(drawn[0])[i].mean() - tones(drawn[1])[i].mean()),
            "real": float(values[0].mean() - values[1].mean()),
            "error": float(error),
        }
    return found


def tones(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean brightness and mean saturation (of HSV) of every image, 0 to 1."""
    scaled = pictures.astype(np.float64) / 255.0
    high, low = scaled.max(axis=-1), scaled.min(axis=-1)
    saturation = (high - low) / np.maximum(high, 1e-9)
    return scaled.mean(axis=(1, 2, 3)), saturation.mean(axis=(1, 2))


def write_table(rows: dict, sets: dict, out: Path) -> None:
    lines = []
    for name, data in sets.items():
        cells = (f"{name}/{scenario}/{recipe}" for scenario in SCENARIOS for recipe in RECIPES)
        chosen = [rows[cell] for cell in cells if cell in rows]
        if not chosen:
            continue
        figures = [figure for figure in FIGURES if any(figure in row for row in chosen)]
        tone = chosen[0]["colours"]
        told = ", ".join(f"{k} {v['real']:+.3f} +- {v['error']:.3f}" for k, v in tone.items())
        count = len(PackedDataset.open(data))
        lines += [
            f"\n{name}: {count:,} posters. Real, light less heavy: {told}\n",
            "| scenario | recipe | pictures seen | "
            + " | ".join([*(f"{f} (real)" for f in figures), "brightness", "saturation"])
            + " |",
            "|---" * (5 + len(figures)) + "|",
        ]
        for row in chosen:
            cells = [row["scenario"], f"`{row['recipe']}`", f"{row['images']:,}"]
            for figure in figures:
                found = row.get(figure, {})
                pair = [found.get("value"), found.get("floor")]
                cells.append(" ".join(_told(x, "({})" if i else "{}") for i, x in enumerate(pair)))
            cells += [f"{tone['drawn']:+.3f}" for tone in row["colours"].values()]
            lines.append("| " + " | ".join(cells) + " |")
    write_text(out / "table.md", "\n".join(lines) + "\n")


def _told(value, form: str) -> str:
    if value is None:
        return ""
    return form.format(f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}")


def draw_sheet(name: str, scenario: str, data: str, rows: dict, out: Path) -> None:
    drawn = []
    for recipe in RECIPES:
        cell = f"{name}/{scenario}/{recipe}"
        if cell in rows:
            drawn += [
                tfanime.generate(out / cell, ACROSS, 3, {"mood": mood}).images
                for mood in ("light", "heavy")
            ]
    save_grid(out / f"sheet_{name}_{scenario}.png", np.concatenate(drawn), columns=ACROSS)


if __name__ == "__main__":
    main()
