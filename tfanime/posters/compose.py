"""A poster from its parts: ground, disc, figure, type.

Everything is measured in parts of the width or height, so that a poster is the same at every size.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from tfanime.posters import backdrop as grounds
from tfanime.posters import calm, type
from tfanime.posters.calm import Box
from tfanime.posters.faces import Face, face_for, is_japanese
from tfanime.posters.figure import CUT, glow, graded
from tfanime.posters.palette import LEAST, Colour, Palette, mix, palette_of, readable
from tfanime.posters.type import Line

MARGIN = 0.07  # of the width
# Where a title may lie, in parts of the height, and how high it may be.
ZONES = {"top": (0.05, 0.3), "centre": (0.34, 0.66), "bottom": (0.58, 0.865)}
TITLE = {"top": 0.2, "centre": 0.26, "bottom": 0.19}
FIGURE = {"top": 0.25, "centre": 0.17, "bottom": 0.05, "vertical": 0.2}  # its top, of the height
DETAIL = 1.3  # blur of a ground that stands alone, in pixels of its draft
DISC = 0.36  # radius, of the width
SKY = re.compile(r"\b(?:moon|sun|sunset|sunrise|planet|eclipse|star)\b", re.I)
GRAINED = 1.2  # by how much more contrast there must be before grain comes on top
SMALL = 100  # pixels: the width at which calm is looked for


@dataclass(frozen=True)
class Parts:
    """What a poster is made of.

    Args:
        draft: `(h, w, 3)` uint8.
        title, tagline, credits: what it says; empty: nothing.
        figure: `(h, h, 4)` uint8, of `cutout.cut_out`, or None.
        phrase: what it is about; a colour in it becomes the accent; a moon or sun is shown, but
            not with `paint`.
        style: one of `core.choices.STYLES`.
        layout: one of `core.choices.LAYOUTS`.
        face: `bold` or `classic`, how titles are set where no font is given.
        font: of the title, a name of `faces.SHIPPED` or a file.
        seed: of the grain.
        shown: the draft as its upscaler shows it, for the style `paint`; None: the draft itself.
    """

    draft: np.ndarray
    title: str
    tagline: str = ""
    credits: str = ""
    figure: np.ndarray | None = None
    phrase: str = ""
    style: str = "print"
    layout: str = "auto"
    face: str = "bold"
    font: str | os.PathLike | None = None
    seed: int = 0
    shown: np.ndarray | None = None


@dataclass
class Composed:
    """A poster and where its type is.

    Args:
        image: mode RGB.
        boxes: `title`, `tagline` and `credits` to the box that each fills, in pixels.
        colours: the same names to the colour of the type.
        layout: the one that was chosen.
        before: the poster without type; for measuring.
    """

    image: Image.Image
    layout: str
    palette: Palette
    before: Image.Image
    boxes: dict[str, Box] = field(default_factory=dict)
    colours: dict[str, Colour] = field(default_factory=dict)


def compose(parts: Parts, height: int, width: int) -> Composed:
    """Draws a poster of `height` x `width` pixels."""
    palette = palette_of(parts.draft, parts.phrase)
    blur = DETAIL if parts.figure is None else grounds.BLUR
    if parts.style == "paint":
        ground = grounds.as_shown(
            parts.draft if parts.shown is None else parts.shown, height, width
        )
    else:
        ground = grounds.backdrop(parts.draft, palette, height, width, parts.style, blur)
    # Dots are not what calm is measured on, nor is the size: a print has its type where the
    # screen has it.
    cost = calm.energy(_reference(parts, palette, height / width, blur))
    layout = _layout(parts, cost) if parts.layout == "auto" else parts.layout
    canvas = ground
    if parts.figure is not None:
        top = round(FIGURE[layout] * height)
        if layout == "bottom" and (parts.figure[0, :, 3] > 127).mean() > CUT:
            top = 0  # what its own image cuts off, the poster does
        _disc(canvas, palette, parts.style, width // 2, top + round(0.22 * width))
        _place(canvas, parts, palette, top)
    elif SKY.search(parts.phrase) and parts.style != "paint":  # it would hide the draft's figure
        _disc(canvas, palette, parts.style, *_sky(layout, height, width))
    _foot(canvas, palette.paper, 0.56 if layout == "bottom" else 0.68)
    texts = set_texts(parts, layout, cost, height, width)
    result = Composed(canvas, layout, palette, canvas)
    colours = {
        "credits": mix(palette.ink, palette.mid, 0.15),
        "tagline": mix(palette.accent, palette.ink, 0.6 if palette.day else 0.4),
    }
    for name, lines in texts.items():
        box = type.extent(lines)
        result.boxes[name] = box
        canvas, colour = set_off(canvas, box, colours.get(name, palette.ink), palette.paper)
        result.colours[name] = colour
    result.before = canvas = grounds.grained(canvas, parts.style, parts.seed)
    result.image = canvas.copy()
    for name, lines in texts.items():
        mask = Image.new("L", canvas.size)
        for line in lines:
            line.draw(mask)
        result.image.paste(result.colours[name], (0, 0), mask)
    return result


# ---- images --------------------------------------------------------------------------------------


def _reference(parts: Parts, palette: Palette, shape: float, blur: float) -> np.ndarray:
    """The ground as soft light, `SMALL` pixels wide: `(h, SMALL, 3)` uint8."""
    image = grounds.backdrop(parts.draft, palette, round(SMALL * shape), SMALL, "mist", blur)
    return np.asarray(image)


def _layout(parts: Parts, cost: np.ndarray) -> str:
    """Where the title goes if nobody says: at the calmest of the places that a figure leaves."""
    if is_japanese(parts.title):
        return "vertical"
    if parts.style == "paint" and parts.figure is None:
        return "bottom"  # above it a draft has its face
    names = ("top", "bottom") if parts.figure is not None else ("top", "centre", "bottom")
    costs = {}
    for name in names:
        left, top, right, bottom = _calm_box(cost, ZONES[name], TITLE[name])
        costs[name] = cost[top:bottom, left:right].mean()
    return min(costs, key=costs.__getitem__)


def _calm_box(cost: np.ndarray, zone: tuple[float, float], share: float) -> Box:
    rows, columns = cost.shape
    inset = round(MARGIN * columns)
    within = (inset, round(zone[0] * rows), columns - inset, round(zone[1] * rows))
    height = min(max(1, round(share * rows)), within[3] - within[1])
    return calm.calmest(cost, height, columns - 2 * inset, within)


def _sky(layout: str, height: int, width: int) -> tuple[int, int]:
    """The centre of a disc that has no figure before it: away from the title."""
    return width // 2, round({"top": 0.58, "centre": 0.3}.get(layout, 0.34) * height)


def _disc(canvas: Image.Image, palette: Palette, style: str, x: int, y: int) -> None:
    """A moon or a sun in the accent, a little lighter at its top."""
    radius = round(DISC * canvas.width)
    size = 2 * radius
    rows = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    tone = np.broadcast_to(0.9 - 0.75 * rows, (size, size))
    ends = np.float32([mix(palette.accent, palette.mid, 0.55), palette.accent])
    ends = np.vstack([ends, np.float32(mix(palette.accent, palette.light, 0.3))])
    if style == "print":
        colour = grounds.inked(tone, ends, y - radius, canvas.width)
    else:
        colour = np.uint8(np.rint(grounds.toned(tone, ends)))
    mask = Image.new("L", (2 * size, 2 * size))
    ImageDraw.Draw(mask).ellipse((2, 2, 2 * size - 3, 2 * size - 3), fill=255)
    canvas.paste(Image.fromarray(colour), (x - radius, y - radius), mask.reduce(2))


def _place(canvas: Image.Image, parts: Parts, palette: Palette, top: int) -> None:
    side = canvas.width
    figure = graded(parts.figure, palette, parts.style, side, top)
    shade = glow(figure, side / 28).point(lambda x: x * 0.6)
    canvas.paste(palette.paper, (0, top, side, top + side), shade)
    canvas.paste(figure.convert("RGB"), (0, top), figure.getchannel("A"))


def _foot(canvas: Image.Image, colour: Colour, start: float) -> None:
    """The paper's colour grows towards the foot, where credits stand, and towards the edges."""
    rows = (np.arange(canvas.height, dtype=np.float32) + 0.5)[:, None] / canvas.height
    columns = (np.arange(canvas.width, dtype=np.float32) + 0.5)[None] / canvas.width
    foot = np.clip((rows - start) / (0.94 - start), 0, 1)
    foot = 0.94 * foot * foot * (3 - 2 * foot)
    edge = np.clip(np.abs(columns - 0.5) * 2 - 0.45, 0, 1) ** 2 * 0.9
    top = np.clip(0.16 - rows, 0, 1) * 2.2
    keep = (1 - foot) * (1 - edge) * (1 - top)
    canvas.paste(colour, (0, 0), Image.fromarray(np.uint8(np.rint(255 * (1 - keep)))))


