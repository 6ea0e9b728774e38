"""What docs/editing.md shows and says: its images and its figures, for a model and real images.

    tfanime directions RUN
    python scripts/studies/measure_editing.py --model RUN --docs docs
    python scripts/studies/measure_editing.py --model RUN --docs docs --data PACKED \\
        --extractor drawings --extractor mobilenet:FILE.tflite --features lite0

Without --model, of the model that ships. Writes `images/editing_directions.webp`,
`editing_sheet.webp`, `editing_steps.webp`, of a model with styles `editing_mixing.webp`, of the one
that is the default `editing_tuned.webp` and `editing_tuned_two.webp`, and the table of directions
into the page; with --data the figures instead. Then real images of the packed set, spread over it,
are inverted: from the encoder if the model has one, from random draws, and from the first of these
with the model tuned to --at-a-time images afterwards. Told is how many of them are nearer, by the
features of each extractor, to what is drawn for them than to the nearest of --draws random draws,
and how many of the tagger's hair and eye colours agree; beside it what a JPEG of the image itself
has; `Judge` explains what near means. Identity is measured on character sheets. On a busy machine
seconds mean little.
"""

from __future__ import annotations

import argparse
import io
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import tfanime
from tfanime import zoo
from tfanime.core.images import check_pictures, fit, save_image
from tfanime.editing.character_sheet import captioned
from tfanime.editing.distance import psnr
from tfanime.editing.identity import identity
from tfanime.editing.invert import BATCH, TUNED
from tfanime.evaluation import figures
from tfanime.metrics.features import extract, load_extractor
from tfanime.models.mixing import style_sizes
from tfanime.sampling.generate import loaded
from tfanime.sampling.moves import directions_of
from tfanime.sampling.sampler import Sampler
from tfanime.tagging import load_tagger
from tfanime.zoo.encoder import has_encoder

SHEET_SEED = 7
INVERTED, OTHER = {"n": 2, "seed": 12345}, {"n": 2, "seed": 3}  # the model's own, and faces-64's
MIXED = (45, 15, 39), (25, 29, 57)  # seeds of coarse faces and of fine ones
PAINTED = {"seed": 5}  # two busts, and where their eyes are: glasses are painted on them
EYES = {5: ((41, 62), (86, 62)), 13: ((44, 76), (86, 76))}
TUNED_TO = {"n": 2, "seed": 11}  # of faces-64
FRAME = (40, 30, 45)
MOVED = {"sefa-3": 4, "pca-1": -4}
QUALITY, SHOWN, JPEG = 72, 4, 90
COMPONENTS, LEAST = 256, 1e-6  # as a share of the largest deviation: below, all draws are alike
READ = "hair", "eyes"  # fields of the tagger
ROWS = {"tagger": 2, "sefa": 3, "pca": 3}  # of the image of directions
FIXED = {"eyes": "blue", "long_hair": True, "short_hair": False, "blush": False, "hat": False}
FIXED |= {"animal_ears": False}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=zoo.DEFAULT)
    parser.add_argument("--docs", type=Path, required=True, help="folder of editing.md")
    parser.add_argument("--data", help="real images, packed at the model's size")
    parser.add_argument("--n", type=int, default=16, help="real images to invert")
    parser.add_argument("--draws", type=int, default=1000, help="random draws to compare with")
    parser.add_argument("--extractor", action="append", help="one or several; default: tagger")
    parser.add_argument("--features", default="tagger", help="that inversion goes by")
    parser.add_argument("--tune-steps", type=int, nargs="+", default=[TUNED], help="each in turn")
    parser.add_argument(
        "--at-a-time", type=int, nargs="+", default=[BATCH], help="images tuned to, each in turn"
    )
    parser.add_argument("--steps", type=int, help="default: as `tfanime invert`")
    parser.add_argument("--faces", type=int, default=8, help="of the sheets of identity")
    options = parser.parse_args()
    generator = loaded(options.model)
    page = options.docs / "editing.md"
    if options.data:
        measure(generator, options, page)
    else:
        put(page, "directions", table(generator))
        draw(generator, options.docs / "images", options.steps)


