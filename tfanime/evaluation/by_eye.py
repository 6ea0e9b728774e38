"""Judging by eye: blind sheets of several models' images, a form, and what the filled form says.

Each attribute in turn is asked for and the rest left to chance, as `attributes` of `evaluate` does
with a network. Here a person looks, who knows neither the model nor what was asked for. The folder
holds `RULES.md` and `form.csv` for the judge, `s00.png`, `s01.png`, ... (20 numbered images each),
and `key.json`, which says of every image what it is.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import tfanime
from tfanime import latent, saved, zoo
from tfanime.files import atomic_folder, read_json, write_csv, write_json, write_text
from tfanime.generation import generate
from tfanime.labels import FACES, LabelSchema
from tfanime.upscaling import NONE

FORM, KEY, RULES, SHEET = "form.csv", "key.json", "RULES.md", "s{:02d}.png"
COLUMNS, ROWS = 5, 4  # images of a sheet
CELL, GAP = 216, 4  # pixels: an image's place, and what it leaves free there
LABEL, FONT = (30, 26), 22  # the number's black box, and its letters
Z = 1.959963984540054  # 97.5 % of a normal distribution lie below
# Fields that the judge answers with a word, and the words that no model is asked for.
OTHER_WORDS = {"hair": ("other", "hidden"), "eyes": ("other", "closed")}
# Flags that the judge answers with a letter: field -> letter, what it stands for.
LETTERS = {
    "long_hair": ("L", "long hair: reaches the shoulders, or runs out of the frame below the chin"),
    "short_hair": ("S", "short hair: ends above the shoulders. Never with L; neither if unclear"),
    "twintails": ("T", "twintails: two tails, left and right; pigtails and two braids too"),
    "ponytail": ("P", "ponytail: one tail, tied at the back, at the side or on top"),
    "drill_hair": ("D", "drills: tight ringlets"),
    "blush": ("B", "blush: pink or red on the cheeks, hatching too"),
    "smile": ("M", "smile: the corners of the mouth clearly up, open or closed"),
    "open_mouth": ("O", "open mouth, a grin that shows teeth too"),
    "hat": ("H", "hat, cap, helmet, hood or headdress"),
    "ribbon": ("R", "ribbon or bow in the hair"),
    "glasses": ("G", "glasses"),
    "male": ("Y", "male"),
    "dark_skin": ("K", "dark skin"),
    "animal_ears": ("N", "animal ears or horns; elf ears are none"),
}
BROKEN = {
    "X": "not usable: no single clear face",
    "Z": "broken: a face, but misshapen, smeared or with parts missing or doubled",
}
NOTHING = "-"
HINTS = {
    "hair": "silver is bright with a shine, gray duller and darker, white nearly white, aqua light "
    "turquoise; cream counts as blonde, maroon as red, bluish navy as blue; `other`: none fits, or "
    "two colours share it equally; `hidden`: no hair can be seen",
    "eyes": "of two colours the left one in the image; dark grey is black; `other`: none fits; "
    "`closed`: both are shut or cannot be seen",
}


@dataclass(frozen=True)
class Share:
    """A share of images, with its 95 % interval (Wilson 1927).

    Args:
        share, low, high: 0 to 1.
        images: of which it is the share.
    """

    share: float
    low: float
    high: float
    images: int


@dataclass(frozen=True)
class ByEye:
    """What a judge saw on the images of one model.

    Args:
        model: as it was named.
        images: of the model.
        broken: share with flag X or Z.
        mean: mean of `attributes`; None for a model that was asked for none.
        fields: mean over the values of `hair` and `eyes`, where the model has them.
        attributes: column, such as `blue_hair` -> share of the images asked to have it that do.
    """

    model: str
    images: int
    broken: Share
    mean: Share | None
    fields: Mapping[str, Share]
    attributes: Mapping[str, Share]


# ---- sheets ------------------------------------------------------------------------------------


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
    from tfanime.bars import progress_bar

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
    truncation, seed = latent.check_truncation(truncation), latent.check_seed(seed)
    generators = [saved.load_generator(name) for name in names]
    words, letters = _vocabulary([generator.schema for generator in generators])
    entries, images = [], []
    for name, generator in zip(names, generators, strict=True):
        asked = _asked(generator.schema) or {None: {}}
        for i, (column, tags) in enumerate(
            progress_bar(asked.items(), desc=name, disable=not progress)
        ):
            count = n if column is None else per_value if set(tags) & set(words) else per_flag
            drawn = generate(generator, count, seed + i, tags, truncation, upscale=NONE)
            images += list(drawn.images)
            entries += [
                {"model": name, "attribute": column, "asked": tags, "seed": seed + i, "index": k}
                for k in range(count)
            ]
    order = np.random.default_rng(seed).permutation(len(entries))
    a_sheet = COLUMNS * ROWS
    key = [
        {"sheet": place // a_sheet, "n": place % a_sheet + 1, **entries[i]}
        for place, i in enumerate(order)
    ]
    with atomic_folder(out) as folder:
        for start in range(0, len(order), a_sheet):
            some = [images[i] for i in order[start : start + a_sheet]]
            _sheet(some).save(folder / SHEET.format(start // a_sheet))
        head = ["sheet", "n", *words, "flags"]
        blank = [""] * (len(words) + 1)
        write_csv(folder / FORM, [head, *([f"{e['sheet']:02d}", e["n"], *blank] for e in key)])
        write_text(folder / RULES, _rules(words, letters))
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
                    "weights": {name: _digest(name) for name in names},
                    "tfanime": tfanime.__version__,
                },
                "words": words,
                "letters": letters,
            },
        )
    return -(-len(order) // a_sheet)


def _name(model: Path) -> str:
    return model.name if model.parent in zoo.PLACES else model.as_posix()


def _digest(name: str) -> str | None:
    """SHA-256 of a model's weights."""
    file = zoo.locate(name) / saved.WEIGHTS
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def _asked(schema: LabelSchema | None) -> dict[str, dict[str, object]]:
    """Column -> tags that ask for it, of the attributes that the form can answer."""
    asked = {}
    for field in schema.fields if schema else ():
        if field.kind == "group" and field.name in OTHER_WORDS:
            for column, value in zip(field.columns, field.values, strict=True):
                asked[column] = {field.name: value}
        elif field.kind == "flag" and field.name in LETTERS:
            asked[field.name] = {field.name: True}
    return asked


