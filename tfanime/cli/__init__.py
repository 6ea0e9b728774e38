"""The command `tfanime`: verbs only. Each calls the Python function of the same name.

Exit codes: 0, 1 (failed), 2 (wrong usage), 130 (interrupted). Everything heavy is imported inside
the verbs, so that `tfanime --help` loads neither TensorFlow nor NumPy. One file holds the verbs of
one stage; `main` lists them in the order of the work.
"""

from __future__ import annotations

import click

from tfanime.cli import (
    collect,
    doctor,
    drawing,
    editing,
    evaluate,
    export,
    features,
    figure,
    imagining,
    judge,
    launch,
    mixing,
    models,
    prepare,
    publishing,
    tagger,
    text,
    training,
    upscaling,
)
from tfanime.cli.group import Verbs
from tfanime.version import __version__


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tfanime", message="%(prog)s %(version)s")
@click.option(
    "--load",
    "programs",
    multiple=True,
    metavar="FILE.py",
    help="Run FILE.py first, which registers losses, networks, metrics ... of your own.",
)
@click.option("--debug", is_flag=True, hidden=True, help="Show the traceback of an error.")
def main(programs: tuple[str, ...], debug: bool) -> None:
    """Train GANs that draw anime faces, and draw with them.

    \b
    Examples:
      tfanime generate --n 16 --hair pink --grid faces.png
      tfanime models
      tfanime train modern --data drawn --minutes 5 --out runs/first
      tfanime generate runs/first --n 64 --grid sheet.png

    `tfanime VERB --help` explains a verb and gives examples.
    """
    for program in programs:
        from tfanime.core.programs import load

        load(program)


for verb in (
    collect.collect,
    collect.data,
    prepare.prepare,
    tagger.tagger,
    text.text,
    training.train,
    launch.launch,
    drawing.generate,
    drawing.interpolate,
    mixing.mix,
    mixing.truncate,
    imagining.imagine,
    editing.invert,
    editing.directions,
    editing.encoder,
    upscaling.upscale,
    evaluate.evaluate,
    judge.judge,
    features.features,
    figure.figure,
    export.export,
    export.web,
    publishing.push,
    training.sweep,
    training.recipes,
    models.models,
    doctor.doctor,
):
    main.add_command(verb)
