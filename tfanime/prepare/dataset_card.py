"""The card of a folder of data in Markdown: what it is, its licence, what passed each filter."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfanime.core.files import read_json
from tfanime.core.manifest import FILE, Manifest
from tfanime.core.printing import plain
from tfanime.data.counts import label_counts
from tfanime.data.packed import PackedDataset
from tfanime.data.writer import is_packed

EXAMPLES = 5  # records shown


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
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"| {escape(str(name))} | {escape(text)} |")
    lines += [
        "",
        f"{mark}# Filters",
        "",
        "| filter | seen | left out | kept |",
        "|---|---|---|---|",
    ]
    for step in manifest.steps:
        reasons = sorted(step.dropped.items(), key=lambda item: (-item[1], item[0]))
        losses = "; ".join(f"{escape(reason)}: {count:,}" for reason, count in reasons if count)
        lines.append(f"| {escape(step.name)} | {step.seen:,} | {losses or '-'} | {step.kept:,} |")
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
        f"| images | {info['count']:,} of {info['width']}x{info['height']} |",
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
    """Every label of a packed set, and how many images have each of its values."""
    if not info.get("labels"):
        return []
    packed = PackedDataset.open(folder)
    lines = ["", "## Labels", "", "| label | images |", "|---|---|"]
    for name, counts in label_counts(packed.schema, packed.labels()):
        lines.append(f"| {escape(name)} | {escape(counts)} |")
    return lines


def escape(value: str) -> str:
    """Text that Markdown, HTML and a terminal show as it is, in one line."""
    value = " ".join(plain(value).split())
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        value = value.replace(character, entity)
    return re.sub(r"([\\`*_{}\[\]()#!|~])", r"\\\1", value)
