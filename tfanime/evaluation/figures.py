"""The figures of papers, one function each: what stays when noise or attributes change, how the
space of features looks, what a data set holds. Each writes one picture file.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfanime import latent
from tfanime.data import PackedDataset, load_data
from tfanime.evaluation.subject import name_of, open_subject
from tfanime.files import atomic_path
from tfanime.generation import CHUNK
from tfanime.images import grid, picture_size, read_image, save_image, to_uint8
from tfanime.labels import Field, to_signed
from tfanime.prepare.writer import is_packed
from tfanime.printing import caption
from tfanime.saved import Truncation, load_generator, store_truncation

SIDE = 8  # pictures a row
DPI = 110
BLUE, GREY = "#3b6fb6", "#9aa3b2"
YEARS = 1  # width of the classes of a value such as a year, in its own unit
MOST_CLASSES = 40
TRUNCATIONS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
TOLERANCE = 0.1  # of precision, that a truncated set may lose
SHORTLIST, LABEL_ROWS = 8, 32


def fixed_noise(run, out: str | os.PathLike, n: int = SIDE**2, seed: int = 0) -> None:
    """One latent vector, `n` random sets of attributes: what the labels decide (seed B, figure 6).

    Args:
        run: a run or saved model with labels, or a loaded generator.
        out: the picture file.
    """
    generator = _conditional(run)
    z = np.repeat(latent.latents(seed, 1, generator.latent_dim), n, axis=0)
    labels = latent.sample_labels(seed, n, generator.schema)
    _save_sheet(out, _draw(generator, z, to_signed(labels)))


def fixed_attributes(
    run,
    out: str | os.PathLike,
    tags: Mapping[str, object] | None = None,
    n: int = SIDE**2,
    seed: int = 0,
) -> None:
    """One set of attributes, `n` latent vectors: what the noise decides (seed B, figure 7).

    Args:
        tags: attributes; those left out are the ones of the seed's first picture.
    """
    generator = _conditional(run)
    z = latent.latents(seed, n, generator.latent_dim)
    labels = latent.sample_labels(seed, 1, generator.schema, tags)
    _save_sheet(out, _draw(generator, z, to_signed(np.repeat(labels, n, axis=0))))


def interpolation(
    run, out: str | os.PathLike, side: int = SIDE, seeds: Sequence[int] = (0, 1, 2, 3)
) -> None:
    """`side` x `side` pictures between four corners: latents along arcs, labels in straight lines.

    Args:
        seeds: of the corners: top left, top right, bottom left, bottom right.
    """
    if len(seeds) != 4 or side < 2:
        raise ValueError(
            f"A grid has four corners and at least 2 x 2 pictures. Received: {len(seeds)} seeds, "
            f"{side} x {side}."
        )
    generator = _loaded(run)
    corners = [latent.latents(seed, 1, generator.latent_dim)[0] for seed in seeds]
    z = _square(corners, side, latent.slerp)
    signed = None
    if generator.schema is not None:
        rows = [latent.sample_labels(seed, 1, generator.schema)[0] for seed in seeds]
        signed = _square([to_signed(row) for row in rows], side, latent.lerp)
    _save_sheet(out, _draw(generator, z, signed), side)


def training(
    run: str | os.PathLike,
    out: str | os.PathLike,
    data=None,
    n: int = 1000,
    progress: bool = False,
) -> list[dict[str, float]]:
    """FID and KID over the steps of a run.

    Args:
        run: a run folder. What `--evaluate-every` wrote is drawn; without it, the checkpoints that
            are still there are measured against `data`.
        data: real pictures, needed for the latter.
        n: generated pictures at each checkpoint.

    Returns:
        `[{"step", "fid", "kid"}, ...]`.
    """
    from tfanime.training.evaluation import chart, read

    rows, floor, count = read(Path(run)), None, None
    if data is not None or not rows:
        rows, floor, count = _measure_checkpoints(Path(run), data, n, progress)
    with atomic_path(out) as temporary:
        chart(rows, floor, count).savefig(temporary, dpi=DPI)
    return rows


def truncation(
    run,
    out: str | os.PathLike,
    data,
    n: int = 500,
    at: Sequence[float] = TRUNCATIONS,
    extractor: str = "tagger",
    store: bool = False,
    progress: bool = False,
    least: float | None = None,
) -> tuple[Truncation, list[dict[str, float]]]:
    """Precision and KID over truncations, towards zero and towards a most typical latent.

    Latents, labels and real pictures are the same at every truncation, so that rows differ by it
    only. Labels are those of the real pictures. Truncation gives variety for likeness, so that KID,
    which counts both, rises in any case; precision (`metrics.prdc`), the share of pictures that are
    among the real ones, falls only where pictures are none. `Truncation.least` is the truncation
    down to which it stays within a tenth of that without truncation. The typical latent is that of
    the drawn pictures whose features are nearest the mean of the real ones, chosen among the
    nearest by how near they are with other labels too.

    Args:
        run: a run or saved model, or a loaded generator.
        data: real pictures.
        n: pictures of each kind, at most half of `data`.
        at: truncations, 0 to 1; 1 is always measured.
        extractor: see `tfanime.metrics.features`.
        store: keep `Truncation` with the model, whose folder `run` is.
        least: `Truncation.least` as judged by eye; None: as precision has it.

    Returns:
        What was found, and a row for each truncation, from 1 downwards: `"truncation"`,
        `"precision"` and `"kid"` towards zero, `"typical precision"` and `"typical kid"`.
    """
    from tqdm import tqdm

    from tfanime.metrics import kid_from_features, prdc_from_features, quality

    at = sorted({latent.check_truncation(t) for t in at} | {1.0}, reverse=True)
    if at[0] > 1:
        raise ValueError(f"Truncations to measure lie between 0 and 1. Received: {at[0]:g}.")
    data, generator = _dataset(data), _loaded(run)
    if store and generator is run:
        raise ValueError("store needs the folder of the model. Received: a loaded generator.")
    meter = quality.quality_meter(data, n, extractor)
    z = latent.latents(0, meter.count, generator.latent_dim)
    signed = None
    if generator.schema is not None:
        known = generator.schema.convert(meter.labels, data.schema) if data.schema else None
        signed = to_signed(latent.sample_labels(0, meter.count, generator.schema, rows=known))
    chosen = _most_typical(generator, meter, z, signed)
    rows = []
    for scale in tqdm(at, unit="truncation", disable=not progress):
        rows.append({"truncation": scale})
        for way, end in (("", None), ("typical ", z[chosen])):
            truncated = latent.truncate(z, scale, end)
            features = meter.features(_draw(generator, truncated, signed))
            rows[-1][f"{way}precision"] = prdc_from_features(meter.real, features).precision
            rows[-1][f"{way}kid"] = kid_from_features(meter.real, features).mean
    limit = (1 - TOLERANCE) * rows[0]["precision"]
    good = itertools.takewhile(lambda row: row["precision"] >= limit, rows)
    least = list(good)[-1]["truncation"] if least is None else least
    measured = Truncation(least, (0, int(chosen)))
    _save_truncation(out, rows, measured, meter)
    if store:
        store_truncation(run, measured)
    return measured, rows


def embedding(
    subject,
    out: str | os.PathLike,
    data=None,
    n: int = 500,
    extractor: str = "tagger",
    method: str = "tsne",
    seed: int = 0,
    anonymous: bool = False,
    progress: bool = False,
) -> None:
    """Pictures as thumbnails where their features lie, in two dimensions.

    Args:
        subject: a run, a folder or a packed set.
        data: real pictures to be shown with it, in grey frames; those of `subject` get blue ones.
        n: pictures of each.
        extractor: see `tfanime.metrics.features`.
        method: `"tsne"` (van der Maaten and Hinton 2008; needs scikit-learn) or `"pca"`.
        anonymous: show each of the real pictures as a square of its mean colour, for a figure of
            pictures that may not be passed on.
    """
    from tfanime.metrics.features import extract, load_extractor

    if method not in ("tsne", "pca"):
        raise ValueError(f"method is 'tsne' or 'pca'. Received: {method!r}.")
    size = _size_of(subject) if data is None else None
    data = load_data(data) if isinstance(data, (str, os.PathLike)) else data
    found = open_subject(subject, *(size or (data.height, data.width)))
    n = min(n, found.most or n)
    pictures = np.concatenate([part for part, _ in found.chunks(n, seed)])
    frames = [BLUE] * len(pictures)
    if data is not None:
        chosen = np.random.default_rng(seed).permutation(len(data))[:n]
        pictures = np.concatenate([pictures, data.images(np.sort(chosen))])
        frames += [GREY] * len(chosen)
    legend = {BLUE: found.described["name"]}
    if data is not None:
        legend[GREY] = f"{name_of(data)}, real"
    features = extract(pictures, load_extractor(extractor), progress=progress)
    places = _two_dimensions(features, method, seed)
    if anonymous and data is not None:
        real = pictures[-len(chosen) :]
        real[:] = np.rint(real.mean(axis=(1, 2), keepdims=True)).astype(np.uint8)
        # Squares first, so that they hide nothing.
        order = np.roll(np.arange(len(pictures)), len(chosen))
        places, pictures, frames = places[order], pictures[order], [frames[i] for i in order]
    with atomic_path(out) as temporary:
        _thumbnails(places, pictures, frames, legend).savefig(temporary, dpi=DPI)


def averages(data, out: str | os.PathLike, label: str | None = None) -> None:
    """The mean picture of each class of a label, or of each year, with the number of pictures."""
    data = _dataset(data)
    names, members = _classes(data, _field(data, label))
    means = []
    for rows in members:
        total = np.zeros((data.height, data.width, 3))
        for start in range(0, len(rows), 1024):
            total += data.images(rows[start : start + 1024]).sum(axis=0, dtype=np.float64)
        means.append(np.rint(total / len(rows)).astype(np.uint8))
    titles = [f"{caption(name)}\n{len(rows):,}" for name, rows in zip(names, members, strict=True)]
    columns = min(10, len(means))
    lines = -(-len(means) // columns)
    canvas = _canvas((1.25 * columns, 1.75 * lines + 0.2))
    for axes in canvas.subplots(lines, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, picture, title in zip(canvas.axes, means, titles, strict=False):
        axes.imshow(picture)
        axes.set_title(title, fontsize=9)
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)


def samples(
    data, out: str | os.PathLike, label: str | None = None, n: int = SIDE, seed: int = 0
) -> None:
    """A row for each class of a label, or for each year: `n` of its pictures, which the seed
    chooses, and how many there are (seed B, figure 5)."""
    data = _dataset(data)
    names, members = _classes(data, _field(data, label))
    canvas = _canvas((1.1 * n + 1.6, 1.1 * data.height / data.width * len(names) + 0.2))
    rows = canvas.subplots(len(names), n, squeeze=False)
    for line, name, own in zip(rows, names, members, strict=True):
        chosen = np.sort(np.random.default_rng(seed).permutation(own)[:n])
        for axes in line:
            axes.set_axis_off()
        for axes, picture in zip(line, data.images(chosen), strict=False):
            axes.imshow(picture)
        line[0].text(
            *(-0.15, 0.5),
            f"{caption(name)}\n{len(own):,}",
            transform=line[0].transAxes,
            ha="right",
            va="center",
            fontsize=9,
        )
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)


def boxes(
    picture: str | os.PathLike,
    out: str | os.PathLike,
    cascade: str | os.PathLike | None = None,
    zoom: float = 1.5,
    neighbours: int = 5,
    detector=None,
) -> int:
    """A picture with the boxes of its faces: red as detected, blue as they are cut (seed B,
    figure 1).

    Args:
        picture: its file.
        cascade, neighbours, detector: see `prepare.crop_faces`.
        zoom: side of the blue box per side of the red one.

    Returns:
        How many faces there are.
    """
    from PIL import ImageDraw

    from tfanime.prepare.detect import CascadeDetector, cascade_file
    from tfanime.prepare.faces import find_faces

    detector = detector or CascadeDetector(cascade_file(cascade), neighbours)
    image = read_image(picture)
    faces = find_faces(image, detector, zoom)
    pencil, width = ImageDraw.Draw(image), max(1, round(min(image.size) / 150))
    for face in faces:
        margin = round((face.side - face.box) / 2)
        for left, top, side, colour in (
            (face.left + margin, face.top + margin, face.box, "red"),
            (face.left, face.top, face.side, "blue"),
        ):
            corners = (left, top, left + side - 1, top + side - 1)
            pencil.rectangle(corners, outline=colour, width=width)
    save_image(out, np.asarray(image))
    return len(faces)


def sizes(source: str | os.PathLike, out: str | os.PathLike) -> np.ndarray:
    """How many pictures have a shorter side of how many pixels (seed B, figure 14).

    Args:
        source: a folder, zip, tar or CSV of pictures before they are packed, also a folder that
            `tfanime collect` or `tfanime prepare faces` wrote.

    Returns:
        `(n,)`: the shorter side of each; those that are no pictures are left out.
    """
    from tfanime.prepare.sources import open_source, pictures_in

    if is_packed(source):
        raise ValueError(
            "Packed pictures are all of one size; this figure is of those that they were packed "
            f"from. Received: {os.fspath(source)!r}."
        )
    found, bad = [], 0
    with open_source(pictures_in(Path(source))) as opened:
        for name in opened.names:
            try:
                found.append(min(picture_size(opened.read(name))))
            except ValueError:
                bad += 1
    if not found:
        raise ValueError(
            f"Sizes are those of pictures. Received: {os.fspath(source)!r}, no picture."
        )
    sides = np.array(found)
    canvas = _canvas((9, 4))
    axes = canvas.subplots()
    axes.hist(sides, bins=40, color=BLUE)
    axes.set_xlabel("pixels of the shorter side")
    axes.set_ylabel("pictures")
    left_out = f", {bad:,} that are none left out" if bad else ""
    axes.set_title(f"{len(sides):,} pictures, median {np.median(sides):g} pixels{left_out}")
    axes.grid(axis="y", alpha=0.3)
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)
    return sides


def histograms(data, out: str | os.PathLike) -> None:
    """How many pictures have each value of each label, unknown ones included."""
    data = _dataset(data)
    if data.schema is None:
        raise ValueError("A histogram needs labels, and these data have none.")
    labels = data.labels()
    flags = [field for field in data.schema.fields if field.kind == "flag"]
    panels = [field for field in data.schema.fields if field.kind != "flag"]
    panels += [flags] if flags else []
    canvas = _canvas((9, 2.6 * len(panels)))
    for axes, panel in zip(canvas.subplots(len(panels), squeeze=False).flat, panels, strict=True):
        if isinstance(panel, list):
            columns = [labels[:, data.schema.slices()[field.name]][:, 0] for field in panel]
            bars = {
                field.name: int((column >= 0.5).sum())
                for field, column in zip(panel, columns, strict=True)
            }
            title = "flags"
        else:
            names, members = _classes(data, panel)
            bars = {name: len(rows) for name, rows in zip(names, members, strict=True)}
            title = panel.name
            unknown = len(data) - sum(bars.values())
            bars |= {"not known": unknown} if unknown else {}
        axes.bar(range(len(bars)), list(bars.values()), color=BLUE)
        axes.set_xticks(range(len(bars)), list(map(caption, bars)))
        axes.tick_params(axis="x", rotation=45 if len(bars) > 8 else 0)
        axes.set_title(f"{caption(title)}, {len(data):,} pictures")
        axes.grid(axis="y", alpha=0.3)
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)


# ---- drawing -----------------------------------------------------------------------------------


def _loaded(run):
    return run if hasattr(run, "latent_dim") else load_generator(run)


def _conditional(run):
    generator = _loaded(run)
    if generator.schema is None:
        raise ValueError(
            "This figure needs a model that was trained with labels, and this one was not."
        )
    return generator


def _draw(generator, z: np.ndarray, signed: np.ndarray | None) -> np.ndarray:
    parts = []
    for first in range(0, len(z), CHUNK):
        rows = slice(first, first + CHUNK)
        parts.append(to_uint8(generator(z[rows], None if signed is None else signed[rows])))
    return np.concatenate(parts)


def _most_typical(generator, meter, z: np.ndarray, signed: np.ndarray | None) -> int:
    """The row of `z` that draws what is near the mean of the real pictures' features."""
    centre = meter.real.mean(axis=0)

    def away(latents, labels) -> np.ndarray:
        features = meter.features(_draw(generator, latents, labels))
        return np.linalg.norm(features - centre, axis=1)

    near = np.argsort(away(z, signed), kind="stable")[:SHORTLIST]
    if signed is None:
        return int(near[0])
    others = signed[:LABEL_ROWS]
    means = [away(np.repeat(z[i : i + 1], len(others), axis=0), others).mean() for i in near]
    return int(near[np.argmin(means)])


