"""Trains the models that ship, so that anybody can repeat or improve them.

    python scripts/studies/train_zoo.py faces-64 --data DATA --minutes 120 --out runs/zoo/faces-64

DATA is a folder, .zip or .tar of images, or a packed set. It is packed beside the run, 34
attributes of faces are estimated by the tagger that ships (`tfanime prepare tags`) unless a packed
set has them, a twentieth is held out for the figures, and the rest trained on. Posters need a
packed set with labels (`tfanime prepare --labels`). Stopped and started again, it goes on where it
was; more minutes may be given.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tfanime
from tfanime import recipes
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.data import PackedDataset
from tfanime.recipes.config import parse_overrides

HELD_OUT = 0.05


@dataclass(frozen=True)
class Model:
    """What a model is trained by.

    `size` is WIDTHxHEIGHT or a side, in pixels; `settings` those that differ from the recipe's.
    With `tagged` the tagger estimates 34 attributes of images that come without them.
    """

    recipe: str
    size: int | str
    settings: Mapping = field(default_factory=dict)
    tagged: bool = False


def looks(network: str) -> dict:
    """At the whole image, and at where an aligned bust has its face."""
    return {"features": [network, network], "regions": [None, [0.33, 0.08, 0.83, 0.92]]}


def of_faces(network: str, grown: bool = False) -> dict:
    """The networks of faces that look ahead."""
    return {
        "generator": {
            "fine_channels": 24,
            "normalisation": "styled",
            "mirrored": True,
            **({"grown": 48} if grown else {}),
        },
        "discriminator": {"mirrored": 24, **({"grown": 24} if grown else {})},
        "projected": looks(network),
    }


ROWS = {
    "prior": "rows",
    "projected_weight": {"start": 0.0, "end": 0.25, "images": 15_000, "after": 3_000},
    "ema_half_life": 10_000.0,
}
FACES = {**ROWS, "rare_share": 0.05}
ENLARGING = {"lr_decay_steps": 3300, "ema_half_life": 5000}
MODELS = {
    # Busts with labels of their own, which do not ship; the next begins with their run:
    # --set start=RUN.
    "busts-64": Model("projected", 64, {**FACES, **of_faces("lite0@2")}),
    # Of four sets whose faces are in the same place, their style a label (see its card). Labels are
    # the tagger's, where nobody has looked.
    "faces-64": Model("projected", 64, {**FACES, **of_faces("lite0@2")}, tagged=True),
    # That run grown, on the three sets whose images are large enough.
    "faces-128": Model("projected", 128, {**FACES, **of_faces("lite0@1", grown=True)}),
    # Of figures that `cut_figures.py` cuts out of posters; it began with a run of whole ones.
    "posters": Model(
        "projected",
        "48x72",
        {
            **ROWS,
            "generator": {"normalisation": "styled"},
            "projected": {
                "features": ["lite0@2", "lite0@2"],
                "regions": [None, [12 / 72, 8 / 48, 44 / 72, 40 / 48]],
            },
        },
    ),
    # Of windows that `cut_crops.py` cuts out of images of 256 pixels. The rate has fallen
    # to a tenth after 3,300 steps; with more time, raise it: --set lr_decay_steps=...
    "upscaler": Model("lineart", 128, ENLARGING),
    "upscaler-2x": Model(
        "lineart", 128, {**ENLARGING, "generator": {"factor": 2, "channels": 32, "blocks": 4}}
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--data", type=Path, required=True, help="images, or a packed set")
    parser.add_argument("--minutes", type=float, required=True, help="over all calls")
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--set", dest="settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--sample-every", type=int, help="steps from a sheet to the next")
    parser.add_argument("--out", type=Path, required=True, help="run folder")
    options = parser.parse_args()
    model = MODELS[options.name]
    train, _ = parts(options.name, options.data, options.out.with_name(f"{options.name}-data"))
    config = recipes.get(model.recipe).override(image_size=model.size, **model.settings)
    changes = {**parse_overrides(options.settings), "precision": options.precision}
    tfanime.train(
        config.override(**changes),
        train,
        out=options.out,
        minutes=options.minutes,
        sample_every=options.sample_every,
    )


def parts(name: str, source: Path, packed: Path) -> tuple[PackedDataset, PackedDataset]:
    """What a model trains on, and what is held out for its figures."""
    model = MODELS[name]
    ready = (source / "dataset.json").is_file()
    if model.tagged and not (ready and has_attributes(PackedDataset.open(source))):
        size = None if ready else model.size
        data = tfanime.estimate_tags(source, packed, size=size, tsne=False)
    elif ready:
        data = PackedDataset.open(source)
    else:
        data = tfanime.pack(source, packed, size=model.size)
    return data.split(HELD_OUT)


def has_attributes(data: PackedDataset) -> bool:
    return data.schema is not None and set(MAKEGIRLSMOE.columns) <= set(data.schema.columns)


if __name__ == "__main__":
    main()
