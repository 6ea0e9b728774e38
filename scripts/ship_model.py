"""Makes a run into a model that ships: a folder under saved_models/.

    python scripts/ship_model.py RUN --held-out PACKED --out saved_models/NAME

PACKED are real pictures that the run was not trained on. The folder receives the averaged generator
(kernels in float16, which halves the file; `generator.keras` stays a plain Keras file), `critic.npz`
to train on from (`tfanime train ... --set start=NAME`), `config.json`, `figures.json` (what
`tfanime evaluate` measured, each figure with its protocol and floor), `sheet.png` (64 unselected
pictures of seed 0) and `neighbours.png`. MODEL_CARD.md is written by hand.
"""

from __future__ import annotations

import argparse
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np

import tfanime
from tfanime.config import Config
from tfanime.data import PackedDataset
from tfanime.files import atomic_path, read_json, write_json
from tfanime.saved import WEIGHTS, load_schema, save_generator
from tfanime.training import checkpoint
from tfanime.training.build import build_gan
from tfanime.training.start import save_critic

SHEET = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--held-out", type=Path, required=True, help="packed real pictures")
    parser.add_argument("--extractor", nargs="+", default=["tagger"], help="of FID and KID")
    parser.add_argument("--n", type=int, default=1000, help="pictures per figure")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    ship(options.run, options.out)
    figures = measure(options.out, PackedDataset.open(options.held_out), options)
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
    shutil.copy(run / "config.json", out)


def _deflate(path: Path) -> None:
    """Packs a zip file again: float32 numbers that float16 could hold have 13 zero bits."""
    with atomic_path(path) as temporary:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(temporary, "w") as new:
            for entry in old.infolist():
                content = old.read(entry)
                new.writestr(entry.filename, content, zipfile.ZIP_DEFLATED, 9)


def measure(model: Path, held_out: PackedDataset, options) -> list[dict]:
    """FID and KID for every extractor, and what else there is with the tagger's features."""
    found = []
    for extractor in options.extractor:
        metrics = ["fid", "kid"]
        if extractor == "tagger":
            metrics += ["prdc", "1nn", "diversity", "attributes"]
        report = tfanime.evaluate(
            model, held_out, metrics, extractor=extractor, n=options.n, progress=True
        )
        found += report.to_json()["figures"]
    return found


if __name__ == "__main__":
    main()