def _vocabulary(schemas: Sequence[LabelSchema | None]) -> tuple[dict, dict]:
    """The words that the judge may write in each column, and the letter of each flag."""
    asked = {column: tags for schema in schemas for column, tags in _asked(schema).items()}
    words = {}
    for name, others in OTHER_WORDS.items():
        values = [str(tags[name]) for tags in asked.values() if name in tags]
        if values:
            usual = FACES.field(name).values
            words[name] = list(dict.fromkeys([*usual, *values, *others]))
    return words, {name: letter for name, (letter, _) in LETTERS.items() if name in asked}


def _sheet(images: Sequence[np.ndarray]):
    """A contact sheet, numbered from 1, row by row."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("RGB", (COLUMNS * CELL, ROWS * CELL), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT)
    for i, pixels in enumerate(images):
        x, y = i % COLUMNS * CELL, i // COLUMNS * CELL
        factor = (CELL - GAP) / max(pixels.shape[:2])
        size = tuple(max(1, round(factor * side)) for side in pixels.shape[1::-1])
        sheet.paste(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), (x, y))
        draw.rectangle((x, y, x + LABEL[0], y + LABEL[1]), fill="black")
        draw.text((x + 3, y), f"{i + 1:02d}", fill="yellow", font=font)
    return sheet


def _rules(words: Mapping[str, Sequence[str]], letters: Mapping[str, str]) -> str:
    """What the judge reads."""
    lines = [
        "# Judging images by eye",
        "",
        f"Look at the sheets one after the other and fill one row of `{FORM}` an image: the number "
        "of the sheet and of the image are there already. Write what you see, not what was meant. "
        f"Do not open `{KEY}`, and let no program answer for you.",
        "",
    ]
    for name, some in words.items():
        lines.append(f"- `{name}`: one of {', '.join(some)}. ({HINTS[name]}.)")
    lines.append(f"- `flags`: letters without separators, `{NOTHING}` if none applies:")
    lines += [f"  - {letter}: {LETTERS[name][1]}" for name, letter in letters.items()]
    lines += [f"  - {letter}: {meaning}" for letter, meaning in BROKEN.items()]
    lines.append("")
    if words:
        example = "".join(letters.values())[:1] or NOTHING
        lines += [
            "Between two words take the one that most people would say; leave out a flag that you "
            "are not sure of. Of a broken face write all that can be seen; with X the other cells "
            "may stay empty.",
            "",
            f"Example: `03,12,{','.join([*(some[0] for some in words.values()), example])}`",
            "",
        ]
    return "\n".join(lines)


# ---- score -------------------------------------------------------------------------------------


def score(folder: str | os.PathLike, form: str | os.PathLike | None = None) -> list[ByEye]:
    """What the filled form says of each model; written into the folder too, as `by_eye.json` and
    `by_eye.md`.

    An image shows what it was asked for if the judge wrote that word or letter, broken or not.

    Args:
        folder: what `sheets` wrote.
        form: the filled form; default: `form.csv` of the folder.

    Raises:
        ValueError: for a folder without a key, or a form that is not filled as the rules say; the
            message names row and cell.
    """
    folder = Path(folder)
    if not (folder / KEY).is_file():
        raise ValueError(
            f"A folder of `tfanime judge sheets` holds {KEY}. Received: {str(folder)!r}, which "
            "does not."
        )
    key = read_json(folder / KEY)
    for part, order in (("words", OTHER_WORDS), ("letters", LETTERS)):
        key[part] = {name: key[part][name] for name in order if name in key[part]}
    answers = _read_form(Path(form) if form else folder / FORM, key)
    found = [_of_model(model, key, answers) for model in key["models"]]
    report = {"models": [asdict(one) for one in found], "protocol": key["protocol"]}
    write_json(folder / "by_eye.json", report)
    write_text(folder / "by_eye.md", table(found))
    return found


def table(found: Sequence[ByEye]) -> str:
    """Markdown: a row a model, and, where attributes were asked for, a row an attribute."""
    columns = list(dict.fromkeys(column for one in found for column in one.attributes))
    fields = [name for name in OTHER_WORDS if any(name in one.fields for one in found)]
    rows = [["model", "images", "broken", *(["mean of attributes"] if columns else []), *fields]]
    for one in found:
        mean = f"{_cell(one.mean)} of {len(one.attributes)}" if one.mean else ""
        of_fields = [_cell(one.fields.get(name)) for name in fields]
        head = [one.model, f"{one.images:,}", _cell(one.broken)]
        rows.append(head + ([mean] if columns else []) + of_fields)
    text = _markdown(rows)
    if columns:
        rows = [["asked for", *(one.model for one in found)]]
        for column in columns:
            cells = [_cell(one.attributes.get(column), counted=True) for one in found]
            rows.append([column, *cells])
        text += "\n" + _markdown(rows)
    return (
        text + "\nShares of images, with 95 % intervals (Wilson); broken: flags X and Z. "
        "Judged blind, by eye.\n"
    )


def wilson(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share of `count` images (Wilson 1927).

    Example:
        >>> [round(limit, 4) for limit in wilson(8 / 10, 10)]
        [0.4902, 0.9433]
    """
    square = Z * Z / count
    centre = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def _of_model(model: str, key: dict, answers: Mapping[tuple[int, int], Mapping]) -> ByEye:
    images = [entry for entry in key["images"] if entry["model"] == model]
    images.sort(key=lambda entry: entry["seed"])  # the order of the schema
    broken, shown = [], {}
    for entry in images:
        answer = answers[entry["sheet"], entry["n"]]
        broken.append(bool(set(answer["flags"]) & set(BROKEN)))
        if entry["attribute"] is not None:
            ((name, value),) = entry["asked"].items()
            right = (
                answer[name] == value
                if name in key["words"]
                else key["letters"][name] in answer["flags"]
            )
            shown.setdefault(entry["attribute"], (name, []))[1].append(right)
    attributes = {column: _share(seen) for column, (_, seen) in shown.items()}
    fields = {
        name: _mean([attributes[column] for column, (of, _) in shown.items() if of == name])
        for name in key["words"]
        if any(of == name for of, _ in shown.values())
    }
    mean = _mean(list(attributes.values())) if attributes else None
    return ByEye(model, len(images), _share(broken), mean, fields, attributes)


