"""Posters with what is written about them: a class, texts, and a split by title.

    train/, test/    packed sets (docs/data.md) with the label `mood`, light or heavy
    */texts.jsonl    one line a picture, in the order of the pictures: file, title, genres, ...
    manifest.json    counts at every filter

The rule for the class follows the poster study (light-hearted: fantasy, comedy, school, slice of
life; heavy-hearted: action, drama, horror, thriller): of the first three tags of a poster, are more
of the light or more of the heavy list? As many of both is a tie, none of either is unknown; such
posters are left out, kept without a class, or a tie is decided by the first tag.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tfanime.core import images
from tfanime.core.files import write_json
from tfanime.core.labels import Field, LabelSchema
from tfanime.core.manifest import FILE, UNKNOWN_LICENCE, Manifest, Step
from tfanime.data.writer import Writer
from tfanime.prepare.check import Duplicates, Rejected, summary
from tfanime.prepare.pack import checked, replacing, with_progress
from tfanime.prepare.sources import Source, fingerprint, open_source
from tfanime.prepare.table import Labels, finder, read_table
from tfanime.text.cut import without

LIGHT = ("fantasy", "comedy", "school", "slice of life")
HEAVY = ("action", "drama", "horror", "thriller", "suspense")  # the site's new name of thriller
MOOD = LabelSchema((Field("mood", "group", ("light", "heavy")),))
UNDECIDED = ("drop", "unknown", "first")
TEXTS = "texts.jsonl"
LINE_LIMIT = 2**20  # bytes of one line of records.jsonl
VERSION = 1  # of the rules above and below

# What a title has besides itself in its several editions.
_EDITION = re.compile(
    r"\b(?:the )?(?:movie|film|ova|ona|tv|specials?|recap|remake|remastered|edition|"
    r"(?:final|first|second|third|fourth|fifth|\d+(?:st|nd|rd|th)?) (?:season|cour|series|part)|"
    r"(?:season|cour|series|part|episode|vol|volume) (?:\d+|[ivx]+))\b"
)
_OPENING, _CLOSING = re.compile(r"[(\[{]"), re.compile(r"[)\]}]")
_NUMBER = re.compile(r"\s(?:\d+|[ivx]+)$")


@dataclass(frozen=True)
class Poster:
    """What a record says about one picture.

    Args:
        file: the picture's name, or its number without an ending.
        texts: column to cleaned text; `genres` is a tuple of names.
        row: the line of the record in its file, from 1.
    """

    file: str
    texts: Mapping[str, object]
    row: int

    def get(self, column: str) -> str:
        value = self.texts.get(column, "")
        return ", ".join(value) if isinstance(value, tuple) else str(value)


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

    Records without a picture, pictures without a record, records that lack a text of `need`,
    duplicates and pictures that cannot be used are left out and counted.

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
        test: share of the pictures in `test/`, 0 for none. All posters of one title, whatever
            the season or edition, are on one side.
        mode, focus: as in `images.fit`.
        near_duplicates: leave out pictures that look the same as an earlier one.
        licence: note for the manifest; by default that of the records' own manifest.
        overwrite: replace other posters at `out`.
        progress: show a progress bar.

    Raises:
        ValueError: for wrong arguments, records or pictures that are none, or fewer than two
            titles.
    """
    records, out = Path(records), Path(out)
    light, heavy = _words(light), _words(heavy)
    _check(light, heavy, leading, undecided, test, mode, focus)
    table, pictures = _places(records, pictures)
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
        _drop_strangers(opened, table)
        rejected += opened.rejected
        matched = _match(opened.names, posters, need, pictures.name, rejected)
        moods, undecidable = _decide(matched, light, heavy, leading, undecided)
        opened.names = [name for name in opened.names if name in moods]
        if not moods:
            lines = "; ".join(summary([*rejected, *undecidable])) or "no record"
            raise ValueError(
                "A set of posters needs records with pictures, texts and tags of either class. "
                f"Received: {lines}."
            )
        titles = {name: matched[name].get("title") or name for name in opened.names}
        on_test_side = split_titles(titles, test, moods)
        kept, unusable = _write(folder, opened, matched, moods, on_test_side, settings, progress)
        before = Manifest.find(table.parent)
        steps = (
            _step("records, and pictures without one", len(matched), rejected),
            _step("posters with both", len(moods), undecidable),
            _step("pictures", sum(kept.values()), unusable),
        )
        manifest = Manifest(
            name=f"posters of {table.name if records.is_file() else records.resolve().name}",
            source=table.name if records.is_file() else records.resolve().name,
            licence=licence or (before.licence if before else UNKNOWN_LICENCE),
            steps=steps,
            settings=settings | {"posters": {f"{s}, {mood}": n for (s, mood), n in kept.items()}},
            earlier=before,
        )
        everything = [*rejected, *undecidable, *unusable]
        write_json(folder / "rejected.json", [one.to_json() for one in everything])
        manifest.write(folder)
        sides = {side: sum(n for (s, _), n in kept.items() if s == side) for side, _ in kept}
        for side, count in sides.items():
            others = {f"on the {s} side": n for s, n in sides.items() if s != side}
            share = Step("split by title", count, others)
            replace(manifest, name=f"{manifest.name}, {side}", steps=(*steps, share)).write(
                folder / side
            )
    for line in summary(everything):
        print(f"left out, {line}", file=sys.stderr)
    return manifest


