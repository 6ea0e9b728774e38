"""`character_sheet`: one face with every value of some attributes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tfanime import zoo
from tfanime.core import seeds
from tfanime.core.images import SHEETS, save_image
from tfanime.core.label_fields import Field
from tfanime.core.labels import LabelSchema
from tfanime.core.printing import near_miss, plain
from tfanime.sampling import upscale as upscaling
from tfanime.sampling.face import Face, check_faces, faces_of, stacked
from tfanime.sampling.generate import check_ending, check_scale, enlarged, loaded
from tfanime.sampling.generated import Generated
from tfanime.sampling.moves import directions_of, moved
from tfanime.sampling.sampler import Sampler
from tfanime.zoo.saved import Generator

if TYPE_CHECKING:
    from PIL import Image

MOST = 1000  # cells
NUMBERS = 5  # of a field of numbers
MOVES = (-3.0, 0.0, 3.0)  # of a direction, in standard deviations
FONT, MARGIN = 13, 4


@dataclass(frozen=True)
class _Value:
    """One value of what is varied: its caption, and the tags or the move that it stands for."""

    caption: str
    tags: Mapping[str, object]
    move: Mapping[str, float]


def character_sheet(
    run: object = zoo.DEFAULT,
    seed: int = 0,
    vary: Sequence[str] = ("hair",),
    tags: Mapping[str, object] | None = None,
    move: Mapping[str, float] | None = None,
    truncation: float = 1.0,
    face: str | os.PathLike | Face | None = None,
    out: str | os.PathLike | None = None,
    upscale: object = None,
    scale: int = 1,
    progress: bool = False,
) -> Generated:
    """Draws the same face with every value of some attributes, in every combination.

    All images have one latent and, but for what varies, one row of labels: what stays alike is
    what the model keeps of a face when its labels change.

    Args:
        run: a run folder, the name of a model that ships, or a loaded generator.
        seed: of the face, 0 <= seed < 2**53: the first image of that seed.
        vary: names of labels, or of directions stored with the model (`tfanime.find_directions`):
            a label takes all its values (a number five), a direction -3, 0 and 3. The last one
            runs along the rows.
        tags: attributes to hold fixed.
        move: as in `tfanime.generate`, for all images.
        truncation: 0 to 2, as in `tfanime.generate`.
        face: one face of `tfanime.invert`, instead of the seed's.
        out: a file (.png, .jpg, .webp) for the sheet with its captions.
        upscale, scale: as in `tfanime.generate`.
        progress: show a progress bar.

    Returns:
        `Generated`, row by row.

    Raises:
        ValueError: for a name that the model does not know, or that `tags` hold fixed; for more
            than 1,000 images.

    Example:
        >>> sheet = character_sheet(seed=7, vary=["smile", "hair"], out="7.png")  # doctest: +SKIP
    """
    check_ending(out, SHEETS, "out, the sheet,")
    check_scale(scale)
    seed, truncation = seeds.check_seed(seed), seeds.check_truncation(truncation)
    generator = loaded(run)
    sampler, upscaler = Sampler(generator), upscaling.chosen(generator, upscale)
    axes = [_values(generator, name) for name in _names(vary, tags)]
    cells = list(itertools.product(*axes))
    if len(cells) > MOST:
        raise ValueError(
            f"A sheet has at most {MOST:,} images. Received: {len(cells):,}. Vary less at once."
        )
    z, labels = _subject(sampler, seed, tags, face)
    z = moved(generator, seeds.truncate(z, truncation), move)
    latents = np.concatenate([moved(generator, z, _joined(cell, "move")) for cell in cells])
    rows = None
    if labels is not None:
        rows = np.concatenate([_with(labels, _joined(c, "tags"), generator.schema) for c in cells])
    parts = sampler.parts(latents, labels=rows, progress=progress)
    images = np.concatenate([enlarged(part, upscaler, scale) for _, part in parts])
    if out is not None:
        save_image(out, _captioned(images, axes))
    return Generated(images, latents, rows, generator.schema, seed if face is None else None)


def _names(vary: Sequence[str], tags: Mapping[str, object] | None) -> list[str]:
    names = [vary] if isinstance(vary, str) else list(vary)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"vary is one name or more, each once. Received: {names!r}.")
    for name in names:
        if name in (tags or {}):
            raise ValueError(f"What varies is not held fixed. Received: {name!r} as both.")
    return names


def _values(generator: Generator, name: str) -> list[_Value]:
    """What a label or a direction takes, in order."""
    fields = [] if generator.schema is None else list(generator.schema.fields)
    by_name = {f.name.replace("-", "_"): f for f in fields if f.kind != "vector"}
    field = by_name.get(name.replace("-", "_"))
    if field is not None:
        return [_Value(text, {field.name: x}, {}) for text, x in _field_values(field)]
    try:
        moves = list(directions_of(generator))
    except ValueError:
        moves = []
    if name.replace("-", "_") not in [one.replace("-", "_") for one in moves]:
        listed = [*by_name, *moves]
        raise ValueError(
            f"What varies is a label or a direction of {generator.name}: "
            f"{', '.join(listed) or 'it has none'}. Received: {name!r}.{near_miss(name, listed)}"
        )
    return [_Value(f"{name} {x:+g}" if x else name, {}, {name: x}) for x in MOVES]


def _field_values(field: Field) -> list[tuple[str, object]]:
    if field.kind == "group":
        return [(f"{value} {field.name}", value) for value in field.values]
    if field.kind == "flag":
        return [(f"no {field.name}", False), (field.name, True)]
    return [(f"{field.name} {x:g}", x) for x in np.linspace(field.low, field.high, NUMBERS)]


def _subject(
    sampler: Sampler,
    seed: int,
    tags: Mapping[str, object] | None,
    face: str | os.PathLike | Face | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The latent `(1, dim)` and the labels `(1, L)` that all images begin with."""
    if face is None:
        return sampler.latents(seed, 1), sampler.labels(seed, 1, tags)
    faces = faces_of(face)
    if len(faces) > 1 or seed:
        raise ValueError(
            "A sheet is of one face, from a file or from a seed. Received: "
            f"{len(faces)} faces, seed {seed}."
        )
    check_faces(faces, sampler.generator)
    z, rows = stacked(faces)
    return z, sampler.labels(seed, 1, tags, rows=rows)


