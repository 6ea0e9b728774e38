"""`tfanime evaluate`."""

from __future__ import annotations

from pathlib import Path

import click

import tfanime
from tfanime.cli.kinds import COUNT, SEED, Data, Run
from tfanime.core import choices
from tfanime.core.printing import near_miss, plain
from tfanime.registries import METRICS


class Names(click.ParamType):
    name = "names"

    def convert(self, value, param, ctx):
        names = [word.strip() for word in value.split(",") if word.strip()]
        for name in names:
            if name not in METRICS:
                message = f"{name!r} is none of: {', '.join(METRICS)}.{near_miss(name, METRICS)}"
                self.fail(message, param, ctx)
        return names


@click.command()
@click.argument("subjects", metavar="RUN_OR_FOLDER...", type=Run(), nargs=-1, required=True)
@click.option(
    "--against",
    "data",
    type=Data(exists=True),
    required=True,
    metavar="DATA",
    help="Real images: a packed folder, images, or `drawn`.",
)
@click.option(
    "--metrics",
    type=Names(),
    metavar="NAME,NAME,...",
    help=f"{', '.join(METRICS.built_in)}, or one of your own. Default: all that apply.",
)
@click.option(
    "--protocol",
    type=click.Choice(choices.PROTOCOLS),
    help="A named set of metrics, counts and networks (documentation, Evaluation). seed-a also "
    "writes the poster study's table, of several models too.",
)
@click.option(
    "--extractor",
    metavar="NAME_OR_PATH",
    help="Where features come from: tagger (the default, but for seed-a), drawings (see `tfanime "
    "features`), lite0, mobilenet:FILE.tflite, mobilenetv2[:WEIGHTS.h5], inception[:WEIGHTS.h5], "
    "illustration2vec:FILE, or any .keras, .h5, .tflite or .onnx FILE[:LAYER].",
)
@click.option(
    "--classifier",
    metavar="NAME",
    help="For the Inception Score: tagger:FIELD, inception, mobilenetv2, mobilenet:FILE.tflite, "
    "lite0, or a classifier's FILE. Default: tagger:hair, or the protocol's.",
)
@click.option(
    "--gan-extractor",
    metavar="NAME_OR_PATH",
    help="Another extractor for gan-train-test. Default: --extractor, or the protocol's.",
)
@click.option(
    "--tagger",
    metavar="NAME",
    help="A folder, hf://OWNER/NAME or illustration2vec:FILE. Default: the tagger that ships.",
)
@click.option("--label", metavar="FIELD", help="Whose values are the classes. Default: the first.")
@click.option(
    "--n", type=COUNT, help="Images of each set. Default: 2,000, or half of the real ones."
)
@click.option("--draws", type=COUNT, help="Draw so many times; figures are means. Default: 1.")
@click.option("--per-attribute", type=COUNT, help="Images for each attribute. Default: 100.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same figures.")
@click.option(
    "--resize",
    type=click.Choice(choices.RESIZES),
    default="clean",
    show_default=True,
    help="Antialiased, or as the first FID codes did it.",
)
@click.option(
    "--weights",
    type=click.Choice(choices.WEIGHTS),
    default="ema",
    show_default=True,
    help="Of a run: the averaged generator, or the newest checkpoint's own.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for metrics.json, report.html and report.png.",
)
@click.pass_context
def evaluate(ctx, subjects, data, out, **options) -> None:
    """Measure how good generated images are, and write a report.

    RUN_OR_FOLDER is a run or saved model, a folder of images, or a packed set. Every figure
    stands beside the same figure of real images against other real ones, and is stored with
    all it takes to measure it again. To judge by eye instead, blind and with intervals, see
    `tfanime judge`.

    \b
    Examples:
      tfanime evaluate runs/first --against packed/ --out reports/first
      tfanime evaluate runs/girls --against packed/ --metrics fid,kid --n 5000 \\
        --extractor mobilenet:mobilenet_v2_1.0_224_quant.tflite --out reports/girls
      tfanime evaluate runs/girls --against packed/ --protocol seed-b --out reports/table3
      tfanime evaluate runs/sn runs/info --against posters/ --protocol seed-a --out reports/table2
    """
    if options["protocol"] != "seed-a":
        if len(subjects) > 1:
            raise click.UsageError(
                f"One model is measured at a time, but for --protocol seed-a, whose table has a "
                f"row each. Received: {len(subjects)}.",
                ctx,
            )
        _show(tfanime.evaluate(subjects[0], data, out=out, progress=True, **options))
        return
    from tfanime.evaluation.table_two import FILE, table_two

    del options["protocol"]
    for report in table_two(subjects, data, out, progress=True, **options):
        click.echo(plain(report.subject["name"]))
        _show(report)
    click.echo(f"table: {Path(out) / FILE}")


def _show(report) -> None:
    from tfanime.core.printing import number

    width = max(len(figure.name) for figure in report.figures) + 2
    click.echo(f"{'':{width}} {'generated':>11} {'real':>11}")
    for figure in report.figures:
        name = f"{figure.name} *" if figure.independent is False else figure.name
        row = f"{name:{width}} {number(figure.value):>11} {number(figure.floor):>11}"
        click.echo(f"{row}  {plain(figure.reading)}".rstrip())
    judges = {figure.judge: figure.independent for figure in report.figures}
    for judge, independent in judges.items():
        mark = "* " if independent is False else ""
        click.echo(f"{mark}judged by {judge}{': flatters it' if mark else ''}")
    stood_in = {figure.protocol.get("stand-in") for figure in report.figures}
    for line in sorted(stood_in - {None}):
        click.echo(plain(f"stand-in: {line}"))
    for names, caution in report.cautions:
        click.echo(f"{names}: {caution}")
    for name, reason in report.skipped.items():
        click.echo(plain(f"{name} was not measured: {reason}."), err=True)
    click.echo(f"report: {report.files['html']}")