def _decide(
    matched: Mapping[str, Poster],
    light: Sequence[str],
    heavy: Sequence[str],
    leading: int,
    undecided: str,
) -> tuple[dict[str, str], list[Rejected]]:
    """The mood of every picture that is kept, and those that are not for want of one."""
    moods, left_out = {}, []
    for name, poster in matched.items():
        tags = poster.texts["genres"]
        mood = mood_of(tags, light, heavy, leading)
        if mood == "tie" and undecided == "first":
            known = [tag for tag in tags if _word(tag) in (*light, *heavy)]
            mood = mood_of(known, light, heavy, leading=1)
        if mood in ("tie", "unknown") and undecided != "unknown":
            detail = poster.get("genres") or "no genres"
            left_out.append(Rejected(name, f"mood {mood}", detail, poster.row))
        else:
            moods[name] = mood if mood in ("light", "heavy") else "unknown"
    return moods, left_out


def _step(name: str, kept: int, rejected: list[Rejected]) -> Step:
    return Step(name, kept, dict(Counter(one.reason for one in rejected)))


def mood_of(
    genres: Iterable[str],
    light: Sequence[str] = LIGHT,
    heavy: Sequence[str] = HEAVY,
    leading: int = 3,
) -> str:
    """`"light"`, `"heavy"`, `"tie"` or `"unknown"` by the first `leading` genres.

    Example:
        >>> mood_of(["Action", "Comedy", "School", "Drama"])
        'light'
    """
    words = [_word(genre) for genre in genres][:leading]
    votes = sum(word in light for word in words) - sum(word in heavy for word in words)
    if votes:
        return "light" if votes > 0 else "heavy"
    return "tie" if any(word in light for word in words) else "unknown"


def title_key(title: str) -> str:
    """What the editions of a title have in common.

    Brackets, what follows a colon or a dash, words such as `Season 2` or `The Movie` and numbers
    at the end are left out, so that titles rather fall together than apart.

    Example:
        >>> title_key("Cowboy Bebop: The Movie (2001)") == title_key("Cowboy Bebop")
        True
    """
    plain = unicodedata.normalize("NFKC", title).casefold()
    short = without(plain, _OPENING, _CLOSING)
    short = re.split(r":|\s[-–—~]\s?|\bvs\b", short)[0]
    short = re.sub(r"[^\w\s]", " ", short)
    short = " ".join(_EDITION.sub(" ", short).split())
    # "The Movie", "Film 12": nothing would be left
    return _NUMBER.sub("", short) or " ".join(re.sub(r"[^\w\s]", " ", plain).split()) or plain


