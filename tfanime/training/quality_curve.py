"""Quality during training: `quality.csv`, `quality.png`, and the best generator in `best/`."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tfanime.core.files import atomic_path, write_json, write_text
from tfanime.core.labels import LabelSchema
from tfanime.gans import GAN
from tfanime.metrics.statistics import FEW
from tfanime.recipes.config import Config
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.saved import Generator, save_generator

COLUMNS = ("step", "fid", "kid")
FILE, CURVE, BEST = "quality.csv", "quality.png", "best"


class QualityCurve:
    """Measures the averaged generator every so many steps; keeps the one of least KID.

    Latents and labels are the same every time and real images too, so the curve shows the model
    and not the draw. Labels are those of the real images. Nothing of it enters training.

    Args:
        run: the run folder.
        gan: whose averaged generator is measured.
        data: the real images.
        config: for the seed and the name.
        schema: of the generator's labels, or None.
        step: the step a resumed run starts from; later rows of the file are dropped.
    """

    def __init__(
        self, run: Path, gan: GAN, data, config: Config, schema: LabelSchema | None, step: int = 0
    ):
        from tfanime.metrics.quality import quality_meter

        self.run, self.gan, self.name, self.schema = Path(run), gan, config.recipe, schema
        self.meter = quality_meter(data, seed=config.seed)
        self.sampler = Sampler(Generator(gan.ema_generator, schema, self.name))
        rows = None if schema is None else self.meter.labels
        self.inputs = self.sampler.inputs(config.seed, self.meter.count, rows)
        self.rows = [row for row in read(self.run) if row["step"] <= step]
        if (self.run / FILE).exists():
            self._write()

    def measure(self, step: int) -> dict[str, float]:
        """Measures now; returns `{"fid", "kid"}`."""
        figures = self.meter(self.sampler.decode(*self.inputs))
        self.rows.append({"step": step, **figures})
        self._write()
        if figures["kid"] <= min(row["kid"] for row in self.rows):
            save_generator(self.run / BEST, self.gan.ema_generator, self.schema, self.name)
            write_json(
                self.run / BEST / "quality.json",
                {"step": step, **figures, "floor": self.meter.floor, "pictures": self.meter.count},
            )
        with atomic_path(self.run / CURVE) as temporary:
            chart(self.rows, self.meter.floor, self.meter.count).savefig(temporary, dpi=100)
        return figures

    def _write(self) -> None:
        lines = [",".join(COLUMNS)]
        lines += [f"{row['step']:.0f},{row['fid']!r},{row['kid']!r}" for row in self.rows]
        write_text(self.run / FILE, "\n".join(lines) + "\n")


def remark(count: int | None) -> str:
    """That figures of so few images are figures of few; nothing for more, or an unknown count."""
    return f" (few images: {count:,})" if count is not None and count < FEW else ""


def read(run: Path) -> list[dict[str, float]]:
    """The rows of a run's `quality.csv`, but for damaged ones; none if it has no such file."""
    path = Path(run) / FILE
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = []
    for line in lines[1:]:
        with contextlib.suppress(ValueError):
            rows.append(dict(zip(COLUMNS, map(float, line.split(",")), strict=True)))
    return rows


def chart(rows: list[dict[str, float]], floor: dict[str, float] | None, count: int | None = None):
    """A matplotlib figure: FID and KID over the steps, the floor if it is known, the best step.

    Args:
        count: images that each figure rests on; None: not known.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    steps = [row["step"] for row in rows]
    best = min(rows, key=lambda row: row["kid"])
    for axes, name in zip(figure.subplots(1, 2), ("fid", "kid"), strict=True):
        axes.plot(steps, [row[name] for row in rows], marker="o", markersize=3)
        axes.plot(best["step"], best[name], "*", markersize=13, label=f"best: {best['step']:.0f}")
        if floor is not None:
            axes.axhline(floor[name], color="grey", linestyle="--", label="real against real")
        axes.set_title(f"{name.upper()}, features of the tagger{remark(count)}")
        axes.set_xlabel("step")
        axes.set_ylim(bottom=min(0.0, *(row[name] for row in rows)))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure
