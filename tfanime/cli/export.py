"""`tfanime export web`, `saved-model`, `litert`, `onnx` and `all`, and `tfanime web serve`."""

from __future__ import annotations

from contextlib import suppress

import click

import tfanime
from tfanime.cli.kinds import COUNT, RUN, TRUST_ENCODER, Run
from tfanime.core import choices
from tfanime.registries import EXPORT_FORMATS

FOLDER = click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
SITE = click.option(
    "--site/--no-site",
    default=True,
    show_default=True,
    help="With the web page, or models only.",
)
UPSCALER = click.option(
    "--upscaler",
    type=Run(file_okay=False),
    metavar="RUN",
    help="An upscaler to publish along, which enlarges what is drawn. Default: what RUN names.",
)
RUNS = click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=Run(file_okay=False))


class Formats(click.Group):
    """The formats of tfanime, and those that a program or a package registered."""

    def list_commands(self, ctx):
        more = (name for name in EXPORT_FORMATS if name not in self.commands)
        return [*self.commands, *more]

    def get_command(self, ctx, name):
        command = super().get_command(ctx, name)
        if command is None and name in EXPORT_FORMATS:
            return _own(name)
        return command


def _own(name: str) -> click.Command:
    """The command of a format that has no options of its own."""

    @click.command(name, help=f"Write {name}, a format of your own.")
    @RUN
    @FOLDER
    def command(run, out) -> None:
        remark = EXPORT_FORMATS.get(name)(run, out)
        click.echo(remark if isinstance(remark, str) else f"{out}: {name}")

    return command


@click.group(cls=Formats)
def export() -> None:
    """Publish a trained model: as a web page, for TensorFlow Serving, as a LiteRT or ONNX file.

    \b
    Examples:
      tfanime export web runs/girls --out site/
      tfanime export saved-model runs/girls --out serving/girls
      tfanime export all runs/girls --out published/
    """


@export.command("web")
@RUNS
@FOLDER
@click.option(
    "--precision",
    type=click.Choice(["auto", *choices.WEB_PRECISIONS]),
    default="auto",
    show_default=True,
    help="Of the weights. auto: the smallest download that shows no difference.",
)
@SITE
@click.option(
    "--converter",
    type=click.Choice(choices.CONVERTERS),
    default="tfanime",
    show_default=True,
    help="What writes the graph; tensorflowjs, of the extra tfjs-reference, takes any Keras layer.",
)
@click.option(
    "--extractor",
    metavar="SPEC",
    help="Also measure KID with it: tagger, mobilenet:FILE and others, as for `tfanime evaluate`.",
)
@click.option(
    "--address",
    metavar="URL",
    help="Where the folder will be: previews of links to it then show its images.",
)
@click.option(
    "--no-upscaler", is_flag=True, help="Without the upscalers that models name as their own."
)
def export_web(runs, out, no_upscaler, **options) -> None:
    """Write a static site that draws with trained models, in the browser alone.

    Several RUNs become several models of one site. The upscaler that a model names goes along and
    enlarges what it draws; those among the RUNs do it for the others. An earlier export at DIR is
    replaced.

    \b
    Examples:
      tfanime export web runs/girls --out site/
      tfanime export web runs/girls runs/posters runs/larger --out site/
      tfanime export web runs/girls --precision uint8 --no-site --out models/
    """
    options["upscaler"] = not no_upscaler
    site = tfanime.export_web(list(runs), out, progress=True, **options)
    from tfanime.export.card import table_lines
    from tfanime.export.graph.precision import INVISIBLE

    for model in site.models:
        click.echo(f"{model.name}: {model.kind}, {model.precision}")
        for line in table_lines(model.table, model.precision):
            click.echo(line)
        if model.kid is not None:
            exact, rounded = model.kid
            click.echo(f"  KID: {exact:.5f} with float32, {rounded:.5f} with these weights")
        if model.psnr < INVISIBLE:
            click.echo(
                f"Warning: images of {model.name} differ visibly from the trained model's "
                f"({model.psnr:.1f} dB; {INVISIBLE:g} shows no difference). "
                "--precision auto avoids that.",
                err=True,
            )
    count = len(site.models)
    click.echo(f"{out}: {count} model{'s' * (count != 1)}")
    if options["site"]:
        click.echo(f"Look at it with: tfanime web serve {out}")


