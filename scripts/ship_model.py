"""Makes a run into a model that ships: a folder under saved_models/.

    python scripts/ship_model.py RUN --data PACKED --out saved_models/NAME

PACKED are the real pictures that `scripts/train_zoo.py` packed; the figures are measured against
those of them that it held out. The folder receives the averaged generator (kernels in float16,
which halves the file; `generator.keras` stays a plain Keras file), `critic.npz` to train on from
(`tfanime train ... --set start=NAME`), `config.json`, `figures.json` (what `tfanime evaluate`
measured, each figure with its protocol and floor) and `sheet.png` (64 unselected pictures of seed
0). MODEL_CARD.md is written by hand.
"""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path

import keras
import numpy as np
from train_zoo import HELD_OUT

import tfanime
from tfanime.config import Config
from tfanime.data import PackedDataset
from tfanime.files import atomic_path, read_json, write_json
from tfanime.saved import WEIGHTS, load_schema, save_generator
from tfanime.training import checkpoint
from tfanime.training.build import build_gan
from tfanime.training.start import save_critic

SHEET, DRAWS = 64, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="packed by train_zoo.py")
    parser.add_argument("--extractor", nargs="+", default=["tagger"], help="of FID and KID")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    ship(options.run, options.out)
    _, held_out = PackedDataset.open(options.data).split(HELD_OUT)
    figures = measure(options.out, held_out, options.extractor)
    newest = checkpoint.checkpoints(options.run)[-1]
    meta = read_json(newest / "meta.json")
    trained = {"step": meta["step"], "seconds": round(meta["seconds"])}
    write_json(options.out / "figures.json", {"trained": trained, "figures": figures})
    tfanime.generate(options.out, n=SHEET, seed=0, grid=options.out / "sheet.png")


def ship(run: Path, out: Path) -> None:
    """Everything but figures and pictures."""
    stored = read_json(run / "config.json")
    # In float32: the networks compute in what they were made in.
    config = Config.from_json(stored["config"]).override(precision="float32", start=None)
    schema = load_schema(run)
    gan = build_gan(config, schema)
    checkpoint.restore(gan, checkpoint.checkpoints(run)[-1])
    for variable in gan.ema_generator.weights:
        if len(variable.shape) > 1:
            rounded = keras.ops.convert_to_numpy(variable).astype(np.float16)
            variable.assign(rounded.astype(np.float32))
    out.mkdir(parents=True, exist_ok=True)
    save_generator(out, gan.ema_generator, schema, out.name)
    _deflate(out / WEIGHTS)
    save_critic(gan, out)
    # Where a run began is a path of the machine that it ran on; the card tells the stages.
    write_json(out / "config.json", {**stored, "config": {**stored["config"], "start": None}})


def _deflate(path: Path) -> None:
    """Packs a zip file again: float32 numbers that float16 could hold have 13 zero bits."""
    with (
        atomic_path(path) as temporary,
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(temporary, "w") as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry), zipfile.ZIP_DEFLATED, 9)


def measure(model: Path, held_out: PackedDataset, extractors: list[str]) -> list[dict]:
    """FID and KID for every extractor, and what else there is with the tagger's features."""
    found = []
    for extractor in extractors:
        metrics = ["fid", "kid"]
        if extractor == "tagger":
            metrics += ["prdc", "1nn", "diversity", "attributes"]
        report = tfanime.evaluate(
            model, held_out, metrics, extractor=extractor, draws=DRAWS, progress=True
        )
        found += report.to_json()["figures"]
    return found


if __name__ == "__main__":
    main()
