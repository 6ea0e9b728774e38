"""`tfanime prepare`, and `tfanime prepare faces`, `tags` and `posters`."""

from __future__ import annotations

import click

import tfanime
from tfanime.cli.kinds import COUNT, Labels, Size, Words
from tfanime.core import choices
from tfanime.core.printing import plain

OUT = click.option(
    "--out", type=click.Path(file_okay=False), required=True, metavar="DIR", help="Folder to write."
)
SIZE = {"type": Size(), "metavar": "PIXELS"}
FIT = (
    click.option(
        "--mode",
        type=click.Choice(choices.FITS),
        default="crop",
        show_default=True,
        help="How an image of another shape fits.",
    ),
    click.option(
        "--focus",
        type=(float, float),
        default=(0.5, 0.5),
        show_default=True,
        metavar="X Y",
        help="What stays in view, 0 (left, top) to 1.",
    ),
)
NEAR_DUPLICATES = click.option(
    "--near-duplicates", is_flag=True, help="Leave out images that look the same."
)
SMALLEST = click.option(
    "--smallest",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="PIXELS",
    help="Leave out images whose shorter side is below this.",
)
SMALLEST_BATCH = 16  # of the recipe modern
FEW = 5000  # images, with which beginning with a model is better than from nothing
LICENCE = click.option(
    "--licence", metavar="TEXT", help="Note for manifest.json. Default: what the source's says."
)


