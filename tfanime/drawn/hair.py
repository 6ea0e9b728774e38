"""The hair: behind the face, on its sides and before the forehead."""

from __future__ import annotations

import numpy as np

from tfanime.drawn.palette import (
    ACCENTS,
    choose,
    mix,
    unlike,
)
from tfanime.drawn.portrait import Portrait
from tfanime.drawn.strokes import (
    MIRROR,
    blade,
    both,
    ellipse,
    quadratics,
    smooth,
    symmetric,
)

# One turn of a ringlet, in units of half its width across.
RINGLET = smooth([(-1, -0.08), (0, -0.24), (1, -0.2), (1, 0.06), (0, 0.2), (-0.9, 0.22)])
RINGLET_SHADE = blade((-0.9, 0.08), (0, 0.12), (0.95, -0.06), (0, 0.24), (-0.85, 0.2))
RINGLET_GLINT = ellipse(0, -0.06, 0.4, 0.05)
# Lower edges of the bangs: valleys and tips in turn, temple to temple.
FRINGES = (
    # parted into spikes
    ((-1.02, 0.1), (-0.8, -0.32), (-0.66, -0.1), (-0.5, -0.4), (-0.3, -0.12), (-0.14, -0.42))
    + ((0.02, -0.02), (0.16, -0.42), (0.36, -0.13), (0.52, -0.4), (0.7, -0.1), (0.82, -0.32))
    + ((1.02, 0.1),),
    # straight cut
    ((-1.02, 0.05), (-0.84, -0.2), (-0.68, -0.17), (-0.56, -0.26), (-0.38, -0.16), (-0.26, -0.26))
    + ((-0.06, -0.15), (0.06, -0.26), (0.26, -0.16), (0.38, -0.26), (0.56, -0.16), (0.68, -0.26))
    + ((0.84, -0.18), (0.9, -0.2), (1.02, 0.05)),
    # parted in the middle
    ((-1.02, 0.35), (-0.86, -0.15), (-0.8, 0.0), (-0.62, -0.4), (-0.5, -0.22), (-0.06, -0.95))
    + ((0.0, -0.88), (0.06, -0.95), (0.5, -0.22), (0.62, -0.4), (0.8, 0.0), (0.86, -0.15))
    + ((1.02, 0.35),),
    # swept to one side
    ((-1.02, 0.3), (-0.86, -0.25), (-0.74, -0.08), (-0.52, -0.9), (-0.18, -0.28), (-0.08, -0.5))
    + ((0.22, -0.14), (0.26, -0.4), (0.56, -0.08), (0.6, -0.3), (0.86, 0.06), (0.86, -0.2))
    + ((1.02, 0.3),),
    # one long strand between the eyes
    ((-1.02, 0.2), (-0.8, -0.28), (-0.62, -0.12), (-0.42, -0.5), (-0.3, -0.24), (-0.16, -0.5))
    + ((-0.02, 0.24), (0.08, -0.5), (0.3, -0.2), (0.42, -0.46), (0.64, -0.12), (0.8, -0.28))
    + ((1.02, 0.2),),
)


def paint_back_hair(portrait: Portrait) -> None:
    tags, hair = portrait.tags, portrait.hair
    v, wave = portrait.volume, 0.12 * portrait.style.wave
    if tags["long_hair"]:
        side = [(v + 0.02, 0.5), (v + 0.16, 1.1 + wave), (v + 0.12, 1.7), (v + 0.34, 2.7)]
        ends = [(0.9, 2.9), (0.3, 3.0)]
    elif tags["short_hair"]:
        side = [(v - 0.02, 0.35), (v - 0.1, 0.62), (v + 0.02, 0.86)]
        ends = [(v - 0.26, 0.78), (v - 0.3, 0.98), (0.55, 0.84), (0.5, 1.02), (0.2, 0.9)]
    else:
        side = [(v + 0.02, 0.45), (v, 0.8 + wave), (v - 0.04, 1.12), (v + 0.06, 1.34)]
        ends = [(v - 0.28, 1.24), (v - 0.36, 1.46), (0.6, 1.28), (0.5, 1.44), (0.2, 1.3)]
    crown = [(0, -1.5), (0.62, -1.34), (v - 0.1, -0.78), (v + 0.04, -0.1)]
    portrait.canvas.shape(symmetric(crown + side + ends), hair.base, hair.dark)
    # The inside, behind the neck, lies in shadow.
    foot = side[-1][1]
    inner = [(0, 0), (0.8, 0.2), (v - 0.28, 0.75), (v - 0.42, foot - 0.12), (0.3, foot - 0.02)]
    portrait.canvas.fill(symmetric(inner), mix(hair.shade, hair.dark, 0.4))