def split_titles(
    titles: Mapping[str, str], test: float, moods: Mapping[str, str] | None = None
) -> set[str]:
    """The names whose title is on the test side.

    Titles are taken in the order of a hash, all names of one together, as long as no mood gets
    more than its share: the same names always give the same split, in whatever order they come.

    Args:
        titles: name of the picture to its title.
        test: wanted share of the names, 0 for none.
        moods: name to its mood, each of which is split in the same proportion.

    Raises:
        ValueError: if a share is wanted of fewer than two titles.
    """
    if not test:
        return set()
    moods = moods or dict.fromkeys(titles, "")
    groups: dict[str, list[str]] = {}
    for name, title in titles.items():
        groups.setdefault(title_key(title), []).append(name)
    if len(groups) < 2:
        raise ValueError(
            f"A split by title needs two titles. Received: {len(groups)}. Use test=0 (--test 0)."
        )
    free = {m: round(test * n) for m, n in Counter(moods[name] for name in titles).items()}
    taken: set[str] = set()
    order = sorted(groups, key=lambda key: hashlib.sha256(key.encode()).digest())
    for key in order[:-1]:  # one title always is for training
        group = Counter(moods[name] for name in groups[key])
        if all(count <= free[mood] for mood, count in group.items()):
            free = {mood: left - group[mood] for mood, left in free.items()}
            taken.update(groups[key])
    return taken or set(groups[order[0]])


# ---- reading -------------------------------------------------------------------------------------


def read_records(path: Path, genres: str = "genres") -> tuple[list[Poster], list[Rejected]]:
    """Records from `records.jsonl` or a CSV, and the lines that are none.

    Raises:
        ValueError: if the file, or its column `genres`, cannot be used.
    """
    rows, rejected = (_read_jsonl if path.suffix == ".jsonl" else _read_csv)(path)
    known = {column for _, _, cells in rows for column in cells}
    if rows and genres not in known:
        raise ValueError(
            f"The tags are in a column of the records. Received: {genres!r}; {path} has "
            f"{', '.join(sorted(known))}. Name it with genres (--genres COLUMN)."
        )
    posters = []
    for file, row, cells in rows:
        texts = {column: _clean(column, value) for column, value in cells.items()}
        posters.append(Poster(file, texts | {"genres": _tags(cells.get(genres))}, row))
    return posters, rejected


def _read_csv(path: Path) -> tuple[list[tuple[str, int, dict]], list[Rejected]]:
    table = read_table(path)
    for note in table.notes:
        print(note, file=sys.stderr)
    rows = [
        (file, row, dict(zip(table.columns, cells, strict=True)))
        for file, row, cells in zip(table.files, table.rows, table.cells, strict=True)
    ]
    return rows, table.rejected


