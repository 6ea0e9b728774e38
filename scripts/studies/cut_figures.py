"""Cuts posters around their figures, with genres and the colour of the hair.

    python scripts/studies/cut_figures.py POSTERS --labels genres.csv --cascade CASCADE.xml \\
        --out figures/
    tfanime prepare figures/figures.csv --size 48x72 --near-duplicates --out packed/

POSTERS is a folder; genres.csv has the columns `file`, `medium` and `genres`. Faces are found by
`tfanime prepare faces`, once for an upright crop twice as wide as the face, once for a square
around the head, which the tagger reads. Of a poster at most two faces are kept, the second if it
is nearly as large. figures/upright/review.html shows what is no face: put it into reject.txt, and
run the same command again.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

import tfanime
from tfanime.core.decode import read_image
from tfanime.core.files import write_csv
from tfanime.prepare.faces import read_rejects
from tfanime.tagging import load_tagger

SMALLEST = 42  # pixels: a face of 21 in a poster of 96x144
FACES, AS_LARGE = 2, 0.6  # of a poster, and of its largest face
SIDE = 64  # pixels of a head, for the tagger
READ = ("hair", "male", "long_hair")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("posters", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--cascade", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    common = {"cascade": options.cascade, "border": "shift", "enlarge": 3, "neighbours": 4}
    upright, heads = options.out / "upright", options.out / "heads"
    tfanime.crop_faces(
        options.posters, upright, zoom=2, shape="2x3", middle=0.38, smallest=SMALLEST,
        labels=options.labels, **common,
    )  # fmt: skip
    tfanime.crop_faces(options.posters, heads, smallest=1, **common)
    pairs = chosen(read(upright / "crops.csv"), read(heads / "crops.csv"))
    rejected = read_rejects(upright / "reject.txt")
    pairs = [(crop, head) for crop, head in pairs if crop not in rejected]
    labels = {row.pop("file"): row for row in read(upright / "labels.csv")}
    tags = tagged([heads / "crops" / f"{head}.png" for _, head in pairs])
    rows = []
    for (crop, _), tag in zip(pairs, tags, strict=True):
        if row := labels.get(f"{crop}.png"):
            rows.append([f"upright/crops/{crop}.png", *row.values(), *(tag[name] for name in READ)])
    names = next(iter(labels.values())) if labels else {}
    write_csv(options.out / "figures.csv", [["file", *names, *READ], *rows])
    print(f"{len(rows):,} figures in {options.out / 'figures.csv'}")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def chosen(upright: list[dict[str, str]], heads: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Crops of a figure and of its head, of which every poster has `FACES` at most."""
    faces: dict[str, list[tuple[int, str, str]]] = {}
    for one, head in zip(upright, heads, strict=True):
        assert (one["source"], one["box"]) == (head["source"], head["box"])
        if one["state"] == "kept":
            found = faces.setdefault(one["source"], [])
            found.append((int(one["box"]), one["crop"], head["crop"]))
    pairs = []
    for found in faces.values():
        found.sort(reverse=True)
        pairs += [(a, b) for box, a, b in found[:FACES] if box >= AS_LARGE * found[0][0]]
    return pairs


def tagged(heads: list[Path]) -> list[dict[str, object]]:
    if not heads:
        return []
    images = [np.asarray(read_image(head).convert("RGB").resize((SIDE, SIDE))) for head in heads]
    return load_tagger().tags(np.stack(images))


if __name__ == "__main__":
    main()
