"""Blind sheets of the images of several models, with a form and the key to it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.files import atomic_folder, write_csv, write_json, write_text
from tfanime.evaluation.by_eye.questions import (
    FORM,
    KEY,
    RULES,
    SHEET,
    askable,
    rules_text,
    vocabulary,
)
from tfanime.sampling.generate import generate
from tfanime.sampling.upscale import NONE
from tfanime.version import __version__
from tfanime.zoo import saved, shipped

COLUMNS, ROWS = 5, 4
A_SHEET = COLUMNS * ROWS  # images
CELL, GAP = 216, 4  # pixels: an image's place, and what it leaves free there
LABEL, FONT = (30, 26), 22  # the number's black box, and its letters


def sheets(
    models: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    per_value: int = 8,
    per_flag: int = 14,
    n: int = 100,
    seed: int = 0,
    truncation: float = 1.0,
    progress: bool = False,
) -> int:
    """Writes blind sheets of the images of several models, a form and rules for the judge.

    Args:
        models: run folders or saved models, or names of those that ship.
        out: a new or empty folder.
        per_value: images for each value of `hair` and `eyes`.
        per_flag: images for each yes-or-no attribute.
        n: images of a model with none of these attributes: only its broken share is judged.
        seed: of the images and of their order on the sheets.
        truncation: of the latents.
        progress: show a progress bar.

    Returns:
        The number of sheets.

    Raises:
        ValueError: for a model named twice, counts below 1, or a folder that holds something.
    """
    from tfanime.core.bars import progress_bar

    out = Path(out)
    names = [_name(Path(model)) for model in models]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not names:
        raise ValueError(
            "Sheets show one or more models, each once. "
            f"Received: {', '.join(repeated) + ' twice' if repeated else 'none'}."
        )
    for name, count in (("per_value", per_value), ("per_flag", per_flag), ("n", n)):
        if count < 1:
            raise ValueError(f"{name} is at least 1. Received: {count}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(
            f"Sheets are written into a new or empty folder. Received: {str(out)!r}, which holds "
            "something already, perhaps a form that somebody filled."
        )
    truncation, seed = seeds.check_truncation(truncation), seeds.check_seed(seed)
    generators = [saved.load_generator(name) for name in names]
    words, letters = vocabulary([generator.schema for generator in generators])
    entries, images = [], []
    for name, generator in zip(names, generators, strict=True):
        questions = askable(generator.schema) or {None: {}}
        for i, (column, tags) in enumerate(
            progress_bar(questions.items(), desc=name, disable=not progress)
        ):
            count = n if column is None else per_value if set(tags) & set(words) else per_flag
            result = generate(generator, count, seed + i, tags, truncation, upscale=NONE)
            images += list(result.images)
            entries += [
                {"model": name, "attribute": column, "asked": tags, "seed": seed + i, "index": k}
                for k in map(int, result.indices)
            ]
    order = np.random.default_rng(seed).permutation(len(entries))
    key = [
        {"sheet": place // A_SHEET, "n": place % A_SHEET + 1, **entries[i]}
        for place, i in enumerate(order)
    ]
    with atomic_folder(out) as folder:
        for start in range(0, len(order), A_SHEET):
            some = [images[i] for i in order[start : start + A_SHEET]]
            sheet(some).save(folder / SHEET.format(start // A_SHEET))
        head = ["sheet", "n", *words, "flags"]
        blank = [""] * (len(words) + 1)
        write_csv(folder / FORM, [head, *([f"{e['sheet']:02d}", e["n"], *blank] for e in key)])
        write_text(folder / RULES, rules_text(words, letters))
        write_json(
            folder / KEY,
            {
                "images": key,
                "models": names,
                "protocol": {
                    "images a value": per_value,
                    "images a flag": per_flag,
                    "images of a model without attributes": n,
                    "seed": seed,
                    "truncation": truncation,
                    "weights": {name: digest(name) for name in names},
                    "tfanime": __version__,
                },
                "words": words,
                "letters": letters,
            },
        )
    return -(-len(order) // A_SHEET)


def _name(model: Path) -> str:
    return model.name if shipped.ships(model) else model.as_posix()


def digest(name: str) -> str | None:
    """SHA-256 of a model's weights."""
    file = zoo.locate(name) / saved.WEIGHTS
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def sheet(images: Sequence[np.ndarray]):
    """A contact sheet of `A_SHEET` images or fewer, numbered from 1, row by row."""
    from PIL import Image, ImageDraw, ImageFont

    whole = Image.new("RGB", (COLUMNS * CELL, ROWS * CELL), "white")
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(FONT)
    for i, pixels in enumerate(images):
        x, y = i % COLUMNS * CELL, i // COLUMNS * CELL
        factor = (CELL - GAP) / max(pixels.shape[:2])
        size = tuple(max(1, round(factor * side)) for side in pixels.shape[1::-1])
        whole.paste(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), (x, y))
        draw.rectangle((x, y, x + LABEL[0], y + LABEL[1]), fill="black")
        draw.text((x + 3, y), f"{i + 1:02d}", fill="yellow", font=font)
    return whole
