"""Labels without a table of ours: folders that are classes, and StyleGAN's `dataset.json`."""

from __future__ import annotations

import json
import math
import posixpath
from collections.abc import Sequence

from tfanime.core.printing import plain
from tfanime.prepare.check import Rejected
from tfanime.prepare.sources import PICTURE_ENDINGS
from tfanime.prepare.table import MOST_LABELS, Table
from tfanime.prepare.table_columns import MOST_VALUES

FOLDERS = "folders"  # in place of a table: the folder of an image is its class
CLASS = "class"  # the name of the label that both make
STYLEGAN = "dataset.json"
JSON_LIMIT = 64 * 2**20  # bytes; FFHQ's has 3 MB


def folder_table(names: Sequence[str], where: str) -> Table:
    """The class of every image, by its first folder below those that all have in common; none
    for images outside.

    Raises:
        ValueError: if that makes fewer than two classes, or more than 1,000.
    """
    folders = _folders(names)
    if not 2 <= len(set(folders) - {""}) <= MOST_LABELS:
        raise ValueError(
            f"Labels from folders need images in 2 to {MOST_LABELS:,} of them. Received: {where} "
            f"with {len(set(folders) - {''}):,}."
        )
    rows = [None] * len(names)
    return Table((CLASS,), list(names), [[one] for one in folders], rows, [], (), _CLASS_GROUP)


def folders_hint(names: Sequence[str]) -> str:
    """What to say where images lie as if their folders were classes; "" elsewhere."""
    pictures = [name for name in names if name.lower().endswith(PICTURE_ENDINGS)]
    folder_names = sorted(set(_folders(pictures)))
    # Datasets are often dealt out to folders such as 00000/, to keep these small.
    dealt = all(set(one) <= set("0123456789abcdefABCDEF") for one in folder_names)
    if not 2 <= len(folder_names) <= MOST_VALUES or "" in folder_names or dealt:
        return ""
    some = plain(", ".join(folder_names[:3])) + (", ..." if len(folder_names) > 3 else "")
    return (
        f"images lie in {len(folder_names)} folders ({some}): labels='folders' (--labels folders) "
        "makes them a label"
    )


def stylegan_place(names: Sequence[str]) -> str | None:
    """The `dataset.json` of a StyleGAN set among the names of its files: at the root, or in the
    one folder that holds everything."""
    folder = "/".join(_common(names))
    place = posixpath.join(folder, STYLEGAN)
    return place if place in names else None


def stylegan_table(data: bytes, place: str, where: str) -> Table | None:
    """`{"labels": [["00000/img00000000.png", 3], ...]}`: numbers are classes; a list of numbers
    is a class where exactly one of them is 1 in every row, or else as many labels.

    Args:
        data: the file.
        place: its name in the set; names in it are relative to its folder.
        where: what it is called in messages.

    Returns:
        None if it is no StyleGAN set's, or has no labels.

    Raises:
        ValueError: if it cannot be used, and for a packed set.
    """
    if len(data) > JSON_LIMIT:
        raise ValueError(f"{where} has at most {JSON_LIMIT:,} bytes. Received: {len(data):,}.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} must be JSON. Received: {type(error).__name__}.") from error
    if isinstance(document, dict) and "format" in document:
        raise ValueError(
            f"Images must not be packed yet. Received: {where} of a packed set. Use that folder "
            "as it is, unpacked, or pack the original images."
        )
    labels = document.get("labels") if isinstance(document, dict) else None
    if not labels:
        return None
    pairs = labels.items() if isinstance(labels, dict) else labels
    folder, files, label_values, rejected = posixpath.dirname(place), [], [], []
    for number, pair in enumerate(pairs if hasattr(pairs, "__iter__") else [], start=1):
        name, label = pair if isinstance(pair, (list, tuple)) and len(pair) == 2 else (None, None)
        numbers = label if isinstance(label, list) else [label]
        if not isinstance(name, str) or not all(map(_is_number, numbers)) or not numbers:
            detail = f"entry {number:,} is no pair of a name and a number, or numbers"
            rejected.append(Rejected(where, "bad row", detail))
            continue
        files.append(posixpath.join(folder, name.lstrip("/")))
        label_values.append(label)
    columns, cells, groups = _columns(label_values, where)
    return Table(columns, files, cells, [None] * len(files), rejected, (), groups)


_CLASS_GROUP = frozenset({CLASS})


def _columns(labels: list, where: str) -> tuple[tuple[str, ...], list[list[str]], frozenset[str]]:
    """Names, cells and groups of what is told about every image."""
    kinds = {len(label) if isinstance(label, list) else type(label) for label in labels}
    if kinds <= {int}:
        return (CLASS,), [[str(label)] for label in labels], _CLASS_GROUP
    (length,) = kinds if len(kinds) == 1 else (0,)
    if not isinstance(length, int) or not 1 <= length <= MOST_LABELS:
        raise ValueError(
            f"{where} gives every image a whole number, or a list of as many numbers, at most "
            f"{MOST_LABELS:,}. Received: {', '.join(sorted({_kind(one) for one in labels})[:5])}."
        )
    if length > 1 and all(sorted(label) == [0] * (length - 1) + [1] for label in labels):
        return (CLASS,), [[str(label.index(1))] for label in labels], _CLASS_GROUP
    cells = [[f"{number:.9g}" for number in label] for label in labels]
    return tuple(f"label_{i}" for i in range(length)), cells, frozenset()


def _kind(label: object) -> str:
    return f"{len(label)} numbers" if isinstance(label, list) else repr(label)[:40]


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < 2**53 if isinstance(value, int) else math.isfinite(value)


def _common(names: Sequence[str]) -> list[str]:
    """The folders that all names begin with."""
    ways = [name.split("/")[:-1] for name in names]
    if not ways:
        return []
    first, last = min(ways), max(ways)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]


def _folders(names: Sequence[str]) -> list[str]:
    """Of each file the folder that tells images apart; "" where it lies above these."""
    pictures = [name for name in names if name.lower().endswith(PICTURE_ENDINGS)]
    common = _common(pictures or names)
    folders = []
    for name in names:
        ways = name.split("/")[:-1]
        inside = ways[: len(common)] == common and len(ways) > len(common)
        folders.append(ways[len(common)] if inside else "")
    return folders
