"""Seed B, MakeGirlsMoe (Jin et al. 2017): its tables and figures, with faces-64 and the original.

    python scripts/studies/reproduce_seed_b.py --data PACKED --original WEIGHTS.npz \\
        --compared compare/ --mobilenet FILE.tflite --out DIR

PACKED are the real faces that `train_zoo.py` packed, of which a twentieth is held out; WEIGHTS.npz
are the released generator's (`check_makegirlsmoe.py`), whose images are halved to the size of the
real ones; compare/ is what `compare_recipes.py` wrote, for the table of FIDs. All but the first may
be left out, and what needs them is then not shown. `--model` is another run of yours with labels.

The tagger's own precision and recall are read from the figures that it ships with.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from makegirlsmoe_tables import REPORTED_FID, REPORTED_PRECISION
from reproduction import Notebook, call, extractors, larger, number, parser, rows_of, table
from train_zoo import HELD_OUT

import tfanime
from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.files import read_json
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.data import PackedDataset
from tfanime.evaluation import figures
from tfanime.evaluation.attributes import corrected_shares
from tfanime.metrics import attribute_precision, mean_ms_ssim
from tfanime.models import dcgan, srresnet
from tfanime.tagging import load_tagger
from tfanime.tagging.figures import ALL, figures_in, rates
from tfanime.zoo.saved import Generator, load_generator

ROW, SHEET, ALIKE = 8, 36, 64
ASKED_FOR = 20  # images an attribute, as in table 2
CORNERS = (0, 1, 2, 3)
ASKED = {"hair": "blue", "eyes": "red", "smile": True}
WIDTHS = (32, 64, 96, 128)  # of DCGAN's last hidden layer
ORIGINAL = "original"


def main() -> None:
    made = parser(__doc__, "runs/reproduction/b")
    made.add_argument("--data", type=Path, required=True, help="packed faces with 34 labels")
    made.add_argument("--model", default="faces-64", help="run, or name of a model that ships")
    made.add_argument("--original", type=Path, metavar="NPZ", help="the released weights")
    made.add_argument("--compared", type=Path, help="folder of compare_recipes.py")
    made.add_argument("--upscaler", default=zoo.UPSCALER, help="run, or name of one that ships")
    made.add_argument("--embedded", type=int, default=500, help="images of each kind in t-SNE")
    call(made, reproduce)


def reproduce(options) -> None:
    book = Notebook("b", options.out, options.report)
    _, held_out = PackedDataset.open(options.data).split(HELD_OUT)
    names = extractors(options.mobilenet)
    model = load_generator(options.model)
    found = {model.name: figures_of(book, options.model, model, held_out, names)}
    original = load_original(options.original) if options.original else None
    if original:
        half = Halved(original)
        found[ORIGINAL] = measured(book, weights_of(original), half, held_out, names)
    attributes(book, held_out, {**({ORIGINAL: original} if original else {}), model.name: model})
    distances(book, found, options.compared)
    sizes(book, model)
    sheets(book, {model.name: model, **({ORIGINAL: original} if original else {})}, options.out)
    embedded = options.out / "embedding.png"
    book.once(
        "embedding",
        lambda: figures.embedding(
            model, embedded, held_out, options.embedded, anonymous=True, progress=True
        ),
        weights_of(model),
        held_out.sha256,
        options.embedded,
    )
    book.block("tsne", book.picture("tsne", embedded, "t-SNE of drawn and of real faces"))
    upscaled(book, options.upscaler, model)
    book.write()


# ---- measuring ---------------------------------------------------------------------------------


def figures_of(book: Notebook, name, model, held_out: PackedDataset, extractors: list[str]):
    """The figures that ship with a model if they are of these images, else measured."""
    file = zoo.locate(name) / "figures.json"
    if file.is_file():
        shipped = read_json(file)["figures"]
        have = {one["protocol"].get("extractor") for one in shipped} - {None}
        wanted = {one.partition(":")[0] for one in extractors}
        same = {one["protocol"]["real set"] for one in shipped} == {held_out.sha256}
        if same and wanted <= have:
            return shipped
    return measured(book, weights_of(model), model, held_out, extractors)


def measured(book: Notebook, what: str, subject, held_out: PackedDataset, extractors: list[str]):
    """Figures of a loaded generator; of the original, which is no model of ours, its distances."""
    from ship_model import DRAWS, measure

    def distances(extractor: str) -> list[dict]:
        report = tfanime.evaluate(
            subject, held_out, ["fid", "kid"], extractor=extractor, draws=DRAWS, progress=True
        )
        return report.to_json()["figures"]

    theirs = isinstance(subject, Halved)
    return [
        figure
        for one in extractors
        for figure in book.once(
            f"figures, {subject.name}, {one}",
            lambda one=one: distances(one) if theirs else measure(subject, held_out, [one]),
            what,
            held_out.sha256,
        )
    ]


def load_original(weights: Path) -> Generator:
    import check_makegirlsmoe

    model = check_makegirlsmoe.load(check_makegirlsmoe.Weights(weights))
    return Generator(model, MAKEGIRLSMOE, ORIGINAL)


class Halved:
    """A loaded generator of 128 pixels as one of 64: means of four."""

    def __init__(self, model: Generator):
        self.model, self.name, self.schema = model, model.name, model.schema
        self.latent_dim, self.height, self.width = model.latent_dim, 64, 64

    def __call__(self, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
        large = np.asarray(self.model(latents, labels), np.float32)
        return large.reshape(len(large), 64, 2, 64, 2, 3).mean(axis=(2, 4))


# ---- tables ------------------------------------------------------------------------------------


def attributes(book: Notebook, held_out: PackedDataset, models: dict[str, Generator]) -> None:
    """Tables 1 and 2, an attribute a row."""
    theirs, tagger = MAKEGIRLSMOE, load_tagger()
    judge = rates(figures_in(zoo.path("tagger"))[ALL])
    seen = {
        name: book.once(
            f"attributes, {name}",
            lambda model=model: seen_when_asked_for(model, tagger),
            weights_of(model),
            tagger.identity,
        )
        for name, model in models.items()
    }
    fair = {name: corrected_shares(found, judge) for name, found in seen.items()}
    frequent = book.once(
        "frequencies", lambda: frequencies(held_out, tagger), held_out.sha256, tagger.identity
    )
    rows = []
    for column in theirs.columns:
        rows.append(
            [
                column.replace("_", " "),
                f"{100 * share(theirs, column):.1f} %",
                f"{100 * frequent[column]:.1f} %",
                REPORTED_PRECISION[column],
                *(beside(found[column], fair[name].get(column)) for name, found in seen.items()),
                judge[column].precision,
                judge[column].recall,
            ]
        )
    told = [c for c in theirs.columns if all(c in one for one in fair.values())]
    for name, columns in (("mean of 34", theirs.columns), (f"of the {len(told)} told well", told)):
        reported = float(np.mean([REPORTED_PRECISION[c] for c in columns]))
        means = [
            beside(
                np.mean([found[c] for c in columns]),
                np.mean([fair[model][c] for c in columns]) if columns is told else None,
            )
            for model, found in seen.items()
        ]
        rows.append([f"**{name}**", "", "", reported, *means, "", ""])
    columns = ["attribute", "their site draws it in", "the shop's faces, by our tagger"]
    columns += ["their precision", *(f"{name}, by our tagger" for name in seen)]
    columns += ["the tagger's precision", "its recall"]
    under = (
        f"{ASKED_FOR} pictures an attribute; {len(held_out):,} faces of the shop. In brackets: "
        "corrected for the tagger's mistakes, where it tells the attribute well."
    )
    book.block("attributes", table(columns, rows), "", under)


def seen_when_asked_for(model: Generator, tagger) -> dict[str, float]:
    found = attribute_precision(
        lambda tags, i: (
            tfanime.generate(model, n=ASKED_FOR, seed=i, tags=tags, upscale="none").images
        ),
        model.schema,
        tagger,
        progress=True,
    )
    return {one.attribute: one.precision for one in found}


def frequencies(faces: PackedDataset, tagger) -> dict[str, float]:
    means = tagger.labels(faces.images()).mean(axis=0)
    return dict(zip(tagger.schema.columns, map(float, means), strict=True))


def beside(seen: float, fair: float | None) -> str:
    return f"{seen:.2f}" if fair is None else f"{seen:.2f} ({fair:.2f})"


def share(schema, column: str) -> float:
    """How frequent a column is, by the schema."""
    for field in schema.fields:
        if column in field.columns:
            known = field.frequencies or field.default_frequencies()
            return known[field.columns.index(column)]
    raise ValueError(f"The pictures need the labels of MakeGirlsMoe. Received: none for {column}.")


def figure(known: list[dict], name: str, extractor: str | None = None) -> dict | None:
    for one in known:
        if one["name"] == name and extractor in (None, one["protocol"].get("extractor")):
            return one
    return None


def distances(book: Notebook, found: dict, compared: Path | None) -> None:
    """Table 3: the two networks under the same objective; and both generators beside real faces."""
    results = read_json(compared / "results.json") if compared else {}
    rows, drawn = [], []
    for recipe, (fid, spread) in REPORTED_FID.items():
        row = results.get(f"{recipe}_labelled")
        here = [row["generated"]["fid"], row["generated"]["kid"], row["images"]] if row else ["-"]
        if row:
            shots = tfanime.generate(compared / f"{recipe}_labelled", n=2 * ROW, seed=0).images
            drawn.append(larger(shots))
        rows.append([f"`{recipe}`", f"{fid:,.0f} ({spread:.0f})", *here, *[""] * (3 - len(here))])
    columns = ["networks", "their FID (max - min)", "our FID", "our KID", "pictures seen"]
    text = [table(columns, rows), ""]
    if drawn:
        text += [book.picture("networks", rows_of(drawn), "a row each of unselected pictures"), ""]
    rows = []
    for name, measures in found.items():
        for extractor in ("tagger", "mobilenet"):
            pair = [figure(measures, one, extractor) for one in ("fid", "kid")]
            if all(pair):
                fid, kid = pair
                told = f"{number(fid['value'])} ({number(fid['spread'])})"
                rows.append(
                    [name, extractor, told, fid["floor"], f"{kid['value']:.3f}", kid["floor"]]
                )
    columns = ["generator", "features", "FID (max - min)", "floor", "KID", "floor"]
    first = next(iter(found.values()))[0]["protocol"]
    text += [table(columns, rows), "", f"{first['counts']}, {first['draws']} draws."]
    book.block("distances", "\n".join(text))


def sizes(book: Notebook, model: Generator) -> None:
    """How many weights generators have at 128x128."""
    theirs = srresnet.generator(128, 128, latent_dim=128, label_dim=34, long_skip=False)
    base = theirs.count_params()
    rows = [["`makegirlsmoe` (SRResNet), theirs", base, "1"]]
    for width in WIDTHS:
        made = dcgan.generator(128, 128, latent_dim=128, label_dim=34, channels=width)
        widest = max(layer.output.shape[-1] for layer in made.layers if layer.output.ndim == 4)
        rows.append(
            [
                f"`dcgan`, {width} to {widest:,} channels",
                made.count_params(),
                f"{made.count_params() / base:.1f}",
            ]
        )
    own = model.model.count_params()
    rows.append([f"{model.name}, {model.width}x{model.height}", own, f"{own / base:.1f}"])
    columns = ["generator", "weights", "of theirs"]
    book.block("sizes", table(columns, rows))


# ---- figures -----------------------------------------------------------------------------------


def sheets(book: Notebook, models: dict[str, Generator], out: Path) -> None:
    """Samples, fixed noise, fixed attributes, interpolation: of every generator."""
    kinds = {
        "samples": lambda model, file: tfanime.generate(model, n=SHEET, seed=0, grid=file),
        "noise": lambda model, file: figures.fixed_noise(model, file, SHEET),
        "fixed": lambda model, file: figures.fixed_attributes(model, file, ASKED, SHEET),
        "interpolation": lambda model, file: figures.interpolation(model, file, ROW, CORNERS),
    }
    for kind, draw in kinds.items():
        shown = []
        for i, (name, model) in enumerate(models.items()):
            file = out / f"{kind}_{i}.png"
            draw(model, file)
            shown.append(book.picture(f"{kind}_{i}", file, f"{kind}, {name}"))
        if kind == "fixed":
            alike = [
                [name, *book.once(f"alike, {name}", lambda m=m: likeness(m), weights_of(m))]
                for name, m in models.items()
            ]
            columns = ["generator", "MS-SSIM of pairs with the same attributes", "of any pairs"]
            shown += [table(columns, alike)]
        book.block(kind, "\n\n".join(shown))


def likeness(model: Generator) -> list[float]:
    """Mean MS-SSIM of pairs of images: with all attributes the same, and with random ones."""
    tags = model.schema.decode(seeds.sample_labels(0, 1, model.schema, ASKED)[0])
    found = []
    for fixed in (tags, None):
        shots = tfanime.generate(model, n=ALIKE, seed=0, tags=fixed).images
        while shots.shape[1] > 64:  # halved, since MS-SSIM depends on the size
            shots = shots.reshape(len(shots), shots.shape[1] // 2, 2, shots.shape[2] // 2, 2, 3)
            shots = np.rint(shots.mean(axis=(2, 4))).astype(np.uint8)
        found.append(mean_ms_ssim(shots, seed=0))
    return found


def weights_of(model: Generator) -> int:
    """Changes with the weights."""
    return sum(zlib.crc32(np.ascontiguousarray(w)) for w in model.model.get_weights())


def upscaled(book: Notebook, name, model: Generator) -> None:
    """What the upscaler makes of drawn images, and its figures on real ones if it ships."""
    from compare_upscalers import resized

    from tfanime.sampling.upscale import upscale
    from tfanime.zoo.saved import load_upscaler

    upscaler = load_upscaler(name)
    small = tfanime.generate(model, n=ROW, seed=0).images
    plain = [resized(small, upscaler.factor, kind) for kind in ("nearest", "lanczos")]
    sheet = rows_of([*plain, upscale(small, upscaler)])
    lines = [book.picture("upscaled", sheet, "nearest, Lanczos, upscaler")]
    file = zoo.locate(name) / "figures.json"
    if file.is_file():
        stored = read_json(file)["figures"]
        kinds = list(stored[0]["details"])
        rows = [[one["name"], *(f"{one['details'][kind]:.3f}" for kind in kinds)] for one in stored]
        lines += ["", table(["", *kinds], rows), "", stored[0]["protocol"]["counts"] + "."]
    book.block("upscaled", *lines)


if __name__ == "__main__":
    main()
