"""The images of a report: sheets and charts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tfanime.core.images import grid
from tfanime.core.printing import caption, number
from tfanime.evaluation.report import Figure, Report
from tfanime.evaluation.workbench import Workbench
from tfanime.metrics.nearest_neighbour import nearest_training

SAMPLES = 64
SHOWN, NEAREST = 8, 3  # generated images on the sheet of neighbours, and how many of each kind
BLUE, GREY, DARK = "#3b6fb6", "#c3c9d4", "#1f2733"


def samples(bench: Workbench) -> np.ndarray:
    """A sheet `(h, w, 3)` uint8 of the first generated images."""
    pictures, _ = next(bench.subject.chunks(min(SAMPLES, bench.settings.n), bench.settings.seed))
    return grid(pictures)


def real_samples(bench: Workbench) -> np.ndarray:
    """As many of the real images."""
    count = min(SAMPLES, bench.settings.n, len(bench.real))
    return grid(bench.real.images(np.linspace(0, len(bench.real) - 1, count).astype(int)))


def neighbours(bench: Workbench) -> np.ndarray:
    """A row each: a generated image, the nearest real ones by pixels, and those by features."""
    pictures, _ = bench.drawn()
    count = min(SHOWN, len(pictures))
    by_pixel = _nearest_by_pixels(bench, pictures[:count])
    by_feature, _ = nearest_training(bench.features()[:count], bench.real_features, NEAREST)
    height, width = pictures.shape[1:3]
    gap = np.full((height, max(4, width // 4), 3), 255, np.uint8)
    rows = []
    for i in range(count):
        parts = [pictures[i], gap, *by_pixel[i], gap, *bench.real.images(by_feature[i])]
        rows.append(np.concatenate(parts, axis=1))
    return np.concatenate(rows)


def _nearest_by_pixels(bench: Workbench, pictures: np.ndarray) -> np.ndarray:
    """`(n, NEAREST, H, W, 3)`: the nearest training images of each, nearest first."""
    nearest, psnr = None, None
    for part in bench.training_chunks():
        indices, here = nearest_training(pictures, part, min(NEAREST, len(part)))
        nearest = (
            part[indices] if nearest is None else np.concatenate([nearest, part[indices]], axis=1)
        )
        psnr = here if psnr is None else np.concatenate([psnr, here], axis=1)
        order = np.argsort(-psnr, axis=1, kind="stable")[:, :NEAREST]
        psnr = np.take_along_axis(psnr, order, axis=1)
        nearest = nearest[np.arange(len(pictures))[:, None], order]
    return nearest


def attributes(figure: Figure):
    """A bar for each attribute, and a mark where the tagger itself stands."""
    from matplotlib.figure import Figure as Canvas

    shares: Mapping[str, float] = figure.details["by attribute"]
    own: Mapping[str, Mapping[str, float]] = figure.details.get(
        "tagger's recall on held-out pictures", {}
    )
    names = sorted(shares, key=shares.__getitem__)
    canvas = Canvas(figsize=(8, 1.6 + 0.2 * len(names)), layout="constrained")
    axes = canvas.subplots()
    axes.barh(range(len(names)), [shares[name] for name in names], color=BLUE, label="generated")
    for marker, (kind, recalls) in zip("|ox^", own.items(), strict=False):
        here = [i for i, name in enumerate(names) if name in recalls]
        axes.plot(
            [recalls[names[i]] for i in here],
            here,
            marker,
            color=DARK,
            markersize=7,
            label=f"tagger's recall, {kind}",
            fillstyle="none",
        )
    axes.set_yticks(range(len(names)), [caption(name).replace("_", " ") for name in names])
    axes.set_xlim(0, 1.02)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_title(f"asked for and seen by the tagger: {figure.value:.2f} on average")
    canvas.legend(loc="outside lower center", ncols=2)
    axes.grid(axis="x", alpha=0.3)
    return canvas


def by_label(figure: Figure):
    """Bars by class: Inception Score of generated and real, or 1-NN accuracy."""
    from matplotlib.figure import Figure as Canvas

    by_class = figure.details["by label"]
    if "generated" in by_class:
        series = dict(by_class)
    else:
        series = {"accuracy": {name: one["accuracy"] for name, one in by_class.items()}}
    names = list(next(iter(series.values())))
    canvas = Canvas(figsize=(8, 2.8), layout="constrained")
    axes = canvas.subplots()
    width = 0.8 / len(series)
    for i, (kind, values) in enumerate(series.items()):
        places = np.arange(len(names)) + (i - (len(series) - 1) / 2) * width
        heights = [values.get(name, np.nan) for name in names]
        axes.bar(places, heights, width, color=(BLUE, GREY)[i % 2], label=kind)
    if figure.better == "half":
        axes.axhline(0.5, color=DARK, linewidth=1, label="ideal")
    axes.set_xticks(range(len(names)), list(map(caption, names)))
    axes.tick_params(axis="x", rotation=30 if len(names) > 6 else 0)
    axes.set_title(f"{figure.name} by class")
    axes.legend()
    axes.grid(axis="y", alpha=0.3)
    return canvas


def summary(report: Report, sheet: np.ndarray):
    """The report on one image: samples on the left, figures on the right."""
    from matplotlib.figure import Figure as Canvas

    rows = [
        [_name(figure), number(figure.value), number(figure.floor)] for figure in report.figures
    ]
    canvas = Canvas(figsize=(13, max(5.0, 1.4 + 0.36 * len(rows))), layout="constrained")
    left, right = canvas.subplots(1, 2)
    left.imshow(sheet)
    left.set_title(caption(report.subject["name"]), fontsize=15)
    for axes in (left, right):
        axes.axis("off")
    right.set_title(caption(f"against {report.against['name']}"), fontsize=15)
    table = right.table(
        rows,
        colLabels=["", "generated", "real against real"],
        loc="center",
        cellLoc="right",
        colWidths=[0.44, 0.28, 0.28],
        edges="horizontal",
    )
    table.auto_set_font_size(False)
    table.set_fontsize(12)
    table.scale(1, 1.7)
    for (_, column), cell in table.get_celld().items():
        cell.set_edgecolor(GREY)
        if column == 0:
            cell.get_text().set_horizontalalignment("left")
    line = protocol_line(report)
    if any(figure.independent is False for figure in report.figures):
        line = f"* judged by a network that had a part in the run: flatters it\n{line}"
    for names, caution in report.cautions:
        line = f"{names}: {caution}\n{line}"
    canvas.supxlabel(line, fontsize=9, color="#5b6472")
    return canvas


def _name(figure: Figure) -> str:
    return f"{figure.name} *" if figure.independent is False else figure.name


def protocol_line(report: Report) -> str:
    """The short form of the protocol, for below a table."""
    shared: dict[str, str] = {}
    for figure in report.figures:
        for key in ("counts", "labels", "extractor", "resize", "draws", "seed"):
            if key in figure.protocol:
                shared.setdefault(key, str(figure.protocol[key]))
    real = f"real set {report.against['sha256'][:12]}"
    return "; ".join([*(f"{key}: {value}" for key, value in shared.items()), real])