def _joined(cell: Sequence[_Value], what: str) -> dict:
    return {name: x for value in cell for name, x in getattr(value, what).items()}


def _with(labels: np.ndarray, tags: Mapping[str, object], schema: LabelSchema | None) -> np.ndarray:
    """The rows with other values of some labels."""
    assert schema is not None
    row = schema.encode(tags)
    return np.where(np.isnan(row), labels, row).astype(np.float32)


# ---- the sheet -----------------------------------------------------------------------------------


def _captioned(images: np.ndarray, axes: Sequence[Sequence[_Value]]) -> np.ndarray:
    """`(h, w, 3)` uint8: the images with the values of the last axis above the columns, and those
    of the others beside the rows."""
    columns = [value.caption for value in axes[-1]]
    combined = itertools.product(*axes[:-1])
    rows = ["\n".join(value.caption for value in cell) for cell in combined]
    return captioned(images, columns, rows)


def captioned(images: np.ndarray, columns: Sequence[str], rows: Sequence[str]) -> np.ndarray:
    """A sheet `(h, w, 3)` uint8 with captions above its columns and beside its rows.

    Args:
        images: `(len(rows) * len(columns), H, W, 3)` uint8, row by row.
        columns: captions, broken between words where they are wider than a column.
        rows: captions; all empty: none are drawn.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(FONT)
    pencil = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    height, width = images.shape[1:3]
    above = [_broken(plain(text).replace("_", " "), width, font, pencil) for text in columns]
    beside = ["\n".join(plain(t).replace("_", " ") for t in text.split("\n")) for text in rows]
    sizes = [pencil.multiline_textbbox((0, 0), text, font=font) for text in above + beside]
    top = int(max(box[3] for box in sizes[: len(above)])) + 2 * MARGIN
    side = int(max(box[2] for box in sizes[len(above) :])) + 2 * MARGIN if any(beside) else 0
    step = (height + MARGIN, width + MARGIN)
    size = (side + step[1] * len(columns) + MARGIN, top + step[0] * len(rows))
    sheet: Image.Image = Image.new("RGB", size, "white")
    pencil = ImageDraw.Draw(sheet)
    for i, text in enumerate(above):
        middle = (side + MARGIN + i * step[1] + width // 2, top // 2)
        pencil.multiline_text(middle, text, "black", font, anchor="mm", align="center")
    for i, text in enumerate(beside):
        place = (MARGIN, top + i * step[0] + height // 2)
        pencil.multiline_text(place, text, "black", font, anchor="lm")
    for i, image in enumerate(images):
        row, column = divmod(i, len(columns))
        place = (side + MARGIN + column * step[1], top + row * step[0])
        sheet.paste(Image.fromarray(image), place)
    return np.asarray(sheet)


def _broken(text: str, width: int, font: Any, pencil: Any) -> str:
    """The text in lines that are as wide as a column, if its words are."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and pencil.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)