def _save_truncation(out, rows: list[dict[str, float]], measured: Truncation, meter) -> None:
    canvas = _canvas((11, 4.5))
    at = [row["truncation"] for row in rows]
    ways = {"": "towards zero", "typical ": "towards a typical latent"}
    for axes, name in zip(canvas.subplots(1, 2), ("precision", "kid"), strict=True):
        for way, label in ways.items():
            axes.plot(at, [row[f"{way}{name}"] for row in rows], marker="o", label=label)
        axes.axvline(measured.least, color="grey", label=f"useful down to {measured.least:g}")
        axes.set_xlabel("truncation")
        axes.set_title(f"{caption(name)}, {meter.count:,} pictures each")
        axes.grid(alpha=0.3)
        axes.legend()
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)


def _square(corners: Sequence[np.ndarray], side: int, step) -> np.ndarray:
    """`(side * side, dim)`: along the left and right edges, then across."""
    t = np.linspace(0, 1, side)
    left, right = step(corners[0], corners[2], t), step(corners[1], corners[3], t)
    return np.concatenate([step(a, b, t) for a, b in zip(left, right, strict=True)])


def _save_sheet(out: str | os.PathLike, pictures: np.ndarray, columns: int | None = None) -> None:
    save_image(out, grid(pictures, columns))


