"""Tables of labels: in every encoding, with cells of every kind, damaged; and StyleGAN's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from fuzz_common import damaged, hostile_value, verdict, with_hostile_value

from tfanime.data.counts import label_counts
from tfanime.prepare.arranged import folder_table, folders_hint, stylegan_table
from tfanime.prepare.table_labels import Labels, labels_of, read_labels

NAMES = [f"{folder}/{i}.png" for folder in ("a", "b") for i in range(20)] + ["顔.png", "é.png"]
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp932", "latin-1")
HEADERS = ("file", "File", "filename", "path", "name", "", "file\0", '"file')
COLUMNS = ("hair", "tags", "smile", "year", "hair", "blue_hair", "class", "\x1b[2J", "é", "x" * 999)
CELLS = (
    "", "nan", "1", "0", "yes", "Pink", "pink", "PINK ", "blue", "1e308", "-1e999", "inf", "0x10",
    "a|b|c", "a b c", "|", "||", "=1+1", '"', '""', "a\nb", "\0", "\x1b]0;x\x07", "顔", "é", "１",
    "9" * 5000, "a" * 200_000, "１２", "²", "1_0",
)  # fmt: skip


def run(random: Random, folder: Path) -> Iterator[str]:
    path, everywhere = folder / "labels.csv", 0
    while True:
        everywhere += 1
        if everywhere % 4 == 0:
            data = json.dumps(with_hostile_value(_stylegan(random), random)).encode()
            data = damaged(data, random) if random.random() < 0.3 else data
            problem = verdict(lambda data=data: _check(_stylegan_labels(data)), (ValueError,))
        else:
            data = _table(random)
            path.write_bytes(damaged(data, random) if random.random() < 0.4 else data)
            tags = random.choice((1, 64, 1000))
            problem = verdict(
                lambda tags=tags: _check(read_labels(path, NAMES, folder, tags)), (ValueError,)
            )
        if problem:
            problem = f"{problem} ({data[:60]!r}...)"
        yield problem


def _stylegan_labels(data: bytes) -> Labels | None:
    table = stylegan_table(data, "dataset.json", "dataset.json")
    return None if table is None else labels_of(table, "dataset.json", NAMES)


def _check(labels: Labels | None) -> None:
    """Labels are within what they are said to be."""
    names = [name for name in NAMES if "/" in name]
    folders_hint(NAMES)
    labels_of(folder_table(names, "x"), "x", names)
    if labels is None or labels.schema is None:
        return
    rows = np.stack(list(labels.values.values()) or [np.zeros(labels.schema.size)])
    if not set(labels.values) <= set(NAMES) or rows.shape[1] != labels.schema.size:
        raise AssertionError(f"labels of {sorted(labels.values)[:3]}, {rows.shape}")
    if np.nanmin(rows, initial=0) < 0 or np.nanmax(rows, initial=1) > 1:
        raise AssertionError(f"labels from {np.nanmin(rows)} to {np.nanmax(rows)}")
    for _, counts in label_counts(labels.schema, rows):
        if "\x1b" in counts or "\n" in counts:
            raise AssertionError(f"counts that drive a terminal: {counts[:80]!r}")


def _table(random: Random) -> bytes:
    separator = random.choice(",,;\t")
    wide = random.random() < 0.02
    columns = [f"c{i}" for i in range(20_000)] if wide else random.choices(COLUMNS, k=4)
    lines = [[random.choice(("file", *HEADERS)), *columns]]
    for _ in range(random.choice((0, 1, 5, 200))):
        prefix = random.choice(("", "", "", "./", "/x/", "c:\\"))
        name = random.choice(NAMES) if random.random() < 0.9 else str(hostile_value(random))
        cells = random.choices(random.sample(CELLS, 4) if len(lines) % 2 else CELLS, k=4)
        lines.append([(prefix + name)[:500], *cells])
    text = "\r\n".join(separator.join(cells) for cells in lines)
    encoding = random.choice(ENCODINGS)
    return text.encode(encoding, "replace" if encoding in ("cp932", "latin-1") else "surrogatepass")


def _stylegan(random: Random) -> dict:
    kind = random.randrange(3)
    labels = {
        0: lambda i: i % 3,
        1: lambda i: [float(i % 3 == k) for k in range(3)],
        2: lambda i: [i / 7, -i],
    }[kind]
    return {"labels": [[name, labels(i)] for i, name in enumerate(NAMES)]}