def paint_ponytail(portrait: Portrait) -> None:
    hair, canvas = portrait.hair, portrait.canvas
    swing = 0.25 * portrait.style.tail
    outline = quadratics(
        [(0.1, -1.3), (0.5, -2.15), (1.2, -1.7), (1.95 + swing, -1.1), (1.75, 0.0)]
        + [(1.65, 0.7), (1.8 + swing, 1.5), (1.3, 1.05), (1.3, 0.5), (1.2, 0.7), (1.05, 0.9)]
        + [(1.0, 0.2), (1.1, -0.5), (1.0, -1.1), (0.7, -1.2)]
    )
    canvas.shape(outline * portrait.flip, hair.base, hair.dark)
    inner = blade((0.75, -1.35), (1.6, -1.3), (1.42, 1.0), (1.1, -0.6), (0.7, -1.1))
    canvas.fill(inner * portrait.flip, hair.shade)
    glint = blade((1.05, -1.55), (1.6, -1.35), (1.66, -0.3), (1.5, -1.1), (1.0, -1.4))
    canvas.fill(glint * portrait.flip, hair.light)


def paint_twintails(portrait: Portrait) -> None:
    hair, canvas = portrait.hair, portrait.canvas
    swing = 0.2 * portrait.style.tail
    tail = quadratics(
        [(0.95, -0.95), (1.5, -1.35), (1.8, -0.6), (2.15 + swing, 0.2), (1.8, 1.0)]
        + [(1.7, 1.4), (1.85, 1.95), (1.5, 1.7), (1.42, 1.3), (1.36, 1.5), (1.2, 1.7)]
        + [(1.25, 1.0), (1.28, 0.4), (1.3, -0.3), (0.95, -0.6)]
    )
    shade = blade((1.05, -0.7), (1.75, 0.1), (1.45, 1.5), (1.4, 0.2), (1.0, -0.6))
    glint = blade((1.45, -0.85), (1.9, -0.3), (1.82, 0.4), (1.7, -0.3), (1.35, -0.75))
    tie = smooth([(0.95, -1.05), (1.2, -0.9), (1.12, -0.55), (0.88, -0.6)])
    band = unlike(ACCENTS, portrait.style.trim, portrait.hair.base)
    for side in (np.ones(2), MIRROR):
        canvas.shape(tail * side, hair.base, hair.dark)
        canvas.fill(shade * side, hair.shade)
        canvas.fill(glint * side, hair.light)
        canvas.shape(tie * side, band, mix(band, (20, 10, 30), 0.5))


def paint_shoulder_strands(portrait: Portrait) -> None:
    """Long hair over the shoulders; below the ears only where the hair is also short."""
    hair, canvas, v = portrait.hair, portrait.canvas, portrait.volume
    wave, short = 0.14 * (portrait.style.locks - 0.5), portrait.tags["short_hair"]
    top, outside = (0.55, 1.12) if short else (0.0, v + 0.06)
    strand = quadratics(
        [(0.8 if short else 0.9, top), (0.98, 1.2), (0.82 + wave, 2.2), (1.0, 2.6), (0.95, 3.0)]
        + [(1.3, 2.8), (1.5, 3.0), (1.36, 1.6), (outside, top)]
    )
    shade = blade((1.0, top + 0.2), (1.04, 1.4), (0.94, 2.8), (1.18, 1.4), (1.12, top + 0.2))
    light = blade((1.14, top + 0.5), (1.2, 1.4), (1.3, 2.3), (1.27, 1.4), (1.19, top + 0.5))
    for mirror in (np.ones(2), MIRROR):
        canvas.shape(strand * mirror, hair.base, hair.dark)
        canvas.fill(shade * mirror, hair.shade)
        canvas.fill(light * mirror, hair.light)


def paint_nape(portrait: Portrait) -> None:
    """The flicked-out tips of short hair, seen against long hair."""
    hair, canvas, v = portrait.hair, portrait.canvas, portrait.volume
    low = blade((0.6, 0.3), (0.7, 0.7), (1.0, 1.06), (1.06, 0.6), (1.0, 0.3))
    high = blade((0.8, 0.1), (0.96, 0.5), (v + 0.16, 0.84), (1.14, 0.4), (v, 0.1))
    for mirror in (np.ones(2), MIRROR):
        canvas.shape(low * mirror, hair.shade, hair.dark)
        canvas.shape(high * mirror, hair.base, hair.dark)


def paint_side_locks(portrait: Portrait) -> None:
    """Locks that frame the face: to the cheeks for short hair, else past the chin."""
    hair, canvas, v = portrait.hair, portrait.canvas, portrait.volume
    short = portrait.tags["short_hair"]
    low = (0.42 if short else 1.12) + 0.14 * (portrait.style.locks - 0.5)
    x = 0.86 if short else 0.76
    lock = blade((0.78, -0.5), (0.86, 0.1), (x, low), (1.22, low - 0.5), (v - 0.02, -0.5))
    shade = blade((0.9, -0.4), (1.0, 0.1), (x, low - 0.08), (1.08, low - 0.5), (1.02, -0.4))
    outer = blade((0.95, -0.4), (1.12, 0.1), (1.06, low + 0.16), (1.3, low - 0.4), (v, -0.4))
    for mirror in (np.ones(2), MIRROR):
        if not short:
            canvas.shape(outer * mirror, hair.shade, hair.dark)
        canvas.shape(lock * mirror, hair.base, hair.dark)
        canvas.fill(shade * mirror, hair.shade)


