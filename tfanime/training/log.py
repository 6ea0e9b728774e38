"""The run's figures: `log.csv`, one row every so many steps, and `curves.png` drawn from it."""

from __future__ import annotations

import errno
import sys
import time
from math import isfinite
from pathlib import Path

from tfanime.core import disk
from tfanime.core.files import atomic_path, write_text

FILE = "log.csv"
# What each panel of curves.png shows; columns that a recipe does not have are left out.
PANELS = {
    "losses": (
        *("d_loss", "g_loss", "d_label_loss", "g_label_loss", "d_penalty"),
        *("g_pixel_loss", "g_feature_loss"),
    ),
    "D on real and generated images": ("d_real", "d_fake"),
    "gradient norms": ("d_grad_norm", "g_grad_norm"),
    "spread within a batch, relative to real": ("diversity",),
}


class Log:
    """Means over intervals of steps, kept in `log.csv`.

    Args:
        run: the run folder.
        every: steps per row.
        step: the step a resumed run starts from; later rows of the file are dropped.
        state: of a row that was begun before the run was interrupted, as `state` returned it.
    """

    def __init__(self, run: Path, every: int, step: int = 0, state: dict | None = None):
        self.path, self.every = Path(run) / FILE, every
        state = state or {"sums": {}, "count": 0, "seconds": 0.0}
        self._sums: dict[str, float] = state["sums"]
        self._count, self._since = state["count"], time.monotonic() - state["seconds"]
        # A row that `flush` ended early goes on, and is written again when it is whole.
        rows = [row for row in read(run, say=True) if int(row["step"]) <= step - self._count]
        self._columns = list(rows[0]) if rows else []
        if self.path.is_file():
            lines = [",".join(self._columns)] + [",".join(row.values()) for row in rows]
            write_text(self.path, "\n".join(lines) + "\n" if rows else "")

    def add(self, step: int, logs: dict[str, float], images: int) -> dict[str, float] | None:
        """Takes one step's figures; returns the interval's means when one is complete.

        Args:
            step: the step that was done.
            logs: its figures.
            images: images of a step, for `images_per_second`.
        """
        for name, value in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        return None if step % self.every else self._write(step, images)

    def flush(self, step: int, images: int) -> None:
        """Writes the row that was begun, at the end of a run. A resumed run replaces it."""
        if self._count:
            self._write(step, images)

    def _write(self, step: int, images: int) -> dict[str, float]:
        row = {name: total / self._count for name, total in self._sums.items()}
        row["images_per_second"] = images * self._count / (time.monotonic() - self._since)
        self._sums, self._count, self._since = {}, 0, time.monotonic()
        columns = self._columns or ["step", *row]
        lines = [] if self._columns else [columns]
        lines.append([str(step), *(f"{row.get(name, 0):.6g}" for name in columns[1:])])
        self._append(lines)
        self._columns = columns
        return row

    def state(self) -> dict:
        """The row that is being summed up, JSON-ready."""
        seconds = time.monotonic() - self._since
        return {"sums": self._sums, "count": self._count, "seconds": seconds}

    def _append(self, lines: list[list[str]]) -> None:
        data, written = "".join(",".join(cells) + "\n" for cells in lines).encode(), 0
        with self.path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                written = file.write(data)
            finally:
                if written < len(data):  # half a row would spoil the next one
                    file.truncate(size)
        if written < len(data):
            raise disk.DiskError(errno.ENOSPC, self.path)


def read(run: Path, say: bool = False) -> list[dict[str, str]]:
    """The rows of a run's log; those that a crash cut short or that are damaged are left out.

    Args:
        run: its folder.
        say: name on stderr a log with damaged rows.
    """
    path = Path(run) / FILE
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace").replace("\0", "\ufffd")
    lines = text.splitlines()
    columns = lines[0].split(",") if lines else []
    rows = [line.split(",") for line in lines[1:]]
    if len(set(columns)) != len(columns) or columns[:1] != ["step"]:
        columns, whole = [], []
    else:
        whole = [row for row in rows if len(row) == len(columns) and _numbers(row)]
    if say and (len(whole) < len(rows) or (lines and not columns)):
        left_out = len(rows) - len(whole)
        print(f"Note: {str(path)!r} is damaged: {left_out} rows are left out.", file=sys.stderr)
    return [dict(zip(columns, row, strict=True)) for row in whole]


def _numbers(row: list[str]) -> bool:
    try:
        int(row[0])
        return all(isfinite(float(cell)) for cell in row[1:])
    except ValueError:
        return False


def draw_curves(run: Path) -> None:
    """Draws `curves.png` from `log.csv`."""
    from matplotlib.figure import Figure

    rows = read(run)
    if not rows:
        return
    steps = [int(row["step"]) for row in rows]
    figure = Figure(figsize=(11, 7))
    # A layout that finds its own margins draws everything twice.
    figure.subplots_adjust(0.055, 0.065, 0.99, 0.955, wspace=0.13, hspace=0.27)
    for axes, (title, columns) in zip(figure.subplots(2, 2).flat, PANELS.items(), strict=True):
        for column in filter(rows[0].__contains__, columns):
            axes.plot(steps, [float(row[column]) for row in rows], label=column, linewidth=1)
        if axes.lines:
            axes.legend()
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
    with atomic_path(Path(run) / "curves.png") as temporary:
        figure.savefig(temporary, dpi=100)