def several(*options):
    """Options as one decorator, listed in this order."""

    def decorate(function):
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class WithStages(click.Command):
    """A command some of whose first words are commands of their own: `prepare` packs, `prepare
    faces` does not. A folder of that name is given as `faces/`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stages: dict[str, click.Command] = {}

    def stage(self, command: click.Command) -> click.Command:
        self.stages[command.name] = command
        return command

    def make_context(self, info_name, args, parent=None, **extra):
        if args and args[0] in self.stages:
            name = args[0]
            return self.stages[name].make_context(f"{info_name} {name}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_options(self, ctx, formatter):
        super().format_options(ctx, formatter)
        with formatter.section("Stages, each with its own --help"):
            rows = [(name, stage.get_short_help_str(70)) for name, stage in self.stages.items()]
            formatter.write_dl(rows)


@click.command(cls=WithStages)
@click.argument("source", metavar="INPUT", type=click.Path(exists=True))
@click.option(
    "--labels",
    type=Labels(),
    metavar="CSV",
    help="Labels: a column `file` and one column an attribute. Or the word folders: the folder of "
    "an image is its class.",
)
@click.option(
    "--most-tags",
    type=click.IntRange(1, 1000),
    default=64,
    show_default=True,
    metavar="N",
    help="Of a column of tags, the commonest so many become labels.",
)
@click.option(
    "--size", default="64", show_default=True, help="64, or WIDTHxHEIGHT such as 64x96.", **SIZE
)
@OUT
@several(*FIT)
@SMALLEST
@NEAR_DUPLICATES
@click.option("--strict", is_flag=True, help="Fail at the first file that cannot be used.")
@click.option("--overwrite", is_flag=True, help="Replace another packed set at --out.")
def prepare(source, out, **options) -> None:
    """Pack images into a folder that trains at full speed.

    INPUT is a folder, a .zip, a .tar or a CSV of paths. Files that cannot be used are left out
    and listed, with the reason, in DIR/dataset.json.

    \b
    Examples:
      tfanime prepare faces/ --size 64 --out packed/
      tfanime prepare faces.tar --labels tags.csv --size 96 --near-duplicates --out packed/
      tfanime prepare classes/ --labels folders --out packed/
      tfanime prepare posters.csv --size 64x96 --mode pad --out posters/
    """
    packed = tfanime.pack(source, out, **options)
    _say_packed(out, packed)


@prepare.stage
@click.command()
@click.argument("source", metavar="INPUT", type=click.Path(exists=True))
@OUT
@click.option(
    "--cascade",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="lbpcascade_animeface.xml. Default: fetched once from its project.",
)
@click.option(
    "--zoom",
    type=click.FloatRange(0.5, 4),
    default=1.5,
    show_default=True,
    help="Width of the crop per side of the face that was found.",
)
@click.option(
    "--shape",
    default="1x1",
    show_default=True,
    metavar="WIDTHxHEIGHT",
    help="Of the crop, such as 2x3; only the ratio counts.",
)
@click.option(
    "--middle",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="How far down the crop the middle of the face is.",
)
@click.option(
    "--border",
    type=click.Choice(choices.BORDERS),
    default="reflect",
    show_default=True,
    help="Crops over the edge: mirror the image there, move them inside, or leave them out.",
)
@click.option(
    "--smallest",
    type=click.IntRange(1, 4096),
    default=64,
    show_default=True,
    metavar="PIXELS",
    help="Leave out crops whose shorter side has fewer pixels.",
)
@click.option(
    "--sharpness",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Leave out crops whose Laplacian has a smaller variance.",
)
@click.option(
    "--enlarge",
    type=click.FloatRange(0.25, 8),
    default=1.0,
    show_default=True,
    help="Search images enlarged so many times: 2 finds smaller faces in four times the time.",
)
@click.option(
    "--neighbours",
    type=COUNT,
    default=5,
    show_default=True,
    help="Windows that must agree on a face: more make fewer mistakes and find fewer.",
)
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False),
    metavar="CSV",
    help="Labels of the images: DIR/labels.csv has them for the crops.",
)
@LICENCE
@click.option("--overwrite", is_flag=True, help="Begin anew where DIR has other settings.")
def faces(source, out, **options) -> None:
    """Find anime faces in images, and write them as crops.

    INPUT is a folder, a .zip, a .tar or a CSV of paths. Stopped, the same command continues. Open
    DIR/review.html to weed out what is no face, and save reject.txt for the same command again.

    \b
    Examples:
      tfanime prepare faces pictures/ --out faces/
      tfanime prepare faces posters/ --shape 2x3 --zoom 2 --middle 0.38 --border shift \\
          --labels genres.csv --enlarge 3 --smallest 40 --out figures/
    """
    result = tfanime.crop_faces(source, out, **options)
    _say_steps(result.manifest)
    click.echo(f"Look at: {out}/review.html")
    from tfanime.core.images import parse_size

    height, width = parse_size(options["shape"])
    more = "" if height == width else f"x{4 * max(4, round(16 * height / width))}"
    more += f" --labels {out}/labels.csv" if options["labels"] else ""
    click.echo(f"Pack with: tfanime prepare {result.crops} --size 64{more} --out packed/")
    if height == width:
        click.echo(f"Or with attributes: tfanime prepare tags {out} --size 64 --out packed/")


@prepare.stage
@click.command()
@click.argument("source", metavar="INPUT", type=click.Path(exists=True))
@OUT
@click.option(
    "--tagger",
    metavar="NAME",
    help="A folder, hf://OWNER/NAME or illustration2vec:FILE. Default: the tagger that ships.",
)
@click.option("--size", help="64, or WIDTHxHEIGHT. Default: 64, or the packed set's.", **SIZE)
@click.option(
    "--threshold",
    type=float,
    metavar="SCORE",
    help="Score from which yes-or-no attributes count. Default: the tagger's, one for each.",
)
@SMALLEST
@NEAR_DUPLICATES
@click.option("--tsne/--no-tsne", default=True, show_default=True, help="Draw DIR/tsne.png.")
@LICENCE
@click.option("--overwrite", is_flag=True, help="Replace another packed set at --out.")
def tags(source, out, **options) -> None:
    """Estimate attributes of faces, and pack images and labels.

    INPUT is a packed set, a folder that `tfanime prepare faces` wrote, or images: a folder, a
    .zip, a .tar or a CSV of paths. Beside the packed set are the scores (scores.npy), how often
    each attribute occurs (frequencies.csv), and the images arranged by them (tsne.png).

    \b
    Examples:
      tfanime prepare tags faces/ --size 64 --out packed/
      tfanime prepare tags packed/ --out tagged/
      tfanime prepare tags faces/ --tagger illustration2vec:illust2vec_tag_ver200.onnx --out packed/
    """
    packed = tfanime.estimate_tags(source, out, **options)
    click.echo(f"frequencies: {out}/frequencies.csv")
    _say_packed(out, packed)


@prepare.stage
@click.command()
@click.argument("records", type=click.Path(exists=True))
@OUT
@click.option(
    "--size", default="256", show_default=True, help="256, or WIDTHxHEIGHT such as 64x96.", **SIZE
)
@click.option(
    "--pictures",
    type=click.Path(exists=True),
    metavar="PATH",
    help="Where they are. Default: pictures/, or a .tar or .zip named like the CSV.",
)
@click.option(
    "--genres", default="genres", show_default=True, metavar="COLUMN", help="Column of the tags."
)
@click.option(
    "--light",
    type=Words(),
    default="fantasy,comedy,school,slice of life",
    show_default=True,
    help="Tags of the light class.",
)
@click.option(
    "--heavy",
    type=Words(),
    default="action,drama,horror,thriller,suspense",
    show_default=True,
    help="Tags of the heavy class.",
)
@click.option(
    "--leading",
    type=COUNT,
    default=3,
    show_default=True,
    metavar="N",
    help="How many of the first tags decide.",
)
@click.option(
    "--undecided",
    type=click.Choice(choices.UNDECIDED),
    default="drop",
    show_default=True,
    help="As many light as heavy tags, or none: leave out, keep without a class, or let the "
    "first tag decide a tie.",
)
@click.option(
    "--need",
    type=Words(),
    default="title",
    show_default=True,
    metavar="COLUMNS",
    help="Leave out records that lack one of these texts.",
)
@click.option(
    "--test",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="Share of the posters in DIR/test, split by title; 0 for none.",
)
@several(*FIT)
@NEAR_DUPLICATES
@LICENCE
@click.option("--overwrite", is_flag=True, help="Replace other posters at --out.")
def posters(records, out, **options) -> None:
    """Pack posters with a class (light or heavy) and their texts.

    RECORDS is a folder that `tfanime collect` wrote, or a CSV with a column `file`. Written are
    DIR/train and DIR/test, two packed sets, each with texts.jsonl: title, genres and synopsis in
    the order of the images.

    \b
    Examples:
      tfanime prepare posters anime/ --size 256x256 --out posters/
      tfanime prepare posters anime.csv --pictures anime.tar --size 64x96 --out posters/
      tfanime prepare posters films.csv --light comedy,children,fantasy,romance \\
        --heavy drama,horror,thriller,action --need title,synopsis --out films/
    """
    manifest = tfanime.pack_posters(records, out, **options)
    _say_steps(manifest)
    for what, count in manifest.settings["posters"].items():
        click.echo(f"{count:>9,}  {plain(what)}")
    click.echo(
        f"Train with: tfanime train cdcgan-sn --data {out}/train --minutes 60 --out runs/posters"
    )


def _say_steps(manifest) -> None:
    for step in manifest.steps:
        click.echo(f"{step.seen:>9,}  {plain(step.name)}")
        for reason, count in step.dropped.items():
            click.echo(f"{-count:>9,}    {plain(reason)}")
    click.echo(f"{manifest.count:>9,}  kept")


def _say_packed(out, packed) -> None:
    size = f"{packed.width}x{packed.height}"
    click.echo(f"{out}: {len(packed):,} images of {size}")
    if packed.schema is not None:
        from tfanime.data.counts import label_counts

        for name, counts in label_counts(packed.schema, packed.labels()):
            click.echo(f"  {name}: {counts}")
    click.echo(f"Train with: {training_command(out, len(packed))}")
    model = model_like(packed.height, packed.width)
    if model is not None and len(packed) < FEW:
        begin = f"tfanime train --from {model} {out} --minutes 30 --out runs/mine"
        click.echo(f"Or begin with what {model} knows: {begin}")


def model_like(height: int, width: int) -> str | None:
    """A model of faces or figures that ships and draws images of this size."""
    from tfanime import zoo
    from tfanime.core.files import read_json
    from tfanime.core.labels import FACES

    faces = {field.name for field in FACES.fields}
    for name in zoo.names():
        file = zoo.path(name) / "generator.json"
        described = read_json(file) if file.is_file() else {}
        names = {field["name"] for field in (described.get("schema") or {}).get("fields", ())}
        if names & faces and (described["height"], described["width"]) == (height, width):
            return name
    return None


def training_command(data, count: int) -> str:
    """A recipe that learns from so few images, and from labels where there are some."""
    batch = f" --batch {count}" if count < SMALLEST_BATCH else ""
    return f"tfanime train modern --data {data}{batch} --minutes 60 --out runs/first"
