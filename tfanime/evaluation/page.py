"""Writes a report: `metrics.json`, `report.png` and `report.html`, one file without links."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from tfanime.core.files import atomic_path, write_json, write_text
from tfanime.core.printing import number
from tfanime.evaluation import charts
from tfanime.evaluation.report import Figure, Report
from tfanime.evaluation.workbench import Workbench

DPI = 110

# name of a figure -> what people call it, and what it says
EXPLAINED = {
    "fid": ("FID", "distance of the feature distributions; quality and variety in one number"),
    "kid": ("KID", "the same question by a kernel; unbiased, so small counts compare fairly"),
    "precision": ("Precision", "share of generated images that look like real ones"),
    "recall": ("Recall", "share of real images that the generator could have drawn"),
    "density": ("Density", "how deep inside the real ones the generated images lie"),
    "coverage": ("Coverage", "share of real images with a generated one close by"),
    "inception score": ("Inception Score", "clear classes, all of them equally often"),
    "1-nn": ("1-NN accuracy", "0.5: nobody could tell; towards 1: separable; below: copying"),
    "ms-ssim": ("MS-SSIM", "likeness of random pairs; higher than real means monotonous"),
    "feature distance": ("Feature distance", "mean of all pairs; lower than real: monotonous"),
    "nearest psnr": ("Nearest training image, PSNR", "far above real means copies"),
    "nearest feature distance": ("Nearest training image, features", "far below real: copies"),
    "gan-train": ("GAN-train", "learnt from generated, tested on real images"),
    "gan-test": ("GAN-test", "learnt from real, tested on generated images"),
    "fid between labels": ("FID between classes", "how different two classes are drawn"),
    "attribute precision": ("Attribute precision", "asked for, and seen by the tagger"),
}
IDEALS = {"lower": "lower is better", "higher": "higher is better", "half": "ideal 0.5"}
# Figures by whether their network had a part in the run.
GROUPS = {
    True: "Judged by what had no part in the run",
    None: "Judged by networks of which it is not known whether they had a part in the run",
    False: "Judged by networks that had a part in the run: these flatter it",
}

STYLE = """
:root { --ink: #1f2733; --soft: #5b6472; --line: #e3e7ee; --card: #fff; --page: #f5f7fa;
        --accent: #3b6fb6; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
       font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 0 0 12px; }
p { margin: 0 0 12px; }
.soft, td small { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
          padding: 20px 22px; margin-top: 20px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 20px; }