@export.command("saved-model")
@RUN
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    required=True,
    metavar="DIR/NAME",
    help="The model's folder. NAME is what it is called on the server.",
)
@click.option("--version", type=COUNT, help="Of the folder to write inside. Default: the next one.")
@UPSCALER
@click.option(
    "--most",
    type=click.IntRange(1, 256),
    default=64,
    show_default=True,
    help="Images that one request may ask for.",
)
@TRUST_ENCODER
def export_saved_model(run, out, **options) -> None:
    """Write a model for TensorFlow Serving, with a start-up configuration beside it.

    Requests name a seed and attributes, and are answered with PNG files: the same images as
    those of `tfanime generate`. A version that exists is never replaced.

    \b
    Examples:
      tfanime export saved-model runs/girls --out serving/girls
      tfanime export saved-model runs/girls --out serving/girls --version 7
      tfanime export saved-model runs/girls --upscaler runs/larger --out serving/girls
    """
    saved = tfanime.export_saved_model(run, out, **options)
    click.echo(
        f"{saved.path}: {saved.weight_bytes / 1e6:.2f} MB of weights, images differ by "
        f"{saved.difference:.1e} at most"
    )
    click.echo(f"signatures: {', '.join(saved.signatures)}")


@export.command("litert")
@RUN
@FOLDER
def export_litert(run, out) -> None:
    """Write model.tflite, for phones and small devices.

    \b
    Examples:
      tfanime export litert runs/girls --out litert/
    """
    _say(tfanime.export_litert(run, out))


@export.command("onnx")
@RUN
@FOLDER
def export_onnx(run, out) -> None:
    """Write model.onnx, for onnxruntime and what else reads ONNX.

    \b
    Examples:
      tfanime export onnx runs/girls --out onnx/
    """
    _say(tfanime.export_onnx(run, out))


@export.command("all")
@RUN
@FOLDER
@UPSCALER
@SITE
@TRUST_ENCODER
@click.pass_context
def export_all(ctx, run, out, **options) -> None:
    """Write web/, serving/, litert/ and onnx/ in one folder.

    What needs packages that are not installed is left out and named, and the exit code is 1.

    \b
    Examples:
      tfanime export all runs/girls --out published/
    """
    result = tfanime.export_all(run, out, progress=True, **options)
    for converted in filter(None, (result.litert, result.onnx)):
        _say(converted)
    if result.served is not None:
        click.echo(f"{result.served.path}: images differ by {result.served.difference:.1e} at most")
    if result.web is not None:
        click.echo(f"{result.web.path}: {', '.join(model.name for model in result.web.models)}")
    for step, reason in result.lacking.items():
        click.echo(f"Not written: {step}/. {reason}", err=True)
    if result.lacking:
        ctx.exit(1)


def _say(converted) -> None:
    from tfanime.export.card import table_lines

    click.echo(f"{converted.path}: images differ by {converted.difference:.1e} at most")
    for line in table_lines(converted.table, converted.kind):
        click.echo(line)


@click.group()
def web() -> None:
    """Look at an exported site.

    \b
    Examples:
      tfanime web serve site/
    """


@web.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0: any that is free.",
)
def serve(folder, port) -> None:
    """Serve an exported site to this machine, until Ctrl-C.

    \b
    Examples:
      tfanime web serve site/
      tfanime web serve site/ --port 0
    """
    from tfanime.export.web.server import server

    with server(folder, port) as running:
        click.echo(f"http://127.0.0.1:{running.server_port}/ (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            running.serve_forever()
