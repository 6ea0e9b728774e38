"""Table II of the poster study: a row a model, each measured by the protocol `seed-a`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tfanime.core.files import write_text
from tfanime.core.printing import number
from tfanime.data import PackedDataset
from tfanime.evaluation.evaluate import evaluate
from tfanime.evaluation.report import Figure, Report
from tfanime.prepare.load import load_data

FILE = "table2.md"
COLUMNS = (
    "Model",
    "FID",
    "IS",
    "1KNN w/ PSNR",
    "GAN-Train Accuracy",
    "GAN-Test Accuracy",
)
REAL = "other real images"
MISSING = "not measured"


def table_two(
    subjects: Sequence, data, out: str | os.PathLike, progress: bool = False, **options
) -> list[Report]:
    """Measures models by the protocol `seed-a`, and writes its table.

    Args:
        subjects: runs, saved models, folders of images or packed sets; see `evaluate`.
        data: real images: what `load_data` takes or returns.
        out: the folder of `table2.md`. The report of a single model is in it, those of several in
            folders of their names.
        progress: show progress bars.
        options: of `evaluate`.

    Returns:
        The reports, in order.

    Raises:
        ValueError: as `evaluate`, and for two models of one name.
    """
    names = [_name(subject, i) for i, subject in enumerate(subjects)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            "The models of a table have different names, which their reports are called by. "
            f"Received twice: {', '.join(repeated)}."
        )
    out = Path(out)
    if not isinstance(data, PackedDataset):
        data = load_data(data, progress=progress)
    reports = [
        evaluate(
            subject,
            data,
            protocol="seed-a",
            out=out if len(names) == 1 else out / name,
            progress=progress,
            **options,
        )
        for subject, name in zip(subjects, names, strict=True)
    ]
    write_text(out / FILE, markdown(reports, names))
    return reports


def markdown(reports: Sequence[Report], models: Sequence[str]) -> str:
    """The table, a last row with the same figures of real images, what measured them, and which
    rest on few images."""
    rows = [row(report, name) for report, name in zip(reports, models, strict=True)]
    rows.append(row(reports[0], REAL, real=True))
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    count, name = (reports[0].against[key] for key in ("pictures", "name"))
    lines += ["", f"Against {count:,} images of {name}. Measured with:", ""]
    lines += [f"- {name}: {network}" for name, network in networks(reports[0]).items()]
    cautions = {
        f"- {of_figures}: {caution}"
        for report in reports
        for of_figures, caution in report.cautions
    }
    if cautions:
        lines += ["", "To be read with care:", "", *sorted(cautions)]
    return "\n".join(lines) + "\n"


def row(report: Report, name: str, real: bool = False) -> tuple[str, ...]:
    """The cells of a model, or, with `real`, those of real images against other real ones."""
    figures = {figure.name: figure for figure in report.figures}
    between = figures.get("fid between labels")
    return (
        name,
        "<br>".join(
            [
                f"{_label(between)} = {_value(between, real)}",
                f"Real vs Fake = {_value(figures.get('fid'), real)}",
            ]
        ),
        _by_label(figures.get("inception score"), real),
        _value(figures.get("1-nn"), real),
        _accuracy(figures.get("gan-train"), "Train", real),
        _accuracy(figures.get("gan-test"), "Test", real),
    )


def networks(report: Report) -> dict[str, str]:
    """What each figure of a report was measured with, stand-ins included."""
    by_figure = {}
    for figure in report.figures:
        network = figure.protocol.get("extractor") or figure.protocol.get("classifier")
        network = network or figure.protocol["distance"]
        if "stand-in" in figure.protocol:
            network += f" (a stand-in: {figure.protocol['stand-in']})"
        by_figure[figure.name] = network
    return by_figure


def _name(subject, i: int) -> str:
    if isinstance(subject, (str, os.PathLike)):
        return Path(subject).resolve().name
    return getattr(subject, "name", None) or f"model {i + 1}"


def _value(figure: Figure | None, real: bool) -> str:
    if figure is None:
        return MISSING
    return number(figure.floor if real else figure.value)


def _label(figure: Figure | None) -> str:
    """The two classes that FID was taken between, where the study has its genre tags."""
    return "Between labels" if figure is None else figure.protocol["between"]


def _by_label(figure: Figure | None, real: bool) -> str:
    if figure is None or "by label" not in figure.details:
        return _value(figure, real)
    scores = figure.details["by label"]["real" if real else "generated"]
    return "<br>".join(f"{name} = {number(score)}" for name, score in scores.items())


def _accuracy(figure: Figure | None, name: str, real: bool) -> str:
    """The study's validation accuracy is that on real images of a classifier of real images."""
    if figure is None:
        return MISSING
    if real:
        return f"{figure.floor:.2%}"
    return f"{name} = {figure.value:.2%}<br>Validation = {figure.floor:.2%}"
