"""`report.md`: what a run was, what it cost, what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfanime.core.files import write_text
from tfanime.recipes.config import Config
from tfanime.training.log import read

if TYPE_CHECKING:
    from tfanime.training.run import Run


def write_report(run: Run, config: Config) -> None:
    """Writes the report into the run folder."""
    height, width = config.image_size
    rows = read(run.path)
    state = "finished" if run.finished else "stopped before its budget was used"
    rate = run.images / run.seconds if run.seconds else 0.0
    lines = [
        f"# {config.recipe}, {width}x{height}: {state}",
        "",
        f"{run.step} steps, {run.images} images, {run.seconds / 60:.1f} minutes, "
        f"{rate:.0f} images/s, precision {config.precision}, batch {config.batch_size}, "
        f"seed {config.seed}. The whole configuration is in `config.json`.",
        "",
        "![images](final.png)",
        "",
        "![curves](curves.png)",
        "",
        "## Collapse watch",
        "",
        *([f"- {warning}" for warning in run.warnings] or ["No warnings."]),
    ]
    if rows:
        lines += ["", "## Last figures", ""]
        lines += [f"- {name}: {value}" for name, value in rows[-1].items()]
    write_text(run.path / "report.md", "\n".join(lines) + "\n")
