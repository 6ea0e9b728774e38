"""What a data set holds: means and samples of its classes, sizes, labels, and boxes of faces."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tfanime.core.decode import picture_size, read_image
from tfanime.core.files import atomic_path
from tfanime.core.images import save_image
from tfanime.core.labels import Field
from tfanime.core.printing import caption
from tfanime.data import PackedDataset
from tfanime.data.writer import is_packed
from tfanime.evaluation.figures.drawing import BLUE, DPI, SIDE, new_canvas, opened_data

YEARS = 1  # width of the classes of a value such as a year, in its own unit
MOST_CLASSES = 40


def averages(data, out: str | os.PathLike, label: str | None = None) -> None:
    """The mean image of each class of a label, or of each year, with the number of images."""
    data = opened_data(data)
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
    canvas = new_canvas((1.25 * columns, 1.75 * lines + 0.2))
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
    """A row for each class of a label, or for each year: `n` of its images, which the seed
    chooses, and how many there are. Figure 5 of MakeGirlsMoe (Jin et al. 2017)."""
    data = opened_data(data)
    names, members = _classes(data, _field(data, label))
    canvas = new_canvas((1.1 * n + 1.6, 1.1 * data.height / data.width * len(names) + 0.2))
    rows = canvas.subplots(len(names), n, squeeze=False)
    for line, name, own in zip(rows, names, members, strict=True):
        indices = np.sort(np.random.default_rng(seed).permutation(own)[:n])
        for axes in line:
            axes.set_axis_off()
        for axes, picture in zip(line, data.images(indices), strict=False):
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
    """An image with the boxes of its faces: red as detected, blue as they are cut.

    Figure 1 of MakeGirlsMoe (Jin et al. 2017).

    Args:
        picture: its file.
        cascade, neighbours, detector: see `prepare.crop_faces`.
        zoom: side of the blue box per side of the red one.

    Returns:
        How many faces there are.
    """
    from PIL import ImageDraw

    from tfanime.prepare.detect import CascadeDetector, cascade_file
    from tfanime.prepare.face_search import find_faces

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
    """How many images have a shorter side of how many pixels.

    Figure 14 of MakeGirlsMoe (Jin et al. 2017).

    Args:
        source: a folder, zip, tar or CSV of images before they are packed, also a folder that
            `tfanime collect` or `tfanime prepare faces` wrote.

    Returns:
        `(n,)`: the shorter side of each; those that are no images are left out.
    """
    from tfanime.prepare.sources import open_source, pictures_in

    if is_packed(source):
        raise ValueError(
            "Packed images are all of one size; this figure is of those that they were packed "
            f"from. Received: {os.fspath(source)!r}."
        )
    shorter_sides, bad = [], 0
    with open_source(pictures_in(Path(source))) as opened:
        for name in opened.names:
            try:
                shorter_sides.append(min(picture_size(opened.read(name))))
            except ValueError:
                bad += 1
    if not shorter_sides:
        raise ValueError(f"Sizes are those of images. Received: {os.fspath(source)!r}, no image.")
    sides = np.array(shorter_sides)
    canvas = new_canvas((9, 4))
    axes = canvas.subplots()
    axes.hist(sides, bins=40, color=BLUE)
    axes.set_xlabel("pixels of the shorter side")
    axes.set_ylabel("images")
    left_out = f", {bad:,} that are none left out" if bad else ""
    axes.set_title(f"{len(sides):,} images, median {np.median(sides):g} pixels{left_out}")
    axes.grid(axis="y", alpha=0.3)
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)
    return sides


def histograms(data, out: str | os.PathLike) -> None:
    """How many images have each value of each label, unknown ones included."""
    data = opened_data(data)
    if data.schema is None:
        raise ValueError("A histogram needs labels, and these data have none.")
    labels = data.labels()
    flags = [field for field in data.schema.fields if field.kind == "flag"]
    panels = [field for field in data.schema.fields if field.kind != "flag"]
    panels += [flags] if flags else []
    canvas = new_canvas((9, 2.6 * len(panels)))
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
        axes.set_title(f"{caption(title)}, {len(data):,} images")
        axes.grid(axis="y", alpha=0.3)
    with atomic_path(out) as temporary:
        canvas.savefig(temporary, dpi=DPI)


def _field(data: PackedDataset, name: str | None) -> Field:
    if data.schema is None:
        raise ValueError("Averages and samples need labels, and these data have none.")
    return data.schema.fields[0] if name is None else data.schema.field(name)


def _classes(data: PackedDataset, field: Field) -> tuple[list[str], list[np.ndarray]]:
    """Names of the classes that occur, and the rows of each, ascending."""
    column = data.labels()[:, data.schema.slices()[field.name]]
    labelled = np.flatnonzero(~np.isnan(column).any(axis=1))
    if field.kind == "group":
        classes, names = column[labelled].argmax(axis=1), field.values
    elif field.kind == "flag":
        classes, names = (column[labelled, 0] >= 0.5).astype(int), (f"no {field.name}", field.name)
    else:
        values = field.low + column[labelled, 0].astype(np.float64) * (field.high - field.low)
        width = max(YEARS, (field.high - field.low) / MOST_CLASSES)
        classes = np.rint((values - field.low) / width).astype(int)
        names = [f"{field.low + i * width:g}" for i in range(classes.max() + 1)]
    pairs = [(name, labelled[classes == i]) for i, name in enumerate(names)]
    pairs = [(name, rows) for name, rows in pairs if len(rows)]
    return [name for name, _ in pairs], [rows for _, rows in pairs]