# ---- type ----------------------------------------------------------------------------------------


def set_texts(
    parts: Parts, layout: str, cost: np.ndarray, height: int, width: int
) -> dict[str, list[Line]]:
    """Where each text of a poster of `height` x `width` is.

    Args:
        layout: one of `core.choices.LAYOUTS`, less `auto`.
        cost: the energy of a small version, `(h, SMALL)`.
    """
    texts: dict[str, list[Line]] = {}
    foot = round(0.955 * height)
    if parts.credits:
        face = face_for(parts.credits, None, "credits")
        room = round(0.86 * width)
        lines = type.credits(parts.credits, face, room, round(0.09 * height), 0.04 * width)
        bottom = type.extent(lines)[3]
        texts["credits"] = type.moved(lines, (width - room) // 2, foot - bottom)
        foot = foot - bottom - round(0.02 * height)
    if layout == "vertical":
        texts["title"] = _vertical(parts, cost, height, width)
    else:
        texts["title"] = _horizontal(parts, layout, cost, height, width, foot)
    if parts.tagline:
        texts["tagline"] = _tagline(parts, layout, texts["title"], height, width, foot)
    return texts


def _shown(text: str, face: Face) -> str:
    upper = text.upper()
    return text if face.missing(upper) else upper


def _title_face(parts: Parts) -> tuple[Face, str, bool]:
    face = face_for(parts.title, parts.font, parts.face)
    classic = parts.face == "classic" and parts.font is None and not is_japanese(parts.title)
    return face, parts.title if classic else _shown(parts.title, face), classic


def _horizontal(
    parts: Parts, layout: str, cost: np.ndarray, height: int, width: int, foot: int
) -> list[Line]:
    face, text, classic = _title_face(parts)
    room = round((1 - 2 * MARGIN) * width)
    lines = type.block(
        text, face, room, round(TITLE[layout] * height), 0.05 if classic else 0.0,
        justified=not classic, largest=0.16 * width if classic else 0.42 * width,
        gap=0.45 if classic else 0.16,
    )  # fmt: skip
    bottom = type.extent(lines)[3]
    zone = ZONES[layout]
    reserve = 0.045 if parts.tagline else 0.0
    if layout == "top":
        top = round((zone[0] + (reserve if layout == "top" else 0)) * height)
    elif layout == "bottom":
        top = min(round(zone[1] * height), foot - round(reserve * height)) - bottom
    else:
        box = _calm_box(cost, zone, min(bottom / height, zone[1] - zone[0]))
        top = round(box[1] * width / SMALL)
    return type.moved(lines, (width - room) // 2, top)


def _vertical(parts: Parts, cost: np.ndarray, height: int, width: int) -> list[Line]:
    """A column at the side that is calmer, the right one, where reading begins, if both are."""
    face, text, _ = _title_face(parts)
    room = round(0.3 * width)
    lines = type.column(text, face, room, round(0.66 * height), 0.15 * width)
    column_width = room - type.extent(lines)[0]
    columns = round(SMALL * (column_width / width + MARGIN))
    rows = slice(round(0.06 * len(cost)), round(0.72 * len(cost)))
    at_left = cost[rows, :columns].mean() < 0.8 * cost[rows, -columns:].mean()
    inset = round(0.06 * width)
    right = inset + column_width - room if at_left else width - inset - room
    return type.moved(lines, right, round(0.06 * height))


def _tagline(
    parts: Parts, layout: str, title: list[Line], height: int, width: int, foot: int
) -> list[Line]:
    """Small and widely spaced: above a title at the top, else below it."""
    face = face_for(parts.tagline, None, "classic" if parts.face == "classic" else "credits")
    text = _shown(parts.tagline, face)
    room = round((1 - 2.4 * MARGIN) * width)
    size = (0.021 if parts.face == "classic" else 0.03) * width
    lines = type.block(text, face, room, round(0.06 * height), 0.14, largest=size, gap=0.7)
    left, top, right, bottom = type.extent(lines)
    _, title_top, _, title_bottom = type.extent(title)
    if layout == "vertical":
        down = foot - bottom - round(0.012 * height)
    elif layout == "top" and title_top > bottom + 0.03 * height:
        down = title_top - bottom - round(0.016 * height)
    else:
        down = title_bottom + round(0.016 * height)
    return type.moved(lines, (width - room) // 2, down)


def set_off(
    canvas: Image.Image, box: Box, colour: Colour, paper: Colour, least: float = LEAST
) -> tuple[Image.Image, Colour]:
    """Makes type readable: by a shade of its colour where that will do, else by a soft scrim.

    Args:
        box: what the type fills.
        colour: of the type, as wanted.
        paper: the colour of the scrim.

    Returns:
        The canvas, with a scrim where it must be, and the colour: its contrast to every point
        behind it is `least` or more.
    """
    margin = round(0.01 * canvas.width)
    left, top = max(0, box[0] - margin), max(0, box[1] - margin)
    right, bottom = min(canvas.width, box[2] + margin), min(canvas.height, box[3] + margin)
    for strength in (0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0):
        behind = sampled(canvas, (left, top, right, bottom), paper, strength)
        shade = readable(colour, behind, GRAINED * least)
        if shade is not None and _close(shade, colour):
            break
    if strength:
        canvas = canvas.copy()
        canvas.paste(paper, (0, 0), _scrim(canvas.size, (left, top, right, bottom), strength))
    return canvas, shade or colour


def sampled(canvas: Image.Image, box: Box, paper: Colour, strength: float) -> np.ndarray:
    """Points of a box under a scrim, 120 x 120 at most: `(n, 3)` float64."""
    part = canvas.crop(box)
    part = part.resize((min(120, part.width), min(120, part.height)), Image.Resampling.BOX)
    points = np.asarray(part, np.float64).reshape(-1, 3)
    return (1 - strength) * points + strength * np.float64(paper)


def _close(one: Colour, other: Colour) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 60


def _scrim(size: tuple[int, int], box: Box, strength: float) -> Image.Image:
    """A mask that is `strength` in a box and fades around it; mode L."""
    width, height = size
    reach = 0.09 * width
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    across = np.maximum(np.maximum(box[0] - x, x - box[2]), 0)[None] / reach
    down = np.maximum(np.maximum(box[1] - y, y - box[3]), 0)[:, None] / reach
    away = np.clip(1 - np.hypot(across, down), 0, 1)
    return Image.fromarray(np.uint8(np.rint(255 * strength * away * away * (3 - 2 * away))))
