"""Blind sheets of drawn and real posters, and what a filled form says of them.

    python scripts/studies/judge_posters.py sheets posters --data packed/ --out judging/
    python scripts/studies/judge_posters.py score judging/

Drawn posters have the genres of real ones that were held out, half of them light and half heavy by
the poster study's words; real ones among them are of the model's size and shown as its images are,
so that size and upscaler give nothing away. The judge writes what a poster shows, if it can be
named, and `l` or `h` for its mood; `key.json` stays closed.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

import tfanime
from tfanime.core.files import read_json, write_csv, write_json, write_text
from tfanime.data import PackedDataset
from tfanime.evaluation.by_eye.blind_sheets import A_SHEET, sheet
from tfanime.evaluation.by_eye.shares import wilson
from tfanime.zoo.saved import load_generator

LIGHT = {"fantasy", "comedy", "slice_of_life"}
HEAVY = {"action", "drama", "horror", "thriller"}
RULES = """# Posters

Each sheet has twenty images of posters and covers, numbered from 1, row by row. All are shown from
a small size: look at them as at a wall from the other side of the street. Fill in `form.csv`:

- `shows`: what can be named at a glance, in a word or two ("two girls", "man with sword",
  "city at night", "robot"); nothing if there are only colours, blots or marks. A patch of skin and
  hair that anybody would call a person is a person.
- `mood`: `l` for light-hearted (comedy, school, fantasy, everyday life), `h` for heavy-hearted
  (action, drama, horror, thriller). Always one of the two.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(required=True)
    drawing = verbs.add_parser("sheets")
    drawing.add_argument("model")
    drawing.add_argument("--data", required=True, help="what it was trained on, packed")
    drawing.add_argument("--split", type=float, default=0.05, help="share held out; 0: all of it")
    drawing.add_argument("--n", type=int, default=100, help="drawn")
    drawing.add_argument("--real", type=int, default=60)
    drawing.add_argument("--seed", type=int, default=0)
    drawing.add_argument("--out", type=Path, required=True)
    drawing.set_defaults(call=sheets)
    scoring = verbs.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.set_defaults(call=score)
    options = parser.parse_args()
    options.call(options)


def moods(schema, rows: np.ndarray) -> np.ndarray:
    """For each row 0 light, 1 heavy, -1 neither or both."""
    slices = schema.slices()
    having = [
        np.any([rows[:, slices[g]][:, 0] == 1 for g in genres if g in slices], axis=0)
        for genres in (LIGHT, HEAVY)
    ]
    return np.where(having[0] == having[1], -1, having[1].astype(int))


def rows_for(schema, given, rows: np.ndarray) -> np.ndarray:
    """Rows of labels of the schema `given` as rows of `schema`; what it lacks is nowhere."""
    found = np.zeros((len(rows), schema.size), rows.dtype)
    for i, column in enumerate(schema.columns):
        if column in given.columns:
            found[:, i] = rows[:, given.columns.index(column)]
    return found


def sheets(options) -> None:
    options.out.mkdir(parents=True)
    generator = load_generator(options.model)
    data = PackedDataset.open(options.data)
    held_out = data.split(options.split)[1] if options.split else data
    rows, rng = held_out.labels(), np.random.default_rng(options.seed)
    told = moods(held_out.schema, rows)
    rows = rows_for(generator.schema, held_out.schema, rows)
    entries, images = [], []
    for mood in (0, 1):
        places = rng.permutation(np.flatnonzero(told == mood))
        real = places[: options.real // 2]
        asked = rng.choice(places, options.n // 2)
        drawn = tfanime.generate(
            generator, len(asked), options.seed + mood, labels=rows[asked], upscale="none"
        )
        for kind, some in (("real", held_out.images(real)), ("drawn", drawn.images)):
            larger = generator.upscaler
            images += list(tfanime.upscale(some, larger) if larger else some)
            entries += [{"kind": kind, "mood": "lh"[mood]}] * len(some)
    order = rng.permutation(len(entries))
    form = [["sheet", "n", "shows", "mood"]]
    for start in range(0, len(order), A_SHEET):
        some = order[start : start + A_SHEET]
        sheet([images[i] for i in some]).save(options.out / f"s{start // A_SHEET:02d}.png")
        form += [[f"{start // A_SHEET:02d}", n + 1, "", ""] for n in range(len(some))]
    write_csv(options.out / "form.csv", form)
    write_text(options.out / "RULES.md", RULES)
    write_json(options.out / "key.json", [entries[i] for i in order])


def score(options) -> None:
    key = read_json(options.folder / "key.json")
    with (options.folder / "form.csv").open(encoding="utf-8", newline="") as file:
        form = list(csv.DictReader(file))
    for kind in ("drawn", "real"):
        pairs = [(k, f) for k, f in zip(key, form, strict=True) if k["kind"] == kind]
        for question, found in (
            ("shows something nameable", [bool(f["shows"].strip()) for _, f in pairs]),
            ("mood told right", [f["mood"].strip() == k["mood"] for k, f in pairs]),
        ):
            low, high = wilson(np.mean(found), len(found))
            print(
                f"{kind}, {question}: {np.mean(found):.2f} ({low:.2f}-{high:.2f} of {len(found)})"
            )


if __name__ == "__main__":
    main()