def put(page: Path, part: str, lines: list[str]) -> None:
    """Lines between the two marks of a part of the page."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {part}: written by measure_editing.py -->", f"<!-- {part} end -->"
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    page.write_text("\n".join([f"{before}{begin}", *lines, f"{end}{after}"]), encoding="utf-8")
    print("\n".join(lines))


def table(generator) -> list[str]:
    lines = [
        f"Of {generator.name}:",
        "",
        "| direction | fit | stays | what changes a step, in points of a hundred |",
        "|---|---|---|---|",
    ]
    for name, one in directions_of(generator).items():
        fit = "" if one.fit is None else f"{one.fit:.2f}"
        changes = [f"{c} {100 * x:+.1f}" for c, x in list(one.changes.items())[:SHOWN]]
        said = ", ".join(changes) or "nothing for sure"
        lines.append(f"| `{name}` | {fit} | {one.stays:.2f} | {said} |")
    return lines


def draw(generator, folder: Path, steps: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "a.png"
        known = directions_of(generator).values()
        of_kind = {kind: [one.name for one in known if one.kind == kind] for kind in ROWS}
        names = [name for kind, count in ROWS.items() for name in of_kind[kind][:count]]
        figures.directions(generator, made, names, seed=SHEET_SEED)
        store(made, folder / "editing_directions.webp")
        vary = ["long_hair", "hair"]
        tfanime.character_sheet(generator, SHEET_SEED, vary, out=made, upscale="none")
        store(made, folder / "editing_sheet.webp")
        shape = generator.height, generator.width
        others = (fit(Image.fromarray(one), *shape) for one in drawn("faces-64", **OTHER))
        images = [*drawn(generator, **INVERTED), *map(np.asarray, others)]
        tfanime.invert(np.stack(images), generator, steps=steps, grid=made)
        store(made, folder / "editing_steps.webp")
        if style_sizes(generator.model):
            save_image(made, mixing(generator))
            store(made, folder / "editing_mixing.webp")
        if generator.name == zoo.DEFAULT:  # whose eyes are known
            cells, names = tuned(generator, Path(scratch) / "tuned")
            for rows, columns, file in ((4, 8, "editing_tuned"), (2, 6, "editing_tuned_two")):
                part = cells[:rows, :columns].reshape(-1, *cells.shape[2:])
                save_image(made, captioned(part, names[:columns], [""] * rows))
                store(made, folder / f"{file}.webp")


def mixing(generator) -> np.ndarray:
    """A sheet `(h, w, 3)` uint8: rows of two faces and, between them, the first one with ever more
    styles of the second."""
    sizes = sorted(set(style_sizes(generator.model).values()), reverse=True)
    first, last = (
        np.concatenate([drawn(generator, n=1, seed=seed) for seed in seeds]) for seeds in MIXED
    )
    # Of each coarse face with each fine one those of a pair: the diagonal.
    pairs = slice(None, None, len(first) + 1)
    between = [
        tfanime.mix(generator, *MIXED, fine_from=size, upscale="none").images[pairs]
        for size in sizes
    ]
    columns = ["coarse face", *(f"from {size}" for size in sizes), "fine face"]
    cells = np.stack([first, *between, last], axis=1).reshape(-1, *first.shape[1:])
    return captioned(cells, columns, [""] * len(first))


def tuned(generator, folder: Path) -> tuple[np.ndarray, list[str]]:
    """Rows `(4, 8, H, W, 3)` uint8 of an image, what the nearest latent draws, what the tuned model
    draws from it, and the latter with other labels and along directions; and their captions."""
    shape = generator.height, generator.width
    others = tfanime.generate("faces-64", upscale="upscaler-2x", **TUNED_TO).images
    target = [with_glasses(generator, index, eyes) for index, eyes in EYES.items()]
    target = np.stack([*target, *(np.asarray(fit(Image.fromarray(x), *shape)) for x in others)])
    columns = {"image": target}
    columns["nearest latent"] = drawn_faces(generator, tfanime.invert(target, generator))
    faces = tfanime.invert(target, generator, tune=folder)
    columns["tuned"] = drawn_faces(folder, faces)
    for hair in ("pink", "green", "blonde"):
        columns[f"{hair} hair"] = drawn_faces(folder, faces, tags={"hair": hair})
    for name, by in MOVED.items():
        columns[f"{name} {by:+g}"] = drawn_faces(folder, faces, move={name: by})
    return np.stack(list(columns.values()), axis=1), list(columns)


def with_glasses(generator, index: int, eyes) -> np.ndarray:
    """A drawn bust with glasses painted on it, which no label of the model asks for."""
    image = Image.fromarray(drawn(generator, n=1, first=index, **PAINTED)[0])
    scale = 4  # painted larger, for smooth lines
    large = image.resize([scale * side for side in image.size], Image.Resampling.LANCZOS)
    pencil = ImageDraw.Draw(large)
    line = {"width": 2 * scale}
    (left, y), (right, _) = eyes
    for x in (left, right):
        box = [scale * a for a in (x - 17, y - 13, x + 17, y + 15)]
        pencil.rounded_rectangle(box, 10 * scale, outline=FRAME, **line)
    spans = (left + 17, right - 17), (left - 27, left - 17), (right + 17, right + 27)
    for first, last in spans:
        pencil.line([scale * first, scale * y, scale * last, scale * y], FRAME, **line)
    return np.asarray(large.resize(image.size, Image.Resampling.LANCZOS))


def drawn_faces(model, faces, **options) -> np.ndarray:
    return tfanime.generate(model, face=faces, upscale="none", **options).images


def drawn(model, **options) -> np.ndarray:
    return tfanime.generate(model, upscale="none", choose=False, **options).images


def store(source: Path, target: Path) -> None:
    with Image.open(source) as image:
        image.save(target, quality=QUALITY, method=6)
    print(f"{target}: {target.stat().st_size:,} bytes")


def measure(generator, options, page: Path) -> None:
    data = tfanime.load_data(options.data)
    some = np.linspace(0, len(data) - 1, options.n).astype(int)
    real = check_pictures(data.images(some))
    extractors = [load_extractor(name) for name in options.extractor or ["tagger"]]
    draws = Sampler(generator).images(99, options.draws)
    judges = [Judge(network, real, draws) for network in extractors]
    encoder = has_encoder(generator.folder)
    ways = [("from random draws", {"encoder": False})]
    if encoder:
        ways.insert(0, ("from the encoder", {}))
    columns = []
    for name, more in ways:
        columns.append((name, *inverted(generator, real, options, more)))
    for steps, size in itertools.product(options.tune_steps, options.at_a_time):
        more = {"encoder": encoder, "tune_steps": steps}
        name = f"then tuned, {steps} steps, {size} at a time"
        columns.append((name, *inverted(generator, real, options, more, size)))
    copies = np.stack([jpeg(image) for image in real])
    columns.append((f"its own JPEG, quality {JPEG}", copies, None))
    names, drawn, faces = zip(*columns, strict=True)
    lines = [f"Of {len(real)} real images, of {Path(options.data).name}:", "", row("", names)]
    lines.append("|---" * (1 + len(names)) + "|")
    for judge in judges:
        lines += judge.rows(drawn)
    tagger = load_tagger()
    tags = tagger.tags(real)
    alike = [
        ", ".join(
            str(sum(a[k] == b[k] for a, b in zip(tags, tagger.tags(x), strict=True))) for k in READ
        )
        for x in drawn
    ]
    means = [
        [
            "" if one is None else f"{np.mean([getattr(f, name) for f in one]):.{digits}f}"
            for one in faces
        ]
        for name, digits in (("distance", 3), ("psnr", 2))
    ]
    lines.append(row("hair colour, eye colour read as in the image", alike))
    lines.append(row("distance by f", means[0]))
    lines.append(row("PSNR, dB", means[1][:-1] + [f"{psnr(copies, real).mean():.2f}"]))
    put(page, "inversion", lines)
    known = {field.name for field in generator.schema.fields} if generator.schema else set()
    fixed = {name: value for name, value in FIXED.items() if name in known}
    lines = [
        "| features | faces | same face | other faces | told | by chance |",
        "|---|---|---|---|---|---|",
    ]
    for extractor in dict.fromkeys(("tagger", *(options.extractor or []))):
        one = identity(generator, range(options.faces), ["hair"], fixed, extractor)
        name = load_extractor(extractor).name
        told = f"**{one.told:.2f}** of {one.pictures}"
        distances = f"{one.same:.3f} | {one.others:.3f}"
        lines.append(f"| {name} | {one.faces} | {distances} | {told} | {1 / one.faces:.2f} |")
    put(page, "identity", lines)


def row(name: str, cells) -> str:
    return "| " + " | ".join([name, *cells]) + " |"


def inverted(generator, real: np.ndarray, options, more: dict, size: int | None = None) -> tuple:
    """What is drawn for real images, and their faces; tuned, where `more` has steps of it, to
    `size` images at a time."""
    size, began = size or len(real), time.monotonic()
    images, faces = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for start in range(0, len(real), size):
            given = more | {"steps": options.steps, "features": options.features, "progress": True}
            if "tune_steps" in more:
                given["tune"] = Path(scratch) / f"tuned{start}"
            found = tfanime.invert(real[start : start + size], generator, **given)
            faces += found
            drawer = given.get("tune", generator)
            images.append(drawn_faces(drawer, found))
    print(f"{more}: {time.monotonic() - began:.0f} s")
    return np.concatenate(images), faces


def jpeg(image: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=JPEG)
    return np.asarray(Image.open(file).convert("RGB"))


class Judge:
    """An extractor, with what it sees in real images and in random draws.

    Distances are cosines: between features as they are, and between their `COMPONENTS` principal
    components in the draws, each divided by its deviation there. As they are, a few components
    that all images share decide (Jegou and Chum 2012, "Negative evidences and co-occurences in
    image retrieval: the benefit of PCA and whitening"). The image's own JPEG says which distance
    can tell images at all.
    """

    def __init__(self, network, real: np.ndarray, draws: np.ndarray):
        self.network, self.draws = network, len(draws)
        seen, shown = (np.asarray(extract(x, network), np.float64) for x in (draws, real))
        self.ways = [("", unit), (", whitened", whitening(seen))]
        self.real = [way(shown) for _, way in self.ways]
        pairs = zip(self.ways, self.real, strict=True)
        self.nearest = [(1 - real @ way(seen).T).min(axis=1) for (_, way), real in pairs]

    def rows(self, columns) -> list[str]:
        """Of several images for each real one."""
        features = [np.asarray(extract(x, self.network), np.float64) for x in columns]
        lines = []
        for (said, way), real, nearest in zip(self.ways, self.real, self.nearest, strict=True):
            name = f"{self.network.name}{said}"
            own = [1 - (real * way(x)).sum(axis=1) for x in features]
            told = [f"**{(one < nearest).sum()}**" for one in own]
            far = f"cosine distance by {name} (of the nearest draw {nearest.mean():.3f})"
            lines += [
                row(f"nearer than the nearest of {self.draws:,} random draws, by {name}", told),
                row(far, [f"{one.mean():.3f}" for one in own]),
            ]
        return lines


def unit(features: np.ndarray) -> np.ndarray:
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def whitening(draws: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From features to unit vectors of principal components, whitened, as draws have them."""
    middle = draws.mean(axis=0)
    _, deviations, directions = np.linalg.svd(draws - middle, full_matrices=False)
    some = np.flatnonzero(deviations > LEAST * deviations[0])[:COMPONENTS]
    kept = directions[some].T / deviations[some]
    return lambda features: unit((features - middle) @ kept)


if __name__ == "__main__":
    main()
