"""The key to the sheets, and the filled form, checked cell by cell."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tfanime.core.files import read_json
from tfanime.evaluation.by_eye.questions import BROKEN, KEY, LETTERS, NOTHING, OTHER_WORDS


def read_key(folder: Path) -> dict:
    """What `sheets` wrote about its images; words and letters in the order of the form.

    Raises:
        ValueError: for a folder without it.
    """
    if not (folder / KEY).is_file():
        raise ValueError(
            f"A folder of `tfanime judge sheets` holds {KEY}. Received: {str(folder)!r}, which "
            "does not."
        )
    key = read_json(folder / KEY)
    for part, order in (("words", OTHER_WORDS), ("letters", LETTERS)):
        key[part] = {name: key[part][name] for name in order if name in key[part]}
    return key


def read_form(path: Path, key: dict) -> dict[tuple[int, int], dict[str, str]]:
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
    letters = [*key["letters"].values(), *BROKEN]
    flags = answer["flags"].upper().replace(" ", "")
    wrong = [letter for letter in flags if letter not in letters and flags != NOTHING]
    if not flags or wrong:
        raise ValueError(
            f"{row}, cell flags: letters of {''.join(letters)}, or {NOTHING} if none applies. "
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
        if word not in (other.lower() for other in words) and not (word == "" and "X" in flags):
            raise ValueError(
                f"{row}, cell {name}: one of {', '.join(words)}. Received: {answer[name]!r}."
            )
        checked[name] = word
    return checked
