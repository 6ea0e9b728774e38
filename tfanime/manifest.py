"""What a dataset is made of: source, licence note, date, and how many passed each filter.

Every stage that makes a folder of data writes `manifest.json` into it; a stage that reads such a
folder keeps the earlier manifest inside its own, so that the last one tells the whole story.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sized
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import tfanime
from tfanime.files import read_json, write_json
from tfanime.prepare.writer import is_packed
from tfanime.printing import plain

FORMAT = "tfanime dataset"
VERSION = 1
FILE = "manifest.json"
EXAMPLES = 5  # records shown in a card
UNKNOWN_LICENCE = "unknown: none was stated, so keep the pictures to yourself"


@dataclass(frozen=True)
class Step:
    """One filter: what went in is `kept` plus all `dropped`.

    Args:
        name: what was looked at, for example `"pictures"`.
        kept: how many passed.
        dropped: reason -> how many it left out.
        of_each: counts something else than the step before, such as the pictures of each game.
    """

    name: str
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    of_each: bool = False

    @classmethod
    def between(cls, name: str, before: Sized, after: Sized, reason: str) -> Step:
        """A filter with one reason: what of `before` is not in `after`."""
        left_out = len(before) - len(after)
        return cls(name, len(after), {reason: left_out} if left_out else {})

    @property
    def seen(self) -> int:
        return self.kept + sum(self.dropped.values())


@dataclass(frozen=True)
class Manifest:
    """
    Args:
        name: of the dataset, for people.
        source: where it comes from: a site with what was asked of it, or a folder.
        licence: who owns it and what may be done with it, in a sentence.
        steps: filters in the order in which they were passed.
        settings: what the result depends on, JSON-ready.
        date: day of completion, ISO 8601.
        made_by: program and version.
        earlier: manifest of the dataset that this one was made from.

    Raises:
        ValueError: if a filter has seen other than what the one before it kept.
    """

    name: str
    source: str
    licence: str
    steps: tuple[Step, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    date: str = field(default_factory=lambda: date.today().isoformat())
    made_by: str = f"tfanime {tfanime.__version__}"
    earlier: Manifest | None = None

    def __post_init__(self):
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if not after.of_each and after.seen != before.kept:
                raise ValueError(
                    f"A filter sees what the one before it kept. Received: {after.name!r} saw "
                    f"{after.seen:,}, and {before.name!r} kept {before.kept:,}."
                )

    @property
    def count(self) -> int:
        return self.steps[-1].kept if self.steps else 0

    def to_json(self) -> dict:
        return {
            "format": FORMAT,
            "version": VERSION,
            **asdict(self),
            "steps": [asdict(step) for step in self.steps],
            "earlier": self.earlier.to_json() if self.earlier else None,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Manifest:
        steps = tuple(
            Step(str(step["name"]), int(step["kept"]), dict(step["dropped"]), bool(step["of_each"]))
            for step in stored["steps"]
        )
        texts = {key: str(stored[key]) for key in ("name", "source", "licence", "date", "made_by")}
        earlier = cls.from_json(stored["earlier"]) if stored.get("earlier") else None
        return cls(steps=steps, settings=dict(stored["settings"]), earlier=earlier, **texts)

    def write(self, folder: str | os.PathLike) -> None:
        write_json(Path(folder) / FILE, self.to_json())

    @classmethod
    def read(cls, folder: str | os.PathLike) -> Manifest:
        """
        Raises:
            ValueError: if the folder has no manifest, or a damaged one.
        """
        path = Path(folder) / FILE
        if not path.is_file():
            raise ValueError(
                f"A dataset has a {FILE}. Received: {str(folder)!r}, which has none. "
                "`tfanime collect` and `tfanime prepare` write it."
            )
        try:
            stored = read_json(path)
            if stored["format"] != FORMAT:
                raise ValueError(f"its format is {stored['format']!r}")
            return cls.from_json(stored)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(
                f"{FILE} must be as tfanime wrote it. Received: {path}, which is damaged ({error})."
            ) from error

    @classmethod
    def find(cls, *folders: str | os.PathLike) -> Manifest | None:
        """The manifest of the first of these folders that has one; None where none has."""
        found = next((folder for folder in folders if (Path(folder) / FILE).is_file()), None)
        return None if found is None else cls.read(found)


# ---- card --------------------------------------------------------------------------------------


def card(folder: str | os.PathLike) -> str:
    """A dataset's card in Markdown: what it is, its licence, and how many passed each filter.

    Titles and names come from pages that nobody checked: everything in the card is escaped.

    Args:
        folder: with a `manifest.json`, or a packed set (its `dataset.json`).
    """
    folder = Path(folder)
    packed = read_json(folder / "dataset.json") if is_packed(folder) else None
    if not (folder / FILE).is_file() and packed is not None:
        return _packed_card(packed, folder)
    manifest = Manifest.read(folder)
    lines = _card_lines(manifest, level=1)
    if packed is not None:
        lines += _label_lines(packed, folder)
    examples = _examples(folder / "records.jsonl")
    if examples:
        lines += ["", "## Examples", "", *examples]
    return "\n".join(lines) + "\n"


def _card_lines(manifest: Manifest, level: int) -> list[str]:
    mark = "#" * level
    lines = [
        f"{mark} {escape(manifest.name)}",
        "",
        "| | |",
        "|---|---|",
        f"| entries | {manifest.count:,} |",
        f"| source | {escape(manifest.source)} |",
        f"| licence | {escape(manifest.licence)} |",
        f"| date | {escape(manifest.date)} |",
        f"| made by | {escape(manifest.made_by)} |",
    ]
    for name, value in sorted(manifest.settings.items()):
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"| {escape(str(name))} | {escape(shown)} |")
    lines += [
        "",
        f"{mark}# Filters",
        "",
        "| filter | seen | left out | kept |",
        "|---|---|---|---|",
    ]
    for step in manifest.steps:
        reasons = sorted(step.dropped.items(), key=lambda item: (-item[1], item[0]))
        told = "; ".join(f"{escape(reason)}: {count:,}" for reason, count in reasons if count)
        lines.append(f"| {escape(step.name)} | {step.seen:,} | {told or '-'} | {step.kept:,} |")
    if manifest.earlier is not None:
        lines += ["", *_card_lines(manifest.earlier, level + 1)]
    return lines


def _examples(records: Path) -> list[str]:
    if not records.is_file():
        return []
    lines = []
    with records.open(encoding="utf-8") as file:
        for line in file:
            if len(lines) == EXAMPLES:
                break
            try:
                record = json.loads(line)
                lines.append(f"- {escape(str(record['id']))}: {escape(str(record['title']))}")
            except (ValueError, KeyError, TypeError):
                continue  # a card is no check of the records
    return lines


def _packed_card(info: Mapping[str, Any], folder: Path) -> str:
    lines = [
        f"# {escape(folder.resolve().name)}",
        "",
        "| | |",
        "|---|---|",
        f"| pictures | {info['count']:,} of {info['width']}x{info['height']} |",
        f"| packed from | {escape(str(info.get('source')))} |",
        f"| SHA-256 | {escape(str(info['sha256']))} |",
    ]
    reasons: dict[str, int] = {}
    for one in info.get("rejected", []):
        reasons[one["reason"]] = reasons.get(one["reason"], 0) + 1
    lines += ["", "## Left out", "", "| reason | files |", "|---|---|"]
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"| {escape(reason)} | {count:,} |")
    return "\n".join(lines + _label_lines(info, folder)) + "\n"


def _label_lines(info: Mapping[str, Any], folder: Path) -> list[str]:
    """Every label of a packed set, and how many pictures have each of its values."""
    if not info.get("labels"):
        return []
    from tfanime.data import PackedDataset
    from tfanime.prepare.counts import label_counts

    packed = PackedDataset.open(folder)
    lines = ["", "## Labels", "", "| label | pictures |", "|---|---|"]
    for name, counts in label_counts(packed.schema, packed.labels()):
        lines.append(f"| {escape(name)} | {escape(counts)} |")
    return lines


def escape(value: str) -> str:
    """Text that Markdown, HTML and a terminal show as it is, in one line."""
    value = " ".join(plain(value).split())
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        value = value.replace(character, entity)
    return re.sub(r"([\\`*_{}\[\]()#!|~])", r"\\\1", value)
