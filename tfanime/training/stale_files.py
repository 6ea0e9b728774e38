"""What killed trainings leave half-written in a run folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tfanime.core import files

FOLDERS = (".", "checkpoints", "samples", "best", "text")
# Earlier versions did not write into the name who was writing.
EARLIER = re.compile(
    r"\.(config|generator|log|curves|final|report|quality|reals|order|rows|labels|text-\w+|step-\d+)"
    r"-\w{8}(\.\w+)?"
)


def remove(run: str | os.PathLike) -> None:
    """Removes it. The folder is locked: nobody else is writing there."""
    for name in FOLDERS:
        for path in (Path(run) / name).glob(".*"):
            # No folder but a checkpoint begins like that.
            half = path.name.startswith(".step-") and path.is_dir()
            if half or files.TEMPORARY.fullmatch(path.name) or EARLIER.fullmatch(path.name):
                files.remove(path)