def paint_drills(portrait: Portrait) -> None:
    hair, canvas = portrait.hair, portrait.canvas
    for mirror in (np.ones(2), MIRROR):
        for ring in range(6):
            wide = np.array([0.28 if ring == 0 else 0.39 - 0.055 * ring, 1.0])
            place = np.array([1.26 + 0.03 * ring, 0.22 + 0.3 * ring])
            canvas.shape((RINGLET * wide + place) * mirror, hair.base, hair.dark)
            canvas.fill((RINGLET_SHADE * wide + place) * mirror, hair.shade)
            canvas.fill((RINGLET_GLINT * wide + place) * mirror, hair.light)


def fringe(portrait: Portrait) -> np.ndarray:
    """Valleys and tips of the bangs in turn, from x = -1 to x = 1, `(odd, 2)`."""
    edge = np.array(choose(FRINGES, portrait.style.bangs))
    shake = np.reshape(portrait.style.jitter[: edge.size], edge.shape) - 0.5
    edge[1:-1] += shake[1:-1] * (0.08, 0.06)
    edge[1:-1, 0] += portrait.turn
    return edge if portrait.side > 0 else (edge * MIRROR)[::-1]


def fringe_curve(portrait: Portrait, fringe: np.ndarray) -> np.ndarray:
    """The edge of the bangs with its locks bent."""
    path = np.empty((2 * len(fringe) - 1, 2))
    path[::2] = fringe
    path[1::2] = (fringe[1:] + fringe[:-1]) / 2 + (0.16 * (portrait.style.sweep - 0.5), -0.05)
    return quadratics(path)


def paint_fringe_shadow(portrait: Portrait, fringe: np.ndarray) -> None:
    """What the bangs cast on the forehead."""
    shadow = fringe_curve(portrait, fringe) * (0.92, 1.0) + (0.02, 0.1)
    top = np.array([(0.85, -0.7), (-0.85, -0.7)])
    portrait.canvas.fill(np.concatenate([shadow, top]), portrait.skin_shade)


def paint_bangs(portrait: Portrait, fringe: np.ndarray) -> None:
    hair, canvas, v = portrait.hair, portrait.canvas, portrait.volume
    edge = fringe_curve(portrait, fringe)
    half = [(1.0, 0.12), (v, -0.2), (v - 0.08, -0.75), (0.66, -1.3), (0.0, -1.5)]
    crown = smooth(np.concatenate([half, half[-2::-1] * MIRROR]), closed=False)
    canvas.fill(np.concatenate([edge, crown]), hair.base)
    # One side of each lock lies in shade, up towards the parting.
    part = np.array([portrait.side * -0.15, -1.4])
    for tip, valley in zip(fringe[2:-2:2], fringe[3:-1:2], strict=True):
        head = valley + (part - valley) * 0.62
        swell = np.array([(valley[0] - part[0]) * 0.16, -0.02])
        middle = (head + valley) / 2 + swell
        inner = tip + (valley - tip) * 0.2
        wedge = blade(inner, middle - (0.1, -0.05), head, middle, valley)
        canvas.fill(wedge, hair.shade)
        canvas.line(quadratics([valley, middle, head]), mix(hair.shade, hair.dark, 0.6), 0.03)
    rims = both(blade((v, 0), (v + 0.02, -0.8), (0.4, -1.42), (0.98, -0.8), (0.92, -0.1)))
    for rim in rims:
        canvas.fill(rim, hair.shade)
    paint_gloss(portrait)
    if portrait.style.volume < 0.4 and not portrait.tags["hat"]:
        curl = blade((-0.12, -1.42), (-0.1, -1.85), (0.42, -1.78), (0.1, -1.74), (0.1, -1.46))
        canvas.fill(curl * portrait.flip, hair.base)
        canvas.line(curl * portrait.flip, hair.dark, 0.045)
    canvas.line(edge, hair.dark, 0.05)
    canvas.line(crown, hair.dark, 0.05)


def paint_gloss(portrait: Portrait) -> None:
    """The broken ring of light around the crown."""
    height = -0.92 + 0.12 * (portrait.style.gloss - 0.5)
    zigzag = np.array([0.0, 0.13, -0.02, 0.16, 0.0, 0.11, -0.02])
    for left, right in ((-0.8, -0.16), (-0.06, 0.5), (0.62, 0.84)):
        xs = np.linspace(left, right, 7)
        ring = height + 0.34 * xs**2
        upper = np.stack([xs, ring - 0.06 + 0.5 * zigzag], axis=1)
        lower = np.stack([xs, ring + 0.04 + zigzag], axis=1)
        lower[[0, -1]] = upper[[0, -1]]
        band = np.concatenate([upper, lower[::-1]]) * portrait.flip
        portrait.canvas.fill(band, portrait.hair.light)
