"""What an evaluation found: figures, each with all it takes to measure it again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tfanime.core.files import write_json
from tfanime.core.notebook import table
from tfanime.core.printing import number
from tfanime.metrics.statistics import FEW


@dataclass(frozen=True)
class Figure:
    """One figure.

    Args:
        name: such as `"fid"`.
        value: mean over the draws.
        floor: the same figure of real images against other real ones, or, for figures of one
            set (Inception Score, diversity), of real images.
        better: `"lower"`, `"higher"`, `"half"` (0.5 is ideal) or `"floor"` (the real value is).
        protocol: what it was measured with: extractor, layer, resize, counts, seed, ...
        spread: greatest less least over the draws; None for one draw.
        reading: the result in words, where there is a usual reading.
        details: more of it, such as values by label; JSON-ready.
        judge: the network that decided it, and what that had to do with the run; see
            `evaluation.independence`.
        independent: whether that network had no part in the run; None: not known.
        count: images of the smallest set that it rests on; None: of the smaller of all sets.
        caution: that these are few, if they are; `with_caution` sets it.
    """

    name: str
    value: float
    floor: float | None
    better: str
    protocol: Mapping[str, Any]
    spread: float | None = None
    reading: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    judge: str = ""
    independent: bool | None = None
    count: int | None = None
    caution: str = ""

    def with_caution(self, count: int) -> Figure:
        """The figure with a word on small counts; `count` images where it has none of its own."""
        count = self.count or count
        words = []
        if count < FEW:
            words.append(f"few images ({count:,}), so that another draw may differ much")
        features = self.protocol.get("features", 0)
        if features >= count and self.name.startswith("fid"):
            words.append(f"fewer images ({count:,}) than features ({features:,}): FID reads high")
        return replace(self, count=count, caution="; ".join(words))


@dataclass(frozen=True)
class Report:
    """An evaluation.

    Args:
        subject: what was judged, JSON-ready: name, kind, checkpoint, weights.
        against: the real set: name, images, SHA-256.
        figures: first those whose network had no part in the run, then where that is not known,
            then the others; each in the order of measurement.
        skipped: metric -> why it was not measured.
        versions: of the libraries.
        seconds: how long it took.
        files: what was written: `{"html": ..., "json": ..., "png": ...}`, empty without `out`.
    """

    subject: Mapping[str, Any]
    against: Mapping[str, Any]
    figures: tuple[Figure, ...]
    skipped: Mapping[str, str]
    versions: Mapping[str, str]
    seconds: float
    files: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Figure:
        for figure in self.figures:
            if figure.name == name:
                return figure
        names = ", ".join(figure.name for figure in self.figures)
        raise KeyError(f"{name!r} was not measured. There is: {names}.")

    @property
    def cautions(self) -> list[tuple[str, str]]:
        """The names of the figures that a caution holds for, and the caution."""
        names: dict[str, list[str]] = {}
        for figure in self.figures:
            if figure.caution:
                names.setdefault(figure.caution, []).append(figure.name)
        return [(", ".join(some), caution) for caution, some in names.items()]

    def to_json(self) -> dict:
        return asdict(self)

    def __str__(self) -> str:
        width = max((len(figure.name) for figure in self.figures), default=0)
        rows = [f"{name:{width}}  {value:>11}  {floor:>11}" for name, value, floor, _ in self._rows]
        cautions = [f"{names}: {caution}" for names, caution in self.cautions]
        return "\n".join([f"{'':{width}}  {'generated':>11}  {'real':>11}", *rows, *cautions])

    def _repr_html_(self) -> str:
        header = ("", "generated", "real", "judged by")
        skipped = [(name, f"not measured: {why}", "", "") for name, why in self.skipped.items()]
        cautions = [(names, caution, "", "") for names, caution in self.cautions]
        return table([*self._rows, *skipped, *cautions], header)

    def show(self) -> None:
        """Prints the figures."""
        print(self)

    def save(self, path: str | os.PathLike) -> None:
        """Writes all of it as JSON; `evaluate(..., out=DIR)` writes a page with images."""
        if Path(path).suffix.lower() != ".json":
            raise ValueError(f"A report is saved as .json. Received: {os.fspath(path)!r}.")
        write_json(path, self.to_json())

    @property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [(one.name, number(one.value), number(one.floor), one.judge) for one in self.figures]