def _canvas(size: tuple[float, float]):
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def _thumbnails(
    places: np.ndarray, pictures: np.ndarray, frames: Sequence[str], legend: Mapping[str, str]
):
    """Pictures in frames of colours, which the legend names."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from matplotlib.patches import Patch

    canvas = _canvas((12, 12))
    axes = canvas.subplots()
    axes.axis("off")
    axes.set_xlim(places[:, 0].min(), places[:, 0].max())
    axes.set_ylim(places[:, 1].min(), places[:, 1].max())
    zoom = 22 / pictures.shape[2]
    for place, picture, colour in zip(places, pictures, frames, strict=True):
        box = AnnotationBbox(
            OffsetImage(picture, zoom=zoom),
            place,
            pad=0.08,
            bboxprops={"edgecolor": colour, "facecolor": colour},
        )
        axes.add_artist(box)
    patches = [Patch(color=colour, label=caption(name)) for colour, name in legend.items()]
    canvas.legend(handles=patches, loc="lower center", ncols=len(patches), frameon=False)
    return canvas


def _two_dimensions(features: np.ndarray, method: str, seed: int) -> np.ndarray:
    """`(n, 2)`."""
    centred = features - features.mean(axis=0)
    vectors = np.linalg.svd(centred, full_matrices=False)[2]
    if method == "pca":
        return centred @ vectors[:2].T
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ImportError(
            't-SNE needs scikit-learn: pip install ".[data]" in a checkout; or take method "pca".'
        ) from error
    reduced = centred @ vectors[:50].T
    perplexity = min(30.0, (len(reduced) - 1) / 3)
    return TSNE(random_state=seed, init="pca", perplexity=perplexity).fit_transform(reduced)


# ---- data --------------------------------------------------------------------------------------


def _dataset(data) -> PackedDataset:
    return data if isinstance(data, PackedDataset) else load_data(data)


def _size_of(subject) -> tuple[int, int]:
    """Height and width of a run's or a packed set's pictures."""
    if hasattr(subject, "height"):
        return subject.height, subject.width
    if is_packed(subject):
        packed = PackedDataset.open(subject)
        return packed.height, packed.width
    generator = load_generator(subject)
    return generator.height, generator.width


def _field(data: PackedDataset, name: str | None) -> Field:
    if data.schema is None:
        raise ValueError("Averages and samples need labels, and these data have none.")
    return data.schema.fields[0] if name is None else data.schema.field(name)


def _classes(data: PackedDataset, field: Field) -> tuple[list[str], list[np.ndarray]]:
    """Names of the classes that occur, and the rows of each, ascending."""
    column = data.labels()[:, data.schema.slices()[field.name]]
    known = np.flatnonzero(~np.isnan(column).any(axis=1))
    if field.kind == "group":
        chosen, names = column[known].argmax(axis=1), field.values
    elif field.kind == "flag":
        chosen, names = (column[known, 0] >= 0.5).astype(int), (f"no {field.name}", field.name)
    else:
        values = field.low + column[known, 0].astype(np.float64) * (field.high - field.low)
        width = max(YEARS, (field.high - field.low) / MOST_CLASSES)
        chosen = np.rint((values - field.low) / width).astype(int)
        names = [f"{field.low + i * width:g}" for i in range(chosen.max() + 1)]
    pairs = [(name, known[chosen == i]) for i, name in enumerate(names)]
    pairs = [(name, rows) for name, rows in pairs if len(rows)]
    return [name for name, _ in pairs], [rows for _, rows in pairs]


def _measure_checkpoints(run: Path, data, n: int, progress: bool):
    """Rows of the checkpoints that are still there, the floor, and how many pictures each has."""
    from tfanime.bars import progress_bar
    from tfanime.metrics.quality import quality_meter
    from tfanime.saved import Generator
    from tfanime.training import checkpoint
    from tfanime.training.described import generator_of
    from tfanime.training.process import unchanged

    found = checkpoint.checkpoints(run)
    if data is None or not found:
        raise ValueError(
            f"{str(run)!r} has no quality.csv. Train with --evaluate-every STEPS, or give real "
            f"pictures to measure its {len(found)} checkpoints against."
        )
    data = _dataset(data)
    network = None
    meter = quality_meter(data, n)
    rows = []
    for folder in progress_bar(found, unit="checkpoint", disable=not progress):
        try:
            arrays, meta = checkpoint.read(folder)
        except checkpoint.Damaged as error:
            print(f"{error} It is left out.", file=sys.stderr)
            continue
        averaged = [arrays[name] for name in sorted(arrays) if name.startswith("ema_generator/")]
        if network is None:
            with unchanged():
                network, used = generator_of(run, averaged)
        network.set_weights(averaged)
        generator = Generator(network, used, run.name)
        z = latent.latents(0, meter.count, generator.latent_dim)
        signed = None
        if used is not None:
            given = used.convert(meter.labels, data.schema) if data.schema else None
            signed = to_signed(latent.sample_labels(0, meter.count, used, rows=given))
        rows.append({"step": float(meta["step"]), **meter(_draw(generator, z, signed))})
    return rows, meter.floor, meter.count
