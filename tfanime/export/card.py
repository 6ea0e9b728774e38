"""The model card and licence note of an exported model: what is known, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfanime.core.files import read_json
from tfanime.export.graph.precision import INVISIBLE, SEEDS, Measured

CARD = "MODEL_CARD.md"
LICENCE = "LICENSE.txt"
LICENCES = ("LICENSE.txt", "LICENSE.md", "LICENSE", "LICENCE.txt", "LICENCE.md", "LICENCE")
NO_LICENCE = """\
No licence was stated for this model when it was exported.

Who trained it decides about it, as far as the images that it was trained on allow. Without a
licence nobody else may copy or change it.

To state one, put it into the run folder as LICENSE.txt and export again. The licence of tfanime
covers the program, not this model.
"""


def licence(run: Path) -> str:
    """The licence in the run folder, or a note that there is none."""
    file = next((run / name for name in LICENCES if (run / name).is_file()), None)
    return file.read_text(encoding="utf-8") if file else NO_LICENCE


def card(
    run: Path,
    name: str,
    description: Mapping,
    facts: Sequence[str],
    table: Sequence[Measured],
    precision: str,
) -> str:
    """Markdown: the run's own card where it has one, else what its files say; then the export."""
    own = run / CARD
    text = own.read_text(encoding="utf-8").rstrip() if own.is_file() else trained(run, name)
    lines = [text, "", "## This export", ""]
    if description.get("schema"):
        names = ", ".join(field["name"] for field in description["schema"]["fields"])
        lines.append(f"- attributes: {names}")
    lines += [f"- {fact}" for fact in facts]
    lines += [
        "",
        f"Weights as stored, and how close the images of {SEEDS} seeds come to float32 "
        f"({INVISIBLE:g} dB is a mean error of one step of an 8-bit image):",
        "",
        *_markdown(table, precision),
    ]
    return "\n".join(lines) + "\n"


def table_lines(table: Sequence[Measured], precision: str) -> list[str]:
    """The table for a terminal."""
    lines = [f"  {'weights':9} {'MB':>7} {'MB gzip':>8} {'PSNR dB':>8} {'worst':>7}"]
    for row in table:
        mark = "<-" if row.precision == precision else ""
        lines.append(
            f"  {row.precision:9} {row.weight_bytes / 1e6:7.2f} {row.gzip_bytes / 1e6:8.2f} "
            f"{_number(row.psnr):>8} {_number(row.worst):>7} {mark}".rstrip()
        )
    return lines


def _markdown(table: Sequence[Measured], precision: str) -> list[str]:
    lines = ["| weights | MB | MB gzip | PSNR dB | worst image |", "|---|---|---|---|---|"]
    for row in table:
        name = f"**{row.precision}**" if row.precision == precision else row.precision
        lines.append(
            f"| {name} | {row.weight_bytes / 1e6:.2f} | {row.gzip_bytes / 1e6:.2f} "
            f"| {_number(row.psnr)} | {_number(row.worst)} |"
        )
    return lines


def _number(decibel: float) -> str:
    return "exact" if decibel == float("inf") else f"{decibel:.1f}"


def trained(run: Path, name: str) -> str:
    """The card of a model that has none, as Markdown."""
    lines = [f"# {name}", ""]
    if not (run / "config.json").is_file():
        return "\n".join([*lines, "How this model was trained was not recorded."])
    document = read_json(run / "config.json")
    config, data = document.get("config", {}), document.get("data", {})
    lines += ["Trained with tfanime. What its run folder says:", ""]
    facts = {
        "recipe": config.get("recipe"),
        "images trained on": data.get("count"),
        "SHA-256 of that set": data.get("sha256"),
        "loss": config.get("loss"),
        "conditioning": config.get("conditioning"),
        "seed": config.get("seed"),
    }
    lines += [f"- {what}: {value}" for what, value in facts.items() if value is not None]
    lines += [
        "",
        "Where those images come from, what is missing or over-represented among them, and what "
        "the model should not be used for, is for whoever trained it to say: in a MODEL_CARD.md in "
        "the run folder, which takes the place of this text.",
    ]
    return "\n".join(lines)
