"""What a training leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfanime.core import notebook
from tfanime.core.decode import read_image


@dataclass(frozen=True)
class Run:
    """What a training left behind.

    Args:
        path: the run folder.
        step: generator updates done.
        images: real images seen by the discriminator, all in all.
        seconds: spent training, over all resumptions.
        finished: False when it was interrupted before its budget was used.
        warnings: of the collapse watch.
    """

    path: Path
    step: int
    images: int
    seconds: float
    finished: bool
    warnings: tuple[str, ...] = ()

    def __fspath__(self) -> str:
        return str(self.path)

    def grid(self) -> np.ndarray:
        """The sheet of the last images, `(h, w, 3)` uint8."""
        return np.asarray(read_image(self.path / "final.png"))

    def show(self) -> None:
        """Shows the last images below a notebook's cell, or in a window."""
        notebook.show(self.grid())

    def _repr_html_(self) -> str:
        rows = [("run", self.path), ("step", f"{self.step:,}"), ("images", f"{self.images:,}")]
        rows.append(("minutes", f"{self.seconds / 60:.1f}"))
        rows.append(("state", "finished" if self.finished else "stopped early"))
        rows += [("warning", text) for text in self.warnings]
        sheet = self.path / "final.png"
        return notebook.table(rows) + (notebook.image_tag(self.grid()) if sheet.is_file() else "")
