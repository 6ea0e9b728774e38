"""Posters with what is written about them: a class, texts, and a split by title.

    train/, test/    packed sets with the label `mood`, light or heavy
    */texts.jsonl    one line an image, in the order of the images: file, title, genres, ...
    manifest.json    counts at every filter

`poster_records` reads what is written, `moods` decides the class, `titles` the side of the split.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tfanime.core import images
from tfanime.core.choices import UNDECIDED
from tfanime.core.files import write_json
from tfanime.core.manifest import FILE, UNKNOWN_LICENCE, Manifest, Step
from tfanime.data.writer import Writer
from tfanime.prepare.check import Duplicates, Rejected, summary
from tfanime.prepare.moods import HEAVY, LIGHT, MOOD, decide, genre_words
from tfanime.prepare.pack import checked, replacing, with_progress
from tfanime.prepare.poster_records import (
    Poster,
    drop_tables,
    find_images,
    match_images,
    read_records,
)
from tfanime.prepare.sources import Source, fingerprint, open_source
from tfanime.prepare.table_labels import Labels
from tfanime.prepare.titles import split_titles

TEXTS = "texts.jsonl"
VERSION = 1  # of the rules here, in `poster_records`, `moods` and `titles`


def pack_posters(
    records: str | os.PathLike,
    out: str | os.PathLike,
    size: int | str | tuple[int, int] = 256,
    pictures: str | os.PathLike | None = None,
    genres: str = "genres",
    light: Sequence[str] = LIGHT,
    heavy: Sequence[str] = HEAVY,
    leading: int = 3,
    undecided: str = "drop",
    need: Sequence[str] = ("title",),
    test: float = 0.1,
    mode: str = "crop",
    focus: tuple[float, float] = (0.5, 0.5),
    near_duplicates: bool = False,
    licence: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Manifest:
    """Packs posters with class and texts. The CLI's `tfanime prepare posters`.

    Records without an image, images without a record, records that lack a text of `need`,
    duplicates and images that cannot be used are left out and counted.

    Args:
        records: a folder with `records.jsonl` and `pictures/` as `tfanime collect` writes it, or a
            CSV with a column `file`.
        out: folder to create. If it already holds this very set, nothing is done.
        size: as in `images.parse_size`.
        pictures: where they are; by default `pictures/` beside the records, a .tar or .zip with
            the name of the CSV, or else the CSV's own folder.
        genres: the column of tags, separated by `|` or commas, or a list.
        light, heavy: tags of the two classes.
        leading: how many of the first tags decide.
        undecided: what to do with ties and unknown tags: `"drop"` leaves them out, `"unknown"`
            keeps them with an unknown label, `"first"` gives a tie the class of its first tag and
            leaves out the unknown.
        need: columns that must not be empty.
        test: share of the images in `test/`, 0 for none. All posters of one title, whatever
            the season or edition, are on one side.
        mode, focus: as in `images.fit`.
        near_duplicates: leave out images that look the same as an earlier one.
        licence: note for the manifest; by default that of the records' own manifest.
        overwrite: replace other posters at `out`.
        progress: show a progress bar.

    Raises:
        ValueError: for wrong arguments, records or images that are none, or fewer than two
            titles.
    """
    records, out = Path(records), Path(out)
    light, heavy = genre_words(light), genre_words(heavy)
    _check(light, heavy, leading, undecided, test, mode, focus)
    table, pictures = find_images(records, pictures)
    settings = {
        "size": list(images.parse_size(size)),
        "genres": genres,
        "light": light,
        "heavy": heavy,
        "leading": leading,
        "undecided": undecided,
        "need": list(need),
        "test": float(test),
        "mode": mode,
        "focus": list(focus),
        "near_duplicates": near_duplicates,
        "version": VERSION,
        "records": hashlib.sha256(table.read_bytes()).hexdigest(),
        "pictures": fingerprint(pictures),
    }
    if _already_there(out, settings, overwrite):
        return Manifest.read(out)

    posters, rejected = read_records(table, genres)
    with open_source(pictures) as opened, replacing(out) as folder:
        drop_tables(opened, table)
        rejected += opened.rejected
        matched = match_images(opened.names, posters, need, pictures.name, rejected)
        moods, undecidable = decide(matched, light, heavy, leading, undecided)
        opened.names = [name for name in opened.names if name in moods]
        if not moods:
            lines = "; ".join(summary([*rejected, *undecidable])) or "no record"
            raise ValueError(
                "A set of posters needs records with images, texts and tags of either class. "
                f"Received: {lines}."
            )
        titles = {name: matched[name].get("title") or name for name in opened.names}
        on_test_side = split_titles(titles, test, moods)
        counts, unusable = _write(folder, opened, matched, moods, on_test_side, settings, progress)
        before = Manifest.find(table.parent)
        steps = (
            _step("records, and pictures without one", len(matched), rejected),
            _step("posters with both", len(moods), undecidable),
            _step("pictures", sum(counts.values()), unusable),
        )
        manifest = Manifest(
            name=f"posters of {table.name if records.is_file() else records.resolve().name}",
            source=table.name if records.is_file() else records.resolve().name,
            licence=licence or (before.licence if before else UNKNOWN_LICENCE),
            steps=steps,
            settings=settings | {"posters": {f"{s}, {mood}": n for (s, mood), n in counts.items()}},
            earlier=before,
        )
        everything = [*rejected, *undecidable, *unusable]
        write_json(folder / "rejected.json", [one.to_json() for one in everything])
        manifest.write(folder)
        sides = {side: sum(n for (s, _), n in counts.items() if s == side) for side, _ in counts}
        for side, count in sides.items():
            others = {f"on the {s} side": n for s, n in sides.items() if s != side}
            share = Step("split by title", count, others)
            replace(manifest, name=f"{manifest.name}, {side}", steps=(*steps, share)).write(
                folder / side
            )
    for line in summary(everything):
        print(f"left out, {line}", file=sys.stderr)
    return manifest


def _step(name: str, count: int, rejected: list[Rejected]) -> Step:
    return Step(name, count, dict(Counter(one.reason for one in rejected)))


def _write(
    folder: Path,
    opened: Source,
    matched: Mapping[str, Poster],
    moods: Mapping[str, str],
    on_test_side: set[str],
    settings: dict,
    progress: bool,
) -> tuple[dict[tuple[str, str], int], list[Rejected]]:
    """Writes both packed sets.

    Returns:
        How many images are on each `(side, mood)`, and those that could not be used.
    """
    rejected: list[Rejected] = []
    height, width = settings["size"]
    fit = {"height": height, "width": width, "mode": settings["mode"], "focus": settings["focus"]}
    sides = {"train": _Side(folder / "train", height, width)}
    if on_test_side:
        sides["test"] = _Side(folder / "test", height, width)
    duplicates = Duplicates(settings["near_duplicates"])
    usable = checked(opened, Labels(None, {}, {}, []), fit | {"smallest": 0})
    counts: Counter[tuple[str, str]] = Counter()
    with ExitStack() as stack:
        for one in sides.values():
            stack.callback(one.close)
        for name, picture in with_progress(usable, len(opened.names), progress):
            row = matched[name].row
            if not isinstance(picture, Rejected):
                try:
                    duplicates.check(name, picture)
                except ValueError as error:
                    picture = Rejected.because(name, error, row)
            if isinstance(picture, Rejected):
                rejected.append(picture)
                continue
            side = "test" if name in on_test_side else "train"
            sides[side].add(name, picture, matched[name], moods[name])
            counts[side, moods[name]] += 1
    empty = [side for side in sides if not any(side == other for other, _ in counts)]
    if empty:
        lines = "; ".join(summary(rejected)) or "nothing was found"
        raise ValueError(
            f"Each side of the split needs a usable poster, and {' and '.join(empty)} has none. "
            f"Received: {lines}. Use more posters, or test=0 (--test 0)."
        )
    for name, one in sides.items():
        one.finish(made_from=settings | {"side": name}, source=f"{name} side of posters")
    return dict(sorted(counts.items(), reverse=True)), rejected


class _Side:
    """One packed set being written, with its texts."""

    def __init__(self, folder: Path, height: int, width: int):
        folder.mkdir()
        self.folder, self.writer = folder, Writer(folder, height, width)
        self.names: list[str] = []
        self.labels: list[np.ndarray] = []
        self.texts = open(folder / TEXTS, "w", encoding="utf-8")  # noqa: SIM115 (see close)

    def add(self, name: str, picture: np.ndarray, poster: Poster, mood: str) -> None:
        self.writer.add(picture)
        self.names.append(name)
        self.labels.append(MOOD.encode({} if mood == "unknown" else {"mood": mood}))
        self.texts.write(
            json.dumps({"file": name, **poster.texts}, ensure_ascii=False, allow_nan=False) + "\n"
        )

    def finish(self, **notes: Any) -> None:
        write_json(self.folder / "files.json", self.names)
        self.writer.finish(
            np.stack(self.labels),
            MOOD,
            labels_from="genres",
            ignored_columns={},
            rejected=[],
            **notes,
        )

    def close(self) -> None:
        self.texts.close()


def _check(
    light: list[str],
    heavy: list[str],
    leading: int,
    undecided: str,
    test: float,
    mode: str,
    focus: tuple[float, float],
) -> None:
    images.check_fit(mode, focus)
    both = sorted(set(light) & set(heavy))
    if both or not light or not heavy:
        raise ValueError(
            "light and heavy are two lists of tags with nothing in common. "
            f"Received: {light} and {heavy}."
        )
    if leading < 1:
        raise ValueError(f"leading is a number of tags, at least 1. Received: {leading}.")
    if undecided not in UNDECIDED:
        raise ValueError(f"undecided is one of {', '.join(UNDECIDED)}. Received: {undecided!r}.")
    if not 0 <= test < 1 or math.isnan(test):
        raise ValueError(f"test is a share from 0 to below 1. Received: {test!r}.")


def _already_there(out: Path, settings: dict, overwrite: bool) -> bool:
    """Whether `out` holds this very set. Raises ValueError if something would be lost."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    ours = (out / "train" / TEXTS).is_file() and (out / FILE).is_file()
    if ours:
        before = Manifest.read(out).settings
        if {name: before.get(name) for name in settings} == settings:
            return not overwrite
    if ours and overwrite:
        return False
    content = "other posters" if ours else "something else"
    fix = "overwrite=True (--overwrite), or another folder" if ours else "another folder"
    raise ValueError(
        f"The folder for posters must be new. Received: {str(out)!r}, which holds {content}. "
        f"Use {fix}."
    )
