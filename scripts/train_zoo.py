"""Trains the models that ship, so that anybody can repeat or improve them.

    python scripts/train_zoo.py faces-64 --data FACES --minutes 120 --out runs/zoo/faces-64

FACES is a folder, .zip or .tar of face pictures, or a packed set. It is packed beside the run, its
34 attributes are estimated by the tagger that ships (`tfanime prepare tags`; not where a packed set
has them, nor for the upscaler, which knows none), a twentieth is held out for the figures, and the
rest trained on. Stopped and started again,
it goes on where it was; more minutes may be given.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import tfanime
from tfanime import recipes
from tfanime.config import parse_overrides
from tfanime.data import PackedDataset
from tfanime.labels import MAKEGIRLSMOE

HELD_OUT = 0.05

# name -> recipe, side of the pictures in pixels, settings that differ from the recipe's
MODELS = {
    "faces-64": ("projected", 64, {}),
    # Grown from faces-64: a map more, and the layers behind it, are what is new.
    "faces-128": (
        "projected",
        128,
        {"generator": {"channels": [512, 256, 128, 64, 48]}, "start": "faces-64"},
    ),
    # 32 to 64 pixels. The rate has fallen to a tenth after 1,000 steps, which are 20 minutes on a
    # core; with more time, raise it: --set lr_decay_steps=...
    "upscaler": ("srgan", 64, {"lr_decay_steps": 1000}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--data", type=Path, required=True, help="pictures, or a packed set")
    parser.add_argument("--minutes", type=float, required=True, help="over all calls")
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--sample-every", type=int, help="steps from a sheet to the next")
    parser.add_argument("--out", type=Path, required=True, help="run folder")
    options = parser.parse_args()
    recipe, side, settings = MODELS[options.name]
    train, _ = parts(options.name, options.data, options.out.with_name(f"{options.name}-data"))
    changes = {**settings, **parse_overrides(options.settings), "precision": options.precision}
    tfanime.train(
        recipes.get(recipe).override(image_size=side, **changes),
        train,
        out=options.out,
        minutes=options.minutes,
        sample_every=options.sample_every,
    )


def parts(name: str, source: Path, packed: Path) -> tuple[PackedDataset, PackedDataset]:
    """What a model trains on, and what is held out for its figures."""
    recipe, side, _ = MODELS[name]
    ready = (source / "dataset.json").is_file()
    wanted = set() if recipes.get(recipe).conditioning == "none" else set(MAKEGIRLSMOE.columns)
    if ready and wanted <= columns(PackedDataset.open(source)):
        data = PackedDataset.open(source)
    elif wanted:
        data = tfanime.estimate_tags(source, packed, size=None if ready else side, tsne=False)
    else:
        data = tfanime.pack(source, packed, size=side)
    return data.split(HELD_OUT)


def columns(data: PackedDataset) -> set[str]:
    return set(data.schema.columns) if data.schema else set()


if __name__ == "__main__":
    main()