def _share(seen: Sequence[bool]) -> Share:
    share = float(np.mean(seen))
    return Share(share, *wilson(share, len(seen)), len(seen))


def _mean(shares: Sequence[Share]) -> Share:
    """Each attribute counts the same. Where they have unequal numbers of images, the interval is
    that of as many images as have, with equal weights, the same variance (Kish's effective size).
    """
    share = float(np.mean([one.share for one in shares]))
    effective = len(shares) ** 2 / sum(1 / one.images for one in shares)
    return Share(share, *wilson(share, effective), sum(one.images for one in shares))


def _read_form(path: Path, key: dict) -> dict[tuple[int, int], dict[str, str]]:
    """(sheet, n) -> cells, checked against words and letters."""
    if not path.is_file():
        raise ValueError(f"The filled form is a CSV file. Received: {str(path)!r}, which is none.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"A form is UTF-8. Received: {path}, saved in another encoding.") from None
    # Spreadsheets of many countries save with semicolons.
    semicolons = ";" in text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text), delimiter=";" if semicolons else ",")
    head = ["sheet", "n", *key["words"], "flags"]
    first = [cell.strip().lower() for cell in next(lines, [])]
    if first != head:
        raise ValueError(
            f"{path}, row 1: the first row of a form is {','.join(head)}. "
            f"Received: {','.join(first) or 'nothing'}."
        )
    places = {(entry["sheet"], entry["n"]) for entry in key["images"]}
    answers: dict[tuple[int, int], dict[str, str]] = {}
    for cells in lines:
        row = f"{path}, row {lines.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(head):
            raise ValueError(f"{row}: a row has {len(head)} cells. Received: {len(cells)}.")
        answer = dict(zip(head, (cell.strip() for cell in cells), strict=True))
        place = _place(row, answer, places)
        if place in answers:
            raise ValueError(
                f"{row}: each image has one row. Received: sheet {place[0]:02d}, image {place[1]} "
                "again."
            )
        answers[place] = _checked(row, answer, key)
    missing = sorted(places - set(answers))
    if missing:
        raise ValueError(
            f"{path} has a row for each image. Received: none for {len(missing)} of "
            f"{len(places)}, first sheet {missing[0][0]:02d}, image {missing[0][1]}."
        )
    return answers