def _read_jsonl(path: Path) -> tuple[list[tuple[str, int, dict]], list[Rejected]]:
    rows, rejected = [], []
    for number, line in _lines(path):
        problem = f"longer than {LINE_LIMIT:,} bytes" if line is None else ""
        record = None
        if line is not None:
            try:
                record = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                problem = f"no JSON: {error}"
        if not problem and not isinstance(record, dict):
            problem = "no JSON object"
        if problem:
            rejected.append(Rejected(path.name, "bad row", problem, number))
            continue
        # `tfanime collect` writes `picture`, others may write `file`, or only a number.
        file = record.pop("file", None) or record.pop("picture", None) or record.get("id")
        if not _line(file):
            rejected.append(Rejected(path.name, "bad row", "neither file nor id", number))
            continue
        rows.append((_line(file), number, {_line(name): cell for name, cell in record.items()}))
    return rows, rejected


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines that are not empty; None for one that is too long, which is not kept."""
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(LINE_LIMIT):
            number += 1
            whole = line.endswith(b"\n") or len(line) < LINE_LIMIT
            while not line.endswith(b"\n") and (line := file.readline(LINE_LIMIT)):
                pass
            if not whole:
                yield number, None
            elif line.strip():
                yield number, line


def _places(records: Path, pictures: str | os.PathLike | None) -> tuple[Path, Path]:
    """The file of records, and where the pictures are."""
    table = records / "records.jsonl" if records.is_dir() else records
    if not table.is_file() or table.suffix not in (".jsonl", ".csv"):
        raise ValueError(
            "Records are a folder with records.jsonl, or a .csv or .jsonl file. "
            f"Received: {str(records)!r}, which is none."
        )
    if pictures is not None:
        return table, Path(pictures)
    archives = [table.with_suffix(ending) for ending in (".tar", ".zip")]
    beside = [table.parent / "pictures", *archives]
    return table, next((place for place in beside if place.exists()), table.parent)


def _drop_strangers(opened: Source, table: Path) -> None:
    """The table lying among the pictures, and what tfanime writes beside them, are no pictures."""
    ours = {table.name, "records.jsonl", "manifest.json", "journal.jsonl"}
    opened.names = [name for name in opened.names if name not in ours]


def _match(
    names: Sequence[str],
    posters: Sequence[Poster],
    need: Sequence[str],
    root: str,
    rejected: list[Rejected],
) -> dict[str, Poster]:
    """Pictures with their records; what has no partner or lacks a text goes to `rejected`.

    Records name pictures from within the folder `root` or, as `root/NAME`, from beside it.
    """
    find = finder(names)
    matched: dict[str, Poster] = {}
    spoken_for = set()
    for poster in posters:
        found = find(poster.file) or find(poster.file.removeprefix(f"{root}/"))
        lacking = [column for column in need if not poster.get(column)]
        if not found:
            rejected.append(Rejected(poster.file, "record without picture", "", poster.row))
        elif len(found) > 1:
            detail = f"fits {found[0]} and {found[1]}"
            rejected.append(Rejected(poster.file, "ambiguous record", detail, poster.row))
        elif found[0] in matched:
            detail = f"the picture of line {matched[found[0]].row}"
            rejected.append(Rejected(poster.file, "duplicate record", detail, poster.row))
        elif lacking:
            detail = f"no {', '.join(lacking)}"
            rejected.append(Rejected(poster.file, "incomplete record", detail, poster.row))
        else:
            matched[found[0]] = poster
        spoken_for.update(found)
    for name in names:
        if name not in spoken_for:
            rejected.append(Rejected(name, "picture without record"))
    return matched


def _clean(column: str, value: object) -> object:
    """A cell as one line of text, a list as a tuple of them."""
    if isinstance(value, list):
        return tuple(filter(None, map(_line, value)))
    if column == "synopsis" and isinstance(value, str):
        from tfanime.collect.myanimelist import clean_synopsis

        value = clean_synopsis(value)
    return _line(value)


def _line(value: object) -> str:
    """Text without line breaks, control characters and half characters; `""` for what is none."""
    if not isinstance(value, (str, int, float)):
        return ""
    text = unicodedata.normalize("NFC", str(value))
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    return " ".join(text.split())


def _tags(value: object) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else re.split(r"[|,;]", _line(value))
    return tuple(dict.fromkeys(filter(None, map(_line, parts))))


def _word(genre: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", genre).casefold().split())


def _words(genres: Sequence[str]) -> list[str]:
    return sorted({_word(genre) for genre in genres} - {""})


# ---- writing -------------------------------------------------------------------------------------


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
        How many pictures are on each `(side, mood)`, and those that could not be used.
    """
    rejected: list[Rejected] = []
    height, width = settings["size"]
    fit = {"height": height, "width": width, "mode": settings["mode"], "focus": settings["focus"]}
    sides = {"train": _Side(folder / "train", height, width)}
    if on_test_side:
        sides["test"] = _Side(folder / "test", height, width)
    duplicates = Duplicates(settings["near_duplicates"])
    found = checked(opened, Labels(None, {}, {}, []), fit | {"smallest": 0})
    kept: Counter[tuple[str, str]] = Counter()
    with ExitStack() as stack:
        for side in sides.values():
            stack.callback(side.close)
        for name, picture in with_progress(found, len(opened.names), progress):
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
            kept[side, moods[name]] += 1
    empty = [side for side in sides if not any(side == known for known, _ in kept)]
    if empty:
        lines = "; ".join(summary(rejected)) or "nothing was found"
        raise ValueError(
            f"Each side of the split needs a usable poster, and {' and '.join(empty)} has none. "
            f"Received: {lines}. Use more posters, or test=0 (--test 0)."
        )
    for name, side in sides.items():
        side.finish(made_from=settings | {"side": name}, source=f"{name} side of posters")
    return dict(sorted(kept.items(), reverse=True)), rejected


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

    def finish(self, **notes) -> None:
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
    held = "other posters" if ours else "something else"
    fix = "overwrite=True (--overwrite), or another folder" if ours else "another folder"
    raise ValueError(
        f"The folder for posters must be new. Received: {str(out)!r}, which holds {held}. "
        f"Use {fix}."
    )