figure { margin: 0; }
figcaption { color: var(--soft); margin-bottom: 8px; }
img { max-width: 100%; height: auto; display: block; border-radius: 4px; }
img.pixels { width: 100%; max-width: 640px; image-rendering: pixelated; }
table { border-collapse: collapse; width: 100%; }
th { text-align: right; font-weight: 600; color: var(--soft); font-size: 13px; }
th:first-child, td:first-child { text-align: left; }
th, td { padding: 7px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
td { text-align: right; font-variant-numeric: tabular-nums; }
td:first-child small { display: block; max-width: 34em; }
td.ideal { white-space: nowrap; }
th.group { padding-top: 18px; color: var(--ink); }
td.says small { display: block; }
td b { color: var(--accent); font-size: 17px; }
td.says { text-align: left; max-width: 20em; }
details { margin-top: 8px; }
summary { cursor: pointer; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 10px 0;
     font-size: 13px; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
"""


def write(out: Path, report: Report, bench: Workbench) -> dict[str, str]:
    """Writes the three files into `out`; returns where they are."""
    files = {
        "json": str(out / "metrics.json"),
        "html": str(out / "report.html"),
        "png": str(out / "report.png"),
    }
    sheet = charts.samples(bench)
    write_json(files["json"], report.to_json() | {"files": files})
    with atomic_path(files["png"]) as temporary:
        charts.summary(report, sheet).savefig(temporary, dpi=DPI)
    write_text(files["html"], html(report, bench, sheet))
    return files


def html(report: Report, bench: Workbench, sheet: np.ndarray) -> str:
    """The page; everything it shows is inside it."""
    name = escape(str(report.subject["name"]))
    facts = ", ".join(
        f"{key} {value}" for key, value in report.subject.items() if key not in ("name", "path")
    )
    against = report.against
    parts = [
        "<header>",
        f"<h1>{name}</h1>",
        f'<p class="soft">{escape(facts)}<br>against {escape(str(against["name"]))}: '
        f"{against['pictures']:,} real images of {against['size']}; measured in "
        f"{report.seconds:.0f} s</p>",
        "</header>",
        _section("Figures", _table(report)),
        _section(
            "Images",
            '<div class="pair">'
            + _picture(sheet, "generated, the first of the seed; none was chosen")
            + _picture(charts.real_samples(bench), "real")
            + "</div>",
        ),
        *_sections(report, bench),
        _section("Protocol", _protocol(report)),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: evaluation</title><style>{STYLE}</style></head><body><main>"
        + "\n".join(parts)
        + "</main></body></html>\n"
    )


def _sections(report: Report, bench: Workbench) -> list[str]:
    """Charts and sheets of the metrics that were measured."""
    sections = []
    by_name = {figure.name: figure for figure in report.figures}
    if "attribute precision" in by_name:
        figure = by_name["attribute precision"]
        sections.append(
            _section("Attributes", _chart(charts.attributes(figure)) + _by_attribute(figure))
        )
    for name in ("1-nn", "inception score"):
        if name in by_name and by_name[name].details.get("by label"):
            title = f"{EXPLAINED[name][0]} by {bench.settings.label}"
            sections.append(_section(title, _chart(charts.by_label(by_name[name]))))
    if "nearest psnr" in by_name:
        caption = (
            "Each row: a generated image; the three nearest real ones by pixels, of all but "
            f"those of the floor; the three nearest by features, of {bench.settings.real_n:,}. "
            "A copy would show here."
        )
        sections.append(
            _section("Nearest real images", _picture(charts.neighbours(bench), caption))
        )
    return sections


def _by_attribute(figure: Figure) -> str:
    """What the judge saw of each attribute, and how far it is to be believed."""
    judge = figure.details.get("tagger on faces labelled by looking")
    if not judge:
        return ""
    fair = figure.details["corrected for the tagger"]
    rows = []
    for name, share in figure.details["by attribute"].items():
        rate = judge.get(name, {})
        values = (share, rate.get("precision"), rate.get("recall"), fair.get(name))
        cells = "".join(f"<td>{number(value)}</td>" for value in values)
        rows.append(f"<tr><td>{escape(name.replace('_', ' '))}</td>{cells}</tr>")
    heads = ("", "seen when asked for", "tagger's precision", "tagger's recall", "corrected")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        '<p class="soft">The tagger\'s own precision and recall are those on faces labelled by '
        "looking, other faces than these. Where it tells an attribute well, the last column is the "
        "share of images that have it if it is as often wrong here.</p>"
    )


def _explained(figure: Figure) -> tuple[str, str]:
    """Title and explanation; a figure of a user's own metric has its name alone."""
    return EXPLAINED.get(figure.name, (escape(figure.name), ""))


def _table(report: Report) -> str:
    rows, heading = [], None
    for figure in report.figures:
        if GROUPS[figure.independent] != heading:
            heading = GROUPS[figure.independent]
            rows.append(f'<tr><th class="group" colspan="5">{heading}</th></tr>')
        title, says = _explained(figure)
        ideal = IDEALS.get(figure.better, "ideal: as real")
        spread = (
            "" if figure.spread is None else f"<small> max − min {number(figure.spread)}</small>"
        )
        rows.append(
            f"<tr><td>{title}<small>{escape(says)}</small></td>"
            f"<td><b>{number(figure.value)}</b>{spread}</td>"
            f"<td>{number(figure.floor)}</td><td class='ideal'><small>{ideal}</small></td>"
            f'<td class="says">{escape(figure.reading)}'
            f"<small>judged by {escape(figure.judge)}</small>"
            f"<small>{escape(figure.caution)}</small></td></tr>"
        )
    skipped = "".join(
        f'<p class="soft">{escape(name)} was not measured: {escape(reason)}.</p>'
        for name, reason in report.skipped.items()
    )
    return (
        "<table><thead><tr><th></th><th>generated</th><th>real against real</th><th></th>"
        f'<th style="text-align:left">reading</th></tr></thead><tbody>{"".join(rows)}'
        f"</tbody></table>{skipped}"
    )


def _protocol(report: Report) -> str:
    blocks = [
        f"<details><summary>{_explained(figure)[0]}</summary>{_terms(figure)}</details>"
        for figure in report.figures
    ]
    versions = ", ".join(f"{name} {value}" for name, value in report.versions.items())
    return (
        f'<p class="soft">{escape(charts.protocol_line(report))}</p>{"".join(blocks)}'
        f'<p class="soft" style="margin-top:12px">{escape(versions)}</p>'
    )


def _terms(figure: Figure) -> str:
    protocol = {"judge": figure.judge, **figure.protocol}
    terms = "".join(
        f"<dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd>"
        for key, value in protocol.items()
    )
    return f"<dl>{terms}</dl>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _picture(pixels: np.ndarray, caption: str) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<img class="pixels" alt="{escape(caption)}" src="{_inline(stream)}"></figure>'
    )


def _chart(canvas) -> str:
    stream = io.BytesIO()
    canvas.savefig(stream, format="png", dpi=DPI)
    return f'<img alt="chart" src="{_inline(stream)}">'


def _inline(stream: io.BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