def _place(row: str, answer: dict[str, str], places: set[tuple[int, int]]) -> tuple[int, int]:
    numbers = []
    for cell in ("sheet", "n"):
        if not answer[cell].isdecimal():
            raise ValueError(f"{row}, cell {cell}: a whole number. Received: {answer[cell]!r}.")
        numbers.append(int(answer[cell]))
    if tuple(numbers) not in places:
        raise ValueError(
            f"{row}: sheet and n name an image of the sheets. "
            f"Received: sheet {numbers[0]:02d}, image {numbers[1]}, and there is none."
        )
    return numbers[0], numbers[1]


def _checked(row: str, answer: dict[str, str], key: dict) -> dict[str, str]:
    known = [*key["letters"].values(), *BROKEN]
    flags = answer["flags"].upper().replace(" ", "")
    wrong = [letter for letter in flags if letter not in known and flags != NOTHING]
    if not flags or wrong:
        raise ValueError(
            f"{row}, cell flags: letters of {''.join(known)}, or {NOTHING} if none applies. "
            f"Received: {answer['flags']!r}."
        )
    if "L" in flags and "S" in flags:
        raise ValueError(
            f"{row}, cell flags: hair is long (L) or short (S), never both. "
            f"Received: {answer['flags']!r}."
        )
    checked = {"flags": flags}
    for name, words in key["words"].items():
        word = answer[name].lower()
        if word not in words and not (word == "" and "X" in flags):
            raise ValueError(
                f"{row}, cell {name}: one of {', '.join(words)}. Received: {answer[name]!r}."
            )
        checked[name] = word
    return checked


def _cell(share: Share | None, counted: bool = False) -> str:
    if share is None:
        return ""
    text = f"{share.share:.2f} [{share.low:.2f}, {share.high:.2f}]"
    return f"{text} of {share.images}" if counted else text


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"
